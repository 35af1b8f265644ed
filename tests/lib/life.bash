# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# A whole life of a container, in short, for the tests of fall-backs: whatever of these the kernel lacks, this works.

load ../lib/cr

FEATURES=(openat2 mount_api mount_setattr clone3 close_range)
# Without pidfds systemd must be in the runtime's PID namespace, which a sandbox has of its own.
is_systemd_driver || FEATURES+=(pidfd)
ALL=$(IFS=,; echo "${FEATURES[*]}")

chatty_command()
{
	# shellcheck disable=SC2016
	script_is 'echo "fds $(ls /proc/self/fd | wc -l)"; grep -c . /proc/self/mountinfo >/dev/null || exit 1
		touch /proc/sys/kernel/domainname 2>/dev/null && echo writable; cat /proc/kcore 2>/dev/null | head -c 1 | wc -c'
}

whole_life()
{
	local what=$1 pid
	configure '.linux.resources.pids.limit = 50'
	chatty_command
	run_container
	[ "$output" = $'fds 4\n0' ] || fail "$what: run: $output" || return 1
	configure '.process.terminal = true'
	command_is tty
	run script -qec "timeout $((20 * PATIENCE)) $FLOE_RUNTIME --root $STATE run --bundle $BUNDLE $ID" /dev/null </dev/null
	contains "$output" /dev/pts/0 || fail "$what: terminal" || return 1
	configure '.process.terminal = false'
	idle_command
	create_container || fail "$what: create" || return 1
	pid=$(pid_of)
	rt start "$ID" || fail "$what: start" || return 1
	eventually traps TERM "$pid" || fail "$what: start" || return 1
	[ "$(rt exec "$ID" sh -c 'echo "$(id -u) $(cat /proc/1/comm)"; ls /proc/self/fd | wc -l')" = $'0 sh\n4' ] ||
		fail "$what: exec" || return 1
	run rt exec "$ID" sh -c 'exit 5'
	[ "$status" -eq 5 ] || fail "$what: exit code of exec: $output" || return 1
	run script -qec "timeout $((20 * PATIENCE)) $FLOE_RUNTIME --root $STATE exec --tty $ID tty" /dev/null </dev/null
	contains "$output" /dev/pts/ || fail "$what: exec with a terminal" || return 1
	rt exec --detach --pid-file "$T/pid" "$ID" sleep 100 </dev/null >/dev/null 2>&1 || fail "$what: exec --detach" || return 1
	[ "$(rt ps --format json "$ID" | jq length)" -ge 2 ] || fail "$what: ps" || return 1
	rt pause "$ID" || fail "$what: pause" || return 1
	is_state paused || fail "$what: paused" || return 1
	rt resume "$ID" || fail "$what: resume" || return 1
	rt kill "$ID" TERM || fail "$what: kill" || return 1
	eventually is_state stopped || fail "$what: kill" || return 1
	rt delete "$ID" || fail "$what: delete" || return 1
	start_detached || fail "$what: run --detach" || return 1
	remove_container || fail "$what: delete --force" || return 1
	process_is_gone "$pid"
}

life_in_user_namespace()
{
	chmod o+x "$BATS_RUN_TMPDIR" "$BATS_FILE_TMPDIR" 2>/dev/null || :
	configure '.linux.namespaces += [{ type: "user" }]
		| .linux.uidMappings = [{ containerID: 0, hostID: 100000, size: 65536 }]
		| .linux.gidMappings = .linux.uidMappings'
	idle_command
	start_detached || fail "$1: user namespace" || return 1
	[ "$(proc_status "$(pid_of)" Uid)" = $'100000\t100000\t100000\t100000' ] || fail "$1: uid" || return 1
	[ "$(rt exec "$ID" id -u)" = 0 ] || fail "$1: exec in a user namespace" || return 1
	[ "$(rt exec --user 5:6 "$ID" sh -c 'echo "$(id -u) $(id -g)"')" = "5 6" ] || fail "$1: exec as a user of it" || return 1
	remove_container
	configure '.linux.namespaces |= map(select(.type != "user")) | del(.linux.uidMappings, .linux.gidMappings)'
}

checkpoint_and_restore()
{
	idle_command
	start_on_pipe || fail "$1: start" || return 1
	rm -rf "$T/image"
	checkpoint || fail "$1: checkpoint" || return 1
	[ ! -e "$STATE/$ID" ] || fail "$1: the state is left" || return 1
	# With a user namespace a closed directory takes an overlay that is attached nowhere.
	[[ $1 != *mount_api* ]] || chmod 711 "$T/image"
	restore || fail "$1: restore: $(tail -n 3 "$T/out")" || return 1
	[ "$(rt exec "$ID" cat /proc/1/comm)" = sh ] || fail "$1: exec in the restored container" || return 1
	remove_container || fail "$1: delete of the restored container"
}
