#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# A failure, and a crash, at every stage of every long operation. The stages are those that the operation itself names in
# its debug log, so that a new one is tried without a change here. After a failure nothing is left; after a crash
# `delete --force` brings that about.
#
# Needs a build with -Dfault_points=true; $FLOE_FAULT is "OPERATION:STAGE=error|kill".

load ../lib/cr

setup()
{
	floe_only
	grep -q "fault injected at" "$RUNTIME_MAIN" || skip "$RUNTIME_MAIN is built without fault points"
	container_setup
	idle_command
	open_pipe
	# The pipe's reader is no leak of an operation.
	take_inventory >"$T/.before"
}

# stages_of OPERATION LOG: the names of its stages, a line each.
stages_of()
{
	sed -nE "s/.*msg=\"$1: ([^:\"]+): done after .*/\1/p" "$2" | awk '!seen[$0]++'
}

# debug_log COMMAND...: run the runtime with its debug log in $T/log.
debug_log()
{
	"$FLOE_RUNTIME" --debug --root "$STATE" --log "$T/log" "$@" </dev/null >&"$PIPE" 2>&1 3>&- 4>&- {PIPE}>&-
}

# with_fault FAULT COMMAND...: sets $status, and $output to what the runtime said.
with_fault()
{
	local fault=$1
	shift
	: >"$T/said"
	status=0
	FLOE_FAULT=$fault timeout $((60 * PATIENCE)) "$FLOE_RUNTIME" --root "$STATE" --log "$T/said" "$@" </dev/null >&"$PIPE" 2>&1 \
		3>&- 4>&- {PIPE}>&- || status=$?
	output=$(cat "$T/said")
}

failures=
complain()
{
	failures+="$*"$'\n'
	return 0
}

no_failures()
{
	[ -z "$failures" ] || fail "$failures"
}

# clean WHAT [EXCEPTION]: nothing may be left of it, short of lines with EXCEPTION. Not in a subshell, which would be a
# process more.
clean()
{
	local i left
	for ((i = 0; i < 30 * PATIENCE; i++)); do
		take_inventory >"$T/.after"
		left=$(diff "$T/.before" "$T/.after" | grep '^>' | grep -vF "${2:-nothing}" || :)
		[ "$left" ] || return 0
		sleep 0.1
	done
	complain "$1: $left"
	# What follows shall not suffer from it.
	rt delete --force "$ID" 2>/dev/null || :
	take_inventory >"$T/.before"
}

# every_stage OPERATION LOG MINIMUM: $stages is filled, and there are at least so many (or the log has changed its form).
every_stage()
{
	mapfile -t stages < <(stages_of "$1" "$2")
	[ ${#stages[@]} -ge "$3" ] || fail "only ${#stages[@]} stages of $1 found in the log"
}

@test "create: a failure at any stage leaves nothing" {
	debug_log create --bundle "$BUNDLE" "$ID"
	remove_container
	for operation in create init; do
		every_stage $operation "$T/log" 5
		for stage in "${stages[@]}"; do
			with_fault "$operation:$stage=error" create --bundle "$BUNDLE" "$ID"
			if [ "$status" -eq 0 ]; then
				# What init does after create has returned is told by start.
				with_fault "$operation:$stage=error" start "$ID"
				[ "$status" -eq 1 ] || complain "$operation:$stage: not noticed"
				remove_container
			else
				[ "$status" -eq 1 ] || complain "$operation:$stage: exit status $status"
				[[ $output == *"fault injected at '$operation:$stage'"* ]] || complain "$operation:$stage: $output"
			fi
			clean "$operation:$stage=error"
		done
	done
	no_failures
}

@test "create: after a crash of the runtime at any stage delete --force recovers" {
	debug_log create --bundle "$BUNDLE" "$ID"
	remove_container
	every_stage create "$T/log" 5
	for stage in "${stages[@]}"; do
		with_fault "create:$stage=kill" create --bundle "$BUNDLE" "$ID"
		[ "$status" -eq 137 ] || complain "create:$stage: exit status $status"
		# Every command copes with what is there; none hangs or crashes.
		for command in state list "kill KILL"; do
			code=0
			# shellcheck disable=SC2086
			case $command in
			list) timeout $((20 * PATIENCE)) "$FLOE_RUNTIME" --root "$STATE" list -q >/dev/null 2>&1 || code=$? ;;
			state) timeout $((20 * PATIENCE)) "$FLOE_RUNTIME" --root "$STATE" state "$ID" >/dev/null 2>&1 || code=$? ;;
			*) timeout $((20 * PATIENCE)) "$FLOE_RUNTIME" --root "$STATE" kill "$ID" KILL >/dev/null 2>&1 || code=$? ;;
			esac
			[ $code -le 1 ] || complain "create:$stage: $command returns $code"
		done
		timeout $((60 * PATIENCE)) "$FLOE_RUNTIME" --root "$STATE" delete --force "$ID" 2>"$T/said" ||
			complain "create:$stage: delete --force: $(cat "$T/said")"
		clean "create:$stage=kill"
	done
	no_failures
}

