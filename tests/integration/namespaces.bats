#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# The eight kinds of namespace: new, shared with the host, joined by path.

load ../lib/helpers

namespace_of()
{
	readlink "/proc/$1/ns/$2"
}

# What the spec calls a namespace, and what /proc/PID/ns calls it.
file_of()
{
	case $1 in
	network) echo net ;;
	mount) echo mnt ;;
	*) echo "$1" ;;
	esac
}

@test "the default configuration gives new pid, network, ipc, uts and mount namespaces" {
	needs_root "run without a user namespace, or with any mapping"
	idle_command
	start_detached
	pid=$(pid_of)
	for kind in pid net ipc uts mnt; do
		[ "$(namespace_of "$pid" $kind)" != "$(namespace_of self $kind)" ] || fail "$kind is the host's"
	done
	for kind in user cgroup; do
		[ "$(namespace_of "$pid" $kind)" = "$(namespace_of self $kind)" ] || fail "$kind is not the host's"
	done
	remove_container
}

@test "a cgroup namespace shows the container's cgroup as the root" {
	configure '.linux.namespaces += [{ type: "cgroup" }]'
	script_is 'cut -d: -f3 /proc/self/cgroup | sort -u'
	run_container
	[ "$status" -eq 0 ]
	[ "$output" = / ]
}

@test "a time namespace has the offsets that are asked for" {
	floe_only "Debian's others lack time namespaces"
	configure '.linux.namespaces += [{ type: "time" }]
		| .linux.timeOffsets = { boottime: { secs: 1000000, nanosecs: 0 }, monotonic: { secs: 5000 } }'
	script_is 'cut -d. -f1 /proc/uptime; cat /proc/self/timens_offsets'
	host=$(cut -d. -f1 /proc/uptime)
	run_container
	[ "$status" -eq 0 ]
	[ "${lines[0]}" -ge $((host + 1000000)) ]
	[ "${lines[0]}" -lt $((host + 1000100)) ]
	[[ ${lines[1]} =~ ^monotonic\ +5000\ +0 ]]
	[[ ${lines[2]} =~ ^boottime\ +1000000\ +0 ]]
}

@test "a user namespace has the mappings that are asked for" {
	needs_root "run without a user namespace, or with any mapping"
	configure '.linux.namespaces += [{ type: "user" }]
		| .linux.uidMappings = [{ containerID: 0, hostID: 100000, size: 1000 }]
		| .linux.gidMappings = [{ containerID: 0, hostID: 200000, size: 1000 }]'
	script_is 'id -u; id -g; cat /proc/self/uid_map; cat /proc/self/gid_map; while :; do sleep 0.1; done'
	chmod o+x "$BATS_RUN_TMPDIR" "$BATS_FILE_TMPDIR" 2>/dev/null || :
	start_detached
	eventually file_contains "$T/$ID.out" 200000
	pid=$(pid_of)
	[ "$(proc_status "$pid" Uid)" = $'100000\t100000\t100000\t100000' ]
	[ "$(proc_status "$pid" Gid)" = $'200000\t200000\t200000\t200000' ]
	[ "$(namespace_of "$pid" user)" != "$(namespace_of self user)" ]
	[ "$(head -n 2 "$T/$ID.out" | tr '\n' ' ')" = "0 0 " ]
	[[ $(sed -n 3p "$T/$ID.out") =~ ^\ *0\ +100000\ +1000$ ]]
	[[ $(sed -n 4p "$T/$ID.out") =~ ^\ *0\ +200000\ +1000$ ]]
	remove_container
}

@test "all eight namespaces at once" {
	needs_root "run without a user namespace, or with any mapping"
	floe_only "Debian's others lack time namespaces"
	chmod o+x "$BATS_RUN_TMPDIR" "$BATS_FILE_TMPDIR" 2>/dev/null || :
	configure '.linux.namespaces += [{ type: "user" }, { type: "cgroup" }, { type: "time" }]
		| .linux.uidMappings = [{ containerID: 0, hostID: 100000, size: 1000 }]
		| .linux.gidMappings = [{ containerID: 0, hostID: 100000, size: 1000 }]'
	idle_command
	start_detached
	pid=$(pid_of)
	for kind in pid net ipc uts mnt user cgroup time; do
		[ "$(namespace_of "$pid" $kind)" != "$(namespace_of self $kind)" ] || fail "$kind is the host's"
	done
	remove_container
}

