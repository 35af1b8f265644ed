#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# floe-runtime executes floe-runtime-main from a mount that no container can write to, wherever the two are installed
# (src/cli/floe-runtime/launcher.c), and floe-runtime-main protects itself when nobody else does.

load ../lib/helpers

setup()
{
	floe_only "of two programs"
	[ "$RUNTIME_MAIN" != "$FLOE_RUNTIME" ] || skip "no launcher is built for this processor, or a script stands before it"
	container_setup
	mkdir -p "$T/tree/bin"
	cp "$FLOE_RUNTIME" "$T/tree/bin/"
	LONELY=$T/tree/bin/floe-runtime
}

# creates_protected PROGRAM: it makes a container, whose first process can be met before it executes anything of the image.
creates_protected()
{
	local pid
	FLOE_RUNTIME=$1
	create_container
	pid=$(pid_of)
	# Without privileges there is no mount to be had, but a sealed copy.
	[[ $(readlink "/proc/$pid/exe") == "/memfd:"* ]] || ! [ -w "/proc/$pid/exe" ] || fail "the program of $1 can be written to"
	remove_container
}

# installed_place: where the program would be installed
installed_place()
{
	grep -a -o "or in '/[^']*'" "$FLOE_RUNTIME" | cut -d "'" -f 2
}

# lonely ARG...: the launcher alone, on a machine where nothing is installed; with $INSTALLED where that is
lonely()
{
	local top
	top=$(installed_place)
	until [ -d "$top" ]; do top=${top%/*}; done
	unshare --mount --propagation private bash -ec '
		mount -t tmpfs -o mode=0755 none "$1"
		if [ "$3" ]; then mkdir -p "$2"; cp "$3" "$2"; fi
		exec "${@:4}"' - "$top" "$(installed_place)" "${INSTALLED:-}" "$LONELY" "$@"
}

@test "a copy of the launcher finds what is installed" {
	mkdir "$T/elsewhere"
	mv "$LONELY" "$T/elsewhere/my-runtime"
	LONELY=$T/elsewhere/my-runtime
	run lonely --version
	[ "$status" -eq 1 ]
	cp "$RUNTIME_MAIN" "$T/floe-runtime-main"
	INSTALLED=$T/floe-runtime-main
	is "$("$RUNTIME_MAIN" --version | head -n 1)" "$(lonely --version | head -n 1)"
}

@test "the launcher says where its program belongs" {
	run lonely run web
	[ "$status" -eq 1 ]
	contains "$output" "'floe-runtime-main', which belongs in" ": no such file or directory; 'make install'"
	[ "$(wc -l <<<"$output")" -eq 1 ]
	touch "${LONELY%/*}/floe-runtime-main"
	run lonely --version
	rm "${LONELY%/*}/floe-runtime-main"
	[ "$status" -eq 1 ]
	contains "$output" "': permission denied; "
}

@test "both programs, as they are built and as they are installed, called by a link" {
	local place
	creates_protected "$FLOE_RUNTIME"
	place=$(lonely --version 2>&1 | sed -n "s/.*belongs in '\([^']*\)'.*/\1/p")
	[ "$place" ]
	# Installed into places that have nothing in common with each other, they are not looked for in a copy.
	[[ $place != /* ]] || skip "the build has an absolute path: $place"
	mkdir -p "$T/tree/bin/$place"
	cp "$RUNTIME_MAIN" "$T/tree/bin/$place/"
	creates_protected "$LONELY"
	ln -s tree/bin/floe-runtime "$T/link"
	creates_protected "$T/link"
	[ "$("$T/link" --version | head -n 1)" = "$("$RUNTIME_MAIN" --version | head -n 1)" ]
}

@test "the program by itself" {
	creates_protected "$RUNTIME_MAIN"
}

@test "arguments and descriptors pass the launcher" {
	script_is 'cat <&3'
	run bash -c 'exec -a other "$0" --root "$1" run --preserve-fds 1 --bundle "$2" "$3" 3< <(echo passed) 4>&-' \
		"$FLOE_RUNTIME" "$STATE" "$BUNDLE" "$ID" </dev/null
	[ "$output" = passed ]
}
