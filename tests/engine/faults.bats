#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Kills, full disks, reboots and crowds: whatever happens, `rm --force` removes it and nothing is left.
#
# With each runtime under sanitizers, too.

load ../lib/engine

# Without timeout(1) in between, so that the process can be killed.
fl_directly()
{
	local command=$1
	shift
	exec "$FLOE" --root "$ENGINE/root" --runroot "$ENGINE/run" "${CGROUPS[@]}" --runtime "$ENGINE_RUNTIME" \
		"$command" --network none --cgroup-parent "$CGROUP_PARENT" "$@" >/dev/null 2>&1 3>&- 4>&-
}

# Nothing claims to run that does not, also once what was left at work has come to its end.
tells_the_truth()
{
	[ "$(inspect "$1" '{{.State.Running}}')" = false ] || kill -0 "$(inspect "$1" '{{.State.Pid}}')"
}

@test "kill -9 of floe at any moment of run" {
	for ms in 002 005 010 015 020 030 040 060 080 120; do
		(fl_directly run --name "$C-$ms" --rootfs "$ROOTFS" sleep 1000) &
		pid=$!
		sleep 0.$ms
		kill -KILL $pid 2>/dev/null || :
		wait $pid 2>/dev/null || :
	done
	for id in $(fl ps -aq); do
		eventually tells_the_truth "$id"
		fl rm --force --time 0 "$id" >/dev/null
	done
	is "" "$(fl ps -aq)"
}

@test "kill -9 of floe at any moment of start, then start again" {
	fl create --name "$C" --rootfs "$ROOTFS" sleep 1000 >/dev/null
	for ms in 003 008 015 025 040 070; do
		("$FLOE" --root "$ENGINE/root" --runroot "$ENGINE/run" "${CGROUPS[@]}" --runtime "$ENGINE_RUNTIME" start "$C" \
			>/dev/null 2>&1 3>&- 4>&-) &
		pid=$!
		sleep 0.$ms
		kill -KILL $pid 2>/dev/null || :
		wait $pid 2>/dev/null || :
		fl start "$C" >/dev/null
		state_is "$C" running
		fl exec "$C" true
		fl stop --time 0 "$C" >/dev/null
		state_is "$C" exited
	done
}

@test "kill -9 of conmon" {
	start_idle "$C"
	kill -KILL "$(inspect "$C" '{{.State.ConmonPid}}')"
	# The container goes on, and can be stopped and started.
	state_is "$C" running
	fl stop --time 1 "$C" >/dev/null
	state_is "$C" exited
	fl start "$C" >/dev/null
	state_is "$C" running
}

@test "kill -9 of conmon and the container" {
	start_idle "$C"
	kill -KILL "$(inspect "$C" '{{.State.ConmonPid}}')" "$(inspect "$C" '{{.State.Pid}}')"
	eventually state_is "$C" exited
	is 255 "$(inspect "$C" '{{.State.ExitCode}}')"
	contains "$(inspect "$C" '{{.State.Error}}')" conmon
	fl start "$C" >/dev/null
	state_is "$C" running
}

@test "kill -9 of an exec leaves the container as it was" {
	start_idle "$C"
	("$FLOE" --root "$ENGINE/root" --runroot "$ENGINE/run" "${CGROUPS[@]}" --runtime "$ENGINE_RUNTIME" exec "$C" sleep 1000 \
		>/dev/null 2>&1 3>&- 4>&-) &
	pid=$!
	inside() { contains "$(fl top "$C" args)" "sleep 1000"; }
	eventually inside
	kill -KILL $pid
	wait $pid 2>/dev/null || :
	fl exec "$C" true
	fl stop --time 1 "$C" >/dev/null
	is "[]" "$(inspect "$C" '{{.ExecIDs}}')"
}

@test "a runtime that dies, or is none" {
	ENGINE_RUNTIME=/no/such/runtime try run --rm --rootfs "$ROOTFS" true
	refused "/no/such/runtime"
	printf '#!/bin/sh\nkill -9 $$\n' >runtime
	chmod +x runtime
	ENGINE_RUNTIME=$T/runtime try run --name "$C" --rootfs "$ROOTFS" true
	is 126 "$status"
	fl rm --force "$C" >/dev/null
}

@test "a runtime that is killed over its create leaves no cgroup" {
	[[ ${CGROUPS[*]} == *cgroupfs* ]] || skip "systemd removes what it has made"
	where=/sys/fs/cgroup/pids
	[ -d $where ] || where=/sys/fs/cgroup
	cat >runtime <<-END
		#!/bin/sh
		for word; do [ "\$last" != --bundle ] || bundle=\$word; last=\$word; done
		[ -z "\$bundle" ] || mkdir -p "$where/\$(jq -r .linux.cgroupsPath "\$bundle/config.json")/below" && touch '$T/made'
		kill -9 \$\$
	END
	chmod +x runtime
	ENGINE_RUNTIME=$T/runtime try run --name "$C" --rootfs "$ROOTFS" true
	is 126 "$status"
	[ -e made ]
	is "" "$(test_cgroups -name 'floe-*')"
	fl rm "$C" >/dev/null
}

