#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# checkpoint --dry-run: says what a checkpoint would do, and does nothing.

load ../lib/cr

@test "a dry run lets a container that can be frozen run on, and says so" {
	floe_only "an option of floe's"
	ticking
	start_on_pipe
	ticks_after 1
	run rt checkpoint --dry-run "$ID"
	[ "$status" -eq 0 ]
	contains "$output" "the checkpoint will work"
	ticks_after "$(last_tick)"
	[ ! -e "$T/image" ]
	checkpoint
}

@test "a dry run names what a checkpoint would fail for, as text and as JSON" {
	floe_only "an option of floe's"
	ticking
	rt run --detach --bundle "$BUNDLE" "$ID" </dev/null >"$T/out" 2>&1
	run rt checkpoint --dry-run "$ID"
	[ "$status" -eq 1 ]
	contains "$output" "$T/out" "will not work"
	run rt checkpoint --dry-run --format json "$ID"
	[ "$status" -eq 1 ]
	[ "$(jq -r .verdict <<<"$output")" != ok ]
	[ "$(jq '.blockers | length' <<<"$output")" -gt 0 ]
	[ "$(state_of)" = running ]
	remove_container
}
