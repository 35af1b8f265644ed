#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# Fields of the runtime specification that the other files do not cover: what each does when it is set, or by which name it
# fails. docs/spec-support.md lists all of them.

# shellcheck disable=SC2016 # most scripts here are for the shell of the container

load ../lib/helpers

teardown()
{
	local pid
	for pid in "${helpers[@]:-}"; do
		[ -z "$pid" ] || kill "$pid" 2>/dev/null || :
		wait "$pid" 2>/dev/null || :
	done
	clean_up
}

# user_namespace: the container gets one of its own.
user_namespace()
{
	chmod o+x "$BATS_RUN_TMPDIR" "$BATS_FILE_TMPDIR" 2>/dev/null || :
	configure '.linux.namespaces += [{ type: "user" }]
		| .linux.uidMappings = [{ containerID: 0, hostID: 100000, size: 65536 }]
		| .linux.gidMappings = .linux.uidMappings'
}

# Like `run start_detached`, but for the pipe, which the container would keep open.
try_detached()
{
	status=0
	rt run --detach --bundle "$BUNDLE" "$ID" </dev/null >"$T/$ID.out" 2>"$T/$ID.err" || status=$?
	output=$(cat "$T/$ID.err")
}

all_capabilities()
{
	configure '["CAP_SYS_ADMIN", "CAP_SYS_NICE", "CAP_DAC_OVERRIDE", "CAP_MKNOD", "CAP_CHOWN", "CAP_SETUID", "CAP_SETGID"] as $c
		| .process.capabilities = { bounding: $c, effective: $c, permitted: $c }'
}

# --- top level ----------------------------------------------------------------------------------------------------------

@test "any version 1 is accepted, and no other" {
	command_is true
	for version in 1.0.2-dev 1.99.0+unknown; do
		configure --arg v "$version" '.ociVersion = $v'
		run_container
		[ "$status" -eq 0 ] || fail "$version: $output"
	done
	for version in 2.0.0 10.0.0 one 1 ""; do
		configure --arg v "$version" '.ociVersion = $v'
		run_container
		[ "$status" -eq 1 ] || fail "'$version' was accepted"
		contains "$output" ociVersion
	done
}

@test "annotations are in the state, and have a key" {
	configure '.annotations = { "org.example.a": "1", "b": "" }'
	idle_command
	start_detached
	[ "$(rt state "$ID" | jq -c .annotations)" = '{"org.example.a":"1","b":""}' ]
	remove_container
	command_is true
	configure '.annotations = { "": "x" }'
	run_container
	refuses 1 annotations
}

@test "what belongs to other platforms is passed over, with a warning" {
	configure '.windows = { layerFolders: ["x"] } | .solaris = {} | .freebsd = {} | .zos = {}
		| .process.user.username = "nobody" | .process.commandLine = "x"'
	script_is 'id -u'
	run_container
	[ "$status" -eq 0 ]
	[ "${lines[-1]}" = 0 ]
	! is_floe || contains "$output" "windows is of no effect" "solaris is of no effect" "freebsd is of no effect" \
		"zos is of no effect" "process.user.username is of no effect" "process.commandLine is of no effect"
}

@test "a section for virtual machines is refused by name" {
	floe_only "others pass it over"
	command_is true
	configure '.vm = { hypervisor: { path: "/h", parameters: ["x"] }, kernel: { path: "/k", parameters: ["y"], initrd: "/i" },
		image: { path: "/m", format: "raw" } }'
	run_container
	refuses 1 "vm: containers in virtual machines are not supported"
}

@test "what the specification has dropped is said" {
	floe_only "the messages are its own"
	command_is true
	configure '.linux.resources.memory = { kernel: 67108864 }'
	run_container
	[ "$status" -eq 0 ]
	contains "$output" "memory.kernel is ignored"
	configure 'del(.linux.resources) | .linux.intelRdt = { enableCMT: true, enableMBM: true }'
	run_container
	contains "$output" "linux.intelRdt.enableCMT is of no effect" "linux.intelRdt.enableMBM is of no effect"
}

