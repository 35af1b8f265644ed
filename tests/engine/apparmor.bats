#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# AppArmor: floe's own profile confines a container that asks for no other. Needs a machine with AppArmor, such as the VM of
# tests/vm; options.bats has what is said without it.

load ../lib/engine_cr

is_on()
{
	[ "$(cat /sys/module/apparmor/parameters/enabled 2>/dev/null)" = Y ]
}

setup_file()
{
	is_on || return 0
	engine_cr_setup_file
	engine_setup
	make_image bb
}

setup()
{
	is_on || skip "AppArmor is off on this machine"
	command -v apparmor_parser >/dev/null || skip "apparmor_parser is not installed"
	engine_cr_setup
	SET_UP=yes
}

teardown()
{
	[ -z "${SET_UP:-}" ] || engine_clean_up
}

DEFAULT='floe-default (enforce)'

# What confines the container's process, and what is executed in it.
is_confined_by()
{
	is "$2" "$(cat "/proc/$(inspect "$1" '{{.State.Pid}}')/attr/current")"
	is "$2" "$(fl exec "$1" cat /proc/self/attr/current)"
}

@test "the default profile, none, and one that is not loaded" {
	is "$DEFAULT" "$(fl run --rm --rootfs "$ROOTFS" cat /proc/1/attr/current)"
	is unconfined "$(fl run --rm --security-opt apparmor=unconfined --rootfs "$ROOTFS" cat /proc/1/attr/current)"
	is unconfined "$(fl run --rm --privileged --rootfs "$ROOTFS" cat /proc/1/attr/current)"
	is "$DEFAULT" "$(fl run --rm --privileged --security-opt apparmor=floe-default --rootfs "$ROOTFS" cat /proc/1/attr/current)"
	try run --rm --security-opt apparmor=no-such-profile --rootfs "$ROOTFS" true
	refused "no-such-profile" "not loaded"
	is "" "$(fl ps -aq)"
}

@test "what the default profile allows and denies" {
	local mount='mount -t tmpfs none /mnt'
	start_idle "$C" --cap-add sys_admin --security-opt unmask=ALL
	is floe-default "$(inspect "$C" '{{.AppArmorProfile}}')"
	is_confined_by "$C" "$DEFAULT"
	try exec "$C" sh -c "$mount"
	[ "$status" -ne 0 ]
	try exec "$C" sh -c 'echo core >/proc/sys/kernel/core_pattern'
	[ "$status" -ne 0 ]
	fl exec "$C" sh -c 'echo x >/data/x && chmod 600 /data/x && kill -0 1 && ls -l /proc/1/exe && rm /data/x'
	# A privileged process of a container has the container's profile.
	try exec --privileged "$C" sh -c "$mount"
	[ "$status" -ne 0 ]
	fl run --rm --cap-add sys_admin --security-opt apparmor=unconfined --rootfs "$ROOTFS" sh -c "$mount"
	fl stop "$C"
	is 0 "$(inspect "$C" '{{.State.ExitCode}}')"
}

@test "a profile is kept by checkpoint and restore, in place and through an archive" {
	# shellcheck disable=SC2016 # for the shell of the container
	fl run -d --name "$C" bb sh -c 'i=0; while :; do i=$((i + 1)); echo "tick $i"; sleep 0.05; done' </dev/null >/dev/null
	is_confined_by "$C" "$DEFAULT"
	fl checkpoint "$C"
	fl restore "$C"
	is_confined_by "$C" "$DEFAULT"
	counts_on "$C"
	fl checkpoint --export c.tar "$C"
	fl rm "$C"
	fl restore --import c.tar
	is_confined_by "$C" "$DEFAULT"
	fl restore --import c.tar --name "$C-2"
	is_confined_by "$C-2" "$DEFAULT"
	counts_on "$C-2"
	is floe-default "$(inspect "$C-2" '{{.AppArmorProfile}}')"
	ticks_are_continuous "$C"
}
