#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# What the VM is for, one test each: only here is there a version 2 tree with all controllers, AppArmor, and a kernel that
# tells CRIU which memory was written to. Run by check.

load ../lib/helpers

PROFILE=floe-vm-smoke

# The file is empty for an instant at each tick.
ticks()
{
	file_contains "$T/data/tick" 4194304 2>/dev/null
}

has_grown()
{
	ticks && [ "$(cut -d" " -f1 "$T/data/tick")" -gt "${1:-0}" ]
}

@test "the guest has what it is there for" {
	is_cgroup_v2
	contains "$(cat /sys/fs/cgroup/cgroup.controllers)" cpuset cpu io memory hugetlb pids
	[ "$(cat /sys/module/apparmor/parameters/enabled)" = Y ]
}

@test "run true" {
	run_container
	[ "$status" -eq 0 ]
}

@test "limits are in the container's cgroup, and in force" {
	configure '.linux.resources = { memory: { limit: 67108864 }, pids: { limit: 50 }, cpu: { quota: 50000, period: 100000 } }'
	idle_command
	start_detached
	pid=$(pid_of)
	[ "$(cgroup_file "$pid" memory.max)" = 67108864 ]
	[ "$(cgroup_file "$pid" pids.max)" = 50 ]
	[ "$(cgroup_file "$pid" cpu.max)" = "50000 100000" ]
	remove_container
	# A variable that does not fit: the kernel ends its process.
	configure '.linux.resources.memory = { limit: 33554432, swap: 33554432 }'
	script_is 'sh -c "x=\$(dd if=/dev/zero bs=1048576 count=64 | tr \"\\0\" a)" 2>/dev/null; echo ended with $?'
	run_container
	contains "$output" "ended with 137"
}

@test "an AppArmor profile is enforced" {
	apparmor_parser --replace --skip-cache <<-PROFILE
		profile $PROFILE flags=(attach_disconnected,mediate_deleted) {
			file,
			capability,
			signal,
			mount,
			deny /etc/hostname r,
		}
	PROFILE
	configure --arg profile $PROFILE '.process.apparmorProfile = $profile'
	script_is 'cat /proc/self/attr/current; cat /etc/hosts; cat /etc/hostname'
	run_container
	apparmor_parser --remove <<<"profile $PROFILE {}"
	[ "$status" -ne 0 ]
	contains "$output" "$PROFILE (enforce)" 127.0.0.1 "Permission denied"
}

@test "of two dumps the second has only what was written since, and restores" {
	# Four megabytes that stay, and a loop. Without children: each would have the four megabytes as its own.
	script_is 'x=$(dd if=/dev/zero bs=1048576 count=4 2>/dev/null | tr "\0" a); i=0 n=${#x}
		while :; do i=$((i + 1)); echo "$i $n" >/data/tick; done'
	mkdir "$T/data"
	add_mount /data bind "$T/data" bind rw
	rt run --detach --bundle "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1
	eventually ticks
	rt checkpoint --pre-dump --image-path "$T/first" "$ID" || fail "$(grep -i error "$T"/first/*.log)"
	[ "$(state_of)" = running ]
	rt checkpoint --image-path "$T/second" --parent-path ../first "$ID" || fail "$(grep -i error "$T"/second/*.log)"
	first=$(cat "$T"/first/pages-*.img | wc -c)
	second=$(cat "$T"/second/pages-*.img | wc -c)
	[ "$first" -gt 4194304 ] || fail "the first dump has $first bytes"
	echo "# $first bytes, then $second" >&3
	[ "$second" -lt $((first / 4)) ] || fail "the second dump has $second bytes, the first $first"
	last=$(cut -d' ' -f1 "$T/data/tick")
	rt restore --detach --bundle "$BUNDLE" --image-path "$T/second" "$ID" </dev/null >/dev/null 2>&1 ||
		fail "$(grep -i error "$T"/second/*.log)"
	eventually has_grown "$last"
	remove_container
}