@test "a value that an enumeration does not have is refused with its path" {
	floe_only
	own_rootfs
	command_is true
	while read -r path value; do
		make_bundle
		command_is true
		configure "$path = $value"
		run_container
		[ "$status" -eq 1 ] || fail "$path = $value was accepted"
		# The path as errors have it: no dot in front.
		path=$(sed -E 's/^\.//; s/ .*//' <<<"$path")
		contains "$output" "${path%\[0\]}" || return 1
	done <<-'LIST'
		.process.rlimits[0].type "RLIMIT_X"
		.process.scheduler {"policy":"SCHED_X"}
		.process.ioPriority {"class":"IOPRIO_CLASS_NONE","priority":0}
		.linux.namespaces[0].type "net"
		.linux.rootfsPropagation "sideways"
		.linux.devices[0] {"path":"/dev/x","type":"x"}
		.linux.resources.devices[0] {"allow":true,"type":"d"}
		.linux.resources.devices[0] {"allow":true,"access":"rx"}
		.linux.resources.hugepageLimits[0] {"pageSize":"2mb","limit":0}
		.linux.personality {"domain":"BSD"}
		.linux.memoryPolicy {"mode":"MPOL_X"}
		.linux.memoryPolicy {"mode":"MPOL_BIND","nodes":"0","flags":["MPOL_F_X"]}
		.linux.timeOffsets {"monotone":{"secs":1}}
		.linux.seccomp {"defaultAction":"SCMP_ACT_X"}
		.linux.seccomp {"defaultAction":"SCMP_ACT_ALLOW","architectures":["SCMP_ARCH_X"]}
		.linux.seccomp {"defaultAction":"SCMP_ACT_ALLOW","flags":["SECCOMP_FILTER_FLAG_X"]}
		.linux.seccomp {"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["kill"],"action":"SCMP_ACT_X"}]}
		.linux.seccomp {"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["kill"],"action":"SCMP_ACT_ERRNO","args":[{"index":0,"value":0,"op":"SCMP_CMP_X"}]}]}
	LIST
}

# --- process ------------------------------------------------------------------------------------------------------------

# The address space is as large as a build with sanitizers wants it.
@test "every limit can be set" {
	configure '[["CPU", 1000], ["FSIZE", 100000000], ["DATA", 200000000], ["STACK", 4000000], ["CORE", 0], ["RSS", 300000000],
		["NPROC", 5000], ["NOFILE", 512], ["MEMLOCK", 32768], ["AS", 40000000000000], ["LOCKS", 77], ["SIGPENDING", 88],
		["MSGQUEUE", 99999], ["NICE", 0], ["RTPRIO", 0], ["RTTIME", 555555]] as $limits
		| .process.rlimits = [$limits[] | { type: "RLIMIT_\(.[0])", soft: .[1], hard: .[1] }]'
	script_is "sed 's/  */ /g' /proc/self/limits"
	run_container
	[ "$status" -eq 0 ]
	contains "$output" "Max cpu time 1000 1000" "Max file size 100000000 100000000" "Max data size 200000000 200000000" \
		"Max stack size 4000000 4000000" "Max core file size 0 0" "Max resident set 300000000 300000000" \
		"Max processes 5000 5000" "Max open files 512 512" "Max locked memory 32768 32768" \
		"Max address space 40000000000000 40000000000000" "Max file locks 77 77" "Max pending signals 88 88" \
		"Max msgqueue size 99999 99999" "Max nice priority 0 0" "Max realtime priority 0 0" "Max realtime timeout 555555 555555"
}

@test "the scheduler is set, for init and for exec" {
	all_capabilities
	idle_command
	configure '.process.scheduler = { policy: "SCHED_BATCH", nice: 7, flags: ["SCHED_FLAG_RESET_ON_FORK"] }'
	start_detached
	run chrt --pid "$(pid_of)"
	contains "$output" "SCHED_BATCH|SCHED_RESET_ON_FORK"
	[ "$(cut -d' ' -f19 "/proc/$(pid_of)/stat")" = 7 ]
	# An exec has the container's unless its document has one.
	rt exec --detach --pid-file "$T/pid" "$ID" sleep 100 </dev/null >/dev/null 2>&1
	contains "$(chrt --pid "$(cat "$T/pid")")" SCHED_BATCH
	jq '.process | .args = ["sleep", "100"] | .scheduler = { policy: "SCHED_IDLE" }' "$BUNDLE/config.json" >"$T/process.json"
	rt exec --detach --pid-file "$T/pid" --process "$T/process.json" "$ID" </dev/null >/dev/null 2>&1
	contains "$(chrt --pid "$(cat "$T/pid")")" SCHED_IDLE
	remove_container
}

@test "a scheduler that makes no sense is refused" {
	command_is true
	while read -r scheduler; do
		configure ".process.scheduler = $scheduler"
		run_container
		refuses 1 process.scheduler
	done <<-'LIST'
		{}
		{ "policy": "SCHED_NONE" }
		{ "policy": "SCHED_OTHER", "nice": 20 }
		{ "policy": "SCHED_OTHER", "priority": 1 }
		{ "policy": "SCHED_FIFO", "priority": 100 }
		{ "policy": "SCHED_RR" }
		{ "policy": "SCHED_BATCH", "deadline": 5 }
		{ "policy": "SCHED_OTHER", "flags": ["SCHED_FLAG_NONE"] }
	LIST
	# What the kernel refuses is an error too.
	configure '.process.scheduler = { policy: "SCHED_DEADLINE", runtime: 42000, deadline: 1000000, period: 1000000 }
		| .linux.resources.cpu.cpus = "0"'
	if [ "$(nproc)" -gt 1 ]; then
		run_container
		refuses 1 "process scheduler can't be used together with AllowedCPUs"
	fi
	configure 'del(.linux.resources.cpu)'
	configure '.process.scheduler = { policy: "SCHED_DEADLINE", runtime: 10, deadline: 5, period: 5 }'
	run_container
	refuses 1 "set scheduler"
}

@test "the I/O priority is set, for init and for exec" {
	needs_root "set a real-time I/O priority"
	idle_command
	configure '.process.ioPriority = { class: "IOPRIO_CLASS_BE", priority: 6 }'
	start_detached
	[ "$(ionice --pid "$(pid_of)")" = "best-effort: prio 6" ]
	rt exec --detach --pid-file "$T/pid" "$ID" sleep 100 </dev/null >/dev/null 2>&1
	[ "$(ionice --pid "$(cat "$T/pid")")" = "best-effort: prio 6" ]
	remove_container
	configure '.process.ioPriority = { class: "IOPRIO_CLASS_IDLE", priority: 0 }'
	start_detached
	[ "$(ionice --pid "$(pid_of)")" = idle ]
	remove_container
	configure '.process.ioPriority = { class: "IOPRIO_CLASS_RT", priority: 3 }'
	start_detached
	[ "$(ionice --pid "$(pid_of)")" = "realtime: prio 3" ]
	remove_container
	for bad in '{ class: "IOPRIO_CLASS_BE", priority: 8 }' '{ class: "IOPRIO_CLASS_BE", priority: -1 }' '{ class: "BE", priority: 1 }'; do
		configure ".process.ioPriority = $bad"
		run_container
		refuses 1 process.ioPriority
	done
}

# policy_of PID: as chrt prints it.
policy_of()
{
	chrt --pid "$1" | sed -n "s/.*policy: //p; s/.*priority: /priority /p" | tr '\n' ' '
}

@test "every policy of the scheduler is set, where the kernel grants it" {
	all_capabilities
	idle_command
	while read -r policy priority nice expected; do
		configure --arg p "$policy" --argjson priority "$priority" --argjson nice "$nice" \
			'.process.scheduler = { policy: $p, priority: $priority, nice: $nice }'
		try_detached
		# In a cgroup of version 1 without real-time bandwidth the kernel has none to give.
		if [ "$status" -ne 0 ]; then
			[[ $policy == SCHED_FIFO || $policy == SCHED_RR || $policy == SCHED_ISO ]] || fail "$policy: $output"
			contains "$output" "set scheduler" || return 1
			continue
		fi
		contains "$(policy_of "$(pid_of)")" "$policy" "priority $priority" || return 1
		[ "$policy" != SCHED_OTHER ] || [ "$(cut -d' ' -f19 "/proc/$(pid_of)/stat")" = "$nice" ]
		remove_container
	done <<-'LIST'
		SCHED_OTHER 0 5
		SCHED_BATCH 0 0
		SCHED_IDLE 0 0
		SCHED_FIFO 7 0
		SCHED_RR 3 0
		SCHED_ISO 0 0
	LIST
	configure '.process.scheduler = { policy: "SCHED_DEADLINE", runtime: 10000000, deadline: 100000000, period: 200000000,
		flags: ["SCHED_FLAG_RESET_ON_FORK"] }'
	try_detached
	if [ "$status" -ne 0 ]; then
		contains "$output" "set scheduler"
		return
	fi
	contains "$(chrt --pid "$(pid_of)")" SCHED_DEADLINE 10000000/100000000/200000000
	remove_container
}

@test "execCPUAffinity is for exec" {
	[ "$(nproc)" -gt 1 ] || skip "needs two CPUs"
	idle_command
	configure '.process.execCPUAffinity = { initial: "0", final: "1" }'
	start_detached
	[ "$(proc_status "$(pid_of)" Cpus_allowed_list)" = "$(proc_status self Cpus_allowed_list)" ]
	[ "$(rt exec "$ID" sed -n 's/^Cpus_allowed_list:[[:space:]]*//p' /proc/self/status)" = 1 ]
	remove_container
	configure '.process.execCPUAffinity = { initial: "0" }'
	start_detached
	[ "$(rt exec "$ID" sed -n 's/^Cpus_allowed_list:[[:space:]]*//p' /proc/self/status)" = 0 ]
	remove_container
	configure '.process.execCPUAffinity = { final: "x" }'
	run_container
	refuses 1 process.execCPUAffinity.final
}

