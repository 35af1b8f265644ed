#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Mounts that are more than a bind: overlays, images, patterns, what images declare.

load ../lib/engine

teardown()
{
	engine_clean_up
	fl rmi --all --force >/dev/null
}

@test "what mounts may say twice, and what means nothing" {
	mkdir dir && touch dir/file
	is file "$(fl run --rm -v "$T/dir:/mnt" -v "$T/dir:/mnt" --rootfs "$ROOTFS" ls /mnt)"
	try run --rm -v "$T/dir:/mnt" -v "$T/dir:/mnt:ro" --rootfs "$ROOTFS" true
	refused "/mnt: duplicate mount destination"
	# Without a user namespace there are no ids to map.
	is file "$(fl run --rm -v "$T/dir:/mnt:idmap" --rootfs "$ROOTFS" ls /mnt)"
}

@test "--volumes-from: its options" {
	mkdir dir
	fl create --name "$C" -v "$T/dir:/mnt" -v "$C-volume:/data" --rootfs "$ROOTFS" true >/dev/null
	is "ro ro" "$(fl run --rm --volumes-from "$C:ro,z" --rootfs "$ROOTFS" sh -c "echo \$(sed -nE 's,^[^ ]+ /(mnt|data) [^ ]+ ([^,]+).*,\2,p' /proc/mounts)")"
	try run --rm --volumes-from "$C:foo" --rootfs "$ROOTFS" true
	refused 'invalid option "foo" specified - volumes from another container can only use z,ro,rw options'
}

@test "option O: what is written goes elsewhere, and goes with the container" {
	mkdir src up work
	echo below >src/file
	chmod 750 src
	is "below above 750" "$(fl run --name "$C" -v "$T/src:/mnt:O" --rootfs "$ROOTFS" \
		sh -c 'echo $(cat /mnt/file; echo above >/mnt/file; cat /mnt/file; stat -c %a /mnt)')"
	is below "$(cat src/file)"
	is "below above 750" "$(fl start --attach "$C")"
	# Or where the user says.
	fl run --rm -v "$T/src:/mnt:O,upperdir=$T/up,workdir=$T/work" --rootfs "$ROOTFS" sh -c 'echo kept >/mnt/new'
	is kept "$(cat up/new)"
	# A volume, too.
	fl run --rm -v "vol$C:/mnt" --rootfs "$ROOTFS" touch /mnt/old
	is "new old" "$(fl run --rm -v "vol$C:/mnt:O" --rootfs "$ROOTFS" sh -c 'touch /mnt/new; echo $(ls /mnt)')"
	is old "$(fl run --rm -v "vol$C:/mnt" --rootfs "$ROOTFS" ls /mnt)"
	try run --rm -v "$T/src:/mnt:O,upperdir=$T/up" --rootfs "$ROOTFS" true
	refused "need each other"
	try run --rm -v "$T/src/file:/mnt:O" --rootfs "$ROOTFS" true
	refused "for directories"
}

@test "--rootfs DIR:O leaves the directory alone" {
	is /made "$(fl run --name "$C" --rootfs "$ROOTFS:O" sh -c 'touch /made; ls /made')"
	[ ! -e "$ROOTFS/made" ]
	is no "$(fl run --rm --rootfs "$ROOTFS:O" sh -c '[ -e /made ] || echo no')"
	fl start "$C" >/dev/null
}

@test "--mount type=image" {
	make_image tools 'LABEL a=b'
	is "yes no" "$(fl run --rm --mount type=image,source=tools,target=/mnt --rootfs "$ROOTFS" \
		sh -c 'echo $([ -x /mnt/bin/sh ] && echo yes) $(touch /mnt/x 2>/dev/null || echo no)')"
	is "x" "$(fl run --name "$C" --mount type=image,source=tools,target=/mnt,readwrite=true,subpath=data --rootfs "$ROOTFS" \
		sh -c 'touch /mnt/x; ls /mnt')"
	is "" "$(fl run --rm tools ls /data)"
	fl start --attach "$C" >/dev/null
	try run --rm --mount type=image,source=nosuch,target=/mnt --rootfs "$ROOTFS" true
	refused "nosuch"
	try run --rm --mount type=image,target=/mnt --rootfs "$ROOTFS" true
	refused "source="
}

@test "--mount type=glob" {
	mkdir src
	touch src/a.conf src/b.conf src/c
	is "a.conf b.conf" "$(fl run --rm --mount "type=glob,source=$T/src/*.conf,target=/mnt/etc,ro" --rootfs "$ROOTFS:O" \
		sh -c 'echo $(ls /mnt/etc)')"
	fl run --rm --mount "type=glob,source=$T/src/*.conf" --rootfs "$ROOTFS:O" test -e "$T/src/a.conf"
	try run --rm --mount "type=glob,source=$T/src/*.none,target=/mnt" --rootfs "$ROOTFS" true
	refused "nothing matches"
}

@test "--image-volume: anonymous, tmpfs, ignore" {
	make_image declares 'VOLUME /vol'
	fl run --name "$C" declares touch /vol/x
	is volume "$(inspect "$C" '{{range .Mounts}}{{.Type}}{{end}}')"
	contains "$(fl run --rm --image-volume tmpfs declares grep ' /vol ' /proc/mounts)" tmpfs nosuid nodev
	is "" "$(fl run --rm --image-volume ignore declares sh -c 'grep " /vol " /proc/mounts || :')"
	make_image quoted 'VOLUME "/vol"'
	is '{"/vol":{}}' "$(fl image inspect quoted --format '{{json .Config.Volumes}}')"
	try run --rm --image-volume nosuch declares true
	refused "anonymous" "tmpfs"
	fl rm --volumes "$C" >/dev/null
	is "" "$(fl volume ls -q)"
}
