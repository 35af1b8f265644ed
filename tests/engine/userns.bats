#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# User namespaces: ids inside and outside, and that what a container writes has the image's ids on disk.

load ../lib/engine
load ../lib/networks

MAP=(--uidmap 0:100000:65536)

setup_file()
{
	network_setup_file
	let_others_reach "$BATS_FILE_TMPDIR"
}

setup()
{
	network_setup
	chmod a+x "$T"
}

teardown()
{
	network_clean_up
	fl rmi --all --force >/dev/null
}

@test "--uidmap, --gidmap: the process, its files and those of the host" {
	make_image own
	mkdir host
	echo hush | fl secret create "s$C" - >/dev/null
	ROOTFS=$ROOTFS:idmap start_idle "$C" "${MAP[@]}" --gidmap 0:200000:65536 --shm-size 1m
	pid=$(inspect "$C" '{{.State.Pid}}')
	is "100000" "$(proc_status "$pid" Uid | cut -f 1)"
	is "200000" "$(proc_status "$pid" Gid | cut -f 1)"
	is '{"GidMap":["0:200000:65536"],"UidMap":["0:100000:65536"]}' \
		"$(fl inspect --format '{{json .HostConfig.IDMappings}}' "$C" | jq -cS .)"
	is private "$(inspect "$C" '{{.HostConfig.UsernsMode}}')"
	run_own() { fl run --rm "${MAP[@]}" "$@"; }
	# Root owns what the image's root owns, and may change what we generated.
	is "0:0 0:0 0:0 0:0" "$(run_own own sh -c 'touch /new && echo x >>/etc/hosts && echo $(stat -c %u:%g / /new /etc/hosts /etc/mtab)')"
	is "3:4 3:4" "$(run_own -u 3:4 --secret "s$C,uid=3,gid=4,mode=0400" own \
		sh -c 'touch /tmp/new && cat /run/secrets/s* >/dev/null && echo $(stat -c %u:%g /tmp/new /run/secrets/s*)')"
	# A working directory that is made for it, too, and what is on the way to it.
	fl create --name "$C-placed" own true >/dev/null
	fl commit --quiet --change "WORKDIR /made/here" "$C-placed" localhost/placed >/dev/null
	is "/made/here 0:0 0:0" "$(run_own placed sh -c 'touch new ../new && echo $PWD $(stat -c %u:%g . ..)')"
	# What is not mapped is nobody's; with idmap it is.
	is "65534" "$(run_own -v "$T/host:/mnt" own stat -c %u /mnt)"
	is "0" "$(run_own -v "$T/host:/mnt:idmap" own sh -c 'touch /mnt/made; stat -c %u /mnt/made')"
	is "0:0" "$(stat -c %u:%g host/made)"
	# exec is in it, too.
	is "0 100000" "$(fl exec "$C" sh -c 'echo $(id -u) $(awk "{ print \$2 }" /proc/self/uid_map)')"
	fl secret rm "s$C" >/dev/null
}

@test "a mapped container's volumes, and option U" {
	make_image own
	mkdir host
	fl run --name "$C" "${MAP[@]}" -u 5:7 -v "vol$C:/data/new" -v "$T/host:/mnt:U" own touch /data/new/f /mnt/f
	dir=$(fl volume inspect --format '{{.Mountpoint}}' "vol$C")
	is "100005:100007 100005:100007" "$(stat -c %u:%g "$dir" "$dir/f" | xargs)"
	is "100005:100007" "$(stat -c %u:%g host/f)"
}

@test "commit, export, diff and cp speak of the ids inside" {
	make_image own
	fl run --name "$C" "${MAP[@]}" own sh -c 'mkdir /made; chown 5:6 /made; chmod u+s /bin/busybox; rm /etc/group'
	contains "$(fl diff "$C")" "A /made" "D /etc/group"
	contains "$(fl export "$C" | tar -tv --numeric-owner)" " 5/6 "
	[[ $(fl export "$C" | tar -tv --numeric-owner) != *100000* ]]
	fl commit --quiet "$C" localhost/committed >/dev/null
	is "5:6 4755" "$(fl run --rm committed sh -c 'echo $(stat -c %u:%g /made) $(stat -c %a /bin/busybox)')"
	echo text >file
	fl create --name "$C-2" "${MAP[@]}" -u 7:8 own cat /tmp/file >/dev/null
	fl cp file "$C-2:/tmp/file"
	is text "$(fl start --attach "$C-2")"
	fl commit --quiet "$C-2" localhost/copied >/dev/null
	is "7:8" "$(fl run --rm copied stat -c %u:%g /tmp/file)"
}

@test "--rootfs DIR:idmap" {
	is "0:0" "$(fl run --rm "${MAP[@]}" --rootfs "$ROOTFS:idmap" sh -c 'touch /data/made; stat -c %u:%g /data/made')"
	is "0:0" "$(stat -c %u:%g "$ROOTFS/data/made")"
	rm "$ROOTFS/data/made"
	try run --rm --rootfs "$ROOTFS:idmap" true
	refused "idmap needs a user namespace"
}

