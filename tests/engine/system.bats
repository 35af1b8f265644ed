#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# floe system: what takes the disk, getting it back, and finding and repairing what is broken.

load ../lib/engine

setup()
{
	engine_setup
	ENGINE=$T/engine
	mkdir "$ENGINE"
}

teardown()
{
	local mount
	engine_clean_up
	while IFS= read -r mount; do
		umount -l "$mount"
	done < <(awk -v t="$T/" 'index($5, t) == 1 { print $5 }' /proc/self/mountinfo)
}

# make_images: localhost/base of one layer, localhost/more with another on top.
make_images()
{
	mkdir -p "$T/files/etc"
	head -c 3000000 /dev/zero >"$T/files/etc/zeroes"
	tar -C "$ROOTFS" -cf "$T/base.tar" .
	fl import "$T/base.tar" localhost/base:1 >/dev/null 2>&1
	fl create --name maker localhost/base:1 true >/dev/null
	fl cp "$T/files/etc/zeroes" maker:/zeroes
	fl commit -q maker localhost/more:1 >/dev/null
	fl rm maker >/dev/null
}

image_id()
{
	fl image inspect --format '{{.Id}}' "$1"
}

# layers IMAGE: their directories, lowest first.
layers()
{
	sqlite3 -cmd ".timeout 20000" "$ENGINE/root/floe.db" "WITH RECURSIVE up(c, d) AS (SELECT top, 0 FROM images WHERE id = '$(image_id "$1")'
		UNION ALL SELECT l.parent, d + 1 FROM layers l JOIN up ON l.chain_id = c WHERE l.parent IS NOT NULL)
		SELECT substr(c, 8) FROM up ORDER BY d DESC" | sed "s|^|$ENGINE/root/layers/|"
}

check()
{
	run fl system check "$@"
}

# damaged TEXT...: check says so and exits 125, and 0 after --repair, for good.
damaged()
{
	check
	is 125 "$status"
	contains "$output" "$@" "damage detected"
	check --repair
	is 0 "$status"
	contains "$output" "repaired"
	check
	is "0 " "$status $output"
}

@test "df: images share layers, containers and volumes count what they hold" {
	make_images
	is 3 "$(fl system df | tail -n +2 | wc -l)"
	base=$(fl image inspect --format '{{.Size}}' localhost/base:1)
	is "2 0 $((base + 3000000)) 3000000" "$(fl system df --format json | jq -r '.[0] | "\(.Total) \(.Active) \(.RawSize) \(.RawReclaimable)"')"
	start_with_image "$C"
	fl volume create data >/dev/null
	head -c 5000 /dev/zero >"$ENGINE/root/volumes/data/_data/file"
	ln "$ENGINE/root/volumes/data/_data/file" "$ENGINE/root/volumes/data/_data/same"
	is "Images 2 1|Containers 1 1|Local Volumes 1 0" "$(fl system df --format '{{.Type}} {{.Total}} {{.Active}}' | paste -sd '|')"
	is "5kB (100%)" "$(fl system df --format json | jq -r '.[2].Reclaimable')"
	run fl system df -v
	[[ $output != *" ago"* ]]
	contains "$output" "SHARED SIZE" "UNIQUE SIZE" "3MB" "CONTAINER ID" "$C" "VOLUME NAME" "data" "LINKS"
	try system df -v --format json
	refused "--format"
	fl volume rm data >/dev/null
}

# A container of the image that stays.
start_with_image()
{
	local name=$1
	shift
	fl run -d --name "$name" "$@" localhost/base:1 sh -c 'trap "exit 0" TERM; while :; do sleep 0.1; done' </dev/null >/dev/null
}

