#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# containerd, by ctr and its shim, with runc and with floe-runtime as --runc-binary. The daemon is this file's own.

# shellcheck disable=SC2317 # scenario() is called by compare_runtimes
# shellcheck disable=SC2016 # what is in single quotes is for the shell of the container
# shellcheck disable=SC2153 # $RUNTIME is no misspelling

RUNTIMES=(runc floe-runtime)
load ../lib/clients

setup_file()
{
	need containerd ctr runc
	clients_begin
	setup
	export SOCKET=$CLIENT/containerd.sock
	start_containerd
	import_image
	for RUNTIME in "${RUNTIMES[@]}"; do
		C=warm-up-$RUNTIME
		ct_run --rm "$IMAGE" "$C" true
	done
}

start_containerd()
{
	cat >"$CLIENT/config.toml" <<-CONFIG
		version = 2
		root = "$CLIENT/root"
		state = "$CLIENT/state"
		disabled_plugins = [
		  "io.containerd.grpc.v1.cri", "io.containerd.internal.v1.opt", "io.containerd.snapshotter.v1.aufs",
		  "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs",
		]
		[grpc]
		address = "$SOCKET"
		[ttrpc]
		address = "$SOCKET.ttrpc"
	CONFIG
	containerd --config "$CLIENT/config.toml" >"$CLIENT/log" 2>&1 </dev/null 3>&- 4>&- &
	echo $! >"$CLIENT/pid"
	if ! eventually ct version >/dev/null 2>&1; then
		cat "$CLIENT/log"
		return 1
	fi
}

# The busybox rootfs as an archive of the form that `docker save` writes.
IMAGE=docker.io/library/bb:latest
import_image()
{
	local dir=$CLIENT/image digest
	mkdir -p "$dir"
	tar -C "$ROOTFS" -c . >"$dir/layer.tar"
	digest=$(sha256sum "$dir/layer.tar" | cut -d ' ' -f 1)
	jq -n --arg digest "sha256:$digest" '{ architecture: "amd64", os: "linux", rootfs: { type: "layers", diff_ids: [ $digest ] },
		config: { Cmd: [ "sh" ], Env: [ "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" ] } }' \
		>"$dir/config.json"
	if [ "$(uname -m)" = aarch64 ]; then
		sed -i s/amd64/arm64/ "$dir/config.json"
	fi
	jq -n '[{ Config: "config.json", RepoTags: [ "bb:latest" ], Layers: [ "layer.tar" ] }]' >"$dir/manifest.json"
	tar -C "$dir" -c manifest.json config.json layer.tar | ct images import --snapshotter native - >/dev/null
}

teardown_file()
{
	local pid
	pid=$(cat "$BATS_FILE_TMPDIR/client/pid" 2>/dev/null) || :
	if [ "$pid" ]; then
		kill "$pid"
		eventually process_is_gone "$pid" || kill -KILL "$pid"
	fi
	clients_end containerd
}

# The containerd namespace is a part of the cgroups' paths.
ct()
{
	timeout --kill-after=5 $CLIENT_SECONDS ctr --address "$SOCKET" --namespace "ft$FLOE_TEST_RUN-ctr" "$@" 3>&- 4>&-
}

ct_run()
{
	local runtime=$FLOE_RUNTIME cgroup=()
	[ "$RUNTIME" = floe-runtime ] || runtime=$(command -v "$RUNTIME")
	# ctr wants to be told its name, too.
	! is_systemd_driver || cgroup=(--runc-systemd-cgroup --cgroup "machine.slice:floe:ft$FLOE_TEST_RUN-ctr-$RANDOM$RANDOM")
	ct run --runc-binary "$runtime" --snapshotter native "${cgroup[@]}" "$@"
}

# The output goes to $C.out, by the FIFOs of a ctr that stays.
ct_detached()
{
	ct_run "${@:1:$#-1}" "$IMAGE" "$C" sh -c "${!#}" >"$C.out" 2>&1 </dev/null &
	eventually is_status RUNNING
}

ct_ticking()
{
	ct_detached "$@" 'i=0; while :; do i=$((i + 1)); echo "tick $i"; sleep 0.1; done'
}

ct_idle()
{
	ct_run --detach --null-io "$@" "$IMAGE" "$C" sh -c 'trap "exit 0" TERM; while :; do sleep 0.1; done'
}

