#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# Cgroups over a checkpoint and a restore: what comes back, and what of the machine's must not change.

load ../lib/cr

version_2()
{
	is_cgroup_v2 || skip "this machine has no cgroup version 2"
}

# The options of the one tree of version 2, which a careless mount changes for the whole machine.
tree_options()
{
	sed -n 's/^.* - cgroup2 [^ ]* //p' /proc/self/mountinfo | head -n 1
}

# there_and_back: checkpoint and restore; the machine's tree is as it was after each.
there_and_back()
{
	local before now
	before=$(tree_options)
	checkpoint "$@"
	[ "$(tree_options)" = "$before" ] || fail "after the checkpoint: $(tree_options)"
	now=$(last_tick)
	restore "$@"
	[ "$(tree_options)" = "$before" ] || fail "after the restore: $(tree_options)"
	ticks_after "$now"
}

@test "without a cgroup namespace the tree is where it was, read-only (version 2)" {
	version_2
	ticking
	start_on_pipe
	ticks_after 1
	path=$(sed -n 's/^0:://p' "/proc/$(pid_of)/cgroup")
	there_and_back
	[ "$(sed -n 's/^0:://p' "/proc/$(pid_of)/cgroup")" = "$path" ]
	inside grep -qx 1 "/sys/fs/cgroup$path/cgroup.procs"
	run inside mkdir "/sys/fs/cgroup$path/x"
	contains "$output" "Read-only file system"
	remove_container
	ticks_are_continuous
}

@test "with a cgroup namespace (version 2)" {
	version_2
	configure '.linux.namespaces += [{ type: "cgroup" }]'
	ticking
	start_on_pipe
	ticks_after 1
	for mode in '' soft full; do
		there_and_back ${mode:+--manage-cgroups-mode $mode}
		rm -rf "$T/image"
		[ "$(rt exec "$ID" cat /proc/1/cgroup)" = 0::/ ] || fail "mode '$mode': $(rt exec "$ID" cat /proc/1/cgroup)"
	done
	[ "$(find "/sys/fs/cgroup$(sed -n 's/^0:://p' "/proc/$(pid_of)/cgroup")" -mindepth 1 -type d | wc -l)" -eq 0 ]
	remove_container
	ticks_are_continuous
}

@test "cgroups that the container has made below its own come back with their processes (version 2)" {
	version_2
	configure '.mounts |= map(select(.type != "cgroup")) | .linux.namespaces += [{ type: "cgroup" }]'
	add_mount /sys/fs/cgroup cgroup cgroup rw
	ticking 'mkdir /sys/fs/cgroup/main /sys/fs/cgroup/other; echo 1 >/sys/fs/cgroup/main/cgroup.procs;
		sh -c "echo \$\$ >/sys/fs/cgroup/other/cgroup.procs; while :; do sleep 0.1; done" &'
	start_on_pipe
	ticks_after 3
	there_and_back
	[ "$(rt exec "$ID" cat /proc/1/cgroup)" = 0::/main ]
	[ "$(rt exec "$ID" cat /sys/fs/cgroup/other/cgroup.procs | wc -l)" -ge 1 ]
	remove_container
	ticks_are_continuous
}

@test "a failed restore leaves the machine's cgroup tree as it was (version 2)" {
	version_2
	configure '.linux.namespaces += [{ type: "cgroup" }]'
	ticking
	start_on_pipe
	ticks_after 1
	before=$(tree_options)
	checkpoint
	: >"$T/image/core-1.img"
	run restore
	[ "$status" -eq 1 ]
	[ "$(tree_options)" = "$before" ]
	is_gone
}
