#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# pause, resume, ps, events, update, and what kill, delete and list do with more than one container.

load ../lib/helpers

# A container whose processes do nothing but can be told apart.
family()
{
	script_is 'sh -c "while :; do sleep 0.1; done" & while :; do sleep 0.1; done'
}

# limit FILE: of the container's cgroup.
limit()
{
	cgroup_file "$(pid_of)" "$1"
}

pids_limit()
{
	limit pids.max
}

memory_limit()
{
	if is_cgroup_v2; then
		limit memory.max
	else
		limit memory.limit_in_bytes
	fi
}

# --- pause and resume ---------------------------------------------------------------------------------------------------

@test "a paused container stands still until it is resumed" {
	own_rootfs
	# shellcheck disable=SC2016 # for the shell of the container
	script_is 'i=0; while :; do i=$((i + 1)); echo $i >/count; sleep 0.02; done'
	start_detached
	eventually [ -s "$BUNDLE/rootfs/count" ]
	rt pause "$ID"
	[ "$(state_of)" = paused ]
	stands_still cat "$BUNDLE/rootfs/count"
	before=$(cat "$BUNDLE/rootfs/count")
	rt resume "$ID"
	[ "$(state_of)" = running ]
	changed()
	{
		local now
		now=$(cat "$BUNDLE/rootfs/count")
		[ "$now" ] && [ "$now" != "$before" ]
	}
	eventually changed
	remove_container
}

@test "pause and resume of containers in other states are refused" {
	idle_command
	start_detached
	run rt resume "$ID"
	refuses 1 "$ID" running
	rt pause "$ID"
	run rt pause "$ID"
	refuses 1 "$ID" paused
	remove_container
	run rt pause "$ID"
	refuses 1 "does not exist"
}

@test "a created container can be paused, and is created again when it goes on" {
	[ "$RUNTIME_NAME" != crun ] || skip "with crun it is created all the time"
	command_is true
	create_container
	rt pause "$ID"
	[ "$(state_of)" = paused ]
	run rt start "$ID"
	refuses 1 "cannot start a container in the paused state"
	rt resume "$ID"
	[ "$(state_of)" = created ]
	rt start "$ID"
	eventually is_state stopped
	rt delete "$ID"
}

@test "a paused container can be killed and deleted" {
	idle_command
	start_detached
	rt pause "$ID"
	rt kill "$ID" KILL
	eventually is_state stopped
	rt delete "$ID"
	new_id other
	start_detached
	rt pause "$ID"
	rt delete --force "$ID"
	run rt state "$ID"
	[ "$status" -eq 1 ]
}

# --- ps -----------------------------------------------------------------------------------------------------------------

@test "ps prints the processes of the container" {
	family
	start_detached
	pid=$(pid_of)
	has_two()
	{
		[ "$(rt ps --format json "$ID" | jq 'length >= 2')" = true ]
	}
	eventually has_two
	rt ps -f json "$ID" | jq -e --argjson pid "$pid" 'type == "array" and (index($pid) != null)'
	run rt ps "$ID"
	[ "$status" -eq 0 ]
	contains "${lines[0]}" PID CMD
	contains "$output" " $pid "
	# Nothing of the host.
	[[ $output != *" $$ "* ]]
	remove_container
}

@test "ps hands its further arguments to ps(1)" {
	idle_command
	start_detached
	run rt ps "$ID" -o pid,args
	[ "$status" -eq 0 ]
	[[ ${lines[0]} =~ ^\ *PID\ +COMMAND$ ]]
	contains "$output" "$(pid_of) sh -c"
	run rt ps "$ID" -o args
	refuses 1 "PID"
	remove_container
}

# --- events -------------------------------------------------------------------------------------------------------------

@test "events --stats prints one document" {
	floe_only "crun has no events"
	configure '.linux.resources.memory = { limit: 67108864 } | .linux.resources.pids = { limit: 40 }'
	idle_command
	start_detached
	run rt events --stats "$ID"
	[ "$status" -eq 0 ]
	[ "${#lines[@]}" -eq 1 ]
	jq -e --arg id "$ID" '.type == "stats" and .id == $id and .data.cpu.usage.total > 0
		and .data.memory.usage.limit == 67108864 and .data.memory.usage.usage > 0
		and (.data.memory.raw | length > 5)
		and .data.pids.limit == 40 and .data.pids.current >= 1
		and (.data | has("cpuset") and has("blkio") and has("hugetlb") and has("intel_rdt")
			and has("network_interfaces"))' <<<"$output"
	remove_container
	run rt events --stats "$ID"
	refuses 1 "does not exist"
}

