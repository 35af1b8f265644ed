#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# Checkpoint archives between floe and podman 5, both ways. podman is that of tools/install-peers: the distribution's cannot
# restore root file systems, and fails with CRIU 4.

# shellcheck disable=SC2016 # what is in single quotes is for the shell of the container
# shellcheck disable=SC2153 # $RUNTIME is no misspelling

RUNTIMES=(crun floe-runtime)
load ../lib/podman
load ../lib/registry

FLOE=${FLOE:-$FLOE_BUILD/src/cli/floe/floe}

# podman finds the volumes of an archive where it has its own by default.
eval "$(declare -f podman_configure | sed '1s/podman_configure/podman_configure_plain/')"
podman_configure()
{
	podman_configure_plain
	mkdir -p /var/lib/containers
	mount -t tmpfs containers /var/lib/containers
	mkdir -p /var/lib/containers/storage/volumes
	sed -i 's|^volume_path = .*|volume_path = "/var/lib/containers/storage/volumes"|' "$CONTAINERS_CONF"
}

setup_file()
{
	export FLOE_TEST_PEERS=1
	podman_setup_file
	mkdir -p /run/netns
	mount --bind /run/netns /run/netns
	mount --make-shared /run/netns
	ip link set lo up
	fl_engine
	RUNTIME=floe-runtime pod save -q bb:latest | fl load -q >/dev/null
	# The same image by its id, or nothing could be moved.
	[ "$(fl images -q --no-trunc bb)" = "sha256:$(RUNTIME=floe-runtime pod images -q --no-trunc bb | sed s/sha256://)" ]
	# netavark's tables are made once.
	RUNTIME=floe-runtime pod run --rm --network podman bb true
}

setup()
{
	client_setup
	RUNTIME=floe-runtime
	PODMAN=(podman --root "$CLIENT/root" --runroot "$CLIENT/run" --storage-driver vfs)
	fl_engine
}

fl_engine()
{
	ENGINE=$CLIENT/floe
	C=${C:-setup}
}

# floe's conmon ends a moment after its container is gone.
fl_cgroups_gone()
{
	cgroups_remove
	[ -z "$(find /sys/fs/cgroup -mindepth 2 -maxdepth 2 -type d -name "ft$FLOE_TEST_RUN-fl" 2>/dev/null)" ]
}

teardown_file()
{
	registry_stop
	eventually fl_cgroups_gone || :
	! mountpoint -q /var/lib/containers || umount -l /var/lib/containers
	nft flush ruleset
	! mountpoint -q /run/netns || { umount /run/netns && rmdir /run/netns; }
	rm -rf /run/xtables.lock
	clients_end podman
}

teardown()
{
	cd /
	fl rm --all --force --time 0 >/dev/null 2>&1 || :
	fl volume prune --force >/dev/null 2>&1 || :
	client_clean_up >/dev/null 2>&1 || :
}

fl()
{
	local command=$1
	shift
	case $command in
	run | create) set -- --cgroup-parent "$(client_cgroup fl)" "$@" ;;
	esac
	env -u CONTAINERS_CONF -u CONTAINERS_CONF_OVERRIDE timeout --kill-after=5 $CLIENT_SECONDS "$FLOE" --root "$ENGINE/root" --runroot "$ENGINE/run" --cgroup-manager cgroupfs \
		--network-config-dir "$CLIENT/networks" --runtime "$FLOE_RUNTIME" "$command" "$@" 3>&- 4>&-
}

COUNT='i=0; while :; do i=$((i + 1)); echo "tick $i"; sleep 0.1; done'
CHANGE='set -e; mkdir -p /data; echo new >/data/new; echo modified >/etc/group; rm /etc/passwd; mkdir /data/d; echo x >/data/d/x
	echo in-shm >/dev/shm/f; echo in-volume >/vol/f'
LOOK='echo $(cat /data/new /etc/group /data/d/x /dev/shm/f /vol/f) $([ -e /etc/passwd ] || echo gone)'
SEEN='new modified x in-shm in-volume gone'

