#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# create, start, state, kill, delete, run, list and spec: what they do, print and return.

load ../lib/helpers

@test "run returns the exit code of the container" {
	script_is 'exit 7'
	run_container
	[ "$status" -eq 7 ]
}

@test "run returns 128 plus the signal that ended the container" {
	# A process 1 does not die of its own signals; a child's end is passed on.
	script_is 'sh -c "kill -SEGV \$\$"; exit $?'
	run_container
	[ "$status" -eq 139 ]
}

@test "run returns 137 when the container is killed from outside" {
	idle_command
	rt run --bundle "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1 &
	eventually is_state running
	rt kill "$ID" KILL
	ends_with 137 $!
}

@test "run deletes the container when it ends" {
	run_container
	[ "$status" -eq 0 ]
	run rt state "$ID"
	[ "$status" -eq 1 ]
}

@test "run hands stdin, stdout and stderr to the container" {
	script_is 'read -r line; echo "out $line"; echo "err $line" >&2; cat'
	printf 'first\nsecond\n' | rt run --bundle "$BUNDLE" "$ID" >"$T/out" 2>"$T/err"
	[ "$(cat "$T/out")" = $'out first\nsecond' ]
	[ "$(cat "$T/err")" = "err first" ]
}

@test "run passes large output through unchanged" {
	script_is 'dd if=/dev/zero bs=65536 count=64 2>/dev/null'
	rt run --bundle "$BUNDLE" "$ID" </dev/null >"$T/out"
	[ "$(stat -c %s "$T/out")" -eq 4194304 ]
}

@test "run ends when its reader goes away" {
	script_is 'trap "" PIPE; while echo line; do :; done 2>/dev/null; exit 3'
	timeout $((20 * PATIENCE)) "$FLOE_RUNTIME" --root "$STATE" run --bundle "$BUNDLE" "$ID" </dev/null 3>&- | head -n 1 >"$T/out"
	[ "$(cat "$T/out")" = line ]
}

@test "run in the foreground forwards signals" {
	script_is 'trap "echo hup" HUP; trap "echo usr1" USR1; trap "echo term; exit 9" TERM
		echo ready; while :; do sleep 0.05; done'
	"$FLOE_RUNTIME" --root "$STATE" run --bundle "$BUNDLE" "$ID" </dev/null >"$T/out" 2>&1 3>&- &
	runtime=$!
	eventually file_contains "$T/out" ready
	kill -HUP $runtime
	eventually file_contains "$T/out" hup
	kill -USR1 $runtime
	eventually file_contains "$T/out" usr1
	kill -TERM $runtime
	ends_with 9 $runtime
	[ "$(cat "$T/out")" = $'ready\nhup\nusr1\nterm' ]
}

@test "run --detach returns at once and leaves the container running" {
	idle_command
	start_detached --pid-file "$T/pid"
	[ "$(state_of)" = running ]
	[ "$(cat "$T/pid")" = "$(pid_of)" ]
	remove_container
}

@test "a pid file that is no regular file is written to, and stays, also when nothing starts" {
	local pipe pid
	floe_only "others replace and remove it"
	idle_command
	echo old >"$T/target"
	ln -s target "$T/link"
	start_detached --pid-file "$T/link"
	[ -L "$T/link" ]
	[ "$(cat "$T/target")" = "$(pid_of)" ]
	remove_container
	mkfifo "$T/pipe"
	exec {pipe}<>"$T/pipe"
	start_detached --pid-file "$T/pipe"
	pid=$(dd bs=16 count=1 status=none <&"$pipe")
	[ "$pid" = "$(pid_of)" ]
	[ -p "$T/pipe" ]
	remove_container
	configure '.process.args = ["/no/such"]'
	run_container --pid-file "$T/pipe"
	[ "$status" -ne 0 ]
	[ -p "$T/pipe" ]
	exec {pipe}<&-
}

@test "the container of run --detach is not a child that anyone must reap" {
	script_is 'exit 0'
	start_detached --pid-file "$T/pid"
	eventually is_state stopped
	rt delete "$ID"
}

@test "run --keep keeps the stopped container" {
	floe_only "others lack --keep"
	run_container --keep
	[ "$status" -eq 0 ]
	[ "$(state_of)" = stopped ]
	rt delete "$ID"
}