@test "--userns: auto, container:NAME, host; what only users without root have is refused" {
	printf 'containers:300000:200000\nother:700000:65536\n' >subid
	mount --bind subid /etc/subuid
	mount --bind subid /etc/subgid
	make_image own
	ROOTFS=$ROOTFS:idmap start_idle "$C" --userns auto
	ROOTFS=$ROOTFS:idmap start_idle "$C-2" --userns auto:size=5000
	map_of() { fl exec "$1" cat /proc/self/uid_map | xargs; }
	# By the image's users, which are below the least that is given. "nobody" does not count.
	is "0 300000 1024" "$(map_of "$C")"
	is "0 301024 5000" "$(map_of "$C-2")"
	is "0 300000 1024" "$(fl run --rm --userns "container:$C" own cat /proc/self/uid_map | xargs)"
	fl rm --force --time 0 "$C" >/dev/null
	# What is given back is taken again; fixed ids stand in front.
	is "1 0 1 0 300000 1 2 300002 1022" "$(fl run --rm --userns auto:uidmapping=1:0:1,gidmapping=1:0:1 own cat /proc/self/uid_map | xargs)"
	try run --rm --userns auto:size=500000 own true
	refused "no 500000 ids in a row"
	is "0 700000 65536" "$(fl run --rm --subuidname other --subgidname other own cat /proc/self/uid_map | xargs)"
	is "0 0 4294967295" "$(fl run --rm --userns host own cat /proc/self/uid_map | xargs)"
	is "0 0 4294967295" "$(fl run --rm --userns keep-id own cat /proc/self/uid_map | xargs)"
	# Of root there is nothing to keep but its ids; the options say who the process is.
	is "0 0 4294967295 1 3" "$(fl run --rm --userns keep-id:uid=1,gid=3 own sh -c 'echo $(cat /proc/self/uid_map) $(id -u) $(id -g)')"
	is "5 0 0 3" "$(fl run --rm --userns keep-id:uid=1,gid=3 --user 5 own sh -c 'echo $(id -u) $(id -g) $(id -G)')"
	for bad in size=5:"set max size" uid=x:"expected a number" uid=2147483648:"must be in range" nosuch=1:"unknown option"; do
		try run --rm --userns "keep-id:${bad%%:*}" own true
		refused "${bad#*:}"
	done
	try run --rm --userns nomap own true
	refused "only supported in rootless mode"
	for bad in "--userns private" "--uidmap 1:1:1" "--uidmap 0:1:0" "--uidmap 0:x" "--uidmap 0:1:10,5:100:10" "--subuidname nosuch" \
		"--userns auto:nosuch=1" "--userns host --uidmap 0:1:1"; do
		# shellcheck disable=SC2086 # two words
		try run --rm $bad own true
		refused "Error: "
	done
	umount /etc/subuid /etc/subgid
	try run --rm --userns auto own true
	refused "containers" "/etc/subuid"
}

@test "networks of a mapped container: a bridge, the host's, another container's" {
	ROOTFS=$ROOTFS:idmap
	serve "$C" "${MAP[@]}" -p 18090:80
	is "I am $C" "$(ask 127.0.0.1 18090)"
	run fln exec "$C" cat /etc/hosts
	contains "$output" "$(address_of "$C" podman)"
	contains "$(fln run --rm "${MAP[@]}" --add-host box:host-gateway --rootfs "$ROOTFS" cat /etc/hosts)" $'10.88.0.1\tbox'
	is "0" "$(fln run --rm "${MAP[@]}" --cap-add net_admin --rootfs "$ROOTFS" sh -c 'ip link set lo mtu 1400; echo $?')"
	is yes "$(fln run --rm "${MAP[@]}" --network host --rootfs "$ROOTFS" sh -c '[ -d /sys/class/net/lo ] && echo yes')"
	is yes "$(fln run --rm "${MAP[@]}" --network "container:$C" --rootfs "$ROOTFS" sh -c 'ip -o addr | grep -q 10.88. && echo yes')"
	# Again, with a new namespace.
	fln restart --time 0 "$C" >/dev/null
	is "I am $C" "$(ask 127.0.0.1 18090)"
}

@test "where the kernel cannot map the ids of mounts, the layers are copied" {
	copied() { FLOE=$T/without-idmap fl "$@"; }
	printf '#!/bin/sh\nexec %s ENOSYS mount_setattr %s "$@"\n' "$FLOE_BUILD/tests/lib/without" "$FLOE" >without-idmap
	chmod +x without-idmap
	make_image own
	is "0:0 0:0 5:6" "$(copied run --name "$C" "${MAP[@]}" own sh -c 'mkdir /made; chown 5:6 /made; echo $(stat -c %u:%g / /bin/busybox /made)')"
	contains "$(copied diff "$C")" "A /made"
	copied commit --quiet "$C" localhost/committed >/dev/null
	is "5:6" "$(fl run --rm committed stat -c %u:%g /made)"
	[[ $(copied export "$C" | tar -tv --numeric-owner) != *100000* ]]
}
