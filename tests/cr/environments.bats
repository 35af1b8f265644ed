#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# Containers in every kind of surroundings: namespaces of their own and joined by path, with what is mounted, which cgroups
# there are below, and how CRIU is to deal with them. (User namespaces: access.bats; each kind of state in a read-only root
# and in a user namespace: programs.bats; network namespaces, terminals, seccomp: options.bats.)

load ../lib/cr

# hold OPTION...: a process in new namespaces (options of unshare), $HOLDER on this side of a new pid namespace.
hold()
{
	unshare "$@" --fork --kill-child sh -c 'while :; do sleep 0.2; done' 3>&- 4>&- &
	UNSHARE=$!
	eventually pgrep --parent $UNSHARE >/dev/null
	HOLDER=$(pgrep --parent $UNSHARE)
}

let_go()
{
	# It ignores SIGTERM.
	kill -KILL "$UNSHARE"
	wait "$UNSHARE" || :
}

# join TYPE FILE: the container joins the holder's namespace.
join()
{
	configure --arg type "$1" --arg path "/proc/$HOLDER/ns/$2" \
		'.linux.namespaces |= (map(select(.type != $type)) + [{ type: $type, path: $path }])'
}

namespace_of()
{
	readlink "/proc/$1/ns/$2"
}

running_container()
{
	ticking "${1:-}"
	start_on_pipe || fail "$(cat "$T/out")"
	ticks_after 1
}

# Freeze and thaw; the counting goes on.
cycle()
{
	local now
	rm -rf "$T/image"
	run checkpoint "$@"
	[ "$status" -eq 0 ] || fail "$output"
	now=$(last_tick)
	restore "$@" || fail "$(tail -n 2 "$T/out")"
	ticks_after "$now"
}

@test "namespaces that are joined by path are joined again, each by itself" {
	local kind
	# Joined, but not its name, which the holder has given it.
	configure 'del(.hostname)'
	hold --pid --ipc --uts --time
	for kind in pid ipc uts time; do
		new_id $kind
		cp "$BUNDLE/config.json" "$T/config.json"
		: >"$T/out"
		join $kind $kind
		running_container
		cycle
		cycle
		[ "$(namespace_of "$(pid_of)" $kind)" = "$(namespace_of "$HOLDER" $kind)" ] || fail "$kind is another"
		# One that exec can join.
		[ "$(rt exec "$ID" readlink "/proc/self/ns/$kind" {PIPE}>&-)" = "$(namespace_of "$HOLDER" $kind)" ]
		remove_container
		ticks_are_continuous || fail "$kind"
		cp "$T/config.json" "$BUNDLE/config.json"
	done
	let_go
}

@test "namespaces of the machine's are used again" {
	configure 'del(.hostname) | .linux.namespaces |= map(select(.type != "ipc" and .type != "uts"))
		| .mounts |= map(select(.destination != "/dev/mqueue"))'
	running_container
	cycle
	[ "$(namespace_of "$(pid_of)" ipc)" = "$(namespace_of self ipc)" ]
	[ "$(namespace_of "$(pid_of)" uts)" = "$(namespace_of self uts)" ]
	remove_container
}

# cannot_join TYPE FILE PART...: the checkpoint works, the restore says why not, and leaves nothing.
cannot_join()
{
	local type=$1 file=$2
	shift 2
	join "$type" "$file"
	running_container
	checkpoint
	: >"$T/out"
	run restore
	[ "$status" -eq 1 ]
	! is_floe || says "$@"
	is_gone
}

@test "a cgroup namespace by path cannot be restored, and that is said" {
	# CRIU freezes no process whose cgroup is not below the root of its cgroup namespace.
	[ ! -e /sys/fs/cgroup/cgroup.procs ] || echo $BASHPID >/sys/fs/cgroup/cgroup.procs
	hold --cgroup
	cannot_join cgroup cgroup "/proc/$HOLDER/ns/cgroup" "CRIU cannot join cgroup namespaces"
	let_go
}

@test "a user namespace by path cannot be restored, and that is said" {
	hold --user
	chmod o+x "$BATS_RUN_TMPDIR" "$BATS_FILE_TMPDIR"
	echo "0 0 100000" >"/proc/$HOLDER/uid_map"
	echo "0 0 100000" >"/proc/$HOLDER/gid_map"
	cannot_join user user "a user namespace of its own"
	let_go
}

@test "a mount namespace by path cannot be restored, and that is said" {
	hold --mount
	cannot_join mount mnt "a mount namespace of its own"
	let_go
}

