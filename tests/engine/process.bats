#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What run makes of the process that is not in options.bats: what the image says and the user does not want, users, descriptors,
# who tells the service manager, and what else must run.
#
# With each runtime under sanitizers, too.

load ../lib/engine

teardown()
{
	engine_clean_up
	fl rmi --all --force >/dev/null
}

@test "the image's variables: --unsetenv, --unsetenv-all, --env-merge, --env-host, --http-proxy" {
	make_image env 'ENV A=image' 'ENV B=image' 'ENV PATH=/bin:/of/image'
	run_env() { fl run --rm "$@" env /bin/env | grep -v -e ^HOSTNAME= -e _proxy= | sort | xargs; }
	is "A=image B=image HOME=/root PATH=/bin:/of/image container=podman" "$(run_env)"
	is "B=image HOME=/root container=podman" "$(run_env --unsetenv A --unsetenv PATH)"
	is "C=1 HOME=/root" "$(run_env --unsetenv-all --env C=1)"
	is "A=image1 B=mine HOME=/root PATH=/bin:/of/image:/x container=podman" \
		"$(run_env --env B=mine --env-merge 'PATH=${PATH}:/x' --env-merge 'A=${A}1')"
	OF_HOST=h contains "$(OF_HOST=h fl run --rm --env-host env env)" OF_HOST=h
	contains "$(https_proxy=p:1 fl run --rm env env)" https_proxy=p:1
	[[ $(https_proxy=p:1 fl run --rm --http-proxy=false env env) != *https_proxy* ]]
	try run --rm --env-merge nonsense env true
	refused "NAME=VALUE"
}

@test "--passwd, --passwd-entry, --group-entry, --hostuser" {
	options=(--rm --rootfs)
	is "123:*:123:45:container user:/:/bin/sh" "$(fl run -u 123:45 "${options[@]}" "$ROOTFS" tail -n 1 /etc/passwd)"
	is "45:x:45:123" "$(fl run -u 123:45 "${options[@]}" "$ROOTFS" tail -n 1 /etc/group)"
	[[ $(fl run -u 123:45 --passwd=false "${options[@]}" "$ROOTFS" cat /etc/passwd) != *:123:* ]]
	is "me:x:123:45:Me:/data:/bin/false" \
		"$(fl run -u 123:45 --passwd-entry 'me:x:$UID:$GID:Me:/data:/bin/false' "${options[@]}" "$ROOTFS" tail -n 1 /etc/passwd)"
	is "/data" "$(fl run -u 123:45 -w /data --passwd-entry '$HOME' "${options[@]}" "$ROOTFS" tail -n 1 /etc/passwd)"
	# Of a user who is there, no second line is made.
	[[ $(fl run --passwd-entry '$NAME' "${options[@]}" "$ROOTFS" cat /etc/passwd) != *"container user"* ]]
	is "us:x:45:" "$(fl run -u 123:45 --group-entry 'us:x:$GID:' "${options[@]}" "$ROOTFS" tail -n 1 /etc/group)"
	# Of a group that is there, no second line is made.
	[[ $(fl run -u 123 --group-entry 'us:x:$GID:' "${options[@]}" "$ROOTFS" cat /etc/group) != *us:* ]]
	is 0:45 "$(fl run -u :45 "${options[@]}" "$ROOTFS" sh -c 'echo $(id -u):$(id -g)')"
	contains "$(fl run --hostuser www-data,bin "${options[@]}" "$ROOTFS" cat /etc/passwd)" "www-data:*:33:33:" "bin:"
	contains "$(fl run --hostuser 33 "${options[@]}" "$ROOTFS" cat /etc/passwd)" "www-data:*:33:33:"
	try run --hostuser nosuch "${options[@]}" "$ROOTFS" true
	refused "nosuch" "no such user"
}

