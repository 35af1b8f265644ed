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
	ticking '(tail -f /dev/null | nc -l -p 7000 >/dev/null) & '"$(listens 7000)"'
		(tail -f /dev/null | nc 127.0.0.1 7000 >/dev/null) & head -c 20000000 /dev/urandom >/dev/shm/data;'
	start_on_pipe
	ticks_after 1
	eventually is_connected
}

# Both ends of the connection.
is_connected()
{
	[ "$(cat "/proc/$(pid_of)/net"/tcp{,6} | awk '$4 == "01"' | wc -l)" -eq 2 ]
}

# find_criu PID: set $criu to the child of the runtime that is timeout's child. Without other programs: there is little time.
find_criu()
{
	local child name
	# Without an end of line.
	read -r child _ <"/proc/$1/task/$1/children" || [ "$child" ] || return 1
	read -r criu _ <"/proc/$child/task/$child/children" || [ "$criu" ] || return 1
	read -r name <"/proc/$criu/comm" && [ "$name" = criu ]
} 2>/dev/null

# kill_criu_after SECONDS COMMAND...: run the runtime in the background, kill CRIU that long after it began, and set $status and $output.
kill_criu_after()
{
	local delay=$1 runtime criu=
	shift
	timeout $((60 * PATIENCE)) "$FLOE_RUNTIME" --root "$STATE" "$@" </dev/null >"$T/said" 2>&1 3>&- 4>&- {PIPE}>&- &
	runtime=$!
	until find_criu $runtime || ! kill -0 $runtime 2>/dev/null; do :; done
	sleep "$delay"
	[ -z "$criu" ] || kill -KILL "$criu" 2>/dev/null || :
	status=0
	wait $runtime || status=$?
	output=$(cat "$T/said")
}

# on_or_over TICK: it counts again, well after what may still have been on its way when that was looked at, or it has ended. A process
# that had code of CRIU's in it dies only after the runtime has returned.
on_or_over()
{
	has_ticked_after $(($1 + 4)) || is_state stopped
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
	# iptables of nftables leaves its empty chains.
	[ -z "$(nsenter --target "$pid" --net nft list ruleset 3>&- 4>&- {PIPE}>&- | grep -iE 'criu|drop')" ] ||
		fail "$1: the network is locked"
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
		eventually on_or_over "$(last_tick)" || fail "after $delay s: it neither goes on nor has it ended: $output"
		[ ! -e "$T/image/descriptors.json" ] || fail "after $delay s: the image looks whole"
		if [ "$(state_of)" != stopped ]; then
			goes_on "after $delay s"
			went_on=$((went_on + 1))
		fi
		# Where it has ended, or a process in it has.
		if [ "$(state_of)" = stopped ] || ! is_connected; then
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
	restore --tcp-established || fail "$(tail -n 3 "$T/out")"
	ticks_after "$tick"
	is_connected
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
	restore --tcp-established || fail "$(tail -n 3 "$T/out")"
	ticks_after 0
	remove_container
}

# slow PROGRAM BEFORE AFTER: on $PATH, while $T/slow is there, the program says that it runs and takes that many seconds longer.
slow()
{
	mkdir -p "$T/bin"
	cat >"$T/bin/$1" <<-SCRIPT
		#!/bin/sh
		[ ! -e '$T/slow' ] || sleep $2
		'$(command -v "$1")' "\$@" || exit
		[ ! -e '$T/slow' ] || { touch '$T/locked'; sleep $3; }
	SCRIPT
	chmod +x "$T/bin/$1"
}

# kill_criu_when FILE COMMAND...: the same as kill_criu_after, when the file is there.
kill_criu_when()
{
	local file=$1 runtime criu
	shift
	PATH=$T/bin:$PATH timeout $((60 * PATIENCE)) "$FLOE_RUNTIME" --root "$STATE" "$@" </dev/null >"$T/said" 2>&1 3>&- 4>&- {PIPE}>&- &
	runtime=$!
	eventually test -e "$file" || fail "$(cat "$T/said")"
	criu=$(pgrep --parent "$(pgrep --parent $runtime)" criu | head -n 1)
	kill -KILL "$criu"
	status=0
	wait $runtime || status=$?
	output=$(cat "$T/said")
}

