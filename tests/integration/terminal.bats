#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# Terminals: handed over by the console socket, and relayed by a foreground run.

load ../lib/helpers

console=$FLOE_BUILD/tests/lib/console

# Listen on $T/socket, with a fifo as keyboard (descriptor 8) and $T/screen as screen.
start_console()
{
	mkfifo "$T/keys"
	[ -x "$console" ] || skip "$console is not built"
	"$console" "$T/socket" <"$T/keys" >"$T/screen" 2>"$T/console.err" 3>&- 4>&- &
	console_pid=$!
	exec 8>"$T/keys"
	eventually test -S "$T/socket"
}

end_console()
{
	exec 8>&-
	wait "$console_pid" || :
}

@test "create sends the terminal to the console socket" {
	configure '.process.terminal = true'
	script_is 'tty; echo typed: $(head -n 1)'
	start_console
	create_container --console-socket "$T/socket"
	eventually file_contains "$T/console.err" received
	rt start "$ID"
	echo "from the keyboard" >&8
	eventually file_contains "$T/screen" "typed: from the keyboard"
	file_contains "$T/screen" /dev/console || file_contains "$T/screen" /dev/pts/0
	eventually is_state stopped
	rt delete "$ID"
	end_console
}

@test "run --detach sends the terminal to the console socket" {
	configure '.process.terminal = true'
	script_is 'echo hello from the terminal; sleep 0.3'
	start_console
	start_detached --console-socket "$T/socket"
	eventually file_contains "$T/screen" "hello from the terminal"
	eventually is_state stopped
	rt delete "$ID"
	end_console
}

@test "the three descriptors are one terminal, which controls the session" {
	configure '.process.terminal = true'
	script_is 'test -t 0 && test -t 1 && test -t 2 && echo all three; echo here >/dev/tty; sleep 0.3'
	start_console
	start_detached --console-socket "$T/socket"
	eventually file_contains "$T/screen" "all three"
	eventually file_contains "$T/screen" here
	remove_container
	end_console
}

@test "the terminal has the size of the configuration" {
	configure '.process.terminal = true | .process.consoleSize = { height: 33, width: 77 }'
	script_is 'stty size; sleep 0.3'
	start_console
	start_detached --console-socket "$T/socket"
	eventually file_contains "$T/screen" "33 77"
	remove_container
	end_console
}

@test "the terminal belongs to the container's user" {
	configure '.process.terminal = true | .process.user = { uid: 1000, gid: 1000 }'
	script_is 'stat -L -c "owner %u:%g" /dev/pts/0; echo works >/dev/tty; sleep 0.3'
	start_console
	start_detached --console-socket "$T/socket"
	eventually file_contains "$T/screen" "owner 1000:"
	eventually file_contains "$T/screen" works
	remove_container
	end_console
}

@test "/dev/console is the terminal" {
	configure '.process.terminal = true'
	script_is 'echo by the console >/dev/console; sleep 0.3'
	start_console
	start_detached --console-socket "$T/socket"
	eventually file_contains "$T/screen" "by the console"
	remove_container
	end_console
}

@test "a hang-up of the terminal ends the shell" {
	configure '.process.terminal = true'
	script_is 'trap "exit 5" HUP; echo ready; while :; do sleep 0.05; done'
	start_console
	start_detached --console-socket "$T/socket"
	eventually file_contains "$T/screen" ready
	kill "$console_pid"
	end_console
	eventually is_state stopped
	rt delete "$ID"
}

# Run the runtime in the foreground, on a terminal of its own; its keyboard is descriptor 8, its screen $T/screen.
start_on_terminal()
{
	mkfifo "$T/keys"
	"$console" --run "$@" <"$T/keys" >"$T/screen" 2>"$T/console.err" 3>&- 4>&- &
	console_pid=$!
	exec 8>"$T/keys"
}

@test "run in the foreground relays the terminal" {
	configure '.process.terminal = true'
	script_is 'echo ready; read -r line; echo "got $line"; test -t 1 && echo terminal; exit 4'
	start_on_terminal "$FLOE_RUNTIME" --root "$STATE" run --bundle "$BUNDLE" "$ID"
	eventually file_contains "$T/screen" ready
	echo typed >&8
	ends_with 4 "$console_pid"
	exec 8>&-
	contains "$(cat "$T/screen")" "got typed" terminal
}

@test "control-C reaches the program in the container" {
	configure '.process.terminal = true'
	script_is 'trap "echo interrupted; exit 6" INT; echo ready; while :; do sleep 0.05; done'
	start_on_terminal "$FLOE_RUNTIME" --root "$STATE" run --bundle "$BUNDLE" "$ID"
	eventually file_contains "$T/screen" ready
	printf '\003' >&8
	ends_with 6 "$console_pid"
	exec 8>&-
	contains "$(cat "$T/screen")" interrupted
}

@test "run in the foreground passes the size and changes of it on" {
	configure '.process.terminal = true'
	script_is 'trap "stty size" WINCH; stty size; while :; do sleep 0.05; done'
	start_on_terminal "$FLOE_RUNTIME" --root "$STATE" run --bundle "$BUNDLE" "$ID"
	eventually file_contains "$T/screen" "24 80"
	echo "@size 33 77" >&8
	eventually file_contains "$T/screen" "33 77"
	rt kill "$ID" KILL
	ends_with 137 "$console_pid"
	exec 8>&-
}

@test "run in the foreground leaves the terminal's settings as they were" {
	configure '.process.terminal = true'
	cat >"$T/outer" <<-SCRIPT
		before=\$(stty -g)
		$FLOE_RUNTIME --root $STATE run --bundle $BUNDLE $ID
		[ "\$before" = "\$(stty -g)" ] && echo unchanged
	SCRIPT
	start_on_terminal bash "$T/outer"
	ends_with 0 "$console_pid"
	exec 8>&-
	contains "$(cat "$T/screen")" unchanged
}

@test "what leaves by a pipe has no carriage returns" {
	[ "$RUNTIME_NAME" != crun ] || skip "crun leaves them"
	configure '.process.terminal = true'
	script_is 'echo one; echo two'
	# A terminal as standard input, a file as standard output. The keyboard never ends, or script would type that.
	mkfifo "$T/keys"
	script -qec "'$FLOE_RUNTIME' --root '$STATE' run --bundle '$BUNDLE' '$ID' >'$T/out'" /dev/null <>"$T/keys" >/dev/null 3>&- 4>&-
	[ "$(od -An -c "$T/out" | tr -d ' \n')" = 'one\ntwo\n' ] || fail "$(od -c "$T/out")"
}

@test "a container without mounts of its own has a terminal of the host's" {
	floe_only "runc mounts a devpts on the host then"
	own_rootfs
	configure '.process.terminal = true | del(.linux.namespaces[] | select(.type == "mount"))
		| del(.linux.maskedPaths, .linux.readonlyPaths)'
	script_is 'test -t 0 && test -t 1 && echo terminal; while :; do sleep 0.1; done'
	start_console
	start_detached --console-socket "$T/socket"
	eventually file_contains "$T/screen" terminal
	remove_container
	end_console
}

@test "a console socket that is about to be made is waited for" {
	floe_only
	configure '.process.terminal = true'
	script_is 'echo here; sleep 0.3'
	start_detached --console-socket "$T/socket" &
	runtime=$!
	mkfifo "$T/keys"
	"$console" "$T/socket" <"$T/keys" >"$T/screen" 2>"$T/console.err" 3>&- 4>&- &
	console_pid=$!
	exec 8>"$T/keys"
	wait $runtime
	eventually file_contains "$T/screen" here
	remove_container
	end_console
}