is_status()
{
	[ "$(ct task ls | awk -v id="${2:-$C}" '$1 == id { print $3 }')" = "$1" ]
}

ct_pid()
{
	ct task ls | awk -v id="${1:-$C}" '$1 == id { print $2 }'
}

last_tick()
{
	tail -n 1 "$C.out" | tr -dc 0-9
}

ticks_after()
{
	local now
	now=$(last_tick)
	[ "${now:-0}" -gt "$1" ]
}

client_clean_up()
{
	local id
	for id in $(ct task ls -q); do
		ct task kill -s KILL -a "$id" 2>/dev/null || :
		eventually is_not_running "$id"
		ct task rm -f "$id" >/dev/null 2>&1 || :
	done
	for id in $(ct containers ls -q); do
		ct containers rm "$id"
	done
	# ctr leaves those of a detached exec.
	rm -rf /run/containerd/fifo/*
}

is_not_running()
{
	[[ $(ct task ls | awk -v id="$1" '$1 == id { print $3 }') =~ ^(STOPPED)?$ ]]
}

# --- run ----------------------------------------------------------------------------------------------------------------

@test "run: output and exit code" {
	scenario()
	{
		prints hello ct_run --rm "$IMAGE" "$C" echo hello
		exits 3 ct_run --rm "$IMAGE" "$C" sh -c 'exit 3'
		prints "/tmp value" ct_run --rm --cwd /tmp --env VAR=value "$IMAGE" "$C" sh -c 'echo $(pwd) $VAR'
	}
	compare_runtimes
}

@test "run: the runtime's error message arrives" {
	scenario()
	{
		exits 1 ct_run --rm "$IMAGE" "$C" no-such-command
		contains "$output" 'exec: "no-such-command": executable file not found in $PATH'
		exits 1 ct_run --rm "$IMAGE" "$C-2" /etc/passwd
		contains "$output" "permission denied"
		exits 1 ct_run --rm --cwd /etc/passwd "$IMAGE" "$C-3" true
		contains "$output" "not a directory"
	}
	compare_runtimes
}

@test "run --rootfs: a directory" {
	scenario()
	{
		cp -a "$ROOTFS" rootfs
		prints here ct_run --rm --env PATH=/bin --rootfs "$T/rootfs" "$C" sh -c 'echo here >/file; cat /file'
		file_is rootfs/file here
	}
	compare_runtimes
}

@test "run --tty" {
	scenario()
	{
		local command
		command=$(printf '%q ' "$(command -v ctr)" --address "$SOCKET" --namespace "ft$FLOE_TEST_RUN-ctr" run --rm --tty \
			--runc-binary "$([ "$RUNTIME" = runc ] && command -v runc || echo "$FLOE_RUNTIME")" --snapshotter native "$IMAGE" "$C")
		says "/dev/pts/0" timeout --foreground $CLIENT_SECONDS script -qefc "$command tty" /dev/null
		says "33 77" timeout --foreground $CLIENT_SECONDS script -qefc "stty rows 33 cols 77
			$command sh -c 'until stty size | grep 33.77; do sleep 0.1; done; sleep 1'" /dev/null
	}
	compare_runtimes
}

@test "run: mounts, read-only, capabilities, seccomp, limits, no pivot" {
	scenario()
	{
		mkdir shared
		echo here >shared/file
		prints here ct_run --rm --read-only --mount "type=bind,src=$T/shared,dst=/data,options=rbind:ro" "$IMAGE" "$C" \
			cat /data/file
		exits 1 ct_run --rm --read-only "$IMAGE" "$C" touch /x
		never_says $'CapEff:\t0000000000001000' ct_run --rm "$IMAGE" "$C" cat /proc/self/status
		says 1 ct_run --rm --cap-add CAP_NET_ADMIN "$IMAGE" "$C" sh -c 'echo $((0x$(sed -n "s/CapEff:.//p" /proc/self/status) >> 12 & 1))'
		says $'Seccomp:\t2' ct_run --rm --seccomp "$IMAGE" "$C" cat /proc/self/status
		prints ok ct_run --rm --no-pivot "$IMAGE" "$C" echo ok
		ct_idle --memory-limit 67108864 --cpus 0.5
		if ! is_cgroup_v2; then
			[ "$(cgroup_file "$(ct_pid)" memory.limit_in_bytes)" = 67108864 ]
			[ "$(cgroup_file "$(ct_pid)" cpu.cfs_quota_us)" = 50000 ]
		fi
	}
	compare_runtimes
}

# --- tasks --------------------------------------------------------------------------------------------------------------

@test "task exec: output, exit code, terminal, detached, an error" {
	scenario()
	{
		ct_idle
		prints inside ct task exec --exec-id one "$C" echo inside
		exits 7 ct task exec --exec-id two "$C" sh -c 'exit 7'
		says /dev/pts/ timeout --foreground $CLIENT_SECONDS script -qefc \
			"ctr --address $SOCKET --namespace ft$FLOE_TEST_RUN-ctr task exec --tty --exec-id three $C tty" /dev/null
		exits 1 ct task exec --exec-id four "$C" no-such-command
		contains "$output" "executable file not found"
		ct task exec --detach --exec-id five "$C" touch /made
		eventually ct task exec --exec-id six "$C" test -e /made
		ct task delete --exec-id five "$C"
	}
	compare_runtimes
}

@test "task pause, resume, ps, metrics, kill, delete" {
	scenario()
	{
		local before
		ct_ticking --memory-limit 67108864
		ct task pause "$C"
		is_status PAUSED
		eventually stands_still last_tick
		before=$(last_tick)
		ct task resume "$C"
		is_status RUNNING
		eventually ticks_after "$before"
		says "$(ct_pid)" ct task ps "$C"
		says memory ct task metrics "$C"
		ct task metrics --format json "$C" | grep -q '"pids"'
		ct task kill -s KILL "$C"
		eventually is_not_running "$C"
		ct task delete "$C" || :
		says "" ct containers info "$C"
	}
	compare_runtimes
}

@test "task kill: TERM, and all processes" {
	scenario()
	{
		ct_idle
		eventually traps TERM "$(ct_pid)"
		ct task kill "$C"
		eventually is_status STOPPED
		exits 0 ct task delete "$C"
		C=$C-2 ct_idle
		ct task exec --detach --exec-id other "$C-2" sleep 1000
		ct task kill -a -s KILL "$C-2"
		eventually is_status STOPPED "$C-2"
		ct task delete --exec-id other "$C-2" || :
		says "code 137" ct task delete "$C-2"
	}
	compare_runtimes
}

@test "an event of being out of memory" {
	scenario()
	{
		timeout $CLIENT_SECONDS ctr --address "$SOCKET" events >events 2>&1 3>&- 4>&- &
		listener=$!
		# It does not say when it has begun to listen.
		until grep -q /tasks/exit events; do
			exits 137 ct_run --rm --memory-limit 20971520 "$IMAGE" "$C" sh -c 'x=1234567890; while :; do x=$x$x; done'
		done
		kill "$listener"
		wait "$listener" || :
		grep -q /tasks/oom events
	}
	compare_runtimes
}

# --- checkpoint ---------------------------------------------------------------------------------------------------------

@test "task checkpoint: into a directory, running on and with --exit" {
	scenario()
	{
		ct_ticking
		eventually ticks_after 1
		ct task checkpoint --image-path "$T/image" --work-path "$T/work" "$C"
		[ -e image/inventory.img ]
		[ -e work/dump.log ]
		is_status RUNNING
		eventually ticks_after "$(last_tick)"
		ct task checkpoint --exit --image-path "$T/image-2" --work-path "$T/work" "$C"
		eventually is_not_running "$C"
	}
	compare_runtimes
}

@test "checkpoint as an image, restore from it" {
	scenario()
	{
		ct_idle
		ct containers checkpoint --task --rw --image "$C" "checkpoint-$RUNTIME"
		ct task kill -s KILL "$C"
		eventually is_status STOPPED
		ct task delete "$C" || :
		ct containers rm "$C"
		ct containers restore --live --rw "$C" "checkpoint-$RUNTIME" </dev/null >restore.out 2>&1 &
		eventually is_status RUNNING
		prints inside ct task exec --exec-id one "$C" echo inside
		ct task kill "$C"
		eventually is_not_running "$C"
	}
	compare_runtimes
}
