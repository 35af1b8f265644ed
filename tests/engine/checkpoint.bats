#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Checkpoint and restore in place.
#
# With each runtime under sanitizers, too.

load ../lib/engine_cr

static_dir()
{
	echo "$ENGINE/root/containers/$(inspect "$1" '{{.ID}}')/userdata"
}

@test "checkpoint, restore: counts on where it was, states and times say so" {
	local before
	start_ticking "$C"
	counts_on "$C"
	is "$C" "$(fl checkpoint "$C")"
	is "exited true false 0 0" "$(inspect "$C" '{{.State.Status}} {{.State.Checkpointed}} {{.State.Restored}} {{.State.ExitCode}} {{.State.Pid}}')"
	[[ $(inspect "$C" '{{.State.CheckpointedAt}}') == 20* ]]
	[[ $(inspect "$C" '{{.State.RestoredAt}}') == 0001* ]]
	before=$(last_tick "$C")
	is "$C" "$(fl restore "$C")"
	is "running false true" "$(inspect "$C" '{{.State.Status}} {{.State.Checkpointed}} {{.State.Restored}}')"
	[[ $(inspect "$C" '{{.State.RestoredAt}}') == 20* ]]
	eventually ticks_after "$before" "$C"
	ticks_are_continuous "$C"
}

@test "what a checkpoint takes down, and what is left" {
	local dir id
	start_ticking "$C"
	dir=$(static_dir "$C")
	id=$(inspect "$C" '{{.ID}}')
	fl container checkpoint "$C"
	# No process, mount, run directory.
	[ ! -e "$ENGINE/run/containers/$id" ]
	run ! grep -q "$id" /proc/self/mountinfo
	[ -e "$dir/checkpoint/inventory.img" ]
	[ ! -e "$dir/dump.log" ]
	[ ! -e "$dir/checkpoint.new" ]
	fl container restore "$C"
	[ ! -e "$dir/checkpoint" ]
	[ ! -e "$dir/restore.log" ]
}

@test "--keep keeps images, logs and statistics" {
	local dir
	start_ticking "$C"
	dir=$(static_dir "$C")
	fl checkpoint --keep "$C"
	[ -s "$(inspect "$C" '{{.State.CheckpointLog}}')" ]
	[ -s "$dir/stats-dump" ]
	is "$dir/checkpoint" "$(inspect "$C" '{{.State.CheckpointPath}}')"
	# Where podman has it, and where its tests look for it.
	[[ $dir == */userdata && $(inspect "$C" '{{.State.CheckpointLog}}') == */userdata/dump.log ]]
	fl restore --keep "$C"
	[ -s "$(inspect "$C" '{{.State.RestoreLog}}')" ]
	[ -e "$dir/checkpoint/inventory.img" ]
	[ -s "$dir/stats-restore" ]
}

@test "--leave-running: it runs on, and its checkpoint can be restored later" {
	start_ticking "$C"
	counts_on "$C"
	fl checkpoint -R "$C"
	is running "$(inspect "$C" '{{.State.Status}}')"
	counts_on "$C"
	ticks_are_continuous "$C"
	fl kill "$C"
	fl wait "$C"
	eventually state_is "$C" exited
	fl restore "$C"
	is running "$(inspect "$C" '{{.State.Status}}')"
	counts_on "$C"
}

@test "five cycles: memory, root, tmpfs, log, exec, limits" {
	local i
	needs_second_checkpoint
	start_ticking "$C" --tmpfs /scratch -m 64m --hostname named -e KEPT=yes
	fl exec "$C" sh -c 'echo in-tmpfs >/scratch/f; echo in-shm >/dev/shm/f; echo in-root >/data/'"$C"
	for i in 1 2 3 4 5; do
		counts_on "$C"
		fl checkpoint "$C"
		fl restore "$C"
	done
	counts_on "$C"
	ticks_are_continuous "$C"
	is "named in-tmpfs in-shm in-root yes" "$(fl exec "$C" sh -c 'echo $(hostname) $(cat /scratch/f /dev/shm/f /data/'"$C"') $KEPT')"
	try exec "$C" sh -c 'exit 7'
	is 7 "$status"
	fl stop -t 0 "$C"
	is exited "$(inspect "$C" '{{.State.Status}}')"
	# And anew.
	fl start "$C"
	is "running false" "$(inspect "$C" '{{.State.Status}} {{.State.Restored}}')"
}

