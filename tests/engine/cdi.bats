#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# Devices of the Container Device Interface.

load ../lib/engine

# specification FILE NAME EDITS [FILE'S EDITS]: of the device vendor.com/class=NAME.
specification()
{
	mkdir -p "$(dirname "$1")"
	printf '{"cdiVersion": "0.6.0", "kind": "vendor.com/class", "containerEdits": {%s}, "devices": [{"name": "%s", "containerEdits": {%s}}]}\n' \
		"${4:-}" "$2" "$3" >"$1"
}

# with DIR... -- COMMAND...: floe with these directories.
with()
{
	local global=() command
	while [ "$1" != -- ]; do
		global+=(--cdi-spec-dir "$1")
		shift
	done
	command=$2
	shift 2
	run timeout $ENGINE_SECONDS "$FLOE" --root "$ENGINE/root" --runroot "$ENGINE/run" "${CGROUPS[@]}" --runtime "$ENGINE_RUNTIME" \
		"${global[@]}" "$command" --network none --cgroup-parent "$CGROUP_PARENT" "$@" 3>&- 4>&-
}

@test "--device VENDOR/CLASS=NAME: nodes, mounts, variables, groups" {
	mkdir data
	echo content >data/file
	specification "$T/cdi/vendor.json" one '
		"env": ["FOO=bar", "PATH=/opt/bin:/bin"],
		"deviceNodes": [
			{"path": "/dev/mine", "hostPath": "/dev/zero", "uid": 5, "gid": 6, "fileMode": 416, "permissions": "r"},
			{"path": "/dev/given", "type": "c", "major": 1, "minor": 5}],
		"mounts": [{"hostPath": "'"$T/data"'", "containerPath": "/vendor", "options": ["ro", "bind", "nosuid"]}],
		"additionalGids": [77]' '"env": ["ALL=1"]'
	with "$T/cdi" -- run --rm --device vendor.com/class=one --rootfs "$ROOTFS" sh -c '
		stat -c "%a %u %g %t %T" /dev/mine; stat -c "%t %T" /dev/given; head -c 3 /dev/mine | wc -c
		echo $FOO $ALL $PATH; cat /vendor/file; id -G; ! touch /vendor/x 2>/dev/null && echo read-only'
	is 0 "$status"
	is "640 5 6 1 5|1 5|3|bar 1 /opt/bin:/bin|content|0 77|read-only|" "$(tr '\n' '|' <<<"$output")"
	# Who is not root has the device; and so has exec.
	with "$T/cdi" -- run -d --name "$C" --user 33:34 --device vendor.com/class=one --rootfs "$ROOTFS" sh -c \
		'while :; do sleep 0.1; done'
	is "33 34 bar" "$(fl exec "$C" sh -c 'echo $(stat -c "%u %g" /dev/given) $FOO')"
}

@test "--device VENDOR/CLASS=NAME: a mount does not hide one that is below it" {
	mkdir -p data/below users
	echo vendors >data/file
	echo users >users/file
	specification "$T/cdi/vendor.json" one \
		'"mounts": [{"hostPath": "'"$T/data"'", "containerPath": "/vendor", "options": ["ro", "rbind"]}]'
	with "$T/cdi" -- run --rm --device vendor.com/class=one -v "$T/users:/vendor/below" --rootfs "$ROOTFS" \
		cat /vendor/file /vendor/below/file
	is "0 vendors users" "$status $(xargs <<<"$output")"
}

@test "--device VENDOR/CLASS=NAME: hooks" {
	printf '#!/bin/sh\necho "$0 $1 $A" >>%s\n' "$T/ran" >hook
	chmod +x hook
	specification "$T/cdi/vendor.json" one '
		"hooks": [{"hookName": "createRuntime", "path": "'"$T/hook"'", "args": ["hook", "begin"], "env": ["A=b"]},
			{"hookName": "poststop", "path": "'"$T/hook"'", "args": ["hook", "end"]}]'
	with "$T/cdi" -- run --rm --device vendor.com/class=one --rootfs "$ROOTFS" true
	is 0 "$status"
	is "$T/hook begin b|$T/hook end |" "$(tr '\n' '|' <ran)"
}

@test "CDI devices: which of several directories, and which are none" {
	specification "$T/a/vendor.json" one '"env": ["FOO=first"]'
	specification "$T/b/vendor.json" one '"env": ["FOO=second"]'
	specification "$T/b/other.json" two '"deviceNodes": [{"path": "/dev/no-such-device"}]'
	specification "$T/b/more.json" three '"intelRdt": {"closID": "x"}'
	with "$T/a" "$T/b" -- run --rm --device vendor.com/class=one --rootfs "$ROOTFS" sh -c 'echo $FOO'
	is second "$output"
	printf '[engine]\ncdi_spec_dirs = ["%s"]\n' "$T/a" >conf
	CONTAINERS_CONF=$T/conf with -- run --rm --device vendor.com/class=one --rootfs "$ROOTFS" sh -c 'echo $FOO'
	is first "$output"
	# As podman says it.
	with "$T/a" -- run --rm --device vendor.com/class=one,vendor.com/class=x,vendor.com/class=y --rootfs "$ROOTFS" true
	is 126 "$status"
	contains "$output" "unresolvable CDI devices vendor.com/class=x, vendor.com/class=y"
	with "$T/b" -- run --rm --device vendor.com/class=two --rootfs "$ROOTFS" true
	is 126 "$status"
	contains "$output" "CDI device 'vendor.com/class=two': device '/dev/no-such-device': no such file or directory"
	with "$T/b" -- run --rm --device vendor.com/class=three --rootfs "$ROOTFS" true
	[ "$status" -ne 0 ]
	contains "$output" "intelRdt is not supported"
	# One that a directory has twice is none; a file that cannot be read is not the others' fault.
	cp b/vendor.json b/again.json
	echo '{' >a/broken.json
	with "$T/b" -- run --rm --device vendor.com/class=one --rootfs "$ROOTFS" true
	is 126 "$status"
	contains "$output" again.json vendor.json unresolvable
	with "$T/a" -- run --rm --device vendor.com/class=one --rootfs "$ROOTFS" sh -c 'echo $FOO'
	is 0 "$status"
	contains "$output" broken.json first
	# Nor is one whose words may mean something else.
	specification "$T/a/next.json" four '"env": ["FOO=next"]'
	sed -i 's/"0.6.0"/"2.0.0"/' a/next.json
	with "$T/a" -- run --rm --device vendor.com/class=four --rootfs "$ROOTFS" true
	is 126 "$status"
	contains "$output" a/next.json "cdiVersion '2.0.0' is not known here" unresolvable
	with "$T/a" -- run --rm --device vendor.com/class=one --rootfs "$ROOTFS" sh -c 'echo $FOO'
	contains "$output" next.json first
	echo 'cdiVersion: 0.6.0' >a/nvidia.yaml
	with "$T/a" -- run --rm --gpus all --rootfs "$ROOTFS" true
	is 126 "$status"
	contains "$output" "unresolvable CDI devices nvidia.com/gpu=all" nvidia.yaml
}
