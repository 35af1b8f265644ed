#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# From create to rm: states, exit codes, what is left.
#
# With each runtime under sanitizers, too.

load ../lib/engine

@test "run prints the output and hands on the exit code" {
	try run --rm --rootfs "$ROOTFS" sh -c 'echo out; exit 7'
	[ "$status" -eq 7 ]
	is out "$output"
}

@test "run keeps stdout and stderr apart" {
	fl run --rm --rootfs "$ROOTFS" sh -c 'echo out; echo err >&2' >o 2>e
	is out "$(cat o)"
	is err "$(cat e)"
}

@test "run -i passes the input on" {
	is "some input" "$(echo "some input" | fl run --rm -i --rootfs "$ROOTFS" cat)"
}

@test "run without -i gives the process no input" {
	is "" "$(echo "some input" | fl run --rm --rootfs "$ROOTFS" cat)"
}

@test "a missing command is exit code 127, one that cannot be executed 126" {
	try run --rm --rootfs "$ROOTFS" /no/such/command
	is 127 "$status"
	try run --rm --rootfs "$ROOTFS" /etc
	is 126 "$status"
	is "" "$(fl ps -aq)"
}

@test "a process that is killed is 128 and the signal" {
	start_idle "$C"
	fl kill "$C" >/dev/null
	is 137 "$(fl wait "$C")"
	try run --rm --rootfs "$ROOTFS" sh -c '(exec sh -c "kill -TERM \$\$"); exit $?'
	is 143 "$status"
}

@test "create, init, start, wait, rm go through the states" {
	id=$(fl create --name "$C" --rootfs "$ROOTFS" sh -c 'while [ ! -e /data/go ]; do sleep 0.1; done; exit 3')
	[[ $id =~ ^[0-9a-f]{64}$ ]]
	state_is "$C" created
	fl init "$C" >/dev/null
	state_is "$C" initialized
	is "$C" "$(fl start "$C")"
	state_is "$C" running
	touch "$ROOTFS/data/go"
	is 3 "$(fl wait "$C")"
	eventually state_is "$C" exited
	is 3 "$(inspect "$C" '{{.State.ExitCode}}')"
	# A second start is a new run.
	fl start "$C" >/dev/null
	is 3 "$(fl wait "$C")"
	rm "$ROOTFS/data/go"
	is "$C" "$(fl rm "$C")"
	try container exists "$C"
	is 1 "$status"
}

@test "an id is found by its beginning, and by its name" {
	id=$(fl create --name "$C" --rootfs "$ROOTFS" true)
	is "$id" "$(inspect "${id:0:6}" '{{.Id}}')"
	is "$id" "$(inspect "$C" '{{.Id}}')"
	try inspect nobody
	is 125 "$status"
	contains "$output" "no container with name or ID"
}

@test "stop sends TERM, and KILL after its time" {
	start_idle "$C"
	fl stop "$C" >/dev/null
	state_is "$C" exited
	is 0 "$(inspect "$C" '{{.State.ExitCode}}')"
	is true "$(inspect "$C" '{{.State.StoppedByUser}}')"
	fl run -d --name "$C-2" --rootfs "$ROOTFS" sh -c 'trap "" TERM; while :; do sleep 0.1; done' >/dev/null
	eventually heeds "$C-2" TERM
	fl stop --time 1 "$C-2" 2>err >/dev/null
	contains "$(cat err)" "resorting to SIGKILL"
	is 137 "$(inspect "$C-2" '{{.State.ExitCode}}')"
}

@test "--stop-signal is what stop sends" {
	fl run -d --name "$C" --stop-signal USR1 --rootfs "$ROOTFS" \
		sh -c 'trap "exit 42" USR1; while :; do sleep 0.1; done' >/dev/null
	eventually heeds "$C" USR1
	fl stop "$C" >/dev/null
	is 42 "$(inspect "$C" '{{.State.ExitCode}}')"
}

