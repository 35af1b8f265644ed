#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# Cgroups by way of systemd: the container is in a unit, the unit has the limits, and it ends with the container. Needs a
# machine with systemd, such as the VM of tests/vm.

load ../lib/helpers

setup()
{
	[ -d /run/systemd/system ] || skip "systemd does not run here"
	needs_root "have the machine's systemd make units (a user's own: tests/vm/rootless-systemd.bats)"
	container_setup
	UNIT=floe-$ID.scope
	# By D-Bus: its private socket is not for whoever is in another pid namespace.
	export SYSTEMCTL_FORCE_BUS=1
	configure --arg path "machine.slice:floe:$ID" '.linux.cgroupsPath = $path'
}

teardown()
{
	[ "${UNIT:-}" ] || return 0
	clean_up || return 1
	left=$(systemctl list-units --all --plain --no-legend "*$PREFIX*")
	[ -z "$left" ] || fail "units are left: $left"
}

# With the systemd driver.
sd()
{
	rt --systemd-cgroup "$@"
}

start_in_unit()
{
	sd run --detach --bundle "$BUNDLE" "$ID" </dev/null >"$T/$ID.out" 2>"$T/$ID.err" || show_error
}

# With nothing of the host's as stdio, so that it can be frozen.
start_quietly()
{
	sd run --detach --bundle "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1
}

run_in_unit()
{
	run timeout $((60 * PATIENCE)) "$FLOE_RUNTIME" --root "$STATE" --systemd-cgroup run --bundle "$BUNDLE" "$ID" </dev/null
}

# property NAME [UNIT]: its value, as systemctl shows it.
property()
{
	systemctl show --property "$1" --value "${2:-$UNIT}"
}

property_is()
{
	local value
	value=$(property "$1" "${3:-}")
	[ "$value" = "$2" ] || fail "$1 is '$value' instead of '$2'"
}

has_no_unit()
{
	property_is LoadState not-found "${1:-}"
}

cgroup_of()
{
	sed -n 's/^0:://p' "/proc/$1/cgroup"
}

@test "the container is in a scope of the named slice" {
	idle_command
	start_in_unit
	path=$(cgroup_of "$(pid_of)")
	[ "$path" = "/machine.slice/$UNIT" ] || fail "it is in $path"
	property_is ActiveState active
	property_is ControlGroup "/machine.slice/$UNIT"
	property_is Slice machine.slice
	property_is Delegate yes
	property_is DefaultDependencies no
	contains "$(property Description)" "$ID"
	for name in Memory CPU IO Tasks; do
		property_is ${name}Accounting yes
	done
	remove_container
	has_no_unit
}

@test "a slice in a slice is made where it is missing" {
	slice=${PREFIX//-/_}
	configure --arg path "$slice-a-b.slice:floe:$ID" '.linux.cgroupsPath = $path'
	idle_command
	start_in_unit
	path=$(cgroup_of "$(pid_of)")
	[ "$path" = "/$slice.slice/$slice-a.slice/$slice-a-b.slice/$UNIT" ] || fail "it is in $path"
	remove_container
	systemctl stop "$slice.slice"
}

@test "without cgroupsPath the scope has the container's name" {
	configure 'del(.linux.cgroupsPath)'
	idle_command
	start_in_unit
	path=$(cgroup_of "$(pid_of)")
	[ "$path" = "/system.slice/floe-$ID.scope" ] || fail "it is in $path"
	remove_container
}

@test "a cgroupsPath that is no slice:prefix:name is refused" {
	configure '.linux.cgroupsPath = "/some/path"'
	run_in_unit
	refuses 1 'slice:prefix:name' /some/path
}

@test "in its cgroup namespace the container sees the scope as root" {
	configure '.linux.namespaces += [{ type: "cgroup" }]'
	script_is 'cat /proc/self/cgroup'
	run_in_unit
	[ "$status" -eq 0 ]
	[ "$output" = 0::/ ]
}

@test "the exit code is passed on, and nothing stays" {
	script_is 'exit 7'
	run_in_unit
	[ "$status" -eq 7 ]
	has_no_unit
}

@test "limits are properties of the unit and values of the cgroup" {
	configure '.linux.resources = {
		memory: { limit: 67108864, reservation: 33554432, swap: 134217728 },
		cpu: { shares: 512, quota: 50000, period: 100000, cpus: "0", mems: "0" },
		pids: { limit: 50 }, blockIO: { weight: 500 } }'
	idle_command
	start_in_unit
	pid=$(pid_of)
	property_is MemoryMax 67108864
	property_is MemoryLow 33554432
	property_is MemorySwapMax 67108864
	property_is CPUWeight 59
	property_is CPUQuotaPerSecUSec 500ms
	property_is CPUQuotaPeriodUSec 100ms
	property_is AllowedCPUs 0
	property_is AllowedMemoryNodes 0
	property_is TasksMax 50
	property_is IOWeight 4950
	[ "$(cgroup_file "$pid" memory.max)" = 67108864 ]
	[ "$(cgroup_file "$pid" memory.low)" = 33554432 ]
	[ "$(cgroup_file "$pid" memory.swap.max)" = 67108864 ]
	[ "$(cgroup_file "$pid" cpu.weight)" = 59 ]
	[ "$(cgroup_file "$pid" cpu.max)" = "50000 100000" ]
	[ "$(cgroup_file "$pid" cpuset.cpus)" = 0 ]
	[ "$(cgroup_file "$pid" pids.max)" = 50 ]
	remove_container
}

