#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# tools/run-tests itself, with tests that fail when they are told to.

load ../lib/helpers

make_bundle()
{
	:
}

# make_file NAME CONDITION: a bats file of two tests; the first fails while the condition holds. $LEFT counts its runs.
make_file()
{
	export LEFT=$T/runs
	: >"$LEFT"
	printf '%s\n' '@test "moody" {' '	echo run >>"$LEFT"' "	! $2" '}' '@test "steady" {' '	true' '}' >"$T/$1.bats"
}

# These runs use one job each; a CI's own settings are not ours.
run_tests()
{
	local rc=0
	env -u CI FLOE_TEST_JOBS=1 "$SOURCE/tools/run-tests" "$@" >"$T/out" 2>&1 3>&- 4>&- || rc=$?
	return $rc
}

last_line()
{
	tail -n 1 "$T/out"
}

@test "what fails is a failure" {
	make_file fails true
	run ! run_tests "$T/fails.bats"
	[ "$(last_line)" = '1 passed, 1 failed, 0 skipped' ]
	[ "$(grep -c . "$LEFT")" -eq 1 ]
}

@test "what fails and then passes alone is listed as flaky, with what it said first" {
	# shellcheck disable=SC2016 # for the test to evaluate
	make_file flaky '[ "$(grep -c . "$LEFT")" -eq 1 ]'
	run_tests --retry "$T/flaky.bats"
	[ "$(last_line)" = '2 passed, 0 failed, 0 skipped' ]
	grep '^     not ok 1 moody' "$T/out"
	grep -A1 '^Flaky' "$T/out" | grep ': moody$'
	[ "$(grep -c . "$LEFT")" -eq 2 ]
}

@test "what fails twice is a failure" {
	make_file fails true
	run ! run_tests --retry "$T/fails.bats"
	[ "$(last_line)" = '1 passed, 1 failed, 0 skipped' ]
	run ! grep '^Flaky' "$T/out"
	[ "$(grep -c . "$LEFT")" -eq 2 ]
}

@test "a file that breaks off twice is a failure" {
	# shellcheck disable=SC2016 # for the test to evaluate
	make_file breaks 'kill -KILL $PPID'
	run ! run_tests --retry "$T/breaks.bats"
	[[ $(last_line) =~ ^[0-9]+' passed, '[1-9][0-9]*' failed, 0 skipped'$ ]]
	run ! grep '^Flaky' "$T/out"
}

@test "more failures than a bad moment makes are not run again" {
	local i
	for i in 1 2 3 4; do
		make_file "fails$i" true
	done
	run ! run_tests --retry "$T"/fails?.bats
	[ "$(last_line)" = '4 passed, 4 failed, 0 skipped' ]
	[ "$(grep -c . "$LEFT")" -eq 4 ]
}

# fake_make SCRIPT: what run-tests finds as make.
fake_make()
{
	mkdir "$T/bin"
	printf '#!/bin/sh\n%s\n' "$1" >"$T/bin/make"
	chmod 755 "$T/bin/make"
	PATH=$T/bin:$PATH
}

@test "the jobs of the build with sanitizers wait for it" {
	# shellcheck disable=SC2016 # for the shell of make
	fake_make 'echo "$*" >>"$T/made"; sleep 1; echo over >>"$T/made"'
	export T
	# shellcheck disable=SC2016 # for the test to evaluate
	make_file waits '! grep -qx over "$T/made"'
	run_tests --build --asan "$T/waits.bats"
	[ "$(last_line)" = '2 passed, 0 failed, 0 skipped' ]
	[ "$(cat "$T/made")" = $'--no-print-directory asan\nover' ]
}

@test "a build with sanitizers that fails ends all" {
	fake_make 'echo broken; exit 2'
	make_file never true
	run ! run_tests --build --asan "$T/never.bats"
	grep -x broken "$T/out"
	[ "$(last_line)" = 'run-tests: the build with sanitizers has failed' ]
	[ ! -s "$LEFT" ]
}
