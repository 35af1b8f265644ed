#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# The Docker engine, with runc and with floe-runtime by --add-runtime. The daemon is this file's own: data, sockets and
# cgroups of its own, no bridge, no firewall rules.

# shellcheck disable=SC2317 # scenario() is called by compare_runtimes
# shellcheck disable=SC2016 # what is in single quotes is for the shell of the container
# shellcheck disable=SC2153 # $RUNTIME is no misspelling

RUNTIMES=(runc floe-runtime)
load ../lib/clients

setup_file()
{
	local runtime

	need dockerd containerd docker runc
	clients_begin hide-unified
	setup
	start_dockerd
	tar -C "$ROOTFS" -c . | dk import - bb >/dev/null
	for runtime in "${RUNTIMES[@]}"; do
		RUNTIME=$runtime dk run --rm bb true
	done
}

start_dockerd()
{
	local i
	export DOCKER_HOST=unix://$CLIENT/docker.sock DOCKER_CONFIG=$CLIENT/cli
	# It gives its containerd 15 seconds to start, and ends when that takes longer.
	for ((i = 0; i < 5; i++)); do
		launch_dockerd
		eventually dockerd_is_decided "$!" || break
		! dk version >/dev/null 2>&1 || return 0
	done
	cat "$CLIENT/log"
	return 1
}

launch_dockerd()
{
	rm -f "$CLIENT/dockerd.pid"
	dockerd --data-root "$CLIENT/data" --exec-root "$CLIENT/exec" -H "$DOCKER_HOST" --pidfile "$CLIENT/dockerd.pid" \
		--iptables=false --ip6tables=false --bridge=none --storage-driver vfs --experimental \
		--cgroup-parent "$(client_cgroup docker)" --exec-opt "native.cgroupdriver=$(client_manager)" \
		--add-runtime "floe-runtime=$FLOE_RUNTIME" >"$CLIENT/log" 2>&1 </dev/null 3>&- 4>&- &
}

# dockerd_is_decided PID: it answers, or has ended.
dockerd_is_decided()
{
	dk version >/dev/null 2>&1 || process_is_gone "$1"
}

teardown_file()
{
	local pid
	pid=$(cat "$BATS_FILE_TMPDIR/client/dockerd.pid" 2>/dev/null) || :
	if [ "$pid" ]; then
		kill "$pid"
		eventually process_is_gone "$pid" || kill -KILL "$pid"
	fi
	clients_end docker
}

# docker, with the runtime where a container is made. (Debian's program, should there be another one.)
dk()
{
	local arguments=("$@")
	case $1 in
	run | create) arguments=("$1" --runtime "$RUNTIME" --network none "${@:2}") ;;
	esac
	timeout --kill-after=5 $CLIENT_SECONDS "$(dk_program)" "${arguments[@]}" 3>&- 4>&-
}

dk_program()
{
	PATH=/usr/bin:$PATH command -v docker
}

client_clean_up()
{
	local ids
	ids=$(dk ps -aq)
	# shellcheck disable=SC2086 # a list
	[ -z "$ids" ] || dk rm -f -v $ids >/dev/null
	ids=$(dk volume ls -q)
	# shellcheck disable=SC2086 # a list
	[ -z "$ids" ] || dk volume rm -f $ids >/dev/null
}

inspect()
{
	dk inspect --format "{{$1}}" "${2:-$C}"
}

dk_pid()
{
	inspect .State.Pid "${1:-$C}"
}

dk_idle()
{
	dk run -d --name "$C" "$@" bb sh -c 'trap "exit 0" TERM; while :; do sleep 0.1; done' >/dev/null
}

dk_ticking()
{
	dk run -d --name "$C" "$@" bb sh -c 'i=0; while :; do i=$((i + 1)); echo "tick $i"; sleep 0.1; done' >/dev/null
}

last_tick()
{
	local line
	line=$(dk logs --tail 1 "${1:-$C}" 2>/dev/null | tr -dc 0-9)
	echo "${line:-0}"
}

ticks_after()
{
	[ "$(last_tick)" -gt "$1" ]
}

# --- run ----------------------------------------------------------------------------------------------------------------

@test "run: output and exit codes" {
	scenario()
	{
		prints hello dk run --rm bb echo hello
		exits 3 dk run --rm bb sh -c 'exit 3'
		exits 137 dk run --rm --pid host bb sh -c 'kill -9 $$'
		exits 126 dk run --rm bb /etc/passwd
		exits 126 dk run --rm bb /etc
		exits 127 dk run --rm bb no-such-command
		contains "$output" no-such-command "executable file not found"
		exits 127 dk run --rm bb /no/such/command
	}
	compare_runtimes
}

@test "run: user, directory, environment, host name, input" {
	scenario()
	{
		prints "1000:2000 /tmp value named" dk run --rm --user 1000:2000 --workdir /tmp --env VAR=value --hostname named bb \
			sh -c 'echo $(id -u):$(id -g) $(pwd) $VAR $(hostname)'
		output=$(echo data | dk run --rm -i bb cat)
		[ "$output" = data ]
	}
	compare_runtimes
}