@test "a runtime whose kill does not end it: its delete does" {
	cat >runtime <<-END
		#!/bin/sh
		for word; do [ "\$word" != kill ] || exit 0; done
		exec '$ENGINE_RUNTIME' "\$@"
	END
	chmod +x runtime
	ENGINE_RUNTIME=$T/runtime start_idle "$C"
	ENGINE_RUNTIME=$T/runtime fl rm --force --time 0 "$C" >/dev/null
	is "" "$(fl ps -aq)"
}

@test "a runtime that is killed over its delete leaves nothing of the container" {
	cat >runtime <<-END
		#!/bin/sh
		for word; do [ "\$word" != delete ] || mkdir killed 2>/dev/null && [ "\$word" = delete ] && kill -9 \$\$; done
		exec '$ENGINE_RUNTIME' "\$@"
	END
	sed -i "s|mkdir killed|mkdir '$T/killed'|" runtime
	chmod +x runtime
	ENGINE_RUNTIME=$T/runtime start_idle "$C"
	id=$(inspect "$C" '{{.Id}}')
	ENGINE_RUNTIME=$T/runtime fl stop --time 1 "$C" >/dev/null
	fl rm "$C" >/dev/null
	[ -d killed ]
	[[ $("$ENGINE_RUNTIME" list -q) != *"$id"* ]] || fail "the runtime still has it"
}

@test "after a restart of the machine nothing claims to run" {
	command -v sqlite3 >/dev/null || skip "no sqlite3"
	start_idle "$C"
	fl create --name "$C-2" --rootfs "$ROOTFS" true >/dev/null
	id=$(inspect "$C" '{{.Id}}')
	# As far as the engine can see.
	conmon=$(inspect "$C" '{{.State.ConmonPid}}')
	pid=$(inspect "$C" '{{.State.Pid}}')
	kill -KILL "$conmon" "$pid"
	eventually process_is_gone "$conmon"
	eventually process_is_gone "$pid"
	"$ENGINE_RUNTIME" delete --force "$id" || :
	umount "$ENGINE/run/containers/$id/shm"
	rm -rf "$ENGINE/run"
	sqlite3 -cmd ".timeout 20000" "$ENGINE/root/floe.db" "UPDATE containers SET status = json_set(status, '$.bootId', 'another')"
	is exited "$(inspect "$C" '{{.State.Status}}')"
	is 255 "$(inspect "$C" '{{.State.ExitCode}}')"
	is created "$(inspect "$C-2" '{{.State.Status}}')"
	is "" "$(fl ps -q)"
	fl start "$C" >/dev/null
	state_is "$C" running
	fl start --attach "$C-2"
}

# What has reached the disk of a file system is in the file below it; what only the kernel's memory has is not.
@test "what a command has said is there after a power cut" {
	truncate -s 64M disk
	mkfs.ext4 -q disk
	mkdir before after
	mount -o loop,commit=300 disk before
	at()
	{
		timeout $ENGINE_SECONDS "$FLOE" --root "$T/$1" --runroot "$ENGINE/run-$1" "${CGROUPS[@]}" --runtime "$ENGINE_RUNTIME" \
			"${@:2}" 3>&- 4>&-
	}
	at before create --name old --network none --cgroup-parent "$CGROUP_PARENT" --rootfs "$ROOTFS" true >/dev/null
	tar -C "$ROOTFS" -cf base.tar .
	at before import -q base.tar base:1 >/dev/null
	at before tag base:1 more:1
	at before volume create --label a=b data >/dev/null
	echo secret | at before secret create key - >/dev/null
	at before create --name "$C-first" --network none --cgroup-parent "$CGROUP_PARENT" base:1 true >/dev/null
	at before rename "$C-first" "$C-second"
	run at before run --name "$C-ended" --network none --cgroup-parent "$CGROUP_PARENT" base:1 sh -c 'exit 7'
	is 7 "$status"
	at before rm old >/dev/null
	cp --sparse=always disk later
	mount -o loop later after
	is "$C-ended $C-second" "$(at after ps -a --sort names --format '{{.Names}}' | paste -sd ' ')"
	is 7 "$(at after inspect --format '{{.State.ExitCode}}' "$C-ended")"
	is b "$(at after volume inspect --format '{{.Labels.a}}' data)"
	at after secret inspect key >/dev/null
	at after image exists more:1
	at after start --attach "$C-second"
	is "$(cksum <"$ROOTFS/bin/busybox")" "$(at after run --rm --network none --cgroup-parent "$CGROUP_PARENT" base:1 cat /bin/busybox | cksum)"
	is "" "$(at after system check 2>&1)"
	for at in before after; do
		at $at rm --all --force >/dev/null
		umount $at
		rm -rf "$ENGINE/run-$at"
	done
}

