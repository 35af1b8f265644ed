#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# What checkpoint and restore can be told, and what of a container's set-up must come back.

load ../lib/cr

@test "a checkpoint removes the container, a restore brings it back with its next tick" {
	ticking
	start_on_pipe
	ticks_after 5
	pid=$(pid_of)
	checkpoint
	eventually [ ! -d "/proc/$pid" ]
	is_gone
	eventually stands_still last_tick
	tick=$(last_tick)
	restore
	[ "$(state_of)" = running ]
	ticks_after "$tick"
	remove_container
	ticks_are_continuous
}

@test "--leave-running lets the container go on, and the image can be restored later" {
	ticking
	start_on_pipe
	ticks_after 5
	checkpoint --leave-running
	[ "$(state_of)" = running ]
	tick=$(last_tick)
	ticks_after "$((tick + 10))"
	remove_container
	# From the moment of the image: some ticks come twice.
	: >"$T/out"
	restore
	ticks_after 0
	[ "$(sed -n 's/^tick //p' "$T/out" | head -n 1)" -le $((tick + 10)) ]
	remove_container
}

@test "one image is restored twice, one container after the other" {
	ticking
	start_on_pipe
	ticks_after 5
	checkpoint
	for _ in 1 2; do
		: >"$T/out"
		restore
		ticks_after 0
		first=$(sed -n 's/^tick //p' "$T/out" | head -n 1)
		remove_container
	done
	[ "$first" -ge 6 ]
}

@test "the default image directory is ./checkpoint" {
	ticking
	start_on_pipe
	ticks_after 1
	# What is empty was not given.
	rt checkpoint --leave-running --image-path '' --work-path '' --parent-path '' --page-server '' "$ID" {PIPE}>&-
	[ -s "$T/checkpoint/inventory.img" ]
	rm -r "$T/checkpoint"
	rt checkpoint "$ID" {PIPE}>&-
	[ -s "$T/checkpoint/inventory.img" ]
	tick=$(last_tick)
	rt restore --detach --bundle "$BUNDLE" "$ID" </dev/null >&"$PIPE" 2>&1
	ticks_after "$tick"
	remove_container
}

@test "an image that was moved elsewhere is restored" {
	ticking
	start_on_pipe
	ticks_after 1
	checkpoint
	mkdir "$T/elsewhere"
	mv "$T/image" "$T/elsewhere/copy"
	tick=$(last_tick)
	restore --image-path "$T/elsewhere/copy"
	ticks_after "$tick"
	remove_container
}

@test "restore --config takes another configuration than the bundle's" {
	floe_only "the others restore by the bundle's"
	ticking
	start_on_pipe
	ticks_after 1
	checkpoint
	mv "$BUNDLE/config.json" "$T/other.json"
	run restore
	[ "$status" -eq 1 ]
	tick=$(last_tick)
	restore --config "$T/other.json"
	ticks_after "$tick"
	remove_container
}

@test "a container is restored under another id and from another bundle" {
	ticking
	start_on_pipe
	ticks_after 1
	checkpoint
	mv "$BUNDLE" "$T/other-bundle"
	BUNDLE=$T/other-bundle
	new_id other
	tick=$(last_tick)
	restore
	ticks_after "$tick"
	[ "$(rt state "$ID" | jq -r .bundle)" = "$BUNDLE" ]
	remove_container
}

@test "--work-path takes the logs and statistics" {
	ticking
	start_on_pipe
	ticks_after 1
	mkdir "$T/work"
	checkpoint --work-path "$T/work"
	[ -e "$T/work/dump.log" ]
	[ -s "$T/work/stats-dump" ]
	[ ! -e "$T/image/dump.log" ]
	restore --work-path "$T/work"
	[ -e "$T/work/restore.log" ]
	remove_container
}