@test "run -t, -it: a terminal of the user's size" {
	scenario()
	{
		prints /dev/pts/0 dk run --rm -t bb tty
		says "33 77" timeout --foreground $CLIENT_SECONDS script -qefc "stty rows 33 cols 77
			exec $(dk_program) run --runtime $RUNTIME --network none --rm -it bb \
			sh -c 'until stty size | grep 33.77; do sleep 0.1; done; sleep 1'" /dev/null
	}
	compare_runtimes
}

@test "run -d, logs, wait, inspect" {
	scenario()
	{
		dk run -d --name "$C" bb sh -c 'echo out; echo err >&2; exit 4'
		prints 4 dk wait "$C"
		[ "$(dk logs "$C" 2>/dev/null)" = out ]
		[ "$(dk logs "$C" 2>&1 >/dev/null)" = err ]
		prints "exited 4 $RUNTIME" inspect '.State.Status}} {{.State.ExitCode}} {{.HostConfig.Runtime'
	}
	compare_runtimes
}

@test "create, start -a, attach" {
	scenario()
	{
		dk create --name "$C" bb sh -c 'echo first; exit 9' >/dev/null
		exits 9 dk start -a "$C"
		[ "$output" = first ]
		dk run -d -i --name "$C-2" bb sh -c 'read -r line; echo "got $line"; exit 6' >/dev/null
		echo words | dk attach "$C-2" || [ $? -eq 6 ]
		prints 6 dk wait "$C-2"
		prints "got words" dk logs "$C-2"
	}
	compare_runtimes
}

# --- life cycle ---------------------------------------------------------------------------------------------------------

@test "stop: TERM, then KILL" {
	scenario()
	{
		dk_idle
		eventually traps TERM "$(dk_pid)"
		dk stop -t 10 "$C"
		prints 0 inspect .State.ExitCode
		dk run -d --name "$C-2" bb sh -c 'trap "" TERM; while :; do sleep 0.1; done' >/dev/null
		sleep 0.3
		dk stop -t 1 "$C-2"
		prints 137 inspect .State.ExitCode "$C-2"
	}
	compare_runtimes
}

@test "kill, pause, unpause, restart, rm -f" {
	scenario()
	{
		local before
		dk_ticking
		eventually ticks_after 1
		dk pause "$C"
		prints paused inspect .State.Status
		eventually stands_still last_tick
		before=$(last_tick)
		dk unpause "$C"
		eventually ticks_after "$before"
		before=$(dk_pid)
		dk restart -t 0 "$C"
		prints running inspect .State.Status
		[ "$(dk_pid)" != "$before" ]
		dk kill -s KILL "$C"
		prints 137 dk wait "$C"
		dk start "$C"
		dk rm -f "$C"
		exits 1 dk inspect "$C"
	}
	compare_runtimes
}

@test "restart policy, --rm, --init" {
	scenario()
	{
		dk run -d --name "$C" --restart on-failure:2 bb sh -c 'exit 1' >/dev/null
		twice_restarted()
		{
			[ "$(inspect '.RestartCount}} {{.State.Status')" = "2 exited" ]
		}
		eventually twice_restarted
		says init dk run --rm --init bb cat /proc/1/cmdline
	}
	compare_runtimes
}

@test "exec: exit codes, user, environment, input, terminal, detached" {
	scenario()
	{
		dk_idle
		prints inside dk exec "$C" echo inside
		exits 7 dk exec "$C" sh -c 'exit 7'
		exits 126 dk exec "$C" /etc/passwd
		exits 127 dk exec "$C" no-such-command || exits 126 dk exec "$C" no-such-command
		prints "1000 value /tmp" dk exec --user 1000 --env VAR=value --workdir /tmp "$C" sh -c 'echo $(id -u) $VAR $(pwd)'
		[ "$(echo data | dk exec -i "$C" cat)" = data ]
		says /dev/pts/ dk exec -t "$C" tty
		dk exec -d "$C" touch /made
		eventually dk exec "$C" test -e /made
	}
	compare_runtimes
}

@test "top, stats, cp, diff" {
	scenario()
	{
		dk_idle -m 64m
		says trap dk top "$C"
		says 64MiB dk stats --no-stream "$C"
		echo in >in
		dk cp in "$C:/in"
		prints in dk exec "$C" cat /in
		says "A /in" dk diff "$C"
	}
	compare_runtimes
}

# --- options ------------------------------------------------------------------------------------------------------------

