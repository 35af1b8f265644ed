#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# What else the runtime reads or makes in an image: the user's entry in passwd, the working directory, the notify socket,
# the program. Whatever the image has there, nothing outside is read, made or waited for.

load ../lib/helpers
load lib

setup()
{
	container_setup
	hostile_image
	usual_capabilities
}

@test "passwd is a link to the host's" {
	script_is 'echo "home $HOME"'
	for link in "$HOST/passwd" "$(up_to_host)/passwd" "/proc/1/root$HOST/passwd" "/proc/self/fd/3/$(up_to_host)/passwd"; do
		ln -sfn "$link" "$IMAGE/etc/passwd"
		run_container
		[ "$output" = "home /" ] || fail "$link: $output"
	done
	# The directory is.
	ln -sfn passwd "$HOST/etc"
	mv "$IMAGE/etc" "$IMAGE/etc.away"
	ln -s "$HOST" "$IMAGE/etc"
	run_container
	[ "$output" = "home /" ]
}

@test "passwd is nothing that can be read" {
	script_is 'echo "home $HOME"'
	rm "$IMAGE/etc/passwd"
	mkfifo "$IMAGE/etc/passwd"
	run_container
	[ "$output" = "home /" ]
	idle_command
	start_detached
	run timeout $((20 * PATIENCE)) "$FLOE_RUNTIME" --root "$STATE" exec "$ID" sh -c 'echo "home $HOME"' 3>&- 4>&-
	[ "$output" = "home /" ]
	remove_container
	script_is 'echo "home $HOME"'
	rm "$IMAGE/etc/passwd"
	mkdir "$IMAGE/etc/passwd"
	run_container
	[ "$output" = "home /" ]
	rmdir "$IMAGE/etc/passwd"
	ln -s /dev/zero "$IMAGE/etc/passwd"
	run_container
	[ "$output" = "home /" ]
	# More than anybody has.
	rm "$IMAGE/etc/passwd"
	truncate -s 1G "$IMAGE/etc/passwd"
	run_container
	[ "$output" = "home /" ]
}

@test "a working directory is made in the container, wherever a link leads" {
	command_is pwd
	for link in "$HOST" "$(up_to_host)" "/proc/1/root$HOST"; do
		ln -sfn "$link" "$IMAGE/link"
		configure '.process.cwd = "/link/made/here"'
		run_container
		host_is_unchanged
		[ "$status" -ne 0 ] || [[ $output != *"of the host"* ]]
	done
}

@test "the notify socket is not made where a link of the image leads" {
	command_is true
	export NOTIFY_SOCKET=@floe-test-$$
	rm -rf "${IMAGE:?}/run"
	for link in "$HOST" "$(up_to_host)" "/proc/1/root$HOST" "/proc/self/fd/4/$(up_to_host)"; do
		ln -sfn "$link" "$IMAGE/run"
		run_container
		host_is_unchanged
	done
	rm "$IMAGE/run"
	mkdir "$IMAGE/run"
	ln -s "$HOST" "$IMAGE/run/notify"
	run_container
	unset NOTIFY_SOCKET
	host_is_unchanged
}

@test "the notify socket's directory cannot be changed by the container" {
	script_is 'cd /run/notify && touch new; rm notify.sock; mv notify.sock x; ls'
	NOTIFY_SOCKET=@floe-test-$$ run_container
	contains "$output" "Read-only file system" notify.sock
	[[ ${lines[-1]} == notify.sock ]]
}

@test "a program that is no program does not hold the runtime up" {
	mkfifo "$IMAGE/bin/fifo"
	mkdir "$IMAGE/bin/directory"
	printf '#!/bin/fifo\n' >"$IMAGE/bin/script"
	printf '#!/bin/script\n' >"$IMAGE/bin/loop"
	printf '#!/bin/loop\n' >"$IMAGE/bin/loop2"
	printf '\177ELF' >"$IMAGE/bin/elf"
	: >"$IMAGE/bin/empty"
	truncate -s 1T "$IMAGE/bin/hole"
	chmod +x "$IMAGE"/bin/{fifo,script,loop,loop2,elf,empty,hole}
	ln -s /proc/self/fd/0 "$IMAGE/bin/stdin"
	ln -s self "$IMAGE/bin/self"
	for program in fifo directory script loop loop2 elf empty hole stdin self; do
		command_is "/bin/$program"
		run_container
		[ "$status" -eq 1 ] || fail "$program: exit status $status: $output"
		[ "$(wc -l <<<"$output")" -eq 1 ]
	done
	idle_command
	start_detached
	for program in fifo script elf; do
		run timeout $((20 * PATIENCE)) "$FLOE_RUNTIME" --root "$STATE" exec "$ID" "/bin/$program" 3>&- 4>&-
		[ "$status" -gt 124 ]
	done
}

@test "names in an image are told as they are, in one line" {
	mkdir -p "$IMAGE/proc"
	name=$'x\n{"level":"error","msg":"forged"}\e[2J'
	command_is "/bin/$name"
	run "$FLOE_RUNTIME" --root "$STATE" --log "$T/log" --log-format json run --bundle "$BUNDLE" "$ID" </dev/null 3>&- 4>&-
	[ "$status" -eq 1 ]
	[ "$(wc -l <"$T/log")" -eq 1 ]
	jq -e '.msg | contains("forged")' "$T/log"
	run_container
	[ "$(grep -c ^time= <<<"$output")" -eq 1 ]
	[ "$(wc -l <<<"$output")" -eq 1 ]
}

@test "an id leads nowhere outside of the state root" {
	own=$STATE
	idle_command
	start_detached
	pid=$(pid_of)
	cp "$STATE/$ID/config.json" "$T/kept"
	find "$STATE" -printf '%p %y %s\n' | sort >"$T/tree"
	STATE=$T/other/root
	mkdir -p "$STATE/sub"
	for id in "../../state/$ID" "sub/../../../state/$ID" "$own/$ID" "../../state/$ID/" .. . "../../state"; do
		for command in start state kill "kill --all" delete "delete --force" pause resume ps "events --stats" "update --pids-limit 5" \
			checkpoint "checkpoint --dry-run" "restore --bundle $BUNDLE" "create --bundle $BUNDLE" "run --bundle $BUNDLE"; do
			# shellcheck disable=SC2086 # words
			run timeout $((20 * PATIENCE)) "$FLOE_RUNTIME" --root "$STATE" $command "$id" </dev/null 3>&- 4>&-
			[ "$status" -eq 1 ] || fail "$command '$id': $output"
		done
		run rt exec "$id" true
		[ "$status" -ne 0 ]
	done
	[ -d "/proc/$pid" ]
	STATE=$own
	is_state running
	cmp "$T/kept" "$STATE/$ID/config.json"
	find "$STATE" -printf '%p %y %s\n' | sort | diff "$T/tree" -
	remove_container
}
