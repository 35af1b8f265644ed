#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# podman container checkpoint and restore. Debian's crun is built without CRIU, which podman finds out by its `checkpoint
# --help`; runc is the one to compare with.

# shellcheck disable=SC2317 # scenario() is called by compare_runtimes
# shellcheck disable=SC2016 # what is in single quotes is for the shell of the container
# shellcheck disable=SC2153 # $RUNTIME is no misspelling

RUNTIMES=(crun runc floe-runtime)
load ../lib/podman

setup_file()
{
	podman_setup_file
	# netavark and podman keep files of the first network that is used.
	RUNTIME=floe-runtime pod run --rm --network podman bb true || :
	if ! crun checkpoint --help >/dev/null 2>&1; then
		cannot crun "this crun is built without CRIU ('configured runtime does not support checkpoint/restore')"
	fi
}

freeze()
{
	pod container checkpoint "$@" >/dev/null
}

thaw()
{
	pod container restore "$@" >/dev/null
}

# Every number once, in order, over all cycles.
ticks_are_continuous()
{
	pod logs "${1:-$C}" | sed -n 's/^tick //p' |
		awk '$1 != NR { print "tick " $1 " at place " NR; bad = 1 } END { exit bad || NR == 0 }'
}

counts_on()
{
	eventually pod_ticks_after "$(pod_last_tick "${1:-$C}")" "${1:-$C}"
}

# --- in place -----------------------------------------------------------------------------------------------------------

@test "checkpoint, restore: counts on where it was" {
	scenario()
	{
		local before
		pod_ticking
		counts_on
		freeze "$C"
		prints exited inspect .State.Status
		prints true inspect .State.Checkpointed
		before=$(pod_last_tick)
		thaw "$C"
		prints running inspect .State.Status
		eventually pod_ticks_after "$before"
		ticks_are_continuous
	}
	compare_runtimes
}

@test "restored: exec, top, logs, pause, limits, stop by its own handler" {
	scenario()
	{
		pod_idle -m 64m --hostname named
		freeze "$C"
		thaw "$C"
		prints named pod exec "$C" hostname
		exits 7 pod exec "$C" sh -c 'exit 7'
		says trap pod top "$C" args
		is_cgroup_v2 || [ "$(cgroup_file "$(pod_pid)" memory.limit_in_bytes)" = 67108864 ]
		pod pause "$C"
		pod unpause "$C"
		pod stop -t 10 "$C"
		prints 0 inspect .State.ExitCode
		# The handler of TERM, which says 0.
		pod start "$C"
		prints running inspect .State.Status
	}
	compare_runtimes
}

@test "restored: the exit code, also after a copy was made" {
	scenario()
	{
		pod run -d --name "$C" bb sh -c 'while [ ! -e /go ]; do sleep 0.1; done; exit 9'
		freeze --leave-running "$C"
		freeze "$C"
		thaw "$C"
		pod exec "$C" touch /go
		prints 9 pod wait "$C"
	}
	compare_runtimes
}

@test "five cycles" {
	scenario()
	{
		local i
		pod_ticking
		for i in 1 2 3 4 5; do
			counts_on
			freeze "$C"
			thaw "$C"
		done
		counts_on
		ticks_are_continuous
	}
	compare_runtimes
}

@test "--leave-running" {
	scenario()
	{
		pod_ticking
		counts_on
		freeze --leave-running "$C"
		prints running inspect .State.Status
		counts_on
		ticks_are_continuous
	}
	compare_runtimes
}

@test "--keep: the image and the logs of CRIU stay" {
	scenario()
	{
		local image
		pod_idle
		freeze --keep "$C"
		image=$(inspect .State.CheckpointPath)
		[ -e "$image/inventory.img" ]
		[ -s "$(inspect .State.CheckpointLog)" ]
		thaw --keep "$C"
		[ -e "$image/inventory.img" ]
		[ -s "$(inspect .State.RestoreLog)" ]
		freeze "$C"
		thaw "$C"
		[ ! -e "$image/inventory.img" ]
	}
	compare_runtimes
}

