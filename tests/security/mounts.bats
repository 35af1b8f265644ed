#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# A hostile image, or another container that shares a directory with this one, cannot lead a mount, a device, a mask or
# a write of the runtime to a place outside of the container's root, or to a place in /proc that is not what it seems.

load ../lib/helpers
load lib

setup()
{
	container_setup
	hostile_image
	usual_capabilities
}

# Links as an image may have them in the place of a directory.
links_to_host()
{
	printf '%s\n' "$HOST" "$(up_to_host)" "/proc/1/root$HOST" "/proc/self/cwd/$(up_to_host)" "/proc/self/fd/3/$(up_to_host)" \
		"/proc/self/root$HOST" "/mnt/../$(up_to_host)"
}

# Every kind of mount at a place that the image has chosen.
mount_on()
{
	mkdir -p "$T/volume"
	echo mine >"$T/volume/file"
	configure --arg at "$1" --arg volume "$T/volume" '.mounts += [
		{ destination: "\($at)/tmpfs", type: "tmpfs", source: "tmpfs" },
		{ destination: "\($at)/bind", type: "bind", source: $volume, options: ["rbind"] },
		{ destination: "\($at)/file", type: "bind", source: "\($volume)/file", options: ["bind"] },
		{ destination: "\($at)/queue", type: "mqueue", source: "mqueue" },
		{ destination: "\($at)/up", type: "tmpfs", source: "tmpfs", options: ["tmpcopyup"] }]'
}

@test "no mount follows a link of the image to the host" {
	mount_on /link
	command_is true
	while read -r link; do
		ln -sfn "$link" "$IMAGE/link"
		run_container
		host_is_unchanged
		# What the host does not have was made in the image, if it was made at all.
		[ ! -e "$HOST/tmpfs" ]
	done < <(links_to_host)
}

@test "no mount of the usual ones follows a link of the image to the host" {
	command_is true
	for place in proc sys dev dev/pts dev/shm dev/mqueue; do
		rm -rf "${IMAGE:?}/dev" "${IMAGE:?}/$place"
		mkdir -p "$IMAGE/dev"
		rmdir "${IMAGE:?}/$place" 2>/dev/null || :
		while read -r link; do
			ln -sfn "$link" "$IMAGE/$place"
			run_container
			host_is_unchanged
		done < <(links_to_host)
		rm "${IMAGE:?}/$place"
		mkdir -p "$IMAGE/$place"
	done
}

@test "proc and sysfs want an ordinary directory" {
	command_is true
	for place in proc sys; do
		rm -r "${IMAGE:?}/$place"
		mkdir -p "$IMAGE/elsewhere"
		ln -s elsewhere "$IMAGE/$place"
		run_container
		refuses 1 "mount '/$place'" "must be mounted on ordinary directory"
		rm "${IMAGE:?}/$place"
		mkdir "$IMAGE/$place"
	done
}

@test "a directory that is exchanged for a link while it is mounted on (CVE-2021-30465)" {
	mkdir -p "$T/volume/swap/one" "$T/volume/swap/two"
	ln -s "$(up_to_host)" "$T/volume/link"
	configure --arg volume "$T/volume" '.mounts += [
		{ destination: "/volume", type: "bind", source: $volume, options: ["rbind"] },
		{ destination: "/volume/swap/one", type: "tmpfs", source: "tmpfs" },
		{ destination: "/volume/swap/sub", type: "tmpfs", source: "tmpfs", options: ["tmpcopyup"] },
		{ destination: "/volume/swap/two", type: "bind", source: $volume, options: ["rbind"] },
		{ destination: "/volume/swap/made/up", type: "bind", source: $volume, options: ["rbind"] }]'
	script_is 'cat /volume/swap/secret /volume/link/secret /volume/swap/*/secret 2>/dev/null; grep -c . /proc/self/mountinfo'
	"$ATTACK" swap "$T/volume/swap" "$T/volume/link" 3>&- 4>&- &
	attacker=$!
	for _ in $(seq 20); do
		run_container
		[[ $output != *"secret of the host"* ]] || break
	done
	kill "$attacker"
	wait "$attacker" || :
	[[ $output != *"secret of the host"* ]]
	host_is_unchanged
}

@test "a device is not made where the image leads it (CVE-2026-47766)" {
	configure '.mounts |= map(select(.destination | startswith("/dev") | not))
		| .linux.devices = [{ path: "/dev/sub/mine", type: "c", major: 1, minor: 5 }, { path: "/link/dev/mine", type: "p" }]'
	script_is 'find / -xdev -name mine -type c'
	rm -rf "${IMAGE:?}/dev"
	while read -r link; do
		ln -sfn "$link" "$IMAGE/dev"
		ln -sfn "$link" "$IMAGE/link"
		run_container
		host_is_unchanged
		[ "$(find "$HOST" -type c -o -type p)" = "" ]
	done < <(printf '%s\n' "$HOST/dev" "$(up_to_host)/dev" "$HOST" "/proc/1/root$HOST/dev" "/proc/self/cwd/$(up_to_host)")
}