@test "create, start, kill and delete go through the states" {
	idle_command
	create_container
	[ "$(state_of)" = created ]
	rt start "$ID"
	[ "$(state_of)" = running ]
	eventually traps TERM "$(pid_of)"
	rt kill "$ID" TERM
	eventually is_state stopped
	[ "$(pid_of)" -eq 0 ]
	rt delete "$ID"
	run rt state "$ID"
	[ "$status" -eq 1 ]
}

@test "create does not run the program yet, start does" {
	script_is 'echo started; while :; do sleep 0.1; done'
	create_container
	sleep 0.3
	[ ! -s "$T/$ID.out" ]
	rt start "$ID"
	eventually file_contains "$T/$ID.out" started
	remove_container
}

@test "the pid file holds the decimal pid without a newline before create returns" {
	create_container --pid-file "$T/pid"
	[ "$(cat "$T/pid")" = "$(pid_of)" ]
	[[ $(cat "$T/pid") =~ ^[0-9]+$ ]]
	[ "$(stat -c %s "$T/pid")" -eq "$(tr -d '\n' <"$T/pid" | wc -c)" ]
	remove_container
}

@test "a relative pid file is relative to the caller, not to the bundle" {
	floe_only "others disagree"
	create_container --pid-file pid
	[ -s "$T/pid" ]
	remove_container
}

@test "the bundle is the current directory by default" {
	script_is 'echo here'
	cd "$BUNDLE"
	run rt run "$ID" </dev/null
	[ "$status" -eq 0 ]
	[ "$output" = here ]
}

@test "a relative bundle and a relative rootfs work" {
	own_rootfs
	script_is 'echo relative'
	run rt run --bundle bundle "$ID" </dev/null
	[ "$output" = relative ]
}

@test "a changed config.json has no effect on a created container" {
	script_is 'echo first; sleep 0.1'
	create_container
	script_is 'echo second'
	rt start "$ID"
	eventually is_state stopped
	[ "$(cat "$T/$ID.out")" = first ]
	rt delete "$ID"
}

@test "state prints the OCI state as JSON" {
	configure '.annotations = { "org.example.key": "a \"quoted\" value" }'
	idle_command
	create_container
	state=$(rt state "$ID")
	[ "$(jq -r .id <<<"$state")" = "$ID" ]
	[ "$(jq -r .status <<<"$state")" = created ]
	[ "$(jq -r .bundle <<<"$state")" = "$BUNDLE" ]
	[ "$(jq -r '.rootfs // .bundle' <<<"$state")" != null ]
	[ "$(jq -r '.annotations["org.example.key"]' <<<"$state")" = 'a "quoted" value' ]
	jq -e '.ociVersion | test("^1\\.")' <<<"$state"
	jq -e '.created | test("^[0-9]{4}-[0-9]{2}-[0-9]{2}T.*Z$")' <<<"$state"
	[ -d "/proc/$(jq -r .pid <<<"$state")" ]
	remove_container
}

# The name of crun's file, for whoever waits for it and reads it.
@test "status in the state directory is the record" {
	[ "$RUNTIME_NAME" != runc ] || skip "it has no such file"
	idle_command
	create_container
	[ "$(jq -r .bundle "$STATE/$ID/status")" = "$BUNDLE" ]
	[ "$(jq -r .pid "$STATE/$ID/status")" = "$(pid_of)" ]
	jq -r .external_descriptors "$STATE/$ID/status" | jq -e 'length == 3 and all(type == "string")'
	remove_container
}

@test "list shows containers as table, as JSON and as ids" {
	idle_command
	new_id a
	create_container
	new_id b
	start_detached
	run rt list
	[ "$status" -eq 0 ]
	contains "${lines[0]}" ID PID STATUS BUNDLE CREATED OWNER
	contains "$output" "$PREFIX-a" created "$PREFIX-b" running "$BUNDLE" "$(id -un)"
	[ "$(rt list -q | sort)" = "$PREFIX-a"$'\n'"$PREFIX-b" ]
	[ "$(rt list --format json | jq -r 'sort_by(.id) | map(.id + " " + .status) | join(",")')" = \
		"$PREFIX-a created,$PREFIX-b running" ]
	remove_container "$PREFIX-a"
	remove_container "$PREFIX-b"
}