@test "a quota is rounded up to what systemd can say" {
	configure '.linux.resources.cpu = { quota: 33333, period: 100000 }'
	idle_command
	start_in_unit
	property_is CPUQuotaPerSecUSec 340ms
	[ "$(cgroup_file "$(pid_of)" cpu.max)" = "34000 100000" ]
	remove_container
}

@test "no limit is infinity" {
	configure '.linux.resources = { memory: { limit: -1 }, pids: { limit: -1 }, cpu: { quota: -1, period: 50000 } }'
	idle_command
	start_in_unit
	property_is MemoryMax infinity
	property_is TasksMax infinity
	property_is CPUQuotaPerSecUSec infinity
	[ "$(cgroup_file "$(pid_of)" cpu.max)" = "max 50000" ]
	remove_container
}

@test "unified values that systemd knows are properties too" {
	configure '.linux.resources.unified = { "memory.high": "33554432", "memory.min": "4096", "cpu.weight": "250",
		"pids.max": "77", "cpu.max": "30000 60000", "memory.oom.group": "1", "hugetlb.2MB.max": "0" }'
	idle_command
	start_in_unit
	pid=$(pid_of)
	property_is MemoryHigh 33554432
	property_is MemoryMin 4096
	property_is CPUWeight 250
	property_is TasksMax 77
	property_is CPUQuotaPerSecUSec 500ms
	property_is OOMPolicy kill
	[ "$(cgroup_file "$pid" memory.high)" = 33554432 ]
	[ "$(cgroup_file "$pid" memory.oom.group)" = 1 ]
	[ "$(cgroup_file "$pid" hugetlb.2MB.max)" = 0 ]
	remove_container
}

@test "cpu.idle is a weight of idle" {
	configure '.linux.resources.cpu = { idle: 1 }'
	idle_command
	start_in_unit
	property_is CPUWeight idle
	[ "$(cgroup_file "$(pid_of)" cpu.idle)" = 1 ]
	remove_container
}

@test "limits outlast a reload of systemd" {
	configure '.linux.resources = { memory: { limit: 67108864 }, pids: { limit: 50 }, cpu: { quota: 33333, period: 100000 } }'
	idle_command
	start_in_unit
	systemctl daemon-reload
	systemctl set-property --runtime "$UNIT" CPUWeight=77
	pid=$(pid_of)
	[ "$(cgroup_file "$pid" memory.max)" = 67108864 ]
	[ "$(cgroup_file "$pid" pids.max)" = 50 ]
	[ "$(cgroup_file "$pid" cpu.max)" = "34000 100000" ]
	remove_container
}

@test "devices are restricted, by systemd and by the kernel's filter" {
	configure '.linux.devices += [{ type: "c", path: "/dev/autofs", major: 10, minor: 235, fileMode: 438 },
			{ type: "c", path: "/dev/fuse", major: 10, minor: 229, fileMode: 438 }]
		| .linux.resources.devices = [{ allow: false, access: "rwm" },
			{ allow: true, type: "c", major: 10, minor: 229, access: "rw" }]'
	script_is 'mkfifo /tmp/go; while read line </tmp/go; do
		for d in null autofs fuse; do
			(: </dev/$d) 2>&1 | grep -q "not permitted" && echo "$d no" || echo "$d yes"
		done; done'
	own_rootfs
	start_in_unit
	property_is DevicePolicy strict
	contains "$(property DeviceAllow)" "/dev/char/10:229 rw" "/dev/char/1:3 rwm" "char-136 rwm"
	rt exec "$ID" sh -c 'echo go >/tmp/go'
	eventually file_contains "$T/$ID.out" "fuse"
	contains "$(cat "$T/$ID.out")" "null yes" "autofs no" "fuse yes"
	: >"$T/$ID.out"
	systemctl daemon-reload
	systemctl set-property --runtime "$UNIT" CPUWeight=77
	rt exec "$ID" sh -c 'echo go >/tmp/go'
	eventually file_contains "$T/$ID.out" "fuse"
	contains "$(cat "$T/$ID.out")" "null yes" "autofs no" "fuse yes"
	remove_container
}