@test "labels of a security module that is off are refused by name" {
	floe_only
	[ ! -e /sys/module/apparmor/parameters/enabled ] || skip "AppArmor is on"
	command_is true
	configure '.process.apparmorProfile = "some-profile"'
	run_container
	refuses 1 process.apparmorProfile some-profile
	configure 'del(.process.apparmorProfile) | .process.selinuxLabel = "system_u:system_r:container_t:s0"'
	run_container
	refuses 1 process.selinuxLabel
	configure 'del(.process.selinuxLabel) | .linux.mountLabel = "system_u:object_r:container_file_t:s0"'
	run_container
	refuses 1 linux.mountLabel
	# "unconfined" is what everything is without a module.
	configure 'del(.linux.mountLabel) | .process.apparmorProfile = "unconfined"'
	run_container
	[ "$status" -eq 0 ]
}

@test "oom_score_adj is set in an exec, also into a user namespace" {
	needs_root "run without a user namespace, or with any mapping"
	user_namespace
	configure '.process.oomScoreAdj = 300'
	idle_command
	start_detached
	[ "$(cat "/proc/$(pid_of)/oom_score_adj")" = 300 ]
	[ "$(rt exec "$ID" cat /proc/self/oom_score_adj)" = 300 ]
	remove_container
}

@test "keep_original_groups leaves the caller's groups (crun)" {
	needs_root "have the groups that it chooses"
	configure '.process.user.additionalGids = [7] | .annotations = { "run.oci.keep_original_groups": "1" }'
	script_is 'id -G'
	run setpriv --groups 4,5 "$FLOE_RUNTIME" --root "$STATE" run --bundle "$BUNDLE" "$ID" </dev/null
	[ "$output" = "0 4 5" ]
	configure 'del(.annotations)'
	run setpriv --groups 4,5 "$FLOE_RUNTIME" --root "$STATE" run --bundle "$BUNDLE" "$ID" </dev/null
	[ "$output" = "0 7" ]
}

@test "the pidfd receiver gets a pidfd (crun)" {
	floe_only "the message differs"
	configure --arg path "$T/socket" '.annotations = { "run.oci.pidfd_receiver": $path }'
	idle_command
	"$FLOE_BUILD/tests/lib/agent" "$T/socket" "$T" 3>&- 4>&- &
	helpers+=($!)
	eventually test -S "$T/socket"
	create_container
	eventually test -s "$T/state.0"
	[ "$(find "/proc/${helpers[0]}/fd" -lname '*pidfd*' | wc -l)" -eq 1 ]
	remove_container
}

# --- linux --------------------------------------------------------------------------------------------------------------

@test "the personality is set, for init and for exec" {
	configure '.linux.personality = { domain: "LINUX32" }'
	idle_command
	start_detached
	[ "$(cat "/proc/$(pid_of)/personality")" = 00000008 ]
	[ "$(rt exec "$ID" uname -m)" = i686 ]
	remove_container
	configure '.linux.personality = { domain: "LINUX" }'
	script_is 'uname -m'
	run_container
	[ "$output" = "$(uname -m)" ]
	# Neither the specification nor the kernel has flags for it.
	configure '.linux.personality = { domain: "LINUX", flags: ["WHOLE_SECONDS"] }'
	run_container
	! is_floe || contains "$output" "linux.personality.flags" WHOLE_SECONDS
	configure '.linux.personality = { domain: "SOLARIS" }'
	run_container
	refuses 1 linux.personality.domain SOLARIS
}

@test "the memory policy is set, for init and for exec" {
	floe_only "1.3 of the specification"
	configure '.linux.memoryPolicy = { mode: "MPOL_BIND", nodes: "0", flags: ["MPOL_F_STATIC_NODES"] }'
	script_is 'head -n 1 /proc/self/numa_maps; while :; do sleep 0.1; done'
	start_detached
	eventually grep -q 'bind=static:0' "$T/$ID.out"
	[[ $(rt exec "$ID" head -n 1 /proc/self/numa_maps) == *"bind=static:0"* ]]
	remove_container
	script_is 'head -n 1 /proc/self/numa_maps'
	while read -r mode nodes flags expected; do
		configure --arg mode "$mode" --argjson nodes "$nodes" --argjson flags "$flags" \
			'.linux.memoryPolicy = { mode: $mode, nodes: $nodes, flags: $flags }'
		run_container
		if [ "$status" -ne 0 ]; then
			# Younger than the oldest kernels: 5.15 and 6.9; and where there is one node only.
			[[ $mode == MPOL_PREFERRED_MANY || $mode == MPOL_WEIGHTED_INTERLEAVE || $flags == *BALANCING* ]] || fail "$mode: $output"
			contains "$output" "set memory policy" || return 1
			continue
		fi
		contains "$output" " $expected " || fail "$mode"
	done <<-'LIST'
		MPOL_DEFAULT null [] default
		MPOL_LOCAL null [] local
		MPOL_PREFERRED "0" [] prefer:0
		MPOL_PREFERRED "0" ["MPOL_F_RELATIVE_NODES"] prefer=relative:0
		MPOL_BIND "0" [] bind:0
		MPOL_BIND "0" ["MPOL_F_NUMA_BALANCING"] bind=balancing:0
		MPOL_INTERLEAVE "0" [] interleave:0
		MPOL_PREFERRED_MANY "0" [] prefer (many):0
		MPOL_WEIGHTED_INTERLEAVE "0" [] weighted interleave:0
	LIST
	command_is true
	configure '.linux.memoryPolicy = {}'
	run_container
	[ "$status" -eq 0 ]
	for bad in '{ mode: "MPOL_NONE" }' '{ mode: "MPOL_BIND" }' '{ mode: "MPOL_LOCAL", nodes: "0" }' \
		'{ mode: "MPOL_BIND", nodes: "x" }' '{ mode: "MPOL_BIND", nodes: "0", flags: ["X"] }'; do
		configure ".linux.memoryPolicy = $bad"
		run_container
		refuses 1 linux.memoryPolicy
	done
	configure '.linux.memoryPolicy = { mode: "MPOL_BIND", nodes: "900" }'
	run_container
	refuses 1 "set memory policy"
}