@test "kill sends a signal, by name and number, and only to what runs" {
	fl run -d --name "$C" --rootfs "$ROOTFS" sh -c 'trap "exit 9" HUP; while :; do sleep 0.1; done' >/dev/null
	eventually heeds "$C" HUP
	fl kill --signal HUP "$C" >/dev/null
	is 9 "$(fl wait "$C")"
	try kill "$C"
	is 125 "$status"
	contains "$output" "can only kill running containers"
	try kill --signal NOSUCH "$C"
	refused "invalid signal"
	# Who kills it and looks at once sees that it has ended.
	start_idle "$C-2"
	fl kill "$C-2" >/dev/null
	is "" "$(fl container ls --quiet)"
}

@test "pause stops all processes, unpause lets them go on" {
	start_idle "$C"
	fl pause "$C" >/dev/null
	state_is "$C" paused
	try pause "$C"
	refused "is already paused: container state improper"
	# It does not run, as podman sees it.
	is "" "$(fl ps -q)"
	is "$C paused" "$(fl ps -a --format '{{.Names}} {{.State}}')"
	try stop --time 2 "$C"
	refused "is running or paused, refusing to clean up: container state improper"
	try restart --time 2 "$C"
	refused "unable to restart a container in a paused or unknown state: container state improper"
	try start "$C"
	refused "must be in Created or Stopped state to be started: container state improper"
	state_is "$C" paused
	fl unpause "$C" >/dev/null
	state_is "$C" running
	try unpause "$C"
	refused "is not paused, can't unpause: container state improper"
	fl pause "$C" >/dev/null
	fl rm --force --time 2 "$C" >/dev/null
	fl create --name "$C" --rootfs "$ROOTFS" true >/dev/null
	try pause "$C"
	refused '"created" is not running, can'"'"'t pause: container state improper'
}

@test "a container whose stop was killed runs on, and is stopped by the next one" {
	fl run -d --name "$C" --rootfs "$ROOTFS" sh -c 'trap "" TERM; while :; do sleep 0.1; done' </dev/null >/dev/null
	eventually heeds "$C" TERM
	"$FLOE" --root "$ENGINE/root" --runroot "$ENGINE/run" "${CGROUPS[@]}" --runtime "$ENGINE_RUNTIME" \
		stop --time 600 "$C" 3>&- 4>&- &
	eventually state_is "$C" stopping
	# What is being stopped is not waited for, and not removed.
	try rm "$C"
	is 2 "$status"
	contains "$output" "as it is stopping"
	kill -KILL $!
	eventually state_is "$C" running
	is running "$(fl ps --filter "name=^$C\$" --format '{{.State}}')"
	fl exec "$C" true
	fl pause "$C"
	is paused "$(inspect "$C" '{{.State.Status}}')"
	fl unpause "$C"
	fl stop --time 0 "$C"
	is "exited 137" "$(inspect "$C" '{{.State.Status}} {{.State.ExitCode}}')"
}

@test "restart stops and starts again" {
	start_idle "$C"
	pid=$(inspect "$C" '{{.State.Pid}}')
	fl restart --time 1 "$C" >/dev/null
	state_is "$C" running
	[ "$(inspect "$C" '{{.State.Pid}}')" != "$pid" ]
}

@test "rm refuses what runs, and removes it with --force" {
	start_idle "$C"
	try rm "$C"
	is 2 "$status"
	contains "$output" "cannot be removed without force"
	fl rm --force --time 0 "$C" >/dev/null
	try container exists "$C"
	is 1 "$status"
	# What is not there: an error, but not with --force.
	try rm "$C"
	is 1 "$status"
	fl rm --force "$C"
	# Nobody's container goes where it is not clear whose is meant.
	fl create --name "$C" --rootfs "$ROOTFS" true >/dev/null
	try rm --all --cidfile nosuch
	refused "cannot be used together"
	try port --all --latest
	refused "cannot be used together"
	fl container exists "$C"
}

@test "names are taken once, and given back" {
	fl create --name "$C" --rootfs "$ROOTFS" true >/dev/null
	try create --name "$C" --rootfs "$ROOTFS" true
	refused "already in use"
	fl create --replace --name "$C" --rootfs "$ROOTFS" echo new >/dev/null
	fl rename "$C" "$C-new"
	fl create --name "$C" --rootfs "$ROOTFS" true >/dev/null
	is new "$(fl start --attach "$C-new")"
	try start --attach --all "$C-new"
	refused "either start all containers"
}

