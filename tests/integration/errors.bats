#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# Bad input and bad circumstances: one clear sentence, exit code 1, nothing lost and nothing left. (The teardown of every
# test looks for what is left.)

load ../lib/helpers

# nothing_made: the container does not exist in any form.
nothing_made()
{
	[ ! -e "$STATE/$ID" ] || fail "left: $(find "$STATE/$ID")"
}

# --- the bundle ---------------------------------------------------------------------------------------------------------

@test "a bundle that does not exist" {
	BUNDLE=$T/none
	run_container
	refuses 1 "$T/none" "no such file or directory"
	nothing_made
}

@test "a bundle without config.json" {
	rm "$BUNDLE/config.json"
	run_container
	refuses 1 config.json "not found" spec
	nothing_made
}

@test "an empty config.json" {
	: >"$BUNDLE/config.json"
	run_container
	refuses 1 config.json
	nothing_made
}

@test "a config.json that is not JSON, with file, line and column" {
	printf '{\n\t"ociVersion": "1.0.2",\n\t"process": { "args": [ "true" }\n}\n' >"$BUNDLE/config.json"
	run_container
	refuses 1 "config.json:3"
	nothing_made
}

@test "a config.json that is cut off" {
	head -c 400 "$BUNDLE/config.json" >"$T/cut"
	mv "$T/cut" "$BUNDLE/config.json"
	run_container
	refuses 1 config.json
	nothing_made
}

@test "a config.json that is a directory" {
	rm "$BUNDLE/config.json"
	mkdir "$BUNDLE/config.json"
	run_container
	refuses 1 config.json
	nothing_made
}

@test "a value of the wrong type, with its path" {
	configure '.mounts[2].options[1] = 5'
	run_container
	refuses 1 "mounts[2].options[1]" "string"
	nothing_made
}

@test "a number that does not fit" {
	configure '.process.user.uid = -1'
	run_container
	refuses 1 process.user.uid
	nothing_made
}

@test "unknown keys are passed over" {
	configure '.future = { deep: [1, 2] } | .process.future = true | .linux.future = "x"'
	script_is 'echo ran'
	run_container
	[ "$status" -eq 0 ]
	[ "$output" = ran ]
}

@test "no process" {
	[ "$RUNTIME_NAME" != crun ] || skip "crun takes it"
	configure 'del(.process)'
	run_container
	refuses 1 process
	nothing_made
}

@test "no arguments" {
	configure '.process.args = []'
	run_container
	refuses 1 args
	nothing_made
}

@test "no root" {
	configure 'del(.root)'
	run_container
	refuses 1 root
	nothing_made
}

@test "no version" {
	[ "$RUNTIME_NAME" != crun ] || skip "crun takes it"
	configure 'del(.ociVersion)'
	run_container
	! is_floe || refuses 1 ociVersion
}

@test "a rootfs that is missing" {
	configure --arg path "$T/none" '.root.path = $path'
	run_container
	refuses 1 "$T/none" "no such file or directory"
	nothing_made
}

@test "a rootfs that is a file" {
	touch "$T/file"
	configure --arg path "$T/file" '.root.path = $path'
	run_container
	refuses 1 "$T/file" "not a directory"
	nothing_made
}

@test "an empty rootfs" {
	mkdir "$T/empty"
	configure --arg path "$T/empty" '.root.path = $path | .root.readonly = false'
	run_container
	refuses 1 true
	nothing_made
}

@test "a hook that does not exist" {
	configure '.hooks = { createRuntime: [{ path: "/no/such/hook" }] }'
	run_container
	[ "$status" -eq 1 ]
	contains "$output" /no/such/hook
	nothing_made
}

@test "a hook that fails" {
	configure '.hooks = { createRuntime: [{ path: "/bin/sh", args: ["sh", "-c", "echo reason >&2; exit 3"] }] }'
	run_container
	[ "$status" -eq 1 ]
	nothing_made
}

@test "a poststop hook runs when create fails late" {
	floe_only "others differ"
	configure --arg file "$T/stopped" '.hooks = {
		createRuntime: [{ path: "/bin/false" }], poststop: [{ path: "/bin/touch", args: ["touch", $file] }] }'
	run_container
	[ "$status" -eq 1 ]
	[ -e "$T/stopped" ]
	nothing_made
}

# --- ids ----------------------------------------------------------------------------------------------------------------

@test "invalid ids" {
	idle_command
	for id in '' . .. a/b ../x /x 'a b' a:b $'a\nb' 'a*' ä; do
		[ "$RUNTIME_NAME" != crun ] || case $id in '' | . | 'a b' | a:b | $'a\nb' | 'a*' | ä) continue ;; esac
		run timeout $((20 * PATIENCE)) "$FLOE_RUNTIME" --root "$STATE" create --bundle "$BUNDLE" -- "$id" </dev/null 3>&-
		[ "$status" -eq 1 ] || fail "'$id' was accepted: $output"
	done
	[ -z "$(find "$STATE" -mindepth 1 ! -path '*/.cache*' 2>/dev/null)" ]
	[ ! -e "$T/x" ]
	! is_floe || contains "$output" "invalid container ID format" "invalid character \`ä\` in the ID"
	[ "$RUNTIME_NAME" != crun ] || return 0
	# A dot in front is no harm.
	ID=.$PREFIX
	command_is true
	run_container
	[ "$status" -eq 0 ]
}