@test "a time namespace of its own keeps its clocks, and exec joins it" {
	local before after
	configure '.linux.namespaces += [{ type: "time" }] | .linux.timeOffsets = { boottime: { secs: 1000000 } }'
	running_container
	before=$(rt exec "$ID" cut -d. -f1 /proc/uptime {PIPE}>&-)
	[ "$before" -gt 1000000 ]
	cycle
	after=$(rt exec "$ID" cut -d. -f1 /proc/uptime {PIPE}>&-)
	[ "$after" -ge "$before" ] && [ "$after" -lt $((before + 100)) ] || fail "$before, then $after"
	remove_container
}

@test "a container without a time namespace gets one by the restore, which exec joins" {
	is_floe || skip "crun's exec does not"
	running_container
	[ "$(namespace_of "$(pid_of)" time)" = "$(namespace_of self time)" ]
	cycle
	[ "$(rt exec "$ID" readlink /proc/self/ns/time {PIPE}>&-)" = "$(namespace_of "$(pid_of)" time)" ]
	[ "$(rt exec "$ID" readlink /proc/self/ns/time {PIPE}>&-)" != "$(namespace_of self time)" ]
	cycle
	remove_container
}

@test "a cgroup namespace of its own shows the container's cgroup as the root again" {
	configure '.linux.namespaces += [{ type: "cgroup" }]'
	running_container
	cycle
	[ "$(namespace_of "$(pid_of)" cgroup)" != "$(namespace_of self cgroup)" ]
	[ "$(rt exec "$ID" cut -d: -f3 /proc/self/cgroup {PIPE}>&- | sort -u)" = / ]
	contains "$(sed -n 's/.*:\(pids\|\):/\1 /p' "/proc/$(pid_of)/cgroup")" "$ID"
	remove_container
}

# --- mounts -------------------------------------------------------------------------------------------------------------

@test "binds in binds, files on files, links on the way, and masked paths come back" {
	own_rootfs
	mkdir -p "$T/share/inner" "$T/inner/deep" "$T/deep" "$BUNDLE/rootfs/real"
	for file in share/file inner/file deep/file one two; do
		echo $file >"$T/$file"
	done
	touch "$T/share/target"
	ln -s real "$BUNDLE/rootfs/link"
	add_mount /mnt bind "$T/share" rbind
	add_mount /mnt/inner bind "$T/inner" bind ro
	add_mount /mnt/inner/deep bind "$T/deep" bind
	add_mount /mnt/target bind "$T/one" bind ro
	add_mount /etc/two bind "$T/two" bind
	add_mount /link/bound bind "$T/deep" bind
	configure '.linux.maskedPaths += ["/etc/passwd", "/home"] | .linux.readonlyPaths += ["/mnt/inner/deep", "/data"]'
	facts() {
		inside sh -c 'cd /; for f in mnt/file mnt/inner/file mnt/inner/deep/file mnt/target etc/two real/bound/file etc/passwd; do
				echo "$f: $(cat $f)"; touch $f 2>&1; done; ls home
			touch mnt/x mnt/inner/x mnt/inner/deep/x data/x 2>&1; rm -f mnt/x'
		# Without what differs: the ids, the device numbers of new file systems and the peer groups.
		inside cat /proc/self/mountinfo | awk '{ print $4, $5, $4 == "/null" ? "" : $6 }' | sort
	}
	running_container
	facts >"$T/before"
	[ "$(grep -c "Read-only file system" "$T/before")" -ge 5 ]
	cycle
	cycle
	facts >"$T/after"
	diff "$T/before" "$T/after"
	remove_container
	# In the way that CRIU used to make mounts in.
	echo mntns-compat-mode >"$T/criu.conf"
	configure '.linux.rootfsPropagation = "private"'
	: >"$T/out"
	running_container
	facts >"$T/before"
	rm -rf "$T/image"
	checkpoint
	configure --arg conf "$T/criu.conf" '.annotations["org.criu.config"] = $conf'
	restore
	[ "$(grep -c mnt-v2 "$T/image/restore.log")" -eq 0 ]
	facts >"$T/after"
	diff "$T/before" "$T/after"
	remove_container
}

@test "a tmpfs keeps its files of each kind, its size, and the mounts in it" {
	add_mount /tmp tmpfs tmpfs nosuid nodev mode=1770 size=2m
	add_mount /tmp/deep tmpfs tmpfs mode=700 size=1m
	mkdir "$T/share"
	echo shared >"$T/share/file"
	add_mount /tmp/deep/bound bind "$T/share" bind
	running_container 'cd /tmp; echo content >file; ln file second; ln -s nowhere link; mkfifo fifo; chmod 4711 file
		chown 1:2 file; mkdir empty; echo below >deep/file; head -c 100000 /dev/urandom >big;'
	facts() {
		inside sh -c 'cd /tmp; ls -lin --full-time . | sed "s/^ *[0-9]* *//"; md5sum big file deep/file deep/bound/file; readlink link
			df -k . deep | tail -n 2 | awk "{ print \$2, \$6 }"; grep " /tmp" /proc/self/mounts'
	}
	facts >"$T/before"
	cycle
	facts >"$T/after"
	diff "$T/before" "$T/after"
	remove_container
}

