#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# The mounts of a container: those of the default configuration, bind, tmpfs and overlay, masked and read-only paths,
# propagation.

load ../lib/helpers

# mounted_at PATH: "TYPE OPTIONS SUPER-OPTIONS" of the topmost mount there, from the mountinfo in $output.
mounted_at()
{
	awk -v at="$1" '$5 == at { for (i = 7; $i != "-"; i++); line = $(i + 1) " " $6 " " $(i + 3) } END { print line }' \
		<<<"$output"
}

# Optional fields of the mount: "shared:3 master:1".
propagation_at()
{
	awk -v at="$1" '$5 == at { line = ""; for (i = 7; $i != "-"; i++) line = line $i " " } END { print line }' \
		<<<"$output"
}

show_mounts()
{
	script_is 'cat /proc/self/mountinfo'
	run_container
	[ "$status" -eq 0 ]
}

@test "the default mounts are there, with their types and flags" {
	local gid=5
	! is_rootless || gid='*'
	show_mounts
	[[ $(mounted_at /proc) == "proc rw"* ]]
	[[ $(mounted_at /dev) == "tmpfs rw,nosuid"*size=65536k*mode=755* ]]
	[[ $(mounted_at /dev/pts) == "devpts rw,nosuid,noexec"*"gid="$gid,mode=620,ptmxmode=666* ]]
	[[ $(mounted_at /dev/shm) == "tmpfs rw,nosuid,nodev,noexec"*size=65536k* ]]
	[[ $(mounted_at /dev/mqueue) == "mqueue rw,nosuid,nodev,noexec"* ]]
	[[ $(mounted_at /sys) == "sysfs ro,nosuid,nodev,noexec"* ]]
	[ "$(mounted_at /)" ]
	[[ $(mounted_at /) == *" ro,"* ]]
}

@test "nothing of the host's mounts is left inside" {
	show_mounts
	[[ $output != *"$BATS_RUN_TMPDIR"*"$BATS_RUN_TMPDIR"* ]] || fail "$output"
	script_is 'ls /'
	run_container
	contains "$output" bin proc
	[[ $output != *oldroot* && $output != *pivot* ]]
}

@test "the cgroup hierarchies are mounted below /sys/fs/cgroup, read-only (version 1)" {
	! is_cgroup_v2 || skip "this machine has cgroup version 2"
	script_is 'cat /sys/fs/cgroup/pids/cgroup.procs; mkdir /sys/fs/cgroup/pids/x'
	run_container
	[ "${lines[0]}" = 1 ]
	contains "$output" "Read-only file system"
}

@test "the cgroup tree is mounted at /sys/fs/cgroup, read-only (version 2)" {
	is_cgroup_v2 || skip "this machine has no cgroup version 2"
	script_is 'cat /sys/fs/cgroup/cgroup.procs; mkdir /sys/fs/cgroup/x'
	configure '.linux.namespaces += [{ type: "cgroup" }]'
	run_container
	[ "${lines[0]}" = 1 ]
	contains "$output" "Read-only file system"
	# Without a cgroup namespace it is the machine's tree.
	configure '.linux.namespaces |= map(select(.type != "cgroup"))'
	script_is 'cat /sys/fs/cgroup$(sed -n s/^0:://p /proc/self/cgroup)/cgroup.procs; mkdir /sys/fs/cgroup/x'
	run_container
	[ "${lines[0]}" = 1 ]
	contains "$output" "Read-only file system"
}

@test "a read-only rootfs cannot be written, another can" {
	own_rootfs
	script_is 'echo data >/file; cat /file'
	run_container
	[ "$output" = data ]
	[ "$(cat "$BUNDLE/rootfs/file")" = data ]
	configure '.root.readonly = true'
	script_is 'echo more >/file'
	run_container
	[ "$status" -ne 0 ]
	contains "$output" "Read-only file system"
	[ "$(cat "$BUNDLE/rootfs/file")" = data ]
}

@test "a directory is bind mounted for reading and writing" {
	mkdir "$T/share"
	echo host >"$T/share/a"
	add_mount /mnt none "$T/share" bind
	script_is 'cat /mnt/a; echo container >/mnt/b'
	run_container
	[ "$status" -eq 0 ]
	[ "$output" = host ]
	[ "$(cat "$T/share/b")" = container ]
}

