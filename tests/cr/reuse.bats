#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# An image directory that has been used before, as with checkpoints at intervals.

load ../lib/cr

# Other processes each time, each with memory of its own.
with_children()
{
	ticking 'children() { for n in 1 2 3; do sh -c "x=$1; while :; do sleep 0.1; done" & pids="$pids $!"; done; }
		trap "kill \$pids; wait \$pids; pids=; sleep 0.1; children two; echo changed" USR1
		children one;'
	start_on_pipe
	ticks_after 3
}

page_maps()
{
	find "$T/image" -name 'pagemap-*.img' -printf '%f\n' | sort
}

@test "the second of two checkpoints into one directory is restored" {
	with_children
	checkpoint --leave-running
	first=$(page_maps)
	rt kill "$ID" USR1
	eventually file_contains "$T/out" changed
	checkpoint
	# The first's are gone with their processes.
	[ "$(comm -12 <(echo "$first") <(page_maps))" = pagemap-1.img ]
	tick=$(last_tick)
	restore
	ticks_after "$tick"
	remove_container
	ticks_are_continuous
}

@test "a failed checkpoint leaves no checkpoint where there was one" {
	overlay_rootfs python
	cp "$SOURCE/tests/cr/tcp.py" "$BUNDLE/rootfs/tcp.py"
	command_is python3 /tcp.py
	start_on_pipe
	ticks_after 3
	checkpoint --leave-running --tcp-established
	[ -e "$T/image/descriptors.json" ]
	run checkpoint
	[ "$status" -eq 1 ]
	contains "$output" --tcp-established "still running"
	[ ! -e "$T/image/descriptors.json" ]
	remove_container
	run restore --tcp-established
	[ "$status" -eq 1 ]
	says "image directory '$T/image'"
	is_gone
}

@test "files that are none of CRIU's stay in the image directory" {
	ticking
	start_on_pipe
	ticks_after 1
	mkdir "$T/image"
	echo mine >"$T/image/pages-1.img.bak"
	echo mine >"$T/image/pagemap-77.img"
	echo mine >"$T/image/pages-99.img"
	checkpoint --leave-running
	for name in pages-1.img.bak pagemap-77.img pages-99.img; do
		[ "$(cat "$T/image/$name")" = mine ]
	done
	remove_container
}
