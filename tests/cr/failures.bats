#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# Checkpoints and restores that fail: after a checkpoint the container goes on and the message says so, after a restore
# nothing is left; the cause is named in one sentence.

load ../lib/cr

# goes_on: the checkpoint that `run` ran has failed, and the container has not noticed.
goes_on()
{
	[ "$status" -eq 1 ] || fail "exit status $status: $output"
	! is_floe || [ "$(wc -l <<<"$output")" -eq 1 ] || fail "more than one line: $output"
	[ "$(state_of)" = running ]
	ticks_after "$(last_tick)"
	! is_floe || contains "$output" "still running"
	# Nothing is frozen and nothing is traced.
	[[ $(proc_status "$(pid_of)" State) != *@(stopped|tracing)* ]] || fail "stopped or traced"
	is_cgroup_v2 || [ "$(cgroup_file "$(pid_of)" freezer.state)" = THAWED ]
}

ticking_container()
{
	ticking "${1:-}"
	start_on_pipe
	ticks_after 1
}

# nothing_restored: the restore that `run` ran has failed, and there is no trace of it.
nothing_restored()
{
	[ "$status" -eq 1 ] || fail "exit status $status: $(cat "$T/out")"
	is_gone
	[ ! -e "$STATE/$ID" ] || fail "left: $(find "$STATE/$ID")"
	! grep -q "$STATE" /proc/self/mountinfo
}

# fake_criu TEXT: a program that answers like CRIU over its socket; TEXT is the answer as printf takes it.
fake_criu()
{
	cat >"$T/criu" <<-SCRIPT
		#!/bin/bash
		# The answer, and then until the other end goes away.
		# Not the shell's own, which would write a line at a time.
		env printf '$1' >&"\$2"
		read -r -t 5 -u "\$2" -N 1
	SCRIPT
	chmod +x "$T/criu"
	if ! is_floe; then
		PATH=$T:$PATH
	fi
}

with_criu()
{
	if is_floe; then
		"$FLOE_RUNTIME" --root "$STATE" --criu "$T/criu" "$@" 3>&- 4>&- {PIPE}>&-
	else
		PATH=$T:/usr/bin:/bin rt "$@" {PIPE}>&-
	fi
}

@test "no CRIU" {
	ticking_container
	PATH=$T:/usr/bin:/bin
	run with_criu checkpoint --image-path "$T/image" "$ID"
	goes_on
	! is_floe || contains "$output" "$T/criu" "does not exist"
	run with_criu restore --bundle "$BUNDLE" --image-path "$T/image" "$ID-restored"
	[ "$status" -eq 1 ]
	remove_container
}

@test "a CRIU that is too old" {
	ticking_container
	# A version answer: 2.6.0.
	fake_criu '\x08\x0a\x10\x01\x52\x04\x08\x02\x10\x06'
	run with_criu checkpoint --image-path "$T/image" "$ID"
	goes_on
	! is_floe || contains "$output" 20600 30000
	remove_container
}

@test "a CRIU that ends at once" {
	ticking_container
	printf '#!/bin/sh\nexit 1\n' >"$T/criu"
	chmod +x "$T/criu"
	run with_criu checkpoint --image-path "$T/image" "$ID"
	goes_on
	remove_container
}

@test "a CRIU that talks nonsense" {
	ticking_container
	fake_criu 'hello, world'
	run with_criu checkpoint --image-path "$T/image" "$ID"
	goes_on
	remove_container
}