@test "--print-stats" {
	scenario()
	{
		pod_idle
		pod container checkpoint --print-stats "$C" | jq -e '.container_statistics[0].runtime_checkpoint_duration > 0
			and .container_statistics[0].criu_statistics.pages_written > 0'
		pod container restore --print-stats "$C" | jq -e '.container_statistics[0].criu_statistics.pages_restored > 0'
	}
	compare_runtimes
}

@test "--all: two at once" {
	scenario()
	{
		pod_idle
		C=$C-2 pod_idle
		freeze --all
		prints exited inspect .State.Status
		thaw --all
		prints running inspect .State.Status
		prints running inspect .State.Status "$C-2"
	}
	compare_runtimes
}

@test "what it has: children, pipes, tmpfs, /dev/shm, read-only root" {
	scenario()
	{
		pod run -d --name "$C" --read-only --tmpfs /scratch bb sh -c '
			echo kept >/scratch/f; echo kept >/dev/shm/f; echo kept >/tmp/f
			(while :; do echo x; sleep 0.1; done) | while read -r x; do i=$((i + 1)); echo "tick $i"; done' >/dev/null
		counts_on
		freeze "$C"
		thaw "$C"
		counts_on
		prints "kept kept kept" pod exec "$C" sh -c 'echo $(cat /scratch/f /dev/shm/f /tmp/f)'
		ticks_are_continuous
	}
	compare_runtimes
}

@test "a terminal" {
	scenario()
	{
		pod run -dt --name "$C" bb sh -c 'tty; i=0; while :; do i=$((i + 1)); echo "tick $i"; sleep 0.1; done' >/dev/null
		counts_on
		freeze "$C"
		thaw "$C"
		counts_on
		says /dev/pts/0 pod exec "$C" readlink /proc/1/fd/0
	}
	compare_runtimes
}

@test "input that is kept open" {
	scenario()
	{
		pod run -d -i --name "$C" bb sh -c 'while read -r line; do echo "got $line"; done'
		freeze "$C"
		thaw "$C"
		prints running inspect .State.Status
		echo words | timeout $CLIENT_SECONDS "${PODMAN[@]}" attach "$C" >out 3>&- 4>&- &
		eventually says "got words" pod logs "$C"
		kill $! 2>/dev/null || :
		wait $! || :
	}
	compare_runtimes
}

@test "a user namespace" {
	scenario()
	{
		# With fewer ids CRIU could not restore it where cgroups are of version 2 (docs/checkpoint.md).
		pod_ticking --uidmap 0:100000:65536
		counts_on
		freeze "$C"
		thaw "$C"
		counts_on
		[ "$(proc_status "$(pod_pid)" Uid | cut -f 1)" = 100000 ]
	}
	compare_runtimes
}

@test "--init" {
	[ -x /usr/bin/docker-init ] || skip "no docker-init (docker.io)"
	scenario()
	{
		pod_ticking --init
		counts_on
		freeze "$C"
		thaw "$C"
		counts_on
		says init pod exec "$C" cat /proc/1/cmdline
	}
	compare_runtimes
}

# --- connections and locks ----------------------------------------------------------------------------------------------

@test "--tcp-established: a connection on the host's network" {
	scenario()
	{
		local line
		pod run -d --name "$C" --network host bb nc -l -p 7001 -e cat >/dev/null
		eventually connects 127.0.0.1 7001
		echo one >&"$CONNECTION"
		read -r -t 10 line <&"$CONNECTION"
		[ "$line" = one ]
		freeze --tcp-established "$C"
		thaw --tcp-established "$C"
		echo two >&"$CONNECTION"
		read -r -t 10 line <&"$CONNECTION"
		[ "$line" = two ]
	}
	compare_runtimes
}

@test "--tcp-established: a connection over a bridge" {
	scenario()
	{
		local line
		pod run -d --name "$C" --network podman bb nc -l -p 7002 -e cat >/dev/null
		eventually connects "$(inspect .NetworkSettings.IPAddress)" 7002
		echo one >&"$CONNECTION"
		read -r -t 10 line <&"$CONNECTION"
		freeze --tcp-established "$C"
		thaw --tcp-established "$C"
		echo two >&"$CONNECTION"
		read -r -t 10 line <&"$CONNECTION"
		[ "$line" = two ]
	}
	compare_runtimes
}

