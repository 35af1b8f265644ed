#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# Mounts that are added to a container that exists, and removed (crun's command mounts).

# shellcheck disable=SC2016 # most scripts here are for the shell of the container

load ../lib/cr

setup()
{
	floe_only "Debian's crun lacks the command"
	needs_root "hand mounts of the host to a container"
	container_setup
	own_rootfs
	idle_command
	mkdir -p "$T/source/sub"
	echo content >"$T/source/file"
}

# mounts_are MOUNT...: the file that the command takes.
mounts_are()
{
	jq -n --arg t "$T" "{ mounts: [ $1 ] }" >"$T/mounts.json"
}

user_namespace()
{
	needs_root "give files to other users"
	chmod o+x "$BATS_RUN_TMPDIR" "$BATS_FILE_TMPDIR" "$T"
	configure '.linux.namespaces += [{ type: "user" }]
		| .linux.uidMappings = [{ containerID: 0, hostID: 100000, size: 65536 }] | .linux.gidMappings = .linux.uidMappings'
	chown -R 100000:100000 "$BUNDLE/rootfs"
}

@test "bind mounts and file systems are added and removed" {
	mounts_are '{ destination: "/new/place", type: "bind", source: "\($t)/source", options: ["rbind", "ro", "nosuid"] },
		{ destination: "/new/file", type: "bind", source: "\($t)/source/file", options: ["bind"] },
		{ destination: "/data", type: "tmpfs", source: "tmpfs", options: ["size=64k", "ro"] }'
	start_detached
	before=$(rt exec "$ID" cat /proc/self/mountinfo)
	rt mounts add "$ID" "$T/mounts.json"
	[ "$(rt exec "$ID" cat /new/place/file /new/file)" = $'content\ncontent' ]
	run rt exec "$ID" sh -c 'touch /new/place/x /data/x 2>&1 | grep -c Read-only; grep " /new/place " /proc/self/mountinfo'
	[ "${lines[0]}" = 2 ]
	contains "${lines[1]}" ro,nosuid
	# Nothing of it is on the host.
	run ! grep -q "$BUNDLE/rootfs/new\|$BUNDLE/rootfs/data" /proc/self/mountinfo
	# The stored configuration has them.
	[ "$(jq '.mounts | length' "$STATE/$ID/config.json")" -eq $(($(jq '.mounts | length' "$BUNDLE/config.json") + 3)) ]
	rt mounts remove "$ID" "$T/mounts.json"
	[ "$(rt exec "$ID" cat /proc/self/mountinfo | wc -l)" -eq "$(wc -l <<<"$before")" ]
	[ "$(jq -c .mounts "$STATE/$ID/config.json")" = "$(jq -c .mounts "$BUNDLE/config.json")" ]
	remove_container
}

@test "in a created, a paused and a user's namespace" {
	user_namespace
	chown 100000:100000 "$T/source/file"
	mounts_are '{ destination: "/data", type: "bind", source: "\($t)/source", options: ["rbind"] },
		{ destination: "/mnt", type: "tmpfs", source: "tmpfs", options: ["mode=700"] },
		{ destination: "/made", type: "bind", source: "\($t)/source", options: ["rbind", "ridmap"] }'
	script_is 'stat -c %u /data/file /mnt; ls /made; while :; do sleep 0.1; done'
	create_container
	rt mounts add "$ID" "$T/mounts.json"
	rt start "$ID"
	eventually file_contains "$T/$ID.out" sub
	[ "$(head -n 2 "$T/$ID.out")" = $'0\n0' ]
	rt pause "$ID"
	rt mounts remove "$ID" "$T/mounts.json"
	rt mounts add "$ID" "$T/mounts.json"
	rt resume "$ID"
	[ "$(rt exec "$ID" cat /data/file)" = content ]
	remove_container
}