@test "time offsets are in force, and exec is in that time" {
	needs_root "run without a user namespace, or with any mapping"
	floe_only "others lack time namespaces"
	configure '.linux.namespaces += [{ type: "time" }] | .linux.timeOffsets = { boottime: { secs: 1000000 } }'
	idle_command
	start_detached
	up=$(rt exec "$ID" cut -d. -f1 /proc/uptime)
	[ "$up" -ge 1000000 ]
	[ "$(rt exec "$ID" readlink /proc/self/ns/time)" = "$(readlink "/proc/$(pid_of)/ns/time")" ]
	[ "$(rt exec "$ID" readlink /proc/self/ns/time)" != "$(readlink /proc/self/ns/time)" ]
	remove_container
	# With a user namespace too.
	user_namespace
	script_is 'cut -d. -f1 /proc/uptime'
	run_container
	[ "$output" -ge 1000000 ]
	configure '.linux.namespaces |= map(select(.type != "time"))'
	run_container
	refuses 1 linux.timeOffsets
	configure '.linux.namespaces += [{ type: "time" }] | .linux.timeOffsets = { realtime: { secs: 1 } }'
	run_container
	refuses 1 linux.timeOffsets realtime
}

@test "network devices are moved into the container" {
	needs_root "make network devices"
	floe_only "1.3 of the specification"
	ip link add floe0 type veth peer name floe1
	ip address add 192.0.2.7/24 dev floe0
	configure '.linux.netDevices = { floe0: { name: "eth7" }, floe1: {} }'
	script_is 'ip -o addr show dev eth7; ip link show dev floe1'
	run_container
	[ "$status" -eq 0 ]
	contains "$output" "192.0.2.7/24" floe1 UP
	[[ $(ip link show) != *floe0* ]]
	command_is true
	configure '.linux.netDevices = { missing: {} }'
	run_container
	refuses 1 missing
	ip link add floe2 type veth peer name floe3
	configure '.linux.netDevices = { floe2: { name: "a/b" } }'
	run_container
	refuses 1 linux.netDevices
	configure '.linux.netDevices = { floe2: {} } | .linux.namespaces |= map(select(.type != "network"))
		| .mounts |= map(select(.type != "sysfs"))'
	run_container
	refuses 1 linux.netDevices
	ip link delete floe2
}

@test "intelRdt without resctrl is refused by name" {
	grep -q ' resctrl ' /proc/self/mountinfo && skip "resctrl is mounted here"
	command_is true
	configure '.linux.intelRdt = { closID: "gold", schemata: ["L3:0=f"] }'
	run_container
	refuses 1 linux.intelRdt resctrl
	[ ! -e "$STATE/$ID" ]
	configure '.linux.intelRdt = { closID: "../x" }'
	run_container
	refuses 1 linux.intelRdt.closID
}

@test "the container's user owns its cgroup, where it may write to it (version 2)" {
	needs_root "run without a user namespace, or with any mapping"
	is_cgroup_v2 || skip "this machine has no cgroup version 2"
	user_namespace
	configure '.linux.namespaces += [{ type: "cgroup" }] | .mounts |= map(select(.type != "cgroup"))
		| .mounts += [{ destination: "/sys/fs/cgroup", type: "cgroup", source: "cgroup", options: ["rw"] }]
		| .process.user.uid = 5'
	idle_command
	start_detached
	dir=/sys/fs/cgroup$(sed -n 's/^0:://p' "/proc/$(pid_of)/cgroup")
	[ "$(stat -c %u "$dir")" = 100005 ]
	[ "$(stat -c %u "$dir/cgroup.procs")" = 100005 ]
	[ "$(stat -c %u "$dir/memory.max")" = 0 ]
	rt exec "$ID" mkdir /sys/fs/cgroup/mine
	remove_container
	# Not when it is read-only.
	configure '(.mounts[] | select(.type == "cgroup")).options = ["ro"]'
	start_detached
	dir=/sys/fs/cgroup$(sed -n 's/^0:://p' "/proc/$(pid_of)/cgroup")
	[ "$(stat -c %u "$dir")" = 0 ]
	remove_container
}

@test "limits of controllers that this machine lacks are refused by name" {
	needs_root "have the controller hugetlb, which systemd does not delegate"
	command_is true
	for limit in '.network = { classID: 5 }' '.network = { priorities: [{ name: "lo", priority: 1 }] }' \
		'.rdma = { mlx5_1: { hcaHandles: 1 } }' '.memory = { swappiness: 200 }'; do
		configure "del(.linux.resources) | .linux.resources$limit"
		run_container
		[ "$status" -eq 1 ] || fail "$limit was passed over"
	done
	# On hybrid machines this controller is in the version 2 tree, and has no limit of that size.
	configure 'del(.linux.resources) | .linux.resources.hugepageLimits = [{ pageSize: "3MB", limit: 0 }]'
	run_container
	refuses 1 3MB
}

