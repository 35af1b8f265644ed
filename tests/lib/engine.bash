# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# For the tests of floe, the engine: `fl` is floe with a state of the test file's own and cgroups below the test run's.
# $ENGINE_RUNTIME names the OCI runtime (tools/run-tests runs each file with floe-runtime and again with crun).
#
#	$ROOTFS	a busybox root file system, for --rootfs; shared by the file's tests
#	$C	a container name of this test, for derived ones too ("$C-2")
#	$T	directory of this test, the current one

load ../lib/helpers

FLOE=${FLOE:-$FLOE_BUILD/src/cli/floe/floe}
ENGINE_RUNTIME=${ENGINE_RUNTIME:-$FLOE_RUNTIME}
# Nothing that floe does takes longer.
ENGINE_SECONDS=$((60 * PATIENCE))

setup_file()
{
	engine_setup_file
}

engine_setup_file()
{
	command -v conmon >/dev/null || skip "no conmon (tools/install-deps)"
	command -v "$ENGINE_RUNTIME" >/dev/null || skip "no $ENGINE_RUNTIME (tools/install-deps)"
	# crun refuses a tree of version 2 that has controllers beside version 1.
	if [ -d /sys/fs/cgroup/unified ]; then
		mount -t tmpfs unified /sys/fs/cgroup/unified
	fi
	# Whatever the machine's files say.
	export CONTAINERS_CONF=$BATS_FILE_TMPDIR/containers.conf
	: >"$CONTAINERS_CONF"
	cp -a "$("$SOURCE/tools/make-rootfs" busybox)" "$BATS_FILE_TMPDIR/rootfs"
	mkdir -p "$BATS_FILE_TMPDIR/rootfs"/{tmp,data,mnt,sys,proc,dev,run,var/tmp} "$BATS_FILE_TMPDIR/engine"
}

teardown_file()
{
	engine_teardown_file
}

engine_teardown_file()
{
	engine_remove_cgroups
	! [ -d /sys/fs/cgroup/unified ] || umount /sys/fs/cgroup/unified 2>/dev/null || :
	rm -rf /run/floe-runtime /run/crun
}

# The parent cgroups that containers and monitors of this run were put below; a monitor that is about to end keeps its own.
engine_remove_cgroups()
{
	local i
	for ((i = 0; i < 50; i++)); do
		find /sys/fs/cgroup -mindepth 2 -depth -type d -not -fstype tmpfs -path "*/ft${FLOE_TEST_RUN}-engine*" \
			-exec rmdir {} + 2>/dev/null || :
		[ "$(find /sys/fs/cgroup -mindepth 2 -type d -not -fstype tmpfs -path "*/ft${FLOE_TEST_RUN}-engine*" \
			-print -quit 2>/dev/null)" ] || return 0
		sleep 0.1
	done
}

setup()
{
	engine_setup
}

engine_setup()
{
	T=$BATS_TEST_TMPDIR
	STATE=$T/state
	ROOTFS=$BATS_FILE_TMPDIR/rootfs
	ENGINE=$BATS_FILE_TMPDIR/engine
	PREFIX=ft$FLOE_TEST_RUN-engine
	CGROUPS=(--cgroup-manager cgroupfs) CGROUP_PARENT=/$PREFIX
	if is_systemd_driver; then
		CGROUPS=(--cgroup-manager systemd) CGROUP_PARENT=$PREFIX.slice
	fi
	C=c$BATS_TEST_NUMBER
	SANITIZER=$T/sanitizer
	export ASAN_OPTIONS=log_path=$SANITIZER:detect_leaks=1:handle_segv=1
	export UBSAN_OPTIONS=log_path=$SANITIZER:print_stacktrace=1:halt_on_error=1
	cd "$T" || return 1
	engine_inventory >"$T/.before"
}

teardown()
{
	engine_clean_up
}

engine_clean_up()
{
	local status=0 i left
	unset FLOE_FAULT
	cd "$T" || return 1
	fl rm --all --force --time 0 >"$T/.rm" 2>&1 || {
		echo "floe rm --all --force failed:"
		cat "$T/.rm"
		status=1
	}
	fl volume prune --force >/dev/null 2>&1 || :
	if sanitizers_said; then
		echo "the sanitizers found:"
		cat "$SANITIZER".*
		status=1
	fi
	for ((i = 0; i < 100 * PATIENCE; i++)); do
		engine_inventory >"$T/.after"
		left=$(diff "$T/.before" "$T/.after" | grep '^>' || :)
		[ "$left" ] || return $status
		sleep 0.1
	done
	echo "not as it was before the test:"
	echo "$left"
	# shellcheck disable=SC2046 # a list
	kill -KILL $(sed -n 's/^> process \([0-9]*\) .*/\1/p' <<<"$left") 2>/dev/null || :
	return 1
}