@test "the image names the pipes of stdio" {
	ticking
	start_on_pipe
	ticks_after 1
	checkpoint
	jq -e 'length == 3 and .[0] == "/dev/null" and (.[1] | test("^pipe:\\[[0-9]+\\]$")) and .[1] == .[2]' \
		"$T/image/descriptors.json"
	[ "$(stat -c %a "$T/image/descriptors.json")" = 600 ]
	[ "$(stat -c %a "$T/image")" = 700 ]
}

@test "stdin, stdout and stderr are three pipes after a restore as before" {
	script_is 'while read -r line; do echo "out $line"; echo "err $line" >&2; done'
	mkfifo "$T/in"
	: >"$T/out"
	: >"$T/err"
	exec {OUT}> >(exec cat >>"$T/out" 3>&- 4>&-) {ERR}> >(exec cat >>"$T/err" 3>&- 4>&-)
	exec {IN}> >(exec cat >"$T/in" 3>&- 4>&-)
	exec {PIPE}>/dev/null
	# An anonymous pipe as stdin: a process substitution on the reading side.
	rt run --detach --bundle "$BUNDLE" "$ID" < <(exec cat "$T/in" 3>&- 4>&- {IN}>&- {OUT}>&- {ERR}>&-) >&"$OUT" 2>&"$ERR" {IN}>&-
	echo one >&"$IN"
	eventually file_contains "$T/out" "out one"
	eventually file_contains "$T/err" "err one"
	checkpoint {IN}>&- {OUT}>&- {ERR}>&-
	# The reader of the old stdin is gone; it gets a new pipe.
	exec {IN}>&-
	rm "$T/in"
	mkfifo "$T/in"
	exec {IN}> >(exec cat >"$T/in" 3>&- 4>&-)
	rt restore --detach --bundle "$BUNDLE" --image-path "$T/image" "$ID" \
		< <(exec cat "$T/in" 3>&- 4>&- {IN}>&- {OUT}>&- {ERR}>&-) >&"$OUT" 2>&"$ERR" {IN}>&-
	echo two >&"$IN"
	eventually file_contains "$T/out" "out two"
	eventually file_contains "$T/err" "err two"
	remove_container
	exec {IN}>&- {OUT}>&- {ERR}>&-
}

# is_newer FILE TIME: it was written to after that.
is_newer()
{
	[[ $(stat -c %.Y "$1") > $2 ]]
}

@test "stdio on /dev/null comes back on /dev/null" {
	add_mount /data bind "$T" bind
	script_is 'i=0; while :; do i=$((i + 1)); echo $i >/data/counter; echo x; sleep 0.05; done'
	exec {PIPE}>/dev/null
	start_on_pipe
	eventually test -s "$T/counter"
	checkpoint
	# It may have been frozen with the file open, so that stays as it is.
	before=$(stat -c %.Y "$T/counter")
	restore
	eventually is_newer "$T/counter" "$before"
	remove_container
}

@test "restore in the foreground returns the exit code and deletes the container" {
	script_is 'echo ready; while ! test -e /data/go; do sleep 0.05; done; exit 8'
	mkdir "$T/data"
	add_mount /data bind "$T/data" bind
	start_on_pipe
	eventually file_contains "$T/out" ready
	checkpoint
	rt restore --bundle "$BUNDLE" --image-path "$T/image" "$ID" </dev/null >&"$PIPE" 2>&1 {PIPE}>&- &
	runtime=$!
	eventually is_state running
	touch "$T/data/go"
	ends_with 8 $runtime
	is_gone
}

@test "restore writes the pid file" {
	ticking
	start_on_pipe
	ticks_after 1
	checkpoint
	restore --pid-file "$T/pid"
	[ "$(cat "$T/pid")" = "$(pid_of)" ]
	[[ $(cat "$T/pid") =~ ^[0-9]+$ ]]
	remove_container
}

@test "restore takes the options that conmon and containerd pass to every start" {
	floe_only "others lack some"
	ticking
	start_on_pipe
	ticks_after 1
	checkpoint
	restore --no-pivot --no-new-keyring --no-subreaper
	remove_container
}

