#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# The container's process: user, capabilities, limits, environment, working directory, descriptors, sysctl.

load ../lib/helpers

status_line()
{
	script_is "sed -n 's/^$1:[[:space:]]*//p' /proc/self/status"
	run_container
	[ "$status" -eq 0 ]
}

@test "the capabilities are those of the configuration" {
	# AUDIT_WRITE 29, KILL 5, NET_BIND_SERVICE 10
	for set in CapBnd CapEff CapPrm; do
		status_line $set
		[ "$output" = 0000000020000420 ] || fail "$set $output"
	done
	for set in CapInh CapAmb; do
		status_line $set
		[ "$output" = 0000000000000000 ] || fail "$set $output"
	done
}

@test "inheritable and ambient capabilities are kept across the change of user" {
	configure '.process.user = { uid: 1000, gid: 1000 }
		| .process.capabilities = { bounding: ["CAP_KILL"], permitted: ["CAP_KILL"], inheritable: ["CAP_KILL"],
			effective: ["CAP_KILL"], ambient: ["CAP_KILL"] }'
	for set in CapBnd CapEff CapPrm CapInh CapAmb; do
		status_line $set
		[ "$output" = 0000000000000020 ] || fail "$set $output"
	done
}

@test "without a section of capabilities root has all that there are" {
	[ "$RUNTIME_NAME" != crun ] || skip "crun leaves it none"
	configure 'del(.process.capabilities)'
	status_line CapBnd
	[ "$((0x$output))" -ne 0 ]
	bounding=$output
	for set in CapEff CapPrm; do
		status_line $set
		[ "$output" = "$bounding" ] || fail "$set $output"
	done
}

@test "a user that is not root has no capabilities without ambient ones" {
	configure '.process.user = { uid: 1000, gid: 1000 }'
	status_line CapEff
	[ "$output" = 0000000000000000 ]
	status_line CapBnd
	[ "$output" = 0000000020000420 ]
}

@test "an ambient capability that is not inheritable is left out, with a warning" {
	configure '.process.capabilities.inheritable = ["CAP_KILL"] | .process.capabilities.ambient = ["CAP_KILL", "CAP_AUDIT_WRITE"]'
	status_line CapAmb
	contains "$output" 0000000000000020
	is_floe || return 0
	contains "$output" "can't raise ambient capability CAP_AUDIT_WRITE: "
	[[ $output != *CAP_KILL:* ]]
}

@test "an unknown capability is passed over, with a warning" {
	[ "$RUNTIME_NAME" != crun ] || skip "crun refuses it"
	configure '.process.capabilities.bounding += ["CAP_FUTURE"]'
	script_is 'echo ran'
	run_container
	[ "$status" -eq 0 ]
	contains "$output" ran
	! is_floe || contains "$output" CAP_FUTURE
}

@test "no_new_privs is set, and not set when it is not asked for" {
	status_line NoNewPrivs
	[ "$output" = 1 ]
	configure '.process.noNewPrivileges = false'
	status_line NoNewPrivs
	[ "$output" = 0 ]
}

@test "uid, gid and additional groups are set" {
	configure '.process.user = { uid: 1000, gid: 1001, additionalGids: [5, 6, 7] }'
	script_is 'sed -n "s/^\(Uid\|Gid\|Groups\):[[:space:]]*//p" /proc/self/status'
	run_container
	[ "${lines[0]}" = $'1000\t1000\t1000\t1000' ]
	[ "${lines[1]}" = $'1001\t1001\t1001\t1001' ]
	[[ ${lines[2]} =~ ^(1001 )?5\ 6\ 7\ ?(1001\ )?$ ]]
}

@test "the id that means no change to the kernel is no user" {
	[ "$RUNTIME_NAME" != crun ] || skip "crun stays root"
	for user in '{ uid: 4294967295, gid: 0 }' '{ uid: 0, gid: 4294967295 }' '{ uid: 0, gid: 0, additionalGids: [4294967295] }'; do
		configure ".process.user = $user"
		run_container
		[ "$status" -eq 1 ] || fail "$user: $output"
		! is_floe || contains "$output" process.user "4294967295 is no id"
	done
	configure '.process.user = { uid: 0, gid: 0 }'
	idle_command
	start_detached
	for user in 4294967295 0:4294967295; do
		run rt exec --user $user "$ID" id
		[ "$status" -eq 255 ] || fail "$user: $output"
	done
	remove_container
}