@test "a failure that nobody knows is told in the words of CRIU's log, with the lines before them" {
	floe_only "the form is floe's"
	ticking_container
	# CRIU 4.2, which knows no features and fails with every dump.
	cat >"$T/criu" <<-SCRIPT
		#!/bin/bash
		while type=\$(dd bs=65536 count=1 <&"\$2" 2>/dev/null | od -An -tx1 -N2); do
			case \$type in
			' 08 0a') env printf '\\x08\\x0a\\x10\\x01\\x52\\x04\\x08\\x04\\x10\\x02' >&"\$2" ;;
			' 08 09') env printf '\\x08\\x09\\x10\\x01\\x42\\x00' >&"\$2" ;;
			*) break ;;
			esac
		done
		{
			for i in 1 2 3 4 5 6 7 8 9; do
				echo "(00.00000\$i) line \$i"
			done
			echo '(00.000010) Error (criu/moon.c:7): moon: it is full'
			echo '(00.000011) after it'
		} >'$T/image/dump.log'
	SCRIPT
	chmod +x "$T/criu"
	run with_criu checkpoint --image-path "$T/image" "$ID"
	[ "$status" -eq 1 ]
	contains "$output" 'level=warning msg="5:(00.000005) line 5"' '10:(00.000010) Error (criu/moon.c:7)' \
		'moon: it is full (criu' "still running"
	[[ $output != *"line 4"* ]]
	[[ $output != *"after it"* ]]
	# Elsewhere, by CRIU's configuration.
	printf 'log-file "%s"\n' "$T/other.log" >"$T/criu.conf"
	sed -i "s|'$T/image/dump.log'|'$T/other.log'|" "$T/criu"
	remove_container
	: >"$T/out"
	rm -r "$T/image"
	configure --arg conf "$T/criu.conf" '.annotations["org.criu.config"] = $conf'
	ticking_container
	run with_criu checkpoint --image-path "$T/image" "$ID"
	[ "$status" -eq 1 ]
	contains "$output" "moon: it is full (criu's log: '$T/other.log')"
	remove_container
}

@test "an image directory that cannot be made" {
	ticking_container
	touch "$T/file"
	run checkpoint --image-path "$T/file/image"
	goes_on
	contains "$output" "$T/file"
	remove_container
}

@test "an image directory that is read-only" {
	ticking_container
	mkdir "$T/readonly"
	mount -t tmpfs -o ro readonly "$T/readonly"
	run checkpoint --image-path "$T/readonly"
	umount "$T/readonly"
	goes_on
	! is_floe || contains "$output" "$T/readonly"
	remove_container
}

@test "a full disk during a checkpoint" {
	ticking_container 'head -c 8000000 /dev/urandom >/dev/shm/data;'
	mkdir "$T/small"
	mount -t tmpfs -o size=512k small "$T/small"
	run checkpoint --image-path "$T/small/image"
	[ "$status" -eq 1 ]
	umount "$T/small" || umount --lazy "$T/small"
	goes_on
	! is_floe || contains "$output" disk
	remove_container
}

@test "a full disk for the work directory" {
	ticking_container
	mkdir "$T/small"
	mount -t tmpfs -o size=4k small "$T/small"
	run checkpoint --work-path "$T/small"
	umount "$T/small" || umount --lazy "$T/small"
	[ "$status" -eq 0 ] || goes_on
	rt delete --force "$ID"
}

# A connection that is established, which needs --tcp-established.
connected_container()
{
	ticking_container '(sleep 100000 | nc -l -p 7000 >/dev/null) & '"$(listens 7000)"'
		(sleep 100000 | nc 127.0.0.1 7000 >/dev/null) & '"$(connects 7000);"
}

@test "what CRIU cannot freeze is named, with its log and the remedy" {
	connected_container
	run checkpoint
	goes_on
	! is_floe || contains "$output" TCP --tcp-established "$T/image/dump.log"
	[ -s "$T/image/dump.log" ]
	remove_container
}

@test "a host file as output is named" {
	ticking
	open_pipe
	rt run --detach --bundle "$BUNDLE" "$ID" </dev/null >"$T/out" 2>&1 {PIPE}>&-
	ticks_after 1
	run checkpoint
	goes_on
	! is_floe || contains "$output" "$T/out"
	remove_container
}

@test "a failed checkpoint can be followed by a good one into the same directory" {
	connected_container
	run checkpoint
	goes_on
	# As a CRIU that was killed leaves it.
	: >"$T/image/pagemap-77777.img"
	checkpoint --tcp-established
	tick=$(last_tick)
	restore --tcp-established
	ticks_after "$tick"
	remove_container
	ticks_are_continuous
}