@test "prune takes what does not run and what nobody uses, and says how much it was" {
	make_images
	start_with_image "$C"
	fl create --name "$C-2" --label keep=me localhost/more:1 true >/dev/null
	fl volume create unused >/dev/null
	run fl system prune <<<n
	contains "$output" "WARNING!" "all stopped containers"
	fl container exists "$C-2"
	fl system prune --force --filter label=other >/dev/null
	fl container exists "$C-2"
	run fl system prune --force --build
	contains "$output" "Deleted Containers" "Total reclaimed space: 0B"
	run fl container exists "$C-2"
	is 1 "$status"
	fl container exists "$C"
	fl image exists localhost/more:1
	fl volume exists unused
	run fl system prune --force --all --volumes
	contains "$output" "Deleted Volumes" unused "Deleted Images" "Total reclaimed space: 3MB"
	fl image exists localhost/base:1
	run fl image exists localhost/more:1
	is 1 "$status"
	fl volume create young >/dev/null
	fl system prune --force --volumes --filter until=1h >/dev/null
	fl volume exists young
	for bad in "--filter name=x" "--external --all" "--volumes --filter until=x"; do
		# shellcheck disable=SC2086 # two words
		try system prune --force $bad
		refused "Error: "
	done
	fl system prune --external >/dev/null
}

@test "reset leaves nothing of ours and everything of others" {
	make_images
	start_with_image "$C" -v data:/data
	echo secret | fl secret create s - >/dev/null
	touch "$ENGINE/root/not-ours" "$ENGINE/run/not-ours"
	run fl system reset <<<n
	contains "$output" "WARNING!"
	fl container exists "$C"
	pid=$(inspect "$C" '{{.State.Pid}}')
	fl system reset --force
	process_is_gone "$pid"
	is not-ours "$(ls -A "$ENGINE/root")"
	is not-ours "$(ls -A "$ENGINE/run")"
	# And one can begin anew.
	is "" "$(fl ps -aq)"
	fl system check
}

@test "check is silent when all is well, with containers running or not" {
	make_images
	start_with_image "$C" -v data:/data
	fl create --name "$C-2" localhost/more:1 true >/dev/null
	fl create --name "$C-3" --rootfs "$ROOTFS" true >/dev/null
	fl image mount localhost/more:1 >/dev/null
	echo secret | fl secret create s - >/dev/null
	check
	is "0 " "$status $output"
	check --quick
	is "0 " "$status $output"
	fl image unmount --all >/dev/null
	fl secret rm s >/dev/null
}