@test "a container of its own end: exit code after a restore, clean-up by conmon" {
	# shellcheck disable=SC2016,SC2046
	fl run -d --name "$C" $(cr_options) --rootfs "$ROOTFS" sh -c 'while [ ! -e /tmp/go'"$C"' ]; do sleep 0.1; done; exit 9' </dev/null
	eventually has_begun "$C"
	fl checkpoint "$C"
	fl restore "$C"
	fl exec "$C" touch "/tmp/go$C"
	is 9 "$(fl wait "$C")"
	eventually state_is "$C" exited
}

@test "a terminal" {
	# shellcheck disable=SC2046
	fl run -dt $(cr_options) --name "$C" --rootfs "$ROOTFS" sh -c 'tty; trap "exit 3" TERM; while :; do sleep 0.1; done'
	eventually file_contains "$(inspect "$C" '{{.HostConfig.LogConfig.Path}}')" /dev/pts
	fl checkpoint "$C"
	fl restore "$C"
	fl exec "$C" true
	fl stop "$C"
	is 3 "$(inspect "$C" '{{.State.ExitCode}}')"
}

@test "several at once, one line each; --all, --latest; events" {
	needs_second_checkpoint
	start_ticking "$C-1"
	start_ticking "$C-2"
	is "$C-2"$'\n'"$C-1" "$(fl checkpoint "$C-2" "$C-1")"
	is 2 "$(fl restore --all | wc -l)"
	is running "$(inspect "$C-1" '{{.State.Status}}')"
	is "$(inspect "$C-2" '{{.ID}}')" "$(fl checkpoint --latest)"
	is running "$(inspect "$C-1" '{{.State.Status}}')"
	is "$(inspect "$C-1" '{{.ID}}')" "$(fl checkpoint --all)"
	fl restore "$C-1"
	fl events --stream=false --filter "container=$C-1" --format '{{.Status}}' >events
	is "checkpoint restore checkpoint restore" "$(grep -E 'checkpoint|restore' events | xargs)"
	# The second does not run: an error, and the first is done all the same.
	try checkpoint "$C-1" "$C-2"
	is 125 "$status"
	contains "$output" "$C-1" '"exited" is not running, cannot checkpoint: container state improper'
}

@test "--print-stats" {
	start_ticking "$C"
	fl checkpoint --print-stats "$C" >dump.json
	jq -e '.podman_checkpoint_duration > 0 and .container_statistics[0].runtime_checkpoint_duration > 0
		and .container_statistics[0].criu_statistics.pages_written > 0' dump.json
	fl restore --print-stats "$C" >restore.json
	jq -e '.podman_restore_duration > 0 and .container_statistics[0].criu_statistics.pages_restored > 0' restore.json
}

@test "what cannot be: messages" {
	fl create --name "$C" --rootfs "$ROOTFS" true
	try checkpoint "$C"
	refused '"created" is not running, cannot checkpoint: container state improper'
	try restore "$C"
	refused "a complete checkpoint for this container cannot be found, cannot restore"
	start_ticking "$C-2"
	try restore "$C-2"
	refused "is running or paused, cannot restore: container state improper"
	try restore --all "$C-2"
	refused "no arguments are needed with --all"
	try restore
	refused "you must provide at least one name or id"
	try checkpoint
	refused "you must provide at least one name or id"
	try checkpoint no-such
	refused no-such
	try checkpoint --with-previous --pre-checkpoint "$C-2"
	refused "--with-previous can not be used with --pre-checkpoint"
	start_ticking "$C-3" --rm
	try checkpoint "$C-3"
	refused "cannot checkpoint containers that have been started with '--rm' unless '--export' is used"
}

@test "a checkpoint that fails: the container runs on, the earlier checkpoint is good" {
	local dir
	FAILING=$T/${ENGINE_RUNTIME##*/}
	cat >"$FAILING" <<-SCRIPT
		#!/bin/sh
		for a; do case \$a in --help) exit 0 ;; esac; done
		for a; do case \$a in checkpoint) [ ! -e $T/fail ] || { echo "dump refused" >&2; exit 1; } ;; esac; done
		exec $(command -v "$ENGINE_RUNTIME") "\$@"
	SCRIPT
	chmod +x "$FAILING"
	ENGINE_RUNTIME=$FAILING start_ticking "$C"
	dir=$(static_dir "$C")
	fl checkpoint -R "$C"
	touch fail
	try checkpoint "$C"
	refused "dump refused" "the container runs on"
	counts_on "$C"
	[ -e "$dir/checkpoint/inventory.img" ]
	[ ! -e "$dir/checkpoint.new" ]
	fl kill "$C"
	fl wait "$C"
	eventually state_is "$C" exited
	fl restore "$C"
	counts_on "$C"
}