@test "a rootfs that is an overlay, read-only, with a tmpfs on top" {
	overlay_rootfs busybox
	configure '.root.readonly = true'
	add_mount /run tmpfs tmpfs mode=755
	running_container 'echo x >/run/file;'
	cycle
	[ "$(inside cat /run/file)" = x ]
	run inside touch /etc/x
	contains "$output" "Read-only"
	remove_container
}

@test "a rootfs that shares its changes with the machine, or takes them from there" {
	local propagation
	own_rootfs
	mkdir "$T/share"
	add_mount /mnt bind "$T/share" rbind rslave
	for propagation in private slave; do
		new_id $propagation
		: >"$T/out"
		configure --arg propagation $propagation '.linux.rootfsPropagation = $propagation'
		running_container
		cycle
		remove_container
	done
}

# --- cgroups ------------------------------------------------------------------------------------------------------------

# The container makes a cgroup below its own and puts a process there.
with_cgroups_below()
{
	configure '.linux.resources.pids.limit = 60 | (.mounts[] | select(.type == "cgroup").options) |= map(select(. != "ro"))'
	running_container 'cgroup=/sys/fs/cgroup; [ -e $cgroup/cgroup.procs ] || cgroup=$cgroup/pids
		mkdir $cgroup/below /sys/fs/cgroup/freezer/below || :; echo 33 >$cgroup/below/pids.max
		(while :; do sleep 0.2; done) & child=$!; echo $child >$cgroup/below/cgroup.procs; echo "in $child";'
	eventually file_contains "$T/out" "in "
}

# below FILE: of the cgroup below; nothing when it is not there.
below()
{
	local path
	path=$(sed -n 's|^[0-9]*:pids:||p' "/proc/$(pid_of)/cgroup")
	cat "/sys/fs/cgroup/pids$path/below/$1" 2>/dev/null
}

@test "--manage-cgroups-mode says what becomes of cgroups below the container's (version 1)" {
	local mode
	! is_cgroup_v2 || skip "this machine has cgroup version 2"
	for mode in default soft full ignore; do
		new_id $mode
		: >"$T/out"
		make_bundle
		options=()
		[ $mode = default ] || options=(--manage-cgroups-mode "$mode")
		with_cgroups_below
		[ "$(below pids.max)" = 33 ] || fail "$(below pids.max)"
		cycle "${options[@]}"
		case $mode in
		ignore) [ -z "$(below cgroup.procs)" ] || fail "ignore: it is there" ;;
		*) [ "$(below pids.max)" = 33 ] && [ -n "$(below cgroup.procs)" ] || fail "$mode: it is not as it was" ;;
		esac
		[ "$(cgroup_file "$(pid_of)" pids.max)" = 60 ] || fail "$mode: the container's limit is gone"
		remove_container
		is_gone
	done
}

@test "--manage-cgroups-mode is the restore's own (version 1)" {
	! is_cgroup_v2 || skip "this machine has cgroup version 2"
	with_cgroups_below
	checkpoint
	tick=$(last_tick)
	restore --manage-cgroups-mode ignore
	ticks_after "$tick"
	[ -z "$(below cgroup.procs)" ] || fail "it is there"
	remove_container
	tick=0
	: >"$T/out"
	restore --manage-cgroups-mode full
	ticks_after $tick
	[ "$(below pids.max)" = 33 ] || fail "it is not there"
	remove_container
	run restore --manage-cgroups-mode sometimes
	[ "$status" -eq 1 ]
	! is_floe || says "manage-cgroups-mode" sometimes
}

@test "--manage-cgroups-mode strict is refused, because there is a cgroup already (version 1)" {
	! is_cgroup_v2 || skip "this machine has cgroup version 2"
	with_cgroups_below
	checkpoint --manage-cgroups-mode strict
	run restore --manage-cgroups-mode strict
	[ "$status" -eq 1 ]
	! is_floe || says "--manage-cgroups-mode is strict" "use another mode"
	is_gone
	restore --manage-cgroups-mode soft
	remove_container
}

@test "limits that were changed since the configuration are those of the configuration again" {
	configure '.linux.resources.pids.limit = 60'
	running_container
	rt update --pids-limit 50 "$ID"
	[ "$(cgroup_file "$(pid_of)" pids.max)" = 50 ]
	cycle
	[ "$(cgroup_file "$(pid_of)" pids.max)" = 60 ]
	remove_container
}