@test "events reports at the interval and ends with the container" {
	floe_only "crun has no events"
	idle_command
	start_detached
	"$FLOE_RUNTIME" --root "$STATE" events --interval 100ms "$ID" >"$T/events" 2>&1 3>&- &
	events=$!
	three_lines()
	{
		[ "$(wc -l <"$T/events")" -ge 3 ]
	}
	eventually three_lines
	rt kill "$ID" KILL
	ends_with 0 $events
	jq -es 'map(.type == "stats") | all' "$T/events"
	run rt events --stats "$ID"
	refuses 1 "container with id $ID is not running"
	remove_container
}

# As the events of a cgroup of version 1 or 2 come; asleep, since it has the descriptor before it has asked for any.
waits_for_oom()
{
	find "/proc/$1/fd" -printf '%l\n' | grep -qE 'eventfd|inotify' && [[ $(proc_status "$1" State) == S* ]]
}

# The container's script takes its memory when events follows it.
follow_to_oom()
{
	start_detached
	"$FLOE_RUNTIME" --root "$STATE" events --interval 1h "$ID" >"$T/events" 2>&1 3>&- &
	events=$!
	eventually waits_for_oom $events
	rt exec "$ID" touch /dev/shm/go
	eventually file_contains "$T/events" oom
}

@test "events reports processes that were killed for want of memory" {
	floe_only "crun has no events"
	configure '.linux.resources.memory = { limit: 16777216, swap: 16777216 }'
	script_is 'while [ ! -e /dev/shm/go ]; do sleep 0.05; done
		head -c 100000000 /dev/zero | tail; while :; do sleep 0.1; done'
	follow_to_oom
	jq -e --arg id "$ID" '. == { type: "oom", id: $id }' "$T/events"
	# The kernel may have taken the shell too.
	rt kill "$ID" KILL || is_state stopped
	ends_with 0 $events
	remove_container
}

@test "events reports processes that wait for memory since nothing may be killed (version 1)" {
	floe_only "crun has no events"
	! is_cgroup_v2 || skip "this machine has cgroup version 2"
	# What writes to its own memory waits; what the kernel writes for it would fail (awk, not tail).
	configure '.linux.resources.memory = { limit: 16777216, swap: 16777216, disableOOMKiller: true }'
	script_is 'while [ ! -e /dev/shm/go ]; do sleep 0.05; done
		awk "BEGIN { text = 1; while (1) text = text text }"; while :; do sleep 0.1; done'
	follow_to_oom
	rt kill "$ID" KILL
	ends_with 0 $events
	jq -es --arg id "$ID" 'unique == [{ type: "oom", id: $id }]' "$T/events"
	remove_container
}

# --- update -------------------------------------------------------------------------------------------------------------

@test "update changes limits by options, with units" {
	configure '.linux.resources.pids = { limit: 40 }'
	idle_command
	start_detached
	rt update --memory 64m "$ID"
	[ "$(memory_limit)" = 67108864 ]
	[ "$(pids_limit)" = 40 ]
	rt update --pids-limit 30 "$ID"
	[ "$(pids_limit)" = 30 ]
	[ "$(memory_limit)" = 67108864 ]
	remove_container
}

@test "update of memory without swap lifts both when there is to be no limit" {
	configure '.linux.resources.memory = { limit: 67108864, swap: 134217728 }'
	idle_command
	start_detached
	rt update --memory -1 "$ID"
	if is_cgroup_v2; then
		[ "$(memory_limit)" = max ]
		[ "$(limit memory.swap.max)" = max ]
	else
		[ "$(memory_limit)" -gt 1000000000000 ]
		[ "$(limit memory.memsw.limit_in_bytes)" -gt 1000000000000 ]
	fi
	remove_container
}

