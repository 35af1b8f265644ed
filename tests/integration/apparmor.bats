#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# AppArmor: a profile confines a container's process and what is executed in it, and is there again after a restore. Needs a
# machine with AppArmor, such as the VM of tests/vm. (SELinux is on in neither: what the runtime would write is in the unit
# tests and golden files.)

load ../lib/cr

setup()
{
	[ "$(cat /sys/module/apparmor/parameters/enabled 2>/dev/null)" = Y ] || skip "AppArmor is off on this machine"
	command -v apparmor_parser >/dev/null || skip "apparmor_parser is not installed"
	needs_root "load profiles"
	container_setup
	PROFILES=()
	PROFILE=floe-$ID
	load_profile "$PROFILE" /etc/hostname
	configure --arg profile "$PROFILE" '.process.apparmorProfile = $profile'
}

teardown()
{
	local name
	[ "${PROFILES+set}" ] || return 0
	cr_teardown || return 1
	for name in "${PROFILES[@]}"; do
		apparmor_parser --remove <<<"profile $name {}"
	done
}

# load_profile NAME FILE: a profile under which all but reading FILE is allowed.
load_profile()
{
	PROFILES+=("$1")
	apparmor_parser --replace --skip-cache <<-PROFILE
		profile $1 flags=(attach_disconnected,mediate_deleted) {
			file,
			capability,
			network,
			signal,
			ptrace,
			unix,
			mount,
			deny $2 r,
		}
	PROFILE
}

label_of()
{
	cat "/proc/$1/attr/current"
}

# may_read FILE...: whether an exec in the container, which has the container's profile, may.
may_read()
{
	rt exec "$ID" cat "$@" >/dev/null 2>&1
}

@test "the profile confines the container's process" {
	script_is 'cat /proc/self/attr/current; cat /etc/hosts >/dev/null && echo hosts; cat /etc/hostname'
	run_container
	[ "$status" -eq 1 ]
	contains "$output" "$PROFILE (enforce)" hosts "Permission denied"
}

@test "exec has the container's profile, or the one that it names" {
	load_profile "$PROFILE-other" /etc/hosts
	idle_command
	start_detached
	[ "$(label_of "$(pid_of)")" = "$PROFILE (enforce)" ]
	[ "$(rt exec "$ID" cat /proc/self/attr/current)" = "$PROFILE (enforce)" ]
	may_read /etc/hosts
	! may_read /etc/hostname || fail "/etc/hostname may be read"
	run rt exec --apparmor "$PROFILE-other" "$ID" sh -c 'cat /proc/self/attr/current /etc/hostname; cat /etc/hosts'
	[ "$status" -eq 1 ]
	contains "$output" "$PROFILE-other (enforce)" "Permission denied"
	jq '.process | .apparmorProfile = $profile | .args = ["cat", "/proc/self/attr/current"]' --arg profile "$PROFILE-other" \
		"$BUNDLE/config.json" >"$T/process.json"
	[ "$(rt exec --process "$T/process.json" "$ID")" = "$PROFILE-other (enforce)" ]
	remove_container
}

@test "with no_new_privileges too, and without" {
	for value in true false; do
		configure ".process.noNewPrivileges = $value"
		command_is cat /proc/self/attr/current
		run_container
		[ "$output" = "$PROFILE (enforce)" ] || fail "noNewPrivileges $value: $output"
	done
}

@test "in a user namespace" {
	configure '.linux.namespaces += [{ type: "user" }]
		| .linux.uidMappings = [{ containerID: 0, hostID: 100000, size: 65536 }]
		| .linux.gidMappings = [{ containerID: 0, hostID: 100000, size: 65536 }]'
	chmod o+x "$BATS_RUN_TMPDIR" "$BATS_FILE_TMPDIR"
	command_is cat /proc/self/attr/current
	run_container
	[ "$output" = "$PROFILE (enforce)" ] || fail "$output"
}

@test "unconfined is said by that name" {
	configure '.process.apparmorProfile = "unconfined"'
	command_is cat /proc/self/attr/current
	run_container
	[ "$output" = unconfined ] || fail "$output"
}

@test "a profile that is not loaded is refused by name" {
	configure '.process.apparmorProfile = "floe-no-such-profile"'
	run_container
	refuses 1 floe-no-such-profile
	configure --arg profile "$PROFILE" '.process.apparmorProfile = $profile'
	idle_command
	start_detached
	run rt exec --apparmor floe-no-such-profile "$ID" true
	refuses 255 floe-no-such-profile
	remove_container
}

@test "features says that AppArmor is there" {
	floe_only "others differ"
	rt features | jq -e '.linux.apparmor.enabled == true'
}

@test "the profile is there again after a restore, and in force" {
	ticking
	start_on_pipe
	ticks_after 1
	checkpoint
	now=$(last_tick)
	restore
	ticks_after "$now"
	[ "$(label_of "$(pid_of)")" = "$PROFILE (enforce)" ]
	may_read /etc/hosts
	! may_read /etc/hostname || fail "/etc/hostname may be read"
	# Once more: what was restored can be frozen.
	checkpoint --image-path "$T/image2" --leave-running
	remove_container
	ticks_are_continuous
}

@test "--lsm-profile gives the restored processes another profile" {
	load_profile "$PROFILE-other" /etc/hosts
	ticking
	start_on_pipe
	ticks_after 1
	checkpoint
	now=$(last_tick)
	restore --lsm-profile "apparmor:$PROFILE-other"
	ticks_after "$now"
	[ "$(label_of "$(pid_of)")" = "$PROFILE-other (enforce)" ]
	remove_container
}

@test "a restore where the profile is not loaded says which, and leaves nothing" {
	ticking
	start_on_pipe
	ticks_after 1
	checkpoint
	apparmor_parser --remove <<<"profile $PROFILE {}"
	PROFILES=()
	run restore
	[ "$status" -eq 1 ]
	says "$PROFILE"
	is_gone
	# With another it can be restored all the same.
	load_profile "$PROFILE-other" /etc/hosts
	configure 'del(.process.apparmorProfile)'
	restore --lsm-profile "apparmor:$PROFILE-other"
	[ "$(label_of "$(pid_of)")" = "$PROFILE-other (enforce)" ]
	remove_container
}

@test "the dry run names a profile and what lifts it" {
	floe_only "others have none"
	ticking
	start_on_pipe
	ticks_after 1
	run rt checkpoint --dry-run "$ID"
	[ "$status" -eq 0 ]
	contains "$output" "$PROFILE" --lsm-profile
	remove_container
}