@test "invalid ids are refused by every command" {
	floe_only "others differ"
	for command in start state kill delete "delete --force" checkpoint; do
		# shellcheck disable=SC2086
		run rt $command ../x
		refuses 1 ../x
	done
}

@test "an id that is in use" {
	idle_command
	start_detached
	run rt create --bundle "$BUNDLE" "$ID" </dev/null
	refuses 1 "$ID" exist
	# The one that was there goes on.
	[ "$(state_of)" = running ]
	remove_container
}

@test "the id of a stopped container is in use until delete" {
	start_detached
	eventually is_state stopped
	run rt create --bundle "$BUNDLE" "$ID" </dev/null
	refuses 1 "$ID" exist
	rt delete "$ID"
}

@test "an unknown id, for every command" {
	for command in start state kill delete; do
		run rt $command "$PREFIX-none"
		refuses 1 "$PREFIX-none" "does not exist"
	done
	[ "$RUNTIME_NAME" != crun ] || skip "Debian's crun is built without checkpoint"
	run rt checkpoint --image-path "$T/image" "$PREFIX-none"
	refuses 1 "$PREFIX-none" "does not exist"
	[ ! -e "$T/image" ] || [ -z "$(ls -A "$T/image")" ]
}

# --- states -------------------------------------------------------------------------------------------------------------

@test "start of a container that runs" {
	idle_command
	start_detached
	run rt start "$ID"
	refuses 1 running
	[ "$(state_of)" = running ]
	remove_container
}

@test "start of a container that has stopped" {
	start_detached
	eventually is_state stopped
	run rt start "$ID"
	refuses 1 stopped
	rt delete "$ID"
}

@test "delete of a container that runs" {
	idle_command
	start_detached
	run rt delete "$ID"
	refuses 1 "$ID" running
	[ "$(state_of)" = running ]
	remove_container
}

@test "kill of a container that has stopped" {
	start_detached
	eventually is_state stopped
	run rt kill "$ID" KILL
	refuses 1 "not running"
	rt delete "$ID"
}

@test "kill with an unknown signal" {
	idle_command
	start_detached
	for signal in NOSUCH SIGNOSUCH 0 99 -1 ''; do
		run rt kill "$ID" -- "$signal"
		[ "$status" -eq 1 ] || [ "$RUNTIME_NAME" != floe-runtime ] || fail "'$signal' was accepted"
	done
	[ "$(state_of)" = running ]
	remove_container
}

@test "start of a container whose process was killed before" {
	create_container
	kill -KILL "$(pid_of)"
	eventually is_state stopped
	run rt start "$ID"
	[ "$status" -eq 1 ]
	rt delete "$ID"
}

@test "checkpoint of a container in a wrong state" {
	[ "$RUNTIME_NAME" != crun ] || skip "Debian's crun is built without checkpoint"
	create_container
	run rt checkpoint --image-path "$T/image" "$ID"
	refuses 1 created
	rt start "$ID"
	eventually is_state stopped
	run rt checkpoint --image-path "$T/image" "$ID"
	refuses 1 stopped
	rt delete "$ID"
}

# --- the command line ---------------------------------------------------------------------------------------------------

@test "delete --force of a container whose process does not die keeps it (version 1)" {
	floe_only "others forget it"
	[ -d /sys/fs/cgroup/freezer ] || skip "no freezer of version 1, where the frozen do not die"
	idle_command
	start_detached
	other=/sys/fs/cgroup/freezer/$PREFIX-other
	mkdir "$other"
	pid_of >"$other/cgroup.procs"
	echo FROZEN >"$other/freezer.state"
	run rt delete --force "$ID"
	echo THAWED >"$other/freezer.state"
	refuses 1 "'$ID'"
	[ -e "$STATE/$ID/state.json" ]
	rt delete --force "$ID"
	rmdir "$other"
}

@test "unknown commands and options" {
	run rt no-such-command
	[ "$status" -ne 0 ]
	! is_floe || contains "$output" no-such-command
	run rt create --no-such-option "$ID"
	[ "$status" -eq 1 ]
	contains "$output" no-such-option
	run "$FLOE_RUNTIME" --no-such-option list
	[ "$status" -ne 0 ]
}

@test "missing and superfluous arguments" {
	for command in create start run state kill delete checkpoint restore; do
		[ "$RUNTIME_NAME-$command" != crun-checkpoint ] || break
		run rt $command
		[ "$status" -eq 1 ]
	done
	run rt state a b
	[ "$status" -eq 1 ] || [ "$RUNTIME_NAME" = crun ]
}

