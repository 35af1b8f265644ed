#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# exec: a further process in a container, with every option.

# shellcheck disable=SC2016 # most scripts here are for the shell of the container

load ../lib/helpers

console=$FLOE_BUILD/tests/lib/console

start_idle()
{
	idle_command
	start_detached
}

ex()
{
	rt exec "$@"
}

# The process of an exec -d, by --pid-file.
exec_pid()
{
	cat "$T/exec.pid"
}

@test "exec is in the namespaces and the cgroup of the container" {
	start_idle
	pid=$(pid_of)
	for ns in pid net ipc uts mnt; do
		[ "$(ex "$ID" readlink /proc/self/ns/$ns)" = "$(readlink "/proc/$pid/ns/$ns")" ]
	done
	ex --detach --pid-file "$T/exec.pid" "$ID" sh -c 'while :; do sleep 0.1; done' </dev/null >/dev/null 2>&1
	[ "$(cat "/proc/$(exec_pid)/cgroup")" = "$(cat "/proc/$pid/cgroup")" ]
	remove_container
	[ ! -e "/proc/$(exec_pid)" ]
}

@test "exec hands on stdin, stdout, stderr and the exit code" {
	start_idle
	code=0
	echo typed | ex "$ID" sh -c 'read -r line; echo "out $line"; echo "err $line" >&2; exit 3' >"$T/out" 2>"$T/err" || code=$?
	[ $code -eq 3 ]
	[ "$(cat "$T/out")" = "out typed" ]
	[ "$(cat "$T/err")" = "err typed" ]
	code=0
	ex "$ID" sh -c 'kill -KILL $$' || code=$?
	[ $code -eq 137 ]
	remove_container
}

@test "exec forwards signals" {
	start_idle
	"$FLOE_RUNTIME" --root "$STATE" exec "$ID" sh -c 'trap "exit 11" USR1; echo ready; while :; do sleep 0.05; done' \
		>"$T/out" 3>&- 4>&- &
	runtime=$!
	eventually file_contains "$T/out" ready
	kill -USR1 $runtime
	ends_with 11 $runtime
	remove_container
}

@test "exec has the environment of the container, and what --env sets" {
	configure '.process.env += ["FROM=config", "BOTH=config"]'
	start_idle
	run ex --env BOTH=exec -e "MORE=a b=c" "$ID" sh -c 'echo "$FROM|$BOTH|$MORE"'
	[ "$output" = "config|exec|a b=c" ]
	run ex --env nonsense "$ID" true
	[ "$status" -ne 0 ]
	remove_container
}

@test "exec --cwd, --user and --additional-gids" {
	start_idle
	# What a process has as standard streams becomes its user's; that of the tests shall not.
	[ "$(ex --cwd /proc/self "$ID" pwd)" != / ]
	[ "$(ex "$ID" pwd)" = / ]
	[ "$(ex --user 12:34 "$ID" id -u 2>/dev/null)" = 12 ]
	[ "$(ex -u 12:34 "$ID" id -g 2>/dev/null)" = 34 ]
	[ "$(ex -u 12 "$ID" id -u 2>/dev/null)" = 12 ]
	[ "$(ex -u 12:34 -g 56 --additional-gids 78 "$ID" sh -c 'grep ^Groups: /proc/self/status' 2>/dev/null | tr -s ' \t' ' ')" = "Groups: 56 78 " ]
	run ex --user somebody "$ID" true
	[ "$status" -ne 0 ]
	contains "$output" somebody
	remove_container
}

@test "exec --cap and --no-new-privs" {
	configure '.process.noNewPrivileges = false'
	start_idle
	capabilities()
	{
		printf '%d' "0x$(ex "$@" "$ID" sed -n 's/^CapEff:\t//p' /proc/self/status)"
	}
	# CAP_SYS_TIME is 25.
	[ $(($(capabilities) >> 25 & 1)) -eq 0 ]
	[ $(($(capabilities --cap CAP_SYS_TIME) >> 25 & 1)) -eq 1 ]
	# It is added to those of the container; crun takes it alone.
	[ "$RUNTIME_NAME" = crun ] || [ "$(capabilities --cap CAP_SYS_TIME)" -eq $(($(capabilities) | 1 << 25)) ]
	[ "$(ex "$ID" grep NoNewPrivs /proc/self/status | tr -dc 0-9)" = 0 ]
	[ "$(ex --no-new-privs "$ID" grep NoNewPrivs /proc/self/status | tr -dc 0-9)" = 1 ]
	remove_container
}

@test "exec keeps no_new_privs of the configuration" {
	[ "$RUNTIME_NAME" != crun ] || skip "crun forgets it"
	configure '.process.noNewPrivileges = true'
	start_idle
	[ "$(ex "$ID" grep NoNewPrivs /proc/self/status | tr -dc 0-9)" = 1 ]
	remove_container
}