@test "links of the image in the place of device nodes are not followed" {
	configure '.mounts |= map(select(.destination | startswith("/dev") | not)) | .linux.devices = [
		{ path: "/dev/mine", type: "c", major: 1, minor: 5, fileMode: 511, uid: 7, gid: 7 }]'
	script_is 'stat -c "%F" /dev/mine /dev/null /dev/zero'
	for node in null zero ptmx fd; do
		ln -sfn "$HOST/secret" "$IMAGE/dev/$node"
	done
	run_container
	[ "$output" = $'character special file\ncharacter special file\ncharacter special file' ]
	host_is_unchanged
	# In the place of a device that was asked for, also of the one just made.
	for target in "$HOST/secret" "$HOST"; do
		rm -f "$IMAGE/dev/mine"
		ln -sn "$target" "$IMAGE/dev/mine"
		run_container
		[ "$status" -ne 0 ]
		! is_floe || contains "$output" "device '/dev/mine'"
		host_is_unchanged
	done
}

@test "a /dev/null of the image covers nothing (CVE-2025-31133)" {
	# The image's own /dev, in which the null device leads to something worth writing to.
	mkdir "$T/dev"
	for node in zero full random urandom tty; do
		cp -a "/dev/$node" "$T/dev/$node"
	done
	for target in /proc/sys/kernel/core_pattern "$HOST/secret" /proc/self/fd/3 /secret; do
		ln -sfn "$target" "$T/dev/null"
		echo masked >"$IMAGE/secret"
		configure --arg dev "$T/dev" '.mounts |= map(select(.destination | startswith("/dev") | not))
			| .mounts += [{ destination: "/dev", type: "bind", source: $dev, options: ["rbind"] }]
			| .linux.maskedPaths += ["/secret", "/proc/kcore"]'
		script_is 'cat /secret; stat -c "%F %t:%T" /secret; grep -c " /proc/sys/kernel/core_pattern\| /proc/kcore " /proc/self/mountinfo'
		run_container
		contains "$output" "character special file 1:3"
		[[ $output != *masked* && $output != *"of the host"* ]]
	done
	host_is_unchanged
}

@test "a /dev/null that is exchanged meanwhile covers nothing" {
	mkdir "$T/dev"
	for node in null zero full random urandom tty; do
		cp -a "/dev/$node" "$T/dev/$node"
	done
	ln -s /proc/sys/kernel/core_pattern "$T/dev/link"
	echo masked >"$IMAGE/secret"
	configure --arg dev "$T/dev" '.mounts |= map(select(.destination | startswith("/dev") | not))
		| .mounts += [{ destination: "/dev", type: "bind", source: $dev, options: ["rbind"] }]
		| .linux.maskedPaths += ["/secret"]'
	script_is 'stat -c "%F %t:%T" /secret'
	"$ATTACK" swap "$T/dev/null" "$T/dev/link" 3>&- 4>&- &
	attacker=$!
	for _ in $(seq 15); do
		run_container
		[[ $status -ne 0 || $output == "character special file 1:3" ]] || break
	done
	kill "$attacker"
	wait "$attacker" || :
	[[ $status -ne 0 || $output == "character special file 1:3" ]]
}

@test "the console is not bound on what the image has in its place (CVE-2025-52565)" {
	configure '.process.terminal = true | .mounts |= map(select(.destination != "/dev"))'
	script_is 'grep " /dev/console \| /proc/sys/\| /secret " /proc/self/mountinfo; cat /proc/sys/kernel/core_pattern >/dev/null; echo end'
	pattern=$(cat /proc/sys/kernel/core_pattern)
	for target in /proc/sys/kernel/core_pattern "$HOST/secret" ../secret /proc/self/fd/0; do
		echo secret >"$IMAGE/secret"
		rm -f "$IMAGE/dev/console"
		ln -s "$target" "$IMAGE/dev/console"
		run script -qec "timeout $((20 * PATIENCE)) $FLOE_RUNTIME --root $STATE run --bundle $BUNDLE $ID" /dev/null </dev/null
		contains "$output" "/dev/console of the image is neither"
		[[ $output != *end* ]]
		host_is_unchanged
	done
	[ "$(cat /proc/sys/kernel/core_pattern)" = "$pattern" ]
}