@test "users of --hostuser, and of a passwd that is mounted, are users of the container" {
	is "33 33 www-data:*:33:33" "$(fl run --rm --hostuser www-data --user www-data --rootfs "$ROOTFS" \
		sh -c 'echo $(id -u) $(id -g) $(tail -n 1 /etc/passwd | cut -d : -f 1-4)')"
	is "x:x:4321:0:container user" "$(fl run --rm --user 4321 --passwd-entry 'x:x:$UID:$GID:$NAME' --rootfs "$ROOTFS" tail -n 1 /etc/passwd)"
	printf 'root:x:0:0:root:/root:/bin/sh\nfoo:x:77:78::/home/foo:/bin/sh\n' >passwd
	printf 'root:x:0:\nbar:x:79:foo\n' >group
	is "77 78 78 79 /home/foo" "$(fl run --rm -v "$T/passwd:/etc/passwd" -v "$T/group:/etc/group" --user foo --rootfs "$ROOTFS" \
		sh -c 'echo $(id -u) $(id -g) $(id -G) $HOME')"
	start_idle "$C" -v "$T/passwd:/etc/passwd"
	is 77 "$(fl exec --user foo "$C" id -u)"
	start_idle "$C-b" --hostuser www-data
	is 33 "$(fl exec --user www-data "$C-b" id -u)"
}

@test "--env-merge knows the variables that nobody has set" {
	is "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/x podman" \
		"$(fl run --rm --env-merge 'PATH=${PATH}:/x' --env-merge 'A=${container}' --rootfs "$ROOTFS" sh -c 'echo $PATH $A')"
	is ":/x" "$(fl run --rm --unsetenv PATH --env-merge 'PATH=${PATH}:/x' --rootfs "$ROOTFS" /bin/sh -c 'echo $PATH')"
}

@test "/etc/mtab is there for programs that look for mounts, and not in a directory of the user's" {
	[ ! -L "$ROOTFS/etc/mtab" ]
	is "/proc/mounts" "$(fl run --rm --rootfs "$ROOTFS:O" readlink /etc/mtab)"
	is "/proc/mounts" "$(fl run --rm --read-only --rootfs "$ROOTFS:O" readlink /etc/mtab)"
	fl run --rm --rootfs "$ROOTFS" true
	[ ! -L "$ROOTFS/etc/mtab" ]
	fl create --name "$C" --rootfs "$ROOTFS:O" true >/dev/null
	fl start --attach "$C"
	run ! grep mtab <<<"$(fl diff "$C")"
}

@test "--chrootdirs has hosts and hostname too" {
	is "1.2.3.4 inside" "$(fl run --rm --add-host there:1.2.3.4 --hostname inside --chrootdirs /data/a,/data/b --rootfs "$ROOTFS" \
		sh -c 'echo $(grep -o "^1.2.3.4" /data/a/etc/hosts) $(cat /data/b/etc/hostname)')"
	rm -r "$ROOTFS/data/a" "$ROOTFS/data/b"
	try run --rm --chrootdirs a --rootfs "$ROOTFS" true
	refused "absolute path"
}

@test "--preserve-fds, --preserve-fd" {
	echo three >third
	echo five >fifth
	take() { timeout $ENGINE_SECONDS "$FLOE" --root "$ENGINE/root" --runroot "$ENGINE/run" "${CGROUPS[@]}" --runtime "$ENGINE_RUNTIME" \
		run --network none --cgroup-parent "$CGROUP_PARENT" "$@"; }
	is "three" "$(take --rm --preserve-fds 1 --rootfs "$ROOTFS" cat /proc/self/fd/3 3<third 4>&-)"
	is "three five" "$(take --rm --preserve-fd 3,5 --rootfs "$ROOTFS" sh -c 'echo $(cat <&3) $(cat <&5)' 3<third 5<fifth 4>&-)"
	# What lies between is nothing of ours.
	is /dev/null "$(take --rm --preserve-fd 5 --rootfs "$ROOTFS" readlink /proc/self/fd/4 5<fifth 3>&- 4>&-)"
	try run --rm --preserve-fd 5 --rootfs "$ROOTFS" true
	refused "descriptor 5 is not available"
	try run --rm --preserve-fds 1 --rootfs "$ROOTFS" true
	refused "descriptor 3 is not available"
	try run --rm --preserve-fd 2 --rootfs "$ROOTFS" true
	refused "from 3 on"
}

