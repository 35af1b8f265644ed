#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# Device nodes and which of them may be opened.

load ../lib/helpers

@test "the default devices are there, with their numbers and modes" {
	needs_root "own the machine's device nodes"
	script_is 'cd /dev; for d in null zero full random urandom tty; do stat -c "%n %t:%T %a %u:%g" $d; done'
	run_container
	[ "$output" = $'null 1:3 666 0:0\nzero 1:5 666 0:0\nfull 1:7 666 0:0\nrandom 1:8 666 0:0\nurandom 1:9 666 0:0\ntty 5:0 666 0:0' ]
}

@test "the usual links are there" {
	script_is 'cd /dev; for l in fd stdin stdout stderr ptmx; do echo "$l $(readlink $l)"; done'
	run_container
	[ "${lines[0]}" = "fd /proc/self/fd" ]
	[ "${lines[1]}" = "stdin /proc/self/fd/0" ]
	[ "${lines[2]}" = "stdout /proc/self/fd/1" ]
	[ "${lines[3]}" = "stderr /proc/self/fd/2" ]
	[[ ${lines[4]} =~ ^ptmx\ (/dev/)?pts/ptmx$ ]]
}

@test "the default devices work" {
	script_is 'echo x >/dev/null; head -c 4 /dev/zero | wc -c; head -c 4 /dev/urandom | wc -c
		echo x >/dev/full; echo x >/dev/stderr'
	run_container
	contains "$output" "No space left on device" x
	[ "${lines[0]}" = 4 ]
	[ "${lines[1]}" = 4 ]
}

@test "devices of the configuration are made" {
	needs_root "make device nodes"
	configure '.linux.devices = [
		{ path: "/dev/mine", type: "c", major: 1, minor: 5, fileMode: 416, uid: 10, gid: 20 },
		{ path: "/dev/deep/er/block", type: "b", major: 7, minor: 200, fileMode: 384 },
		{ path: "/dev/fifo", type: "p", fileMode: 438 },
		{ path: "/dev/plain", type: "u", major: 1, minor: 3 }]'
	script_is 'stat -c "%F %t:%T %a %u:%g" /dev/mine /dev/deep/er/block /dev/fifo /dev/plain'
	run_container
	[ "$status" -eq 0 ]
	[ "${lines[0]}" = "character special file 1:5 640 10:20" ]
	[[ ${lines[1]} == "block special file 7:c8 600 0:0" ]]
	[[ ${lines[2]} == "fifo 0:0 666 0:0" ]]
	[[ ${lines[3]} == "character special file 1:3 666 0:0" ]]
}

in_user_namespace()
{
	needs_root "give files to other users"
	own_rootfs
	chmod o+x "$BATS_RUN_TMPDIR" "$BATS_FILE_TMPDIR"
	chown -R 100000:200000 "$BUNDLE/rootfs"
	configure '.linux.namespaces += [{ type: "user" }]
		| .linux.uidMappings = [{ containerID: 0, hostID: 100000, size: 1000 }]
		| .linux.gidMappings = [{ containerID: 0, hostID: 200000, size: 1000 }]'
}

@test "devices in a user namespace are made as the configuration says, whatever the host has" {
	in_user_namespace
	configure '.linux.devices = [
		{ path: "/dev/mine", type: "c", major: 1, minor: 5, fileMode: 420, uid: 10, gid: 20 },
		{ path: "/dev/deep/er/block", type: "b", major: 7, minor: 200, fileMode: 384 },
		{ path: "/dev/null", type: "c", major: 1, minor: 3, fileMode: 438, uid: 7, gid: 8 },
		{ path: "/dev/fifo", type: "p", fileMode: 438 }]'
	script_is 'stat -c "%F %t:%T %a %u:%g" /dev/mine /dev/deep/er/block /dev/null /dev/fifo
		head -c 2 /dev/mine | wc -c; echo x >/dev/null && stat -c %u /dev/zero'
	run_container
	[ "$status" -eq 0 ]
	[ "${lines[0]}" = "character special file 1:5 644 10:20" ]
	[ "${lines[1]}" = "block special file 7:c8 600 0:0" ]
	[ "${lines[2]}" = "character special file 1:3 666 7:8" ]
	[ "${lines[3]}" = "fifo 0:0 666 0:0" ]
	[ "${lines[4]}" = 2 ]
	# The host's own, bound: its owner has no id in there.
	[ "${lines[5]}" = 65534 ]
	[ ! -e /dev/mine ]
	[ "$(stat -c %u:%g /dev/null)" = 0:0 ]
}

@test "a device in a user namespace whose owner is not mapped is refused" {
	in_user_namespace
	configure '.linux.devices = [{ path: "/dev/mine", type: "c", major: 1, minor: 5, uid: 5000 }]'
	script_is true
	run_container
	[ "$status" -eq 1 ]
	contains "$output" /dev/mine 5000 uidMappings
}

@test "a device may be made outside /dev" {
	needs_root "make device nodes"
	own_rootfs
	configure '.linux.devices = [{ path: "/data/null", type: "c", major: 1, minor: 3 }]'
	script_is 'echo x >/data/null && stat -c %F /data/null'
	run_container
	[ "$output" = "character special file" ]
}

