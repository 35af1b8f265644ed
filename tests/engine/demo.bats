#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What `make demo` runs: that it works, that it looks at what it says, and that nothing of it is left.

load ../lib/engine_cr

setup_file()
{
	if [[ $ENGINE_RUNTIME == *crun ]]; then
		export CANNOT_FREEZE="the demo is floe-runtime's"
	elif ! has_netavark; then
		export CANNOT_FREEZE="no netavark (tools/install-deps)"
	fi
	engine_cr_setup_file
	host_network_begin
}

teardown_file()
{
	engine_teardown_file
	host_network_end
}

@test "the demo moves a server and says how long it took" {
	export TMPDIR=$T FLOE_DEMO_KEYS=3000 FLOE_DEMO_PORT=17379
	run "$SOURCE/tools/demo" 3>&- 4>&-
	[ "$status" -eq 0 ]
	contains "$output" 3000 "every key is there" "the volume and the files are there" "time to export" frozen "time to restore"
	[[ $output != *$'\e'* ]]
	[ -z "$(find "$T" -maxdepth 1 -name 'floe-demo*')" ]
	is "" "$(ls /run/netns)"
}
