#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# The state of small programs (tests/cr/programs) survives every way of freezing and thawing a container. To look into a
# failure: tests/cr/run-programs --flavour FLAVOUR NAME.

load ../lib/helpers

# No rootfs: the programs bring everything with them.
setup_file()
{
	FLOE_CRIU=$("$SOURCE/tools/install-criu" --print)
	export FLOE_CRIU
}

make_bundle()
{
	:
}

# run_programs FLAVOUR [OPTION...]: skip when the machine cannot do any of it; say what the programs say that have failed.
run_programs()
{
	local rc=0
	"$SOURCE/tests/cr/run-programs" --flavour "$@" >"$T/said" 2>&1 3>&- 4>&- || rc=$?
	if [ $rc -eq 77 ] || [ "$(cut -c1-9 "$T/said")" = 'skip all:' ]; then
		skip "$(sed 's/^skip all: //' "$T/said")"
	fi
	# What has failed is first to be read, however much of the output is kept.
	grep '^fail' "$T/said" || :
	grep -v -e '^pass' -e '^fail' "$T/said" || :
	return $rc
}

@test "the documentation says of each program what survives" {
	"$SOURCE/tests/cr/run-programs" --table >"$T/table" || skip "the programs are not built"
	diff <(sed -n '/^| What survives/,$p' "$SOURCE/docs/checkpoint-state.md") "$T/table"
}

@test "the programs do their work when nothing is frozen" {
	run_programs none
}

@test "state survives a checkpoint and a restore" {
	run_programs plain
}

@test "state survives in the image and in the container that is left running" {
	run_programs leave-running
}

@test "state survives five cycles" {
	run_programs cycles
}

@test "state survives a restore that loads memory from the image when it is used" {
	run_programs lazy
}

@test "state survives a restore that loads memory from the frozen container when it is used" {
	run_programs page-server
}

@test "state survives a move of bundle and image" {
	run_programs directory
}

@test "state survives in a container with a read-only root" {
	run_programs plain --container readonly
}

@test "state survives in a container with a user namespace" {
	run_programs plain --container userns
}

@test "state survives a chain of pre-dumps" {
	run_programs pre-dump
}

@test "what cannot be frozen is refused with the reason, and goes on" {
	run_programs refused
}
