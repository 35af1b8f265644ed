#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# Hooks of all six kinds: when each runs and in which namespaces, what it gets, and what its failure means.

load ../lib/helpers

setup()
{
	container_setup
	own_rootfs
	mkdir -p "$T/log" "$BUNDLE/rootfs/log"
	add_mount /log bind "$T/log" rbind
	# On the host and in the container: a line for each hook, and the state that it got.
	cat >"$T/hook" <<-'HOOK'
		#!/bin/sh
		dir=$1
		name=$2
		cat >"$dir/$name.json"
		echo "$name mnt=$(readlink /proc/self/ns/mnt) pid=$(readlink /proc/self/ns/pid) net=$(readlink /proc/self/ns/net)" >>"$dir/hooks"
		pwd >"$dir/$name.cwd"
		if [ -e /mark ]; then echo container; else echo host; fi >"$dir/$name.root"
	HOOK
	chmod +x "$T/hook"
	cp "$T/hook" "$BUNDLE/rootfs/hook"
	touch "$BUNDLE/rootfs/mark"
}

# add_hook KIND COMMAND [ARGUMENT...]: one more, with argv[0] = COMMAND.
add_hook()
{
	local kind=$1
	shift
	# shellcheck disable=SC2016 # jq's variables
	configure --arg kind "$kind" --argjson args "$(json_array "$@")" '.hooks[$kind] += [{ path: $args[0], args: $args }]'
}

add_all_hooks()
{
	local kind
	for kind in prestart createRuntime createContainer poststart poststop; do
		add_hook $kind "$T/hook" "$T/log" $kind
	done
	add_hook startContainer /hook /log startContainer
}

have_run()
{
	[ "$(cut -d' ' -f1 "$T/log/hooks" 2>/dev/null | tr '\n' ' ')" = "${*:+$* }" ] ||
		fail "have run: $(cut -d' ' -f1 "$T/log/hooks" | tr '\n' ' ')" "instead of: $*"
}

namespace_in()
{
	sed -n "s/^$1 .*$2=\([^ ]*\).*/\1/p" "$T/log/hooks"
}

state_in()
{
	jq -r "$2" "$T/log/$1.json"
}

@test "the hooks run in the order of the life cycle" {
	add_all_hooks
	idle_command
	have_run
	create_container
	have_run prestart createRuntime createContainer
	rt start "$ID"
	have_run prestart createRuntime createContainer startContainer poststart
	rt delete --force "$ID"
	have_run prestart createRuntime createContainer startContainer poststart poststop
}

@test "the same with run, in the foreground and detached" {
	add_all_hooks
	script_is 'echo program >>/log/hooks'
	run_container
	[ "$status" -eq 0 ]
	sed -i '/^program/d' "$T/log/hooks"
	have_run prestart createRuntime createContainer startContainer poststart poststop
	rm "$T/log/hooks"
	idle_command
	start_detached
	have_run prestart createRuntime createContainer startContainer poststart
	remove_container
	have_run prestart createRuntime createContainer startContainer poststart poststop
}

@test "the program does not begin before the startContainer hooks have ended" {
	add_hook startContainer /bin/sh -c 'sleep 0.3; echo hook >>/log/order'
	script_is 'echo program >>/log/order'
	run_container
	[ "$(cat "$T/log/order")" = $'hook\nprogram' ]
}

@test "each hook runs in the namespaces that are its own" {
	add_all_hooks
	idle_command
	create_container
	pid=$(pid_of)
	rt start "$ID"
	for kind in prestart createRuntime poststart; do
		for ns in mnt pid net; do
			[ "$(namespace_in $kind $ns)" = "$(readlink /proc/self/ns/$ns)" ] || fail "$kind: $ns"
		done
	done
	for kind in createContainer startContainer; do
		for ns in mnt pid net; do
			[ "$(namespace_in $kind $ns)" = "$(readlink "/proc/$pid/ns/$ns")" ] || fail "$kind: $ns"
		done
	done
	remove_container
	[ "$(namespace_in poststop mnt)" = "$(readlink /proc/self/ns/mnt)" ]
}

@test "createContainer hooks see the host's root, startContainer hooks the container's" {
	add_all_hooks
	idle_command
	start_detached
	# Before pivot_root: the path is the host's, the current directory the root file system.
	[ "$(cat "$T/log/createContainer.cwd")" = "$BUNDLE/rootfs" ]
	[ "$(cat "$T/log/createContainer.root")" = host ]
	[ "$(cat "$T/log/startContainer.cwd")" = / ]
	[ "$(cat "$T/log/startContainer.root")" = container ]
	remove_container
}

@test "hooks in the runtime's namespaces begin in the bundle, while there is one" {
	for kind in prestart createRuntime poststart poststop; do
		add_hook $kind /bin/sh -c "pwd >>$T/log/directories"
	done
	command_is true
	run_container
	[ "$status" -eq 0 ]
	[ "$(uniq "$T/log/directories")" = "$BUNDLE" ]
	# The others stay where they were called for `start` and `delete`.
	floe_only
	idle_command
	create_container
	rt start "$ID"
	[ "$(uniq "$T/log/directories")" = "$BUNDLE" ]
	mv "$BUNDLE" "$T/elsewhere"
	remove_container
	[ "$(tail -n 1 "$T/log/directories")" = "$PWD" ]
}