@test "limits of huge pages are set, of every size that the kernel has" {
	needs_root "have the controller hugetlb, which systemd does not delegate"
	limits='[]'
	for dir in /sys/kernel/mm/hugepages/hugepages-*; do
		[ -d "$dir" ] || skip "this kernel has no huge pages"
		size=$((${dir//[!0-9]/} * 1024))
		text=$(numfmt --to=iec --format=%.0f "$size")B
		limits=$(jq -c --arg s "$text" --argjson l "$((size * 3))" '. + [{ pageSize: $s, limit: $l }]' <<<"$limits")
	done
	configure --argjson limits "$limits" '.linux.resources.hugepageLimits = $limits'
	idle_command
	try_detached
	if ! grep -q '^hugetlb[[:space:]]' /proc/cgroups && ! grep -qw hugetlb /sys/fs/cgroup{,/unified}/cgroup.controllers 2>/dev/null; then
		[ "$status" -ne 0 ]
		skip "this kernel has no such controller"
	fi
	[ "$status" -eq 0 ] || fail "$output"
	dir=$(sed -n 's/^[0-9]*:hugetlb:/hugetlb/p' "/proc/$(pid_of)/cgroup")
	[ -n "$dir" ] || dir=$(sed -n 's/^0:://p' "/proc/$(pid_of)/cgroup")
	for base in /sys/fs/cgroup /sys/fs/cgroup/unified; do
		[ ! -d "$base$dir" ] || break
	done
	jq -r '.[] | "\(.pageSize) \(.limit)"' <<<"$limits" | while read -r size limit; do
		[ "$(cat "$base$dir/hugetlb.$size."{max,limit_in_bytes} 2>/dev/null)" = "$limit" ] || fail "$size: $base$dir"
	done
	remove_container
}

@test "real-time limits are set (version 1)" {
	[ -e /sys/fs/cgroup/cpu/cpu.rt_runtime_us ] || skip "this kernel has no real-time limits of cgroups"
	configure '.linux.resources.cpu = { realtimeRuntime: 1000, realtimePeriod: 500000 }'
	idle_command
	start_detached
	[ "$(cgroup_file "$(pid_of)" cpu.rt_runtime_us)" = 1000 ]
	[ "$(cgroup_file "$(pid_of)" cpu.rt_period_us)" = 500000 ]
	remove_container
}

@test "throttles of a device are set (version 1)" {
	[ -e /sys/fs/cgroup/blkio ] || skip "blkio is not a hierarchy of version 1 here"
	device=$(lsblk --noheadings --nodeps --output MAJ:MIN 2>/dev/null | head -n 1 | tr -d ' ')
	[ -n "$device" ] || skip "no block device"
	configure --arg d "$device" '($d | split(":") | map(tonumber)) as $n
		| { major: $n[0], minor: $n[1] } as $dev | .linux.resources.blockIO = {
			throttleReadBpsDevice: [$dev + { rate: 1000001 }], throttleWriteBpsDevice: [$dev + { rate: 1000002 }],
			throttleReadIOPSDevice: [$dev + { rate: 103 }], throttleWriteIOPSDevice: [$dev + { rate: 104 }] }'
	idle_command
	start_detached
	dir=/sys/fs/cgroup/blkio$(sed -n 's/^[0-9]*:blkio://p' "/proc/$(pid_of)/cgroup")
	[ "$(cat "$dir/blkio.throttle.read_bps_device")" = "$device 1000001" ]
	[ "$(cat "$dir/blkio.throttle.write_bps_device")" = "$device 1000002" ]
	[ "$(cat "$dir/blkio.throttle.read_iops_device")" = "$device 103" ]
	[ "$(cat "$dir/blkio.throttle.write_iops_device")" = "$device 104" ]
	remove_container
}

@test "throttles of a device are set (version 2)" {
	is_cgroup_v2 || skip "this machine has no cgroup version 2"
	grep -qw io /sys/fs/cgroup/cgroup.controllers || skip "no controller of block I/O"
	device=$(lsblk --noheadings --nodeps --output MAJ:MIN 2>/dev/null | head -n 1 | tr -d ' ')
	[ -n "$device" ] || skip "no block device"
	configure --arg d "$device" '($d | split(":") | map(tonumber)) as $n
		| { major: $n[0], minor: $n[1] } as $dev | .linux.resources.blockIO = {
			throttleReadBpsDevice: [$dev + { rate: 1000001 }], throttleWriteBpsDevice: [$dev + { rate: 1000002 }],
			throttleReadIOPSDevice: [$dev + { rate: 103 }], throttleWriteIOPSDevice: [$dev + { rate: 104 }] }'
	idle_command
	start_detached
	[ "$(cgroup_file "$(pid_of)" io.max)" = "$device rbps=1000001 wbps=1000002 riops=103 wiops=104" ]
	remove_container
}

@test "a memory limit below what is in use is refused, when that is to be checked" {
	script_is 'head -c 20000000 /dev/zero >/dev/shm/x; echo filled; while :; do sleep 0.1; done'
	configure '.linux.resources.memory = { limit: 134217728, swap: 134217728 }'
	start_detached
	eventually file_contains "$T/$ID.out" filled
	echo '{ "memory": { "limit": 8388608, "swap": 8388608, "checkBeforeUpdate": true } }' >"$T/limits"
	run rt update --resources "$T/limits" "$ID"
	[ "$status" -eq 1 ]
	! is_floe || contains "$output" "update container '$ID'" memory
	is_state running
	if is_cgroup_v2; then
		[ "$(cgroup_file "$(pid_of)" memory.max)" = 134217728 ]
	else
		[ "$(cgroup_file "$(pid_of)" memory.limit_in_bytes)" = 134217728 ]
	fi
	remove_container
}

# --- mounts -------------------------------------------------------------------------------------------------------------

# options_at PLACE: what is in force there, by the container's mountinfo.
options_at()
{
	sed -n "s|^[0-9 ]*[0-9:]* [^ ]* $1 \([^ ]*\) .*|\1|p" <<<"$output"
}

# bind_each SOURCE OPTION...: a bind mount for each, at /m/N, with further options that are joined by '+'.
bind_each()
{
	local source=$1 n=0 option
	shift
	for option; do
		# shellcheck disable=SC2086
		add_mount "/m/$n" bind "$source" ${option//+/ }
		n=$((n + 1))
	done
}

@test "every flag of a mount is set, and taken back by its opposite" {
	needs_root "clear flags of the machine's mounts"
	own_rootfs
	mkdir -p "$T/source"
	set_flags=(ro nosuid nodev noexec noatime nodiratime relatime nosymfollow rw)
	bind_each "$T/source" "${set_flags[@]/#/bind+}" bind+ro+rw bind+nosuid+suid bind+nodev+dev bind+noexec+exec \
		bind+noatime+atime bind+nodiratime+diratime bind+nosymfollow+symfollow
	command_is cat /proc/self/mountinfo
	run_container
	[ "$status" -eq 0 ] || fail "$output"
	n=0
	for flag in "${set_flags[@]}"; do
		[[ ,$(options_at /m/$n), == *,$flag,* ]] || fail "$flag: $(options_at /m/$n)"
		n=$((n + 1))
	done
	for flag in ro nosuid nodev noexec noatime nodiratime nosymfollow; do
		[[ -n $(options_at /m/$n) && ,$(options_at /m/$n), != *,$flag,* ]] || fail "no $flag: $(options_at /m/$n)"
		n=$((n + 1))
	done
}

@test "flags of file systems are set" {
	all_capabilities
	add_mount /mnt tmpfs tmpfs sync dirsync lazytime size=64k mode=700 nr_inodes=10
	command_is cat /proc/self/mountinfo
	run_container
	[ "$status" -eq 0 ]
	line=$(grep ' /mnt ' <<<"$output")
	contains "$line" sync dirsync lazytime size=64k mode=700 nr_inodes=10
}

@test "every mount option that features lists is taken" {
	needs_root "clear flags of the machine's mounts"
	floe_only "the list is its own"
	own_rootfs
	all_capabilities
	mkdir -p "$T/source"
	n=0
	for option in $(rt features | jq -r '.mountOptions[]'); do
		case $option in
		bind | rbind | idmap | ridmap | copy-symlink | remount) continue ;; # in tests of their own
		r*[!wo] | rro | rrw | *symfollow | *nofollow) add_mount "/m/$option" bind "$T/source" rbind "$option" ;;
		*) add_mount "/m/$option" tmpfs tmpfs "$option" ;;
		esac
		n=$((n + 1))
	done
	[ "$n" -gt 50 ]
	command_is cat /proc/self/mountinfo
	run_container
	[ "$status" -eq 0 ] || fail "$output"
	[ "$(grep -c ' /m/' <<<"$output")" -eq "$n" ]
	contains "$(options_at /m/ro)" ro
	contains "$(options_at /m/rro)" ro
	contains "$(options_at /m/nosymfollow)" nosymfollow
	[[ $(options_at /m/strictatime) != *relatime* ]]
}

# propagation_of PLACE: what mountinfo has of it, with the peer groups left out.
propagation_of()
{
	sed -En "s|^[0-9 ]*[0-9:]* [^ ]* $1 [^ ]* (.*)- .*|\1|p" <<<"$output" | sed 's/:[0-9]*//g; s/ $//'
}

@test "every kind of propagation is set, of mounts and of the root" {
	needs_root "mount file systems"
	floe_only "others leave the root private"
	own_rootfs
	command_is cat /proc/self/mountinfo
	mkdir -p "$T/source/below"
	mount -t tmpfs source "$T/source"
	mkdir "$T/source/below"
	mount -t tmpfs below "$T/source/below"
	mount --make-rshared "$T/source"
	for kind in private slave shared unbindable; do
		add_mount "/m/$kind" bind "$T/source" rbind $kind
		add_mount "/m/r$kind" bind "$T/source" rbind r$kind
	done
	# Slaves of the host's; otherwise what is shared would get the host's mounts too.
	configure '.linux.rootfsPropagation = "rslave"'
	run_container
	umount "$T/source/below" "$T/source"
	[ "$status" -eq 0 ] || fail "$output"
	while read -r kind one below; do
		[ "$(propagation_of "/m/$kind")" = "${one#-}" ] || fail "$kind: $(propagation_of "/m/$kind")"
		[ "$below" = any ] || [ "$(propagation_of "/m/$kind/below")" = "${below#-}" ] || fail "$kind: $(propagation_of "/m/$kind/below")"
	done <<-'LIST'
		private - any
		rprivate - -
		slave master any
		rslave master master
		unbindable unbindable any
		runbindable unbindable unbindable
	LIST
	for kind in shared rshared; do
		[[ $(propagation_of "/m/$kind") == *shared* ]] || fail "$kind"
	done
	[[ $(propagation_of /m/rshared/below) == *shared* ]]
	configure '.mounts |= map(select(.destination | startswith("/m/") | not))'
	for kind in private rprivate slave rslave shared rshared unbindable runbindable; do
		configure --arg k $kind '.linux.rootfsPropagation = $k'
		run_container
		[ "$status" -eq 0 ] || fail "$kind: $output"
		case $kind in
		*private | *slave) [[ $(propagation_of /) != *shared* && $(propagation_of /) != *unbindable* ]] ;;
		*shared) [[ $(propagation_of /) == *shared* ]] ;;
		*unbindable) [[ $(propagation_of /) == *unbindable* ]] ;;
		esac || fail "$kind: $(propagation_of /)"
	done
}

