#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# A failure and a kill at every stage of the engine's checkpoint, export, import and restore. A checkpoint that fails leaves the
# container running and the earlier checkpoint good; one that is killed leaves at least one of the two. A restore or import leaves
# nothing but what it was given.

load ../lib/engine_cr

setup_file()
{
	engine_cr_setup_file
	engine_setup
	tar -C "$ROOTFS" -c . | fl import - bb:1 >/dev/null
}

# stages FILE [TABLE]
stages()
{
	sed -n "/^static const struct stage ${2:-stages}\[\]/,/^};/s/^\t{ \"\([^\"]*\)\".*/\1/p" "$SOURCE/src/engine/$1.c"
}

# faulty HOW FAULT COMMAND...: the command with a fault of that kind at that place; it must be met.
faulty()
{
	local status_wanted=125
	[ "$1" != kill ] || status_wanted=137
	FLOE_FAULT="$2=$1" try "${@:3}"
	[ "$status" -eq $status_wanted ] || fail "$2: exit status $status: $output"
}

# A container of the image that counts, with files in each place that a checkpoint copies.
ticking()
{
	# shellcheck disable=SC2016,SC2046 # for the shell of the container; words
	fl run -d --name "$C" $(cr_options) -v "$C-vol:/vol" bb:1 sh -c '
		echo root >/data/f; echo shm >/dev/shm/f; echo vol >/vol/f
		i=0; while :; do i=$((i + 1)); echo "tick $i"; sleep 0.05; done' </dev/null >/dev/null
	counts_on "$C"
}

files_are_there()
{
	is "root shm vol" "$(fl exec "$C" sh -c 'echo $(cat /data/f /dev/shm/f /vol/f)')"
}

# Whether there is one, whoever has noticed its end so far.
has_process()
{
	local pid state
	pid=$(inspect "$1" '{{.State.Pid}}')
	state=$(proc_status "$pid" State 2>/dev/null) || return 1
	[ "$pid" -gt 0 ] && [[ $state != [ZX]* ]]
}

is_checkpointed()
{
	[ "$(inspect "$1" '{{.State.Checkpointed}}')" = true ]
}

# What a checkpoint has in the static directory while it is made.
nothing_half_made()
{
	local dir
	dir=$ENGINE/root/containers/$(inspect "$C" '{{.ID}}')/userdata
	run find "$dir" -maxdepth 1 \( -name '*.new' -o -name snapshot \)
	is "" "$output"
	run find . -maxdepth 1 -name 'c.tar*'
	is "" "$output"
}

fails_at_each_stage()
{
	local stage
	ticking
	fl checkpoint -R "$C" >/dev/null
	fl exec "$C" sh -c 'echo later >/dev/shm/later'
	while IFS= read -r stage; do
		faulty error "checkpoint:$stage" checkpoint "$@" "$C"
		state_is "$C" running
		counts_on "$C"
		files_are_there
		is later "$(fl exec "$C" cat /dev/shm/later)"
		nothing_half_made
	done < <(stages checkpoint)
	ticks_are_continuous "$C"
	# The one before.
	fl stop -t 0 "$C" >/dev/null
	fl restore "$C" >/dev/null
	counts_on "$C"
	files_are_there
	fl exec "$C" sh -c '[ ! -e /dev/shm/later ]'
	fl rm -f -t 0 "$C" >/dev/null && fl volume rm "$C-vol" >/dev/null
}

@test "a failure at each stage of checkpoint" {
	needs_second_checkpoint
	fails_at_each_stage
}

@test "a failure at each stage of checkpoint --leave-running" {
	fails_at_each_stage -R
}

@test "a failure at each stage of checkpoint --export" {
	needs_second_checkpoint
	fails_at_each_stage --export c.tar
}

@test "a failure at each stage of checkpoint --export --leave-running" {
	fails_at_each_stage -R --export c.tar
}

