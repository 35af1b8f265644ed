#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# Chains of pre-dumps: each image has what was written since the one before, and the last one restores by way of all of them.
# Needs a kernel that tracks changed memory (soft-dirty), such as that of the VM of tests/vm.

load ../lib/cr

setup()
{
	"${FLOE_CRIU:-criu}" check --feature mem_dirty_track >/dev/null 2>&1 ||
		skip "this kernel does not track changed memory (CONFIG_MEM_SOFT_DIRTY)"
	container_setup
}

# A process that holds four megabytes, counts, and writes the four megabytes anew at each SIGUSR1.
holding_memory()
{
	ticking 'fill() { x=$(dd if=/dev/zero bs=1048576 count=4 2>/dev/null | tr "\0" $1); echo filled $1 ${#x}; }
		trap "fill b" USR1; fill a;'
	start_on_pipe
	says "filled a 4194304"
	ticks_after 1
}

write_anew()
{
	rt kill "$ID" USR1
	says "filled b 4194304"
	ticks_after "$(last_tick)"
}

# image NAME [OPTION...]: a checkpoint into $T/NAME.
image()
{
	local name=$1
	shift
	checkpoint --image-path "$T/$name" "$@"
}

# What the memory of all processes takes in an image, in bytes: as long as the files are, and on the disk.
pages_of()
{
	cat "$T/$1"/pages-*.img | wc -c
}

disk_of()
{
	stat -c '%b %B' "$T/$1"/pages-*.img | awk '{ sum += $1 * $2 } END { print sum }'
}

goes_on_from()
{
	local now
	now=$(last_tick)
	restore --image-path "$T/$1" "${@:2}"
	ticks_after "$now"
}

@test "each image of a chain has only what was written since the one before" {
	holding_memory
	image 1 --pre-dump
	is_state running
	image 2 --pre-dump --parent-path ../1
	is_state running
	ticks_after "$(last_tick)"
	image 3 --parent-path ../2
	is_gone
	[ "$(pages_of 1)" -gt 4194304 ] || fail "the first has $(pages_of 1) bytes"
	[ "$(pages_of 2)" -lt 1048576 ] || fail "the second has $(pages_of 2) bytes"
	[ "$(pages_of 3)" -lt 1048576 ] || fail "the third has $(pages_of 3) bytes"
	goes_on_from 3
	# All of the memory is there, and can be frozen again.
	rt kill "$ID" USR1
	says "filled b 4194304"
	image 4
	goes_on_from 4
	remove_container
	sed -i '/^filled/d' "$T/out"
	ticks_are_continuous
}

@test "what is written between two images is in the second" {
	holding_memory
	image 1 --pre-dump
	write_anew
	image 2 --parent-path ../1
	[ "$(pages_of 2)" -gt 4194304 ] || fail "the second has $(pages_of 2) bytes"
	goes_on_from 2
	remove_container
}

@test "--leave-running takes part in a chain" {
	holding_memory
	image 1 --pre-dump
	image 2 --leave-running --parent-path ../1
	is_state running
	[ "$(pages_of 2)" -lt 1048576 ] || fail "the second has $(pages_of 2) bytes"
	remove_container
	: >"$T/out"
	restore --image-path "$T/2"
	ticks_after 0
	remove_container
}

@test "with --auto-dedup an image takes out of its parent what it has itself" {
	holding_memory
	image 1 --pre-dump
	before=$(disk_of 1)
	write_anew
	image 2 --parent-path ../1 --auto-dedup
	after=$(disk_of 1)
	[ $((before - after)) -gt 3145728 ] || fail "the first had $before bytes on the disk and has $after"
	goes_on_from 2
	remove_container
}

@test "a restore with --auto-dedup takes out of the images what it has loaded" {
	holding_memory
	image 1 --pre-dump
	image 2 --parent-path ../1
	before=$(($(disk_of 1) + $(disk_of 2)))
	goes_on_from 2 --auto-dedup
	after=$(($(disk_of 1) + $(disk_of 2)))
	# All that the program holds was loaded; how much else the first has that the second has anew is the kernel's to say.
	[ $((before - after)) -gt 4194304 ] || fail "the images had $before bytes on the disk and have $after"
	remove_container
}

@test "a parent that is not there is refused, and the container goes on" {
	holding_memory
	run checkpoint --image-path "$T/2" --parent-path ../1
	[ "$status" -eq 1 ]
	! is_floe || contains "$output" ../1
	is_state running
	ticks_after "$(last_tick)"
	remove_container
}

@test "a chain whose first image is gone is refused by the restore" {
	holding_memory
	image 1 --pre-dump
	image 2 --parent-path ../1
	mv "$T/1" "$T/elsewhere"
	run restore --image-path "$T/2"
	[ "$status" -eq 1 ]
	is_gone
	mv "$T/elsewhere" "$T/1"
	goes_on_from 2
	remove_container
}

@test "a chain is moved as a whole" {
	holding_memory
	image 1 --pre-dump
	image 2 --parent-path ../1
	mkdir "$T/elsewhere"
	mv "$T/1" "$T/2" "$T/elsewhere"
	goes_on_from elsewhere/2
	remove_container
}
