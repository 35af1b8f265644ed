#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# Nothing of the host is open in the container, and nobody in the container gets hold of what the runtime has open while
# it sets up another process (CVE-2016-9962, CVE-2024-21626).

load ../lib/helpers
load lib

NUMBERS=$(seq 3 14)

setup()
{
	container_setup
	hostile_image
	usual_capabilities
}

no_escape()
{
	[[ $output != *ESCAPED* ]] || fail "$output" || return 1
	host_is_unchanged
}

@test "only stdin, stdout and stderr are open in a container" {
	command_is /attack fds
	exec 8<"$HOST" 9<"$HOST/secret"
	run_container
	[ "$output" = "0 1 2 " ]
	create_container
	rt start "$ID"
	eventually is_state stopped
	[ "$(cat "$T/$ID.out")" = "0 1 2 " ]
	exec 8<&- 9<&-
}

@test "only stdin, stdout and stderr are open in an exec, with terminal and without" {
	idle_command
	start_detached
	exec 8<"$HOST" 9<"$HOST/secret"
	run rt exec "$ID" /attack fds
	[ "$output" = "0 1 2 " ]
	run script -qec "$FLOE_RUNTIME --root $STATE exec --tty $ID /attack fds" /dev/null </dev/null
	contains "$output" "0 1 2 "
	exec 8<&- 9<&-
}

@test "only stdin, stdout and stderr are open with a terminal, a notify socket and a log" {
	configure '.process.terminal = true'
	command_is /attack fds
	export NOTIFY_SOCKET=@floe-test-$$
	run script -qec "$FLOE_RUNTIME --root $STATE --debug --log $T/log run --bundle $BUNDLE $ID" /dev/null </dev/null
	unset NOTIFY_SOCKET
	contains "$output" "0 1 2 "
}

@test "a program of the host is not found by way of a descriptor" {
	for n in $NUMBERS; do
		command_is "/proc/self/fd/$n/$(up_to_host)/busybox" sh -c "echo ESCAPED $n"
		run_container
		[ "$status" -ne 0 ]
		no_escape
	done
}

@test "a program of the host is not found by way of a link or a script in the image" {
	# shellcheck disable=SC2016 # jq's variables
	for n in $NUMBERS; do
		ln -sfn "/proc/self/fd/$n/$(up_to_host)/busybox" "$IMAGE/bin/busybox-$n"
		printf '#!/proc/self/fd/%s/%s/busybox sh\necho ESCAPED' "$n" "$(up_to_host)" >"$IMAGE/bin/script-$n"
		chmod +x "$IMAGE/bin/script-$n"
		for command in "busybox-$n" "script-$n"; do
			command_is "$command" sh -c 'echo ESCAPED'
			run_container
			[ "$status" -ne 0 ]
			no_escape
		done
	done
}

@test "a program of the host is not found by an exec" {
	idle_command
	start_detached
	for n in $NUMBERS; do
		run rt exec "$ID" "/proc/self/fd/$n/$(up_to_host)/busybox" sh -c 'echo ESCAPED'
		[ "$status" -ne 0 ]
		no_escape
	done
	# The container's own doing: what it lets others execute leads to them.
	for n in $NUMBERS; do
		ln -sfn "/proc/self/fd/$n/$(up_to_host)/busybox" "$IMAGE/bin/id"
		run rt exec "$ID" id
		[ "$status" -ne 0 ]
		no_escape
	done
}

@test "a startContainer hook of the image does not lead to a program of the host" {
	for n in 3 4 5 6 7 8 9 10; do
		ln -sfn "/proc/self/fd/$n/$(up_to_host)/busybox" "$IMAGE/hook"
		configure '.hooks = { startContainer: [{ path: "/hook", args: ["sh", "-c", "echo ESCAPED >&2; exit 1"] }] }'
		run_container
		[ "$status" -ne 0 ]
		no_escape
		new_id "created$n"
		create_container
		run rt start "$ID"
		[ "$status" -ne 0 ]
		no_escape
	done
}

# The current directory as the kernel says, and whether the host is in reach of it.
LOOK_AROUND="/attack getcwd && cat ./$(printf '../%.0s' {1..20})\$HOST/secret ./secret && echo ESCAPED"

# Refused, or a directory of the container's own, which a number may happen to be.
stays_inside()
{
	[ "$status" -ne 0 ] || fail "$1: $output" || return 1
	[[ $output != *secret\ of* && $output != *unreachable* ]] || fail "$1: $output" || return 1
	no_escape
}

@test "a working directory outside of the container is refused" {
	script_is "${LOOK_AROUND/\$HOST/$HOST}"
	for n in 0 1 2 $NUMBERS; do
		for path in "/proc/self/fd/$n" "/proc/self/fd/$n/$(up_to_host)"; do
			configure --arg cwd "$path" '.process.cwd = $cwd'
			run_container
			stays_inside "$path"
		done
	done
}

