#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# Containers of an ordinary user. Root runs this with the runtime as a user that the sandbox alone knows, and who has no cgroup;
# a user (in the VM, with a cgroup of the user's own) runs it as himself.

# shellcheck disable=SC2016 # most scripts here are for the shell of the container

load ../lib/helpers

# Nobody's, as long as nobody has half a million accounts.
USER_ID=${USER_ID:-654321}
SUBORDINATE=${SUBORDINATE:-700000}

setup_file()
{
	local dir
	container_setup_file
	if is_rootless; then
		USER_ID=$EUID
		SUBORDINATE=$(sed -n "s/^$(id -un):\([0-9]*\):.*/\1/p" /etc/subuid | head -n 1)
		export USER_ID SUBORDINATE
		return
	fi
	chmod o+x "$BATS_RUN_TMPDIR" "$BATS_FILE_TMPDIR"
	dir=$BATS_FILE_TMPDIR
	# The build may lie where only root gets to.
	copy_runtime "$dir"
	for file in passwd group subuid subgid; do
		cp "/etc/$file" "$dir/$file" 2>/dev/null || :
	done
	echo "floetester:x:$USER_ID:$USER_ID::$dir:/bin/sh" >>"$dir/passwd"
	echo "floetester:x:$USER_ID:" >>"$dir/group"
	echo "floetester:$SUBORDINATE:65536" | tee -a "$dir/subuid" >>"$dir/subgid"
	for file in passwd group subuid subgid; do
		[ -e "/etc/$file" ] || touch "/etc/$file"
		mount --bind "$dir/$file" "/etc/$file"
	done
	export USER_ID SUBORDINATE
}

teardown_file()
{
	! is_rootless || return 0
	for file in passwd group subuid subgid; do
		umount "/etc/$file"
	done
}

setup()
{
	container_setup
	HOME_DIR=$T/home
	mkdir -m 700 "$HOME_DIR" "$HOME_DIR/run"
	STATE=$HOME_DIR/state
	mkdir "$T/bin"
	if is_rootless; then
		as=(env "HOME=$HOME_DIR")
		USER_RUN=$XDG_RUNTIME_DIR
		REAL=("$FLOE_RUNTIME")
	else
		chmod o+rx "$T"
		chown -R "$USER_ID:$USER_ID" "$HOME_DIR"
		USER_RUN=$HOME_DIR/run
		as=(env -i "PATH=$PATH:/usr/sbin:/sbin" "HOME=$HOME_DIR" USER=floetester "XDG_RUNTIME_DIR=$USER_RUN"
			"ASAN_OPTIONS=$ASAN_OPTIONS" "UBSAN_OPTIONS=$UBSAN_OPTIONS"
			setpriv --reuid "$USER_ID" --regid "$USER_ID" --clear-groups)
		REAL=("$BATS_FILE_TMPDIR/$RUNTIME_NAME")
		# This user has no systemd.
		! is_floe || REAL+=(--cgroup-manager cgroupfs)
	fi
	runtime_is "${as[@]}" "${REAL[@]}"
	own_configuration
}

# The command that stands for the runtime from here on.
runtime_is()
{
	printf '#!/bin/sh\nexec%s "$@"\n' "$(printf ' %q' "$@")" >"$T/bin/$RUNTIME_NAME"
	chmod 755 "$T/bin/$RUNTIME_NAME"
	FLOE_RUNTIME=$T/bin/$RUNTIME_NAME
}

