# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# For the tests with real clients: podman, the Docker engine and containerd, each with state of its own below the file's
# temporary directory, each given the same work to do with the runtimes of their world and with floe-runtime.
#
# A test defines scenario() and calls compare_runtimes, which runs it once for each of $RUNTIMES, floe-runtime last. It
# passes when the scenario does with floe-runtime; what the others made of it is printed beside at the end of the file.
# scenario() runs in a shell with errexit, where
#
#	$RUNTIME	is the name of the runtime, known to the client
#	$C		is a container name of its own, for derived ones too ("$C-2")
#	$T		is an empty directory, the current one
#
# and everything that it started is removed after it, whether it passed or not.

load ../lib/helpers

# Without the others where their column is not asked for ($FLOE_TEST_ALONE), or cannot be had: crun, runc and podman name processes to
# systemd by their numbers, which are others outside of the sandbox's PID namespace. floe-runtime uses descriptors.
# (tests/vm/podman.bats has podman and its runtimes without a sandbox.)
if [ "${FLOE_TEST_ALONE:-}" ] || { is_systemd_driver && [ "${FLOE_SANDBOX:-}" != none ]; }; then
	RUNTIMES=(floe-runtime)
fi

# Nothing that a client does takes longer.
CLIENT_SECONDS=$((60 * PATIENCE))

# --- one scenario, several runtimes -------------------------------------------------------------------------------------

# need PROGRAM...
need()
{
	local program
	for program; do
		command -v "$program" >/dev/null || skip "no $program (tools/install-deps)"
	done
}

compare_runtimes()
{
	local verdict log verdicts=()
	for RUNTIME in "${RUNTIMES[@]}"; do
		if [ -e "$BATS_FILE_TMPDIR/cannot-$RUNTIME" ]; then
			verdicts+=("-")
			continue
		fi
		C=$PREFIX-$BATS_TEST_NUMBER-$RUNTIME
		log=$T/$RUNTIME.log
		# Cgroups that end while find looks at them are no error.
		take_inventory >"$T/.before" || :
		verdict=pass
		run_scenario >"$log" 2>&1 3>&- 4>&- &
		wait $! || verdict=FAIL
		if ! client_clean_up >>"$log" 2>&1; then
			echo "the clean-up failed" >>"$log"
			verdict=FAIL
		fi
		if [ "$RUNTIME" = floe-runtime ]; then
			nothing_left >>"$log" 2>&1 || verdict=FAIL
		else
			settle
		fi
		[ $verdict = pass ] || note_failure "$log"
		verdicts+=("$verdict")
	done
	printf '%s\t' "$BATS_TEST_DESCRIPTION" "${verdicts[@]}" >>"$BATS_FILE_TMPDIR/table"
	echo >>"$BATS_FILE_TMPDIR/table"
	[ $verdict = pass ] || fail "with floe-runtime:" "$(cat "$log")"
}

# In the background, because `scenario || ...` would switch errexit off in it, and without the traps of bats.
run_scenario()
{
	trap - DEBUG EXIT
	trap 'echo "failed: $BASH_COMMAND"' ERR
	set -eE
	set +T
	T=$T/$RUNTIME
	mkdir "$T"
	cd "$T"
	scenario
}

# The other runtimes' leavings are not looked at, but shall not be taken for ours: give what still ends time to end, and
# remove what CRIU leaves of a failed restore.
settle()
{
	local i left
	for left in $(awk '$5 ~ /^\/tmp\/\.criu\.mntns\.[^\/]*$/ { print $5 }' /proc/self/mountinfo); do
		umount "$left"
		rmdir "$left"
	done
	for ((i = 0; i < 20; i++)); do
		take_inventory >"$T/.after" || :
		diff "$T/.before" "$T/.after" | grep -q '^> process' || break
		sleep 0.1
	done
}

# cannot RUNTIME REASON: none of the file's scenarios can work with it.
cannot()
{
	echo "$2" >"$BATS_FILE_TMPDIR/cannot-$1"
	printf '%s\t%s\t%s\n' "none of them" "$1" "$2" >>"$BATS_FILE_TMPDIR/reasons"
}

note_failure()
{
	printf '%s\t%s\t%s\n' "$BATS_TEST_DESCRIPTION" "$RUNTIME" \
		"$(grep -aiE 'error|fail|instead|not found' "$1" | grep -av '^failed: ' | tail -n 1 | cut -c 1-400)" \
		>>"$BATS_FILE_TMPDIR/reasons"
}

# Two columns or more, and why what failed with another runtime did.
print_table()
{
	local table=$BATS_FILE_TMPDIR/table width
	[ -e "$table" ] || return 0
	width=$(awk -F '\t' 'length($1) > n { n = length($1) } END { print n }' "$table")
	{
		printf "%-${width}s" "$1"
		printf '  %-12s' "${RUNTIMES[@]}"
		echo
		awk -F '\t' -v w="$width" '{ printf "%-" w "s", $1; for (i = 2; i < NF; i++) printf "  %-12s", $i; print "" }' "$table"
		if [ -e "$BATS_FILE_TMPDIR/reasons" ]; then
			awk -F '\t' '
				$2 == "floe-runtime" { next }
				{ key = $2 "\t" $3; if (!n[key]++) order[++keys] = key; first[key] = $1 }
				END {
					for (i = 1; i <= keys; i++) {
						split(order[i], part, "\t")
						what = n[order[i]] > 1 ? n[order[i]] " times" : first[order[i]]
						printf "%s, %s: %s\n", part[1], what, part[2]
					}
				}' "$BATS_FILE_TMPDIR/reasons"
		fi
	} | sed -E 's/ +$//; s/^/# table: /' >&3
}

