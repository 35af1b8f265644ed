#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# The life of containers under podman: run, exec, attach, logs, stop and what else its commands ask of a runtime.

# shellcheck disable=SC2317 # scenario() is called by compare_runtimes
# shellcheck disable=SC2016 # what is in single quotes is for the shell of the container
# shellcheck disable=SC2153 # $RUNTIME is no misspelling

RUNTIMES=(crun floe-runtime)
load ../lib/podman

# --- run and its exit code ----------------------------------------------------------------------------------------------

@test "run: the command's exit code is podman's" {
	scenario()
	{
		prints hello pod run --rm bb echo hello
		exits 3 pod run --rm bb sh -c 'exit 3'
	}
	compare_runtimes
}

@test "run: 125 for an error of podman, 126 and 127 for commands that cannot run" {
	scenario()
	{
		exits 125 pod run --rm --pull never no-such-image true
		exits 126 pod run --rm bb /etc
		exits 126 pod run --rm bb /etc/passwd
		exits 127 pod run --rm bb no-such-command
		exits 127 pod run --rm bb /no/such/command
	}
	compare_runtimes
}

@test "run: 128 and the number of the signal that ended it" {
	scenario()
	{
		exits 137 pod run --rm --pid host bb sh -c 'kill -9 $$'
		exits 143 pod run --rm --pid host bb sh -c 'kill -TERM $$'
	}
	compare_runtimes
}

@test "run: an error of the runtime names the command" {
	scenario()
	{
		exits 127 pod run --rm bb no-such-command
		contains "$output" no-such-command "not found"
		exits 126 pod run --rm bb /etc/passwd
		contains "${output,,}" "permission denied"
	}
	compare_runtimes
}

@test "run -i: standard input arrives" {
	scenario()
	{
		output=$(printf 'one\ntwo\n' | pod run --rm -i bb sed s/o/0/g)
		[ "$output" = $'0ne\ntw0' ]
	}
	compare_runtimes
}

@test "run -t: a terminal" {
	scenario()
	{
		prints /dev/pts/0 pod run --rm -t bb tty
		says crw--w---- pod run --rm -t bb ls -lL /dev/console
		exits 7 pod run --rm -t bb sh -c 'exit 7'
	}
	compare_runtimes
}

@test "run -it: the terminal has the size of the user's" {
	scenario()
	{
		says "33 77" on_terminal 33 77 run --cgroup-parent "$(client_cgroup pod)" --rm -it bb \
			sh -c 'until stty size | grep 33.77; do sleep 0.1; done; sleep 1'
	}
	compare_runtimes
}

@test "run --rm: nothing is left" {
	scenario()
	{
		pod run --rm --name "$C" bb true
		exits 1 pod container exists "$C"
		[ -z "$(find "/run/$RUNTIME" -mindepth 1 -maxdepth 1 ! -name '.*')" ]
	}
	compare_runtimes
}

@test "run: five at a time" {
	scenario()
	{
		local i pids=()
		for i in 1 2 3 4 5; do
			pod run --rm bb sh -c "exit $i" &
			pids+=($!)
		done
		for i in 1 2 3 4 5; do
			ends_with "$i" "${pids[i - 1]}"
		done
	}
	compare_runtimes
}

@test "run --rootfs: a directory as the root" {
	scenario()
	{
		cp -a "$ROOTFS" rootfs
		prints here pod run --rm --rootfs "$T/rootfs" sh -c 'echo here >/file; cat /file'
		file_is rootfs/file here
		prints changed pod run --rm --rootfs "$T/rootfs:O" sh -c 'echo changed >/file; cat /file'
		file_is rootfs/file here
	}
	compare_runtimes
}

@test "run --preserve-fds: further descriptors" {
	scenario()
	{
		exec 3>preserved
		timeout $CLIENT_SECONDS "${PODMAN[@]}" --runtime "$RUNTIME" run --cgroup-parent "$(client_cgroup pod)" --rm --preserve-fds 1 bb \
			sh -c 'echo to-three >&3'
		exec 3>&-
		file_is preserved to-three
	}
	compare_runtimes
}

@test "run --cgroups: disabled and without one for conmon" {
	scenario()
	{
		says "$(grep freezer: /proc/self/cgroup)" pod run --rm --cgroups=disabled bb cat /proc/self/cgroup
		says libpod- pod run --rm --cgroups=no-conmon bb cat /proc/1/cgroup
	}
	compare_runtimes
}