@test "groups of the caller are not inherited" {
	needs_root "choose the groups that the runtime has"
	script_is 'sed -n "s/^Groups:[[:space:]]*//p" /proc/self/status; echo end'
	run setpriv --groups 11,12,13 "$FLOE_RUNTIME" --root "$STATE" run --bundle "$BUNDLE" "$ID" </dev/null
	[ "$status" -eq 0 ]
	[[ $output != *1[123]* ]]
}

@test "the umask is 022 or the one that is asked for" {
	script_is umask
	run_container
	[ "$output" = 0022 ]
	configure '.process.user.umask = 63'
	run_container
	[ "$output" = 0077 ]
}

@test "the caller's umask does not change what the runtime makes" {
	floe_only "others let it through"
	own_rootfs
	add_mount /fresh/dir tmpfs tmpfs
	script_is 'stat -c %a /fresh'
	umask 077
	run_container
	umask 022
	[ "$output" = 755 ]
}

@test "rlimits are set" {
	configure '.process.rlimits = [{ type: "RLIMIT_NOFILE", soft: 123, hard: 456 },
		{ type: "RLIMIT_CORE", soft: 0, hard: 0 }, { type: "RLIMIT_FSIZE", soft: 1048576, hard: 987654321 }]'
	script_is 'cat /proc/self/limits'
	# Infinity, which jq cannot write.
	sed -i 's/987654321/18446744073709551615/' "$BUNDLE/config.json"
	run_container
	[[ $output =~ "Max open files"\ +123\ +456\  ]]
	[[ $output =~ "Max core file size"\ +0\ +0\  ]]
	[[ $output =~ "Max file size"\ +1048576\ +unlimited\  ]]
}

@test "an unknown rlimit is refused" {
	configure '.process.rlimits = [{ type: "RLIMIT_LUCK", soft: 1, hard: 1 }]'
	run_container
	[ "$status" -eq 1 ]
	contains "$output" RLIMIT_LUCK
}

@test "a duplicate rlimit is refused" {
	[ "$RUNTIME_NAME" != crun ] || skip "crun takes the last"
	configure '.process.rlimits = [{ type: "RLIMIT_CORE", soft: 1, hard: 1 }, { type: "RLIMIT_CORE", soft: 2, hard: 2 }]'
	run_container
	[ "$status" -eq 1 ]
	! is_floe || contains "$output" RLIMIT_CORE
}

@test "the environment is the configuration's and nothing of the caller's" {
	configure '.process.env = ["PATH=/bin:/usr/bin", "A=1", "EMPTY=", "SPACED=two words", "EQUALS=a=b"]'
	command_is env
	SECRET_OF_THE_CALLER=yes run_container
	[ "$status" -eq 0 ]
	contains "$output" "A=1" "SPACED=two words" "EQUALS=a=b"
	grep -qx 'EMPTY=' <<<"$output"
	[[ $output != *SECRET_OF_THE_CALLER* ]]
}

@test "of a variable that is given twice the last counts" {
	[ "$RUNTIME_NAME" != crun ] || skip "crun hands both on"
	configure '.process.env += ["TWICE=first", "TWICE=second"]'
	script_is 'env | grep TWICE'
	run_container
	[ "$output" = "TWICE=second" ]
}

@test "HOME is that of the user's entry in the container's passwd" {
	own_rootfs
	echo 'worker:x:1234:1234::/home/worker:/bin/sh' >>"$BUNDLE/rootfs/etc/passwd"
	# shellcheck disable=SC2016
	script_is 'echo $HOME'
	run_container
	[ "$output" = /root ]
	configure '.process.user = { uid: 1234, gid: 1234 }'
	run_container
	[ "$output" = /home/worker ]
	[ "$RUNTIME_NAME" != crun ] || skip "crun leaves it unset for an unknown user"
	configure '.process.user = { uid: 4321, gid: 4321 }'
	run_container
	[ "$output" = / ]
	configure '.process.env += ["HOME=/given"]'
	run_container
	[ "$output" = /given ]
}