@test "a directory is bind mounted read-only" {
	mkdir "$T/share"
	echo host >"$T/share/a"
	add_mount /mnt bind "$T/share" bind ro
	script_is 'cat /mnt/a; echo container >/mnt/a'
	run_container
	[ "$status" -ne 0 ]
	contains "$output" host "Read-only file system"
	[ "$(cat "$T/share/a")" = host ]
}

@test "a file is bind mounted on a file" {
	own_rootfs
	echo replaced >"$T/hosts"
	add_mount /etc/hosts bind "$T/hosts" bind ro
	script_is 'cat /etc/hosts'
	run_container
	[ "$output" = replaced ]
	[ "$(cat "$BUNDLE/rootfs/etc/hosts")" != replaced ]
}

@test "missing mount points are made, as directory or as file" {
	own_rootfs
	mkdir "$T/share"
	echo text >"$T/file"
	add_mount /new/deep/dir bind "$T/share" bind
	add_mount /new/file bind "$T/file" bind
	script_is 'cat /new/file; ls -d /new/deep/dir'
	run_container
	[ "$status" -eq 0 ]
	[ "$output" = $'text\n/new/deep/dir' ]
}

@test "a relative source is relative to the bundle" {
	mkdir "$BUNDLE/beside"
	echo beside >"$BUNDLE/beside/file"
	[ "$RUNTIME_NAME" != crun ] || cd "$BUNDLE"
	add_mount /mnt bind beside bind
	script_is 'cat /mnt/file'
	run_container
	[ "$output" = beside ]
}

@test "bind takes one mount, rbind those below too" {
	needs_root "mount file systems"
	mkdir "$T/share"
	mount -t tmpfs upper "$T/share"
	mkdir "$T/share/below"
	mount -t tmpfs lower "$T/share/below"
	touch "$T/share/below/file"
	add_mount /mnt bind "$T/share" bind
	add_mount /data bind "$T/share" rbind
	script_is 'ls /mnt/below; echo --; ls /data/below'
	run_container
	umount "$T/share/below" "$T/share"
	[ "$output" = $'--\nfile' ]
}

@test "flags of bind mounts are set" {
	needs_root "clear flags of the machine's mounts"
	mkdir "$T/share"
	add_mount /mnt bind "$T/share" bind nosuid nodev noexec noatime
	show_mounts
	[[ $(mounted_at /mnt) == *" rw,nosuid,nodev,noexec,noatime "* ]]
}

@test "noexec takes effect" {
	mkdir "$T/share"
	printf '#!/bin/sh\necho ran\n' >"$T/share/script"
	chmod +x "$T/share/script"
	add_mount /mnt bind "$T/share" bind noexec
	script_is '/mnt/script'
	run_container
	[ "$status" -eq 126 ]
	contains "$output" "ermission denied"
}

@test "a later option overrides an earlier one" {
	[ "$RUNTIME_NAME" != crun ] || skip "crun adds them up"
	mkdir "$T/share"
	add_mount /mnt bind "$T/share" bind ro nosuid rw suid
	show_mounts
	[[ $(mounted_at /mnt) == *" rw"* && $(mounted_at /mnt) != *nosuid* ]]
}

@test "tmpfs has the size and mode that are asked for" {
	[ "$RUNTIME_NAME" != runc ] || skip "Debian's runc puts the mode of the mount point first"
	add_mount /mnt tmpfs tmpfs nosuid size=1m mode=1770
	script_is 'stat -c %a /mnt; dd if=/dev/zero of=/mnt/file bs=65536 count=32 2>&1; stat -c %s /mnt/file'
	run_container
	[ "${lines[0]}" = 1770 ]
	contains "$output" "No space left on device"
	[ "${lines[-1]}" = 1048576 ]
}

@test "tmpfs takes the mode of the directory that it covers" {
	own_rootfs
	chmod 1777 "$BUNDLE/rootfs/mnt"
	add_mount /mnt tmpfs tmpfs nosuid
	script_is 'stat -c %a /mnt'
	run_container
	[ "$output" = 1777 ]
}