# --- life cycle ---------------------------------------------------------------------------------------------------------

@test "create, inspect, start, wait" {
	scenario()
	{
		pod create --name "$C" bb sh -c 'exit 4'
		prints created inspect .State.Status
		prints "$RUNTIME" inspect .OCIRuntime
		pod start "$C"
		prints 4 pod wait "$C"
		prints exited inspect .State.Status
		prints 4 inspect .State.ExitCode
	}
	compare_runtimes
}

@test "init: created by the runtime, but not started" {
	scenario()
	{
		pod create --name "$C" bb sh -c 'trap "exit 0" TERM; while :; do sleep 0.1; done'
		pod init "$C"
		prints initialized inspect .State.Status
		[ "$(pod_pid)" -gt 0 ]
		pod start "$C"
		prints running inspect .State.Status
	}
	compare_runtimes
}

@test "start -a: attached from the first byte, and the exit code" {
	scenario()
	{
		pod create --name "$C" bb sh -c 'echo first; exit 9'
		exits 9 pod start -a "$C"
		[ "$output" = first ]
		exits 9 pod start -a "$C"
	}
	compare_runtimes
}

@test "stop: TERM first" {
	scenario()
	{
		pod run -d --name "$C" bb sh -c 'trap "echo bye; exit 5" TERM; echo ready; while :; do sleep 0.1; done'
		eventually says ready pod logs "$C"
		pod stop -t 10 "$C"
		prints 5 inspect .State.ExitCode
		says bye pod logs "$C"
	}
	compare_runtimes
}

@test "stop: KILL after the time is up" {
	scenario()
	{
		pod run -d --name "$C" bb sh -c 'trap "" TERM; while :; do sleep 0.1; done'
		sleep 0.3
		exits 0 pod stop -t 1 "$C"
		prints 137 inspect .State.ExitCode
	}
	compare_runtimes
}

@test "kill: any signal" {
	scenario()
	{
		pod run -d --name "$C" bb sh -c 'trap "echo usr1" USR1; echo ready; while :; do sleep 0.1; done'
		eventually says ready pod logs "$C"
		pod kill -s USR1 "$C"
		eventually says usr1 pod logs "$C"
		pod kill "$C"
		prints 137 pod wait "$C"
		exits 125 pod kill "$C"
	}
	compare_runtimes
}

@test "kill --all and stop --all" {
	scenario()
	{
		pod_idle
		C=$C-2 pod_idle
		pod stop -t 5 --all
		prints exited inspect .State.Status
		prints exited inspect .State.Status "$C-2"
	}
	compare_runtimes
}

@test "restart: another process, the same container" {
	scenario()
	{
		local before
		pod_idle
		before=$(pod_pid)
		pod restart -t 5 "$C"
		prints running inspect .State.Status
		[ "$(pod_pid)" != "$before" ]
	}
	compare_runtimes
}

@test "restart policy: on-failure, twice" {
	scenario()
	{
		pod run -d --name "$C" --restart on-failure:2 bb sh -c 'echo run; exit 1'
		twice_restarted()
		{
			[ "$(inspect .RestartCount)" = 2 ] && is_status exited
		}
		eventually twice_restarted
		[ "$(pod logs "$C" | grep -c run)" -eq 3 ]
	}
	compare_runtimes
}

@test "pause and unpause" {
	scenario()
	{
		local before
		pod_ticking
		eventually pod_ticks_after 1
		pod pause "$C"
		prints paused inspect .State.Status
		eventually stands_still pod_last_tick
		before=$(pod_last_tick)
		exits 255 pod exec "$C" true
		pod unpause "$C"
		prints running inspect .State.Status
		eventually pod_ticks_after "$before"
	}
	compare_runtimes
}

@test "rm: not while it runs, unless by force" {
	scenario()
	{
		pod_idle
		exits 2 pod rm "$C"
		pod rm -f -t 0 "$C"
		exits 1 pod container exists "$C"
	}
	compare_runtimes
}

@test "rm -f of a paused container" {
	scenario()
	{
		pod_idle
		pod pause "$C"
		pod rm -f -t 0 "$C"
		exits 1 pod container exists "$C"
	}
	compare_runtimes
}

@test "run --timeout" {
	scenario()
	{
		pod run --name "$C" --timeout 1 bb sh -c 'while :; do sleep 0.1; done' || :
		prints exited inspect .State.Status
	}
	compare_runtimes
}

# --- attach and logs ----------------------------------------------------------------------------------------------------

