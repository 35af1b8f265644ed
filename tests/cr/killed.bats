#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# CRIU is killed in the middle of it: a container that was to be frozen goes on, or it has ended when CRIU was just executing
# code in its processes, which nobody but CRIU can take out again (or the process has); one that was to be thawed is not there. Nothing is left
# frozen, traced, locked or half made. (The runtime itself is killed in failures.bats and, at each of its stages, in tests/fault.)

load ../lib/cr

# Something to write, and a connection to hold.
busy_container()
{
	ticking '(tail -f /dev/null | nc -l -p 7000 >/dev/null) & sleep 0.2
		(tail -f /dev/null | nc 127.0.0.1 7000 >/dev/null) & head -c 20000000 /dev/urandom >/dev/shm/data;'
	start_on_pipe
	ticks_after 1
	eventually test "$(connections)" -eq 2
}

connections()
{
	cat "/proc/$(pid_of)/net"/tcp{,6} | awk '$4 == "01"' | wc -l
}

# kill_criu_after SECONDS COMMAND...: run the runtime in the background, kill its child, and set $status and $output.
kill_criu_after()
{
	local delay=$1 runtime child criu
	shift
	timeout 60 "$FLOE_RUNTIME" --root "$STATE" "$@" </dev/null >"$T/said" 2>&1 3>&- 4>&- {PIPE}>&- &
	runtime=$!
	sleep "$delay"
	# Below timeout and the runtime.
	child=$(pgrep --parent $runtime) || :
	criu=$(pgrep --parent "${child:-1}" criu | head -n 1) || :
	[ -z "$criu" ] || kill -KILL "$criu" 2>/dev/null || :
	status=0
	wait $runtime || status=$?
	output=$(cat "$T/said")
}

# As if nobody had touched it.
goes_on()
{
	local pid
	[ "$(state_of)" = running ] || fail "$1: it is $(state_of): $output"
	ticks_after "$(last_tick)" || fail "$1: $output"
	[ ! -e "$T/image/descriptors.json" ] || fail "$1: the image looks whole"
	pid=$(pid_of)
	is_cgroup_v2 || [ "$(cgroup_file "$pid" freezer.state)" = THAWED ] || fail "$1: it is frozen"
	[ -z "$(nsenter --target "$pid" --net nft list ruleset 3>&- 4>&- {PIPE}>&-)" ] || fail "$1: the network is locked"
	[ "$(inside sh -c 'cat /proc/[0-9]*/status 2>/dev/null' | sed -n 's/^TracerPid:\t//p' | sort -u)" = 0 ] || fail "$1: it is traced"
}

@test "a CRIU that is killed during a checkpoint leaves the container as it was, or ended" {
	local delay failed=0 went_on=0
	busy_container
	for delay in 0.02 0.04 0.06 0.08 0.1 0.15 0.2 0.3; do
		rm -rf "$T/image"
		kill_criu_after $delay checkpoint --tcp-established --image-path "$T/image" --leave-running "$ID"
		if [ "$status" -eq 0 ]; then
			rm -rf "$T/image"
		else
			failed=$((failed + 1))
		fi
		sleep 0.2
		[ ! -e "$T/image/descriptors.json" ] || fail "after $delay s: the image looks whole"
		if [ "$(state_of)" != stopped ]; then
			goes_on "after $delay s"
			went_on=$((went_on + 1))
		fi
		# Where it has ended, or a process in it has.
		if [ "$(state_of)" = stopped ] || [ "$(connections)" -ne 2 ]; then
			remove_container
			is_gone
			: >"$T/out"
			busy_container
		fi
	done
	[ $failed -gt 0 ] || fail "it was always too late"
	[ $went_on -gt 0 ] || fail "it never went on"
	checkpoint --tcp-established
	tick=$(last_tick)
	restore --tcp-established
	ticks_after "$tick"
	[ "$(connections)" -eq 2 ]
	remove_container
}

@test "a CRIU that is killed during a restore leaves nothing" {
	local delay failed=0
	busy_container
	checkpoint --tcp-established
	for delay in 0.02 0.04 0.06 0.08 0.1 0.15 0.2 0.3; do
		kill_criu_after $delay restore --detach --tcp-established --bundle "$BUNDLE" --image-path "$T/image" "$ID"
		if [ "$status" -eq 0 ]; then
			remove_container
		else
			failed=$((failed + 1))
		fi
		is_gone
		[ -z "$(grep "$STATE" /proc/self/mountinfo)" ] || fail "after $delay s: $(cat /proc/self/mountinfo)"
	done
	[ $failed -gt 0 ] || fail "it was always too late"
	: >"$T/out"
	restore --tcp-established
	ticks_after 0
	remove_container
}