@test "update of every other limit" {
	configure '.linux.resources.memory = { limit: 134217728 } | .linux.resources.cpu = { cpus: "0" }'
	idle_command
	start_detached
	rt update --memory-reservation 32m --cpuset-mems 0 "$ID"
	if is_cgroup_v2; then
		[ "$(limit memory.low)" = 33554432 ]
	else
		[ "$(limit memory.soft_limit_in_bytes)" = 33554432 ]
	fi
	[ "$(limit cpuset.cpus)" = 0 ]
	if [ "$(nproc)" -gt 1 ]; then
		rt update --cpuset-cpus 0-1 "$ID"
		[ "$(limit cpuset.cpus)" = 0-1 ]
	fi
	run rt update --cpu-quota 50000 --cpu-period 100000 "$ID"
	[ "$status" -eq 0 ]
	# What the kernel of this machine may lack is done, or refused by name.
	while read -r option value file file_v2; do
		run rt update "$option" "$value" "$ID"
		[ "$status" -eq 0 ] || refuses 1 "update container '$ID'"
		! is_cgroup_v2 || file=$file_v2
		# systemd has properties of its own for some, and makes of them what it likes.
		if [ "$status" -eq 0 ] && ! is_systemd_driver && now=$(limit "$file" 2>/dev/null); then
			[ "${now##* }" = "$value" ] || fail "$option $value: $file is $now"
		fi
	done <<-'LIST'
		--blkio-weight 500 blkio.bfq.weight io.bfq.weight
		--cpu-rt-period 900000 cpu.rt_period_us none
		--cpu-rt-runtime 0 cpu.rt_runtime_us none
		--cpu-burst 1000 cpu.cfs_burst_us cpu.max.burst
		--cpu-idle 1 cpu.idle cpu.idle
		--cpu-idle 0 cpu.idle cpu.idle
	LIST
	remove_container
}

@test "update of one of quota and period keeps the other" {
	configure '.linux.resources.cpu = { quota: 20000, period: 100000, shares: 512 }'
	idle_command
	start_detached
	rt update --cpu-quota 30000 "$ID"
	if is_cgroup_v2; then
		[ "$(limit cpu.max)" = "30000 100000" ]
	else
		[ "$(limit cpu.cfs_quota_us)" = 30000 ]
		[ "$(limit cpu.cfs_period_us)" = 100000 ]
		[ "$(limit cpu.shares)" = 512 ]
	fi
	rt update --cpu-period 50000 --cpu-share 256 "$ID"
	if is_cgroup_v2; then
		[ "$(limit cpu.max)" = "30000 50000" ]
	else
		[ "$(limit cpu.cfs_quota_us)" = 30000 ]
		[ "$(limit cpu.cfs_period_us)" = 50000 ]
		[ "$(limit cpu.shares)" = 256 ]
	fi
	remove_container
}

@test "update reads a document from a file and from standard input" {
	idle_command
	start_detached
	echo '{ "pids": { "limit": 25 } }' >"$T/resources.json"
	rt update --resources "$T/resources.json" "$ID"
	[ "$(pids_limit)" = 25 ]
	rt update --resources=- "$ID" <<<'{ "pids": { "limit": 26 }, "devices": [ { "allow": true, "access": "rwm" } ] }'
	[ "$(pids_limit)" = 26 ]
	run rt update -r - "$ID" <<<'{ "pids": { "limit": "many" } }'
	refuses 1 pids.limit
	run rt update -r "$T/none" "$ID"
	refuses 1 "$T/none"
	remove_container
}

@test "what update changed is the base of the next update" {
	configure '.linux.resources.memory = { limit: 67108864, swap: 67108864 }'
	idle_command
	start_detached
	rt update --memory-swap 256m "$ID"
	rt update --memory 128m "$ID"
	[ "$(memory_limit)" = 134217728 ]
	if is_cgroup_v2; then
		[ "$(limit memory.swap.max)" = 134217728 ]
	else
		[ "$(limit memory.memsw.limit_in_bytes)" = 268435456 ]
	fi
	remove_container
}

