#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# `checkpoint --dry-run` put beside the real thing: each situation of tests/cr/preflight is made in a container, the dry run
# must name it (or keep silent), and the checkpoint must really fail for it (or work, with the option that was named).

load ../lib/cr

SITUATIONS=${FLOE_BUILD:-$SOURCE/build}/tests/cr/preflight/situations

setup_file()
{
	container_setup_file
	mkdir -p "$BATS_FILE_TMPDIR/rootfs/outside"
	[ ! -x "$SITUATIONS" ] || cp "$SITUATIONS" "$BATS_FILE_TMPDIR/rootfs/situations"
	cp -a "$BATS_FILE_TMPDIR/rootfs" "$BATS_FILE_TMPDIR/writable"
}

setup()
{
	floe_only
	[ -x "$SITUATIONS" ] || skip "no static C library to build the situations with"
	container_setup
	OUTSIDE=$T/outside
	mkdir "$OUTSIDE"
	"$SITUATIONS" serve "$OUTSIDE" >"$T/serve.out" 3>&- 4>&- &
	SERVER=$!
	# shellcheck disable=SC2016 # jq's variables
	configure --arg rootfs "$BATS_FILE_TMPDIR/writable" '
		("CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE
		  NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_ADMIN SYS_NICE SYS_TIME
		  SYS_TTY_CONFIG MKNOD LEASE SETFCAP PERFMON BPF SYSLOG" | split("\\s+"; "") | map("CAP_" + .)) as $all |
		.process.capabilities = { bounding: $all, effective: $all, permitted: $all } |
		.process.noNewPrivileges = false |
		.root = { path: $rootfs, readonly: false } |
		.linux.resources.devices = [{ allow: true, access: "rwm" }] |
		del(.linux.maskedPaths, .linux.readonlyPaths) |
		.linux.devices = [
			{ path: "/dev/fuse", type: "c", major: 10, minor: 229 },
			{ path: "/dev/net/tun", type: "c", major: 10, minor: 200 },
			{ path: "/dev/loop-control", type: "c", major: 10, minor: 237 },
			{ path: "/dev/loop0", type: "b", major: 7, minor: 0 }
		]'
	add_mount /outside bind "$OUTSIDE" rbind rw
	# For a process that does not stop CRIU waits ten seconds otherwise.
	echo 'timeout 2' >"$T/timeout.conf"
	configure --arg conf "$T/timeout.conf" '.annotations["org.criu.config"] = $conf'
	open_pipe
}

teardown()
{
	if [ -n "${SERVER:-}" ]; then
		kill "$SERVER"
		wait "$SERVER" || :
	fi
	cr_teardown
}

# dry_run [OPTION...]: sets $status, and $output to the JSON document.
dry_run()
{
	run --separate-stderr timeout $((60 * PATIENCE)) "$FLOE_RUNTIME" --root "$STATE" checkpoint --dry-run --format json \
		--image-path "$T/image" "$@" "$ID" 3>&- 4>&- {PIPE}>&-
	# shellcheck disable=SC2154
	[ "$status" -le 1 ] && jq -e .verdict >/dev/null <<<"$output" || fail "status $status: $output $stderr"
}

# Names of the checks in one of the lists, each once.
checks()
{
	jq -r --arg list "$1" '.[$list][].check' <<<"$output" | sort -u | paste -sd' '
}

# begin NAME: a container in that situation, unless this machine cannot make it: see is_possible.
begin()
{
	rm -rf "$BATS_FILE_TMPDIR"/writable/data/* "$T/image"
	: >"$T/out"
	new_id "$1"
	command_is /situations "$1"
	start_on_pipe
	eventually file_contains "$T/out" ""
	eventually said_something
	if is_possible; then
		grep -q '^ready' "$T/out" || fail "$1: $(cat "$T/out")"
	else
		echo "# $1 is not possible here: $(cat "$T/out")" >&3
		remove_container
	fi
}

is_possible()
{
	! grep -q '^skip: ' "$T/out"
}

said_something()
{
	grep -qE '^(ready|skip:|failed:)' "$T/out"
}

# The situations whose fields match: NAME CHECK OPTION REALLY. (Where there is none, a here-string still has a line, of which
# begin makes a failure.)
situations()
{
	"$SITUATIONS" list | awk -F'\t' "$1" | sort
}

fails_with()
{
	run checkpoint "$@"
	[ "$status" -eq 1 ] || fail "$ID: the checkpoint works (status $status)"
	[ "$(state_of)" = running ] || fail "$ID: the container is not running afterwards"
}

works_with()
{
	rm -rf "$T/image"
	run checkpoint "$@"
	[ "$status" -eq 0 ] || fail "$ID: $output"
}

@test "nothing is said about what CRIU keeps, and it is kept" {
	while read -r name _; do
		begin "$name"
		is_possible || continue
		dry_run
		[ "$status" -eq 0 ] || fail "$name: $output"
		[ "$(jq '.blockers + .warnings + .lifted | length' <<<"$output")" -eq 0 ] || fail "$name: $output"
		[ "$(jq -r .verdict <<<"$output")" = ok ]
		works_with
		restore || fail "$name: $(tail -n 3 "$T/out")"
		sleep 0.1
		[ "$(state_of)" = running ] || fail "$name does not run after the restore"
		remove_container
	done <<<"$(situations '$4 == "works"')"
}

@test "each obstacle is named, and the checkpoint fails for it" {
	while read -r name check _; do
		begin "$name"
		is_possible || continue
		dry_run
		[ "$status" -eq 1 ] || fail "$name: $output"
		[[ " $(checks blockers) " == *" $check "* ]] || fail "$name: $output"
		[ "$(jq -r .verdict <<<"$output")" = blocked ]
		# Somebody to look at, and something to do.
		jq -e --arg check "$check" '[.blockers[] | select(.check == $check)] |
			all((.pid // 1) > 0 and .count >= 1 and (.remedy or .criuOption) and (.option | not))' <<<"$output" >/dev/null ||
			fail "$name: $output"
		fails_with
		remove_container
	done <<<"$(situations '$4 == "fails" && $3 == "-"')"
}

@test "an obstacle that an option lifts is no longer one with it" {
	while read -r name check option _; do
		begin "$name"
		is_possible || continue
		dry_run
		[ "$status" -eq 1 ] || fail "$name: $output"
		[ "$(checks blockers)" = "$check" ] || fail "$name: $output"
		[ "$(jq -r '[.blockers[].option] | unique | join(" ")' <<<"$output")" = "$option" ] || fail "$name: $output"
		[ "$(jq '[.blockers[] | .descriptor // 0] | min' <<<"$output")" -ge 0 ]
		fails_with
		dry_run "$option"
		[ "$status" -eq 0 ] || fail "$name $option: $output"
		[ "$(checks lifted)" = "$check" ] || fail "$name $option: $output"
		[ "$(jq -r '.lifted[0].liftedBy' <<<"$output")" = "$option" ]
		works_with "$option"
	done <<<"$(situations '$4 == "fails" && $3 != "-"')"
}

@test "what only the restore cannot do is named as well" {
	while read -r name check _; do
		begin "$name"
		is_possible || continue
		dry_run
		[ "$status" -eq 1 ] || fail "$name: $output"
		[[ " $(checks blockers) " == *" $check "* ]] || fail "$name: $output"
		works_with
		run restore
		[ "$status" -ne 0 ] || [ "$(state_of)" != running ] || fail "$name: the restore works"
		rt delete --force "$ID" 2>/dev/null || :
	done <<<"$(situations '$4 == "restore"')"
}

@test "what is lost is warned of" {
	while read -r name check _; do
		begin "$name"
		is_possible || continue
		dry_run
		[ "$status" -eq 0 ] || fail "$name: $output"
		[ "$(checks warnings)" = "$check" ] || fail "$name: $output"
		works_with
		restore
		remove_container
	done <<<"$(situations '$4 == "lost"')"
}

@test "a datagram socket that leads out needs --ext-unix-sk, in one network namespace" {
	configure '.linux.namespaces |= map(select(.type != "network")) | .mounts |= map(select(.destination != "/sys"))'
	# A restore looks for the socket at the same path.
	mkdir -p "$BATS_FILE_TMPDIR/writable$OUTSIDE"
	configure --arg dir "$OUTSIDE" '.mounts += [{ destination: $dir, type: "bind", source: $dir, options: ["rbind"] }]'
	begin unix_datagram_outside
	dry_run
	[ "$status" -eq 1 ]
	[ "$(jq -r '.blockers[] | .check + " " + .option + " " + .path' <<<"$output")" = \
		"unix-outside --ext-unix-sk $OUTSIDE/datagram" ]
	fails_with
	dry_run --ext-unix-sk
	[ "$status" -eq 0 ]
	works_with --ext-unix-sk
	restore --ext-unix-sk
	remove_container
	begin unix_stream_outside
	dry_run --ext-unix-sk
	[ "$status" -eq 1 ]
	[ "$(jq -r '.blockers[0].option' <<<"$output")" = null ]
	fails_with --ext-unix-sk
}

@test "watches on an overlay are found as CRIU finds them" {
	overlay_rootfs busybox
	cp "$SITUATIONS" "$BUNDLE/rootfs/situations"
	mkdir -p "$BUNDLE/rootfs"/{tmp,data,outside}
	begin watch_root_etc
	dry_run
	[ "$status" -eq 0 ] || fail "$output"
	works_with
	restore
	remove_container

	# Elsewhere it has to be told where they are, the root itself among them.
	for situation in watch_root_mark watch_root_tmp watch_root_itself; do
		begin $situation
		dry_run
		[ "$status" -eq 0 ] || fail "$situation: $output"
		works_with
		restore
		remove_container
	done
}

@test "an option of CRIU's configuration file counts" {
	begin deleted_big
	dry_run
	[ "$status" -eq 1 ]
	jq -r '.blockers[0].criuOption' <<<"$output" >"$T/criu.conf"
	remove_container
	configure --arg conf "$T/criu.conf" '.annotations["org.criu.config"] = $conf'
	begin deleted_big
	dry_run
	[ "$status" -eq 0 ] || fail "$output"
	[ "$(jq .estimate.deletedFilesBytes <<<"$output")" -ge $((3 << 20)) ]
	works_with
	# It overrides what the caller says.
	echo file-locks >"$T/criu.conf"
	begin locked_flock
	dry_run
	[ "$status" -eq 0 ] || fail "$output"
	[ "$(jq -r '.lifted[0].liftedBy' <<<"$output")" = "file-locks in '$T/criu.conf'" ]
	works_with
}

@test "stdio on a file of the host is an obstacle" {
	command_is /situations nothing
	rt run --detach --bundle "$BUNDLE" "$ID" </dev/null >"$T/file" 2>&1 {PIPE}>&-
	eventually file_contains "$T/file" ready
	dry_run
	[ "$status" -eq 1 ]
	[ "$(jq -r '.blockers[] | "\(.check) \(.pid) \(.descriptor) \(.count)"' <<<"$output")" = "file-outside $(pid_of) 1 2" ] ||
		fail "$output"
	contains "$(jq -r '.blockers[0].remedy' <<<"$output")" pipe
	fails_with
}

@test "the caller's terminal needs --shell-job" {
	command -v script >/dev/null || skip "no script(1) to have a terminal with"
	command_is /situations nothing
	# script's own end of the terminal must stay; nobody types.
	mkfifo "$T/keys"
	script -qec "'$FLOE_RUNTIME' --root '$STATE' run --bundle '$BUNDLE' '$ID'" /dev/null \
		<>"$T/keys" >"$T/out" 2>&1 3>&- 4>&- {PIPE}>&- &
	terminal=$!
	eventually file_contains "$T/out" ready
	dry_run
	[ "$status" -eq 1 ]
	[ "$(jq -r '[.blockers[].check] | unique | join(" ")' <<<"$output")" = terminal-outside ] || fail "$output"
	[ "$(jq -r '[.blockers[].option] | unique | join(" ")' <<<"$output")" = --shell-job ]
	fails_with
	dry_run --shell-job
	[ "$status" -eq 0 ] || fail "$output"
	contains "$(jq -r '.warnings[] | select(.check == "terminal-outside").message' <<<"$output")" "CRIU does not restore it"
	remove_container
	wait "$terminal" || :
}

@test "mounts that came in later, or get theirs from outside, are obstacles" {
	begin nothing
	mkdir -p "$T/later/a" "$BATS_FILE_TMPDIR/writable/data/m"
	nsenter --target "$(pid_of)" --mount mkdir -p /data/m /data/from
	nsenter --target "$(pid_of)" --mount mount -t tmpfs later /data/from
	nsenter --target "$(pid_of)" --mount mkdir /data/from/part
	nsenter --target "$(pid_of)" --mount mount --bind /data/from/part /data/m
	nsenter --target "$(pid_of)" --mount umount /data/from
	dry_run
	[ "$(jq -r '.blockers[] | .check + " " + .path' <<<"$output")" = "mount-outside /data/m" ] || fail "$output"
	fails_with
	remove_container

	mount -t tmpfs source "$T/later"
	mkdir "$T/later/a"
	mount -t tmpfs below "$T/later/a"
	mount --make-shared "$T/later/a"
	add_mount /mnt bind "$T/later" rbind rslave
	begin nothing
	dry_run
	run_status=$status
	findings=$(jq -r '.blockers[] | .check + " " + .path' <<<"$output")
	fails_with
	remove_container
	umount "$T/later/a" "$T/later"
	[ "$run_status" -eq 1 ]
	[ "$findings" = "mount-propagation /mnt/a" ]
}

@test "processes that exec started are left out, and that is said" {
	begin nothing
	rt exec --detach "$ID" sh -c 'while :; do sleep 0.1; done' </dev/null >&"$PIPE" 2>&1 {PIPE}>&-
	dry_run
	[ "$status" -eq 0 ] || fail "$output"
	[ "$(checks warnings)" = process-outside ]
	[ "$(jq -r '.warnings[] | .command' <<<"$output")" = sh ]
	[ "$(jq .estimate.processes <<<"$output")" -eq 1 ]
	works_with
}

@test "a paused container is inspected as it is" {
	begin locked_flock
	rt pause "$ID"
	dry_run
	[ "$(checks blockers)" = file-lock ] || fail "$output"
	[ "$(state_of)" = paused ]
	rt resume "$ID"
}

@test "a stopped process in a paused container would make CRIU wait for ever (version 1)" {
	! is_cgroup_v2 || skip "the freezer of cgroups of version 2 does not mind"
	begin stopped
	dry_run
	[ "$status" -eq 0 ]
	rt pause "$ID"
	dry_run
	rt resume "$ID"
	[ "$(checks blockers)" = process-stopped ] || fail "$output"
}

@test "the container goes on while it is looked at" {
	ticking
	start_on_pipe
	ticks_after 3
	for _ in 1 2 3 4 5 6 7 8; do
		dry_run
		[ "$status" -eq 0 ] || fail "$output"
	done
	tick=$(last_tick)
	ticks_after "$tick"
	[ ! -e "$T/image" ]
	remove_container
	ticks_are_continuous
}

@test "processes that come and go are no trouble" {
	script_is 'echo ready; while :; do for i in 1 2 3 4 5 6 7 8; do (true; true) & done; wait; done'
	start_on_pipe
	eventually file_contains "$T/out" ready
	for _ in $(seq 20); do
		dry_run
		[ "$(jq '[.warnings[], .blockers[] | select(.check == "unseen")] | length' <<<"$output")" -eq 0 ] || fail "$output"
	done
}

@test "the estimate is near what the image will have" {
	begin kept_memory
	dry_run
	estimate=$(jq .estimate.totalBytes <<<"$output")
	[ "$(jq '.estimate | .processes * 1000 + .threads' <<<"$output")" -eq 1001 ]
	[ "$(jq .estimate.memoryBytes <<<"$output")" -ge $((16 << 20)) ]
	works_with --work-path "$T/work"
	real=$(du --summarize --bytes "$T/image" | cut -f1)
	[ "$estimate" -ge $((real * 9 / 10)) ] || fail "estimate $estimate, real $real"
	[ "$estimate" -le $((real * 12 / 10)) ] || fail "estimate $estimate, real $real"
}

@test "a hundred processes are looked at in a moment" {
	script_is 'i=0; while [ $i -lt 100 ]; do sleep 1000 & i=$((i + 1)); done; echo ready; wait'
	start_on_pipe
	eventually file_contains "$T/out" ready
	begin=${EPOCHREALTIME/./}
	dry_run
	end=${EPOCHREALTIME/./}
	[ "$(jq .estimate.processes <<<"$output")" -eq 101 ]
	[ "$status" -eq 0 ]
	# Some 20 ms; the machine may be busy, and sanitizers take their time.
	[ $(((end - begin) / 1000)) -lt $((2000 * PATIENCE)) ] || fail "$(((end - begin) / 1000)) ms"
}

@test "redis, nginx and python give no false alarm" {
	local server
	for server in redis nginx python; do
		new_id "$server"
		overlay_rootfs "$server"
		add_mount /run tmpfs tmpfs nosuid nodev mode=1777
		case $server in
		redis) command_is redis-server --save "" --dir /run --unixsocket /run/redis.sock ;;
		nginx)
			printf '%s\n' 'user root; worker_processes 3; daemon off; pid /run/nginx.pid; error_log stderr;' \
				'events { worker_connections 64; }' \
				'http { access_log /dev/stdout; client_body_temp_path /run; proxy_temp_path /run;
				fastcgi_temp_path /run; uwsgi_temp_path /run; scgi_temp_path /run;
				server { listen 127.0.0.1:8080; root /var/www/html; } }' >"$BUNDLE/rootfs/etc/nginx/nginx.conf"
			command_is nginx
			;;
		python) command_is python3 -u -m http.server 8000 ;;
		esac
		rm -rf "$T/image"
		start_on_pipe
		eventually listens
		dry_run
		[ "$status" -eq 0 ] || fail "$server: $output"
		[ "$(jq '.blockers + .warnings | length' <<<"$output")" -eq 0 ] || fail "$server: $output"
		works_with
		umount "$OVERLAY"
		rm -rf "$T/upper" "$T/overlay-work"
		OVERLAY=
	done
}

listens()
{
	grep -qE '^ *[0-9]+: [0-9A-F:]+ [0-9A-F:]+ 0A ' "/proc/$(pid_of)/net/tcp"
}

@test "the text names each finding in a line and ends with the verdict" {
	begin tcp_established
	run --separate-stderr rt checkpoint --dry-run "$ID"
	[ "$status" -eq 1 ]
	[ -z "$stderr" ]
	pid=$(pid_of)
	[ "${#lines[@]}" -eq 4 ]
	contains "${lines[0]}" "container '$ID': 1 process, 1 thread, 6 descriptors; an image of about"
	contains "${lines[1]}" "blocker: pid $pid (situations), descriptor 4: TCP connection 127.0.0.1:" \
		"127.0.0.1:7777 (established); use --tcp-established"
	contains "${lines[2]}" "blocker: pid $pid (situations), descriptor 5: TCP connection 127.0.0.1:7777 - "
	[ "${lines[3]}" = "the checkpoint will not work: 2 blockers" ]
	run --separate-stderr rt checkpoint --dry-run --tcp-established "$ID"
	[ "$status" -eq 0 ]
	[ "${#lines[@]}" -eq 2 ]
	[ "${lines[1]}" = "the checkpoint will work" ]
	run --separate-stderr rt --debug --log "$T/log" checkpoint --dry-run --tcp-established "$ID"
	contains "$output" "ok: pid $pid (situations), descriptor 4: TCP connection" "ok because of --tcp-established"
}

@test "a dry run refuses what it cannot inspect" {
	run rt checkpoint --dry-run nobody
	refuses 1 "container 'nobody' does not exist"
	run rt checkpoint --format json "$ID"
	refuses 1 "--format is for --dry-run only"
	run rt checkpoint --dry-run --format xml "$ID"
	refuses 1 "format"
	command_is true
	create_container {PIPE}>&-
	run rt checkpoint --dry-run "$ID"
	refuses 1 "it is created"
	run rt checkpoint --dry-run --pre-dump --lazy-pages "$ID"
	[ "$status" -eq 1 ]
}

@test "a checkpoint whose failure CRIU does not explain tells what an inspection finds" {
	begin shared_memory
	child=$(pgrep --parent "$(pid_of)")
	run checkpoint
	[ "$status" -eq 1 ]
	contains "$output" "the container is still running; an inspection finds: pid $child (situations): it shares its memory"
	remove_container
	begin vsock
	run checkpoint
	contains "$output" "an inspection finds: pid $(pid_of) (situations), descriptor 3: a socket of protocol AF_VSOCK"
}
