#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# A failure and a kill at every boundary of the engine's stages: an error is one, nothing of it stays, and the next start works.

load ../lib/engine

stages()
{
	sed -n '/^static const struct stage init_stages/,/^};/s/^\t{ "\([^"]*\)".*/\1/p' "$SOURCE/src/engine/start.c"
}

@test "a failure at each stage of start" {
	[ "$(stages | wc -l)" -ge 5 ]
	fl create --name "$C" --rootfs "$ROOTFS" sleep 1000 >/dev/null
	while IFS= read -r stage; do
		FLOE_FAULT="init:$stage=error" try start "$C"
		is 125 "$status"
		is created "$(inspect "$C" '{{.State.Status}}')"
		[ ! -e "$ENGINE/run/containers/$(inspect "$C" '{{.Id}}')" ]
	done < <(stages)
	fl start "$C" >/dev/null
	state_is "$C" running
}

@test "a kill at each stage of start, then start" {
	fl create --name "$C" --rootfs "$ROOTFS" sleep 1000 >/dev/null
	while IFS= read -r stage; do
		FLOE_FAULT="init:$stage=kill" try start "$C"
		is 137 "$status"
		[ "$(inspect "$C" '{{.State.Running}}')" = false ]
		fl start "$C" >/dev/null
		state_is "$C" running
		fl stop --time 0 "$C" >/dev/null
	done < <(stages)
}

@test "a kill at each stage of start, then rm --force" {
	while IFS= read -r stage; do
		fl create --name "$C" --rootfs "$ROOTFS" sleep 1000 >/dev/null
		FLOE_FAULT="init:$stage=kill" try start "$C"
		is 137 "$status"
		fl rm --force --time 0 "$C" >/dev/null
		is "" "$(fl ps -aq)"
	done < <(stages)
}