@test "a runtime that is killed when it has frozen the container: the container runs on" {
	FAILING=$T/${ENGINE_RUNTIME##*/}
	cat >"$FAILING" <<-SCRIPT
		#!/bin/sh
		for a; do case \$a in --help) exit 0 ;; esac; done
		before=
		for a; do
			if [ "\$a" = checkpoint ] && [ -e $T/fail ]; then
				for id; do :; done
				$(command -v "$ENGINE_RUNTIME") \$before pause "\$id"
				kill -KILL \$\$
			fi
			before="\$before \$a"
		done
		exec $(command -v "$ENGINE_RUNTIME") "\$@"
	SCRIPT
	chmod +x "$FAILING"
	ENGINE_RUNTIME=$FAILING start_ticking "$C"
	touch fail
	try checkpoint "$C"
	refused "the container runs on"
	state_is "$C" running
	counts_on "$C"
	rm fail
	fl checkpoint "$C"
	fl restore "$C"
	counts_on "$C"
	ticks_are_continuous "$C"
}

@test "a runtime that lets go itself what was held still for it: the container runs on" {
	FAILING=$T/${ENGINE_RUNTIME##*/}
	cat >"$FAILING" <<-SCRIPT
		#!/bin/sh
		for a; do case \$a in --help) exit 0 ;; esac; done
		before=
		for a; do
			if [ "\$a" = checkpoint ] && [ -e $T/fail ]; then
				for id; do :; done
				$(command -v "$ENGINE_RUNTIME") \$before resume "\$id"
				exit 1
			fi
			before="\$before \$a"
		done
		exec $(command -v "$ENGINE_RUNTIME") "\$@"
	SCRIPT
	chmod +x "$FAILING"
	ENGINE_RUNTIME=$FAILING start_ticking "$C"
	touch fail
	try checkpoint -R --export c.tar "$C"
	is 125 "$status"
	state_is "$C" running
	counts_on "$C"
	[ ! -e c.tar ]
}

@test "a restore that fails leaves the checkpoint and nothing else" {
	local dir
	start_ticking "$C" --tmpfs /scratch
	dir=$(static_dir "$C")
	fl checkpoint "$C"
	mv "$dir/checkpoint/pstree.img" .
	try restore "$C"
	is 125 "$status"
	state_is "$C" exited
	[ ! -e "$ENGINE/run/containers/${dir##*/}" ]
	run ! grep -q "${dir##*/}" /proc/self/mountinfo
	mv pstree.img "$dir/checkpoint/"
	fl restore "$C"
	counts_on "$C"
	ticks_are_continuous "$C"
}

# The pages of memory that an image directory has.
pages_of()
{
	stat -c %s "$1"/pages-*.img | awk '{ n += $1 } END { print n }'
}

@test "memory is tracked, or the refusal says that it is not" {
	local dir
	start_ticking "$C"
	dir=$(static_dir "$C")
	tracks_memory "$C"
	counts_on "$C"
	fl checkpoint --with-previous "$C"
	[ "$(pages_of "$dir/checkpoint")" -lt "$(pages_of "$dir/checkpoint/pre-checkpoint")" ]
	fl restore "$C"
	[ ! -e "$dir/pre-checkpoint" ]
	counts_on "$C"
	ticks_are_continuous "$C"
	# Of what it is now there is none.
	try checkpoint --with-previous "$C"
	refused "there is no pre-checkpoint; make one with --pre-checkpoint"
}

# A container that counts; it learns a text when it is told to, and says the text's sum when it is asked.
start_learning()
{
	# shellcheck disable=SC2016,SC2046 # for the shell of the container; words
	fl run -d --name "$1" $(cr_options) --rootfs "$ROOTFS" sh -c '
		i=0
		while :; do
			i=$((i + 1))
			echo "tick $i"
			if [ -e /tmp/learn-'"$1"' ]; then
				text=$(cat /tmp/learn-'"$1"')
				rm /tmp/learn-'"$1"'
				echo learnt
			fi
			if [ -e /tmp/say-'"$1"' ]; then
				echo "sum $(echo "$text" | md5sum)"
				rm /tmp/say-'"$1"'
			fi
			sleep 0.05
		done' </dev/null >/dev/null
}