@test "exec --process takes the whole process from a file" {
	start_idle
	jq '{ args: ["sh", "-c", "echo $WHO $(id -u) $(pwd); exit 4"], cwd: "/tmp", user: { uid: 7, gid: 7 },
		env: ["WHO=file", "PATH=/bin:/usr/bin"], terminal: false }' -n >"$T/process.json"
	run ex --process "$T/process.json" --env WHO=option --cwd / "$ID"
	[ "$status" -eq 4 ]
	[ "$output" = "file 7 /tmp" ]
	echo '{ "args": ["true"], "cwd": 5 }' >"$T/process.json"
	run ex --process "$T/process.json" "$ID"
	[ "$status" -ne 0 ]
	! is_floe || contains "$output" process.json cwd
	run ex --process "$T/none" "$ID"
	[ "$status" -ne 0 ]
	contains "$output" "$T/none"
	remove_container
}

@test "exec --detach returns while the process goes on" {
	start_idle
	ex --detach --pid-file "$T/exec.pid" "$ID" sh -c 'while [ ! -e /dev/shm/end ]; do sleep 0.05; done' </dev/null >/dev/null 2>&1
	[ -d "/proc/$(exec_pid)" ]
	[[ $(cat "$T/exec.pid") =~ ^[0-9]+$ ]]
	ex "$ID" touch /dev/shm/end
	gone()
	{
		# A sandbox without an init of its own may keep the zombie.
		[ ! -e "/proc/$(exec_pid)/exe" ] || ! readlink "/proc/$(exec_pid)/exe"
	}
	eventually gone
	remove_container
}

@test "exec --tty sends the terminal to the console socket" {
	[ -x "$console" ] || skip "$console is not built"
	start_idle
	mkfifo "$T/keys"
	"$console" "$T/socket" <"$T/keys" >"$T/screen" 2>"$T/console.err" 3>&- 4>&- &
	console_pid=$!
	exec 8>"$T/keys"
	eventually test -S "$T/socket"
	ex --detach --tty --console-socket "$T/socket" "$ID" sh -c 'test -t 0 && echo "on $(tty)"; read -r line; echo "got $line"'
	eventually file_contains "$T/screen" "on /dev/pts/"
	echo typed >&8
	eventually file_contains "$T/screen" "got typed"
	exec 8>&-
	wait $console_pid || :
	remove_container
}

@test "exec --tty in the foreground relays the terminal" {
	[ -x "$console" ] || skip "$console is not built"
	start_idle
	code=0
	(sleep 0.3; echo typed) | "$console" --run "$FLOE_RUNTIME" --root "$STATE" exec -t "$ID" \
		sh -c 'test -t 1 && read -r line && echo "got $line"; exit 6' >"$T/screen" 3>&- 4>&- || code=$?
	[ $code -eq 6 ]
	file_contains "$T/screen" "got typed"
	remove_container
}

@test "a terminal needs a console socket when exec detaches, and the reverse" {
	start_idle
	run ex --detach --tty "$ID" true
	[ "$status" -ne 0 ]
	! is_floe || contains "$output" "console"
	run ex --console-socket "$T/none" "$ID" true
	[ "$status" -ne 0 ] || [ "$RUNTIME_NAME" = crun ]
	remove_container
}

@test "exec --preserve-fds hands on descriptors" {
	start_idle
	echo "in a descriptor" >"$T/file"
	run bash -c '"$0" --root "$1" exec --preserve-fds 1 "$2" sh -c "cat <&3" 3<"$3"' "$FLOE_RUNTIME" "$STATE" "$ID" "$T/file"
	[ "$output" = "in a descriptor" ]
	# And not without it.
	run bash -c '"$0" --root "$1" exec "$2" sh -c "cat <&3" 3<"$3"' "$FLOE_RUNTIME" "$STATE" "$ID" "$T/file"
	[ "$status" -ne 0 ]
	remove_container
}

@test "exec --exec-wait-fifo runs the program once somebody reads the fifo" {
	floe_only "of the runtime of Go from 1.5 on"
	start_idle
	mkfifo "$T/fifo"
	ex --detach --pid-file "$T/exec.pid" --exec-wait-fifo "$T/fifo" "$ID" touch /dev/shm/ran </dev/null >/dev/null 2>&1
	kill -0 "$(cat "$T/exec.pid")"
	ex "$ID" test ! -e /dev/shm/ran
	[ -z "$(timeout $((20 * PATIENCE)) cat "$T/fifo")" ]
	eventually ex "$ID" test -e /dev/shm/ran
	remove_container
}

