#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# Containers of a user who is not root, in scopes of the user's own systemd. Run by check --user, as that user; the root file
# systems are read-only and belong to root.

# shellcheck disable=SC2016 # some scripts here are for another shell

bats_require_minimum_version 1.5.0

# By the bus: the private socket is not for whoever is in another pid namespace.
export SYSTEMCTL_FORCE_BUS=1

setup()
{
	T=$BATS_TEST_TMPDIR
	ID=rs$$-$BATS_TEST_NUMBER
	UNIT=floe-$ID.scope
	OTHERS=
	MANAGER=/user.slice/user-$UID.slice/user@$UID.service
	mkdir "$T/bundle"
	jq --arg rootfs "$FLOE_CACHE/rootfs/busybox" --arg path "user.slice:floe:$ID" '.root.path = $rootfs | .root.readonly = true
		| .linux.cgroupsPath = $path
		| .linux.namespaces += [{ type: "user" }]
		| .linux.uidMappings = [{ containerID: 0, hostID: 1000, size: 1 }]
		| .linux.gidMappings = [{ containerID: 0, hostID: 1000, size: 1 }]
		| .mounts |= map(.options |= (. // [] | map(select(. != "gid=5"))))
		| .process.args = ["sh", "-c", "trap \"exit 0\" TERM; while :; do sleep 0.1; done"]' \
		/floe/tests/lib/config.json >"$T/bundle/config.json"
}

teardown()
{
	rt delete --force "$ID" >/dev/null 2>&1 || :
	[ -z "$OTHERS" ] || systemctl --user stop "$OTHERS"
	[ "$(systemctl --user show --property LoadState --value "$UNIT")" = not-found ]
}

rt()
{
	"$FLOE_RUNTIME" --root "$T/state" "$@" 3>&- 4>&-
}

configure()
{
	jq "$@" <"$T/bundle/config.json" >"$T/bundle/new"
	mv "$T/bundle/new" "$T/bundle/config.json"
}

start()
{
	rt --systemd-cgroup run --detach --bundle "$T/bundle" "$ID" </dev/null >"$T/out" 2>&1 || {
		cat "$T/out"
		return 1
	}
	pid=$(rt state "$ID" | jq -r .pid)
	cgroup=$(sed -n 's/^0:://p' "/proc/$pid/cgroup")
}

property_is()
{
	local value
	value=$(systemctl --user show --property "$1" --value "$UNIT")
	[ "$value" = "$2" ] || {
		echo "$1 is '$value' instead of '$2'"
		return 1
	}
}

@test "the container is in a scope of the user's systemd" {
	start
	[ "$cgroup" = "$MANAGER/user.slice/$UNIT" ]
	property_is ActiveState active
	property_is Slice user.slice
	[ -O "/sys/fs/cgroup$cgroup" ]
	rt delete --force "$ID"
	property_is LoadState not-found
	[ ! -e "/sys/fs/cgroup$cgroup" ]
}

@test "without cgroupsPath it is in the user's user.slice" {
	configure 'del(.linux.cgroupsPath)'
	start
	[ "$cgroup" = "$MANAGER/user.slice/floe-$ID.scope" ]
}

@test "limits are properties, and in force" {
	configure '.linux.resources = { memory: { limit: 67108864 }, pids: { limit: 50 },
		cpu: { quota: 50000, period: 100000, cpus: "0" } }'
	start
	property_is MemoryMax 67108864
	property_is TasksMax 50
	property_is CPUQuotaPerSecUSec 500ms
	property_is AllowedCPUs 0
	[ "$(cat "/sys/fs/cgroup$cgroup/memory.max")" = 67108864 ]
	[ "$(cat "/sys/fs/cgroup$cgroup/cpu.max")" = "50000 100000" ]
	rt update --memory 134217728 --pids-limit 60 "$ID"
	property_is MemoryMax 134217728
	property_is TasksMax 60
	[ "$(cat "/sys/fs/cgroup$cgroup/memory.max")" = 134217728 ]
}

@test "exec, pause, resume and kill work" {
	start
	run rt exec "$ID" cat /proc/self/cgroup
	[ "$status" -eq 0 ]
	[ "$output" = "0::$cgroup" ]
	rt pause "$ID"
	[ "$(rt state "$ID" | jq -r .status)" = paused ]
	rt resume "$ID"
	rt kill "$ID" KILL
	for ((i = 0; i < 100; i++)); do
		[ "$(rt state "$ID" | jq -r .status)" != stopped ] || break
		sleep 0.05
	done
	rt delete "$ID"
	property_is LoadState not-found
}

@test "the bus is found by XDG_RUNTIME_DIR alone" {
	unset DBUS_SESSION_BUS_ADDRESS
	start
	property_is ActiveState active
}

@test "without a session the error says what to do" {
	run env -u DBUS_SESSION_BUS_ADDRESS -u XDG_RUNTIME_DIR "$FLOE_RUNTIME" --root "$T/state" --systemd-cgroup \
		run --bundle "$T/bundle" "$ID" </dev/null
	[ "$status" -eq 1 ]
	[[ $output == *XDG_RUNTIME_DIR*cgroupfs* ]]
	[ ! -e "$T/state/$ID" ]
}

@test "root of a user namespace is the user outside" {
	# There is one id to be mapped, and it is 0 here.
	configure '.linux.uidMappings[0].hostID = 0 | .linux.gidMappings[0].hostID = 0 | .process.args = ["cat", "/proc/self/cgroup"]'
	run unshare --user --map-root-user "$FLOE_RUNTIME" --root "$T/state" --systemd-cgroup run --bundle "$T/bundle" "$ID" </dev/null
	[ "$status" -eq 0 ]
	[ "$output" = "0::$MANAGER/user.slice/$UNIT" ]
}

@test "exec in another pid namespace leaves alone whoever has its number in the manager's" {
	local group first left
	OTHERS=$ID-others.service
	# The numbers of these are to be those of the exec's in the new namespace.
	cat >"$T/others" <<-'SCRIPT'
		for i in $(seq 64); do
			sleep infinity &
			[ $i -gt 1 ] || echo $! >"$1.new"
		done
		mv "$1.new" "$1"
		wait
	SCRIPT
	# As systemd-run would, but for its use of the private socket.
	busctl --user --quiet call org.freedesktop.systemd1 /org/freedesktop/systemd1 org.freedesktop.systemd1.Manager \
		StartTransientUnit 'ssa(sv)a(sa(sv))' "$OTHERS" replace \
		1 ExecStart 'a(sasb)' 1 /bin/sh 3 sh "$T/others" "$T/first" false 0
	for ((i = 0; i < 600; i++)); do
		[ ! -e "$T/first" ] || break
		sleep 0.1
	done
	first=$(cat "$T/first")
	group=/sys/fs/cgroup$(systemctl --user show --property ControlGroup --value "$OTHERS")
	configure '.linux.uidMappings[0].hostID = 0 | .linux.gidMappings[0].hostID = 0'
	run timeout 120 unshare --user --map-root-user --pid --fork --kill-child --mount-proc bash -eu -c '
		rt() { "$FLOE_RUNTIME" --root "$1/state" --systemd-cgroup "${@:2}"; }
		rt "$1" run --detach --bundle "$1/bundle" "$2" </dev/null >"$1/out" 2>&1
		for i in 1 2 3; do
			echo "$3" >/proc/sys/kernel/ns_last_pid
			rt "$1" exec "$2" cat /proc/self/cgroup
		done
		rt "$1" delete --force "$2"' bash "$T" "$ID" "$first"
	# Those of another pid namespace are listed as 0; one is the shell.
	left=$(wc -l <"$group/cgroup.procs")
	[ "$status" -eq 0 ] || {
		echo "$output"
		cat "$T/out"
		return 1
	}
	[ "$left" -eq 65 ] || {
		echo "$((65 - left)) of the processes with those numbers are gone: $output"
		return 1
	}
	for line in "${lines[@]}"; do
		[ "$line" = "0::$MANAGER/user.slice/$UNIT" ]
	done
	[ "${#lines[@]}" -eq 3 ]
}