@test "createContainer hooks find the container's mounts" {
	add_hook createContainer /bin/sh -c "cat $BUNDLE/rootfs/proc/self/status >/dev/null && ls -d $BUNDLE/rootfs/dev/null >$T/log/found"
	command_is true
	run_container
	[ "$status" -eq 0 ]
	[ -s "$T/log/found" ]
	# The host does not.
	[ ! -e "$BUNDLE/rootfs/proc/self" ]
}

@test "the state on standard input is that of the moment" {
	add_all_hooks
	configure '.annotations = { "org.example.key": "value" }'
	idle_command
	create_container
	pid=$(pid_of)
	rt start "$ID"
	remove_container
	for kind in prestart createRuntime createContainer startContainer poststart poststop; do
		[ "$(state_in $kind .id)" = "$ID" ] || fail $kind
		[ "$(state_in $kind .bundle)" = "$BUNDLE" ] || fail $kind
		[ "$(state_in $kind .ociVersion)" = "$(jq -r .ociVersion "$BUNDLE/config.json")" ] || fail $kind
		[ "$(state_in $kind '.annotations["org.example.key"]')" = value ] || fail $kind
	done
	[ "$(state_in prestart .status)" = creating ]
	[ "$(state_in createRuntime .status)" = creating ]
	[ "$(state_in createContainer .status)" = creating ]
	[ "$(state_in startContainer .status)" = created ]
	[ "$(state_in poststart .status)" = running ]
	[ "$(state_in poststop .status)" = stopped ]
	# As seen from the hook.
	[ "$(state_in prestart .pid)" = "$pid" ]
	[ "$(state_in createRuntime .pid)" = "$pid" ]
	[ "$(state_in poststart .pid)" = "$pid" ]
	[ "$(state_in createContainer .pid)" = 1 ]
	[ "$(state_in startContainer .pid)" = 1 ]
	[ "$(state_in poststop '.pid // 0')" = 0 ]
}

@test "several hooks of a kind run one after the other" {
	for n in 1 2 3; do
		add_hook createRuntime /bin/sh -c "sleep 0.1; echo $n >>$T/log/order"
	done
	command_is true
	run_container
	[ "$(cat "$T/log/order")" = $'1\n2\n3' ]
}

@test "arguments and environment are exactly those of the hook" {
	configure --arg log "$T/log" '.hooks = { createRuntime: [
		{ path: "/bin/sh", args: ["name", "-c", "echo \"$0 $1\" >\($log)/args; env >\($log)/env", "zero", "one two"], env: ["ONLY=this"] },
		{ path: "/usr/bin/env", env: ["A=1"] },
		{ path: "/bin/sh", args: ["sh", "-c", "env >\($log)/inherited"] },
		{ path: "/bin/sh", args: ["sh", "-c", "env >\($log)/empty"], env: [] }] }'
	command_is true
	OF_CALLER=yes run_container
	[ "$status" -eq 0 ]
	[ "$(cat "$T/log/args")" = "zero one two" ]
	[ "$(grep -v '^\(PWD\|SHLVL\|_\)=' "$T/log/env")" = ONLY=this ]
	# Without the member it is the runtime's; with an empty one it is empty.
	grep -q '^OF_CALLER=yes' "$T/log/inherited"
	! grep -q OF_CALLER "$T/log/empty"
}

@test "startContainer hooks without an environment have the container's" {
	configure '.process.env += ["OF_CONTAINER=yes"] | .hooks = { startContainer: [
		{ path: "/bin/sh", args: ["sh", "-c", "env >/log/env"] }] }'
	command_is true
	run_container
	grep -q '^OF_CONTAINER=yes' "$T/log/env"
}

@test "a hook need not read its input, and may leave things running" {
	configure --arg annotation "$(head -c 100000 /dev/zero | tr '\0' x)" '.annotations = { big: $annotation }'
	add_hook prestart /bin/true
	add_hook createRuntime /bin/sh -c 'exec <&-; sleep 0.2 & exit 0'
	command_is true
	run_container
	[ "$status" -eq 0 ]
}

@test "a hook has nothing open but its standard streams" {
	add_hook createRuntime /bin/sh -c "ls /proc/self/fd >$T/log/fds"
	add_hook createContainer /bin/sh -c "ls /proc/self/fd >$T/log/fds-container"
	add_hook startContainer /bin/sh -c "ls /proc/self/fd >/log/fds-start"
	command_is true
	run_container
	# ls itself has opened the directory.
	[ "$(tr '\n' ' ' <"$T/log/fds")" = "0 1 2 3 " ]
	[ "$(tr '\n' ' ' <"$T/log/fds-container")" = "0 1 2 3 " ]
	[ "$(tr '\n' ' ' <"$T/log/fds-start")" = "0 1 2 3 " ]
}