@test "list of a state root that does not exist is empty" {
	run "$FLOE_RUNTIME" --root "$T/none" list -q
	[ "$status" -eq 0 ]
	[ -z "$output" ]
}

@test "kill takes signals by number, by name, with and without SIG, in any case" {
	script_is 'trap "echo usr1" USR1; trap "echo usr2" USR2; echo ready; while :; do sleep 0.05; done'
	start_detached
	eventually file_contains "$T/$ID.out" ready
	expected=ready
	for signal in USR1 SIGUSR1 usr1 sigusr1 10; do
		rt kill "$ID" "$signal"
		expected+=$'\n'usr1
		eventually file_is "$T/$ID.out" "$expected"
	done
	rt kill "$ID" USR2
	eventually file_contains "$T/$ID.out" usr2
	remove_container
}

@test "kill sends SIGTERM by default" {
	script_is 'trap "echo term; exit 0" TERM; echo ready; while :; do sleep 0.05; done'
	start_detached
	eventually file_contains "$T/$ID.out" ready
	rt kill "$ID"
	eventually is_state stopped
	file_contains "$T/$ID.out" term
	rt delete "$ID"
}

@test "kill works on a created container" {
	create_container
	rt kill "$ID" KILL
	eventually is_state stopped
	rt delete "$ID"
}

@test "kill ends a created container with SIGTERM too" {
	[ "$RUNTIME_NAME" != crun ] || skip "the kernel keeps it from crun's"
	for signal in TERM INT HUP QUIT; do
		create_container
		rt kill "$ID" $signal
		eventually is_state stopped
		rt delete "$ID"
	done
}

@test "SIGKILL reaches what is left without a private PID namespace after the init has ended" {
	configure 'del(.linux.namespaces[] | select(.type == "pid"))'
	script_is 'sleep 1000 & sleep 1000 & echo ready; wait'
	start_detached
	eventually file_contains "$T/$ID.out" ready
	kill -KILL "$(pid_of)"
	eventually is_state stopped
	rt kill "$ID" KILL
	nobody()
	{
		! rt kill "$ID" KILL 2>/dev/null
	}
	is_floe || { rt delete "$ID"; return; }
	eventually nobody
	run rt kill "$ID" KILL
	refuses 1 "container not running"
	rt delete "$ID"
	# The teardown looks for the sleeps.
}

@test "SIGKILL without a private PID namespace ends every process of the container" {
	configure 'del(.linux.namespaces[] | select(.type == "pid"))'
	script_is 'sleep 1000 & sleep 1000 & echo ready; wait'
	start_detached
	eventually file_contains "$T/$ID.out" ready
	rt kill --all "$ID" KILL || rt kill "$ID" KILL
	eventually is_state stopped
	rt delete "$ID"
	# The teardown looks for the sleeps.
}

@test "delete --force ends the processes of a container without a private PID namespace" {
	configure 'del(.linux.namespaces[] | select(.type == "pid"))'
	script_is 'sleep 1000 & sleep 1000 & echo ready; wait'
	start_detached
	eventually file_contains "$T/$ID.out" ready
	remove_container
}

@test "delete removes a created container" {
	create_container
	rt delete "$ID"
	run rt state "$ID"
	[ "$status" -eq 1 ]
}

@test "delete --force kills a running container" {
	idle_command
	start_detached
	pid=$(pid_of)
	rt delete --force "$ID"
	process_is_gone "$pid"
}

@test "delete --force while a run waits for the end: both find it gone, and say nothing" {
	idle_command
	for _ in {1..20}; do
		rt run --bundle "$BUNDLE" "$ID" </dev/null >"$T/said" 2>&1 &
		runner=$!
		eventually is_state running
		rt delete --force "$ID"
		wait $runner || :
		is "" "$(cat "$T/said")"
		[ ! -e "$STATE/$ID" ]
	done
}

@test "delete --force of an unknown container succeeds" {
	run rt delete --force "$PREFIX-none"
	[ "$status" -eq 0 ]
}

@test "options are accepted after the id" {
	[ "$RUNTIME_NAME" != crun ] || skip "crun takes options before the id only"
	idle_command
	start_detached
	run rt delete "$ID" --force
	[ "$status" -eq 0 ]
}