@test "namespaces that are not listed are the host's" {
	needs_root "run without a user namespace, or with any mapping"
	configure '.linux.namespaces = [{ type: "mount" }] | del(.hostname)
		| .mounts |= map(select(.type != "sysfs" and .type != "mqueue"))'
	idle_command
	start_detached
	pid=$(pid_of)
	for kind in pid net ipc uts; do
		[ "$(namespace_of "$pid" $kind)" = "$(namespace_of self $kind)" ] || fail "$kind is not the host's"
	done
	rt kill "$ID" KILL
	eventually is_state stopped
	rt delete "$ID"
}

@test "network, ipc, uts and cgroup namespaces are joined by path" {
	needs_root "make namespaces outside a user namespace"
	unshare --net --ipc --uts --cgroup sleep 1000 3>&- 4>&- &
	holder=$!
	eventually test "$(cat /proc/$holder/comm)" = sleep || eventually grep -q sleep /proc/$holder/comm
	for type in network ipc uts cgroup; do
		kind=$(file_of $type)
		configure --arg type $type --arg path "/proc/$holder/ns/$kind" \
			'.linux.namespaces |= (map(select(.type != $type)) + [{ type: $type, path: $path }])'
	done
	idle_command
	start_detached
	pid=$(pid_of)
	for kind in net ipc uts cgroup; do
		[ "$(namespace_of "$pid" $kind)" = "$(namespace_of $holder $kind)" ] || fail "$kind was not joined"
	done
	# The host name is set in the namespace that was given.
	[ "$(nsenter --target $holder --uts hostname)" = contained ]
	remove_container
	kill $holder
	wait $holder || :
}

@test "a pid namespace is joined by path" {
	needs_root "make namespaces outside a user namespace"
	unshare --pid --fork sleep 1000 3>&- 4>&- &
	unshare=$!
	eventually pgrep -P $unshare
	holder=$(pgrep -P $unshare)
	configure --arg path "/proc/$holder/ns/pid" \
		'.linux.namespaces |= (map(select(.type != "pid")) + [{ type: "pid", path: $path }])'
	idle_command
	start_detached
	[ "$(namespace_of "$(pid_of)" pid)" = "$(namespace_of "$holder" pid)" ]
	[ "$(awk '/^NSpid/ { print $NF }' "/proc/$(pid_of)/status")" -gt 1 ]
	remove_container
	kill -KILL "$holder"
	wait $unshare || :
}

@test "a user namespace is joined by path" {
	needs_root "run without a user namespace, or with any mapping"
	[ "$RUNTIME_NAME" != runc ] || skip "Debian's runc wants mappings as well"
	chmod o+x "$BATS_RUN_TMPDIR" "$BATS_FILE_TMPDIR" 2>/dev/null || :
	unshare --user sleep 1000 3>&- 4>&- &
	holder=$!
	eventually grep -q sleep /proc/$holder/comm
	echo "0 100000 1000" >/proc/$holder/uid_map
	echo "0 100000 1000" >/proc/$holder/gid_map
	configure --arg path "/proc/$holder/ns/user" '.linux.namespaces += [{ type: "user", path: $path }]'
	[ "$RUNTIME_NAME" != crun ] || configure '.linux.uidMappings = [{ containerID: 0, hostID: 100000, size: 1000 }]
		| .linux.gidMappings = [{ containerID: 0, hostID: 100000, size: 1000 }]'
	idle_command
	start_detached
	[ "$(namespace_of "$(pid_of)" user)" = "$(namespace_of $holder user)" ]
	[ "$(proc_status "$(pid_of)" Uid)" = $'100000\t100000\t100000\t100000' ]
	remove_container
	kill $holder
	wait $holder || :
}