# /dev/kmsg, which exists everywhere and which no default rule allows. Reading it takes CAP_SYSLOG.
kernel_log()
{
	configure '.linux.devices = [{ path: "/dev/log0", type: "c", major: 1, minor: 11, fileMode: 438 }]
		| .process.capabilities |= map_values(. + ["CAP_SYSLOG"])'
	configure --argjson rules "${1:-[]}" '.linux.resources.devices += $rules'
	script_is 'head -c 1 /dev/log0 >/dev/null && echo read; : >/dev/log0 && echo written'
	run_container
}

@test "a device of the configuration does not take the place of another file" {
	needs_root "make device nodes"
	[ "$RUNTIME_NAME" = floe-runtime ] || skip "others leave what is there, and say nothing"
	own_rootfs
	command_is ls -l /data/node
	configure '.linux.devices = [{ path: "/data/node", type: "c", major: 1, minor: 3 }]'
	mkdir -p "$BUNDLE/rootfs/data"
	echo precious >"$BUNDLE/rootfs/data/node"
	run_container
	refuses 1 "/data/node has incorrect ftype"
	[ "$(cat "$BUNDLE/rootfs/data/node")" = precious ]
	rm "$BUNDLE/rootfs/data/node"
	mknod "$BUNDLE/rootfs/data/node" c 1 5
	run_container
	refuses 1 "/data/node has incorrect major:minor: 1:5 doesn't match expected 1:3"
	# The same one may be there.
	rm "$BUNDLE/rootfs/data/node"
	mknod "$BUNDLE/rootfs/data/node" c 1 3
	run_container
	[ "$status" -eq 0 ]
	grep -Eq "^c.* 1, +3 " <<<"$output"
}

@test "a device that no rule allows cannot be opened" {
	needs_root "make device nodes"
	kernel_log
	contains "$output" "Operation not permitted"
	[[ $output != *read* && $output != *written* ]]
}

@test "a device that a rule allows can be opened" {
	needs_root "make device nodes"
	kernel_log '[{ "allow": true, "type": "c", "major": 1, "minor": 11, "access": "rw" }]'
	[ "$output" = $'read\nwritten' ]
}

@test "a rule for reading does not allow writing" {
	needs_root "make device nodes"
	kernel_log '[{ "allow": true, "type": "c", "major": 1, "minor": 11, "access": "r" }]'
	contains "$output" read "Operation not permitted"
	[[ $output != *written* ]]
}

@test "a later rule takes back an earlier one" {
	needs_root "make device nodes"
	[ "$RUNTIME_NAME" != runc ] || skip "Debian's runc refuses such rules on version 1"
	kernel_log '[{ "allow": true, "type": "c", "major": 1, "minor": 11, "access": "rwm" },
		{ "allow": false, "type": "c", "major": 1, "minor": 11, "access": "w" }]'
	contains "$output" read "Operation not permitted"
	[[ $output != *written* ]]
}

@test "a node that the container makes itself cannot be opened" {
	needs_root "make device nodes"
	own_rootfs
	configure '.process.capabilities |= map_values(. + ["CAP_MKNOD"])'
	script_is 'mknod /data/mem c 1 1 && head -c 1 /data/mem; mknod /dev/own c 1 3 && echo x >/dev/own && echo null works'
	run_container
	contains "$output" "Operation not permitted" "null works"
}

@test "a default device that the configuration names has the configuration's mode" {
	needs_root "make device nodes"
	configure '.linux.devices = [{ path: "/dev/null", type: "c", major: 1, minor: 3, fileMode: 384, uid: 5, gid: 6 }]
		| .linux.resources.devices += [{ allow: true, type: "c", major: 1, minor: 3, access: "rwm" }]'
	script_is 'stat -c "%t:%T %a %u:%g" /dev/null'
	run_container
	[ "$RUNTIME_NAME" = crun ] || [ "${lines[-1]}" = "1:3 600 5:6" ]
}

@test "devices are not made through a link that leads out of the rootfs" {
	[ "$RUNTIME_NAME" = floe-runtime ] || skip "others differ"
	own_rootfs
	mkdir "$T/outside"
	rmdir "$BUNDLE/rootfs/data"
	ln -s "$T/outside" "$BUNDLE/rootfs/data"
	configure '.linux.devices = [{ path: "/data/null", type: "c", major: 1, minor: 3 }]'
	run_container
	refuses 1 "device '/data/null'" "open directory '/data' in the root file system"
	[ -z "$(ls -A "$T/outside")" ]
}

@test "an unknown type of device is refused" {
	[ "$RUNTIME_NAME" != crun ] || skip "crun takes it for a fifo"
	configure '.linux.devices = [{ path: "/dev/x", type: "q", major: 1, minor: 3 }]'
	run_container
	[ "$status" -eq 1 ]
	! is_floe || contains "$output" "linux.devices[0]"
}

@test "there is no console without a terminal" {
	script_is 'ls /dev/console'
	run_container
	[ "$status" -ne 0 ]
}
