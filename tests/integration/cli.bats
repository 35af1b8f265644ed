#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# The command line itself: how options may be written, global options, logs, the configuration file, help.

load ../lib/helpers

setup_is_floe()
{
	floe_only "others have their own command line"
}

# floe [OPTION...]: without the state root of the test.
floe()
{
	"$FLOE_RUNTIME" "$@" 3>&- 4>&-
}

# --- forms --------------------------------------------------------------------------------------------------------------

@test "options may be written in every way that callers use" {
	setup_is_floe
	idle_command
	for form in "--bundle $BUNDLE" "--bundle=$BUNDLE" "-bundle $BUNDLE" "-bundle=$BUNDLE" "-b $BUNDLE" "-b$BUNDLE" "-b=$BUNDLE"; do
		# shellcheck disable=SC2086 # two words
		rt create $form "$ID" </dev/null >/dev/null 2>&1
		rt delete "$ID"
		# shellcheck disable=SC2086
		rt create "$ID" $form </dev/null >/dev/null 2>&1
		rt delete --force=true "$ID"
	done
	start_detached
	run rt delete --force=false "$ID"
	refuses 1 "running"
	# Short ones in one word: a terminal that nobody gets is refused with --detach only.
	run rt exec -dt "$ID" true
	refuses 255 "--console-socket"
	run rt exec -dt=false "$ID" true
	[ "$status" -eq 0 ]
	remove_container
}

@test "-- ends the options" {
	setup_is_floe
	run rt state -- --help
	refuses 1 "--help"
	run rt delete -- -f
	refuses 1 "-f"
}

@test "exec leaves the options behind the id to the program" {
	setup_is_floe
	idle_command
	start_detached
	run rt exec "$ID" echo --tty -e x=y -- --help
	[ "$status" -eq 0 ]
	[ "$output" = "--tty -e x=y -- --help" ]
	remove_container
}

@test "errors of exec itself are 255, those of its command line too" {
	idle_command
	start_detached
	run rt exec "$ID" /no/such/program
	[ "$status" -eq 255 ] || [ "$RUNTIME_NAME" = crun ]
	run rt exec "$PREFIX-none" true
	[ "$status" -eq 255 ] || [ "$RUNTIME_NAME" = crun ]
	run rt exec "$ID"
	[ "$status" -ne 0 ]
	run rt exec "$ID" sh -c 'exit 5'
	[ "$status" -eq 5 ]
	remove_container
}

@test "what cannot be used is named" {
	setup_is_floe
	run rt create --foo "$ID"
	refuses 1 "unknown flag: --foo; see 'floe-runtime create --help'"
	run floe --foo list
	refuses 1 "unknown flag: --foo; see 'floe-runtime --help'"
	run floe frobnicate
	refuses 1 "unrecognized command \`floe-runtime frobnicate\`; see 'floe-runtime --help'"
	run floe frobnicate --help
	refuses 1 "No help topic for 'frobnicate': unknown command; see 'floe-runtime --help'"
	run rt create --preserve-fds many "$ID"
	refuses 1 "'many'" --preserve-fds
	run rt list --format yaml
	refuses 1 "table or json"
	run rt start
	refuses 1 '\"start\" requires exactly 1 argument(s)'
	run rt kill a b c
	refuses 1 '\"kill\" requires a maximum of 2 argument(s)'
	run rt mounts add x
	refuses 1 '\"mounts\" requires exactly 3 argument(s)'
	run rt mounts change x y
	refuses 1 "mounts 'change': expected 'add' or 'remove'"
}

@test "a signal that does not exist is named" {
	setup_is_floe
	run rt kill "$ID" NOSUCH
	refuses 1 "NOSUCH"
}

# --- global options -----------------------------------------------------------------------------------------------------

