#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# What `make demo-runtime` runs: that it works, that it looks at what it says, and that it leaves nothing, also when it is interrupted.

load ../lib/cr

setup()
{
	floe_only
	container_setup
	export TMPDIR=$T FLOE_RUNTIME FLOE_DEMO_KEYS=3000 FLOE_DEMO_ID=$PREFIX
}

# Its files are below $TMPDIR; its processes, mounts and cgroups are looked for by name.
nothing_of_the_demo()
{
	[ -z "$(find "$T" -maxdepth 1 -name 'floe-demo*')" ] || fail "$(find "$T" -maxdepth 1 -name 'floe-demo*')"
	nothing_left
}

@test "the demo freezes and thaws a server and says how long it took" {
	run "$SOURCE/tools/demo-runtime" 3>&- 4>&-
	[ "$status" -eq 0 ]
	contains "$output" "image size" "time to checkpoint" "frozen" "time to restore" 3000
	# No colours where there is no terminal.
	[[ $output != *$'\e'* ]]
	nothing_of_the_demo
}

@test "an interrupted demo leaves nothing" {
	for signal in INT TERM HUP; do
		for delay in 0.1 0.4 0.8 1.2 1.6; do
			# In a session of its own, as if at a terminal; a plain background job would ignore INT.
			setsid env --default-signal "$SOURCE/tools/demo-runtime" >"$T/said" 2>&1 3>&- 4>&- &
			demo=$!
			sleep $delay
			kill -$signal -- $demo 2>/dev/null || kill -$signal -- "-$demo" 2>/dev/null || :
			wait $demo || :
			nothing_of_the_demo || fail "after $signal at $delay s: $(cat "$T/said")"
		done
	done
}