# learn NAME TEXT: many pages of it.
learn()
{
	local n
	n=$(fl logs "$1" | grep -c learnt || :)
	yes "$2" | head -n 4000 >text
	fl cp text "$1:/tmp/learn-$1"
	eventually log_lines "$1" learnt $((n + 1))
}

log_lines()
{
	[ "$(fl logs "$1" | grep -c "$2")" -eq "$3" ]
}

# What it has learnt last is what it remembers.
remembers()
{
	local n sum
	n=$(fl logs "$1" | grep -c '^sum' || :)
	sum=$(md5sum <text)
	fl exec "$1" touch "/tmp/say-$1"
	eventually log_lines "$1" '^sum' $((n + 1))
	is "sum $sum" "$(fl logs "$1" | grep '^sum' | tail -n 1)"
}

@test "memory is tracked, and a checkpoint is built upon what it was made with" {
	local dir
	start_learning "$C"
	dir=$(static_dir "$C")
	learn "$C" one
	tracks_memory "$C"
	learn "$C" two
	fl checkpoint -R --with-previous "$C"
	# That has taken note of what had changed until then: nothing else can be built upon the same pre-checkpoint.
	learn "$C" three
	try checkpoint --with-previous "$C"
	refused "there is no pre-checkpoint; make one with --pre-checkpoint"
	# The checkpoint that was made is not touched by later ones.
	fl checkpoint --pre-checkpoint "$C"
	learn "$C" four
	fl checkpoint --pre-checkpoint "$C"
	fl kill "$C"
	fl wait "$C"
	eventually state_is "$C" exited
	fl restore --keep "$C"
	yes two | head -n 4000 >text
	remembers "$C"
	# Nor is a pre-checkpoint one of what was restored.
	try checkpoint --with-previous "$C"
	refused "there is no pre-checkpoint; make one with --pre-checkpoint"
	fl checkpoint --pre-checkpoint "$C"
	learn "$C" five
	fl checkpoint --with-previous "$C"
	fl restore "$C"
	remembers "$C"
	[ ! -e "$dir/pre-checkpoint" ]
}

@test "memory is tracked, and one that was started anew has no pre-checkpoint" {
	start_ticking "$C"
	tracks_memory "$C"
	fl stop -t 0 "$C"
	fl start "$C"
	counts_on "$C"
	try checkpoint --with-previous "$C"
	refused "there is no pre-checkpoint; make one with --pre-checkpoint"
	counts_on "$C"
}

# floe with a root of its own, on a disk that can be filled.
small()
{
	timeout $ENGINE_SECONDS "$FLOE" --root "$T/root" --runroot "$T/run" "${CGROUPS[@]}" --runtime "$ENGINE_RUNTIME" "$@" 3>&- 4>&-
}

@test "a full disk: the checkpoint fails and the container runs on; with room it works" {
	local how
	mkdir root
	mount -t tmpfs -o size=24m full root
	# shellcheck disable=SC2016,SC2046 # for the shell of the container; words
	small run -d --network none --name "$C" --cgroup-parent "$CGROUP_PARENT" $(cr_options) --log-driver none --rootfs "$ROOTFS" sh -c '
		i=0; while :; do i=$((i + 1)); echo $i >/dev/shm/i; sleep 0.05; done' </dev/null >/dev/null
	count() { small exec "$C" cat /dev/shm/i; }
	goes_on() {
		local before
		before=$(count)
		more() { [ "$(count)" -gt "$before" ]; }
		eventually more
	}
	goes_on
	dd if=/dev/zero of=root/fill bs=4k 2>/dev/null || :
	for how in "" "-R" "--export dir:$T/archive" "-R --export dir:$T/archive"; do
		# shellcheck disable=SC2086 # words
		run small checkpoint $how "$C"
		[ "$status" -ne 0 ] || fail "a checkpoint on a full disk"
		rm root/fill
		is running "$(small inspect --format '{{.State.Status}}' "$C")"
		goes_on
		[ ! -e archive ]
		dd if=/dev/zero of=root/fill bs=4k 2>/dev/null || :
	done
	rm root/fill
	small checkpoint "$C" >/dev/null
	small restore "$C" >/dev/null
	goes_on
	small rm --force --time 0 "$C" >/dev/null
	# conmon may just be ending.
	eventually umount root
}
