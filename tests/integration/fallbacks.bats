#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# Kernels without openat2, the mount API, mount_setattr, clone3, pidfds or close_range, and container engines whose filters
# forbid them: a whole life cycle works all the same.

load ../lib/helpers

FEATURES=(openat2 mount_api mount_setattr clone3 pidfd close_range)
ALL=openat2,mount_api,mount_setattr,clone3,pidfd,close_range

setup()
{
	floe_only "about its own fall-backs"
	container_setup
	REAL=$FLOE_RUNTIME
	WITHOUT=$FLOE_BUILD/tests/lib/without
}

# From here on the runtime is run with a filter that answers ERROR to the calls of the features.
answer()
{
	printf '#!/bin/sh\nexec %q %q %q %q "$@"\n' "$WITHOUT" "$1" "$2" "$REAL" >"$T/floe-runtime"
	chmod +x "$T/floe-runtime"
	FLOE_RUNTIME=$T/floe-runtime
}

chatty_command()
{
	# shellcheck disable=SC2016
	script_is 'echo "fds $(ls /proc/self/fd | wc -l)"; grep -c . /proc/self/mountinfo >/dev/null || exit 1
		touch /proc/sys/kernel/domainname 2>/dev/null && echo writable; cat /proc/kcore 2>/dev/null | head -c 1 | wc -c'
}

whole_life()
{
	local what=$1 pid
	configure '.linux.resources.pids.limit = 50'
	chatty_command
	run_container
	[ "$output" = $'fds 4\n0' ] || fail "$what: run: $output" || return 1
	configure '.process.terminal = true'
	command_is tty
	run script -qec "timeout 20 $FLOE_RUNTIME --root $STATE run --bundle $BUNDLE $ID" /dev/null </dev/null
	contains "$output" /dev/pts/0 || fail "$what: terminal" || return 1
	configure '.process.terminal = false'
	idle_command
	create_container || fail "$what: create" || return 1
	pid=$(pid_of)
	rt start "$ID" || fail "$what: start" || return 1
	[ "$(rt exec "$ID" sh -c 'echo "$(id -u) $(cat /proc/1/comm)"; ls /proc/self/fd | wc -l')" = $'0 sh\n4' ] ||
		fail "$what: exec" || return 1
	run rt exec "$ID" sh -c 'exit 5'
	[ "$status" -eq 5 ] || fail "$what: exit code of exec: $output" || return 1
	rt pause "$ID" || fail "$what: pause" || return 1
	is_state paused || fail "$what: paused" || return 1
	rt resume "$ID" || fail "$what: resume" || return 1
	rt kill "$ID" TERM || fail "$what: kill" || return 1
	eventually is_state stopped || fail "$what: kill" || return 1
	rt delete "$ID" || fail "$what: delete" || return 1
	start_detached || fail "$what: run --detach" || return 1
	remove_container || fail "$what: delete --force" || return 1
	[ ! -d "/proc/$pid" ]
}

life_in_user_namespace()
{
	chmod o+x "$BATS_RUN_TMPDIR" "$BATS_FILE_TMPDIR" 2>/dev/null || :
	configure '.linux.namespaces += [{ type: "user" }]
		| .linux.uidMappings = [{ containerID: 0, hostID: 100000, size: 65536 }]
		| .linux.gidMappings = .linux.uidMappings'
	idle_command
	start_detached || fail "$1: user namespace" || return 1
	[ "$(proc_status "$(pid_of)" Uid)" = $'100000\t100000\t100000\t100000' ] || fail "$1: uid" || return 1
	[ "$(rt exec "$ID" id -u)" = 0 ] || fail "$1: exec in a user namespace" || return 1
	remove_container
	configure '.linux.namespaces |= map(select(.type != "user")) | del(.linux.uidMappings, .linux.gidMappings)'
}

every_feature()
{
	local feature
	for feature in "${FEATURES[@]}" $ALL; do
		answer "$1" "$feature"
		whole_life "$feature, $1" || return 1
		life_in_user_namespace "$feature, $1" || return 1
	done
}

@test "a life cycle where calls are missing" {
	every_feature ENOSYS
}

@test "a life cycle where calls are forbidden" {
	every_feature EPERM
}

@test "a life cycle where the runtime itself does without" {
	grep -q "fault injected at" "$REAL" || skip "$REAL is built without fault points"
	for feature in "${FEATURES[@]}" $ALL; do
		export FLOE_TEST_DISABLE=$feature
		whole_life "$feature"
		life_in_user_namespace "$feature"
	done
	unset FLOE_TEST_DISABLE
}

@test "mounts of every kind without the mount API" {
	own_rootfs
	mkdir -p "$T/source/below" "$T/lower" "$T/upper" "$T/work" "$BUNDLE/rootfs/up"
	echo there >"$BUNDLE/rootfs/up/file"
	mount -t tmpfs below "$T/source/below"
	touch "$T/source/below/deep"
	configure --arg t "$T" '.mounts += [
		{ destination: "/bind", type: "bind", source: "\($t)/source", options: ["rbind", "ro", "nosuid"] },
		{ destination: "/overlay", type: "overlay", source: "overlay",
			options: ["lowerdir=\($t)/lower", "upperdir=\($t)/upper", "workdir=\($t)/work"] },
		{ destination: "/up", type: "tmpfs", source: "tmpfs", options: ["tmpcopyup", "ro", "size=64k"] },
		{ destination: "/null", type: "bind", source: "/dev/null", options: ["bind"] }]
		| .root.readonly = true'
	script_is 'ls /bind/below /up; touch /overlay/new && echo written; touch /bind/x /up/x /x 2>&1 | grep -c Read-only
		stat -c %F /null'
	for feature in mount_api mount_setattr $ALL; do
		for error in ENOSYS EPERM; do
			answer $error $feature
			run_container
			[ "$output" = $'/bind/below:\ndeep\n\n/up:\nfile\nwritten\n3\ncharacter special file' ] || fail "$feature, $error: $output"
		done
	done
	# What only the newer calls can do is said.
	FLOE_RUNTIME=$REAL
	configure '.mounts[-1].options = ["bind", "rro"]'
	answer ENOSYS mount_setattr
	run_container
	refuses 1 "recursive mount options" "Linux 5.12"
	umount "$T/source/below"
}

@test "a time namespace, a cgroup and a pid namespace are joined without clone3" {
	configure '.linux.namespaces += [{ type: "cgroup" }]'
	answer ENOSYS clone3
	idle_command
	start_detached
	first=$(pid_of)
	configure --arg path "/proc/$first/ns/pid" '(.linux.namespaces[] | select(.type == "pid")).path = $path'
	script_is 'cat /proc/1/comm; cat /proc/self/cgroup'
	new_id other
	run_container
	[ "$status" -eq 0 ]
	[ "${lines[0]}" = sh ]
	rt delete --force "${ID%-other}"
}
