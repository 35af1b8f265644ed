# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# For the tests of checkpoint and restore: containers whose output is one and the same pipe before and after.

load ../lib/helpers

# Descriptor $PIPE is the writing end of a pipe whose reader collects everything in $T/out.
open_pipe()
{
	: >"$T/out"
	exec {PIPE}> >(exec cat >>"$T/out" 3>&- 4>&-)
	eventually grep -q cat /proc/$!/comm
}

# start_on_pipe [OPTION...]: run the container detached, with its output on the pipe.
start_on_pipe()
{
	[ -n "${PIPE:-}" ] || open_pipe
	rt run --detach --bundle "$BUNDLE" "$@" "$ID" </dev/null >&"$PIPE" 2>&1 {PIPE}>&- || {
		sleep 0.2
		fail "$(tail -n 3 "$T/out")"
	}
}

# The image is $T/image unless the options say otherwise.
checkpoint()
{
	timeout $((60 * PATIENCE)) "$FLOE_RUNTIME" --root "$STATE" checkpoint --image-path "$T/image" "$@" "$ID" 3>&- 4>&- {PIPE}>&-
}

restore()
{
	timeout $((60 * PATIENCE)) "$FLOE_RUNTIME" --root "$STATE" restore --detach --bundle "$BUNDLE" --image-path "$T/image" "$@" "$ID" \
		</dev/null >&"$PIPE" 2>&1 3>&- 4>&- {PIPE}>&- || {
		local status=$?
		tail -n 3 "$T/out"
		return $status
	}
}

# inside COMMAND...: run a command in the container's namespaces and root.
inside()
{
	nsenter --target "$(pid_of)" --mount --net --pid --ipc --uts --root --wd=/ "$@" 3>&- 4>&- {PIPE}>&-
}

# overlay_rootfs NAME: the bundle's rootfs becomes an overlay on the kept rootfs of that name.
overlay_rootfs()
{
	mkdir -p "$BUNDLE/rootfs" "$T/upper" "$T/overlay-work"
	mount -t overlay -o "lowerdir=$("$SOURCE/tools/make-rootfs" "$1"),upperdir=$T/upper,workdir=$T/overlay-work" \
		overlay "$BUNDLE/rootfs"
	OVERLAY=$BUNDLE/rootfs
	configure '.root = { path: "rootfs", readonly: false }'
}

# CRIU reads the limits of the processes with prlimit(2). Of those of another user that takes CAP_SYS_RESOURCE, which not
# every machine's root has (the kernel's check is by user id).
can_dump_other_users()
{
	(($(printf '%d' "0x$(proc_status self CapEff)") >> 24 & 1))
}

# says PART...: what the runtime said on the pipe; its reader may be a moment behind.
says()
{
	local part
	for part; do
		eventually file_contains "$T/out" "$part" || return 1
	done
}

# A program that counts: "tick 1", "tick 2" ... twenty times a second.
ticking()
{
	# shellcheck disable=SC2016
	script_is "${1:-}"' i=0; while :; do i=$((i + 1)); echo "tick $i"; sleep 0.05; done'
}

last_tick()
{
	sed -n 's/^tick //p' "$T/out" | tail -n 1
}

# Wait until it has counted on from N; nothing: it had not begun.
ticks_after()
{
	eventually has_ticked_after "$1" || fail "no tick after $1: $(tail -n 3 "$T/out")"
}

has_ticked_after()
{
	local now
	now=$(last_tick)
	[ "${now:-0}" -gt "${1:-0}" ]
}

# listens PORT: a line of a container's script that waits until somebody listens there. connects PORT: the same, until the
# two ends of a connection are there.
listens()
{
	printf 'until grep -q ":%04X 0*:0000 0A" /proc/net/tcp /proc/net/tcp6; do sleep 0.02; done' "$1"
}

connects()
{
	printf 'until [ "$(cat /proc/net/tcp /proc/net/tcp6 | grep -c ":%04X.* 01 ")" -eq 2 ]; do sleep 0.02; done' "$1"
}

# Every number from 1 on, once, in order: nothing was lost and nothing happened twice.
ticks_are_continuous()
{
	sed -n 's/^tick //p' "$T/out" | awk '$1 != NR { print "tick " $1 " at place " NR; bad = 1 } END { exit bad || NR == 0 }'
}

# The container and its processes are gone.
is_gone()
{
	run rt state "$ID"
	[ "$status" -eq 1 ] || fail "the container is still there: $output"
	[ -z "$(find /sys/fs/cgroup -mindepth 2 -type d -not -fstype tmpfs -path "*$ID*")" ] || fail "its cgroup is still there"
}

teardown()
{
	cr_teardown
}

cr_teardown()
{
	# Skipped before it began.
	[ "${T:-}" ] || return 0
	end_containers
	clean_up
}

# Nothing of them is left that would keep a pipe, a mount or a network of the test's busy.
end_containers()
{
	local id
	thaw
	for id in "$STATE"/*/; do
		[ ! -d "$id" ] || rt delete --force "$(basename "$id")" >/dev/null 2>&1 || :
	done
	if [ -n "${PIPE:-}" ]; then
		exec {PIPE}>&-
	fi
	if [ -n "${OVERLAY:-}" ]; then
		umount "$OVERLAY" || umount --lazy "$OVERLAY"
	fi
}
