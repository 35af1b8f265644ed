#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# Options of checkpoint and restore, each by what it changes. (Those that decide whether a kind of state can be frozen:
# preflight.bats and programs.bats; cgroups: environments.bats; the rest: options.bats.)

load ../lib/cr

ticking_container()
{
	ticking "${1:-}"
	start_on_pipe
	ticks_after 1
}

# thawed [OPTION...]: a restore after which the container counts on.
thawed()
{
	local tick
	tick=$(last_tick)
	restore "$@" || fail "$(tail -n 2 "$T/out")"
	ticks_after "${tick:-0}"
}

# A connection within the container.
connected_container()
{
	ticking_container '(tail -f /dev/null | nc -l -p 7000 >/dev/null) & '"$(listens 7000)"'
		(tail -f /dev/null | nc 127.0.0.1 7000 >/dev/null) & '"$(connects 7000);"
}

connections()
{
	cat "/proc/$(pid_of)/net"/tcp{,6} | awk '$4 == "01"' | wc -l
}

rules()
{
	nsenter --target "$(pid_of)" --net nft list ruleset 3>&- 4>&- {PIPE}>&-
}

@test "--tcp-close drops the connections that --tcp-established keeps" {
	connected_container
	checkpoint --tcp-established
	thawed --tcp-established
	[ "$(connections)" -eq 2 ]
	remove_container
	: >"$T/out"
	restore --tcp-close
	ticks_after 0
	[ "$(connections)" -eq 0 ]
	remove_container
}

@test "--network-lock is the method that locks, and no rule is left" {
	local method
	command -v nft >/dev/null || skip "no nft to look at the rules with"
	for method in nftables iptables skip; do
		if [ $method = iptables ] && ! command -v iptables-restore >/dev/null; then
			continue
		fi
		new_id $method
		: >"$T/out"
		rm -rf "$T/image"
		connected_container
		checkpoint --tcp-established --network-lock $method --leave-running
		[ -z "$(rules | grep -i criu)" ] || fail "$(rules)"
		case $method in
		nftables) grep -q 'nftables\|CRIU-' "$T/image/dump.log" ;;
		iptables) grep -q 'iptables' "$T/image/dump.log" ;;
		skip) [ "$(grep -c 'iptables\|CRIU-' "$T/image/dump.log")" -eq 0 ] ;;
		esac || fail "$method: $(grep -i 'lock' "$T/image/dump.log")"
		remove_container
		: >"$T/out"
		restore --tcp-established
		ticks_after 0
		[ "$(connections)" -eq 2 ]
		[ -z "$(rules | grep -i criu)" ] || fail "$(rules)"
		remove_container
	done
	ticking_container
	run checkpoint --network-lock sometimes
	[ "$status" -eq 1 ]
	contains "$output" network-lock sometimes
}

@test "--page-server sends the memory there" {
	local port=$((21000 + RANDOM % 2000)) server
	ticking_container
	mkdir "$T/pages"
	"$FLOE_CRIU" page-server --images-dir "$T/pages" --address 127.0.0.1 --port $port >"$T/server" 2>&1 3>&- 4>&- {PIPE}>&- &
	server=$!
	eventually grep -q ":$(printf %04X $port) .* 0A " /proc/net/tcp
	run checkpoint --page-server "127.0.0.1:$port"
	[ "$status" -eq 0 ] || fail "$output"
	wait $server || fail "$(cat "$T/server")"
	[ -z "$(find "$T/image" -name 'pages-*.img')" ] || fail "$(ls -l "$T/image")"
	[ -n "$(find "$T/pages" -name 'pages-*.img')" ] || fail "$(ls -l "$T/pages" "$T/image"; cat "$T/server")"
	mv "$T/pages"/page*.img "$T/image"
	thawed
	remove_container
}

@test "what page server, parent and status descriptor there is no sense in" {
	local wrong words
	ticking_container
	while IFS='|' read -r wrong words; do
		# shellcheck disable=SC2086
		run checkpoint $wrong
		[ "$status" -ne 0 ] || fail "$wrong: works"
		[ "$(state_of)" = running ] || fail "$wrong: is $(state_of)"
		! is_floe || contains "$output" "$words"
		[ ! -e "$T/image/descriptors.json" ] || fail "$wrong: leaves an image"
	done <<-TABLE
		--page-server nowhere|use --page-server ADDRESS:PORT
		--page-server 127.0.0.1:0|invalid port number
		--page-server 127.0.0.1:x|invalid port number
		--parent-path /absolute|--parent-path must be relative
		--parent-path ../no-parent|parent-path
		--lazy-pages --page-server 127.0.0.1:27 --status-fd 77|invalid --status-fd argument 77
		--pre-dump --lazy-pages|exclude each other
		--empty-ns pid|only 'network' is
		--manage-cgroups-mode sometimes|sometimes
		--network-lock sometimes|sometimes
	TABLE
	remove_container
}