connects()
{
	{ exec {CONNECTION}<>"/dev/tcp/$1/$2"; } 2>/dev/null
}

@test "without --tcp-established a connection is refused, and it runs on" {
	scenario()
	{
		local line
		pod run -d --name "$C" --network host bb nc -l -p 7003 -e cat >/dev/null
		eventually connects 127.0.0.1 7003
		exits 125 pod container checkpoint "$C"
		prints running inspect .State.Status
		echo one >&"$CONNECTION"
		read -r -t 10 line <&"$CONNECTION"
		[ "$line" = one ]
		freeze --tcp-established --leave-running "$C"
	}
	compare_runtimes
}

# --- archives -----------------------------------------------------------------------------------------------------------

@test "--export, --import: the container is gone in between" {
	scenario()
	{
		local before
		pod_ticking
		pod exec "$C" sh -c 'echo changed >/file; rm /etc/passwd'
		counts_on
		before=$(pod_last_tick)
		freeze --export archive.tar.zst "$C"
		pod rm -f "$C" >/dev/null
		thaw --import archive.tar.zst
		prints running inspect .State.Status
		prints changed pod exec "$C" cat /file
		exits 1 pod exec "$C" test -e /etc/passwd
		eventually pod_ticks_after "$before"
	}
	compare_runtimes
}

@test "--import --name: copies, while the original runs" {
	scenario()
	{
		local copy
		pod_ticking
		counts_on
		freeze --export archive.tar.gz --compress gzip --leave-running "$C"
		for copy in 1 2; do
			thaw --import archive.tar.gz --name "$C-copy$copy"
			counts_on "$C-copy$copy"
		done
		counts_on
	}
	compare_runtimes
}

@test "--export --ignore-rootfs, --compress none" {
	scenario()
	{
		pod_idle
		pod exec "$C" sh -c 'echo changed >/file'
		freeze --export archive.tar --compress none --ignore-rootfs "$C"
		pod rm -f "$C" >/dev/null
		thaw --import archive.tar
		exits 1 pod exec "$C" test -e /file
	}
	compare_runtimes
}

@test "volumes: a named one travels, a bind stays" {
	scenario()
	{
		mkdir bound
		echo bound >bound/file
		pod_idle -v "$C-v:/named" -v "$PWD/bound:/bound:ro"
		pod exec "$C" sh -c 'echo named >/named/file'
		freeze --export archive.tar.zst "$C"
		pod rm -f "$C" >/dev/null
		pod volume rm "$C-v" >/dev/null
		thaw --import archive.tar.zst
		prints "named bound" pod exec "$C" sh -c 'echo $(cat /named/file /bound/file)'
	}
	compare_runtimes
}

@test "--create-image: a checkpoint as an image" {
	scenario()
	{
		pod_ticking
		counts_on
		freeze --create-image "checkpoint-$RUNTIME" "$C"
		pod rm -f "$C" >/dev/null
		thaw --name "$C-new" "checkpoint-$RUNTIME"
		counts_on "$C-new"
		pod rm -f -t 0 "$C-new" >/dev/null
		pod rmi -f "checkpoint-$RUNTIME" >/dev/null
	}
	compare_runtimes
}

@test "--import --pod: into a pod" {
	scenario()
	{
		pod pod create --name "$C-pod" --share ipc,net,uts --infra-image bb --infra-name "$C-infra" \
			--infra-command 'sleep 1000' >/dev/null
		pod_ticking --pod "$C-pod"
		counts_on
		freeze --export archive.tar.zst "$C"
		pod rm -f "$C" >/dev/null
		thaw --import archive.tar.zst --pod "$(pod pod inspect --format '{{.ID}}' "$C-pod")"
		counts_on
		prints "$(readlink "/proc/$(pod_pid "$C-infra")/ns/net")" readlink "/proc/$(pod_pid)/ns/net"
	}
	compare_runtimes
}