@test "an image directory that does not exist" {
	ticking
	open_pipe
	run restore
	nothing_restored
	says "$T/image"
	[ ! -e "$T/image" ]
}

@test "an image directory that is empty" {
	ticking
	open_pipe
	mkdir "$T/image"
	run restore
	nothing_restored
	says "$T/image"
}

frozen_container()
{
	ticking_container
	checkpoint
	: >"$T/out"
}

@test "an image without descriptors.json" {
	frozen_container
	rm "$T/image/descriptors.json"
	run restore
	nothing_restored
	says descriptors.json
}

@test "an image without its inventory" {
	frozen_container
	rm "$T/image/inventory.img"
	run restore
	nothing_restored
	says inventory
}

@test "an image whose memory is cut off" {
	frozen_container
	for file in "$T/image"/pages-*.img; do
		truncate -s 4096 "$file"
	done
	run restore
	nothing_restored
}

@test "every file of an image, cut off, is found out" {
	frozen_container
	cp -a "$T/image" "$T/whole"
	for file in "$T/whole"/{core-1,pstree,files,mm-1,mountpoints-*,descriptors}.{img,json}; do
		[ -e "$file" ] || continue
		rm -rf "$T/image"
		cp -a "$T/whole" "$T/image"
		truncate -s $(($(stat -c %s "$file") / 2)) "$T/image/$(basename "$file")"
		: >"$T/out"
		run restore
		nothing_restored
		eventually test -s "$T/out"
		! is_floe || [ "$(wc -l <"$T/out")" -eq 1 ] || fail "$(cat "$T/out")"
	done
	rm -rf "$T/image"
	mv "$T/whole" "$T/image"
	restore
	ticks_after 0
	remove_container
}

@test "an id that is in use" {
	frozen_container
	idle_command
	create_container
	ticking
	run restore
	[ "$status" -eq 1 ]
	says "$ID" exist
	[ "$(state_of)" = created ]
	remove_container
}

@test "a bundle whose rootfs is missing" {
	frozen_container
	configure --arg path "$T/none" '.root.path = $path'
	run restore
	nothing_restored
	says "$T/none"
}

@test "a bind mount whose source is gone" {
	mkdir "$T/share"
	add_mount /mnt bind "$T/share" bind
	frozen_container
	rmdir "$T/share"
	run restore
	nothing_restored
	says "$T/share"
}

@test "a pid file that cannot be written ends the restored container" {
	frozen_container
	run restore --pid-file "$T/none/pid"
	nothing_restored
	says "$T/none/pid"
}

@test "a runtime that is killed during a checkpoint leaves a container that can be deleted" {
	for delay in 0.01 0.03 0.06 0.1 0.2; do
		: >"$T/out"
		ticking_container 'head -c 30000000 /dev/urandom >/dev/shm/data;'
		rm -rf "$T/image"
		"$FLOE_RUNTIME" --root "$STATE" checkpoint --image-path "$T/image" "$ID" 3>&- 4>&- {PIPE}>&- >/dev/null 2>&1 &
		runtime=$!
		sleep $delay
		kill -KILL $runtime 2>/dev/null || :
		wait $runtime || :
		eventually remove_container
		is_gone
	done
}

@test "a runtime that is killed during a restore leaves what delete --force removes" {
	frozen_container
	for delay in 0.01 0.02 0.04 0.06 0.1; do
		"$FLOE_RUNTIME" --root "$STATE" restore --detach --bundle "$BUNDLE" --image-path "$T/image" "$ID" \
			</dev/null >&"$PIPE" 2>&1 3>&- 4>&- {PIPE}>&- &
		runtime=$!
		sleep $delay
		kill -KILL $runtime 2>/dev/null || :
		wait $runtime || :
		eventually remove_container
		is_gone
	done
}