@test "a kill at each stage of checkpoint: it runs on, or goes on from the checkpoint" {
	local stage way
	needs_second_checkpoint
	for way in "" "--export c.tar"; do
		ticking
		while IFS= read -r stage; do
			# shellcheck disable=SC2086 # words
			faulty kill "checkpoint:$stage" checkpoint $way "$C"
			if ! has_process "$C"; then
				# By whoever cleans up.
				eventually is_checkpointed "$C"
				state_is "$C" exited
				fl restore "$C" >/dev/null
			fi
			counts_on "$C"
			files_are_there
			rm -f c.tar
		done < <(stages checkpoint)
		ticks_are_continuous "$C"
		fl checkpoint "$C" >/dev/null
		nothing_half_made
		fl rm "$C" >/dev/null
		fl volume rm "$C-vol" >/dev/null
	done
}

@test "a kill at each stage of checkpoint --export --leave-running: it runs on, paused at most" {
	local stage
	ticking
	while IFS= read -r stage; do
		faulty kill "checkpoint:$stage" checkpoint -R --export c.tar "$C"
		state_is "$C" running || fl unpause "$C" >/dev/null
		counts_on "$C"
		files_are_there
		rm -f c.tar
	done < <(stages checkpoint)
	fl checkpoint -R --export c.tar "$C" >/dev/null
	rm c.tar
	nothing_half_made
	ticks_are_continuous "$C"
	fl rm -f -t 0 "$C" >/dev/null && fl volume rm "$C-vol" >/dev/null
}

@test "a failure and a kill at each stage of restore, then restore" {
	local stage how
	ticking
	fl checkpoint "$C" >/dev/null
	while IFS= read -r stage; do
		for how in error kill; do
			faulty $how "restore:$stage" restore "$C"
			state_is "$C" exited
			[ $how = kill ] || [ ! -e "$ENGINE/run/containers/$(inspect "$C" '{{.ID}}')" ]
		done
	done < <(stages start init_stages)
	fl restore "$C" >/dev/null
	counts_on "$C"
	ticks_are_continuous "$C"
	files_are_there
	fl rm -f -t 0 "$C" >/dev/null && fl volume rm "$C-vol" >/dev/null
}

# Every stage of the import, and of the restore that it ends with.
import_stages()
{
	stages restore_import | sed 's/^/import:/'
	stages start init_stages | sed 's/^/restore:/'
}

@test "a failure at each stage of an import leaves nothing" {
	local place
	ticking
	fl checkpoint --export c.tar "$C" >/dev/null
	fl rm "$C" >/dev/null
	fl volume rm "$C-vol" >/dev/null
	engine_inventory >before
	while IFS= read -r place; do
		faulty error "$place" restore --import c.tar
		is "" "$(fl ps -aq)$(fl volume ls -q)"
		eventually same_inventory
	done < <(import_stages)
	fl restore --import c.tar >/dev/null
	counts_on "$C"
	ticks_are_continuous "$C"
	files_are_there
	fl rm -f -t 0 "$C" >/dev/null && fl volume rm "$C-vol" >/dev/null
}

same_inventory()
{
	engine_inventory >after
	! diff before after | grep '^>'
}

@test "a kill at each stage of an import, then import again, or remove" {
	local place
	ticking
	fl checkpoint --export c.tar "$C" >/dev/null
	fl rm "$C" >/dev/null
	fl volume rm "$C-vol" >/dev/null
	while IFS= read -r place; do
		faulty kill "$place" restore --import c.tar
		# It is no container that could be started.
		if fl container exists "$C"; then
			try start "$C"
			refused "its import was cut short"
		fi
		fl restore --import c.tar >/dev/null
		counts_on "$C"
		files_are_there
		fl rm -f -t 0 "$C" >/dev/null
		fl volume rm "$C-vol" >/dev/null
		faulty kill "$place" restore --import c.tar
		! fl container exists "$C" || fl rm "$C" >/dev/null
		is "" "$(fl ps -aq)$(fl volume ls -q)"
	done < <(import_stages)
}
