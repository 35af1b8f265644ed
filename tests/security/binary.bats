#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# A container cannot write to the runtime's own program, which the host executes as root the next time (CVE-2019-5736).

load ../lib/helpers
load lib

# The runtime under test is a copy: a test that fails must not spoil the build.
setup()
{
	PROGRAM=$BATS_FILE_TMPDIR/$RUNTIME_NAME
	MAIN=$BATS_FILE_TMPDIR/${RUNTIME_MAIN##*/}
	[ -e "$PROGRAM" ] || copy_runtime "$BATS_FILE_TMPDIR"
	BEFORE=$(cat "$PROGRAM" "$MAIN" | sha256sum)
	FLOE_RUNTIME=$PROGRAM
	container_setup
	hostile_image
	usual_capabilities
}

is_unchanged()
{
	[ "$(cat "$PROGRAM" "$MAIN" | sha256sum)" = "$BEFORE" ] || fail "the program was changed"
}

# The loader and the libraries that the program needs, as an image brings them along.
add_libraries()
{
	local file
	if ldd "$MAIN" | grep -q libasan; then
		skip "a program with the address sanitizer takes no other library before it"
	fi
	for file in $(ldd "$MAIN" | grep -oE '/[^ ]+'); do
		mkdir -p "$IMAGE${file%/*}"
		cp -L "$file" "$IMAGE$file"
	done
	cp "$FLOE_BUILD/tests/security/preload.so" "$IMAGE/preload.so"
}

@test "an image that is run as /proc/self/exe, with a library of its own" {
	add_libraries
	configure '.process.args = ["/proc/self/exe", "--version"] | .process.env += ["LD_PRELOAD=/preload.so"]'
	start_detached
	eventually is_state stopped
	cat "$T/$ID.out"
	# It got as far as it could.
	contains "$(cat "$T/$ID.out")" mount_setattr: /proc/self/fd/
	[[ $(cat "$T/$ID.out") != *WRITTEN* ]]
	is_unchanged
}

@test "the same with all capabilities" {
	add_libraries
	configure '["CAP_SYS_ADMIN", "CAP_SETFCAP", "CAP_DAC_OVERRIDE", "CAP_SYS_PTRACE", "CAP_SETUID", "CAP_SETGID"] as $c
		| .process.capabilities = { bounding: $c, effective: $c, permitted: $c }
		| .process.args = ["/proc/self/exe", "--version"] | .process.env += ["LD_PRELOAD=/preload.so"]'
	start_detached
	eventually is_state stopped
	contains "$(cat "$T/$ID.out")" mount_setattr: /proc/self/fd/
	[[ $(cat "$T/$ID.out") != *WRITTEN* ]]
	is_unchanged
}

@test "a shell of the image that is a script for /proc/self/exe" {
	add_libraries
	configure '.process.env += ["LD_PRELOAD=/preload.so"]'
	idle_command
	start_detached
	rm "$IMAGE/bin/id"
	printf '#!/proc/self/exe\n' >"$IMAGE/bin/id"
	chmod +x "$IMAGE/bin/id"
	run rt exec "$ID" id
	contains "$output" mount_setattr: /proc/self/fd/
	[[ $output != *WRITTEN* ]]
	remove_container
	is_unchanged
}

@test "an attacker in the container waits for the runtime to come by" {
	command_is /attack scan 2
	start_detached
	printf '#!/proc/self/exe\n' >"$IMAGE/script"
	chmod +x "$IMAGE/script"
	while [ "$(state_of)" = running ]; do
		rt exec "$ID" true || :
		rt exec "$ID" /script 2>/dev/null || :
	done
	contains "$(cat "$T/$ID.out")" seen:
	[[ $(cat "$T/$ID.out") != *WRITTEN* ]]
	is_unchanged
}

@test "an attacker who shares the pid namespace waits for the runtime to create another container" {
	command_is /attack scan 2
	start_detached
	first=$ID
	pid=$(pid_of)
	configure --arg path "/proc/$pid/ns/pid" '(.linux.namespaces[] | select(.type == "pid")).path = $path'
	command_is true
	while [ "$(state_of "$first")" = running ]; do
		new_id other
		rt run --bundle "$BUNDLE" "$ID" </dev/null || :
	done
	contains "$(cat "$T/$first.out")" seen:
	[[ $(cat "$T/$first.out") != *WRITTEN* ]]
	is_unchanged
}