@test "pids inside, session and parents are the same" {
	ticking 'sleep 100000 & (while :; do sleep 0.2; done) & '
	start_on_pipe
	ticks_after 5
	before=$(inside ps -o pid,ppid,comm | grep -E '^ *(1|[0-9]+ +1) ' | grep -v ps)
	checkpoint
	restore
	after=$(inside ps -o pid,ppid,comm | grep -E '^ *(1|[0-9]+ +1) ' | grep -v ps)
	[ "$(awk '$1 == 1' <<<"$after")" = "$(awk '$1 == 1' <<<"$before")" ]
	contains "$after" sleep
	remove_container
}

@test "environment, working directory, user, capabilities, limits and seccomp come back" {
	configure '.process.cwd = "/usr" | .process.env += ["MARK=kept"]
		| .linux.seccomp = { defaultAction: "SCMP_ACT_ALLOW", syscalls: [{ names: ["mkdir"], action: "SCMP_ACT_ERRNO" }] }'
	ticking 'test -d /dev/shm;'
	start_on_pipe
	ticks_after 1
	facts() {
		local pid
		pid=$(pid_of)
		grep -E '^(Uid|Gid|Cap|NoNewPrivs|Seccomp|Umask)' "/proc/$pid/status"
		tr '\0' '\n' <"/proc/$pid/environ"
		tr '\0' ' ' <"/proc/$pid/cmdline"
		cat "/proc/$pid/limits"
		inside sh -c 'for link in cwd root exe; do readlink /proc/1/$link; done'
		inside hostname
	}
	before=$(facts)
	checkpoint
	restore
	diff <(echo "$before") <(facts)
	remove_container
}

@test "the mounts come back, those with content too" {
	mkdir -p "$T/share/inner"
	echo shared >"$T/share/file"
	add_mount /mnt bind "$T/share" rbind ro
	add_mount /data tmpfs tmpfs size=1m mode=1777
	add_mount /tmp tmpfs tmpfs
	ticking 'echo kept >/data/file; mkdir /tmp/deep; echo deep >/tmp/deep/file;'
	start_on_pipe
	ticks_after 1
	# Device numbers and options of propagation may change.
	facts() {
		inside cat /proc/1/mountinfo | sed -E 's/^[0-9]+ [0-9]+ [0-9]+:[0-9]+ //; s/ (shared|master):[0-9]+//g' | sort
	}
	before=$(facts)
	checkpoint
	restore
	[ "$(inside cat /data/file)" = kept ]
	[ "$(inside cat /tmp/deep/file)" = deep ]
	[ "$(inside cat /mnt/file)" = shared ]
	[ "$(facts | cut -d' ' -f2 | sort)" = "$(cut -d' ' -f2 <<<"$before" | sort)" ]
	# Masked and read-only paths are that still.
	run inside sh -c 'cat /proc/keys; echo x >/proc/sys/kernel/hostname; touch /mnt/x; touch /etc/x'
	[ "$(grep -c "Read-only file system" <<<"$output")" -eq 3 ]
	[ -z "$(inside cat /proc/keys)" ]
	remove_container
}