@test "exec --preserve-fds, --preserve-fd" {
	echo three >third
	echo five >fifth
	start_idle "$C"
	enter() { timeout $ENGINE_SECONDS "$FLOE" --root "$ENGINE/root" --runroot "$ENGINE/run" "${CGROUPS[@]}" --runtime "$ENGINE_RUNTIME" \
		exec "$@"; }
	is three "$(enter --preserve-fds 1 "$C" cat /proc/self/fd/3 3<third 4>&-)"
	is "three five" "$(enter --preserve-fd 3,5 "$C" sh -c 'echo $(cat <&3) $(cat <&5)' 3<third 5<fifth 4>&-)"
	is "three five" "$(enter --no-session --preserve-fds 1 --preserve-fd 5 "$C" sh -c 'echo $(cat <&3) $(cat <&5)' 3<third 5<fifth 4>&-)"
	is /dev/null "$(enter --preserve-fd 5 "$C" readlink /proc/self/fd/4 5<fifth 3>&- 4>&-)"
	# What floe itself has open is nobody's.
	try exec --preserve-fds 1 "$C" ls -l /proc/self/fd
	refused "file descriptor 3 is not available - the preserve-fds option requires that file descriptors must be passed"
	try exec --preserve-fd 5 "$C" true
	refused "file descriptor 5 is not available - the preserve-fd option requires that file descriptors must be passed"
	try exec --preserve-fd 2 "$C" true
	refused "from 3 on"
}

@test "exec --no-session leaves no trace" {
	start_idle "$C"
	is hello "$(fl exec --no-session "$C" echo hello)"
	fl exec --no-session "$C" sh -c 'touch /data/there; until [ -e /data/go ]; do sleep 0.1; done' </dev/null &
	eventually test -e "$ROOTFS/data/there"
	is "[]" "$(fl inspect "$C" | jq -c '.[0].ExecIDs')"
	touch "$ROOTFS/data/go"
	wait $!
	rm "$ROOTFS/data/go" "$ROOTFS/data/there"
	is "" "$(ls "$ENGINE/root/containers/$(inspect "$C" '{{.Id}}')/userdata/exec")"
	try exec --no-session "$C" sh -c 'exit 7'
	is 7 "$status"
	try exec --no-session "$C" nothing
	is 127 "$status"
	try exec --no-session --detach "$C" true
	refused "--no-session cannot be used with --detach or --detach-keys"
	fl pause "$C" >/dev/null
	try exec --no-session "$C" true
	is 255 "$status"
	contains "$output" "is paused"
	fl unpause "$C" >/dev/null
}

last_heard()
{
	[ "$(tail -n 1 heard)" = "$1" ]
}

@test "--sdnotify: container, conmon, ignore" {
	python3 - "$T/socket" >heard <<-'PY' 3>&- 4>&- &
		import socket, sys
		s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
		s.bind(sys.argv[1])
		while True:
		    text = s.recv(1000).decode().replace("\n", " ")
		    print(text, flush=True)
		    if text == "END":
		        break
	PY
	listener=$!
	say() { python3 -c 'import socket, sys; socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(sys.argv[2].encode(), sys.argv[1])' "$@"; }
	eventually test -S "$T/socket"
	NOTIFY_SOCKET=$T/socket start_idle "$C" --sdnotify container
	# Who listens may not have written it down yet.
	eventually last_heard "MAINPID=$(inspect "$C" '{{.State.ConmonPid}}')"
	is "/run/notify/notify.sock yes" "$(fl exec "$C" sh -c 'echo $NOTIFY_SOCKET $([ -S /run/notify/notify.sock ] && echo yes)')"
	# What is said inside gets out.
	cd "$ENGINE/root/containers/$(inspect "$C" '{{.Id}}')/userdata/notify"
	say notify.sock READY=1
	cd "$T"
	eventually file_contains heard READY=1
	NOTIFY_SOCKET=$T/socket start_idle "$C-2" --sdnotify conmon
	eventually last_heard "MAINPID=$(inspect "$C-2" '{{.State.ConmonPid}}') READY=1"
	is none "$(fl exec "$C-2" sh -c 'echo ${NOTIFY_SOCKET-none}')"
	NOTIFY_SOCKET=$T/socket start_idle "$C-3" --sdnotify ignore
	say "$T/socket" END
	wait $listener
	is 4 "$(wc -l <heard)"
	try run --rm --sdnotify healthy --rootfs "$ROOTFS" true
	refused "health checks"
}