@test "create: a crash of init at any stage is reported and leaves nothing" {
	debug_log create --bundle "$BUNDLE" "$ID"
	rt start "$ID"
	remove_container
	every_stage init "$T/log" 5
	for stage in "${stages[@]}"; do
		with_fault "init:$stage=kill" create --bundle "$BUNDLE" "$ID"
		if [ "$status" -eq 0 ]; then
			# It was past the point at which create waits for it.
			run timeout $((20 * PATIENCE)) "$FLOE_RUNTIME" --root "$STATE" start "$ID"
			eventually is_state stopped
			remove_container
		else
			[ "$status" -eq 1 ] || complain "init:$stage: exit status $status"
			[ -n "$output" ] || complain "init:$stage: nothing is said"
			[ ! -e "$STATE/$ID" ] || complain "init:$stage: $STATE/$ID is left"
		fi
		clean "init:$stage=kill"
	done
	no_failures
}

@test "run: a failure at any stage leaves nothing" {
	debug_log run --detach --bundle "$BUNDLE" "$ID"
	remove_container
	for operation in create init; do
		every_stage $operation "$T/log" 5
		for stage in "${stages[@]}"; do
			command_is true
			with_fault "$operation:$stage=error" run --bundle "$BUNDLE" "$ID"
			[ "$status" -eq 1 ] || complain "$operation:$stage: exit status $status"
			clean "run, $operation:$stage=error"
		done
	done
	no_failures
}

@test "exec: a failure or a crash at any stage leaves the container running and nothing else" {
	start_on_pipe
	debug_log exec "$ID" true
	take_inventory >"$T/.before"
	for operation in exec "exec child"; do
		every_stage "$operation" "$T/log" 1
		for stage in "${stages[@]}"; do
			for action in error kill; do
				with_fault "$operation:$stage=$action" exec "$ID" true
				[ "$status" -ne 0 ] || complain "$operation:$stage=$action: not noticed"
				[ "$(state_of)" = running ] || complain "$operation:$stage=$action: $(state_of)"
				# The idle container runs short sleeps.
				clean "$operation:$stage=$action" "(sleep)"
			done
		done
	done
	run rt exec "$ID" echo fine
	[ "$output" = fine ]
	remove_container
	no_failures
}

frozen_image()
{
	ticking
	start_on_pipe
	ticks_after 1
	checkpoint
}

@test "restore: a failure at any stage leaves nothing, and the image as it was" {
	frozen_image
	debug_log restore --detach --bundle "$BUNDLE" --image-path "$T/image" "$ID"
	remove_container
	every_stage restore "$T/log" 3
	for stage in "${stages[@]}"; do
		with_fault "restore:$stage=error" restore --detach --bundle "$BUNDLE" --image-path "$T/image" "$ID"
		[ "$status" -eq 1 ] || complain "restore:$stage: exit status $status"
		[[ $output == *"fault injected at 'restore:$stage'"* ]] || complain "restore:$stage: $output"
		clean "restore:$stage=error"
	done
	: >"$T/out"
	restore
	ticks_after 0
	remove_container
	no_failures
}

@test "restore: after a crash at any stage delete --force recovers" {
	frozen_image
	debug_log restore --detach --bundle "$BUNDLE" --image-path "$T/image" "$ID"
	remove_container
	every_stage restore "$T/log" 3
	for stage in "${stages[@]}"; do
		with_fault "restore:$stage=kill" restore --detach --bundle "$BUNDLE" --image-path "$T/image" "$ID"
		[ "$status" -eq 137 ] || complain "restore:$stage: exit status $status"
		timeout $((60 * PATIENCE)) "$FLOE_RUNTIME" --root "$STATE" delete --force "$ID" 2>"$T/said" ||
			complain "restore:$stage: delete --force: $(cat "$T/said")"
		clean "restore:$stage=kill"
	done
	no_failures
}