# Processes, mounts, cgroups of containers, and what the engine keeps of containers.
engine_inventory()
{
	local -
	set +T
	list_engine_inventory
}

list_engine_inventory()
{
	local stat pid name state
	for stat in /proc/[0-9]*/stat; do
		# A dead one that is not ours to reap (netavark's aardvark-dns) is nothing that was left.
		if { read -r pid name state _ <"$stat"; } 2>/dev/null && [ "$name $state" != '(aardvark-dns) Z' ]; then
			echo "process $pid $name"
		fi
	done
	# Those of others on the machine may come in.
	sed -E 's/^[0-9]+ [0-9]+ [0-9:]+ /mount /; s/ (shared|master):[0-9]+//g' /proc/self/mountinfo |
		grep -F -e "$BATS_FILE_TMPDIR" -e ' /run/' || :
	test_cgroups -name 'floe-*' | sed 's/^/cgroup /'
	find "$ENGINE/root/containers" "$ENGINE/run/containers" "$ENGINE/run/tmp/exits" "$ENGINE/run/tmp/persist" \
		"$ENGINE/run/tmp/locks" "$ENGINE/root/volumes" "$ENGINE/root/rootfs" -mindepth 1 ! -name 'volume-*' \
		-printf 'file %p\n' 2>/dev/null || :
}

# floe with the file's state; containers go below a cgroup of this run. Without bats's own descriptors.
fl()
{
	local command=$1
	shift
	case $command in
	run | create)
		[[ " $* " == *" --network"* ]] || set -- --network none "$@"
		[[ " $* " == *" --cgroups"* ]] || set -- --cgroup-parent "$CGROUP_PARENT" "$@" ;;
	esac
	timeout --kill-after=5 $ENGINE_SECONDS "$FLOE" --root "$ENGINE/root" --runroot "$ENGINE/run" "${CGROUPS[@]}" \
		--runtime "$ENGINE_RUNTIME" "$command" "$@" 3>&- 4>&-
}

# The same with exit status and output looked at: $status, $output.
try()
{
	run fl "$@"
}

# in_container OPTION... -- COMMAND...: what the command prints in a container with these options.
in_container()
{
	local options=()
	while [ "$1" != -- ]; do
		options+=("$1")
		shift
	done
	shift
	fl run --rm "${options[@]}" --rootfs "$ROOTFS" "$@"
}

# start_idle NAME [OPTION...]: a container that stays until it is told to go.
start_idle()
{
	local name=$1
	shift
	fl run -d --name "$name" "$@" --rootfs "$ROOTFS" sh -c 'trap "exit 0" TERM; while :; do sleep 0.1; done' \
		</dev/null >/dev/null
	eventually heeds "$name" TERM
}

# make_image NAME [CHANGE...]: of the tests' root file system, with instructions of a Dockerfile.
make_image()
{
	local name=$1 change changes=()
	shift
	for change; do
		changes+=(--change "$change")
	done
	tar -C "$ROOTFS" -c . | fl import --quiet "${changes[@]}" - "localhost/$name" >/dev/null
}

# has_begun NAME: the container's process executes the command. Until then it may still be the runtime, which goes on to execute
# it after `start` has returned.
has_begun()
{
	is_command "$1" "$(inspect "$1" '{{.State.Pid}}')"
}

is_command()
{
	[ -e "/proc/$2/cmdline" ] && ! grep -qaF "$(inspect "$1" '{{.Id}}')" "/proc/$2/cmdline"
}

# heeds NAME SIGNAL: the container's process has said what it makes of the signal. Until then it may still be the runtime, or have
# the signal's default.
heeds()
{
	local pid number caught ignored
	pid=$(inspect "$1" '{{.State.Pid}}') && number=$(kill -l "$2") || return 1
	is_command "$1" "$pid" || return 1
	caught=$(proc_status "$pid" SigCgt) && ignored=$(proc_status "$pid" SigIgn) || return 1
	((((0x$caught | 0x$ignored) >> (number - 1)) & 1))
}

inspect()
{
	fl inspect --format "$2" "$1"
}

state_is()
{
	[ "$(inspect "$1" '{{.State.Status}}' 2>/dev/null)" = "$2" ]
}

# A table without how long ago that was, which depends on when it was asked for.
timeless()
{
	sed -E 's/(Less than a|About a|[0-9]+) (second|minute)s? ago/AGO/' | tr -s ' '
}

# refused PART...: the last `try` failed with exit status 125 and one line.
refused()
{
	[ "$status" -eq 125 ] || fail "exit status $status instead of 125; output: $output" || return 1
	contains "$output" "$@" || return 1
	[ "$(wc -l <<<"$output")" -eq 1 ] || fail "more than one line: $output"
}