@test "--status-fd without --lazy-pages gets nothing, which is said" {
	[ "$RUNTIME_NAME" != crun ] || skip "crun has no such option"
	ticking_container
	run checkpoint --leave-running --status-fd 9 9>"$T/status"
	[ "$status" -eq 0 ]
	[ ! -s "$T/status" ]
	! is_floe || contains "$output" "--status-fd 9" "without --lazy-pages"
	[ "$(state_of)" = running ]
	remove_container
}

@test "--auto-dedup gives the disk back what is restored" {
	local before
	ticking_container
	checkpoint
	before=$(stat -c %b "$T/image/pages-1.img")
	thawed --auto-dedup
	[ "$(stat -c %b "$T/image/pages-1.img")" -lt "$before" ] || fail "$before blocks, and still"
	remove_container
}

@test "--empty-ns network is what happens anyway" {
	ticking_container
	checkpoint --empty-ns network
	thawed --empty-ns network
	contains "$(inside ip link show lo)" UP
	remove_container
	run restore --empty-ns ipc
	[ "$status" -eq 1 ]
}

@test "--lsm-profile and --lsm-mount-context are handed to CRIU" {
	ticking_container
	checkpoint
	run restore --lsm-profile nonsense
	[ "$status" -eq 1 ]
	! is_floe || says "TYPE:NAME"
	is_gone
	if [ "$(cat /sys/module/apparmor/parameters/enabled 2>/dev/null)" != Y ]; then
		: >"$T/out"
		run restore --lsm-profile apparmor:floe-no-such-profile
		[ "$status" -eq 1 ]
		is_gone
	fi
	thawed --lsm-mount-context system_u:object_r:container_file_t:s0
	remove_container
}

@test "--print-stats tells CRIU's times" {
	floe_only "an option of floe's"
	ticking_container
	run checkpoint --print-stats
	[ "$status" -eq 0 ]
	jq -e '[.. | numbers] | length >= 5' <<<"$output" >/dev/null || fail "$output"
	thawed
	remove_container
}

@test "--shell-job freezes what runs at the caller's terminal, which CRIU does not restore in a mount namespace" {
	local terminal
	command -v script >/dev/null || skip "no script(1) to have a terminal with"
	exec {PIPE}>/dev/null
	ticking
	mkfifo "$T/keys"
	script -qefc "'$FLOE_RUNTIME' --root '$STATE' run --bundle '$BUNDLE' '$ID'" /dev/null <>"$T/keys" >"$T/out" 2>&1 3>&- 4>&- &
	terminal=$!
	eventually grep -q '^tick 3' "$T/out"
	run checkpoint
	[ "$status" -eq 1 ]
	! is_floe || contains "$output" --shell-job
	checkpoint --shell-job
	wait $terminal || :
	run timeout $((60 * PATIENCE)) script -qefc "'$FLOE_RUNTIME' --root '$STATE' restore --shell-job --bundle '$BUNDLE' \
		--image-path '$T/image' '$ID'" /dev/null <>"$T/keys" 3>&- 4>&-
	[ "$status" -eq 1 ]
	! is_floe || contains "$output" "$T/image/restore.log"
	is_gone
}

@test "configuration files of CRIU count in their order" {
	connected_container
	# Of the user's home: our request says otherwise, where it says anything.
	mkdir -p "$T/home/.criu"
	printf 'tcp-established\nghost-limit 12345\n' >"$T/home/.criu/default.conf"
	HOME=$T/home run checkpoint
	[ "$status" -eq 1 ]
	! is_floe || contains "$output" --tcp-established
	# Named by the bundle: overrides the request.
	echo tcp-established >"$T/criu.conf"
	remove_container
	: >"$T/out"
	configure --arg conf "$T/criu.conf" '.annotations["org.criu.config"] = $conf'
	connected_container
	HOME=$T/home checkpoint
	thawed
	[ "$(connections)" -eq 2 ]
	remove_container
	# An empty one: no file.
	: >"$T/out"
	configure '.annotations["org.criu.config"] = ""'
	connected_container
	run checkpoint
	[ "$status" -eq 1 ]
	remove_container
}