@test "attach: output of a running container" {
	scenario()
	{
		local attach
		pod run -d --name "$C" bb sh -c 'while [ ! -e /go ]; do echo waiting; sleep 0.1; done; echo attached; exit 6'
		pod attach --no-stdin "$C" >out 2>&1 &
		attach=$!
		eventually file_contains out waiting
		pod exec "$C" touch /go
		ends_with 0 $attach
		file_contains out attached
		prints 6 inspect .State.ExitCode
	}
	compare_runtimes
}

@test "attach: input to a running container" {
	scenario()
	{
		pod run -d -i --name "$C" bb sh -c 'read line; echo "got $line"'
		echo words | pod attach "$C" >out
		file_contains out "got words"
	}
	compare_runtimes
}

@test "logs: both streams, the tail, following" {
	scenario()
	{
		pod run --name "$C" bb sh -c 'echo one; echo two >&2; echo three' >/dev/null 2>&1
		[ "$(pod logs "$C" 2>/dev/null)" = $'one\nthree' ]
		[ "$(pod logs "$C" 2>&1 >/dev/null)" = two ]
		C=$C-2 pod_ticking
		eventually pod_ticks_after 2 "$C-2"
		[ "$(pod logs --tail 2 "$C-2" | wc -l)" -eq 2 ]
		timeout $CLIENT_SECONDS "${PODMAN[@]}" logs -f "$C-2" >follow 3>&- 4>&- &
		eventually grep -qx "tick $(($(pod_last_tick "$C-2") + 5))" follow
		kill $!
		wait $! || :
	}
	compare_runtimes
}

# --- exec ---------------------------------------------------------------------------------------------------------------

@test "exec: output and exit code" {
	scenario()
	{
		pod_idle
		prints inside pod exec "$C" echo inside
		exits 7 pod exec "$C" sh -c 'exit 7'
		exits 143 pod exec "$C" sh -c 'kill -TERM $$'
		exits 126 pod exec "$C" /etc
		exits 127 pod exec "$C" no-such-command
		exits 125 pod exec no-such-container true
	}
	compare_runtimes
}

@test "exec: user, directory, environment, input" {
	scenario()
	{
		pod_idle --env FROM=run
		prints 1000:1000 pod exec --user 1000:1000 "$C" sh -c 'echo $(id -u):$(id -g)'
		prints /tmp pod exec --workdir /tmp "$C" pwd
		prints "run exec" pod exec --env VAR=exec "$C" sh -c 'echo $FROM $VAR'
		[ "$(echo data | pod exec -i "$C" cat)" = data ]
	}
	compare_runtimes
}

@test "exec -t and -it: a terminal of its own" {
	scenario()
	{
		pod_idle
		says /dev/pts/ pod exec -t "$C" tty
		exits 8 pod exec -t "$C" sh -c 'exit 8'
		says "21 65" on_terminal 21 65 exec -it "$C" sh -c 'until stty size | grep 21.65; do sleep 0.1; done; sleep 1'
	}
	compare_runtimes
}

@test "exec: in the namespaces, cgroup and limits of the container" {
	scenario()
	{
		pod_idle --hostname named --ulimit nofile=99:99 --ulimit nproc=1000:1000 --cap-drop all
		prints named pod exec "$C" hostname
		prints 99 pod exec "$C" sh -c 'ulimit -n'
		prints "$(pod exec "$C" cat /proc/1/cgroup)" pod exec "$C" cat /proc/self/cgroup
		says $'CapEff:\t0000000000000000' pod exec "$C" cat /proc/self/status
		for namespace in ipc mnt net pid uts; do
			prints "$(readlink "/proc/$(pod_pid)/ns/$namespace")" pod exec "$C" readlink "/proc/self/ns/$namespace"
		done
	}
	compare_runtimes
}

@test "exec -d: goes on by itself" {
	scenario()
	{
		pod_idle
		pod exec -d "$C" sh -c 'sleep 0.3; echo over >/over'
		eventually says over pod exec "$C" cat /over
	}
	compare_runtimes
}

@test "exec --privileged" {
	scenario()
	{
		pod_idle --cap-drop all
		never_says $'CapEff:\t0000000000000000' pod exec --privileged "$C" cat /proc/self/status
	}
	compare_runtimes
}

@test "exec: what it started ends with the container" {
	scenario()
	{
		pod_idle
		pod exec -d "$C" sh -c 'trap "" TERM HUP; while :; do sleep 0.1; done'
		pod stop -t 2 "$C"
		prints exited inspect .State.Status
	}
	compare_runtimes
}