@test "a relative destination counts from the root, with a warning" {
	own_rootfs
	add_mount relative/place tmpfs tmpfs size=64k
	command_is cat /proc/self/mountinfo
	run_container
	[ "$status" -eq 0 ]
	contains "$output" " /relative/place "
	! is_floe || contains "$output" "is not absolute"
}

@test "recursive attributes reach the mounts below" {
	needs_root "mount file systems"
	own_rootfs
	mkdir -p "$T/source/below" "$T/other/below"
	mount -t tmpfs below "$T/source/below"
	mount -t tmpfs -o ro,nosuid below "$T/other/below"
	flags=(ro nosuid nodev noexec nodiratime noatime nosymfollow)
	bind_each "$T/source" "${flags[@]/#/rbind+r}"
	add_mount /other bind "$T/other" rbind rrw rsuid
	command_is cat /proc/self/mountinfo
	run_container
	umount "$T/source/below" "$T/other/below"
	[ "$status" -eq 0 ] || fail "$output"
	n=0
	for flag in "${flags[@]}"; do
		for place in /m/$n /m/$n/below; do
			[[ ,$(options_at $place), == *,$flag,* ]] || fail "$flag at $place: $(options_at $place)"
		done
		n=$((n + 1))
	done
	[[ ,$(options_at /other/below), == *,rw,* && ,$(options_at /other/below), != *,nosuid,* ]] || fail "$(options_at /other/below)"
}

@test "id-mapped mounts show the ids of the mapping" {
	needs_root "mount file systems"
	floe_only "others differ in what they take"
	mkdir -p "$T/source/below"
	touch "$T/source/file"
	chown 1000:1000 "$T/source/file"
	mount -t tmpfs below "$T/source/below"
	touch "$T/source/below/file"
	chown 1000:1000 "$T/source/below/file"
	script_is 'stat -c %u:%g /mnt/file /mnt/below/file'
	configure --arg source "$T/source" '{ containerID: 1000, hostID: 5000, size: 10 } as $map
		| .mounts += [{ destination: "/mnt", type: "bind", source: $source, options: ["rbind", "idmap"],
			uidMappings: [$map], gidMappings: [$map] }]'
	run_container
	[ "$output" = $'5000:5000\n1000:1000' ] || fail "$output"
	configure '.mounts[-1].options = ["rbind", "ridmap"]'
	run_container
	[ "$output" = $'5000:5000\n5000:5000' ] || fail "$output"
	# The container's own mapping.
	user_namespace
	chmod o+x "$T" "$T/source"
	configure '.mounts[-1] |= (del(.uidMappings, .gidMappings) | .options = ["rbind", "ridmap"])'
	run_container
	[ "$output" = $'1000:1000\n1000:1000' ] || fail "$output"
	# Without any.
	configure 'del(.linux.uidMappings, .linux.gidMappings) | .linux.namespaces |= map(select(.type != "user"))'
	run_container
	refuses 1 "mounts[" "idmap without a user namespace"
	umount "$T/source/below"
}

@test "tmpcopyup begins with what was there" {
	own_rootfs
	mkdir -p "$BUNDLE/rootfs/filled/sub"
	echo content >"$BUNDLE/rootfs/filled/sub/file"
	ln -s sub/file "$BUNDLE/rootfs/filled/link"
	add_mount /filled tmpfs tmpfs tmpcopyup
	script_is 'cat /filled/link; echo new >/filled/sub/file; cat /filled/link'
	run_container
	[ "$output" = $'content\nnew' ]
	[ "$(cat "$BUNDLE/rootfs/filled/sub/file")" = content ]
	configure '.mounts[-1].type = "ramfs"'
	run_container
	refuses 1 "tmpcopyup can be used only with tmpfs"
}

@test "a symlink as source is copied, taken as it is, or followed (crun)" {
	floe_only "crun's options"
	own_rootfs
	mkdir "$T/target"
	ln -s "$T/target" "$T/link"
	add_mount /copied bind "$T/link" bind copy-symlink
	script_is 'readlink /copied'
	run_container
	[ "$output" = "$T/target" ]
	configure '.mounts[-1] |= (.destination = "/followed" | .options = ["bind"])'
	touch "$T/target/file"
	script_is 'ls /followed'
	run_container
	[ "$output" = file ]
	configure '.mounts[-1] |= (.destination = "/data" | .options = ["bind", "src-nofollow"])'
	run_container
	[ "$status" -eq 1 ]
	ln -s /data "$BUNDLE/rootfs/alias"
	configure --arg source "$T/target" '.mounts[-1] |= (.destination = "/alias" | .source = $source | .options = ["bind", "dest-nofollow"])'
	run_container
	[ "$status" -eq 1 ]
}