# fake_criu VERSION: answers the question for its version, and nothing else.
fake_criu()
{
	local major=$(($1 / 10000)) minor=$(($1 / 100 % 100))
	printf '#!/bin/bash\nenv printf "\\x08\\x0a\\x10\\x01\\x52\\x04\\x08\\x%02x\\x10\\x%02x" >&"$2"\nread -r -t 5 -u "$2" -N 1\n' \
		$major $minor >"$T/criu"
	chmod +x "$T/criu"
}

@test "a CRIU without what is asked for is named with its version" {
	local version options words
	floe_only "the options are floe's"
	ticking_container
	while IFS='|' read -r version options words; do
		fake_criu "$version"
		# shellcheck disable=SC2086
		run timeout $((20 * PATIENCE)) "$FLOE_RUNTIME" --root "$STATE" --criu "$T/criu" checkpoint --image-path "$T/image" $options "$ID" \
			3>&- 4>&- {PIPE}>&-
		[ "$status" -eq 1 ] || fail "$version $options: works"
		contains "$output" "$words" "$version" || fail "$version $options: $output"
		[ "$(state_of)" = running ]
	done <<-TABLE
		29900||CRIU version 29900 must be 30000 or higher
		31000||criu lacks support for external net namespace during the checkpointing process
		31400||criu lacks support for external pid namespace during the checkpointing process
		31500|--network-lock nftables|requires at least CRIU 3.16
		31800|--network-lock skip|requires at least CRIU 3.19
	TABLE
	checkpoint
	while IFS='|' read -r version options words; do
		fake_criu "$version"
		: >"$T/out"
		# shellcheck disable=SC2086
		run timeout $((20 * PATIENCE)) "$FLOE_RUNTIME" --root "$STATE" --criu "$T/criu" restore --detach --bundle "$BUNDLE" --image-path "$T/image" \
			$options "$ID" </dev/null 3>&- 4>&- {PIPE}>&-
		[ "$status" -eq 1 ] || fail "$version $options: works"
		contains "$output" "$words" || fail "$version $options: $output"
		is_gone
	done <<-TABLE
		29900||CRIU version 29900 must be 30000 or higher
		31000||criu lacks support for external net namespace during the restoration process
		31500|--lsm-profile apparmor:unconfined|--lsm-profile requires at least CRIU 3.16
		31500|--lsm-mount-context x|--lsm-mount-context requires at least CRIU 3.16
	TABLE
}

@test "hooks of a restore run in their order, with the state of the container" {
	floe_only "crun runs none"
	cat >"$T/hook" <<-'HOOK'
		#!/bin/sh
		echo "$1 $(jq -r '"\(.status) \(.pid > 0)"')" >>"${0%/*}/hooks"
	HOOK
	chmod +x "$T/hook"
	configure --arg hook "$T/hook" '.hooks = ([["prestart", "prestart"], ["createRuntime", "createRuntime"],
			["createContainer", "createContainer"], ["startContainer", "startContainer"], ["poststart", "poststart"],
			["poststop", "poststop"]] | map({ (.[0]): [{ path: $hook, args: ["hook", .[1]] }] }) | add)
		| .annotations["org.floe.hooks.post-restore"] = ([{ path: $hook, args: ["hook", "post-restore"] }] | tojson)
		| del(.hooks.createContainer, .hooks.startContainer)'
	ticking_container
	checkpoint
	rm "$T/hooks"
	thawed
	[ "$(cut -d' ' -f1 "$T/hooks" | paste -sd' ')" = "prestart createRuntime post-restore" ] || fail "$(cat "$T/hooks")"
	[ "$(grep -c 'true$' "$T/hooks")" -eq 3 ]
	remove_container
	# One that fails ends it.
	rm "$T/hooks"
	printf '#!/bin/sh\nexit 3\n' >"$T/hook"
	: >"$T/out"
	run restore
	[ "$status" -eq 1 ]
	says hook
	is_gone
}