@test "nothing but procfs is mounted on /proc, and nothing below it (CVE-2019-16884, CVE-2025-52881)" {
	mkdir -p "$T/fake/self/attr" "$T/fake/sys/net/ipv4"
	command_is true
	cp "$BUNDLE/config.json" "$T/config.json"
	for place in /proc /proc/self/attr /proc/sys/net /proc/1 /proc/sys/../../proc/sys /link /link/sys; do
		ln -sfn /proc "$IMAGE/link"
		for kind in bind tmpfs; do
			cp "$T/config.json" "$BUNDLE/config.json"
			add_mount "$place" "$kind" "$T/fake" "$([ $kind = tmpfs ] || echo rbind)"
			configure '.mounts[].options //= [] | .mounts[].options -= [""]'
			run_container
			[ "$status" -eq 1 ] || fail "$kind at $place: $output"
			! is_floe || [[ $output == *"inside /proc"* || $output == *"not of type proc"* ]] || fail "$output"
		done
	done
	host_is_unchanged
}

@test "a sysctl is not written to a /proc of the image" {
	mkdir -p "$IMAGE/proc/sys/net/ipv4"
	echo 0 >"$IMAGE/proc/sys/net/ipv4/ip_forward"
	configure '.mounts |= map(select(.destination != "/proc")) | .linux.maskedPaths = [] | .linux.readonlyPaths = []
		| .linux.sysctl = { "net.ipv4.ip_forward": "1" }'
	command_is true
	run_container
	refuses 1 "linux.sysctl needs a procfs at /proc"
	[ "$(cat "$IMAGE/proc/sys/net/ipv4/ip_forward")" = 0 ]
	# A link to the host's.
	rm -r "${IMAGE:?}/proc"
	ln -s /proc/1/root/proc "$IMAGE/proc"
	run_container
	[ "$status" -eq 1 ]
}

@test "masked and read-only paths are resolved in the root" {
	mkdir -p "$IMAGE/real"
	echo visible >"$IMAGE/real/key"
	ln -s real "$IMAGE/alias"
	ln -s "$HOST" "$IMAGE/out"
	ln -s "$HOST/secret" "$IMAGE/out-file"
	configure '.linux.maskedPaths += ["/alias/key", "/out", "/out-file", "/out/secret"]
		| .linux.readonlyPaths += ["/real", "/out/sub", "/out"]'
	script_is 'cat /real/key; touch /real/new'
	run_container
	[[ $output != *visible* ]]
	contains "$output" "Read-only file system"
	host_is_unchanged
	# A link of procfs, which goes to wherever its process is, is no path.
	ln -sfn /proc/self/root "$IMAGE/alias"
	run_container
	[ "$status" -eq 1 ]
	host_is_unchanged
}

@test "tmpcopyup copies nothing of the host and waits for nothing" {
	mkdir -p "$IMAGE/up/sub"
	ln -s "$HOST/secret" "$IMAGE/up/absolute"
	ln -s "$(up_to_host)/secret" "$IMAGE/up/relative"
	ln -s "$HOST" "$IMAGE/up/directory"
	mkfifo "$IMAGE/up/fifo"
	mknod "$IMAGE/up/null" c 1 3
	add_mount /up tmpfs tmpfs tmpcopyup
	script_is 'cd /up; find . | sort; cat absolute relative directory/secret 2>/dev/null'
	run_container
	[ "$status" -eq 1 ]
	contains "$output" ./absolute ./directory ./fifo ./null
	[[ $output != *"secret of the host"* ]]
	# The directory itself is a link.
	mv "$IMAGE/up" "$IMAGE/down"
	ln -s "$HOST" "$IMAGE/up"
	run_container
	[[ $output != *"secret of the host"* ]]
	host_is_unchanged
}

@test "a root file system that is renamed while the container is created is itself or an error" {
	mkdir -p "$T/other/rootfs/bin" "$T/parent"
	mv "$IMAGE" "$T/parent/rootfs"
	ln -s / "$T/parent/link"
	configure --arg root "$T/parent/rootfs" '.root.path = $root'
	script_is "cat $HOST/secret; ls -d /attack; ls /"
	"$ATTACK" swap "$T/parent/rootfs" "$T/parent/link" 3>&- 4>&- &
	attacker=$!
	seen=
	for _ in $(seq 25); do
		run_container
		if [ "$status" -ne 1 ] && [[ $output != *"attack"* || $output == *"secret of the host"* ]]; then
			seen=$output
		fi
		[[ $output != *"secret of the host"* ]] || seen=$output
	done
	kill "$attacker"
	wait "$attacker" || :
	[ -z "$seen" ] || fail "$seen"
	host_is_unchanged
}
