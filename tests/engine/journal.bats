#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# Logs and events in systemd's journal: one of the test file's own, in the sandbox's /run.

load ../lib/engine

JOURNALD=/lib/systemd/systemd-journald

# Where systemd runs, its directory in the sandbox is the machine's own: one of ours is put in its place, with what others need
# to reach it.
hide_systemd()
{
	local machines=$BATS_FILE_TMPDIR/systemd
	[ -d /run/systemd/system ] || return 0
	mkdir "$machines"
	mount --bind /run/systemd "$machines"
	mount -t tmpfs -o mode=755 systemd /run/systemd
	mkdir /run/systemd/system
	touch /run/systemd/private
	mount --bind "$machines/system" /run/systemd/system
	mount --bind "$machines/private" /run/systemd/private
}

show_systemd()
{
	local machines=$BATS_FILE_TMPDIR/systemd
	if [ -d "$machines" ]; then
		umount /run/systemd/private /run/systemd/system /run/systemd "$machines"
	# Never the machine's own, which is there where preparation failed before it was hidden.
	elif [ ! -d /run/systemd/system ]; then
		rm -rf /run/systemd
	fi
	rm -rf /run/log
}

setup_file()
{
	engine_setup_file
	[ -x $JOURNALD ] || return 0
	hide_systemd
	# journald keeps nothing for a machine without a name.
	if [ ! -s /etc/machine-id ]; then
		[ -e /etc/machine-id ] || touch /etc/machine-id "$BATS_FILE_TMPDIR/no-machine-id"
		echo 0123456789abcdef0123456789abcdef >"$BATS_FILE_TMPDIR/machine-id"
		mount --bind "$BATS_FILE_TMPDIR/machine-id" /etc/machine-id
	fi
	mkdir -p /run/systemd/journal /run/systemd/journald.conf.d /run/log
	# Audit is the whole machine's: leave it as it is. The kernel's messages are nothing of ours.
	cat >/run/systemd/journald.conf.d/test.conf <<-CONF
		[Journal]
		Storage=volatile
		ReadKMsg=no
		Audit=
		ForwardToSyslog=no
		ForwardToWall=no
		RateLimitIntervalSec=0
	CONF
	$JOURNALD 2>"$BATS_FILE_TMPDIR/journald" 3>&- 4>&- &
	echo $! >"$BATS_FILE_TMPDIR/journald.pid"
	eventually test -S /run/systemd/journal/socket || {
		cat "$BATS_FILE_TMPDIR/journald"
		return 1
	}
}

# (bats takes a skip of setup_file for a failure.)
setup()
{
	[ -x $JOURNALD ] || skip "no systemd-journald (tools/install-deps)"
	engine_setup
}

teardown()
{
	[ ! -x $JOURNALD ] || engine_clean_up
}

teardown_file()
{
	local pid
	if pid=$(cat "$BATS_FILE_TMPDIR/journald.pid" 2>/dev/null); then
		kill "$pid"
		wait "$pid" || :
	fi
	show_systemd
	[ ! -e "$BATS_FILE_TMPDIR/machine-id" ] || umount /etc/machine-id
	[ ! -e "$BATS_FILE_TMPDIR/no-machine-id" ] || rm /etc/machine-id
	engine_teardown_file
}

@test "--log-driver journald: logs, with streams, --tail, --since, --until, --timestamps and --names" {
	fl run --name "$C" --log-driver journald --rootfs "$ROOTFS" \
		sh -c 'for i in 1 2 3 4 5; do echo line $i; done; echo err >&2' >/dev/null 2>&1
	fl run --name "$C-2" --log-driver journald --rootfs "$ROOTFS" echo other >/dev/null
	is journald "$(inspect "$C" '{{.HostConfig.LogConfig.Type}}')"
	is "line 1 line 2 line 3 line 4 line 5" "$(fl logs "$C" 2>/dev/null | xargs)"
	is err "$(fl logs "$C" 2>&1 >/dev/null)"
	is other "$(fl logs "$C-2")"
	is 2 "$(fl logs --tail 2 "$C" 2>&1 | wc -l)"
	is 6 "$(fl logs --tail 100 "$C" 2>&1 | wc -l)"
	is "" "$(fl logs --tail 0 "$C" 2>&1)"
	[[ $(fl logs --timestamps --tail 2 "$C" 2>&1 | head -n 1) =~ ^20[0-9-]+T[0-9:]+\.[0-9]{9}Z\  ]]
	is "" "$(fl logs --until -1h "$C" 2>&1)"
	is 6 "$(fl logs --since 1h "$C" 2>&1 | wc -l)"
	is 6 "$(fl logs --since 1h --follow "$C" 2>&1 | wc -l)"
	is 2 "$(fl logs --since 1h --tail 2 "$C" 2>&1 | wc -l)"
	is "" "$(fl logs --since 2100-01-01T00:00:00Z --follow "$C" 2>&1)"
	is "$C line 1" "$(fl logs --names "$C" "$C-2" 2>/dev/null | head -n 1)"
	# What others look for.
	is "line 1" "$(journalctl --quiet --output cat "CONTAINER_NAME=$C" | head -n 1)"
}