@test "a read-only tmpfs cannot be written" {
	add_mount /mnt tmpfs tmpfs ro
	script_is 'touch /mnt/file'
	run_container
	[ "$status" -ne 0 ]
	contains "$output" "Read-only file system"
}

@test "overlay joins its layers and writes into the upper one" {
	mkdir "$T"/{lower,upper,work}
	echo low >"$T/lower/a"
	echo low >"$T/lower/b"
	add_mount /mnt overlay overlay "lowerdir=$T/lower" "upperdir=$T/upper" "workdir=$T/work"
	script_is 'cat /mnt/a; echo up >/mnt/a; rm /mnt/b; ls /mnt'
	run_container
	[ "$status" -eq 0 ]
	[ "$output" = $'low\na' ]
	[ "$(cat "$T/upper/a")" = up ]
	[ "$(cat "$T/lower/a")" = low ]
	[ -c "$T/upper/b" ]
}

@test "mounts are made in the order of the list" {
	add_mount /mnt tmpfs first
	mkdir "$T/share"
	touch "$T/share/file"
	add_mount /mnt/inner bind "$T/share" bind
	add_mount /mnt/inner/file bind /dev/null bind
	script_is 'ls /mnt/inner; test -c /mnt/inner/file && echo device'
	run_container
	[ "$output" = $'file\ndevice' ]
}

@test "relative masked and read-only paths count from the root" {
	[ "$RUNTIME_NAME" != crun ] || skip "crun's own way is another"
	own_rootfs
	echo secret >"$BUNDLE/rootfs/masked"
	echo text >"$BUNDLE/rootfs/kept"
	configure '.linux.maskedPaths += ["masked"] | .linux.readonlyPaths += ["kept"]'
	script_is 'cat /masked /kept; echo more >>/kept'
	run_container
	[ "$status" -ne 0 ]
	contains "$output" text "Read-only file system"
	[[ $output != *secret* ]]
}

@test "masked files are empty and masked directories too" {
	own_rootfs
	mkdir "$BUNDLE/rootfs/secret"
	echo secret >"$BUNDLE/rootfs/secret/key"
	echo secret >"$BUNDLE/rootfs/password"
	configure '.linux.maskedPaths += ["/secret", "/password", "/does/not/exist"]'
	script_is 'ls -A /secret; cat /password; wc -c </proc/keys; touch /secret/x'
	run_container
	[ "${lines[0]}" = 0 ]
	contains "$output" "Read-only file system"
	[[ $output != *secret?key* ]]
}

@test "read-only paths cannot be written" {
	own_rootfs
	mkdir "$BUNDLE/rootfs/fixed"
	configure '.linux.readonlyPaths += ["/fixed", "/does/not/exist"]'
	script_is 'touch /free; touch /fixed/file; echo x >/proc/sys/kernel/hostname; test -e /free && echo free'
	run_container
	[ "$(grep -c "Read-only file system" <<<"$output")" -eq 2 ]
	contains "$output" free
}

@test "propagation of bind mounts: private, slave, shared" {
	needs_root "mount file systems"
	[ "$RUNTIME_NAME" != crun ] || skip "crun makes none of them shared"
	mkdir "$T/share"
	mount -t tmpfs share "$T/share"
	mount --make-shared "$T/share"
	mkdir "$T/share/late"
	configure '.linux.rootfsPropagation = "rslave"'
	add_mount /mnt bind "$T/share" rbind rslave
	add_mount /data bind "$T/share" rbind rprivate
	add_mount /tmp bind "$T/share" rbind rshared
	script_is 'cat /proc/self/mountinfo; echo ready; while ! test -e /mnt/late/file; do sleep 0.05; done
		ls /mnt/late /data/late'
	start_detached
	eventually file_contains "$T/$ID.out" ready
	output=$(cat "$T/$ID.out")
	[[ $(propagation_at /mnt) =~ ^master:[0-9]+\ $ ]]
	[ -z "$(propagation_at /data)" ]
	[[ $(propagation_at /tmp) =~ shared:[0-9]+ ]]
	# A mount on the host reaches the slave and not the private one.
	mount -t tmpfs late "$T/share/late"
	touch "$T/share/late/file"
	eventually is_state stopped
	rt delete "$ID"
	umount "$T/share/late"
	umount "$T/share"
	[ "$(sed '1,/ready/d' "$T/$ID.out")" = $'/data/late:\n\n/mnt/late:\nfile' ]
}