# The lock by iptables, in the container's network or the machine's.
lock_rules()
{
	local program
	for program in iptables-save ip6tables-save; do
		nsenter --target "$(pid_of)" --net $program -t filter 3>&- 4>&- {PIPE}>&- | grep -iE 'CRIU|0xc114' || :
	done
}

need_iptables()
{
	local program
	for program in iptables-save ip6tables-save iptables-restore ip6tables-restore; do
		command -v $program >/dev/null || skip "there is no $program"
	done
}

@test "a CRIU that is killed leaves no lock by iptables, not even when its helpers are still at it" {
	local program before after
	floe_only "others leave it"
	need_iptables
	busy_container
	while read -r program before after; do
		rm -rf "${T:?}/bin" "$T/image" "$T/locked"
		touch "$T/slow"
		slow "$program" "$before" "$after"
		if [ "$before" != 0 ]; then
			# It has not locked yet when CRIU is killed.
			sed -i "2s|.*|[ ! -e '$T/slow' ] \|\| { touch '$T/locked'; rm '$T/slow'; sleep $before; }|" "$T/bin/$program"
		fi
		kill_criu_when "$T/locked" checkpoint --tcp-established --network-lock iptables --image-path "$T/image" "$ID"
		rm -f "$T/slow"
		[ "$status" -eq 1 ] || fail "$program: $output"
		contains "$output" "killed"
		[ -z "$(lock_rules)" ] || fail "$program: $(lock_rules)"
		goes_on "$program"
		is_connected
	done <<-TABLE
		iptables-restore 0 2
		ip6tables-restore 0 2
		iptables-restore 1 0
		ip6tables-restore 1 0
	TABLE
	# A lock that was there before is somebody else's.
	nsenter --target "$(pid_of)" --net iptables-restore --noflush 3>&- 4>&- {PIPE}>&- <<-RULES
		*filter
		:CRIU - [0:0]
		-I OUTPUT -j CRIU
		-A CRIU -m mark --mark 0xc114 -j ACCEPT
		-A CRIU -j DROP
		COMMIT
	RULES
	before=$(lock_rules)
	rm -f "$T/locked"
	touch "$T/slow"
	slow ip6tables-restore 0 2
	kill_criu_when "$T/locked" checkpoint --tcp-established --network-lock iptables --image-path "$T/image" "$ID"
	rm -f "$T/slow"
	[ "$(lock_rules)" = "$before" ] || fail "$(lock_rules)"
	remove_container
}

@test "a CRIU that is killed leaves no lock by iptables in the machine's network" {
	floe_only "others leave it"
	need_iptables
	configure 'del(.linux.namespaces[] | select(.type == "network"))
		| .mounts |= map(select(.type != "sysfs" and .destination != "/sys" and .type != "cgroup"))'
	ticking '(tail -f /dev/null | nc -l -p 7000 >/dev/null) & '"$(listens 7000)"'
		(tail -f /dev/null | nc 127.0.0.1 7000 >/dev/null) &'
	start_on_pipe
	ticks_after 1
	eventually is_connected
	slow iptables 0 2
	touch "$T/slow"
	kill_criu_when "$T/locked" checkpoint --tcp-established --network-lock iptables --image-path "$T/image" "$ID"
	rm -f "$T/slow"
	[ "$status" -eq 1 ] || fail "$output"
	contains "$output" "killed"
	[ -z "$(lock_rules)" ] || fail "$(lock_rules)"
	ticks_after "$(last_tick)"
	remove_container
	# The empty chains of iptables.
	nft delete table ip filter 2>/dev/null || :
	nft delete table ip6 filter 2>/dev/null || :
}