@test "the program is looked for in the PATH of the configuration" {
	own_rootfs
	mkdir "$BUNDLE/rootfs/own"
	printf '#!/bin/sh\necho own\n' >"$BUNDLE/rootfs/own/program"
	chmod +x "$BUNDLE/rootfs/own/program"
	configure '.process.env = ["PATH=/own:/bin"]'
	command_is program
	run_container
	[ "$output" = own ]
}

@test "a program that is not in PATH is reported at create, with its name" {
	command_is no-such-program
	run rt create --bundle "$BUNDLE" "$ID" </dev/null
	[ "$status" -eq 1 ]
	contains "$output" no-such-program "executable file" "not found in \$PATH"
	[ ! -e "$STATE/$ID" ]
}

@test "a program path that does not exist is reported at create" {
	command_is /no/such/program
	run rt create --bundle "$BUNDLE" "$ID" </dev/null
	[ "$status" -eq 1 ]
	contains "$output" /no/such/program
	contains "${output,,}" "no such file or directory"
}

@test "a program without execute permission is refused as such" {
	own_rootfs
	echo text >"$BUNDLE/rootfs/text"
	chmod 644 "$BUNDLE/rootfs/text"
	command_is /text
	run_container
	[ "$status" -eq 1 ]
	contains "${output,,}" "permission denied"
}

@test "arguments arrive unchanged" {
	command_is printf '<%s>' a 'two words' '' '*' "quote'\"" $'new\nline' 'ünïcode'
	run_container
	[ "$output" = $'<a><two words><><*><quote\'"><new\nline><ünïcode>' ]
}

@test "the working directory is set" {
	configure '.process.cwd = "/usr/bin"'
	command_is pwd
	run_container
	[ "$output" = /usr/bin ]
}

@test "a working directory that is missing is made" {
	own_rootfs
	configure '.process.cwd = "/made/for/this"'
	command_is pwd
	run_container
	[ "$status" -eq 0 ]
	[ "$output" = /made/for/this ]
}

@test "a relative working directory is refused" {
	[ "$RUNTIME_NAME" != crun ] || skip "crun takes it"
	configure '.process.cwd = "tmp"'
	run_container
	[ "$status" -eq 1 ]
	contains "${output,,}" cwd
}

@test "sysctls are set in the container's namespaces" {
	configure '.linux.sysctl = { "net.ipv4.ip_forward": "1", "kernel.msgmax": "12345" }'
	script_is 'cat /proc/sys/net/ipv4/ip_forward /proc/sys/kernel/msgmax'
	before=$(cat /proc/sys/kernel/msgmax)
	run_container
	[ "$output" = $'1\n12345' ]
	[ "$(cat /proc/sys/kernel/msgmax)" = "$before" ]
}

@test "a sysctl that belongs to no namespace of the container is refused" {
	configure '.linux.sysctl = { "vm.swappiness": "1" }'
	run_container
	[ "$status" -eq 1 ]
	contains "$output" vm.swappiness
}

@test "a network sysctl without a network namespace is refused" {
	configure 'del(.linux.namespaces[] | select(.type == "network")) | .linux.sysctl = { "net.ipv4.ip_forward": "1" }'
	run_container
	[ "$status" -eq 1 ]
	contains "$output" net.ipv4.ip_forward
}

@test "oom_score_adj is set" {
	configure '.process.oomScoreAdj = 321'
	script_is 'cat /proc/self/oom_score_adj'
	run_container
	[ "$output" = 321 ]
}

@test "descriptors of the caller are not inherited" {
	# 3 is the directory that ls itself reads.
	command_is ls /proc/self/fd
	exec 7<"$BUNDLE/config.json" 9<"$BUNDLE"
	run rt run --bundle "$BUNDLE" "$ID" </dev/null
	exec 7<&- 9<&-
	[ "$output" = $'0\n1\n2\n3' ]
}

@test "--preserve-fds hands descriptors to the container" {
	echo preserved >"$T/file"
	script_is 'cat <&3; ls /proc/self/fd'
	run bash -c "exec 3<'$T/file' 4<'$T/file' 5<'$T/file' 6<'$T/file'
		'$FLOE_RUNTIME' --root '$STATE' run --bundle '$BUNDLE' --preserve-fds 2 '$ID'" </dev/null
	[ "$status" -eq 0 ]
	[ "$output" = $'preserved\n0\n1\n2\n3\n4\n5' ]
}

