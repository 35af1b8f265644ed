#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# Whole command lines as conmon, podman, containerd's shim (go-runc) and CRI-O build them, oddities included, without the
# clients; and conmon itself, called as CRI-O calls it.

load ../lib/cr

# Where the runtime is called with empty or no XDG_RUNTIME_DIR and without --root, as podman does.
bare()
{
	env -i PATH="$PATH" XDG_RUNTIME_DIR= "$FLOE_RUNTIME" "$@" 3>&- 4>&-
}

teardown()
{
	local id
	for id in /run/floe-runtime/"$PREFIX"*/; do
		[ ! -d "$id" ] || bare delete --force "$(basename "$id")" || :
	done
	rm -rf /run/floe-runtime/.cache
	rmdir /run/floe-runtime 2>/dev/null || :
	for id in "$STATE"/*/; do
		[ ! -d "$id" ] || rt delete --force "$(basename "$id")" >/dev/null 2>&1 || :
	done
	if [ -n "${PIPE:-}" ]; then
		exec {PIPE}>&-
	fi
	clean_up
}

# --- probes -------------------------------------------------------------------------------------------------------------

@test "podman's and CRI-O's probes for checkpoint and for restore into pods" {
	run "$FLOE_RUNTIME" checkpoint --help
	[ "$status" -eq 0 ]
	run "$FLOE_RUNTIME" restore --lsm-mount-context
	[ "$status" -ne 0 ]
	contains "$output" "flag needs an argument" "requires an argument"
}

@test "go-runc's reading of --version, features as containerd asks for them" {
	floe_only
	run "$FLOE_RUNTIME" --version
	[ "$status" -eq 0 ]
	[[ ${lines[0]} =~ ^floe-runtime\ version\ [0-9] ]]
	grep -q '^commit: ' <<<"$output"
	grep -qE '^spec: 1\.[0-9]' <<<"$output"
	"$FLOE_RUNTIME" features | jq -e '.ociVersionMax | startswith("1.")'
}

# --- podman through conmon ----------------------------------------------------------------------------------------------

@test "conmon's and podman's calls for a life: create, start, exec, update, pause, kill, delete" {
	floe_only "with its default state root"
	idle_command
	bare --log-format=json --log "$T/oci-log" create --bundle "$BUNDLE" --pid-file "$T/pidfile" --no-pivot --no-new-keyring \
		"$ID" </dev/null >/dev/null 2>"$T/$ID.err"
	[ "$(bare state "$ID" | jq -r .status)" = created ]
	[ "$(cat "$T/pidfile")" = "$(bare state "$ID" | jq -r .pid)" ]
	[ -d "/run/floe-runtime/$ID" ]
	bare start "$ID"
	jq '.process | .args = [ "sh", "-c", "sleep 0.1; echo done >&2" ]' "$BUNDLE/config.json" >"$T/process.json"
	bare --log-format=json --log="$T/exec-log" exec --pid-file "$T/exec.pid" --process "$T/process.json" --detach "$ID" \
		</dev/null >"$T/exec.out" 2>&1
	[ "$(cat "$T/exec.pid")" -gt 0 ]
	eventually file_contains "$T/exec.out" "done"
	echo '{ "memory": { "limit": 67108864 }, "pids": { "limit": 0 }, "cpu": {}, "blockIO": {}, "devices": [] }' \
		>"$T/resources.json"
	bare update "--resources=$T/resources.json" "$ID"
	bare pause "$ID"
	bare resume "$ID"
	bare kill "$ID" 15
	has_stopped()
	{
		[ "$(bare state "$ID" | jq -r .status)" = stopped ]
	}
	eventually has_stopped
	bare delete --force "$ID"
	# Nothing went wrong, so nothing was written.
	[ ! -s "$T/oci-log" ]
	[ ! -s "$T/exec-log" ]
}

@test "podman's log is one JSON object, which says what podman looks for" {
	command_is no-such-command
	run bare --log-format=json "--log=$T/oci-log" create --bundle "$BUNDLE" --pid-file "$T/pidfile" "$ID"
	[ "$status" -eq 1 ]
	[ "$(jq -s length "$T/oci-log")" -eq 1 ]
	jq -e '.level == "error" and (.msg | test("executable file not found in"; "i"))
		and (.time | test("^[0-9]{4}-[0-9]{2}-[0-9]{2}T"))' "$T/oci-log"
	[ ! -e "$T/pidfile" ]
	rm "$T/oci-log"
	own_rootfs
	touch "$BUNDLE/rootfs/data/plain"
	command_is /data/plain
	run bare --log-format=json "--log=$T/oci-log" create --bundle "$BUNDLE" "$ID"
	jq -e '.msg | test("permission denied"; "i")' "$T/oci-log"
}

@test "podman's checkpoint with --leave-running twice, conmon's restore with --no-pivot and --no-new-keyring" {
	ticking
	start_on_pipe
	ticks_after 1
	rt checkpoint --image-path "$T/image" --work-path "$BUNDLE" --leave-running --file-locks --leave-running "$ID" {PIPE}>&-
	[ "$(state_of)" = running ]
	rt checkpoint --image-path "$T/image-2" --work-path "$BUNDLE" "$ID" {PIPE}>&-
	is_gone
	rt restore --bundle "$BUNDLE" --pid-file "$T/pidfile" --no-pivot --no-new-keyring --detach --image-path "$T/image-2" \
		--work-path "$BUNDLE" "$ID" </dev/null >&"$PIPE" 2>&1 {PIPE}>&-
	[ "$(cat "$T/pidfile")" = "$(pid_of)" ]
	ticks_after "$(last_tick)"
	remove_container
	ticks_are_continuous
}

# --- containerd's shim --------------------------------------------------------------------------------------------------

# go-runc's global options.
shim()
{
	rt --debug=false --log "$T/log.json" --log-format json --rootless=false "$@"
}

@test "go-runc's calls: create, start, ps, events, update, kill, delete" {
	idle_command
	shim create --bundle "$BUNDLE" --pid-file "$T/init.pid" "$ID" </dev/null >"$T/$ID.out" 2>"$T/$ID.err"
	shim start "$ID"
	shim state "$ID" | jq -e '.status == "running"'
	shim list --format=json | jq -e --arg id "$ID" 'length == 1 and .[0].id == $id'
	shim ps --format json "$ID" | jq -e --argjson pid "$(cat "$T/init.pid")" 'index($pid) != null'
	if is_floe; then
		shim events --stats "$ID" | jq -e '.type == "stats" and .data.pids.current > 0'
		timeout 0.5 "$FLOE_RUNTIME" --root "$STATE" events --interval=1s "$ID" 3>&- 4>&- || [ $? -eq 124 ]
	fi
	jq .process "$BUNDLE/config.json" | jq '.args = [ "true" ]' >"$T/process.json"
	shim exec --process "$T/process.json" --detach --pid-file "$T/exec.pid" "$ID" </dev/null >/dev/null 2>&1
	is_floe || return 0
	echo '{ "pids": { "limit": 42 } }' | shim update --resources=- "$ID"
	[ "$(cgroup_file "$(pid_of)" pids.max)" = 42 ]
	shim pause "$ID"
	shim resume "$ID"
	shim kill --all "$ID" 9
	eventually is_state stopped
	# What the shim makes "not found" of.
	run shim kill "$ID" 15
	[ "$status" -eq 1 ]
	[[ $output =~ 'container not running'|'no such process'|'process already finished' ]]
	shim kill --all "$ID" 9
	shim delete "$ID"
	run shim kill "$ID" 15
	contains "$output" "does not exist"
	run shim delete "$ID"
	[ "$status" -eq 1 ]
	contains "$output" "does not exist"
	shim delete --force "$ID"
	jq -es 'map(select(.level == "error")) | length == 3' "$T/log.json"
}

@test "go-runc's checkpoint and restore with everything that it may say" {
	ticking
	start_on_pipe
	ticks_after 1
	shim checkpoint --image-path "$T/image" --work-path "$T/work" --tcp-established --ext-unix-sk --shell-job --file-locks \
		--manage-cgroups-mode soft --empty-ns network "$ID" {PIPE}>&-
	[ -s "$T/work/dump.log" ]
	# --parent-path is passed to restore as well, where it has no meaning.
	shim restore --image-path "$T/image" --work-path "$T/work" --parent-path "$T/image" --tcp-established --ext-unix-sk \
		--shell-job --file-locks --manage-cgroups-mode soft --empty-ns network --detach --pid-file "$T/init.pid" \
		--no-subreaper --no-pivot --bundle "$BUNDLE" "$ID" </dev/null >&"$PIPE" 2>&1 {PIPE}>&-
	[ "$(cat "$T/init.pid")" = "$(pid_of)" ]
	ticks_after "$(last_tick)"
	shim delete --force "$ID"
	ticks_are_continuous
}

# --- CRI-O --------------------------------------------------------------------------------------------------------------

# cri_conmon ARGUMENT...: as CRI-O starts it.
cri_conmon()
{
	conmon -b "$BUNDLE" -c "$ID" --exit-dir "$T/exits" -l "$T/ctr.log" --log-level error -n k8s_name \
		-P "$T/conmon.pid" -p "$T/pidfile" --persist-dir "$T/persist" -r "$FLOE_RUNTIME" \
		--runtime-arg "--root=$STATE" --socket-dir-path "$T/sockets" -u "$ID" --no-sync-log "$@" \
		</dev/null >"$T/conmon.out" 2>&1 3>&- 4>&-
}

@test "CRI-O's conmon: log, exit code, exec, checkpoint, restore" {
	command -v conmon >/dev/null || skip "no conmon (tools/install-deps)"
	mkdir -p "$T"/{exits,persist,sockets}
	# shellcheck disable=SC2016 # for the shell of the container
	script_is 'trap "exit 3" TERM; i=0; while :; do i=$((i + 1)); echo "tick $i"; sleep 0.05; done'
	cri_conmon
	eventually is_state created
	rt start "$ID"
	log_has()
	{
		grep -q " stdout F tick $1$" "$T/ctr.log"
	}
	eventually log_has 3
	jq .process "$BUNDLE/config.json" | jq '.args = [ "sh", "-c", "exit 4" ]' >"$T/process.json"
	rt exec --process "$T/process.json" "$ID" || [ $? -eq 4 ]
	rt checkpoint --file-locks --image-path "$T/image/checkpoint" --work-path "$T/image" "$ID"
	eventually test -e "$T/exits/$ID"
	rm "$T/exits/$ID"
	cri_conmon --restore "$T/image/checkpoint"
	eventually is_state running
	[ "$(cat "$T/pidfile")" = "$(pid_of)" ]
	last=$(sed -n 's/.* stdout F tick //p' "$T/ctr.log" | tail -n 1)
	eventually log_has "$((last + 3))"
	rt kill "$ID" 15
	eventually file_is "$T/exits/$ID" 3
	rt delete --force "$ID"
	sed -n 's/.* stdout F tick //p' "$T/ctr.log" | awk '$1 != NR { exit 1 }'
}