@test "an update that fails changes nothing" {
	configure '.linux.resources.pids = { limit: 40 } | .linux.resources.memory = { limit: 67108864 }'
	idle_command
	start_detached
	run rt update --pids-limit 20 --memory 128m --cpuset-cpus 100000 "$ID"
	refuses 1 cpus
	[ "$(pids_limit)" = 40 ]
	[ "$(memory_limit)" = 67108864 ]
	# Nor does it count as said for the next one.
	rt update --pids-limit 41 "$ID"
	[ "$(memory_limit)" = 67108864 ]
	[ "$(pids_limit)" = 41 ]
	remove_container
}

@test "an update that fails takes back a limit that was not there before" {
	idle_command
	start_detached
	before=$(pids_limit)
	run rt update --pids-limit 20 --cpuset-cpus 100000 "$ID"
	[ "$status" -eq 1 ]
	[ "$(pids_limit)" = "$before" ]
	remove_container
}

@test "update says what it cannot do" {
	idle_command
	create_container
	if ! grep -q ' resctrl ' /proc/self/mountinfo; then
		run rt update --l3-cache-schema 'L3:0=f' "$ID"
		refuses 1 "update container '$ID'" "no resctrl"
		run rt update --mem-bw-schema 'MB:0=50' --pids-limit 77 "$ID"
		refuses 1 "update container '$ID'" "no resctrl"
		[ "$(limit pids.max)" != 77 ]
	fi
	run rt update --memory 5x "$ID"
	refuses 1 "5x" --memory
	remove_container
	run rt update --pids-limit 5 "$ID"
	refuses 1 "does not exist"
}

@test "kernel memory has no limit any more, which is said" {
	floe_only
	idle_command
	create_container
	run rt update --kernel-memory 10m "$ID"
	[ "$status" -eq 0 ]
	contains "$output" level=warning kernel-memory
	remove_container
}

# --- more than one ------------------------------------------------------------------------------------------------------

@test "kill and delete take a regular expression (crun)" {
	[ "$RUNTIME_NAME" != runc ] || skip "crun's option"
	idle_command
	for name in one two other; do
		new_id $name
		start_detached
	done
	rt kill --regex "^$PREFIX-(one|two)\$" KILL
	eventually is_state stopped "$PREFIX-one"
	eventually is_state stopped "$PREFIX-two"
	[ "$(state_of "$PREFIX-other")" = running ]
	rt delete --regex "^$PREFIX-(one|two)\$"
	[ "$(rt list -q)" = "$PREFIX-other" ]
	run rt delete --force --regex '('
	[ "$status" -eq 1 ]
	rt delete -f -r "$PREFIX"
	[ -z "$(rt list -q)" ]
}

@test "kill with an empty signal sends SIGTERM, as without one" {
	[ "$RUNTIME_NAME" != crun ] || skip "crun knows no empty signal"
	idle_command
	start_detached
	rt kill "$ID" ""
	eventually is_state stopped
	rt delete "$ID"
}

@test "kill --all reaches every process of the container, and is no error when there is none" {
	own_rootfs
	script_is 'trap "echo one >>/got" USR1
		sh -c "trap \"echo two >>/got\" USR1; touch /ready; while :; do sleep 0.05; done" &
		while :; do sleep 0.05; done'
	start_detached
	eventually [ -e "$BUNDLE/rootfs/ready" ]
	rt kill --all "$ID" USR1
	both()
	{
		[ "$(sort -u "$BUNDLE/rootfs/got" 2>/dev/null | tr '\n' ' ')" = "one two " ]
	}
	eventually both
	rt kill "$ID" KILL
	eventually is_state stopped
	rt kill --all "$ID" KILL
	rt delete "$ID"
}

@test "list leaves out a container that it cannot read, with a warning" {
	floe_only "others differ in what they print"
	idle_command
	new_id good
	create_container
	new_id bad
	create_container
	cp "$STATE/$ID/state.json" "$T/state.json"
	echo '{ "id": 5' >"$STATE/$ID/state.json"
	run rt list --format json
	[ "$status" -eq 0 ]
	contains "$output" level=warning "$PREFIX-bad" "$PREFIX-good"
	[ "$(rt list --format json 2>/dev/null | jq -r '.[].id')" = "$PREFIX-good" ]
	cp "$T/state.json" "$STATE/$ID/state.json"
	remove_container "$PREFIX-good"
	remove_container "$PREFIX-bad"
}