# As podman's --preserve-fd does: --preserve-fds reaches to the greatest, and in between nothing is open.
@test "between the descriptors of --preserve-fds some may be closed, which is said" {
	[ "$RUNTIME_NAME" != runc ] || skip "the runtime of Go refuses it"
	echo preserved >"$T/file"
	# shellcheck disable=SC2016
	script_is 'cat <&6; for i in 3 4 5 6 7 8 9; do if [ -e /proc/$$/fd/$i ]; then echo $i; fi; done'
	run bash -c "exec 3>&- 4<'$T/file' 5>&- 6<'$T/file' 7>&- 8>&-
		exec '$FLOE_RUNTIME' --root '$STATE' --log '$T/log' --log-level warning run --bundle '$BUNDLE' \
			--preserve-fds 6 '$ID'" </dev/null
	[ "$status" -eq 0 ]
	[ "$output" = $'preserved\n4\n6' ]
	[ "$RUNTIME_NAME" = crun ] || contains "$(cat "$T/log")" "of 6 descriptors" "only 2 are open"
}

@test "--preserve-fds without any descriptor that is open is refused" {
	floe_only "crun does not look; the runtime of Go has opened them itself by then"
	run bash -c "exec '$FLOE_RUNTIME' --root '$STATE' run --bundle '$BUNDLE' --preserve-fds 2 '$ID' 3>&- 4>&-" </dev/null
	[ "$status" -eq 1 ]
	contains "$output" "preserved-fd 0" "none of the 2"
}

@test "no number of --preserve-fds is a descriptor of the runtime's own" {
	floe_only "it looks at what the start waits for"
	script_is 'true'
	bash -c "exec 3>&- 4</dev/null 5>&- 6>&- 7>&-
		exec '$FLOE_RUNTIME' --root '$STATE' create --bundle '$BUNDLE' --preserve-fds 30 '$ID'" </dev/null >/dev/null 2>&1
	for fd in "/proc/$(pid_of)/fd"/*; do
		[ "${fd##*/}" -gt 2 ] || continue
		target=$(readlink "$fd")
		# What the test's own caller left open may be of a /dev/null that has been replaced since.
		case $target in
		/dev/null* | */exec.fifo | /proc*) ;;
		*) fail "descriptor ${fd##*/} of the waiting init is '$target'" ;;
		esac
	done
	remove_container
}

@test "LISTEN_FDS hands sockets to the container and tells it" {
	echo listening >"$T/file"
	# shellcheck disable=SC2016
	script_is 'echo "$LISTEN_FDS $LISTEN_PID"; cat <&3; ls /proc/self/fd'
	# LISTEN_PID must be the runtime's own.
	[ "$RUNTIME_NAME" != crun ] || configure '.process.env += ["LISTEN_FDS=1", "LISTEN_PID=1"]'
	run bash -c "exec 3<'$T/file'; export LISTEN_FDS=1 LISTEN_PID=\$\$
		exec '$FLOE_RUNTIME' --root '$STATE' run --bundle '$BUNDLE' '$ID' 4>&-" </dev/null
	[ "$status" -eq 0 ]
	contains "$output" "1 1" listening
	[ "${lines[-1]}" = 4 ]
}

@test "LISTEN_FDS without LISTEN_PID is for the container (crun)" {
	[ "$RUNTIME_NAME" != runc ] || skip "the runtime of Go wants its own LISTEN_PID"
	echo listening >"$T/file"
	# shellcheck disable=SC2016
	script_is 'echo "$LISTEN_PID"; cat <&3'
	run bash -c "exec 3<'$T/file'; export LISTEN_FDS=1; unset LISTEN_PID
		exec '$FLOE_RUNTIME' --root '$STATE' run --bundle '$BUNDLE' '$ID'" </dev/null
	[ "$status" -eq 0 ]
	contains "$output" 1 listening
}

@test "LISTEN_FDS of another process is not taken" {
	[ "$RUNTIME_NAME" != crun ] || skip "crun does not look at LISTEN_PID"
	# shellcheck disable=SC2016
	script_is 'echo "none${LISTEN_FDS:-}"; ls /proc/self/fd'
	run bash -c "exec 3<'$BUNDLE/config.json'; export LISTEN_FDS=1 LISTEN_PID=1
		'$FLOE_RUNTIME' --root '$STATE' run --bundle '$BUNDLE' '$ID'" </dev/null
	[ "$output" = $'none\n0\n1\n2\n3' ]
}

