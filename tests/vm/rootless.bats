#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# Containers of a user who is not root but has a systemd and a delegated cgroup, as podman has it. Run by check --user, as
# that user; the root file systems are read-only and belong to root.

bats_require_minimum_version 1.5.0

setup()
{
	T=$BATS_TEST_TMPDIR
	ID=rl$$-$BATS_TEST_NUMBER
	CGROUP=/sys/fs/cgroup$(sed -n 's/^0:://p' /proc/self/cgroup)
	mkdir "$T/bundle"
	jq --arg rootfs "$FLOE_CACHE/rootfs/busybox" '.root.path = $rootfs | .root.readonly = true
		| .linux.namespaces += [{ type: "user" }]
		| .linux.uidMappings = [{ containerID: 0, hostID: 1000, size: 1 }]
		| .linux.gidMappings = [{ containerID: 0, hostID: 1000, size: 1 }]
		| .mounts |= map(.options |= (. // [] | map(select(. != "gid=5"))))' \
		/floe/tests/lib/config.json >"$T/bundle/config.json"
}

teardown()
{
	rt delete --force "$ID" >/dev/null 2>&1 || :
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

run_script()
{
	configure --arg script "$1" '.process.args = ["sh", "-c", $script]'
	run rt run --bundle "$T/bundle" "$ID" </dev/null
}

@test "the tests run as a user with a delegated cgroup" {
	[ "$EUID" -ne 0 ]
	[ -w "$CGROUP/cgroup.procs" ]
	# The tests are in a group below the one that systemd has made for them, beside which the containers' will be.
	grep -qw memory "${CGROUP%/*}/cgroup.controllers"
}

@test "run true" {
	run_script true
	[ "$status" -eq 0 ]
}

@test "the user is root inside" {
	run_script 'id -u; cat /proc/self/uid_map'
	[ "$status" -eq 0 ]
	[ "${lines[0]}" = 0 ]
	[[ ${lines[1]} =~ ^\ +0\ +1000\ +1$ ]]
}

@test "newuidmap maps the user's subordinate ids" {
	configure '.linux.uidMappings += [{ containerID: 1, hostID: 100000, size: 65536 }]
		| .linux.gidMappings += [{ containerID: 1, hostID: 100000, size: 65536 }] | .process.user = { uid: 1, gid: 1 }'
	run_script 'id -u; wc -l </proc/self/uid_map'
	[ "$status" -eq 0 ]
	[ "$output" = $'1\n2' ]
}

@test "limits are in force in the delegated cgroup" {
	configure '.linux.resources = { memory: { limit: 67108864 }, pids: { limit: 50 } }'
	configure '.process.args = ["sh", "-c", "while :; do sleep 0.1; done"]'
	rt run --detach --bundle "$T/bundle" "$ID" </dev/null >"$T/out" 2>&1 || {
		cat "$T/out"
		return 1
	}
	path=$(sed -n 's/^0:://p' "/proc/$(rt state "$ID" | jq -r .pid)/cgroup")
	[ "$(cat "/sys/fs/cgroup$path/memory.max")" = 67108864 ]
	[ "$(cat "/sys/fs/cgroup$path/pids.max")" = 50 ]
	rt delete --force "$ID"
	[ ! -e "/sys/fs/cgroup$path" ]
}