@test "--requires starts what is needed, and keeps it" {
	fl create --name "$C" --rootfs "$ROOTFS" sleep 1000 >/dev/null
	fl create --name "$C-2" --requires "$C" --rootfs "$ROOTFS" sleep 1000 >/dev/null
	fl create --name "$C-3" --network "container:$C-2" --rootfs "$ROOTFS" sleep 1000 >/dev/null
	fl start "$C-3" >/dev/null
	is "$C $C-2 $C-3" "$(fl ps --format '{{.Names}}' --sort names | xargs)"
	try rm --force --time 0 "$C"
	is 125 "$status"
	contains "$output" "dependent containers"
	fl stop --time 0 "$C-3" "$C-2" "$C" >/dev/null
	# run does the same.
	is up "$(fl run --rm --requires "$C-2" --rootfs "$ROOTFS" echo up)"
	is "$C $C-2" "$(fl ps --format '{{.Names}}' --sort names | xargs)"
	try run --requires nosuch --rootfs "$ROOTFS" true
	refused "--requires" "nosuch"
}

@test "--rmi takes the image too, unless somebody else uses it" {
	make_image once
	is hi "$(fl run --rmi once echo hi)"
	try image exists once
	is 1 "$status"
	is "" "$(fl ps -aq)"
	make_image twice
	fl create --name "$C" twice true >/dev/null
	try run --rmi twice true
	is 0 "$status"
	contains "$output" "image is in use by a container"
	fl image exists twice
}

# The process ids of the monitors of exec.
exec_monitors()
{
	grep -lsz -e '^--exec-process-spec$' /proc/[0-9]*/cmdline | sed 's|^/proc/||; s|/cmdline$||'
}

is_monitored_from()
{
	local pid
	pid=$(exec_monitors)
	[ "$pid" ] && grep -q -F "$1" "/proc/$pid/cgroup"
}

@test "conmon is in no cgroup of its caller's" {
	local place=/$PREFIX/conmon
	start_idle "$C"
	! is_systemd_driver || place=/$PREFIX.slice/floe-conmon-$(inspect "$C" '{{.Id}}')-
	contains "$(cat "/proc/$(inspect "$C" '{{.State.ConmonPid}}')/cgroup")" "$place"
	# That of another process of the container neither.
	fl exec -d "$C" sleep 1000 >/dev/null
	eventually is_monitored_from "$place"
	fl restart -t 0 "$C" >/dev/null
	contains "$(cat "/proc/$(inspect "$C" '{{.State.ConmonPid}}')/cgroup")" "$place"
}

