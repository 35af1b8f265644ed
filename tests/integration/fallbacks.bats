#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# Kernels without openat2, the mount API, mount_setattr, clone3, pidfds or close_range, and container engines whose filters
# forbid them: a whole life cycle works all the same. tests/fault/fallbacks.bats does the same with a runtime that believes to
# be on such a kernel, where CRIU is not.

load ../lib/life

setup()
{
	floe_only "about its own fall-backs"
	needs_root "have a filter that leaves newuidmap its privileges"
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

every_feature()
{
	local feature
	for feature in "${FEATURES[@]}" $ALL; do
		answer "$1" "$feature"
		whole_life "$feature, $1" || return 1
		life_in_user_namespace "$feature, $1" || return 1
	done
}

# What systemd would take for another process is not named to it.
systemd_is_refused()
{
	answer "$1" pidfd
	command_is true
	run_container
	refuses 1 "systemd is outside of" "takes no descriptors of processes"
}

@test "a life cycle where calls are missing" {
	every_feature ENOSYS
	! is_systemd_driver || systemd_is_refused ENOSYS
}

@test "a life cycle where calls are forbidden" {
	every_feature EPERM
	! is_systemd_driver || systemd_is_refused EPERM
}

@test "a checkpoint where calls are missing, or forbidden" {
	open_pipe
	take_inventory >"$T/.before"
	for error in ENOSYS EPERM; do
		# CRIU is under the filter too; what it calls itself is in tests/fault/fallbacks.bats.
		for feature in openat2 mount_setattr pidfd close_range; do
			[[ " ${FEATURES[*]} " == *" $feature "* ]] || continue
			idle_command
			# Outside of the filter: CRIU could not look at a process that is under one.
			start_on_pipe
			rm -rf "$T/image"
			answer $error $feature
			checkpoint || fail "$feature, $error: checkpoint"
			FLOE_RUNTIME=$REAL
			restore || fail "$feature, $error: restore"
			remove_container
		done
	done
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