@test "a working directory of an exec outside of the container is refused" {
	idle_command
	start_detached
	# The image's directory may be a link to the descriptor, too.
	for n in 0 1 2 $NUMBERS; do
		ln -sfn "/proc/self/fd/$n" "$IMAGE/link"
		for path in "/proc/self/fd/$n/$(up_to_host)" "/link"; do
			run rt exec --cwd "$path" "$ID" sh -c "${LOOK_AROUND/\$HOST/$HOST}"
			stays_inside "$path"
		done
	done
}

@test "a directory of the host that the caller hands over cannot be the working directory" {
	idle_command
	start_detached
	run "$FLOE_RUNTIME" --root "$STATE" exec --preserve-fds 1 --cwd /proc/self/fd/3 "$ID" true 3<"$HOST" 4>&-
	refuses 255 "possible container breakout detected"
	remove_container
	configure '.process.cwd = "/proc/self/fd/3"'
	run "$FLOE_RUNTIME" --root "$STATE" run --preserve-fds 1 --bundle "$BUNDLE" "$ID" 3<"$HOST" 4>&- </dev/null
	refuses 1 "possible container breakout detected"
}

@test "an init that waits for start shows nothing of the host to an exec" {
	idle_command
	create_container
	run rt exec "$ID" /attack look "$HOST/secret" 0
	[ "$output" = "nothing, by way of others" ]
	run rt exec "$ID" sh -c 'ls -l /proc/1/fd/ /proc/1/cwd /proc/1/root'
	contains "$output" /proc/1/cwd /proc/1/root
	[[ $output != *"$T"* && $output != *"$STATE"* ]]
}

@test "the same with CAP_SYS_PTRACE in a user namespace" {
	configure '.linux.namespaces += [{ type: "user" }]
		| .linux.uidMappings = [{ containerID: 0, hostID: 100000, size: 65536 }]
		| .linux.gidMappings = .linux.uidMappings
		| .process.capabilities = (["CAP_SYS_PTRACE", "CAP_DAC_OVERRIDE", "CAP_SYS_ADMIN"] as $c
			| { bounding: $c, effective: $c, permitted: $c })'
	chmod o+x "$BATS_RUN_TMPDIR"
	idle_command
	create_container
	run rt exec "$ID" /attack look "$HOST/secret" 0
	[ "$output" = "nothing, by way of others" ]
}

@test "the process of another container or exec shows nothing to one who shares its pid namespace" {
	command_is /attack look "$HOST/secret"
	start_detached
	first=$ID
	configure --arg path "/proc/$(pid_of)/ns/pid" '(.linux.namespaces[] | select(.type == "pid")).path = $path'
	idle_command
	for ((round = 0; round < 10; round++)); do
		new_id other
		{ create_container && rt exec "$ID" true && rt start "$ID" && rt delete --force "$ID" && rt exec "$first" true; } ||
			fail "$(cat "$T/$first.out")"
	done
	# One that it meets in any case.
	new_id other
	create_container
	eventually first_has_ended
	[ "$(cat "$T/$first.out")" = "nothing, by way of others" ] || fail "$(cat "$T/$first.out")"
}

first_has_ended()
{
	rt kill "$first" TERM 2>/dev/null || :
	is_state stopped "$first"
}

@test "an exec in a container without a mount namespace stays in its root" {
	configure '.linux.namespaces |= map(select(.type != "mount")) | .mounts = []
		| .linux.maskedPaths = [] | .linux.readonlyPaths = []'
	idle_command
	start_detached
	run rt exec "$ID" sh -c "cat $HOST/secret; ls /"
	contains "$output" "No such file" attack
	[[ $output != *"secret of the host"* ]]
	run rt exec --cwd / "$ID" /attack getcwd
	[ "$output" = / ]
}

@test "a terminal is one of the container's, whatever the image has at /dev" {
	configure '.process.terminal = true | .mounts |= map(select(.destination | startswith("/dev") | not))'
	command_is sh -c 'tty; echo end'
	rm -r "${IMAGE:?}/dev"
	for n in $NUMBERS; do
		ln -sfn "/proc/self/fd/$n/../../../../../../../../dev" "$IMAGE/dev"
		run script -qec "timeout $((20 * PATIENCE)) $FLOE_RUNTIME --root $STATE run --bundle $BUNDLE $ID" /dev/null </dev/null
		[ "$status" -eq 1 ] || fail "exit status $status: $output"
		[[ $output != *"/dev/pts/"[0-9]* ]] || fail "$output"
		[[ $output != *end* ]]
	done
}