@test "a privileged container may use all devices" {
	configure '.linux.devices += [{ type: "c", path: "/dev/autofs", major: 10, minor: 235, fileMode: 438 }]
		| .linux.resources.devices = [{ allow: true, access: "rwm" }]'
	script_is '(: </dev/autofs) 2>&1 | grep "not permitted"; sleep 0.5'
	own_rootfs
	run_in_unit
	[ "$status" -eq 0 ] && [ -z "$output" ] || fail "status $status: $output"
}

@test "annotations are properties" {
	configure '.annotations += { "org.systemd.property.TimeoutStopSec": "7.5",
		"org.systemd.property.RuntimeMaxUSec": "uint64 600000000",
		"org.systemd.property.CollectMode": "'\''inactive-or-failed'\''",
		"org.systemd.property.Before": "['\''floe-a.service'\'', '\''floe-b.service'\'']",
		"org.systemd.property.IOReadBandwidthMax": "[('\''/dev/vda'\'', uint64 1048576)]",
		"org.systemd.property.SendSIGHUP": "true" }'
	idle_command
	start_in_unit
	contains "$(property TimeoutStopUSec)" 7.5
	property_is RuntimeMaxUSec 10min
	property_is CollectMode inactive-or-failed
	contains "$(property Before)" floe-a.service floe-b.service
	contains "$(property IOReadBandwidthMax)" 1048576
	property_is SendSIGHUP yes
	remove_container
}

@test "an annotation that is no value, or no property, is refused with its reason" {
	configure '.annotations["org.systemd.property.TasksMax"] = "many"'
	run_in_unit
	refuses 1 org.systemd.property.TasksMax "expected a value"
	configure 'del(.annotations) | .annotations["org.systemd.property.NoSuchThing"] = "5"'
	run_in_unit
	refuses 1 "$UNIT" NoSuchThing
	has_no_unit
	[ ! -e "$STATE/$ID" ]
}

@test "update changes unit and cgroup" {
	configure '.linux.resources = { memory: { limit: 67108864, swap: 67108864 }, pids: { limit: 50 } }'
	idle_command
	start_in_unit
	rt update --memory 134217728 --memory-swap 268435456 --cpu-quota 25000 --cpu-period 50000 --pids-limit 60 "$ID"
	pid=$(pid_of)
	property_is MemoryMax 134217728
	property_is MemorySwapMax 134217728
	property_is CPUQuotaPerSecUSec 500ms
	property_is TasksMax 60
	[ "$(cgroup_file "$pid" memory.max)" = 134217728 ]
	[ "$(cgroup_file "$pid" cpu.max)" = "25000 50000" ]
	[ "$(cgroup_file "$pid" pids.max)" = 60 ]
	# What is in force is known, also with another driver's flag or none.
	sd update --pids-limit -1 "$ID"
	property_is TasksMax infinity
	property_is MemoryMax 134217728
	remove_container
}

@test "a failing update leaves unit and cgroup as they were" {
	configure '.linux.resources.memory = { limit: 67108864, swap: 67108864 }'
	idle_command
	start_in_unit
	run rt update --resources - "$ID" <<<'{ "memory": { "limit": 134217728, "swap": 134217728 }, "unified": { "cpu.max": "x" } }'
	[ "$status" -ne 0 ]
	property_is MemoryMax 67108864
	[ "$(cgroup_file "$(pid_of)" memory.max)" = 67108864 ]
	remove_container
}

@test "exec runs in the scope, or in a group below" {
	idle_command
	start_in_unit
	path=$(cgroup_of "$(pid_of)")
	run rt exec "$ID" cat /proc/self/cgroup
	[ "$output" = "0::$path" ] || fail "$output"
	mkdir "/sys/fs/cgroup$path/sub"
	run rt exec --cgroup sub "$ID" cat /proc/self/cgroup
	[ "$output" = "0::$path/sub" ] || fail "$output"
	remove_container
}