@test "exec --exec-wait-fifo refuses what is no fifo, and what is not there" {
	floe_only "of the runtime of Go from 1.5 on"
	start_idle
	run ex --exec-wait-fifo "$BUNDLE/config.json" "$ID" true
	refuses 255 "is not a fifo"
	run ex --exec-wait-fifo "$T/none" "$ID" true
	refuses 255 "failed to open exec wait fifo" "no such file or directory"
	# What fails before the wait is told at once.
	mkfifo "$T/fifo"
	run ex --exec-wait-fifo "$T/fifo" "$ID" /no/such/program
	refuses 255 /no/such/program
	remove_container
}

@test "exec --cgroup puts the process into a sub-group" {
	floe_only "others differ in what they take on version 1"
	start_idle
	pid=$(pid_of)
	controller=pids
	path=$(sed -n 's/^[0-9]*:pids://p' "/proc/$pid/cgroup")
	if is_cgroup_v2; then
		controller=
		path=$(sed -n 's/^0:://p' "/proc/$pid/cgroup")
		skip "a cgroup with processes has no sub-groups with controllers"
	fi
	mkdir "/sys/fs/cgroup/pids$path/sub"
	ex --detach --pid-file "$T/exec.pid" --cgroup "$controller:sub" "$ID" sh -c 'while :; do sleep 0.1; done' </dev/null >/dev/null 2>&1
	[ "$(sed -n 's/^[0-9]*:pids://p' "/proc/$(exec_pid)/cgroup")" = "$path/sub" ]
	run ex --cgroup "$controller:none" "$ID" true
	refuses 255 none
	run ex --cgroup "$controller:../.." "$ID" true
	[ "$status" -eq 255 ]
	remove_container
}

@test "exec in a paused container waits for the resume, when it is told to" {
	[ "$RUNTIME_NAME" != crun ] || skip "crun has no --ignore-paused"
	start_idle
	rt pause "$ID"
	run ex "$ID" true
	refuses 255 "cannot exec in a paused container (use --ignore-paused to override)"
	"$FLOE_RUNTIME" --root "$STATE" exec --ignore-paused "$ID" echo after >"$T/out" 3>&- 4>&- &
	runtime=$!
	sleep 0.2
	[ ! -s "$T/out" ]
	rt resume "$ID"
	ends_with 0 $runtime
	[ "$(cat "$T/out")" = after ]
	remove_container
}

@test "exec in a stopped or unknown container is refused" {
	start_detached
	eventually is_state stopped
	run ex "$ID" true
	refuses 255 "cannot exec in a stopped container"
	rt delete "$ID"
	run ex "$ID" true
	refuses 255 "does not exist"
}

@test "exec works in a created container" {
	idle_command
	create_container
	[ "$(ex "$ID" echo before the start)" = "before the start" ]
	remove_container
}

@test "exec --pidfd-socket sends a pidfd" {
	floe_only "Debian's others lack it"
	start_idle
	receive_pidfd
	ex --detach --pid-file "$T/exec.pid" --pidfd-socket "$T/pidfd" "$ID" sh -c 'while :; do sleep 0.1; done' </dev/null >/dev/null 2>&1
	ends_with 0 "$receiver"
	[ "$(cat "$T/received")" = "setns $(exec_pid)" ]
	remove_container
}

@test "labels of a security module that is off are refused by name" {
	floe_only "others differ"
	start_idle
	if [ ! -e /sys/kernel/security/apparmor ] && [ "$(cat /sys/module/apparmor/parameters/enabled 2>/dev/null)" != Y ]; then
		run ex --apparmor unconfined-profile "$ID" true
		refuses 255 apparmor
	fi
	if [ ! -e /sys/fs/selinux/enforce ]; then
		run ex --process-label system_u:system_r:container_t:s0 "$ID" true
		refuses 255 selinux
	fi
	remove_container
}

@test "exec is confined by the container's seccomp filter and limits" {
	configure '.linux.seccomp = { defaultAction: "SCMP_ACT_ALLOW", syscalls: [ { names: ["mkdir", "mkdirat"],
		action: "SCMP_ACT_ERRNO", errnoRet: 38 } ] } | .process.rlimits = [ { type: "RLIMIT_NOFILE", soft: 77, hard: 99 } ]'
	start_idle
	run ex "$ID" mkdir /dev/shm/x
	[ "$status" -ne 0 ]
	contains "$output" "not implemented"
	[ "$(ex "$ID" sh -c 'ulimit -n')" = 77 ]
	remove_container
}

@test "exec --cgroup says what is wrong with it" {
	floe_only "others say it in other words"
	start_idle
	run ex --cgroup .. "$ID" true
	refuses 255 "bad sub cgroup path: .. is not a sub cgroup path"
	is_cgroup_v2 || {
		run ex --cgroup pids,none:/ "$ID" true
		refuses 255 "unknown controller 'none'"
		run ex --cgroup pids:nowhere "$ID" true
		refuses 255 " adding pid " "/nowhere/cgroup.procs: no such file "
	}
	remove_container
}