@test "--option=value and short options are accepted" {
	script_is 'echo yes'
	run "$FLOE_RUNTIME" --root="$STATE" run -b "$BUNDLE" "$ID" </dev/null
	[ "$output" = yes ]
	run "$FLOE_RUNTIME" --root="$STATE" run --bundle="$BUNDLE" "$ID" </dev/null
	[ "$output" = yes ]
}

@test "spec writes a configuration that runs" {
	needs_root "run without a user namespace"
	mkdir "$T/new"
	cd "$T/new"
	rt spec
	jq -e '.process.args == ["sh"] and .process.terminal and .root.path == "rootfs" and .root.readonly' config.json
	jq -e '[.mounts[].destination] == ["/proc","/dev","/dev/pts","/dev/shm","/dev/mqueue","/sys","/sys/fs/cgroup"]' \
		config.json
	cp -a "$ROOTFS" rootfs
	BUNDLE=$T/new
	configure '.process.terminal = false'
	script_is 'echo from the template'
	run_container
	[ "$status" -eq 0 ]
	[ "$output" = "from the template" ]
}

@test "spec does not overwrite a configuration" {
	run rt spec --bundle "$BUNDLE"
	[ "$status" -eq 1 ]
	contains "$output" exist
	jq -e '.hostname == "contained"' "$BUNDLE/config.json"
}

@test "--version names the program and the version of the specification" {
	run "$FLOE_RUNTIME" --version
	[ "$status" -eq 0 ]
	[[ ${lines[0]} =~ ^$RUNTIME_NAME\ version\ [0-9] ]]
	contains "$output" "spec: 1."
}

@test "features is the JSON document of the specification" {
	floe_only "Debian's others lack it"
	run rt features
	[ "$status" -eq 0 ]
	jq -e '.ociVersionMin and .ociVersionMax and .hooks and .mountOptions and .linux.namespaces
		and .linux.capabilities and .linux.cgroup and .linux.seccomp' <<<"$output"
}

@test "--help of every command succeeds and names its options" {
	for command in create start run state kill delete list spec; do
		run rt $command --help
		[ "$status" -eq 0 ]
	done
	[ "$RUNTIME_NAME" != crun ] || skip "Debian's crun is built without checkpoint"
	# The engines ask for support by this.
	run rt checkpoint --help
	[ "$status" -eq 0 ]
	contains "$output" image-path
}

@test "containers of one state root do not see those of another" {
	idle_command
	start_detached
	run "$FLOE_RUNTIME" --root "$T/other" list -q
	[ "$status" -eq 0 ]
	[ -z "$output" ]
	run "$FLOE_RUNTIME" --root "$T/other" state "$ID"
	[ "$status" -eq 1 ]
	remove_container
}

@test "the same id can be used again after delete" {
	for _ in 1 2 3; do
		create_container
		rt delete "$ID"
	done
}

@test "two containers can be created at the same time" {
	idle_command
	new_id a
	create_container &
	first=$!
	new_id b
	create_container
	wait $first
	[ "$(state_of "$PREFIX-a")" = created ]
	[ "$(state_of "$PREFIX-b")" = created ]
	remove_container "$PREFIX-a"
	remove_container "$PREFIX-b"
}

@test "of two creates with one id exactly one succeeds" {
	floe_only "Debian's others may ruin each other's state"
	idle_command
	create_container &
	first=$!
	second=0
	rt create --bundle "$BUNDLE" "$ID" </dev/null >/dev/null 2>"$T/second.err" || second=$?
	first_status=0
	wait $first || first_status=$?
	[ $((first_status == 0)) -ne $((second == 0)) ] || fail "$first_status and $second"
	[ "$(state_of)" = created ]
	remove_container
}

@test "100 lifecycles of run leave nothing" {
	for ((i = 0; i < 100; i++)); do
		rt run --bundle "$BUNDLE" "$ID-$i" </dev/null
	done
	nothing_left
	# The teardown looks once more.
}

@test "a whole lifecycle works with the default state root" {
	idle_command
	"$FLOE_RUNTIME" create --bundle "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1 3>&-
	"$FLOE_RUNTIME" start "$ID"
	[ "$("$FLOE_RUNTIME" state "$ID" | jq -r .status)" = running ]
	"$FLOE_RUNTIME" kill "$ID" KILL
	"$FLOE_RUNTIME" delete --force "$ID"
	rmdir "/run/$RUNTIME_NAME" 2>/dev/null || rm -rf "/run/$RUNTIME_NAME"
}