datagrams()
{
	python3 -c "$1" "${@:2}" </dev/null 3>&-
}

@test "NOTIFY_SOCKET: READY=1 of the container is passed on, with its pid as the host sees it" {
	[ "$RUNTIME_NAME" != crun ] || skip "crun uses other paths and names no pid"
	command -v python3 >/dev/null || skip "no python3 (tools/install-deps)"
	script_is 'echo "$NOTIFY_SOCKET"; while :; do sleep 0.1; done'
	datagrams 'import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
s.settimeout(20)
print(s.recv(100), s.recv(100), flush=True)' "$T/manager" >"$T/received" &
	eventually test -S "$T/manager"
	NOTIFY_SOCKET=$T/manager rt run --detach --bundle "$BUNDLE" "$ID" </dev/null >"$T/out" 2>&1 3>&- &
	eventually file_contains "$T/out" /run/notify/notify.sock
	# The caller waits for the container to be ready.
	kill -0 $!
	datagrams 'import socket, sys
socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(b"STATUS=up\nREADY=1\n", sys.argv[1])' \
		"/proc/$(pid_of)/root/run/notify/notify.sock"
	eventually file_contains "$T/received" "READY=1"
	contains "$(cat "$T/received")" "MAINPID=$(pid_of)"
	remove_container
}

@test "signals that the caller ignores or blocks are at their defaults inside" {
	# Not by way of a shell, which has ideas of its own.
	command_is sed -n 's/^Sig\(Blk\|Ign\):[[:space:]]*//p' /proc/self/status
	run bash -c "trap '' INT HUP PIPE; exec '$FLOE_RUNTIME' --root '$STATE' run --bundle '$BUNDLE' '$ID'" </dev/null
	[ "$status" -eq 0 ]
	[ "${lines[0]}" = 0000000000000000 ]
	! is_floe || [ "${lines[1]}" = 0000000000000000 ]
}

@test "the process has no environment, keyring or parent-death signal of the runtime's" {
	script_is 'sed -n "s/^PPid:[[:space:]]*//p" /proc/1/status; tr "\\0" "\\n" </proc/1/environ'
	run_container
	[ "${lines[0]}" = 0 ]
	[[ $output != *FLOE* && $output != *ASAN* ]]
}

@test "the container survives the end of the one that created it" {
	idle_command
	(start_detached)
	sleep 0.2
	[ "$(state_of)" = running ]
	remove_container
}

@test "the program of process 1 cannot be written through /proc/self/exe" {
	local before
	before=$(sha256sum "$FLOE_RUNTIME" "$RUNTIME_MAIN")
	own_rootfs
	script_is 'echo broken >/proc/1/exe'
	run_container
	[ "$status" -eq 1 ]
	contains "$output" "Text file busy"
	# The runtime itself, or what it has executed itself from.
	command_is /proc/self/exe
	run_container
	[ "$status" -ne 0 ]
	[ "$(sha256sum "$FLOE_RUNTIME" "$RUNTIME_MAIN")" = "$before" ]
}

@test "the CPUs that the caller of the runtime may use are not those of the container" {
	local all
	floe_only "and runc's, of 1.3 and later"
	all=$(sed -n 's/^Cpus_allowed_list:[[:space:]]*//p' /proc/self/status)
	[[ $all = *[-,]* ]] || skip "needs two CPUs"
	script_is 'grep Cpus_allowed_list: /proc/self/status; while :; do sleep 0.1; done'
	taskset -c "${all%%[-,]*}" "$FLOE_RUNTIME" --root "$STATE" run --detach --bundle "$BUNDLE" "$ID" </dev/null >"$T/out" 3>&- 4>&-
	eventually file_contains "$T/out" Cpus
	file_is "$T/out" "Cpus_allowed_list:"$'\t'"$all"
	run taskset -c "${all%%[-,]*}" "$FLOE_RUNTIME" --root "$STATE" exec "$ID" grep Cpus_allowed_list: /proc/self/status </dev/null
	[ "$output" = "Cpus_allowed_list:"$'\t'"$all" ]
}