@test "pause, resume, ps and events work" {
	idle_command
	start_in_unit
	rt pause "$ID"
	is_state paused
	[ "$(cgroup_file "$(pid_of)" cgroup.freeze)" = 1 ]
	rt resume "$ID"
	is_state running
	rt ps --format json "$ID" | jq -e --argjson pid "$(pid_of)" 'index($pid) != null'
	rt events --stats "$ID" | jq -e '.data.memory.usage.usage > 0'
	remove_container
}

@test "a paused container is deleted by force" {
	idle_command
	start_in_unit
	rt pause "$ID"
	remove_container
	has_no_unit
}

@test "processes that outlive init end with the unit" {
	configure '.linux.namespaces |= map(select(.type != "pid"))'
	script_is 'trap "" TERM; (trap "" TERM HUP; while :; do sleep 0.1; done) & exit 0'
	start_in_unit
	eventually is_state stopped
	property_is ActiveState active
	rt delete "$ID"
	has_no_unit
}

@test "kill --all reaches every process of the scope" {
	configure '.linux.namespaces |= map(select(.type != "pid"))'
	idle_command
	start_in_unit
	rt kill --all "$ID" KILL
	eventually is_state stopped
	eventually has_no_unit
	rt delete "$ID"
}

@test "stopping the unit ends the container" {
	idle_command
	start_in_unit
	systemctl stop "$UNIT"
	is_state stopped
	rt delete "$ID"
}

@test "a unit that failed goes with the container" {
	configure '.annotations["org.systemd.property.RuntimeMaxSec"] = "1"'
	idle_command
	start_in_unit
	eventually property_is ActiveState failed
	rt delete "$ID"
	has_no_unit
}

@test "a unit that failed and was forgotten does not stand in the way" {
	configure '.annotations["org.systemd.property.RuntimeMaxSec"] = "1"'
	idle_command
	start_in_unit
	eventually property_is ActiveState failed
	rm -rf "${STATE:?}/$ID"
	configure 'del(.annotations)'
	start_in_unit
	property_is ActiveState active
	remove_container
}

@test "a unit that is in use is refused and left alone" {
	idle_command
	start_in_unit
	first=$ID
	new_id second
	run_in_unit
	refuses 1 "$UNIT" "a unit of its own"
	property_is ActiveState active
	is_state running "$first"
	[ ! -e "$STATE/$ID" ]
	remove_container "$first"
}

@test "a program that cannot be started leaves no unit" {
	command_is /no/such/program
	run_in_unit
	refuses 1 /no/such/program
	has_no_unit
	[ ! -e "$STATE/$ID" ]
}

@test "a limit that the kernel refuses leaves no unit" {
	configure '.linux.resources.unified = { "cpuset.cpus.partition": "nonsense" }'
	run_in_unit
	refuses 1 cpuset.cpus.partition
	has_no_unit
}

@test "a slice can be the container's unit" {
	slice=machine-${PREFIX//-/_}.slice
	configure --arg path "machine.slice:x:$slice" '.linux.cgroupsPath = $path | .linux.resources.memory.limit = 67108864'
	idle_command
	start_in_unit
	path=$(cgroup_of "$(pid_of)")
	[ "$path" = "/machine.slice/$slice" ] || fail "it is in $path"
	property_is MemoryMax 67108864 "$slice"
	property_is ActiveState active "$slice"
	[ "$(cgroup_file "$(pid_of)" memory.max)" = 67108864 ]
	rt update --memory 134217728 "$ID"
	property_is MemoryMax 134217728 "$slice"
	remove_container
	property_is ActiveState inactive "$slice"
	[ ! -e "/sys/fs/cgroup/machine.slice/$slice" ]
}

@test "a slice that is in use is refused and left alone" {
	slice=machine-${PREFIX//-/_}.slice
	configure --arg path "$slice:floe:$ID" '.linux.cgroupsPath = $path'
	idle_command
	start_in_unit
	first=$ID
	new_id second
	configure --arg path "machine.slice:x:$slice" '.linux.cgroupsPath = $path'
	run_in_unit
	refuses 1 "$slice" "a unit of its own"
	property_is ActiveState active
	is_state running "$first"
	remove_container "$first"
	systemctl stop "$slice"
}

@test "hooks find the container in its scope" {
	configure --arg out "$T/hook" '.hooks.createRuntime = [{ path: "/bin/sh",
		args: ["sh", "-c", "cat /proc/$(jq .pid)/cgroup >" + $out] }]'
	run_in_unit
	[ "$status" -eq 0 ]
	file_is "$T/hook" "0::/machine.slice/$UNIT"
}

