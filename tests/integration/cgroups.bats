#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# Cgroups: where a container is put, what its limits are, that they are in force, that nothing stays.

load ../lib/helpers

version_1()
{
	! is_cgroup_v2 || skip "this machine has cgroup version 2"
}

version_2()
{
	is_cgroup_v2 || skip "this machine has no cgroup version 2"
}

@test "the container is in a cgroup of its own, in every hierarchy" {
	idle_command
	start_detached
	pid=$(pid_of)
	own=$(grep -v '^0::' /proc/self/cgroup || cat /proc/self/cgroup)
	[ "$own" ]
	while IFS=: read -r number controllers path; do
		[ "$path" != "$(sed -n "s/^$number:$controllers://p" /proc/self/cgroup)" ] || fail "$controllers: $path"
		[[ $path == *"$ID"* ]] || fail "$controllers: $path"
	done < <(grep -v '^0::' "/proc/$pid/cgroup" || cat "/proc/$pid/cgroup")
	remove_container
}

@test "cgroupsPath is where the container is put" {
	cgroups_path_is "$PREFIX/deep/er"
	idle_command
	start_detached
	path=$(sed -n 's/^[0-9]*:pids://p' "/proc/$(pid_of)/cgroup")
	[ "$path" ] || path=$(sed -n 's/^0:://p' "/proc/$(pid_of)/cgroup")
	[[ $path == *"$CGROUP" ]] || fail "it is in $path"
	is_systemd_driver || is_rootless || [ "$path" = "$CGROUP" ] || fail "it is in $path"
	remove_container
	# The parents that were made for it are not the container's; take them away as an engine would.
	find /sys/fs/cgroup -mindepth 2 -depth -type d -not -fstype tmpfs -path "*/$PREFIX*" -exec rmdir {} + || :
}

@test "memory limits are set (version 1)" {
	version_1
	configure '.linux.resources.memory = { limit: 67108864, reservation: 33554432, swappiness: 10 }'
	idle_command
	start_detached
	pid=$(pid_of)
	[ "$(cgroup_file "$pid" memory.limit_in_bytes)" = 67108864 ]
	[ "$(cgroup_file "$pid" memory.soft_limit_in_bytes)" = 33554432 ]
	[ "$(cgroup_file "$pid" memory.swappiness)" = 10 ]
	remove_container
}

@test "the limit of TCP buffers and the killer for want of memory are set (version 1)" {
	version_1
	configure '.linux.resources.memory = { limit: 67108864, kernelTCP: 33554432, disableOOMKiller: true }'
	idle_command
	start_detached
	pid=$(pid_of)
	[ "$(cgroup_file "$pid" memory.kmem.tcp.limit_in_bytes)" = 33554432 ]
	contains "$(cgroup_file "$pid" memory.oom_control)" "oom_kill_disable 1"
	remove_container
}

@test "memory limits are set (version 2)" {
	version_2
	configure '.linux.resources.memory = { limit: 67108864, reservation: 33554432, swap: 134217728 }'
	idle_command
	start_detached
	pid=$(pid_of)
	[ "$(cgroup_file "$pid" memory.max)" = 67108864 ]
	[ "$(cgroup_file "$pid" memory.low)" = 33554432 ]
	[ "$(cgroup_file "$pid" memory.swap.max)" = 67108864 ]
	remove_container
}

@test "cpu shares, quota and period are set (version 1)" {
	version_1
	configure '.linux.resources.cpu = { shares: 512, quota: 25000, period: 50000 }'
	idle_command
	start_detached
	pid=$(pid_of)
	[ "$(cgroup_file "$pid" cpu.shares)" = 512 ]
	[ "$(cgroup_file "$pid" cpu.cfs_quota_us)" = 25000 ]
	[ "$(cgroup_file "$pid" cpu.cfs_period_us)" = 50000 ]
	remove_container
}

@test "cpu shares, quota and period are set (version 2)" {
	version_2
	configure '.linux.resources.cpu = { shares: 1024, quota: 25000, period: 50000 }'
	idle_command
	start_detached
	pid=$(pid_of)
	[ "$(cgroup_file "$pid" cpu.max)" = "25000 50000" ]
	[ "$(cgroup_file "$pid" cpu.weight)" -gt 1 ]
	remove_container
}

@test "cpuset is set" {
	configure '.linux.resources.cpu = { cpus: "0", mems: "0" }'
	idle_command
	start_detached
	pid=$(pid_of)
	[ "$(cgroup_file "$pid" cpuset.cpus)" = 0 ]
	[ "$(cgroup_file "$pid" cpuset.mems)" = 0 ]
	[ "$(proc_status "$pid" Cpus_allowed_list)" = 0 ]
	remove_container
}

@test "the pids limit is set" {
	configure '.linux.resources.pids = { limit: 42 }'
	idle_command
	start_detached
	[ "$(cgroup_file "$(pid_of)" pids.max)" = 42 ]
	remove_container
}

@test "the pids limit is in force" {
	configure '.linux.resources.pids = { limit: 5 }'
	script_is 'for i in 1 2 3 4 5 6 7 8; do sleep 100 & done; kill -KILL -1'
	run_container
	contains "$output" "Resource temporarily unavailable"
}

@test "the memory limit is in force" {
	configure '.linux.resources.memory = { limit: 33554432 }'
	script_is 'head -c 200000000 /dev/zero | tail >/dev/null; echo "after $?"'
	run_container
	# The kernel may take the shell instead of what it started.
	[ "$status" -eq 137 ] || contains "$output" "after 137"
}

@test "unlimited is written as such" {
	[ "$RUNTIME_NAME" != crun ] || skip "crun writes the number"
	configure '.linux.resources.pids = { limit: -1 } | .linux.resources.memory = { limit: -1 }'
	idle_command
	start_detached
	[ "$(cgroup_file "$(pid_of)" pids.max)" = max ]
	remove_container
}

@test "block weights and throttles of a device that does not exist are refused" {
	[ "$RUNTIME_NAME" = floe-runtime ] || skip "others differ"
	configure '.linux.resources.blockIO = { throttleReadBpsDevice: [{ major: 999, minor: 999, rate: 1000 }] }'
	run_container
	[ "$status" -eq 1 ]
}

@test "a limit that the kernel refuses is an error that names the file" {
	configure '.linux.resources.cpu = { cpus: "9999" }'
	run_container
	[ "$status" -eq 1 ]
	contains "$output" cpuset.cpus
	[ ! -e "$STATE/$ID" ]
}

@test "values for version 2 are refused on version 1" {
	version_1
	floe_only "others pass over them"
	configure '.linux.resources.unified = { "memory.high": "1000000" }'
	run_container
	[ "$status" -eq 1 ]
	contains "$output" unified
}

@test "values of the unified section are written (version 2)" {
	version_2
	configure '.linux.resources.unified = { "memory.high": "67108864" }'
	idle_command
	start_detached
	[ "$(cgroup_file "$(pid_of)" memory.high)" = 67108864 ]
	remove_container
}

@test "a cgroup in which processes run is refused" {
	floe_only "Debian's others join it"
	cgroups_path_is "$PREFIX-used"
	idle_command
	start_detached
	command_is true
	new_id second
	run_container
	refuses 1 "$PREFIX-used"
	remove_container "$PREFIX"
}

@test "the processes that a container leaves in its cgroup are killed at delete" {
	configure 'del(.linux.namespaces[] | select(.type == "pid"))'
	script_is 'setsid sleep 1000 & exit 0'
	start_detached
	eventually is_state stopped
	rt delete --force "$ID"
	# The teardown looks for the sleep and for the cgroup.
}

@test "the systemd driver without systemd is refused with the reason" {
	floe_only "others differ"
	[ ! -d /run/systemd/system ] || skip "systemd runs here"
	configure --arg id "$ID" '.linux.cgroupsPath = "system.slice:floe:" + $id'
	run "$FLOE_RUNTIME" --root "$STATE" --systemd-cgroup run --bundle "$BUNDLE" "$ID" </dev/null
	refuses 1 systemd
}

@test "--cgroup-manager disabled makes no cgroup" {
	floe_only "Debian's others differ"
	idle_command
	"$FLOE_RUNTIME" --root "$STATE" --cgroup-manager disabled run --detach --bundle "$BUNDLE" "$ID" \
		</dev/null >"$T/$ID.out" 2>"$T/$ID.err" 3>&-
	[ "$(cat "/proc/$(pid_of)/cgroup")" = "$(cat /proc/self/cgroup)" ]
	remove_container
}

@test "sub-groups that a container made are removed with it" {
	configure '.mounts |= map(select(.type != "cgroup"))
		| .linux.namespaces += [{ type: "cgroup" }]
		| .mounts += [{ destination: "/sys/fs/cgroup", type: "cgroup", source: "cgroup", options: ["rw"] }]'
	own_rootfs
	script_is 'mkdir -p /sys/fs/cgroup/pids/a/b /sys/fs/cgroup/a/b 2>/dev/null; echo made; while :; do sleep 0.1; done'
	start_detached
	eventually file_contains "$T/$ID.out" made
	remove_container
}
