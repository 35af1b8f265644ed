#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# A restore makes mount points and mounts in a root file system that need not be what it was: it may come from elsewhere.

load ../lib/cr
load lib

setup()
{
	container_setup
	hostile_image
	mkdir -p "$T/volume"
	echo mine >"$T/volume/file"
	configure --arg volume "$T/volume" '.mounts += [
		{ destination: "/place/tmpfs", type: "tmpfs", source: "tmpfs" },
		{ destination: "/place/bind", type: "bind", source: $volume, options: ["rbind"] },
		{ destination: "/place/file", type: "bind", source: "\($volume)/file", options: ["bind"] }]'
	ticking
}

freeze()
{
	start_on_pipe
	ticks_after 1
	checkpoint
}

# It worked or it did not, but nothing outside was touched, and nothing inside leads out.
restore_is_contained()
{
	local ticks
	ticks=$(last_tick)
	restore || :
	host_is_unchanged
	if [ -e "$STATE/$ID" ]; then
		run rt exec "$ID" sh -c "cat /place/secret /place/tmpfs/../secret /proc/secret /sys/secret /dev/secret $HOST/secret"
		[[ $output != *"secret of the host"* ]] || fail "$output"
		ticks_after "$ticks"
		remove_container
	fi
}

in_place_of()
{
	rm -rf "${IMAGE:?}/$1"
	ln -s "$2" "$IMAGE/$1"
}

@test "mount points have become links to the host" {
	freeze
	for link in "$HOST" "$(up_to_host)" "/proc/1/root$HOST" "/proc/self/fd/3/$(up_to_host)"; do
		in_place_of place "$link"
		restore_is_contained
	done
	in_place_of place /nowhere
	restore_is_contained
}

@test "proc, sys and dev have become links to the host" {
	freeze
	for place in proc sys dev; do
		in_place_of $place "$HOST"
		restore_is_contained
		in_place_of $place "$(up_to_host)"
		restore_is_contained
		rm "${IMAGE:?}/$place"
		mkdir "$IMAGE/$place"
	done
}

@test "mount points have become other things" {
	freeze
	rm -rf "${IMAGE:?}/place"
	mkdir "$IMAGE/place"
	ln -s "$HOST/secret" "$IMAGE/place/file"
	mkfifo "$IMAGE/place/tmpfs"
	ln -s "$HOST" "$IMAGE/place/bind"
	restore_is_contained
	rm -rf "${IMAGE:?}/place"
	ln -s "$HOST/new" "$IMAGE/place"
	restore_is_contained
	[ ! -e "$HOST/new" ]
}

@test "the root file system itself has become a link" {
	freeze
	mv "$IMAGE" "$T/away"
	ln -s / "$IMAGE"
	run restore
	[ "$status" -ne 0 ]
	host_is_unchanged
	rm "$IMAGE"
	mv "$T/away" "$IMAGE"
	restore
	remove_container
}

@test "the root file system is exchanged for a link meanwhile" {
	freeze
	mkdir "$T/parent"
	mv "$IMAGE" "$T/parent/rootfs"
	ln -s / "$T/parent/link"
	configure --arg root "$T/parent/rootfs" '.root.path = $root'
	"$ATTACK" swap "$T/parent/rootfs" "$T/parent/link" 3>&- 4>&- {PIPE}>&- &
	attacker=$!
	for _ in $(seq 6); do
		restore_is_contained
	done
	kill "$attacker"
	wait "$attacker" || :
	[ ! -e /place ]
}

@test "an exec in a restored container finds nothing of the host" {
	freeze
	restore
	run rt exec "$ID" /attack fds
	[ "$output" = "0 1 2 " ]
	run rt exec "$ID" /attack look "$HOST/secret" 0
	[ "$output" = "nothing, by way of others" ]
	for n in 3 4 5 6 7 8; do
		run rt exec "$ID" "/proc/self/fd/$n/$(up_to_host)/busybox" sh -c 'echo ESCAPED'
		[ "$status" -ne 0 ]
		[[ $output != *ESCAPED* ]]
	done
	remove_container
}