@test "an option that contradicts the kind of mount is refused" {
	command_is true
	add_mount /mnt tmpfs tmpfs idmap
	run_container
	refuses 1 "mounts[" "only supported for bind mounts"
	configure '.mounts[-1] = { destination: "/mnt", type: "bind", source: "/tmp", options: ["bind"],
		uidMappings: [{ containerID: 0, hostID: 1, size: 1 }] }'
	run_container
	refuses 1 "mounts["
}

# --- documents of the runtime ----------------------------------------------------------------------------------------------

@test "features has every member of the specification" {
	floe_only "Debian's others lack it"
	rt features >"$T/features"
	jq -e '.ociVersionMin == "1.0.0" and (.ociVersionMax | test("^1\\.3\\."))
		and .hooks == ["prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"]
		and (.mountOptions == (.mountOptions | sort)) and (.mountOptions | index("rro") and index("idmap") and index("tmpcopyup"))' "$T/features"
	jq -e '.linux | (.namespaces | sort == ["cgroup", "ipc", "mount", "network", "pid", "time", "user", "uts"])
		and (.capabilities | index("CAP_SYS_ADMIN"))
		and (.cgroup | .v1 and .v2 and .rdma and has("systemd") and has("systemdUser"))
		and (.seccomp | .enabled and (.actions | index("SCMP_ACT_NOTIFY")) and (.operators | length == 7)
			and (.archs | index("SCMP_ARCH_X86_64")) and (.knownFlags | length >= 3)
			and ((.supportedFlags - .knownFlags) == []))
		and .apparmor.enabled and .selinux.enabled and .mountExtensions.idmap.enabled and .netDevices.enabled
		and (.intelRdt | .enabled and .schemata and .monitoring)
		and (.memoryPolicy.modes | length == 7) and (.memoryPolicy.flags | length == 3)' "$T/features"
	jq -e '.annotations["org.opencontainers.runc.checkpoint.enabled"] == "true"
		and .annotations["io.github.seccomp.libseccomp.version"]
		and (.potentiallyUnsafeConfigAnnotations | index("org.systemd.property.") and index("run.oci."))' "$T/features"
}

@test "the state has every member of the specification, in every state" {
	configure '.annotations = { a: "b" }'
	idle_command
	create_container
	for status in created running paused; do
		[ $status != running ] || rt start "$ID"
		[ $status != paused ] || rt pause "$ID"
		rt state "$ID" >"$T/document"
		jq -e --arg id "$ID" --arg bundle "$BUNDLE" --arg status $status \
			'.id == $id and .status == $status and .bundle == $bundle and .pid > 1 and .annotations == { a: "b" }
				and (.ociVersion | test("^1\\."))' "$T/document"
		! is_floe || jq -e --arg rootfs "$ROOTFS" '.rootfs == $rootfs and .owner == "" and (.created | endswith("Z"))' "$T/document"
	done
	rt resume "$ID"
	rt kill "$ID" KILL
	eventually is_state stopped
	[ "$(rt state "$ID" | jq .pid)" = 0 ]
	remove_container
}

# --- seccomp ------------------------------------------------------------------------------------------------------------

# kill(2)'s second argument, with the operator: the signals that are refused.
refused_signals()
{
	configure --argjson args "$1" '.linux.seccomp = { defaultAction: "SCMP_ACT_ALLOW",
		syscalls: [{ names: ["kill"], action: "SCMP_ACT_ERRNO", args: $args }] }'
	# A process that ignores all of them.
	script_is 'trap "" HUP INT USR1 USR2; for s in 1 2 10 12; do kill -$s $$ 2>/dev/null || echo -n "$s "; done'
	run_container
	[ "$status" -eq 0 ]
}

@test "seccomp has every operator" {
	refused_signals '[{ "index": 1, "value": 10, "op": "SCMP_CMP_EQ" }]'
	[ "$output" = "10 " ]
	refused_signals '[{ "index": 1, "value": 10, "op": "SCMP_CMP_NE" }]'
	[ "$output" = "1 2 12 " ]
	refused_signals '[{ "index": 1, "value": 10, "op": "SCMP_CMP_LT" }]'
	[ "$output" = "1 2 " ]
	refused_signals '[{ "index": 1, "value": 10, "op": "SCMP_CMP_LE" }]'
	[ "$output" = "1 2 10 " ]
	refused_signals '[{ "index": 1, "value": 10, "op": "SCMP_CMP_GT" }]'
	[ "$output" = "12 " ]
	refused_signals '[{ "index": 1, "value": 10, "op": "SCMP_CMP_GE" }]'
	[ "$output" = "10 12 " ]
	refused_signals '[{ "index": 1, "value": 8, "valueTwo": 8, "op": "SCMP_CMP_MASKED_EQ" }]'
	[ "$output" = "10 12 " ]
	# Several arguments must all match, of one index any.
	refused_signals '[{ "index": 1, "value": 10, "op": "SCMP_CMP_EQ" }, { "index": 2, "value": 1, "op": "SCMP_CMP_GE" },
		{ "index": 0, "value": 99, "op": "SCMP_CMP_EQ" }]'
	[ "$output" = "" ]
	refused_signals '[{ "index": 1, "value": 10, "op": "SCMP_CMP_EQ" }, { "index": 1, "value": 2, "op": "SCMP_CMP_EQ" }]'
	[ "$output" = "2 10 " ]
}

@test "seccomp has every action" {
	script_is 'mkdir /dev/shm/x; echo "after $?"'
	while read -r action expected; do
		configure --arg action "$action" '.linux.seccomp = { defaultAction: "SCMP_ACT_ALLOW",
			syscalls: [{ names: ["mkdir", "mkdirat"], action: $action }] }'
		run_container
		contains "$output" "after $expected"
	done <<-'LIST'
		SCMP_ACT_ALLOW 0
		SCMP_ACT_LOG 0
		SCMP_ACT_ERRNO 1
		SCMP_ACT_TRACE 1
		SCMP_ACT_TRAP 159
		SCMP_ACT_KILL 159
		SCMP_ACT_KILL_THREAD 159
		SCMP_ACT_KILL_PROCESS 159
	LIST
}

@test "seccomp flags are set, or refused by name" {
	script_is 'sed -n "s/^Seccomp:[[:space:]]*//p" /proc/self/status'
	for flags in '[]' '["SECCOMP_FILTER_FLAG_LOG"]' '["SECCOMP_FILTER_FLAG_SPEC_ALLOW"]' '["SECCOMP_FILTER_FLAG_TSYNC"]' \
		'["SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_SPEC_ALLOW"]'; do
		configure --argjson flags "$flags" '.linux.seccomp = { defaultAction: "SCMP_ACT_ALLOW", flags: $flags,
			syscalls: [{ names: ["mkdir"], action: "SCMP_ACT_ERRNO" }] }'
		run_container
		[ "$output" = 2 ] || fail "$flags: $output"
	done
	configure '.linux.seccomp.flags = ["SECCOMP_FILTER_FLAG_NONE"]'
	run_container
	refuses 1 linux.seccomp.flags SECCOMP_FILTER_FLAG_NONE
}