@test "the log is appended to, in text by default" {
	setup_is_floe
	run rt --log "$T/log" state "$PREFIX-none"
	[ "$status" -eq 1 ]
	run rt --log "file:$T/log" state "$PREFIX-none"
	[ "$status" -eq 1 ]
	[ "$(wc -l <"$T/log")" -eq 2 ]
	[[ $(head -n 1 "$T/log") =~ ^time=\"20[0-9-]+T[0-9:]+Z\"\ level=error\ msg=\".*does\ not\ exist\"$ ]]
	[ "$(stat -c %a "$T/log")" = 644 ]
}

@test "without --log errors go to stderr in the format of the log" {
	setup_is_floe
	run rt state "$PREFIX-none"
	refuses 1 level=error
	run rt --log-format json state "$PREFIX-none"
	[ "$(jq -r .level <<<"$output")" = error ]
	run rt --log-format xml state "$PREFIX-none"
	refuses 1 xml
}

# receive SOCKET FILE COMMAND...: what the command sends there as a datagram.
receive()
{
	python3 - "$@" <<-'PYTHON' 3>&- 4>&-
		import socket, subprocess, sys
		s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
		s.bind(sys.argv[1])
		s.settimeout(10)
		subprocess.run(sys.argv[3:], stdin=subprocess.DEVNULL)
		with open(sys.argv[2], "wb") as f:
		    f.write(s.recv(65536))
	PYTHON
}

@test "the log can be systemd's journal, or syslog (crun)" {
	needs_root "mount in place of the machine's sockets"
	setup_is_floe
	export -f receive
	# In a mount namespace of its own, without the machine's sockets.
	run unshare --mount --propagation private bash -c '
		mount -t tmpfs tmpfs /run && mkdir -p /run/systemd/journal && mount -t tmpfs tmpfs /dev && mknod /dev/null c 1 3
		receive /run/systemd/journal/socket "$1/journal" "$2" --log journald:web state "$3"
		receive /dev/log "$1/syslog" "$2" --log syslog:web state "$3"' - "$T" "$FLOE_RUNTIME" "$PREFIX-none" 3>&- 4>&-
	# On stderr the bare messages.
	[[ ${lines[0]} == *"container '$PREFIX-none' does not exist"* ]]
	[[ ${lines[0]} != *level=* ]]
	tr -d '\0' <"$T/journal" >"$T/text"
	grep -qx 'PRIORITY=3' "$T/text"
	grep -q "container '$PREFIX-none' does not exist" "$T/text"
	grep -A1 '^SYSLOG_IDENTIFIER$' "$T/text" | grep -q web
	grep -A1 '^ID$' "$T/text" | grep -q web
	[[ $(cat "$T/syslog") =~ ^\<11\>web\[[0-9]+\]:\ .*"container '$PREFIX-none' does not exist" ]]
}

@test "a log that cannot be reached is refused by name" {
	needs_root "mount in place of the machine's sockets"
	setup_is_floe
	run unshare --mount --propagation private bash -c '
		mount -t tmpfs tmpfs /run && mount -t tmpfs tmpfs /dev && mknod /dev/null c 1 3
		for log in journald:x syslog:x journald: syslog:; do "$1" --log $log list || echo "code $?"; done' - "$FLOE_RUNTIME" 3>&- 4>&-
	[ "$(grep -c '^code 1$' <<<"$output")" -eq 4 ]
	contains "$output" "'journald:x': connect to '/run/systemd/journal/socket'" "'syslog:x': connect to '/dev/log'" \
		"log to 'journald:': no identifier" "log to 'syslog:': no identifier"
}

@test "in the JSON log stands nothing but the error" {
	setup_is_floe
	configure '.process.capabilities.bounding += ["CAP_NO_SUCH"]'
	run rt --log "$T/log" --log-format json run --bundle "$BUNDLE" "$ID"
	[ "$status" -eq 0 ]
	[ ! -s "$T/log" ]
	configure '.process.args = ["/no/such/program"]'
	run rt --log "$T/log" --log-format json run --bundle "$BUNDLE" "$ID"
	[ "$status" -eq 1 ]
	jq -es 'length == 1 and (.[0].level == "error")' "$T/log"
}

@test "--debug says what is done, and changes nothing else" {
	setup_is_floe
	run rt --log "$T/log" --debug run --bundle "$BUNDLE" "$ID"
	[ "$status" -eq 0 ]
	[ -z "$output" ]
	file_contains "$T/log" level=debug
	rt --log "$T/log2" --log-level debug run --bundle "$BUNDLE" "$ID"
	file_contains "$T/log2" level=debug
	# What runc's users look for in its log.
	file_contains "$T/log" "nsexec container setup"
	file_contains "$T/log" "child process in init()"
	file_contains "$T/log" "init: closing the pipe to signal completion"
}

@test "the configuration file gives defaults, the command line goes before it" {
	setup_is_floe
	mkdir "$T/other"
	printf '# where\nroot = %s\n\ncriu=/bin/true\n' "$STATE" >"$T/conf"
	idle_command
	create_container
	[ "$(floe --config-file "$T/conf" list -q)" = "$ID" ]
	[ -z "$(floe --config-file "$T/conf" --root "$T/other" list -q)" ]
	contains "$(floe --config-file "$T/conf" --version)" "criu: /bin/true (configuration)"
	contains "$(floe --config-file "$T/conf" --criu /bin/false --version)" "criu: /bin/false (option)"
	remove_container
}

@test "a configuration file with a mistake is refused with file and line" {
	setup_is_floe
	printf 'root = /x\nrot = /y\n' >"$T/conf"
	run floe --config-file "$T/conf" list
	refuses 1 "$T/conf:2" "unknown key 'rot'"
	printf 'cgroup-manager = none\n' >"$T/conf"
	run floe --config-file "$T/conf" list
	refuses 1 "$T/conf:1" "'none'" cgroupfs
	run floe --config-file "$T/none" list
	refuses 1 "$T/none"
}

@test "--root may be relative" {
	idle_command
	create_container
	[ "$(cd "$T" && "$FLOE_RUNTIME" --root "${STATE##*/}" list -q)" = "$ID" ]
	remove_container
}

# --- about itself -------------------------------------------------------------------------------------------------------

@test "version, in all its spellings" {
	setup_is_floe
	for option in --version -version -v -V; do
		run floe $option
		[ "$status" -eq 0 ]
		[[ ${lines[0]} =~ ^floe-runtime\ version\ [0-9.]+$ ]]
		# The prefixes that go-runc looks for.
		grep -q '^spec: 1\.3\.' <<<"$output"
		grep -q '^libseccomp: [0-9]' <<<"$output"
		grep -q '^criu: /' <<<"$output"
	done
}

@test "features names the criu that would be used" {
	setup_is_floe
	floe features | jq -e '.annotations["org.opencontainers.runc.checkpoint.enabled"] == "true"
		and (.annotations["run.floe.criu.path"] | test("criu$"))'
	floe --criu /no/such/criu features |
		jq -e '.annotations["org.opencontainers.runc.checkpoint.enabled"] == "false"'
}

@test "help goes to stdout, succeeds and needs nothing" {
	setup_is_floe
	for command in checkpoint create delete events exec features kill list pause ps restore resume run spec start state update; do
		floe $command --help >"$T/help" 2>"$T/err"
		[ ! -s "$T/err" ]
		contains "$(grep -A 1 '^Usage:$' "$T/help")" "  floe-runtime $command" "$command"
		diff "$T/help" <(floe help $command)
		diff "$T/help" <(floe $command "$ID" -h --unknown) || [[ $command =~ ^(exec|kill|ps)$ ]]
	done
	diff <(floe) <(floe --help)
	diff <(floe help) <(floe -h)
}

@test "the completion for bash completes commands, options, choices and ids" {
	setup_is_floe
	idle_command
	create_container
	floe completion bash >"$T/completion"
	offers()
	{
		PATH=$T/bin:$PATH bash -c 'source "$0"; COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)); _floe_runtime
			printf "%s\n" "${COMPREPLY[@]}"' "$T/completion" floe-runtime "$@"
	}
	mkdir "$T/bin"
	printf '#!/bin/sh\nexec %q --root %q "$@"\n' "$FLOE_RUNTIME" "$STATE" >"$T/bin/floe-runtime"
	chmod +x "$T/bin/floe-runtime"
	[ "$(offers chec)" = checkpoint ]
	[ "$(offers --log-format j)" = json ]
	[ "$(offers --log /x state --he)" = --help ]
	[ "$(offers start "")" = "$ID" ]
	[ "$(offers checkpoint --manage-cgroups-mode s | tr '\n' ' ')" = "soft strict " ]
	for shell in zsh fish; do
		floe completion $shell >"$T/completion.$shell"
		if command -v $shell; then
			$shell -n "$T/completion.$shell"
		fi
	done
	run floe completion csh
	refuses 1 csh
	remove_container
}