# continuous COMMAND...: its output counts from 1 on.
continuous()
{
	"$@" | sed -n 's/^tick //p' | awk '$1 != NR { print "tick " $1 " at place " NR; bad = 1 } END { exit bad || NR == 0 }'
}

counts_after()
{
	local n=$1
	shift
	[ "$("$@" 2>/dev/null | sed -n 's/^tick //p' | tail -n 1)" -gt "$n" ]
}

answers()
{
	local line
	{ exec {CONNECTION}<>"/dev/tcp/$1/$2"; } 2>/dev/null || return 1
	read -r -t 5 line <&"$CONNECTION"
	exec {CONNECTION}>&-
	[ "$line" = hello ]
}

@test "floe exports, podman restores: root, volume, shm, log, address, port" {
	fl run -d --name "$C" --network podman:ip=10.88.7.7 -p 127.0.0.1:7101:80 -v "$C-vol:/vol" bb sh -c \
		"(while :; do echo hello | nc -l -p 80; done) & $COUNT" </dev/null >/dev/null
	fl exec "$C" sh -c "$CHANGE"
	eventually answers 127.0.0.1 7101
	fl checkpoint --export c.tar.zst "$C"
	fl rm "$C"
	fl volume rm "$C-vol"
	pod container restore --import c.tar.zst >/dev/null
	prints running inspect .State.Status
	eventually counts_after 3 pod logs "$C"
	continuous pod logs "$C"
	prints "$SEEN" pod exec "$C" sh -c "$LOOK"
	prints 10.88.7.7 inspect .NetworkSettings.Networks.podman.IPAddress
	eventually answers 127.0.0.1 7101
	prints 0 pod inspect --format '{{.RestartCount}}' "$C"
	pod rm -f -t 0 "$C"
}

# From 16 MiB on memory is compressed while CRIU writes it, and in front of it is a frame that decoders skip.
@test "floe exports much memory, podman restores" {
	fl run -d --name "$C" --network none bb sh -c 'x=$(head -c 15000000 /dev/urandom | base64)
		echo "$x" | md5sum >/before
		while [ ! -e /ask ]; do sleep 0.1; done
		echo "$x" | md5sum >/after
		exec tail -f /dev/null' </dev/null >/dev/null
	eventually fl exec "$C" grep -q -e - /before
	fl checkpoint --export c.tar.zst "$C"
	fl rm "$C"
	pod container restore --import c.tar.zst >/dev/null
	pod exec "$C" touch /ask
	eventually pod exec "$C" grep -q -e - /after
	pod exec "$C" cmp /before /after
	pod rm -f -t 0 "$C"
}

@test "podman exports, floe restores: root, volume, shm, log, address, port" {
	pod run -d --name "$C" --network podman:ip=10.88.7.8 -p 127.0.0.1:7102:80 -v "$C-vol:/vol" bb sh -c \
		"(while :; do echo hello | nc -l -p 80; done) & $COUNT" >/dev/null
	pod exec "$C" sh -c "$CHANGE"
	eventually answers 127.0.0.1 7102
	pod container checkpoint --export c.tar.zst "$C" >/dev/null
	pod rm -f "$C" >/dev/null
	pod volume rm "$C-vol"
	fl restore --import c.tar.zst
	prints running fl inspect --format '{{.State.Status}}' "$C"
	eventually counts_after 3 fl logs "$C"
	continuous fl logs "$C"
	prints "$SEEN" fl exec "$C" sh -c "$LOOK"
	prints 10.88.7.8 fl inspect --format '{{.NetworkSettings.Networks.podman.IPAddress}}' "$C"
	eventually answers 127.0.0.1 7102
	fl rm -f -t 0 "$C" && fl volume rm "$C-vol"
}