@test "a hook before start that fails undoes the container, and says what it said" {
	command_is true
	for kind in prestart createRuntime createContainer; do
		configure 'del(.hooks)'
		add_hook $kind /bin/sh -c 'echo the output; echo the reason >&2; exit 3'
		add_hook $kind /bin/touch "$T/second"
		run rt create --bundle "$BUNDLE" "$ID"
		refuses 1 "$kind hook #0" "exit status 3" "the reason" "the output"
		[ ! -e "$STATE/$ID" ]
		[ ! -e "$T/second" ]
	done
}

@test "a startContainer hook that fails is the error of start" {
	add_hook startContainer /bin/sh -c 'echo the reason >&2; exit 4'
	script_is 'touch /log/program'
	create_container
	run rt start "$ID"
	refuses 1 "startContainer hook #0" "exit status 4" "the reason"
	eventually is_state stopped
	[ ! -e "$T/log/program" ]
	rt delete "$ID"
	run_container
	refuses 1 "startContainer hook #0"
	[ ! -e "$STATE/$ID" ]
	[ ! -e "$T/log/program" ]
}

@test "a poststart hook that fails ends the container" {
	add_hook poststart /bin/false
	add_hook poststop /bin/touch "$T/poststop"
	idle_command
	create_container
	run rt start "$ID"
	refuses 1 "poststart hook #0" "exit status 1"
	# The specification has it deleted, with all that belongs to that.
	! is_floe || [ -e "$T/poststop" ]
	if is_floe; then
		[ ! -e "$STATE/$ID" ]
	else
		rt delete --force "$ID"
	fi
	run_container
	refuses 1 "poststart hook #0"
	[ ! -e "$STATE/$ID" ]
	is_floe || return 0
	rm "$T/poststop"
	run rt run --detach --bundle "$BUNDLE" "$ID" </dev/null
	refuses 1 "poststart hook #0"
	[ -e "$T/poststop" ]
	[ ! -e "$STATE/$ID" ]
}

@test "a poststop hook that fails is a warning, and the others run" {
	add_hook poststop /bin/false
	add_hook poststop /bin/touch "$T/second"
	command_is true
	create_container
	run rt delete --force "$ID"
	[ "$status" -eq 0 ]
	! is_floe || contains "$output" "level=warning" "poststop hook #0"
	[ -e "$T/second" ]
}

@test "a hook that runs past its timeout is killed" {
	configure '.hooks = { createRuntime: [{ path: "/bin/sleep", args: ["sleep", "600"], timeout: 1 }] }'
	command_is true
	SECONDS=0
	run rt create --bundle "$BUNDLE" "$ID"
	refuses 1 "createRuntime hook #0" "hook ran past specified timeout of 1.0s"
	[ $SECONDS -lt 300 ]
	[ ! -e "$STATE/$ID" ]
	# One that keeps to it is left alone.
	configure '.hooks = { createRuntime: [{ path: "/bin/sleep", args: ["sleep", "0.1"], timeout: 60 }] }'
	run_container
	[ "$status" -eq 0 ]
}

@test "a hook without a useful path or timeout is refused" {
	command_is true
	configure '.hooks = { poststart: [{ path: "relative/path" }] }'
	run_container
	refuses 1 "hooks.poststart[0].path" "relative/path"
	configure '.hooks = { poststart: [{ path: "/bin/true", timeout: 0 }] }'
	run_container
	refuses 1 "hooks.poststart[0].timeout"
}

@test "the output of hooks goes to the files that annotations name (crun)" {
	floe_only "the file's mode differs"
	configure --arg out "$T/stdout" --arg err "$T/stderr" \
		'.annotations = { "run.oci.hooks.stdout": $out, "run.oci.hooks.stderr": $err }'
	for kind in prestart createRuntime createContainer startContainer poststart poststop; do
		add_hook $kind /bin/sh -c "echo out $kind; echo err $kind >&2"
	done
	command_is true
	echo before >"$T/stdout"
	run_container
	[ "$output" = "" ]
	[ "$(cat "$T/stdout")" = "$(printf '%s\n' before "out "{prestart,createRuntime,createContainer,startContainer,poststart,poststop})" ]
	[ "$(cat "$T/stderr")" = "$(printf '%s\n' "err "{prestart,createRuntime,createContainer,startContainer,poststart,poststop})" ]
	configure '.annotations["run.oci.hooks.stdout"] = "/no/such/directory/file"'
	run_container
	refuses 1 /no/such/directory/file run.oci.hooks.stdout
}

@test "poststop hooks are those of create, whatever the bundle says by now" {
	add_hook poststop /bin/touch "$T/log/old"
	idle_command
	start_detached
	configure '.hooks = { poststop: [{ path: "/bin/false" }] }'
	remove_container
	[ -e "$T/log/old" ]
}