@test "the cgroup and its limits come back, and only one cgroup" {
	configure '.linux.resources += { memory: { limit: 100663296 }, pids: { limit: 77 } }'
	ticking
	start_on_pipe
	ticks_after 1
	before=$(cut -d: -f2- "/proc/$(pid_of)/cgroup")
	count=$(find /sys/fs/cgroup -mindepth 2 -type d -not -fstype tmpfs | wc -l)
	checkpoint
	restore
	[ "$(cut -d: -f2- "/proc/$(pid_of)/cgroup")" = "$before" ]
	[ "$(cgroup_file "$(pid_of)" pids.max)" = 77 ]
	is_cgroup_v2 || [ "$(cgroup_file "$(pid_of)" memory.limit_in_bytes)" = 100663296 ]
	[ "$(find /sys/fs/cgroup -mindepth 2 -type d -not -fstype tmpfs -path "*$ID/*" | wc -l)" -eq 0 ]
	remove_container
}

@test "ten cycles do not add cgroups, mounts or files" {
	ticking
	start_on_pipe
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		ticks_after "$(last_tick)"
		rm -rf "$T/image"
		checkpoint
		restore
	done
	[ "$(find /sys/fs/cgroup -mindepth 2 -type d -not -fstype tmpfs -path "*$ID*" -printf '%p\n' | awk -F/ '{ print $NF }' |
		sort | uniq | wc -l)" -eq 1 ]
	[ "$(find "$STATE/$ID" | wc -l)" -lt 10 ]
	ticks_after "$(last_tick)"
	remove_container
	ticks_are_continuous
}

@test "a restored container can be killed, paused by its cgroup, checkpointed again and deleted" {
	ticking 'trap "echo got-usr1" USR1;'
	start_on_pipe
	ticks_after 1
	checkpoint
	restore
	rt kill "$ID" USR1
	eventually file_contains "$T/out" got-usr1
	checkpoint --image-path "$T/image2"
	restore --image-path "$T/image2"
	rt kill "$ID" KILL
	eventually is_state stopped
	rt delete "$ID"
}

@test "an established connection within the container survives with --tcp-established" {
	overlay_rootfs python
	cp "$SOURCE/tests/cr/tcp.py" "$BUNDLE/rootfs/tcp.py"
	command_is python3 /tcp.py
	start_on_pipe
	ticks_after 3
	run checkpoint
	[ "$status" -eq 1 ]
	! is_floe || contains "$output" --tcp-established "still running"
	tick=$(last_tick)
	ticks_after "$tick"
	rm -rf "$T/image"
	checkpoint --tcp-established
	tick=$(last_tick)
	restore --tcp-established
	ticks_after $((tick + 3))
	remove_container
	ticks_are_continuous
}

# can_lock FILE: whether the lock of that kind is free.
can_lock()
{
	inside python3 -c "import fcntl, sys; fcntl.$1(open('$2', 'w'), fcntl.LOCK_EX | fcntl.LOCK_NB)" 2>/dev/null
}

@test "file locks survive with --file-locks" {
	overlay_rootfs python
	cp "$SOURCE/tests/cr/lock.py" "$BUNDLE/rootfs/lock.py"
	mkdir -p "$BUNDLE/rootfs/tmp"
	command_is python3 /lock.py
	start_on_pipe
	ticks_after 1
	run checkpoint
	[ "$status" -eq 1 ]
	! is_floe || contains "$output" --file-locks "still running"
	ticks_after "$(last_tick)"
	rm -rf "$T/image"
	checkpoint --file-locks
	restore --file-locks
	ticks_after "$(last_tick)"
	run can_lock flock /tmp/flock
	[ "$status" -ne 0 ]
	run can_lock lockf /tmp/posix
	[ "$status" -ne 0 ]
	remove_container
	ticks_are_continuous
}

@test "an external network namespace stays and is joined again" {
	ip netns add "$ID"
	ip -n "$ID" link set lo up
	ip -n "$ID" address add 10.99.0.1/24 dev lo
	configure --arg path "/run/netns/$ID" \
		'.linux.namespaces |= (map(select(.type != "network")) + [{ type: "network", path: $path }])'
	ticking
	start_on_pipe
	ticks_after 1
	inode=$(readlink "/proc/$(pid_of)/ns/net")
	checkpoint
	ip netns exec "$ID" true
	restore
	[ "$(readlink "/proc/$(pid_of)/ns/net")" = "$inode" ]
	contains "$(inside ip address show lo)" 10.99.0.1
	ticks_after "$(last_tick)"
	remove_container
	ip netns delete "$ID"
	rmdir /run/netns 2>/dev/null || { umount /run/netns && rmdir /run/netns; }
}

@test "an external network namespace that is gone is named" {
	ip netns add "$ID"
	configure --arg path "/run/netns/$ID" \
		'.linux.namespaces |= (map(select(.type != "network")) + [{ type: "network", path: $path }])'
	ticking
	start_on_pipe
	ticks_after 1
	checkpoint
	ip netns delete "$ID"
	rmdir /run/netns 2>/dev/null || { umount /run/netns && rmdir /run/netns; }
	run restore
	[ "$status" -eq 1 ]
	says "/run/netns/$ID"
	is_gone
}

@test "a container with a terminal survives and its new terminal is sent" {
	console=$FLOE_BUILD/tests/lib/console
	[ -x "$console" ] || skip "$console is not built"
	configure '.process.terminal = true'
	# shellcheck disable=SC2016
	script_is 'i=0; while :; do i=$((i + 1)); echo "tick $i"; read -r -t 1 line && echo "typed $line"; done'
	mkfifo "$T/keys"
	"$console" "$T/socket" <"$T/keys" >"$T/screen" 2>/dev/null 3>&- 4>&- &
	first=$!
	exec 8>"$T/keys"
	eventually test -S "$T/socket"
	exec {PIPE}>/dev/null
	start_on_pipe --console-socket "$T/socket"
	eventually file_contains "$T/screen" "tick 1"
	checkpoint
	exec 8>&-
	kill "$first" 2>/dev/null || :
	wait "$first" || :
	rm -f "$T/socket"
	"$console" "$T/socket" <"$T/keys" >"$T/screen2" 2>"$T/console.err" 3>&- 4>&- &
	second=$!
	exec 8>"$T/keys"
	eventually test -S "$T/socket"
	restore --console-socket "$T/socket"
	eventually file_contains "$T/console.err" received
	eventually file_contains "$T/screen2" tick
	echo again >&8
	eventually file_contains "$T/screen2" "typed again"
	remove_container
	exec 8>&-
	wait "$second" || :
}

@test "a stopped process survives, and is still stopped (version 2)" {
	# On version 1 CRIU waits for ever for a stopped process in a frozen cgroup.
	is_cgroup_v2 || skip "this machine has no cgroup version 2"
	ticking 'sh -c "kill -STOP \$\$; echo continued; exec sleep 10000" & child=$!; trap "kill -CONT $child" USR1;'
	start_on_pipe
	ticks_after 5
	checkpoint
	restore
	ticks_after "$(last_tick)"
	[[ $(cat "$T/out") != *continued* ]]
	rt kill "$ID" USR1
	eventually file_contains "$T/out" continued
	remove_container
}

@test "a container without a network namespace of its own" {
	configure 'del(.linux.namespaces[] | select(.type == "network"))
		| .mounts |= map(if .type == "sysfs" then { destination: "/sys", type: "none", source: "/sys",
			options: ["rbind", "nosuid", "noexec", "nodev", "ro"] } else . end)
		| .mounts |= map(select(.type != "sysfs" and .destination != "/sys" and .type != "cgroup"))'
	ticking
	start_on_pipe
	ticks_after 1
	run checkpoint
	if [ "$status" -eq 0 ]; then
		restore
		ticks_after "$(last_tick)"
	else
		contains "$output" running
	fi
	remove_container
}

@test "pre-dump says when the kernel cannot track memory" {
	ticking
	start_on_pipe
	ticks_after 1
	if "$FLOE_CRIU" check --feature mem_dirty_track >/dev/null 2>&1; then
		checkpoint --pre-dump
		[ "$(state_of)" = running ]
		rt checkpoint --image-path "$T/final" --parent-path ../image "$ID"
		restore --image-path "$T/final"
	else
		run checkpoint --pre-dump
		[ "$status" -eq 1 ]
		! is_floe || contains "$output" MemTrack "without --pre-dump"
		[ "$(state_of)" = running ]
	fi
	ticks_after "$(last_tick)"
	remove_container
}