@test "a new user namespace goes with namespaces of the host that are joined by path" {
	needs_root "make namespaces outside a user namespace"
	floe_only "runc cannot exec into it"
	chmod o+x "$BATS_RUN_TMPDIR" "$BATS_FILE_TMPDIR" 2>/dev/null || :
	unshare --net --uts sleep 1000 3>&- 4>&- &
	holder=$!
	eventually grep -q sleep "/proc/$holder/comm"
	for type in network uts; do
		configure --arg type $type --arg path "/proc/$holder/ns/$(file_of $type)" \
			'.linux.namespaces |= (map(select(.type != $type)) + [{ type: $type, path: $path }])'
	done
	# Only who owns the network namespace may mount its sysfs, only who owns the uts namespace may name it.
	configure 'del(.hostname) | .linux.namespaces += [{ type: "user" }]
		| .linux.uidMappings = [{ containerID: 0, hostID: 100000, size: 1000 }] | .linux.gidMappings = .linux.uidMappings
		| .mounts |= map(if .type == "sysfs" then
			{ destination: "/sys", type: "none", source: "/sys", options: ["rbind", "nosuid", "noexec", "nodev", "ro"] }
			else . end)'
	idle_command
	start_detached
	pid=$(pid_of)
	for kind in net uts; do
		[ "$(namespace_of "$pid" $kind)" = "$(namespace_of "$holder" $kind)" ] || fail "$kind was not joined"
	done
	[ "$(namespace_of "$pid" user)" != "$(namespace_of self user)" ]
	[ "$(proc_status "$pid" Uid)" = $'100000\t100000\t100000\t100000' ]
	[ "$(rt exec "$ID" id -u)" = 0 ]
	remove_container
	kill "$holder"
	wait "$holder" || :
}

@test "a time namespace is joined by path" {
	needs_root "make namespaces outside a user namespace"
	floe_only "Debian's others lack time namespaces"
	unshare --time --fork sleep 1000 3>&- 4>&- &
	unshare=$!
	eventually pgrep -P $unshare
	holder=$(pgrep -P $unshare)
	configure --arg path "/proc/$holder/ns/time" '.linux.namespaces += [{ type: "time", path: $path }]'
	idle_command
	start_detached
	[ "$(namespace_of "$(pid_of)" time)" = "$(namespace_of "$holder" time)" ]
	remove_container
	kill "$holder"
	wait $unshare || :
}

@test "a network namespace that ip netns made is joined and stays" {
	needs_root "make namespaces outside a user namespace"
	ip netns add "$ID"
	configure --arg path "/run/netns/$ID" \
		'.linux.namespaces |= (map(select(.type != "network")) + [{ type: "network", path: $path }])'
	script_is 'ls /sys/class/net'
	run_container
	[ "$status" -eq 0 ]
	[ "$output" = lo ]
	ip netns exec "$ID" true
	ip netns delete "$ID"
	rmdir /run/netns 2>/dev/null || { umount /run/netns && rmdir /run/netns; }
}

@test "the loopback interface of a new network namespace is up" {
	script_is 'ip addr show lo'
	run_container
	[ "$status" -eq 0 ]
	contains "$output" UP 127.0.0.1/8
}

@test "the first process of a new pid namespace is number 1" {
	script_is 'echo $$; ls -d /proc/[0-9]* | head -n 1'
	run_container
	[ "${lines[0]}" = 1 ]
	[ "${lines[1]}" = /proc/1 ]
}

@test "the host name is set inside and not outside" {
	script_is hostname
	before=$(hostname)
	run_container
	[ "$output" = contained ]
	[ "$(hostname)" = "$before" ]
}

@test "the domain name is set" {
	floe_only "Debian's others lack it"
	configure '.domainname = "example.org"'
	script_is 'cat /proc/sys/kernel/domainname'
	run_container
	[ "$output" = example.org ]
}

@test "a host name without a uts namespace is refused" {
	configure 'del(.linux.namespaces[] | select(.type == "uts"))'
	run_container
	refuses 1 hostname
	[ "$(hostname)" = sandbox ]
}