@test "an option without its value" {
	run rt create --bundle
	[ "$status" -eq 1 ]
	! is_floe || contains "$output" bundle
	# What podman looks for before it restores a container of a pod.
	[ "$RUNTIME_NAME" != crun ] || skip "Debian's crun is built without checkpoint"
	run rt restore --lsm-mount-context
	[ "$status" -ne 0 ]
	[ "$RUNTIME_NAME" = runc ] || contains "$output" "flag needs an argument"
}

@test "the state root may not be /" {
	floe_only "Debian's others take it"
	run "$FLOE_RUNTIME" --root / list
	[ "$status" -eq 1 ]
}

@test "errors in the JSON log are one object that engines can read" {
	floe_only "others differ"
	run "$FLOE_RUNTIME" --root "$STATE" --log "$T/log" --log-format json state "$PREFIX-none"
	[ "$status" -eq 1 ]
	[ "$(wc -l <"$T/log")" -eq 1 ]
	jq -e '.level == "error" and (.msg | contains("does not exist")) and (.time | test("^20.*Z$"))' "$T/log"
	# And as plain text, for a person.
	contains "$output" "does not exist"
	[[ $output != *level=error* ]]
}

@test "a log file that cannot be written" {
	run "$FLOE_RUNTIME" --root "$STATE" --log "$T/none/log" list
	[ "$status" -eq 1 ]
	contains "$output" "$T/none/log"
}

@test "a pid file that cannot be written undoes the create" {
	run_container --pid-file "$T/none/pid"
	[ "$status" -eq 1 ]
	contains "$output" pid
	nothing_made
}

@test "terminal without console socket, and the reverse" {
	configure '.process.terminal = true'
	run rt create --bundle "$BUNDLE" "$ID" </dev/null
	refuses 1 console
	configure '.process.terminal = false'
	run rt create --bundle "$BUNDLE" --console-socket "$T/socket" "$ID" </dev/null
	[ "$RUNTIME_NAME" = crun ] || [ "$status" -eq 1 ]
	rt delete --force "$ID"
	nothing_made
}

@test "a console socket that nobody listens on" {
	configure '.process.terminal = true'
	run rt create --bundle "$BUNDLE" --console-socket "$T/socket" "$ID" </dev/null
	refuses 1 "$T/socket"
	nothing_made
}

# --- the machine --------------------------------------------------------------------------------------------------------

@test "a state root that cannot be written" {
	needs_root "mount file systems"
	mkdir "$T/readonly"
	mount -t tmpfs -o ro readonly "$T/readonly"
	run "$FLOE_RUNTIME" --root "$T/readonly/state" create --bundle "$BUNDLE" "$ID" </dev/null
	umount "$T/readonly"
	[ "$status" -eq 1 ]
	contains "$output" "$T/readonly" "ead-only file system"
}

@test "a state root that is a file" {
	touch "$T/file"
	run "$FLOE_RUNTIME" --root "$T/file" create --bundle "$BUNDLE" "$ID" </dev/null
	[ "$status" -eq 1 ]
	contains "$output" "$T/file"
}

@test "a state root that is full" {
	needs_root "mount file systems"
	mkdir "$T/small"
	mount -t tmpfs -o size=4096,nr_inodes=4 small "$T/small"
	run "$FLOE_RUNTIME" --root "$T/small" create --bundle "$BUNDLE" "$ID" </dev/null
	left=$(find "$T/small" -mindepth 1 ! -path '*/.cache*')
	umount "$T/small"
	[ "$status" -eq 1 ]
	! is_floe || contains "$output" "no space left on device"
	[ "$RUNTIME_NAME" != floe-runtime ] || [ -z "$left" ] || fail "$left"
}

@test "a state file that is damaged" {
	idle_command
	create_container
	pid=$(pid_of)
	file=$(find "$STATE/$ID" -type f \( -name 'state.json' -o -name status \) | head -n 1)
	cp "$file" "$T/saved"
	printf '{ "version": ' >"$file"
	run rt state "$ID"
	refuses 1 "$(basename "$file")"
	# A list shows the others.
	new_id other
	create_container
	run rt list -q
	[ "$status" -eq 0 ]
	contains "$output" "$PREFIX-other"
	remove_container
	new_id x
	ID=$PREFIX
	cp "$T/saved" "$file"
	remove_container
	process_is_gone "$pid"
}

@test "a directory without state in the state root" {
	floe_only "others differ"
	mkdir -p "$STATE/$ID"
	run rt state "$ID"
	[ "$status" -eq 1 ]
	run rt list -q
	[ "$status" -eq 0 ]
	run rt create --bundle "$BUNDLE" "$ID" </dev/null
	[ "$status" -eq 1 ]
	rt delete --force "$ID"
	nothing_made
}
