#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# Hooks of a restore: those of the configuration that run again, and those of the annotation org.floe.hooks.post-restore.

load ../lib/cr

# hook NAME COMMAND: a program $T/NAME that keeps its state document in $T/NAME.json, then runs the command.
hook()
{
	printf '#!/bin/sh\ncat >"%s"\n%s\n' "$T/$1.json" "$2" >"$T/$1"
	chmod +x "$T/$1"
}

post_restore()
{
	# shellcheck disable=SC2016 # jq's variable
	configure --arg hooks "$1" '.annotations["org.floe.hooks.post-restore"] = $hooks'
}

@test "prestart and createRuntime hooks run again on restore, the others do not" {
	for kind in prestart createRuntime poststart poststop; do
		hook $kind "echo $kind >>'$T/log'"
		configure --arg kind $kind --arg path "$T/$kind" '.hooks[$kind] = [{ path: $path }]'
	done
	ticking
	start_on_pipe
	ticks_after 1
	checkpoint
	: >"$T/log"
	restore
	[ "$(cat "$T/log")" = "$(printf 'prestart\ncreateRuntime')" ]
	[ "$(jq .pid "$T/createRuntime.json")" = "$(pid_of)" ]
	ticks_after "$(last_tick)"
	remove_container
}

@test "post-restore hooks run in order, may use the container, and get its state" {
	hook first "echo first >>'$T/log'"
	hook second "echo second \$1 \$KEY >>'$T/log'
		'$FLOE_RUNTIME' --root '$STATE' exec '$ID' /bin/sh -c 'echo renewed; hostname' >>'$T/log' </dev/null"
	post_restore "$(jq -n --arg t "$T" '[
		{ path: ($t + "/first") },
		{ path: ($t + "/second"), args: ["second", "argument"], env: ["KEY=value", "PATH=/bin"], timeout: 20 }]')"
	ticking
	start_on_pipe
	ticks_after 1
	[ ! -e "$T/log" ]
	checkpoint
	[ ! -e "$T/log" ]
	restore
	[ "$(head -n 3 "$T/log")" = "$(printf 'first\nsecond argument value\nrenewed')" ]
	[ "$(jq -r '.status + " " + .id' "$T/first.json")" = "running $ID" ]
	[ "$(jq .pid "$T/first.json")" = "$(pid_of)" ]
	ticks_after "$(last_tick)"
	remove_container
}

@test "a post-restore hook that fails ends the container, and the image stays good" {
	hook renew "exit 3"
	post_restore "$(jq -n --arg path "$T/renew" '[{ path: $path }]')"
	ticking
	start_on_pipe
	ticks_after 1
	checkpoint
	run -1 restore
	says "restore container '$ID'" "post-restore hook #0" "exit status 3"
	is_gone
	hook renew true
	restore
	ticks_after "$(last_tick)"
	remove_container
}

@test "a post-restore annotation that is no list of hooks is refused before anything is made" {
	ticking
	start_on_pipe
	ticks_after 1
	checkpoint
	post_restore '[{ "path": "relative" }]'
	run -1 restore
	says "hooks.post-restore[0].path" relative "absolute"
	post_restore '{'
	run -1 restore
	says "org.floe.hooks.post-restore"
	is_gone
	post_restore ''
	restore
	ticks_after "$(last_tick)"
	remove_container
}