# The usual one, in a user namespace with the user's one id.
own_configuration()
{
	make_bundle
	configure --argjson id "$USER_ID" '.linux.namespaces |= map(select(.type != "user")) + [{ type: "user" }] | del(.linux.resources)
		| .linux.uidMappings = [{ containerID: 0, hostID: $id, size: 1 }] | .linux.gidMappings = .linux.uidMappings
		| .mounts |= map(.options |= (. // [] | map(select(. != "gid=5"))))'
}

subordinate_ids()
{
	[ -n "$SUBORDINATE" ] || skip "/etc/subuid gives this user nothing"
	command -v newuidmap >/dev/null || skip "newuidmap is not installed"
	configure --argjson first "$SUBORDINATE" '.linux.uidMappings += [{ containerID: 1, hostID: $first, size: 65536 }]
		| .linux.gidMappings = .linux.uidMappings'
}

# delegate_cgroup: as a systemd would for a user (cgroup version 2).
delegate_cgroup()
{
	local dir=/sys/fs/cgroup/$PREFIX-user
	echo "+memory +pids" >/sys/fs/cgroup/cgroup.subtree_control
	mkdir "$dir" "$dir/idle"
	chown "$USER_ID:$USER_ID" "$dir" "$dir/idle" "$dir"/{,idle/}cgroup.{procs,threads,subtree_control}
	runtime_is sh -c 'echo $$ >"$0/cgroup.procs" && exec "$@"' "$dir/idle" "${as[@]}" "${REAL[@]}"
}

@test "spec --rootless writes a configuration that runs" {
	dir=$HOME_DIR/written
	"${as[@]}" mkdir "$dir"
	rt spec --rootless --bundle "$dir"
	[ "$(stat -c %u "$dir/config.json")" = "$USER_ID" ]
	BUNDLE=$dir
	configure --arg rootfs "$ROOTFS" '.root.path = $rootfs | .process.terminal = false'
	script_is 'id -u; tr -s " " </proc/self/uid_map; cat /proc/self/setgroups; ls -d /sys/class/net; hostname'
	run_container
	[ "$status" -eq 0 ] || fail "$output"
	[ "${lines[0]}" = 0 ]
	[ "${lines[1]}" = " 0 $USER_ID 1" ]
	[ "${lines[2]}" = deny ]
	[ "${lines[3]}" = /sys/class/net ]
}

@test "run, exec, state, ps, kill and delete" {
	idle_command
	start_detached
	pid=$(pid_of)
	eventually traps TERM "$pid"
	[ "$(proc_status "$pid" Uid)" = "$USER_ID"$'\t'"$USER_ID"$'\t'"$USER_ID"$'\t'"$USER_ID" ]
	[ "$(rt exec "$ID" sh -c 'echo "$(id -u) $(cat /proc/1/comm)"')" = "0 sh" ]
	run rt exec "$ID" sh -c 'exit 7'
	[ "$status" -eq 7 ]
	# Nobody else is mapped.
	run rt exec --user 5 "$ID" true
	[ "$status" -ne 0 ]
	is_state running
	[ "$(rt list --quiet)" = "$ID" ]
	! is_floe || [ "$(stat -c %u "$STATE/$ID")" = "$USER_ID" ]
	rt kill "$ID" TERM
	eventually is_state stopped
	rt delete "$ID"
	[ ! -e "$STATE/$ID" ]
	# create and start, and by force.
	create_container
	is_state created
	rt start "$ID"
	is_state running
	remove_container
	[ ! -d "/proc/$(cat "$T/pid" 2>/dev/null || echo none)" ]
}

@test "the state is in the user's runtime directory" {
	idle_command
	"$FLOE_RUNTIME" run --detach --bundle "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1 3>&- 4>&-
	if is_floe; then
		[ -d "$USER_RUN/floe-runtime/$ID" ]
		# Sticky, so that it is not pruned.
		[ "$(stat -c %a "$USER_RUN/floe-runtime")" = 1700 ]
	fi
	"$FLOE_RUNTIME" delete --force "$ID"
}

@test "newuidmap and newgidmap map the user's subordinate ids" {
	subordinate_ids
	configure '.process.user = { uid: 1000, gid: 1000, additionalGids: [7] } | .process.cwd = "/dev/shm"'
	script_is 'id -u; id -G; wc -l </proc/self/uid_map; wc -l </proc/self/gid_map; cat /proc/self/setgroups'
	run_container
	[ "$output" = $'1000\n1000 7\n2\n2\nallow' ] || fail "$output"
	# Who is who outside.
	idle_command
	start_detached
	[ "$(proc_status "$(pid_of)" Uid | cut -f1)" = $((SUBORDINATE + 999)) ]
	[ "$(rt exec --user 0 "$ID" id -u 2>/dev/null)" = 0 ]
	# Its standard error becomes its own.
	[ "$(rt exec --user 5:6 "$ID" sh -c 'echo "$(id -u) $(id -g)"' 2>/dev/null)" = "5 6" ]
	remove_container
	# More than the user has been given.
	configure '.linux.uidMappings[1].size = 70000'
	run_container
	[ "$status" -eq 1 ]
	! is_floe || contains "$output" newuidmap
}

@test "a seccomp agent gets the listener of run and of exec, for the container's root and for another user" {
	subordinate_ids
	cp "$FLOE_BUILD/tests/lib/agent" "$T/bin/agent"
	"${as[@]}" "$T/bin/agent" "$HOME_DIR/socket" "$HOME_DIR" 3>&- 4>&- &
	agent=$!
	eventually test -S "$HOME_DIR/socket"
	configure --arg path "$HOME_DIR/socket" '.linux.seccomp = { defaultAction: "SCMP_ACT_ALLOW", listenerPath: $path,
		syscalls: [{ names: ["mkdir", "mkdirat"], action: "SCMP_ACT_NOTIFY" }] }'
	# The filter is loaded before the change of user, and after it. To bind all threads is nothing for one that notifies.
	for user in 0 1000; do
		for late in false true; do
			configure --argjson id "$user" --argjson late "$late" '.process.user = { uid: $id, gid: $id } | .process.noNewPrivileges = $late
				| .linux.seccomp.flags = (if $id == 0 then [] else ["SECCOMP_FILTER_FLAG_TSYNC"] end)'
			script_is 'mkdir /dev/shm/x; echo done'
			run_container
			contains "$output" "Exchange full"
			contains "$output" 'done'
			idle_command
			start_detached
			run rt exec "$ID" sh -c 'mkdir /dev/shm/y; echo done'
			contains "$output" "Exchange full"
			contains "$output" 'done'
			remove_container
			# It became that of the container's user.
			rm -f "$T/$ID."{out,err}
		done
	done
	[ -s "$HOME_DIR/state.7" ]
	kill "$agent"
	wait "$agent" || :
}

@test "root of a user namespace that is not the container's: run, exec, joined namespaces, time offsets" {
	# As podman has a user's containers.
	configure '.linux.namespaces |= map(select(.type != "user")) | del(.linux.uidMappings, .linux.gidMappings)'
	idle_command
	"${as[@]}" unshare --user --map-root-user sleep 1000 3>&- 4>&- &
	holder=$!
	eventually grep -q . "/proc/$holder/uid_map"
	eventually grep -q sleep "/proc/$holder/comm"
	runtime_is "${as[@]}" nsenter --target "$holder" --user --preserve-credentials --setuid 0 --setgid 0 "${REAL[@]}"
	start_detached
	eventually traps TERM "$(pid_of)"
	run rt exec "$ID" sh -c 'echo $(id -u) $(cat /proc/1/comm)'
	[ "$output" = "0 sh" ] || fail "$output"
	first=$(pid_of)
	first_id=$ID
	new_id second
	configure --arg pid "/proc/$first/ns/pid" '.linux.namespaces |= map(if .type == "pid" then .path = $pid else . end)'
	start_detached
	[ "$(readlink "/proc/$(pid_of)/ns/pid")" = "$(readlink "/proc/$first/ns/pid")" ]
	remove_container
	remove_container "$first_id"
	configure '.linux.namespaces |= map(del(.path)) + [{ type: "time" }] | .linux.timeOffsets = { boottime: { secs: 1000000 } }'
	script_is 'cut -d . -f 1 /proc/uptime'
	run_container
	[ "$output" -gt 1000000 ] || fail "$output"
	kill "$holder"
	wait "$holder" || :
}

@test "without newuidmap there is the one id, and more is refused by name" {
	needs_root "hide newuidmap"
	hidden=()
	for program in newuidmap newgidmap; do
		for file in /usr/bin/$program /usr/sbin/$program /usr/local/bin/$program; do
			[ ! -e "$file" ] || hidden+=("$file")
		done
	done
	for file in "${hidden[@]}"; do
		mount --bind /dev/null "$file"
	done
	script_is 'id -u'
	run_container
	one=$output
	configure --argjson first "$SUBORDINATE" '.linux.uidMappings += [{ containerID: 1, hostID: $first, size: 100 }]
		| .linux.gidMappings = .linux.uidMappings'
	run_container
	for file in "${hidden[@]}"; do
		umount "$file"
	done
	[ "$one" = 0 ] || fail "$one"
	[ "$status" -eq 1 ]
	! is_floe || contains "$output" newuidmap
}

@test "where setgroups is denied, additional groups are refused by name" {
	configure '.process.user.additionalGids = [0]'
	command_is true
	run_container
	[ "$status" -eq 1 ]
	! is_floe || contains "$output" group
	configure 'del(.process.user.additionalGids)'
	run_container
	[ "$status" -eq 0 ]
}

@test "without a cgroup of the user's there is none, and limits are refused by name" {
	needs_root "have a user without a cgroup"
	idle_command
	start_detached
	own=$(sed 's/.*://' "/proc/$(pid_of)/cgroup" | sort -u)
	[[ $own != *"$ID"* ]]
	remove_container
	configure '.linux.resources = { memory: { limit: 67108864 } }'
	run_container
	[ "$status" -eq 1 ]
	! is_floe || contains "$output" "run container '$ID'" cgroup
	[ ! -e "$STATE/$ID" ]
	# What an engine gives that does not want any.
	rt --cgroup-manager disabled run --detach --bundle "$BUNDLE" "$ID" </dev/null >"$T/out" 2>&1 || is_floe || skip "crun's option"
	remove_container
}

@test "in a cgroup of the user's limits are in force (version 2)" {
	is_cgroup_v2 || skip "this machine has no cgroup version 2"
	is_rootless || delegate_cgroup
	configure '.linux.resources = { memory: { limit: 67108864 }, pids: { limit: 40 } }'
	idle_command
	start_detached
	dir=/sys/fs/cgroup$(sed -n 's/^0:://p' "/proc/$(pid_of)/cgroup")
	[ "$(cat "$dir/memory.max")" = 67108864 ]
	[ "$(cat "$dir/pids.max")" = 40 ]
	rt pause "$ID"
	is_state paused
	rt resume "$ID"
	rt update --pids-limit 50 "$ID"
	[ "$(cat "$dir/pids.max")" = 50 ]
	[ "$(rt ps --format json "$ID" | jq length)" -ge 1 ]
	rt events --stats "$ID" | jq -e '.data.pids.current >= 1'
	remove_container
	[ ! -e "$dir" ]
	is_rootless || rmdir "/sys/fs/cgroup/$PREFIX-user/idle" "/sys/fs/cgroup/$PREFIX-user"
}

@test "in the host's network namespace sysfs is the host's, read-only where that is asked for" {
	configure '.linux.namespaces |= map(select(.type != "network"))'
	script_is 'ls /sys/class/net >/dev/null && echo there; mkdir /sys/fs/x 2>/dev/null || echo refused; grep -c " /sys " /proc/self/mountinfo'
	run_container
	[ "$status" -eq 0 ] || fail "$output"
	[ "${lines[0]}" = there ]
	[ "${lines[1]}" = refused ]
	[ "${lines[2]}" -ge 1 ]
}

@test "in the host's pid namespace proc is the host's" {
	configure '.linux.namespaces |= map(select(.type != "pid"))'
	script_is 'echo "$$ $(cat /proc/self/stat | cut -d" " -f4)"; cat /proc/1/comm >/dev/null && echo seen; cat /proc/kcore | head -c 1 | wc -c'
	run_container
	[ "$status" -eq 0 ] || fail "$output"
	# Without a cgroup of its own there is a warning.
	[[ ${lines[0]} != *discouraged* ]] || lines=("${lines[@]:1}")
	[ "${lines[0]%% *}" -gt 1 ]
	contains "$output" seen
	[ "${lines[-1]}" = 0 ]
}

@test "the devices are the host's, and no others can be made" {
	script_is 'echo x >/dev/null && head -c 4 /dev/zero | wc -c; mknod /dev/shm/d c 1 3 2>/dev/null || echo refused; stat -c %F /dev/tty'
	run_container
	[ "$output" = $'4\nrefused\ncharacter special file' ] || fail "$output"
	configure '.linux.devices = [{ path: "/dev/mine", type: "c", major: 1, minor: 5 }]'
	script_is 'true'
	run_container
	# There is no such node on the host that could be bound.
	[ "$status" -eq 1 ]
	! is_floe || contains "$output" /dev/mine
}

@test "what needs an id that is not mapped is refused by name" {
	command_is true
	configure '(.mounts[] | select(.destination == "/dev/pts")).options += ["gid=5"]'
	run_container
	[ "$status" -eq 1 ]
	! is_floe || contains "$output" "mounts[" "gid=5"
	own_configuration
	command_is true
	configure '.linux.netDevices = { lo: {} }'
	run_container
	! is_floe || refuses 1 linux.netDevices
	own_configuration
	command_is true
	configure '.process.user.uid = 7'
	run_container
	[ "$status" -eq 1 ]
	own_configuration
	command_is true
	configure 'del(.linux.uidMappings, .linux.gidMappings) | .linux.namespaces |= map(select(.type != "user"))'
	run_container
	[ "$status" -eq 1 ]
	! is_floe || contains "$output" "user namespace"
}

@test "a bind mount shows what the user may see, and with its own restrictions" {
	mkdir -m 700 "$T/secret"
	touch "$T/secret/file"
	mkdir "$HOME_DIR/shared"
	echo content >"$HOME_DIR/shared/file"
	if ! is_rootless; then
		chown -R "$USER_ID:$USER_ID" "$HOME_DIR/shared"
		add_mount /data bind "$T/secret" rbind
		script_is 'ls /data 2>&1; true'
		run_container
		contains "$output" "ls: can't open '/data'"
		[[ $output != *file* ]]
		own_configuration
	fi
	add_mount /data bind "$HOME_DIR/shared" bind ro nosuid
	script_is 'cat /data/file; echo y >/data/file || echo "read-only $(stat -c %u /data/file)"'
	run_container
	contains "$output" content "read-only 0"
	[ "$(cat "$HOME_DIR/shared/file")" = content ]
}

@test "sysctl, host name, loopback and limits of the container are its own" {
	configure '.linux.sysctl = { "net.ipv4.ip_forward": "1", "kernel.shmmax": "1234567" }
		| .process.rlimits = [{ type: "RLIMIT_NOFILE", soft: 99, hard: 99 }]'
	script_is 'cat /proc/sys/net/ipv4/ip_forward /proc/sys/kernel/shmmax; hostname; cat /sys/class/net/lo/operstate; ulimit -n'
	run_container
	[ "$status" -eq 0 ] || fail "$output"
	[ "$output" = $'1\n1234567\ncontained\nunknown\n99' ] || fail "$output"
}

@test "a terminal" {
	configure '.process.terminal = true'
	command_is tty
	run timeout $((20 * PATIENCE)) script -qec "$FLOE_RUNTIME --root $STATE run --bundle $BUNDLE $ID" /dev/null </dev/null
	contains "$output" /dev/pts/0
}

@test "root of a user namespace runs containers too" {
	runtime_is "${as[@]}" unshare --user --map-root-user "${REAL[@]}"
	configure '.linux.uidMappings[0].hostID = 0 | .linux.gidMappings[0].hostID = 0'
	script_is 'id -u; tr -s " " </proc/self/uid_map'
	run_container
	[ "$status" -eq 0 ] || fail "$output"
	[ "$output" = $'0\n 0 0 1' ]
}

@test "a seccomp filter and no_new_privs hold, and the user is not root outside" {
	configure '.linux.seccomp = { defaultAction: "SCMP_ACT_ALLOW", syscalls: [{ names: ["mkdir", "mkdirat"], action: "SCMP_ACT_ERRNO" }] }'
	script_is 'mkdir /dev/shm/x 2>&1; sed -n "s/^NoNewPrivs:[[:space:]]*//p" /proc/self/status; cat /etc/shadow 2>&1 | head -n 1; mount -t tmpfs x /mnt 2>&1'
	run_container
	contains "$output" "Operation not permitted"
	[ "${lines[1]}" = 1 ]
}

@test "the host's cgroups cannot be changed from inside (CVE-2023-25809)" {
	dir=$HOME_DIR/written
	"${as[@]}" mkdir "$dir"
	rt spec --rootless --bundle "$dir"
	for written in no yes; do
		[ $written = no ] || BUNDLE=$dir
		configure --arg rootfs "$ROOTFS" '.root.path = $rootfs | .process.terminal = false'
		script_is 'for d in $(find /sys/fs/cgroup -maxdepth 6 -type d 2>/dev/null); do
			mkdir "$d/escaped" 2>/dev/null && echo "made $d/escaped" && rmdir "$d/escaped"; done
			echo $$ >/sys/fs/cgroup/cgroup.procs && echo moved; true'
		run_container
		[ "$status" -eq 0 ] || fail "$output"
		[[ $output != *made* && $output != *moved* ]] || fail "$output"
	done
}

@test "a time namespace with offsets belongs to the user namespace" {
	floe_only "Debian's others lack time namespaces"
	configure '.linux.namespaces += [{ type: "time" }] | .linux.timeOffsets = { monotonic: { secs: 5000 }, boottime: { secs: 77 } }'
	idle_command
	start_detached
	run rt exec "$ID" cat /proc/self/timens_offsets
	[[ ${lines[0]} =~ ^monotonic\ +5000\ +0 ]]
	[[ ${lines[1]} =~ ^boottime\ +77\ +0 ]]
	remove_container
}

@test "a cgroup of the name that is somebody else's is done without" {
	needs_root "make a cgroup that is somebody else's"
	! is_cgroup_v2 || skip "this machine has cgroup version 2"
	mkdir "/sys/fs/cgroup/pids/$ID"
	script_is 'echo ran'
	run_container
	rmdir "/sys/fs/cgroup/pids/$ID"
	[ "$status" -eq 0 ]
	contains "$output" ran
}

@test "limits and a cgroup that the user may not have are refused with the reason" {
	floe_only "others say it in other words"
	needs_root "have a user without a cgroup"
	script_is true
	configure '.linux.resources.pids.limit = 50'
	run_container
	[ "$status" -eq 1 ]
	contains "$output" "cannot set pids limit: container could not join or create cgroup"
	configure --arg path "/$PREFIX-named" 'del(.linux.resources) | .linux.cgroupsPath = $path'
	run_container
	[ "$status" -eq 1 ]
	contains "$output" "unable to apply cgroup configuration" "permission denied"
}

@test "neither cgroup nor pid namespace is warned of" {
	floe_only "others differ"
	needs_root "have a user without a cgroup"
	script_is 'echo ran'
	run_container
	[ "$status" -eq 0 ]
	[ "$output" = ran ] || fail "$output"
	configure 'del(.linux.namespaces[] | select(.type == "pid"))
		| .mounts |= map(if .type == "proc" then { destination, type: "none", source: "/proc", options: ["rbind"] } else . end)'
	run_container
	[ "$status" -eq 0 ]
	contains "$output" ran "Such configuration is strongly discouraged"
}

@test "access times that the source may have locked are refused by name" {
	"${as[@]}" mkdir "$HOME_DIR/data"
	configure --arg source "$HOME_DIR/data" '.mounts += [{ destination: "/data", type: "bind", source: $source, options: ["bind", "strictatime"] }]'
	command_is true
	run_container
	[ "$status" -eq 1 ]
	! is_floe || contains "$output" "access times"
}

@test "a checkpoint says that it is for root, and the container goes on" {
	local criu
	floe_only "others say what CRIU says"
	criu=$("$SOURCE/tools/install-criu" --print) || skip "there is no CRIU"
	# Its own, where the tests are run by root.
	"${as[@]}" test -x "$criu" || skip "this user may not execute '$criu'"
	idle_command
	start_detached
	run rt checkpoint --image-path "$HOME_DIR/image" "$ID"
	[ "$status" -eq 1 ]
	contains "$output" "CRIU needs CAP_SYS_ADMIN or CAP_CHECKPOINT_RESTORE" "run the runtime as root" "still running"
	[ "$(state_of)" = running ]
	[ ! -e "$HOME_DIR/image/descriptors.json" ]
}