@test "--cgroups: disabled, no-conmon, split" {
	mine=$(sed -n 's/^[0-9]*:pids://p;s/^0:://p' /proc/self/cgroup | head -n 1)
	is "$mine" "$(fl run --rm --cgroups disabled --cgroupns host --rootfs "$ROOTFS" sed -n 's/^[0-9]*:pids://p;s/^0:://p' /proc/self/cgroup | head -n 1)"
	start_idle "$C" --cgroups no-conmon --cgroup-parent "$CGROUP_PARENT"
	[[ $(cat "/proc/$(inspect "$C" '{{.State.ConmonPid}}')/cgroup") != *conmon* ]]
	contains "$(cat "/proc/$(inspect "$C" '{{.State.Pid}}')/cgroup")" "/${CGROUP_PARENT#/}/floe-"
	# The runtime is not told of a driver then; in the VM its configuration names one.
	flags=()
	! is_systemd_driver || flags=(--runtime-flag cgroup-manager=cgroupfs)
	# Of the version 1 hierarchies, the one that tells sessions apart counts.
	own=/sys/fs/cgroup/systemd/$PREFIX/own
	if is_cgroup_v2; then
		own=/sys/fs/cgroup/$PREFIX/own
		mkdir -p "$own"
	fi
	for dir in /sys/fs/cgroup/*/; do
		[ -e "$dir/tasks" ] || continue
		mkdir -p "$dir/$PREFIX/own"
	done
	# Nobody else is in there: with version 2 the containers would get no controllers.
	timeout $ENGINE_SECONDS sh -c 'echo $$ >"$0/cgroup.procs"; exec "$@"' "$own" "$FLOE" --root "$ENGINE/root" --runroot "$ENGINE/run" "${CGROUPS[@]}" --runtime "$ENGINE_RUNTIME" \
		"${flags[@]}" run -d --network none --name "$C-2" --cgroups split --rootfs "$ROOTFS" sleep 1000 3>&- 4>&- >/dev/null
	contains "$(cat "/proc/$(inspect "$C-2" '{{.State.Pid}}')/cgroup")" ":/$PREFIX/own/floe-payload-$(inspect "$C-2" '{{.Id}}')"
	contains "$(cat "/proc/$(inspect "$C-2" '{{.State.ConmonPid}}')/cgroup")" ":/$PREFIX/own/supervisor"
	# We are in no such cgroup, and the monitor of exec is with the container's all the same.
	fl exec -d "$C-2" sleep 1000 >/dev/null
	eventually is_monitored_from ":/$PREFIX/own/supervisor"
	fl rm --force --time 0 "$C-2" >/dev/null
	try run --rm --cgroups nosuch --rootfs "$ROOTFS" true
	refused "nosuch"
}

@test "a seccomp profile of the image's, and the one that is built in" {
	make_image profile 'LABEL io.containers.seccomp.profile={"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["mkdir","mkdirat"],"action":"SCMP_ACT_ERRNO"}]}'
	fl run --rm profile mkdir /made
	try run --rm --seccomp-policy image profile mkdir /made
	is 1 "$status"
	contains "$output" "not permitted"
	try run --rm --seccomp-policy nosuch profile true
	refused "default, image"
	# Where no profile is installed.
	mkdir empty
	! [ -d /usr/share/containers ] || mount --bind empty /usr/share/containers
	! [ -d /etc/containers ] || mount --bind empty /etc/containers
	is 2 "$(fl run --rm profile sed -n 's/^Seccomp:\t//p' /proc/self/status)"
	try run --rm --cap-drop sys_chroot profile chroot / true
	[ "$status" -ne 0 ]
	contains "$output" "not permitted"
	fl run --rm profile chroot / true
	umount /etc/containers /usr/share/containers
}

@test "systemd mode: --systemd, --shm-size-systemd" {
	out=$(fl run --rm --systemd always --shm-size-systemd 1m --rootfs "$ROOTFS" cat /proc/mounts)
	for place in /run /tmp /run/lock; do
		contains "$(grep " $place tmpfs " <<<"$out")" size=1024k
	done
	contains "$(fl run --rm --systemd always --rootfs "$ROOTFS" env)" container_uuid=
	[[ $(fl run --rm --systemd false --rootfs "$ROOTFS" env) != *container_uuid* ]]
	try run --rm --systemd nosuch --rootfs "$ROOTFS" true
	refused "true, false, always"
}

@test "the group of the user is among the groups of the process" {
	make_image "groups$C"
	is "0" "$(fl run --rm "localhost/groups$C" sh -c 'id -G')"
	is "4567" "$(fl run --rm --user 1234:4567 "localhost/groups$C" sed -n 's/^Groups:[^0-9]*\([0-9 ]*\) $/\1/p' /proc/self/status)"
	is "33 4567" "$(fl run --rm --user 1234:4567 --group-add 33 "localhost/groups$C" sed -n 's/^Groups:[^0-9]*\([0-9 ]*\) $/\1/p' /proc/self/status)"
	start_idle "$C"
	# crun gives the user its stdin, which must be no device of the host's.
	is "7" "$(echo | fl exec --interactive --user 5:7 "$C" sed -n 's/^Groups:[^0-9]*\([0-9 ]*\) $/\1/p' /proc/self/status)"
}