@test "a container without a cgroup namespace sees its own scope" {
	script_is 'cat /proc/self/cgroup; ls /sys/fs/cgroup/cgroup.procs'
	run_in_unit
	[ "$status" -eq 0 ] || fail "$output"
	contains "$output" "$UNIT"
}

@test "checkpoint and restore, each in its own scope" {
	script_is 'i=0; while :; do i=$((i + 1)); echo $i >/data/tick; sleep 0.1; done'
	mkdir "$T/data"
	add_mount /data bind "$T/data" bind rw
	configure '.linux.resources = { memory: { limit: 67108864 }, pids: { limit: 50 } }'
	start_quietly
	eventually test -s "$T/data/tick"
	rt checkpoint --image-path "$T/image" "$ID" || fail "$(grep -i error "$T"/image/*.log)"
	has_no_unit
	before=$(cat "$T/data/tick")
	rm "$T/data/tick"
	sd restore --detach --bundle "$BUNDLE" --image-path "$T/image" "$ID" </dev/null >/dev/null 2>&1 || fail "$(grep -i error "$T"/image/*.log)"
	pid=$(pid_of)
	[ "$(cgroup_of "$pid")" = "/machine.slice/$UNIT" ] || fail "it is in $(cgroup_of "$pid")"
	property_is ActiveState active
	property_is MemoryMax 67108864
	property_is TasksMax 50
	[ "$(cgroup_file "$pid" memory.max)" = 67108864 ]
	[ "$(find "/sys/fs/cgroup/machine.slice/$UNIT" -mindepth 1 -type d | wc -l)" -eq 0 ]
	eventually test -s "$T/data/tick"
	[ "$(cat "$T/data/tick")" -ge "$before" ]
	rt checkpoint --leave-running --image-path "$T/image2" "$ID"
	is_state running
	rt pause "$ID"
	rt resume "$ID"
	remove_container
	has_no_unit
}

@test "a restore that fails leaves no unit" {
	idle_command
	start_quietly
	rt checkpoint --image-path "$T/image" "$ID"
	# What CRIU wants to restore is not there any more.
	configure '.root.path = "/proc/self/fdinfo"'
	run "$FLOE_RUNTIME" --root "$STATE" --systemd-cgroup restore --detach --bundle "$BUNDLE" --image-path "$T/image" "$ID" \
		</dev/null 3>&- 4>&-
	[ "$status" -ne 0 ]
	has_no_unit
	[ ! -e "$STATE/$ID" ]
}

@test "without a system bus systemd's own socket will do" {
	idle_command
	DBUS_SYSTEM_BUS_ADDRESS=unix:path=/nowhere start_in_unit
	property_is ActiveState active
	DBUS_SYSTEM_BUS_ADDRESS=unix:path=/nowhere rt update --memory 134217728 "$ID"
	property_is MemoryMax 134217728
	DBUS_SYSTEM_BUS_ADDRESS=unix:path=/nowhere remove_container
	has_no_unit
}

@test "ten containers at a time" {
	idle_command
	ids=()
	for i in 0 1 2 3 4 5 6 7 8 9; do
		id=$PREFIX-$i
		ids+=("$id")
		mkdir "$T/bundle-$i"
		jq --arg path "machine.slice:floe:$id" '.linux.cgroupsPath = $path' "$BUNDLE/config.json" >"$T/bundle-$i/config.json"
		sd run --detach --bundle "$T/bundle-$i" "$id" </dev/null >/dev/null 2>&1 &
	done
	wait
	for id in "${ids[@]}"; do
		property_is ActiveState active "floe-$id.scope"
		remove_container "$id"
		has_no_unit "floe-$id.scope"
	done
}

@test "a container in another's pid namespace has its scope, and no warning" {
	idle_command
	start_in_unit
	first=$ID
	configure --arg path "/proc/$(pid_of)/ns/pid" '(.linux.namespaces[] | select(.type == "pid")).path = $path'
	new_id second
	configure --arg path "machine.slice:floe:$ID" '.linux.cgroupsPath = $path'
	script_is 'cat /proc/1/comm; cat /proc/self/cgroup'
	run_in_unit
	[ "$output" = $'sh\n'"0::/machine.slice/floe-$ID.scope" ] || fail "$output"
	remove_container "$first"
}