@test "--log-driver journald: lines that are long, cut, or no text" {
	fl run --name "$C" --log-driver journald --rootfs "$ROOTFS" \
		sh -c 'head -c 100000 /dev/zero | tr "\0" x; echo; printf "a\001\377b\n"; printf "no end"' >expected
	fl logs "$C" >o
	is 100001 "$(head -n 1 o | wc -c)"
	is "$(sed -n 2p expected | od -An -tx1)" "$(sed -n 2p o | od -An -tx1)"
	contains "$(tail -n 1 o)" "no end"
	# A line counts once, whatever it was sent in.
	is 100001 "$(fl logs --tail 3 "$C" | head -n 1 | wc -c)"
	is 2 "$(fl logs --tail 2 "$C" | grep -c "")"
}

@test "--log-driver journald: logs --follow ends with the container" {
	fl run -d --name "$C" --log-driver journald --rootfs "$ROOTFS" \
		sh -c 'echo one; while [ ! -e /data/go ]; do sleep 0.1; done; echo two; echo three' >/dev/null
	fl logs --follow "$C" >o &
	follower=$!
	eventually grep -q one o
	since=$(date -u +%FT%T.%NZ)
	fl logs --follow --since "$since" "$C" >later &
	later=$!
	touch "$ROOTFS/data/go"
	wait $follower
	is "one two three" "$(xargs <o)"
	wait $later
	is "two three" "$(xargs <later)"
	is "two three" "$(fl logs --since "$since" "$C" | xargs)"
	is "one two three" "$(fl logs --follow "$C" | xargs)"
	is "three" "$(fl logs --follow --tail 1 "$C")"
	rm "$ROOTFS/data/go"
}

@test "--log-driver journald: a container that has said nothing has no log" {
	fl create --name "$C" --log-driver journald --rootfs "$ROOTFS" true >/dev/null
	is "" "$(fl logs "$C")"
}

@test "events in the journal" {
	# A name that no id begins with: those of other tests would be found by it.
	local name=x-$C
	printf '[engine]\nevents_logger = "journald"\n' >conf
	export CONTAINERS_CONF=$T/conf
	is journald "$(fl info --format '{{.Host.EventLogger}}')"
	fl create --name "$name" --label a=b --rootfs "$ROOTFS" true >/dev/null
	fl rm "$name" >/dev/null
	is "create remove" "$(fl events --stream=false --filter "container=$name" --format '{{.Status}}' | xargs)"
	contains "$(fl events --stream=false --filter "container=$name" | head -n 1)" " container create " "name=$name" "a=b"
	is "" "$(fl events --stream=false --until -1h --filter "container=$name")"
	is "" "$(CONTAINERS_CONF=/dev/null fl events --stream=false --filter "container=$name")"
	# Those of this engine alone.
	is "" "$("$FLOE" --root "$T/root" --runroot "$T/run" events --stream=false --filter "container=$name")"
	timeout 60 "$FLOE" --root "$ENGINE/root" --runroot "$ENGINE/run" events --filter "container=$name-2" --format '{{.Status}}' >o 3>&- 4>&- &
	follower=$!
	# From when it listens on; until then there may be one that it does not see.
	heard() { fl create --replace --name "$name-2" --rootfs "$ROOTFS" true >/dev/null && grep -q create o; }
	eventually heard
	# timeout hands that on.
	kill $follower
	wait $follower || :
}

@test "without a journal there is no log in it" {
	# shellcheck disable=SC2016 # for the inner shell
	run unshare --mount sh -c 'mount -t tmpfs tmpfs /run/systemd && exec timeout 60 "$@"' - \
		"$FLOE" --root "$ENGINE/root" --runroot "$ENGINE/run" run --log-driver journald --network none --rootfs "$ROOTFS" true
	is 125 "$status"
	contains "$output" "no journal takes entries at '/run/systemd/journal/socket'"
	# shellcheck disable=SC2016 # for the inner shell
	run unshare --mount sh -c 'mount -t tmpfs tmpfs /run/systemd && exec timeout 60 "$@"' - \
		"$FLOE" --root "$ENGINE/root" --runroot "$ENGINE/run" --events-backend journald ps
	refused "events backend 'journald': no journal"
}