@test "limits: memory, CPUs, processes; update" {
	scenario()
	{
		dk_idle -m 64m --cpus 0.5 --cpuset-cpus 0 --pids-limit 33 --cpu-shares 300
		[ "$(cgroup_file "$(dk_pid)" pids.max)" = 33 ]
		[ "$(cgroup_file "$(dk_pid)" cpuset.cpus)" = 0 ]
		if ! is_cgroup_v2; then
			[ "$(cgroup_file "$(dk_pid)" memory.limit_in_bytes)" = 67108864 ]
			[ "$(cgroup_file "$(dk_pid)" cpu.shares)" = 300 ]
			[ "$(cgroup_file "$(dk_pid)" cpu.cfs_quota_us)" = 50000 ]
		fi
		dk update -m 96m --memory-swap 96m --pids-limit 44 --cpu-shares 400 "$C"
		[ "$(cgroup_file "$(dk_pid)" pids.max)" = 44 ]
		if ! is_cgroup_v2; then
			[ "$(cgroup_file "$(dk_pid)" memory.limit_in_bytes)" = 100663296 ]
			[ "$(cgroup_file "$(dk_pid)" cpu.shares)" = 400 ]
		fi
		exits 137 dk run -m 20m --memory-swap 20m bb sh -c 'x=1234567890; while :; do x=$x$x; done'
	}
	compare_runtimes
}

@test "volumes, tmpfs, read-only root" {
	scenario()
	{
		mkdir shared
		echo here >shared/file
		prints "here named" dk run --rm --read-only -v "$T/shared:/data:ro" -v "$C-v:/named" --tmpfs /scratch bb \
			sh -c 'touch /scratch/x && ! touch /x 2>/dev/null && ! touch /data/x 2>/dev/null && echo named >/named/f &&
				echo $(cat /data/file /named/f)'
		prints named dk run --rm -v "$C-v:/named" bb cat /named/f
		dk volume rm "$C-v" >/dev/null
	}
	compare_runtimes
}

@test "rights: capabilities, no-new-privileges, seccomp, privileged, devices" {
	scenario()
	{
		status_of()
		{
			dk run --rm "$@" bb cat /proc/self/status
		}
		says $'CapEff:\t0000000000001000' status_of --cap-drop ALL --cap-add NET_ADMIN
		says $'NoNewPrivs:\t1' status_of --security-opt no-new-privileges
		says $'Seccomp:\t2' status_of
		says $'Seccomp:\t0' status_of --security-opt seccomp=unconfined
		says $'Seccomp:\t0' status_of --privileged
		prints 1:5 dk run --rm --device /dev/zero:/dev/mine bb stat -c %t:%T /dev/mine
		prints 0 dk run --rm bb sh -c 'wc -c </proc/timer_list'
	}
	compare_runtimes
}

@test "namespaces of the host and of containers, sysctl, ulimit" {
	scenario()
	{
		prints "$(readlink /proc/self/ns/pid)" dk run --rm --pid host bb readlink /proc/self/ns/pid
		prints "$(readlink /proc/self/ns/uts)" dk run --rm --uts host bb readlink /proc/self/ns/uts
		dk_idle --ipc shareable
		prints "$(readlink "/proc/$(dk_pid)/ns/pid")" dk run --rm --pid "container:$C" bb readlink /proc/self/ns/pid
		prints "$(readlink "/proc/$(dk_pid)/ns/ipc")" dk run --rm --ipc "container:$C" bb readlink /proc/self/ns/ipc
		prints "4242 99" dk run --rm --sysctl net.core.somaxconn=4242 --ulimit nofile=99 bb \
			sh -c 'echo $(cat /proc/sys/net/core/somaxconn) $(ulimit -n)'
	}
	compare_runtimes
}

# --- checkpoint ---------------------------------------------------------------------------------------------------------

@test "checkpoint create, start --checkpoint" {
	scenario()
	{
		local before
		dk_ticking
		eventually ticks_after 2
		dk checkpoint create "$C" one
		eventually has_exited
		before=$(last_tick)
		says one dk checkpoint ls "$C"
		dk_start_checkpoint one
		prints running inspect .State.Status
		eventually ticks_after "$before"
		dk exec "$C" true
		dk logs "$C" | sed -n 's/^tick //p' | awk '$1 != NR { exit 1 }'
		dk stop -t 0 "$C"
	}
	compare_runtimes
}

# dk_start_checkpoint NAME: containerd has the same content from the dump until it collects its garbage, and docker's upload for
# the start fails up to then, with any runtime.
dk_start_checkpoint()
{
	local name=$1 i
	for ((i = 0; i < 20 * PATIENCE; i++)); do
		if dk start --checkpoint "$name" "$C" >"$T/start" 2>&1; then
			return 0
		fi
		grep -q 'content sha256:.*already exists' "$T/start" || break
		sleep 0.5
	done
	cat "$T/start"
	return 1
}

has_exited()
{
	[ "$(inspect .State.Status)" = exited ]
}

@test "checkpoint create --leave-running" {
	scenario()
	{
		dk_ticking
		eventually ticks_after 1
		dk checkpoint create --leave-running "$C" one
		prints running inspect .State.Status
		eventually ticks_after "$(last_tick)"
		dk checkpoint rm "$C" one
	}
	compare_runtimes
}
