#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What a user can mistype: one sentence, exit code 125, and nothing is made.

load ../lib/engine

# not_so COMMAND...: it fails as it should. Not `refused`, which a word of the message is wanted for.
not_so()
{
	local status=0
	fl "$@" </dev/null >said.out 2>said.err || status=$?
	if [ "$status" -ne 125 ] || [ "$(wc -l <said.err)" -ne 1 ] || [ "$(head -c 7 said.err)" != "Error: " ]; then
		fail "$(printf '%q ' "$@"): exit status $status, $(cat -v said.err)"
	elif LC_ALL=C grep -qP '[\x00-\x09\x0b-\x1f\x7f]' said.err || ! iconv -f UTF-8 said.err >/dev/null; then
		fail "$(printf '%q ' "$@"): not printable: $(cat -v said.err)"
	fi
}

# With an option of run each; what it would run is there.
not_with()
{
	local option=$1 value
	shift
	for value; do
		not_so run --rm "$option" "$value" --rootfs "$ROOTFS" true || return 1
	done
}

nothing_made()
{
	is "" "$(fl ps -aq)$(fl volume ls -q)$(fl images -q)$(fl secret ls -q)"
}

@test "names of containers" {
	for name in -x .x a/b 'a b' ä $'a\nb' $'\e[31mred' $'a\xff\xfe' "$(printf 'x%.0s' {1..300})!"; do
		not_so create --name "$name" --rootfs "$ROOTFS" true
		for command in start inspect logs checkpoint; do
			not_so "$command" "$name" || return 1
		done
	done
	nothing_made
}

@test "names of images" {
	for name in UPPER a//b a: a:b:c/ a@ a@sha256:123 :x / http://x 'a b' $'a\tb' $'\e[1m' é .a localhost:x/y $'\xff'; do
		for command in pull history; do
			not_so "$command" "$name" || return 1
		done
		not_so create --pull never "$name" || return 1
	done
	nothing_made
}

@test "what is told is printable, whatever was typed" {
	try inspect $'\e[31mred\nline\x9b\xc2\x9b'
	contains "$output" '\x1b[31mred\nline\x9b\xc2\x9b'
	not_so run $'--\e[31m'
	not_so $'fr\eob'
	not_so volume inspect --format $'{{\e' x
}

@test "archives that are none" {
	fl volume create "$C" >/dev/null
	not_so volume import "$C" "$ROOTFS/bin/busybox"
	not_so volume import "$C" /
	not_so volume import "$C" /no/such
	fl volume rm "$C" >/dev/null
	# Whole entries, and no end.
	mkdir tree
	echo content >tree/file
	tar -C tree --blocking-factor=1 -cf - . | head -c -1024 >cut.tar
	not_so import cut.tar localhost/cut
	contains "$(cat said.err)" truncated
	nothing_made
}

@test "values of options" {
	not_with --memory x -5 1x 1.5.5 99999999999999999999 0x10 $'\e'
	not_with --cpus x 0 -1 NaN inf 0x10 ' 1' 1e3 '1 '
	not_with --pids-limit x 1.5 99999999999999999999
	not_with --ulimit x nofile= nofile=x nofile=2:1 nosuch=1 nofile=1:2:3
	not_with --stop-signal x 99 SIGSIG
	not_with --restart x on-failure:x always:3
	not_with --cap-add nosuch CAP_
	not_with --security-opt x seccomp=/no/such label=x no-new-privileges:maybe foo=bar
	not_with --device /no/such /dev/null:x /etc/passwd
	not_with --volume rel: /a:/b:/c:/d /no/such:/x /tmp:rel /tmp:/x:foo 'a b:/x'
	not_with --mount x type=x type=bind type=bind,src=/no/such,dst=/x type=tmpfs type=bind,src=/tmp,dst=/x,foo=bar
	not_with --env =x
	not_with --env-file /no/such / /dev/zero
	not_with --dns x 1.2.3
	not_with --umask 8 -1 rwx
	not_with --pid x container: container:nosuch ns:
	not_with --userns x auto:size=x container:nosuch
	nothing_made
}

@test "hosts and host names are words" {
	not_with --hostname 'a b' $'a\nb' $'\e' a/b 'a#' "$(printf 'x%.0s' {1..65})"
	not_with --add-host x x: :1.1.1.1 x:1.2.3 'a b:1.1.1.1' $'6.6.6.6 evil\nb:1.1.1.1' $'a\tb:1.1.1.1'
	is a_b-é "$(in_container --hostname a_b-é -- hostname)"
	# Several names are told apart by a semicolon.
	contains "$(in_container --add-host 'a;b:1.1.1.1' -- cat /etc/hosts)" "a b"
}

@test "options of the log" {
	not_with --log-driver x ''
	not_with --log-opt x max-size=x path= path=/ path=/no/such/x path=/proc/no/x path=/etc/passwd/x foo=bar
	not_with --log-opt tag=x 'tag={{'
	fl run --rm --log-opt path="$T/log" --rootfs "$ROOTFS" echo written
	grep -q written log
	# A record of podman's may have a tag that says nothing.
	printf '[containers]\nlog_tag = "x"\n' >containers.conf
	CONTAINERS_CONF=$T/containers.conf fl run --rm --rootfs "$ROOTFS" true
	nothing_made
}

@test "a conmon that ends at once is told of" {
	printf '#!/bin/sh\nexit 1\n' >conmon
	chmod +x conmon
	for ((i = 0; i < 10; i++)); do
		try --conmon "$T/conmon" run --network none --rm --rootfs "$ROOTFS" true
		is 126 "$status"
		contains "$output" "conmon"
	done
	nothing_made
}

@test "networks: names, addresses" {
	for name in none host bridge default private container a/b -x .x 'a b' ''; do
		not_so network create "$name" || return 1
	done
	not_with --network nosuch x: a/b container: container:nosuch ns: bridge:ip=x bridge:mac=x bridge:mac=01:00:5e:00:00:01 \
		bridge:mac=00:00:00:00:00:00 bridge:interface_name=. bridge:interface_name=.. bridge:interface_name=lo \
		bridge:interface_name=a/b bridge:interface_name=0123456789abcdef 'bridge:alias=a b'
	not_with --publish x 0 -1 65536 80:x 1:2:3:4 1.2.3:80:80 80/xyz 80- 80-79 80-90:80-85 '[::1:80:80'
	nothing_made
}

@test "a subpath stays in its volume" {
	mkdir outside
	echo secret >outside/file
	fl volume create "$C-vol" >/dev/null
	data=$(fl volume inspect --format '{{.Mountpoint}}' "$C-vol")
	mkdir "$data/in"
	echo inside >"$data/file"
	echo deeper >"$data/in/file"
	ln -s "$T/outside" "$data/out"
	ln -s /in "$data/link"
	mounted() { in_container --mount "type=volume,src=$C-vol,dst=/x,subpath=$1" -- cat /x/file; }
	is deeper "$(mounted in)"
	is deeper "$(mounted link)"
	is inside "$(mounted ..)"
	is inside "$(mounted ../..)"
	for subpath in out nosuch; do
		try run --rm --mount "type=volume,src=$C-vol,dst=/x,subpath=$subpath" --rootfs "$ROOTFS" cat /x/file
		[ "$status" -ne 0 ] || return 1
		contains "$output" "subpath '$subpath'" "no such file or directory"
	done
	fl volume rm "$C-vol" >/dev/null
}
