#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# Checkpoint and restore where CRIU has less access than it thinks: user namespaces, and bind mounts by odd paths.

load ../lib/cr

in_user_namespace()
{
	chmod o+x "$BATS_RUN_TMPDIR" "$BATS_FILE_TMPDIR"
	own_rootfs
	chown -R 100000:200000 "$BUNDLE/rootfs"
	configure '.linux.namespaces += [{ type: "user" }]
		| .linux.uidMappings = [{ containerID: 0, hostID: 100000, size: 5000 }]
		| .linux.gidMappings = [{ containerID: 0, hostID: 200000, size: 5000 }]'
}

@test "a container in a user namespace, from an image directory of mode 0700" {
	local now i
	in_user_namespace
	ticking
	start_on_pipe
	for i in 1 2 3; do
		ticks_after "$((i * 2))"
		checkpoint
		[ "$(stat -c '%a %u' "$T/image")" = "700 0" ]
		now=$(last_tick)
		restore
		ticks_after "$now"
		[ "$(proc_status "$(pid_of)" Uid)" = $'100000\t100000\t100000\t100000' ]
		[ "$(proc_status "$(pid_of)" Gid)" = $'200000\t200000\t200000\t200000' ]
		[ -s "$T/image/restore.log" ]
		rm -r "$T/image"
	done
	remove_container
	ticks_are_continuous
}

@test "a first process in a user namespace that may not be looked at is frozen once, which the dry run knows" {
	local situations=${FLOE_BUILD:-$SOURCE/build}/tests/cr/preflight/situations
	floe_only
	[ -x "$situations" ] || skip "no static C library to build the situations with"
	in_user_namespace
	install -o 100000 -g 200000 "$situations" "$BUNDLE/rootfs/situations"
	command_is /situations process_undumpable
	start_on_pipe
	eventually grep -q '^ready' "$T/out"
	run rt checkpoint --dry-run "$ID"
	[ "$status" -eq 0 ]
	checkpoint
	restore
	run rt checkpoint --dry-run "$ID"
	[ "$status" -eq 1 ]
	[[ "$output" == *"pid $(pid_of) (situations): it has changed its user or made itself undumpable, and since a restore"* ]]
	run checkpoint
	[ "$status" -eq 1 ]
	[[ "$output" == *"the container's first, has changed its user or made itself undumpable"* ]]
	[ "$(state_of)" = running ]
}

@test "a container in a user namespace with a device that the host does not have" {
	local now
	in_user_namespace
	configure '.linux.devices = [{ path: "/dev/mine", type: "c", major: 1, minor: 5, fileMode: 420, uid: 10, gid: 20 }]'
	ticking
	start_on_pipe
	ticks_after 1
	checkpoint
	now=$(last_tick)
	restore
	ticks_after "$now"
	[ "$(rt exec "$ID" stat -c '%F %t:%T %a %u:%g' /dev/mine)" = "character special file 1:5 644 10:20" ]
	[ "$(rt exec "$ID" head -c 3 /dev/mine | wc -c)" = 3 ]
	rm -r "$T/image"
	checkpoint
	restore
	remove_container
	ticks_are_continuous
}

# As podman has its files, from 5 on.
@test "a container in a user namespace with bind mounts from behind a closed directory" {
	local now i
	in_user_namespace
	mkdir -p "$T/closed/directory"
	echo content >"$T/closed/file"
	echo below >"$T/closed/directory/file"
	chmod 700 "$T/closed"
	add_mount /bound bind "$T/closed/file" bind ro rprivate
	add_mount /bound-directory bind "$T/closed/directory" rbind rprivate
	ticking
	start_on_pipe
	for i in 1 2; do
		ticks_after "$((i * 2))"
		checkpoint
		now=$(last_tick)
		restore
		ticks_after "$now"
		[ "$(inside cat /bound /bound-directory/file)" = $'content\nbelow' ]
		[ -z "$(compgen -G '/run/floe-sources.*')" ]
		rm -r "$T/image"
	done
	# What the host writes later is there, too.
	echo more >"$T/closed/directory/file"
	[ "$(inside cat /bound-directory/file)" = more ]
	checkpoint
	echo >"$T/image/core-1.img"
	restore || status=$?
	[ "${status:-0}" -eq 1 ]
	is_gone
	[ -z "$(compgen -G '/run/floe-sources.*')" ]
}

@test "a restore in a user namespace that fails leaves nothing" {
	in_user_namespace
	ticking
	start_on_pipe
	ticks_after 1
	checkpoint
	: >"$T/image/core-1.img"
	restore || status=$?
	[ "${status:-0}" -eq 1 ]
	is_gone
}

@test "a read-only root without /tmp, as images made from nothing have it" {
	local now
	own_rootfs
	rm -rf "$BUNDLE/rootfs/tmp"
	configure '.root.readonly = true'
	ticking
	start_on_pipe
	ticks_after 1
	checkpoint
	now=$(last_tick)
	restore
	ticks_after "$now"
	[ "$(rt exec "$ID" ls / | grep -c tmp)" = 0 ]
	run rt exec "$ID" touch /file
	contains "$output" "Read-only"
	remove_container
	ticks_are_continuous
	[ ! -e "$BUNDLE/rootfs/tmp" ]
	[ -z "$(compgen -G "$BUNDLE/rootfs/*put-root*")" ]
}

@test "a bind mount whose source is a symlink" {
	local now
	own_rootfs
	echo content >"$T/file"
	mkdir "$T/directory"
	echo below >"$T/directory/file"
	ln -s file "$T/link"
	ln -s directory "$T/directory-link"
	add_mount /bound bind "$T/link" bind ro
	add_mount /bound-directory bind "$T/directory-link" bind
	ticking
	start_on_pipe
	ticks_after 1
	checkpoint
	now=$(last_tick)
	restore
	ticks_after "$now"
	[ "$(inside cat /bound /bound-directory/file)" = $'content\nbelow' ]
	remove_container
}

@test "a bind mount whose source has become something else is refused, and nothing stays mounted" {
	own_rootfs
	echo content >"$T/file"
	add_mount /bound bind "$T/file" bind
	ticking
	start_on_pipe
	ticks_after 1
	checkpoint
	rm "$T/file"
	mkdir "$T/file"
	restore || status=$?
	[ "${status:-0}" -eq 1 ]
	is_gone
}