@test "a seccomp agent gets the listener and answers, for run, create and exec" {
	configure --arg path "$T/socket" '.linux.seccomp = { defaultAction: "SCMP_ACT_ALLOW", listenerPath: $path,
		listenerMetadata: "some words", flags: ["SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"],
		syscalls: [{ names: ["mkdir", "mkdirat"], action: "SCMP_ACT_NOTIFY" }] } | .annotations = { a: "b" }'
	is_floe || configure 'del(.linux.seccomp.flags)'
	"$FLOE_BUILD/tests/lib/agent" "$T/socket" "$T" 3>&- 4>&- &
	helpers+=($!)
	eventually test -S "$T/socket"
	script_is 'mkdir /dev/shm/x; while :; do sleep 0.1; done'
	start_detached
	eventually grep -q "Exchange full" "$T/$ID.err"
	eventually jq -e . "$T/state.0"
	[ "$(jq -r '.fds[0]' "$T/state.0")" = seccompFd ]
	[ "$(jq -r '.metadata' "$T/state.0")" = "some words" ]
	[ "$(jq -r '.pid' "$T/state.0")" = "$(pid_of)" ]
	[ "$(jq -r '.state.id' "$T/state.0")" = "$ID" ]
	[ "$(jq -r '.state.status' "$T/state.0")" = creating ]
	[ "$(jq -r '.state.bundle' "$T/state.0")" = "$BUNDLE" ]
	[ "$(jq -r '.state.annotations.a' "$T/state.0")" = b ]
	run rt exec "$ID" mkdir /dev/shm/y
	contains "$output" "Exchange full"
	eventually jq -e . "$T/state.1"
	[ "$(jq -r '.state.status' "$T/state.1")" = running ]
	remove_container
	# Without no_new_privs the filter is in force from before the change of user on.
	configure '.process.noNewPrivileges = false | .process.user = { uid: 1000, gid: 1000 }'
	script_is 'mkdir /dev/shm/x'
	create_container
	rt start "$ID"
	eventually is_state stopped
	grep -q "Exchange full" "$T/$ID.err"
	rt delete "$ID"
	# Nobody listens.
	configure '.linux.seccomp.listenerPath = "/no/such/socket"'
	run_container
	refuses 1 /no/such/socket
	configure 'del(.linux.seccomp.listenerPath)'
	run_container
	refuses 1 linux.seccomp.listenerPath
}

@test "the seccomp agent may be named by annotation or environment (crun)" {
	configure '.linux.seccomp = { defaultAction: "SCMP_ACT_ALLOW",
		syscalls: [{ names: ["mkdir", "mkdirat"], action: "SCMP_ACT_NOTIFY" }] }'
	"$FLOE_BUILD/tests/lib/agent" "$T/socket" "$T" 3>&- 4>&- &
	helpers+=($!)
	eventually test -S "$T/socket"
	script_is 'mkdir /dev/shm/x'
	RUN_OCI_SECCOMP_RECEIVER=$T/socket run_container
	contains "$output" "Exchange full"
	configure --arg path "$T/socket" '.annotations = { "run.oci.seccomp.receiver": $path }'
	idle_command
	start_detached
	run rt exec "$ID" mkdir /dev/shm/x
	contains "$output" "Exchange full"
	remove_container
	configure '.annotations = { "run.oci.seccomp.receiver": "relative" }'
	run_container
	refuses 1 run.oci.seccomp.receiver relative
}

@test "an unknown system call is refused when that is asked for (crun)" {
	command_is true
	configure '.linux.seccomp = { defaultAction: "SCMP_ACT_ALLOW",
		syscalls: [{ names: ["mkdir", "no_such_call"], action: "SCMP_ACT_ERRNO" }] }
		| .annotations = { "run.oci.seccomp_fail_unknown_syscall": "1" }'
	run_container
	refuses 1 "linux.seccomp.syscalls[0].names[1]" no_such_call
	configure 'del(.annotations)'
	run_container
	[ "$status" -eq 0 ]
}

@test "a seccomp program is taken as it is (crun)" {
	floe_only "crun's is experimental"
	# ld [0]; jeq #mkdir, 1; ret ALLOW; ret ERRNO|28 - and the same for mkdirat
	program=$(printf '%b' \
		'\x20\x00\x00\x00\x00\x00\x00\x00' \
		'\x15\x00\x02\x00\x53\x00\x00\x00' \
		'\x15\x00\x01\x00\x02\x01\x00\x00' \
		'\x06\x00\x00\x00\x00\x00\xff\x7f' \
		'\x06\x00\x00\x00\x1c\x00\x05\x00' | base64 -w 0)
	[ "$(uname -m)" = x86_64 ] || skip "the program has the numbers of x86_64"
	configure --arg program "$program" '.annotations = { "run.oci.seccomp_bpf_data": $program }'
	script_is 'mkdir /dev/shm/x; sed -n "s/^Seccomp:[[:space:]]*//p" /proc/self/status'
	run_container
	contains "$output" "No space left on device"
	[ "${lines[-1]}" = 2 ]
	configure '.annotations = { "run.oci.seccomp_bpf_data": "AAAA" }'
	run_container
	refuses 1 run.oci.seccomp_bpf_data
}

@test "annotations that ask for what is not here are refused by name" {
	floe_only
	command_is true
	configure '.annotations = { "run.oci.handler": "krun" }'
	run_container
	refuses 1 run.oci.handler krun
	configure '.annotations = { "run.oci.seccomp.plugins": "a.so" }'
	run_container
	refuses 1 run.oci.seccomp.plugins
	configure '.annotations = { "module.wasm.image/variant": "compat" }'
	run_container
	[ "$status" -eq 0 ]
	contains "$output" module.wasm.image/variant
	configure '.annotations = { "run.oci.systemd.subgroup": "x", "run.oci.delegate-cgroup": "y" }'
	run_container
	[ "$status" -eq 0 ]
	contains "$output" run.oci.systemd.subgroup run.oci.delegate-cgroup
	configure '.annotations = { "run.oci.mount_context_type": "nonsense" }'
	run_container
	refuses 1 run.oci.mount_context_type
}

@test "keys in other letters count, as with runc" {
	is_floe || [ "$RUNTIME_NAME" = runc ] || skip "crun passes them over"
	configure '.root = { Path: .root.path, READONLY: true } | .process.oomscoreadj = 77'
	script_is 'cat /proc/self/oom_score_adj; touch /file'
	run_container
	[ "$status" -ne 0 ]
	contains "$output" 77 "Read-only file system"
}
