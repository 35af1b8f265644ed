#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# The runtime's own fall-backs, by FLOE_TEST_DISABLE: as in tests/integration/fallbacks.bats, but what it starts (programs,
# CRIU) is on the kernel that there is.

load ../lib/life

setup()
{
	floe_only "about its own fall-backs"
	grep -q "fault injected at" "$RUNTIME_MAIN" || skip "$RUNTIME_MAIN is built without fault points"
	container_setup
}

@test "a life cycle where the runtime itself does without" {
	for feature in "${FEATURES[@]}" $ALL; do
		export FLOE_TEST_DISABLE=$feature
		whole_life "$feature"
		life_in_user_namespace "$feature"
	done
	unset FLOE_TEST_DISABLE
}

@test "a checkpoint and a restore where the runtime itself does without" {
	open_pipe
	take_inventory >"$T/.before"
	for feature in "${FEATURES[@]}" $ALL; do
		export FLOE_TEST_DISABLE=$feature
		checkpoint_and_restore "$feature"
	done
	unset FLOE_TEST_DISABLE
}

@test "a checkpoint and a restore in a user namespace where the runtime itself does without" {
	chmod o+x "$BATS_RUN_TMPDIR" "$BATS_FILE_TMPDIR"
	configure '.linux.namespaces += [{ type: "user" }]
		| .linux.uidMappings = [{ containerID: 0, hostID: 100000, size: 65536 }] | .linux.gidMappings = .linux.uidMappings'
	open_pipe
	take_inventory >"$T/.before"
	for feature in "${FEATURES[@]}" $ALL; do
		export FLOE_TEST_DISABLE=$feature
		checkpoint_and_restore "$feature"
	done
	unset FLOE_TEST_DISABLE
}