@test "a mount inside a container reaches the host through a shared mount only" {
	needs_root "mount file systems"
	configure '.process.capabilities |= map_values(. + ["CAP_SYS_ADMIN"])'
	mkdir "$T/share"
	mount -t tmpfs share "$T/share"
	mount --make-shared "$T/share"
	mkdir "$T/share"/{shared,private}
	# Otherwise the whole tree is made a slave first.
	configure '.linux.rootfsPropagation = "rshared"'
	add_mount /mnt bind "$T/share" bind rshared
	add_mount /data bind "$T/share" bind rprivate
	script_is 'mount -t tmpfs a /mnt/shared; mount -t tmpfs b /data/private'
	run_container
	[ "$status" -eq 0 ]
	output=$(cat /proc/self/mountinfo)
	umount "$T/share/shared"
	run umount "$T/share/private"
	umount "$T/share"
	[ "$status" -ne 0 ]
}

@test "rootfsPropagation is applied to the root" {
	floe_only "Debian's others leave the root private"
	configure '.linux.rootfsPropagation = "shared"'
	show_mounts
	[[ $(propagation_at /) =~ shared:[0-9]+ ]]
	configure '.linux.rootfsPropagation = "private"'
	show_mounts
	[ -z "$(propagation_at /)" ]
}

@test "a mount on the rootfs's own file system does not escape to the host" {
	# The sandbox's tree is shared, as systemd has it; the teardown compares the mounts.
	own_rootfs
	add_mount /mnt tmpfs tmpfs
	script_is true
	run_container
	[ "$status" -eq 0 ]
	nothing_left
}

@test "a destination through a symlink stays inside the rootfs" {
	[ "$RUNTIME_NAME" != crun ] || skip "crun refuses a dangling link"
	own_rootfs
	mkdir "$T/outside" "$T/share"
	touch "$T/share/file"
	ln -s "$T/outside" "$BUNDLE/rootfs/absolute"
	ln -s ../../../../../../../../../..$T/outside "$BUNDLE/rootfs/relative"
	add_mount /absolute/a bind "$T/share" bind
	add_mount /relative/b bind "$T/share" bind
	script_is "ls /absolute/a /relative/b; ls -d $T/outside/a"
	run_container
	[ "$status" -eq 0 ]
	[ -z "$(ls -A "$T/outside")" ]
	contains "$output" file "$T/outside/a"
}

@test "a bind mount whose source is missing is refused and nothing is left" {
	add_mount /mnt bind "$T/missing" bind
	run_container
	refuses 1 "$T/missing" "no such file or directory"
	[ ! -e "$STATE/$ID" ]
}

@test "an unknown file system is refused" {
	add_mount /mnt nosuchfs none
	run_container
	refuses 1 nosuchfs /mnt
}

@test "an option that the file system does not know is refused" {
	add_mount /mnt tmpfs tmpfs nosuchoption=1
	run_container
	[ "$status" -eq 1 ]
	! is_floe || contains "$output" /mnt
}

@test "a mount on the rootfs itself is refused" {
	[ "$RUNTIME_NAME" = floe-runtime ] || skip "others differ"
	add_mount / tmpfs tmpfs
	run_container
	[ "$status" -eq 1 ]
}

@test "a mount inside /proc is refused" {
	[ "$RUNTIME_NAME" != crun ] || skip "crun allows it"
	mkdir "$T/share"
	add_mount /proc/sys bind "$T/share" bind
	run_container
	[ "$status" -eq 1 ]
	contains "$output" /proc
}