@test "all of the mounts are added, or none" {
	start_detached
	before=$(rt exec "$ID" cat /proc/self/mountinfo)
	mounts_are '{ destination: "/data", type: "tmpfs", source: "tmpfs" }, { destination: "/mnt", type: "nosuchfs", source: "x" }'
	run rt mounts add "$ID" "$T/mounts.json"
	refuses 1 "add mounts to container '$ID'" "/mnt" nosuchfs
	mounts_are '{ destination: "/data", type: "tmpfs", source: "tmpfs" },
		{ destination: "/mnt", type: "bind", source: "/no/such/place", options: ["bind"] }'
	run rt mounts add "$ID" "$T/mounts.json"
	refuses 1 "add mounts to container '$ID'" /no/such/place
	[ "$(rt exec "$ID" cat /proc/self/mountinfo)" = "$before" ]
	remove_container
}

@test "what cannot be added or removed is refused by name" {
	start_detached
	for mount in '{ destination: "/proc", type: "proc", source: "proc" }' '{ destination: "/x", type: "cgroup", source: "cgroup" }' \
		'{ destination: "/x", type: "sysfs", source: "sysfs" }' '{ destination: "/x", type: "tmpfs", options: ["remount"] }' \
		'{ destination: "/", type: "tmpfs" }' '{ type: "tmpfs" }' '{ destination: "/x" }' \
		'{ destination: "/proc/sys", type: "tmpfs", source: "x" }'; do
		mounts_are "$mount"
		run rt mounts add "$ID" "$T/mounts.json"
		[ "$status" -eq 1 ] || fail "$mount"
		contains "$output" "add mounts to container '$ID'" || return 1
	done
	# A masked path is no mount of the list.
	mounts_are '{ destination: "/proc/kcore" }'
	run rt mounts remove "$ID" "$T/mounts.json"
	refuses 1 "no mount at '/proc/kcore'"
	echo '{}' >"$T/mounts.json"
	run rt mounts add "$ID" "$T/mounts.json"
	refuses 1 "has no mounts"
	run rt mounts add "$ID" "$T/none"
	refuses 1 "$T/none"
	rt kill "$ID" KILL
	eventually is_state stopped
	mounts_are '{ destination: "/data", type: "tmpfs", source: "tmpfs" }'
	run rt mounts add "$ID" "$T/mounts.json"
	refuses 1 stopped
	remove_container
}

@test "a hostile container leads no mount out of its root, and sees nothing of the host" {
	mkdir -p "$T/host"
	touch "$T/host/secret"
	ln -s "../../../../../../../../..$T/host" "$BUNDLE/rootfs/link"
	ln -s "/proc/1/root$T/host" "$BUNDLE/rootfs/other"
	start_detached
	for place in /link /other/sub /proc/self/root/data; do
		mounts_are '{ destination: "'"$place"'", type: "tmpfs", source: "tmpfs" }'
		run rt mounts add "$ID" "$T/mounts.json"
		run ! grep -q "$T/host" /proc/self/mountinfo
		[ "$(ls "$T/host")" = secret ]
	done
	# A container that covers /proc cannot tell us lies by it.
	remove_container
	configure '.mounts |= map(select(.destination != "/proc")) | del(.linux.maskedPaths, .linux.readonlyPaths)'
	mkdir -p "$BUNDLE/rootfs/proc/self/fd"
	for n in $(seq 0 40); do
		ln -s /bin "$BUNDLE/rootfs/proc/self/fd/$n"
	done
	start_detached
	mounts_are '{ destination: "/data", type: "tmpfs", source: "tmpfs" }'
	rt mounts add "$ID" "$T/mounts.json"
	grep -q " /data .* tmpfs " "/proc/$(pid_of)/mountinfo"
	rt mounts remove "$ID" "$T/mounts.json"
	run ! grep -q " /data .* tmpfs " "/proc/$(pid_of)/mountinfo"
	remove_container
}

@test "a checkpoint knows the mounts that were added" {
	mounts_are '{ destination: "/data", type: "bind", source: "\($t)/source", options: ["rbind"] }'
	start_on_pipe
	take_inventory >"$T/.before"
	rt mounts add "$ID" "$T/mounts.json"
	checkpoint
	# The bundle's list has to have it by now.
	jq --slurpfile new "$T/mounts.json" '.mounts += $new[0].mounts' "$BUNDLE/config.json" >"$T/config.json"
	mv "$T/config.json" "$BUNDLE/config.json"
	restore
	[ "$(rt exec "$ID" cat /data/file)" = content ]
	remove_container
}