@test "check finds a lost layer, and unpacks it again" {
	make_images
	mapfile -t layer < <(layers localhost/more:1)
	is 2 "${#layer[@]}"
	rm -rf "${layer[0]}" "${layer[1]}"
	damaged "has lost its files"
	is "3000000" "$(fl run --rm localhost/more:1 stat -c %s /zeroes)"
	# A file that is missing, or too short.
	rm "${layer[0]}/diff/bin/busybox" 2>/dev/null || rm "${layer[0]}/diff/usr/bin/busybox"
	damaged "does not have the files that it was unpacked with"
	: >"${layer[1]}/diff/zeroes"
	check --quick
	is 0 "$status"
	damaged "does not have the files that it was unpacked with"
	is "3000000" "$(fl run --rm localhost/more:1 stat -c %s /zeroes)"
	rm "$ENGINE"/root/layers/l/*
	damaged "has lost its short name"
}

@test "check finds lost and changed content; the image goes when nobody uses it, else by force" {
	make_images
	id=$(image_id localhost/more:1)
	start_with_image "$C"
	fl create --name "$C-2" localhost/more:1 true >/dev/null
	echo changed >"$ENGINE/root/blobs/sha256/$id"
	check --quick
	is 0 "$status"
	check --repair
	is 125 "$status"
	contains "$output" "image $id has lost a part of its content" "--force removes both"
	fl container exists "$C-2"
	check --force
	is 0 "$status"
	run fl container exists "$C-2"
	is 1 "$status"
	run fl image exists localhost/more:1
	is 1 "$status"
	fl container exists "$C"
	check
	is "0 " "$status $output"
}

@test "check finds content without a record, dangling records and half-made work" {
	make_images
	db() { sqlite3 -cmd ".timeout 20000" "$ENGINE/root/floe.db" "PRAGMA foreign_keys = off; $1"; }
	mkdir -p "$ENGINE/root/layers/$(printf 'a%.0s' {1..64})/diff" "$ENGINE/root/staging/left"
	echo x >"$ENGINE/root/blobs/sha256/$(printf 'b%.0s' {1..64})"
	damaged "layers/aaaa" "blobs/sha256/bbbb" "staging/left"
	id=$(image_id localhost/more:1)
	db "INSERT INTO blob_users VALUES ('image:$(printf 'c%.0s' {1..64})', 'sha256:x')"
	damaged "image:cccc" "needs content, but does not exist"
	# A kill between the container's record and its root file system.
	fl create --name "$C" localhost/more:1 true >/dev/null
	cid=$(inspect "$C" '{{.Id}}')
	db "DELETE FROM rootfs WHERE id = '$cid'; DELETE FROM layer_users WHERE user = 'rootfs:$cid'"
	damaged "container $cid was never completed"
	run fl container exists "$C"
	is 1 "$status"
	[ ! -e "$ENGINE/root/rootfs/$cid" ]
	# The other way round.
	fl create --name "$C" localhost/more:1 true >/dev/null
	cid=$(inspect "$C" '{{.Id}}')
	db "DELETE FROM containers WHERE id = '$cid'"
	damaged "root file system $cid belongs to nothing"
	[ ! -e "$ENGINE/root/rootfs/$cid" ]
}

@test "check finds stray files, leaked mounts and addresses" {
	make_images
	stray=$(printf 'd%.0s' {1..64})
	mkdir -p "$ENGINE/root/containers/$stray" "$ENGINE/run/containers/$stray/shm" "$ENGINE/run/tmp/persist/$stray" \
		"$ENGINE/root/rootfs/$stray/merged"
	touch "$ENGINE/run/tmp/exits/$stray" "$ENGINE/run/tmp/locks/$stray" "$ENGINE/root/secrets-$stray"
	mkdir -p "$ENGINE/root/secrets" "$ENGINE/run/networks"
	touch "$ENGINE/root/secrets/0123456789abcdef012345678"
	mount -t tmpfs shm "$ENGINE/run/containers/$stray/shm"
	mount -t tmpfs root "$ENGINE/root/rootfs/$stray/merged"
	echo "{\"leases\":{\"10.213.0.2\":\"$stray\"}}" >"$ENGINE/run/networks/some.json"
	damaged "root/containers/$stray" "run/containers/$stray" "exits/$stray" "persist/$stray" "locks/$stray" \
		"secrets/0123456789" "shm is mounted for nobody" "merged is mounted for nobody" "lease some $stray"
	[ "$(awk -v t="$ENGINE/" 'index($5, t) == 1' /proc/self/mountinfo)" = "" ]
	[ ! -e "$ENGINE/root/rootfs/$stray" ]
	# What is not one of our directories is not looked at.
	[ -e "$ENGINE/root/secrets-$stray" ]
	# The mount of a container that does not run.
	fl create --name "$C" localhost/base:1 true >/dev/null
	merged=$ENGINE/root/rootfs/$(inspect "$C" '{{.Id}}')/merged
	mount -t tmpfs root "$merged"
	damaged "$merged is mounted for nobody"
	run mountpoint -q "$merged"
	[ "$status" -ne 0 ]
	is 0 "$(fl start -a "$C" >/dev/null; echo $?)"
}

@test "check finds lost volumes, volumes without a record, lost roots and lost secrets" {
	make_images
	fl volume create "$C" >/dev/null
	fl volume create "$C-2" >/dev/null
	echo kept >"$ENGINE/root/volumes/$C-2/_data/file"
	rm -r "$ENGINE/root/volumes/$C"
	sqlite3 -cmd ".timeout 20000" "$ENGINE/root/floe.db" "DELETE FROM volumes WHERE name = '$C-2'"
	damaged "volume $C has lost its directory" "volume $C-2 has a directory, but no record"
	is kept "$(fl run --rm -v "$C-2:/mnt" localhost/base:1 cat /mnt/file)"
	fl run --rm -v "$C:/mnt" localhost/base:1 touch /mnt/file
	echo secret | fl secret create s - >/dev/null
	rm "$ENGINE"/root/secrets/*
	fl create --name "$C" localhost/base:1 true >/dev/null
	rm -rf "$ENGINE/root/rootfs/$(inspect "$C" '{{.Id}}')"
	check --repair
	is 125 "$status"
	contains "$output" "has lost its root file system" "secret s has lost its content" "--force"
	check --force
	is 0 "$status"
	check
	is "0 " "$status $output"
	run fl container exists "$C"
	is 1 "$status"
	fl volume rm "$C" "$C-2" >/dev/null
}

@test "check finds nothing of a volume that was used and removed" {
	make_images
	fl run --rm -v "$C-v:/mnt" localhost/base:1 touch /mnt/file
	fl volume rm "$C-v" >/dev/null
	[ ! -e "$ENGINE/run/tmp/locks/volume-$C-v" ]
	check
	is "0 " "$status $output"
}

@test "check while containers come and go reports nothing" {
	make_images
	(
		for _ in 1 2 3 4 5 6; do
			fl run --rm localhost/more:1 true
			fl create --name "$C-x" -v "$C-v:/mnt" localhost/base:1 true
			fl rm "$C-x"
			fl volume rm "$C-v"
		done
	) >"$T/work" 2>&1 </dev/null &
	worker=$!
	for _ in 1 2 3; do
		check
		is "0 " "$status $output"
	done
	wait $worker
	[ "$(grep -c Error "$T/work")" -eq 0 ] || fail "$(<"$T/work")"
}

@test "info and version say what there is, as YAML, JSON and by template" {
	make_images
	start_with_image "$C"
	fl info --format json >info.json
	is "1 1 2" "$(jq -r '"\(.store.containerStore.number) \(.store.containerStore.running) \(.store.imageStore.number)"' info.json)"
	is "$(uname -n) $(uname -r) $(nproc)" "$(jq -r '"\(.host.hostname) \(.host.kernel) \(.host.cpus)"' info.json)"
	is "$ENGINE/root" "$(jq -r .store.graphRoot info.json)"
	contains "$(jq -r .host.conmon.version info.json)" "conmon version" ", commit: "
	contains "$(jq -r .host.ociRuntime.version info.json)" "$(basename "$ENGINE_RUNTIME") version"
	contains "$(jq -r .host.security.capabilities info.json)" CAP_CHOWN CAP_SYS_CHROOT
	[ "$(jq '.host.cgroupControllers | length' info.json)" -gt 0 ]
	is "$(sed -n "s/^ID=//p" /etc/os-release)" "$(jq -r .host.distribution.distribution info.json)"
	is overlay "$(fl info -f '{{.Store.GraphDriverName}}')"
	is "$(jq -r .host.security.capabilities info.json)" "$(fl info -f '{{.Host.Security.DefaultCapabilities}}')"
	# The same things as YAML.
	fl info >info.yaml
	for line in "host:" "  hostname: $(uname -n)" "  - local" "    running: 1"; do
		grep -qx -- "$line" info.yaml || fail "no '$line' in" "$(<info.yaml)"
	done
	is "$(fl version --format '{{.Client.Version}}')" "$(jq -r .version.Version info.json)"
	contains "$(fl version)" "Version:" "OS/Arch:" "linux/"
	is "$(fl version -f json | jq -r .Client.Version)" "$(fl version --format '{{.Client.Version}}')"
	try info --format '{{.nothing}}'
	refused "nothing"
}