@test "a namespace path that does not exist is refused" {
	configure '.linux.namespaces |= (map(select(.type != "network")) + [{ type: "network", path: "/run/netns/none" }])'
	run_container
	refuses 1 "network" "/run/netns/none" "no such file or directory"
}

@test "a namespace path of another kind is refused" {
	[ "$RUNTIME_NAME" != crun ] || skip "crun says 'invalid argument'"
	configure '.linux.namespaces |= (map(select(.type != "network")) + [{ type: "network", path: "/proc/self/ns/ipc" }])'
	run_container
	[ "$status" -eq 1 ]
	! is_floe || contains "$output" "/proc/self/ns/ipc" network
}

@test "the same kind of namespace twice is refused" {
	[ "$RUNTIME_NAME" != crun ] || skip "crun takes the last"
	configure '.linux.namespaces += [{ type: "pid" }]'
	run_container
	[ "$status" -eq 1 ]
	! is_floe || contains "$output" pid
}

@test "an unknown kind of namespace is refused" {
	configure '.linux.namespaces += [{ type: "galaxy" }]'
	run_container
	[ "$status" -eq 1 ]
	contains "$output" galaxy
}

@test "a user namespace without mappings maps every id to itself" {
	local first count
	needs_root "run without a user namespace, or with any mapping"
	floe_only "crun maps the ids up to the user's, the runtime of Go none"
	configure '.linux.namespaces += [{ type: "user" }] | .process.user = { uid: 1234, gid: 4321 }'
	script_is 'cat /proc/self/uid_map /proc/self/gid_map; id -u; id -g; readlink /proc/self/ns/user'
	run_container
	[ "$status" -eq 0 ]
	read -r first _ count </proc/self/uid_map
	[ "${lines[0]//[[:space:]]/ }" = "$(printf '%10d %10d %10d' "$first" "$first" "$count")" ]
	contains "$output" 1234 4321
	[ "${lines[-1]}" != "$(namespace_of self user)" ]
}

@test "mappings without a user namespace are of no effect, which is said" {
	needs_root "run without a user namespace"
	configure '.linux.uidMappings = [{ containerID: 0, hostID: 100000, size: 10 }] | .linux.gidMappings = .linux.uidMappings'
	script_is 'readlink /proc/self/ns/user; stat -c "%u %g" /dev/null; id -u'
	run_container
	[ "$status" -eq 0 ]
	contains "$output" "$(namespace_of self user)" "0 0"
	! is_floe || contains "$output" "linux.uidMappings is of no effect" "linux.gidMappings is of no effect"
	# They are checked all the same.
	floe_only
	configure '.linux.uidMappings[0].size = 0'
	run_container
	refuses 1 linux.uidMappings
}

@test "a user namespace need not map root, where the process is another user" {
	needs_root "map other ids than its own"
	[ "$RUNTIME_NAME" != runc ] || skip "the runtime of Go can from 1.5 on"
	own_rootfs
	configure '.linux.namespaces += [{ type: "user" }] | .process.user = { uid: 1000, gid: 1001 }
		| .linux.uidMappings = [{ containerID: 1000, hostID: 100000, size: 1 }]
		| .linux.gidMappings = [{ containerID: 1001, hostID: 200000, size: 1 }]
		| .mounts |= map((select(.type == "devpts") | .options -= ["gid=5"]) // .)'
	chown -R 100000:200000 "$BUNDLE/rootfs"
	chmod o+x "$BATS_RUN_TMPDIR" "$BATS_FILE_TMPDIR" "$T" "$BUNDLE" 2>/dev/null || :
	idle_command
	start_detached
	run rt exec "$ID" sh -c 'id -u; id -g; cat /proc/self/uid_map; : >/dev/null && : >/dev/shm/own && stat -c %u /dev/shm/own'
	[ "$status" -eq 0 ]
	[ "${lines[0]} ${lines[1]} ${lines[3]}" = "1000 1001 1000" ]
	[[ "${lines[2]}" =~ ^\ +1000\ +100000\ +1$ ]]
	remove_container
}