# --- looking at it ------------------------------------------------------------------------------------------------------

@test "top" {
	scenario()
	{
		pod_idle
		says "trap" pod top "$C" pid args
		says sleep pod top "$C" -o pid,args
	}
	compare_runtimes
}

@test "stats" {
	scenario()
	{
		pod_idle -m 64m
		output=$(pod stats --no-stream --no-reset --format json "$C")
		jq -e '.[0].pids | tonumber >= 1' <<<"$output"
		jq -e '.[0].mem_usage | test("67.11MB")' <<<"$output"
	}
	compare_runtimes
}

@test "healthcheck" {
	scenario()
	{
		pod_idle --health-cmd 'test -e /healthy' --health-interval disable --health-retries 1
		exits 1 pod healthcheck run "$C"
		pod exec "$C" touch /healthy
		exits 0 pod healthcheck run "$C"
		prints healthy inspect .State.Health.Status
	}
	compare_runtimes
}

@test "update: limits of a running container" {
	scenario()
	{
		pod_idle -m 64m
		pod update --memory 96m --memory-swap 96m --cpu-shares 300 "$C"
		[ "$(cgroup_file "$(pod_pid)" memory.limit_in_bytes)" = 100663296 ]
		[ "$(cgroup_file "$(pod_pid)" cpu.shares)" = 300 ]
	}
	compare_runtimes
}

@test "out of memory: killed" {
	scenario()
	{
		pod run --name "$C" -m 20m --memory-swap 20m bb sh -c 'x=1234567890; while :; do x=$x$x; done' || :
		prints 137 inspect .State.ExitCode
	}
	compare_runtimes
}

@test "cp, diff and commit, also while it runs" {
	scenario()
	{
		pod_idle
		echo in >in
		pod cp in "$C:/tmp/in"
		prints in pod exec "$C" cat /tmp/in
		pod exec "$C" sh -c 'echo out >/out'
		pod cp "$C:/out" out
		file_is out out
		says "A /out" pod diff "$C"
		pod commit "$C" "bb-$RUNTIME" >/dev/null
		prints running inspect .State.Status
		prints out pod run --rm "bb-$RUNTIME" cat /out
		pod rmi -f "bb-$RUNTIME" >/dev/null
	}
	compare_runtimes
}

# --- pods, hooks --------------------------------------------------------------------------------------------------------

@test "pod: shared network, IPC and host name" {
	scenario()
	{
		local namespace
		pod pod create --name "$C-pod" --hostname podded --infra-image bb --infra-name "$C-infra" \
			--infra-command 'sleep 1000' >/dev/null
		pod_idle --pod "$C-pod"
		prints podded pod run --rm --pod "$C-pod" bb hostname
		for namespace in ipc net uts; do
			prints "$(readlink "/proc/$(pod_pid)/ns/$namespace")" pod run --rm --pod "$C-pod" bb \
				readlink "/proc/self/ns/$namespace"
		done
		pod pod pause "$C-pod"
		prints paused inspect .State.Status
		pod pod unpause "$C-pod"
		pod pod stop -t 1 "$C-pod"
		prints exited inspect .State.Status
		pod pod rm -f -t 0 "$C-pod"
	}
	compare_runtimes
}

@test "OCI hooks" {
	scenario()
	{
		local stage
		mkdir -p hooks
		for stage in prestart createRuntime poststart poststop; do
			cat >"hooks/$stage" <<-HOOK
				#!/bin/sh
				jq -r .status >$T/$RUNTIME.$stage
			HOOK
			chmod +x "hooks/$stage"
			jq -n --arg path "$T/hooks/$stage" --arg stage "$stage" \
				'{ version: "1.0.0", hook: { path: $path }, when: { always: true }, stages: [ $stage ] }' \
				>"hooks/$stage.json"
		done
		pod --hooks-dir "$T/hooks" run --cgroup-parent "$(client_cgroup pod)" --name "$C" bb true
		pod rm -f "$C"
		grep -qE 'creat(ing|ed)' "$RUNTIME.prestart"
		grep -qE 'creat(ing|ed)' "$RUNTIME.createRuntime"
		# True may have ended by then.
		grep -qE 'running|stopped' "$RUNTIME.poststart"
		eventually file_is "$RUNTIME.poststop" stopped
	}
	compare_runtimes
}