@test "the file system of a bind mount has no options" {
	[ "$RUNTIME_NAME" = floe-runtime ] || skip "Debian's others pass them on"
	mkdir "$T/share"
	add_mount /mnt bind "$T/share" bind size=1m
	run_container
	[ "$status" -eq 1 ]
	contains "$output" size=1m
}

@test "--no-pivot works" {
	own_rootfs
	touch "$BUNDLE/rootfs/of-the-image"
	script_is 'cut -d " " -f 5 /proc/self/mountinfo; cd ..; ls'
	run_container --no-pivot
	[ "$status" -eq 0 ]
	contains "$output" $'\n/proc\n' $'\nof-the-image'
	# Mounts of the host's are out of reach.
	[[ $output != *"$BUNDLE"* && $output != */.old* ]]
}

@test "a container without a mount list of its own has its root only" {
	configure '.mounts = [{ destination: "/proc", type: "proc", source: "proc" }]
		| del(.linux.maskedPaths, .linux.readonlyPaths)'
	own_rootfs
	script_is 'wc -l </proc/self/mountinfo'
	run_container
	[ "$status" -eq 0 ]
}

@test "access times change with a choice of them only" {
	needs_root "mount file systems"
	local options
	mkdir "$T/times"
	mount -t tmpfs -o nodiratime,noatime times "$T/times"
	script_is "sed -n 's,^[^ ]* /mnt [^ ]* \\([^ ]*\\).*,\\1,p' /proc/mounts"
	for options in '"atime"' '"diratime"' '"norelatime"' '"nosuid"'; do
		configure '.mounts |= map(select(.destination != "/mnt"))'
		configure ".mounts += [{ destination: \"/mnt\", source: \"$T/times\", options: [\"bind\", $options] }]"
		run_container
		contains ",$output," ,noatime, ,nodiratime, || break
	done
	configure '.mounts[-1].options = ["bind", "relatime"]'
	run_container
	umount "$T/times"
	contains ",$output," ,relatime,
	[[ ,$output, != *,noatime,* && ,$output, != *,nodiratime,* ]]
}

@test "a destination with the path of the rootfs in front is below it" {
	[ "$RUNTIME_NAME" != crun ] || skip "crun makes that path inside"
	own_rootfs
	mkdir "$T/source"
	touch "$T/source/found"
	add_mount "$BUNDLE/rootfs/place" bind "$T/source" bind
	command_is ls /place
	run_container
	[ "$status" -eq 0 ]
	contains "$output" found
	[ ! -e "$BUNDLE/rootfs$BUNDLE" ]
}

@test "a source below the rootfs is what earlier mounts have put there" {
	needs_root "give files to other users"
	[ "$RUNTIME_NAME" != crun ] || skip "crun opens it before"
	own_rootfs
	chmod o+x "$BATS_RUN_TMPDIR" "$BATS_FILE_TMPDIR" "$T" "$BUNDLE" 2>/dev/null || :
	mkdir -p "$T/source/sub" "$BUNDLE/rootfs"/{first,second}
	echo found >"$T/source/sub/file"
	chown -R 100000:100000 "$T/source"
	command_is cat /second/file
	add_mount /first bind "$T/source" bind
	add_mount /second bind "$BUNDLE/rootfs/first/sub" bind
	for what in . '.linux.namespaces += [{ type: "user" }] | .linux.uidMappings = [{ containerID: 0, hostID: 100000, size: 65536 }]
			| .linux.gidMappings = .linux.uidMappings'; do
		configure "$what"
		run_container
		[ "$status" -eq 0 ]
		contains "$output" found
	done
	configure '.mounts[-1].source += "/nothing"'
	run_container
	refuses 1 "mount '/second': open source" "rootfs/first/sub/nothing"
	configure 'del(.linux.uidMappings, .linux.gidMappings) | del(.linux.namespaces[] | select(.type == "user"))
		| .mounts[-1].source |= rtrimstr("/nothing")
		| .mounts[-1] += { uidMappings: [{ containerID: 100000, hostID: 0, size: 1000 }] }
		| .mounts[-1].gidMappings = .mounts[-1].uidMappings'
	command_is stat -c "owner %u" /second/file
	run_container
	[ "$status" -eq 0 ]
	contains "$output" "owner 0"
}
