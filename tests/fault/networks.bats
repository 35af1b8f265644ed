#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Kills around the end of a network that is taken down behind the end of `run --rm`: nothing of it stays.

load ../lib/engine
load ../lib/networks

is_gone()
{
	[ "$(network_inventory)" = "$before" ] && fln system check >/dev/null 2>&1
}

is_left()
{
	! fln system check >"$T/check" 2>&1 && grep -q "was to be taken down" "$T/check"
}

@test "a kill of who takes the network down, then run again" {
	before=$(network_inventory)
	for ways in "" "-p 127.0.0.1:18097:80 --ip 10.88.0.99"; do
		for place in before "taken down"; do
			# shellcheck disable=SC2086 # words
			FLOE_FAULT="network later:$place=kill" fln run --rm $ways --rootfs "$ROOTFS" true
			is "" "$(fln ps -aq)"
			eventually is_left
			# shellcheck disable=SC2086 # words
			is hello "$(fln run --rm $ways --rootfs "$ROOTFS" echo hello)"
			eventually is_gone
		done
	done
}

@test "a failure of who takes the network down, then cleanup" {
	before=$(network_inventory)
	for place in before "taken down"; do
		FLOE_FAULT="network later:$place=error" fln run --rm --rootfs "$ROOTFS" true
		eventually is_left
		fln container cleanup --all
		eventually is_gone
	done
}

@test "a kill of run --rm before it hands its network over" {
	before=$(network_inventory)
	FLOE_FAULT="network later:record=kill" run fln run --rm --rootfs "$ROOTFS" true
	is 137 "$status"
	eventually is_gone
	is "" "$(fln ps -aq)"
}