@test "a full disk is an error, and no container for ever" {
	mkdir root
	mount -t tmpfs -o size=600k full root
	full() { timeout $ENGINE_SECONDS "$FLOE" --root "$T/root" --runroot "$ENGINE/run" "${CGROUPS[@]}" --runtime "$ENGINE_RUNTIME" "$@" 3>&- 4>&-; }
	full create --network none --name "$C" --cgroup-parent "$CGROUP_PARENT" --rootfs "$ROOTFS" sleep 1000 >/dev/null
	dd if=/dev/zero of=root/fill bs=1k 2>/dev/null || :
	run full start "$C"
	if [ "$status" -ne 0 ]; then
		is 125 "$status"
		is created "$(full inspect --format '{{.State.Status}}' "$C")"
	fi
	rm root/fill
	full start "$C" >/dev/null
	dd if=/dev/zero of=root/fill bs=1k 2>/dev/null || :
	full rm --force --time 0 "$C" >/dev/null || {
		rm root/fill
		full rm --force --time 0 "$C" >/dev/null
	}
	is "" "$(full ps -aq)"
	# The exit command may be at it still.
	eventually umount root
}

@test "an end that cannot be written down is not forgotten" {
	command -v sqlite3 >/dev/null || skip "no sqlite3"
	db() { sqlite3 -cmd ".timeout 20000" "$ENGINE/root/floe.db" "$1"; }
	start_idle "$C"
	conmon=$(inspect "$C" '{{.State.ConmonPid}}')
	db "CREATE TRIGGER full BEFORE UPDATE ON containers BEGIN SELECT RAISE(FAIL, 'as if the disk were full'); END"
	fl kill "$C" >/dev/null
	eventually process_is_gone "$conmon"
	db "DROP TRIGGER full"
	is "exited 137 " "$(inspect "$C" '{{.State.Status}} {{.State.ExitCode}} {{.State.Error}}')"
	fl rm "$C" >/dev/null
	is "" "$(fl ps -aq)"
}

@test "a container whose record is damaged is seen, and removed by force" {
	command -v sqlite3 >/dev/null || skip "no sqlite3"
	for column in config status; do
		start_idle "$C"
		start_idle "$C-2"
		pid=$(inspect "$C" '{{.State.Pid}}')
		sqlite3 -cmd ".timeout 20000" "$ENGINE/root/floe.db" "UPDATE containers SET brief = NULL, $column = '{\"x' WHERE name = '$C'"
		try ps --all --format '{{.Names}}'
		is 0 "$status"
		contains "$output" "record of container" "floe rm --force" "$C-2"
		try rm "$C"
		[ "$status" -ne 0 ] || return 1
		fl rm --force --time 0 "$C" >/dev/null
		eventually process_is_gone "$pid"
		is "$C-2" "$(fl ps --all --format '{{.Names}}')"
		fl rm --force --time 0 "$C-2" >/dev/null
	done
	fl system check
	# All at once, too.
	fl create --name "$C" --rootfs "$ROOTFS" true >/dev/null
	sqlite3 -cmd ".timeout 20000" "$ENGINE/root/floe.db" "UPDATE containers SET config = ''"
	fl rm --all --force >/dev/null
	is "" "$(fl ps -aq)"
}

@test "an end that conmon can write down nowhere does not keep the container" {
	start_idle "$C"
	# As on a disk that is full, for root too.
	mount -t tmpfs -o nr_inodes=1 full "$ENGINE/run/tmp/exits"
	try rm --force --time 0 "$C"
	eventually umount "$ENGINE/run/tmp/exits"
	is 0 "$status"
	is "" "$(fl ps -aq)"
}

@test "thirty-two runs at once" {
	pids=()
	for i in {1..32}; do
		fl run --rm --rootfs "$ROOTFS" sh -c "echo $i; exit 3" >"out.$i" 2>&1 &
		pids+=($!)
	done
	for pid in "${pids[@]}"; do
		ends_with 3 "$pid" || { cat out.*; return 1; }
	done
	is 32 "$(sort -u out.* | wc -l)"
	is "" "$(fl ps -aq)"
}

# conmon has become its exit command by then.
nobody_cleans_up()
{
	! grep -lqsE '^(conmon|floe)$' /proc/[0-9]*/comm
}

@test "the lock of a container is one file as long as it is there" {
	fl create --name "$C" --rootfs "$ROOTFS" true >/dev/null
	lock=$ENGINE/run/tmp/locks/$(inspect "$C" '{{.Id}}')
	fl start --attach "$C"
	ln "$lock" lock
	# The exit command is the last to have it.
	for round in 1 2 3; do
		fl start "$C" >/dev/null
		eventually state_is "$C" exited
		eventually nobody_cleans_up
		[ "$lock" -ef lock ] || fail "another lock in round $round"
	done
	fl rm "$C" >/dev/null
	[ ! -e "$lock" ]
}

@test "commands at once on the same container" {
	for round in 1 2 3; do
		start_idle "$C"
		pids=()
		for command in "stop --time 0" "kill" "restart --time 0" "pause" "rm --force --time 0" "start" "exec"; do
			# shellcheck disable=SC2086 # a list
			fl $command "$C" >/dev/null 2>&1 </dev/null &
			pids+=($!)
		done
		for pid in "${pids[@]}"; do
			wait "$pid" || :
		done
		fl rm --force --time 0 "$C" >/dev/null
		is "" "$(fl ps -aq)"
	done
}