@test "--rm removes it when it has ended, also detached" {
	start_idle "$C" --rm
	state_is "$C" running
	fl kill "$C" >/dev/null
	gone() { ! fl container exists "$C"; }
	eventually gone
}

@test "one with --rm that cannot be started does not stay" {
	fl create --rm --name "$C" --rootfs "$ROOTFS" nosuch >/dev/null
	try start "$C"
	refused "nosuch"
	fl create --rm --name "$C" --rootfs "$ROOTFS" nosuch >/dev/null
	try start --attach "$C"
	refused "nosuch"
	try container exists "$C"
	is 1 "$status"
	fl create --name "$C" --rootfs "$ROOTFS" nosuch >/dev/null
	try start "$C"
	refused "nosuch"
	fl container exists "$C"
}

@test "--cidfile, --pidfile and --conmon-pidfile are written" {
	start_idle "$C" --cidfile cid --pidfile pid --conmon-pidfile conmon
	is "$(inspect "$C" '{{.Id}}')" "$(cat cid)"
	is "$(inspect "$C" '{{.State.Pid}}')" "$(cat pid)"
	is "$(inspect "$C" '{{.State.ConmonPid}}')" "$(cat conmon)"
	fl stop --time 0 --cidfile cid >/dev/null
	# What is left of another one is written over.
	printf '%0100d' 0 >cid
	fl create --cidfile cid --name "$C-2" --rootfs "$ROOTFS" true >/dev/null
	is "$(inspect "$C-2" '{{.Id}}')" "$(cat cid)"
}

@test "the restart policy is kept" {
	fl run -d --name "$C" --restart on-failure:2 --rootfs "$ROOTFS" sh -c 'echo run >>/data/runs; exit 1' >/dev/null
	done_all() { [ "$(inspect "$C" '{{.RestartCount}} {{.State.Status}}')" = "2 exited" ]; }
	eventually done_all
	is 3 "$(wc -l <"$ROOTFS/data/runs")"
	# Who waits for it waits for the last one, and for what is always started again for ever.
	fl start "$C" >/dev/null
	is 1 "$(fl wait "$C")"
	is "2 exited" "$(inspect "$C" '{{.RestartCount}} {{.State.Status}}')"
	is 6 "$(wc -l <"$ROOTFS/data/runs")"
	rm "$ROOTFS/data/runs"
	fl run -d --name "$C-always" --restart always --rootfs "$ROOTFS" sh -c 'sleep 0.1; exit 3' >/dev/null
	fl wait "$C-always" >code 3>&- &
	goes_on() { [ "$(inspect "$C-always" '{{.RestartCount}}')" -gt 3 ]; }
	eventually goes_on
	[ ! -s code ]
	fl stop -t 0 "$C-always" >/dev/null
	wait
	contains "3 137" "$(cat code)"
	fl rm -f "$C-always" >/dev/null
	try create --rm --restart always --rootfs "$ROOTFS" true
	refused "conflicts with --restart"
}

@test "mistakes are one sentence and exit code 125" {
	try run --no-such-option --rootfs "$ROOTFS" true
	refused "no-such-option"
	try run --rootfs /no/such/directory true
	refused "/no/such/directory"
	try run --rootfs "$ROOTFS"
	refused "no command"
	try run --name 'a/b' --rootfs "$ROOTFS" true
	refused "a/b"
	try run --network pasta --rootfs "$ROOTFS" true
	refused "--network 'pasta'"
	try run --user nobody-there --rootfs "$ROOTFS" true
	is 126 "$status"
	contains "$output" "unable to find user nobody-there: no matching entries in passwd file"
	try run -v relative --rootfs "$ROOTFS" true
	refused "absolute path"
	try start
	refused "at least one name"
}

@test "--timeout ends it, also when somebody is attached, and the exit code arrives" {
	try run --rm --timeout $((3 * PATIENCE)) --rootfs "$ROOTFS" sh -c 'echo begins; sleep 1000'
	[ "$status" -gt 128 ]
	contains "$output" begins
	is "" "$(fl ps -aq)"
}

@test "a process that outlives init with its output open does not keep who is attached" {
	try run --rm --pid host --rootfs "$ROOTFS" sh -c 'sleep 5 & echo out'
	is 0 "$status"
	contains "$output" out
}