@test "to and fro: floe, podman, floe, podman" {
	local i
	fl run -d --name "$C" --network none bb sh -c "$COUNT" </dev/null >/dev/null
	for i in 1 2; do
		eventually counts_after $((i * 4 - 2)) fl logs "$C"
		fl exec "$C" sh -c "echo floe $i >>/log"
		fl checkpoint --export c.tar --compress none "$C"
		fl rm "$C"
		pod container restore --import c.tar >/dev/null
		eventually counts_after $((i * 4)) pod logs "$C"
		pod exec "$C" sh -c "echo podman $i >>/log"
		pod container checkpoint --export c.tar --compress none "$C" >/dev/null
		pod rm -f "$C" >/dev/null
		fl restore --import c.tar
	done
	prints "floe 1 podman 1 floe 2 podman 2" fl exec "$C" sh -c 'echo $(cat /log)'
	continuous fl logs "$C"
	fl rm -f -t 0 "$C"
}

@test "podman exports, floe restores under new names and ports, side by side" {
	pod run -d --name "$C" --network podman -p 127.0.0.1:7103:80 bb sh -c 'while :; do echo hello | nc -l -p 80; done' >/dev/null
	pod container checkpoint --export c.tar.gz --compress gzip "$C" >/dev/null
	fl restore --import c.tar.gz --name "$C-1" --publish 127.0.0.1:7104:80
	fl restore --import c.tar.gz --name "$C-2" --publish 127.0.0.1:7105:80
	eventually answers 127.0.0.1 7104
	eventually answers 127.0.0.1 7105
	fl rm -f -t 0 "$C-1" "$C-2"
	pod rm -f -t 0 "$C" >/dev/null
}

# Each makes an image of a checkpoint and pushes it; the other pulls and restores it.
@test "images of checkpoints, both ways through a registry" {
	local id
	need docker-registry
	registry_start
	registry_configure "$T"
	fl run -d --name "$C-f" --network none bb sh -c "$COUNT" </dev/null >/dev/null
	pod run -d --name "$C-p" --network none bb sh -c "$COUNT" >/dev/null
	eventually counts_after 3 fl logs "$C-f"
	eventually counts_after 3 pod logs "$C-p"
	fl container checkpoint --create-image "$REGISTRY/f:1" "$C-f"
	pod container checkpoint --create-image "$REGISTRY/p:1" "$C-p"
	fl push -q "$REGISTRY/f:1"
	pod push -q "$REGISTRY/p:1"
	fl rm "$C-f" >/dev/null
	pod rm "$C-p" >/dev/null
	id=$(pod image inspect --format '{{.Id}}' "$REGISTRY/p:1")
	[ "$(fl pull -q "$REGISTRY/p:1")" = "$id" ]
	[ "$(pod pull -q "$REGISTRY/f:1")" = "$(fl image inspect --format '{{.Id}}' "$REGISTRY/f:1")" ]
	# What podman wrote is what floe has, and floe's image has each of podman's annotations.
	[ "$(pod image inspect "$REGISTRY/p:1" | jq -S '.[0].Annotations')" = "$(fl image inspect "$REGISTRY/p:1" | jq -S '.[0].Annotations')" ]
	diff <(pod image inspect "$REGISTRY/p:1" | jq -r '.[0].Annotations | keys[] | select(startswith("io.podman"))') \
		<(pod image inspect "$REGISTRY/f:1" | jq -r '.[0].Annotations | keys[] | select(startswith("io.podman"))')
	pod container restore "$REGISTRY/f:1" >/dev/null
	fl container restore --name "$C-2" "$REGISTRY/p:1" >/dev/null
	eventually counts_after 5 pod logs "$C-f"
	eventually counts_after 5 fl logs "$C-2"
	pod rm -f -t 0 "$C-f" >/dev/null
	fl rm -f -t 0 "$C-2" >/dev/null
	pod rmi -f "$REGISTRY/f:1" "$REGISTRY/p:1" >/dev/null
	fl rmi -f "$REGISTRY/f:1" "$REGISTRY/p:1" >/dev/null
}