# serve [OPTION...]: freeze the container, with a page server for its memory in the background, and wait until that listens.
# Sets $server and $port.
serve()
{
	port=$((23000 + RANDOM % 2000))
	rm -f "$T/status"
	mkfifo "$T/status"
	timeout --kill-after=5 $((60 * PATIENCE)) "$FLOE_RUNTIME" --root "$STATE" checkpoint --image-path "$T/image" --lazy-pages \
		--page-server "127.0.0.1:$port" --status-fd 9 "$@" "$ID" 9>"$T/status" >"$T/said" 2>&1 3>&- 4>&- {PIPE}>&- &
	server=$!
	if [ "$(timeout $((60 * PATIENCE)) head -c 1 "$T/status" | od -An -tx1)" != ' 00' ]; then
		wait $server || :
		fail "no byte came from the status descriptor: $(cat "$T/said")"
	fi
}

# CRIU's page server makes pipes of this size.
can_serve()
{
	[ "$(cat /proc/sys/fs/pipe-max-size)" -ge 4194304 ] || can_dump_other_users
}

@test "--lazy-pages keeps the frozen container until another has fetched its memory" {
	local daemon before=$ID
	can_serve || skip "CRIU's page server needs CAP_SYS_RESOURCE or a sysctl fs.pipe-max-size of 4194304"
	ticking_container
	serve
	tick=$(last_tick)
	[ -n "$(rt list --quiet | grep -x "$ID")" ]
	new_id other
	if is_floe; then
		run restore
		[ "$status" -eq 1 ]
		says "left its memory to a page server" "restore with --lazy-pages"
		is_gone
	fi
	(cd "$T/image" && exec timeout --kill-after=5 $((60 * PATIENCE)) "$FLOE_CRIU" lazy-pages --images-dir "$T/image" --work-dir "$T/image" \
		--page-server --address 127.0.0.1 --port "$port" >"$T/daemon" 2>&1 3>&- 4>&- {PIPE}>&-) &
	daemon=$!
	eventually test -S "$T/image/lazy-pages.socket"
	restore --lazy-pages || fail "$(tail -n 2 "$T/out")"
	ticks_after "$tick"
	wait $daemon || fail "$(cat "$T/daemon")"
	wait $server || fail "$(cat "$T/said")"
	run ! rt state "$before"
	ticks_after "$(last_tick)"
	remove_container
	ticks_are_continuous
}

@test "a page server that is ended, or that the other end leaves, lets the container go on" {
	can_serve || skip "CRIU's page server needs CAP_SYS_RESOURCE or a sysctl fs.pipe-max-size of 4194304"
	ticking_container
	serve
	tick=$(last_tick)
	kill -KILL "$(pgrep --parent "$(pgrep --parent $server)" criu)"
	status=0
	wait $server || status=$?
	[ "$status" -eq 1 ]
	! is_floe || contains "$(cat "$T/said")" "still running"
	ticks_after "$tick"
	[ ! -e "$T/image/descriptors.json" ] || fail "the image looks whole"
	# Half a question, and away.
	serve
	tick=$(last_tick)
	exec 8<>"/dev/tcp/127.0.0.1/$port"
	printf x >&8
	exec 8>&-
	status=0
	wait $server || status=$?
	[ "$status" -eq 1 ]
	! is_floe || contains "$(cat "$T/said")" "still running"
	ticks_after "$tick"
	[ ! -e "$T/image/descriptors.json" ] || fail "the image looks whole"
	remove_container
	ticks_are_continuous
}

@test "--lazy-pages is refused before anything is frozen where CRIU cannot serve pages" {
	floe_only "others freeze it, and CRIU fails"
	[ "$(cat /proc/sys/fs/pipe-max-size)" -lt 4194304 ] || skip "fs.pipe-max-size is large enough for everybody"
	ticking_container
	for dry_run in '' --dry-run; do
		# shellcheck disable=SC2086
		run timeout $((60 * PATIENCE)) setpriv --bounding-set -sys_resource --inh-caps -sys_resource "$FLOE_RUNTIME" --root "$STATE" checkpoint \
			$dry_run --image-path "$T/image" --lazy-pages --page-server 127.0.0.1:27001 "$ID" 3>&- 4>&- {PIPE}>&-
		[ "$status" -eq 1 ]
		contains "$output" "needs a pipe of 4194304 bytes" fs.pipe-max-size "without --lazy-pages" || fail "$output"
		[ ! -e "$T/image" ]
	done
	ticks_after "$(last_tick)"
	remove_container
}
