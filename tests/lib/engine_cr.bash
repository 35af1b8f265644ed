# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# For the tests of the engine's checkpoint and restore: see engine.bash. With crun the one that was built with CRIU: that of
# tools/install-peers, where the distribution's was not.

load ../lib/engine

setup_file()
{
	engine_cr_setup_file
}

engine_cr_setup_file()
{
	local crun
	PATH=$(dirname "$("$SOURCE/tools/install-criu" --print)"):$PATH
	export PATH
	if [[ $ENGINE_RUNTIME == *crun ]] && ! "$ENGINE_RUNTIME" checkpoint --help >/dev/null 2>&1; then
		crun=$("$SOURCE/tools/install-peers" --print crun 2>/dev/null || :)
		if [ "$crun" ] && "$crun" checkpoint --help >/dev/null 2>&1; then
			export ENGINE_RUNTIME=$crun
		else
			export CANNOT_FREEZE="this crun is built without CRIU, and tools/install-peers has brought no other"
		fi
	fi
	engine_setup_file
	# crun has CRIU make the tree of version 2 anew that is hidden here.
	echo manage-cgroups=ignore >"$BATS_FILE_TMPDIR/criu.conf"
}

setup()
{
	engine_cr_setup
}

# (bats takes a skip of setup_file for a failure.)
engine_cr_setup()
{
	[ -z "${CANNOT_FREEZE:-}" ] || skip "$CANNOT_FREEZE"
	engine_setup
}

teardown()
{
	[ -n "${CANNOT_FREEZE:-}" ] || engine_clean_up
}

# What a container needs to be frozen and thawed by this runtime.
cr_options()
{
	[[ $ENGINE_RUNTIME != *crun ]] || echo "--annotation org.criu.config=$BATS_FILE_TMPDIR/criu.conf"
}

# Frozen a second time: not by crun beside a hidden tree of version 2, since with the option of cr_options the restored
# processes are in no cgroup of the container's, where crun has them frozen.
needs_second_checkpoint()
{
	if [[ $ENGINE_RUNTIME == *crun ]] && [ -d /sys/fs/cgroup/unified ]; then
		skip "crun cannot freeze a restored container where cgroups of version 1 and 2 are mixed"
	fi
}

# start_ticking NAME [OPTION...]: a container that counts, and keeps the count in a file of its root as well.
start_ticking()
{
	local name=$1
	shift
	# shellcheck disable=SC2016,SC2046 # for the shell of the container; words
	fl run -d --name "$name" $(cr_options) "$@" --rootfs "$ROOTFS" \
		sh -c 'i=0; while :; do i=$((i + 1)); echo "tick $i"; sleep 0.05; done' </dev/null >/dev/null
}

# make_programs_image NAME: with the programs of tests/cr at /cr/programs, and the directories that they want.
make_programs_image()
{
	local programs=$FLOE_BUILD/tests/cr/programs/cr-programs
	[ -x "$programs" ] || skip "the programs are not built (no static C library)"
	mkdir -p cr/work cr/out
	cp "$programs" cr/programs
	tar -c -C "$ROOTFS" . -C "$T" cr | fl import - "$1" >/dev/null
}

# The last number that it has told; 0 when it has not begun.
last_tick()
{
	fl logs "$1" 2>/dev/null | sed -n 's/^tick //p' | awk 'END { print $1 + 0 }'
}

ticks_after()
{
	[ "$(last_tick "$2")" -gt "$1" ]
}

# counts_on NAME: it does something now.
counts_on()
{
	eventually ticks_after "$(last_tick "$1")" "$1"
}

# Every number once and in order, over all that happened.
ticks_are_continuous()
{
	fl logs "$1" | sed -n 's/^tick //p' |
		awk '$1 != NR { print "tick " $1 " at place " NR; bad = 1 } END { exit bad || NR == 0 }'
}

# tracks_memory NAME [OPTION...]: a first pre-checkpoint, where the kernel can tell which memory has changed.
tracks_memory()
{
	local name=$1
	shift
	try checkpoint --pre-checkpoint "$@" "$name"
	if [ "$status" -ne 0 ]; then
		refused "system (architecture/kernel/CRIU) does not support memory tracking"
		counts_on "$name"
		skip "no memory tracking in this kernel"
	fi
}