# --- words for scenarios ------------------------------------------------------------------------------------------------

# exits STATUS COMMAND...: sets $output (stdout and stderr).
exits()
{
	local expected=$1 status=0
	shift
	output=$("$@" 2>&1) || status=$?
	printf '%s\n' "$output"
	[ "$status" -eq "$expected" ] || fail "exit status $status instead of $expected: $*"
}

# prints TEXT COMMAND...: it succeeds, and that is all of its output. A terminal's carriage returns do not count.
prints()
{
	local expected=$1
	shift
	output=$("$@" 2>&1) || fail "exit status $? of: $*" "$output"
	output=${output//$'\r'/}
	[ "$output" = "$expected" ] || fail "'$output' instead of '$expected': $*"
}

# says PART COMMAND...: it succeeds, and PART is in its output.
says()
{
	local part=$1
	shift
	output=$("$@" 2>&1) || fail "exit status $? of: $*" "$output"
	contains "$output" "$part"
}

# never_says PART COMMAND...
never_says()
{
	local part=$1
	shift
	output=$("$@" 2>&1) || fail "exit status $? of: $*" "$output"
	[[ $output != *"$part"* ]] || fail "found: $part" "in: $output"
}

# --- one file -----------------------------------------------------------------------------------------------------------

# FLOE_TEST_PEERS: podman, crun and runc that tools/install-peers has installed, in place of the distribution's.
use_newer_peers()
{
	local podman

	[ -n "${FLOE_TEST_PEERS:-}" ] || return 0
	podman=$("$SOURCE/tools/install-peers" --print podman)
	export PATH=${podman%/*}:$PATH
	CONTAINERS_CONF_OVERRIDE=$("$SOURCE/tools/install-peers" --print containers.conf)
	export CONTAINERS_CONF_OVERRIDE PODMAN_IGNORE_CGROUPSV1_WARNING=1
}

# What the setup_file of each of these files begins with. The tree of version 2 is hidden because Debian's crun refuses a
# machine that has it beside version 1.
clients_begin()
{
	export BATS_TEST_TIMEOUT=$((200 * PATIENCE))
	use_newer_peers
	replace_systemd_run
	FLOE_CRIU=$("$SOURCE/tools/install-criu" --print)
	export FLOE_CRIU
	# podman and runc look for CRIU on PATH.
	export PATH=${FLOE_CRIU%/*}:$PATH
	if [ "${1:-}" = hide-unified ] && [ -d /sys/fs/cgroup/unified ]; then
		mount -t tmpfs unified /sys/fs/cgroup/unified
	fi
	mkdir -p "$BATS_FILE_TMPDIR/client"
	findmnt -no FS-OPTIONS /sys/fs/cgroup >"$BATS_FILE_TMPDIR/cgroup-options"
}

# clients_end TITLE
clients_end()
{
	print_table "$1"
	cgroups_remove
	! is_rootless || return 0
	# CRIU takes options away from the tree of version 2, under all but floe-runtime (docs/checkpoint.md).
	if is_cgroup_v2 && [ ${#RUNTIMES[@]} -gt 1 ]; then
		mount -o "remount,$(cat "$BATS_FILE_TMPDIR/cgroup-options")" /sys/fs/cgroup
	fi
	# What the clients and runtimes keep there for their next start; containers would stand in the way of rmdir.
	if mountpoint -q /run/netns; then
		umount /run/netns
		rmdir /run/netns
	fi
	# Of the sandbox's network namespace; netavark leaves its tables.
	if [ "${FLOE_SANDBOX:-}" ] && command -v nft >/dev/null; then
		nft flush ruleset
	fi
	rm -rf /run/{floe-runtime,runc,crun}/.{cache,empty-directory} /run/containers /run/containerd /run/docker /run/lock/netavark.lock
	rmdir /run/{floe-runtime,runc,crun} 2>/dev/null || :
	if [ "$(stat -f -c %T /sys/fs/cgroup/unified 2>/dev/null)" = tmpfs ]; then
		umount /sys/fs/cgroup/unified
	fi
}

# The cgroup below which a client puts its containers. The client leaves it there.
client_cgroup()
{
	if is_systemd_driver; then
		echo "ft$FLOE_TEST_RUN-$1.slice"
	else
		echo "/ft$FLOE_TEST_RUN-$1"
	fi
}

# The cgroup manager, as the clients call it.
client_manager()
{
	is_systemd_driver && echo systemd || echo cgroupfs
}

cgroups_remove()
{
	find /sys/fs/cgroup -mindepth 2 -depth -type d -not -fstype tmpfs -path "*/ft$FLOE_TEST_RUN-*" -exec rmdir {} + \
		2>/dev/null || :
}

# In place of the bundle of helpers.bash.
client_setup()
{
	T=$BATS_TEST_TMPDIR
	STATE=$T/state
	CLIENT=$BATS_FILE_TMPDIR/client
	PREFIX=ft$FLOE_TEST_RUN
	ROOTFS=$("$SOURCE/tools/make-rootfs" busybox)
	cd "$T" || return 1
}

setup()
{
	client_setup
}

teardown()
{
	cd /
	client_clean_up >/dev/null 2>&1 || :
}
