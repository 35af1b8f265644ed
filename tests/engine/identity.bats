#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# Who a restored container is: names, addresses, ports, mounts, limits, each for itself; and the network of one that stays who
# it is. The "host" is the network namespace of the test run.

load ../lib/engine_cr

setup_file()
{
	engine_cr_setup_file
	has_netavark || export CANNOT_FREEZE="no netavark (tools/install-deps)"
	engine_setup
	host_network_begin
	tar -C "$ROOTFS" -c . | fl import - bb:1 >/dev/null
	# netavark's tables are made once.
	fln run --rm --network podman bb:1 true
}

teardown_file()
{
	engine_teardown_file
	host_network_end
}

# floe with networks of the test file's own.
fln()
{
	local command=$1
	shift
	fl --network-config-dir "$BATS_FILE_TMPDIR/networks" "$command" "$@"
}

# A server that says who it is: its memory, then what is in a file.
serve()
{
	# shellcheck disable=SC2016,SC2046 # for the shell of the container; words
	fln run -d --name "$C" $(cr_options) --cgroup-parent "$CGROUP_PARENT" "$@" bb:1 \
		sh -c 'who=$RANDOM; while :; do echo "$who" | nc -l -p 80; done' </dev/null >/dev/null
}

import()
{
	local allow=()
	[[ $ENGINE_RUNTIME != *crun ]] || allow=(--allow annotations)
	fln restore "${allow[@]}" --import c.tar "$@"
}

# Its copy was not written here.
strange_archive()
{
	cp c.tar copy.tar
	mv copy.tar c.tar
}

# asked ADDRESS PORT: what the server there says.
asked()
{
	local line
	{ exec {CONNECTION}<>"/dev/tcp/$1/$2"; } 2>/dev/null || return 1
	read -r -t 5 line <&"$CONNECTION" || return 1
	exec {CONNECTION}>&-
	ANSWER=$line
}

says_it()
{
	asked "$1" "$2" && [ "$ANSWER" = "$3" ]
}

address()
{
	inspect "$1" '{{.NetworkSettings.Networks.podman.IPAddress}}'
}

mac()
{
	inspect "$1" '{{.NetworkSettings.Networks.podman.MacAddress}}'
}

@test "in place: the same address, MAC address and port; hosts made anew" {
	local before
	serve --network podman -p 127.0.0.1:7201:80 --hostname named
	eventually asked 127.0.0.1 7201
	before="$(address "$C") $(mac "$C") $ANSWER"
	fln checkpoint "$C"
	is "" "$(ls /run/netns)"
	run ! asked 127.0.0.1 7201
	fln restore "$C"
	eventually asked 127.0.0.1 7201
	is "$before" "$(address "$C") $(mac "$C") $ANSWER"
	fln exec "$C" grep -q "^$(address "$C")[[:space:]].*named" /etc/hosts
}

@test "an archive under its own name: the same; ignored on request; asked for otherwise" {
	local ip mac
	serve --network podman
	ip=$(address "$C") mac=$(mac "$C")
	fln checkpoint --export c.tar --compress none "$C"
	fl rm "$C"
	import
	is "$ip $mac" "$(address "$C") $(mac "$C")"
	fl rm -f -t 0 "$C"
	import --ignore-static-mac
	is "$ip" "$(address "$C")"
	[ "$(mac "$C")" != "$mac" ]
	fl rm -f -t 0 "$C"
	import --ip 10.88.9.9
	is "10.88.9.9 $mac" "$(address "$C") $(mac "$C")"
	fl rm -f -t 0 "$C"
	import --mac 92:d0:c6:0a:29:44 --ignore-static-ip
	is 92:d0:c6:0a:29:44 "$(mac "$C")"
	fl rm -f -t 0 "$C"
	import --name "$C-new" --ip 10.88.9.10
	is "10.88.9.10" "$(address "$C-new")"
}

@test "copies side by side on ports of their own, with one memory" {
	local n who
	serve --network podman -p 127.0.0.1:7202:80
	eventually asked 127.0.0.1 7202
	who=$ANSWER
	fln checkpoint -R --export c.tar --compress none "$C"
	# The archive's is the original's.
	run import --name "$C-3"
	[ "$status" -eq 125 ]
	contains "$output" "publish port 127.0.0.1:7202/tcp: address already in use; from an archive it can have others: --publish"
	fl rm -f -t 0 "$C"
	for n in 3 4 5; do
		import --name "$C-$n" --publish 127.0.0.1:720$n:80
	done
	run import --name "$C-6" --publish 127.0.0.1:7203:80
	[ "$status" -eq 125 ]
	contains "$output" "publish port 127.0.0.1:7203/tcp: address already in use"
	is 3 "$(fl ps -aq | wc -l)"
	for n in 3 4 5; do
		eventually says_it 127.0.0.1 720$n "$who"
		fln exec "$C-$n" grep -q "^$(address "$C-$n")[[:space:]]" /etc/hosts
	done
	is 3 "$(for n in 3 4 5; do address "$C-$n"; done | sort -u | wc -l)"
	# The port of the archive is free: nobody has asked for it.
	run ! asked 127.0.0.1 7202
}

@test "import --keep: the address and port that it got there are those of a later restore in place" {
	local before
	serve --network podman -p 80
	fln checkpoint --export c.tar --compress none "$C"
	import --name "$C-2" --keep
	before="$(address "$C-2") $(mac "$C-2") $(inspect "$C-2" '{{(index (index .NetworkSettings.Ports "80/tcp") 0).HostPort}}')"
	fl kill "$C-2"
	fl wait "$C-2"
	eventually state_is "$C-2" exited
	fln restore "$C-2"
	is "$before" "$(address "$C-2") $(mac "$C-2") $(inspect "$C-2" '{{(index (index .NetworkSettings.Ports "80/tcp") 0).HostPort}}')"
}

@test "another network; one that is taken; none where there was one" {
	serve --network podman:ip=10.88.7.9
	fln checkpoint --export c.tar --compress none "$C"
	fln network create --subnet 10.213.9.0/24 --disable-dns "$C-net"
	import --name "$C-1" --network "$C-net:ip=10.213.9.7"
	is 10.213.9.7 "$(inspect "$C-1" "{{(index .NetworkSettings.Networks \"$C-net\").IPAddress}}")"
	import --name "$C-2"
	is 10.88.7.9 "$(address "$C-2")"
	run import --name "$C-3"
	[ "$status" -eq 125 ]
	contains "$output" 10.88.7.9
	try container exists "$C-3"
	is 1 "$status"
	for n in none host "container:$C"; do
		run import --name "$C-3" --network "$n"
		[ "$status" -eq 125 ]
		contains "$output" "--network '$n': a restored container can be in other networks only, by their names"
	done
	is 2 "$(find /run/netns -type f | wc -l)"
	fl rm -f -t 0 "$C-1" "$C-2"
	fln network rm "$C-net"
}

@test "host name, memory, processor, volume and directory" {
	local id dir=$T/given
	mkdir "$dir"
	echo given >"$dir/f"
	serve --network none -v "$C-vol:/vol" -v "$T/given:/given" -m 64m
	fl exec "$C" sh -c 'echo archived >/vol/f'
	fln checkpoint --export c.tar --compress none "$C"
	mkdir "$T/other"
	echo other >"$T/other/f"
	import --name "$C-2" --hostname elsewhere --memory 96m --cpus 0.5 --volume "$C-vol2:/vol" --volume "$T/other:/given"
	is "elsewhere elsewhere archived other" \
		"$(fl exec "$C-2" sh -c 'echo $(hostname) $(cat /etc/hostname /vol/f /given/f)')"
	is "100663296 500000000" "$(inspect "$C-2" '{{.HostConfig.Memory}} {{.HostConfig.NanoCpus}}')"
	id=$(inspect "$C-2" '{{.ID}}')
	if [ -d /sys/fs/cgroup/memory ]; then
		is 100663296 "$(cat /sys/fs/cgroup/memory/*/"floe-$id"/memory.limit_in_bytes)"
	fi
	is archived "$(cat "$ENGINE/root/volumes/$C-vol2/_data/f")"
	strange_archive
	# A directory of this host that the archive names is a class of its own; a place without a mount is none.
	run import --name "$C-3" --volume "$C-vol3:/vol"
	[ "$status" -eq 125 ]
	contains "$output" "mounts: '$T/given' of the host on '/given'"
	run import --name "$C-3" --volume "$C-vol3:/nowhere"
	[ "$status" -eq 125 ]
	contains "$output" "the container has no mount there"
	fl rm -f -t 0 "$C" "$C-2"
	fl volume prune -f >/dev/null
}

# What the container NAME is called and has: told by itself, by the engine and by its cgroup.
identity()
{
	local name=$1 memory
	memory=$(inspect "$name" '{{.HostConfig.Memory}}')
	if [ -d /sys/fs/cgroup/memory ]; then
		is "$memory" "$(cat /sys/fs/cgroup/memory/*/"floe-$(inspect "$name" '{{.ID}}')"/memory.limit_in_bytes)"
	fi
	fln exec "$name" grep -q "^$(address "$name")[[:space:]].*$name" /etc/hosts
	# shellcheck disable=SC2016 # for the shell of the container
	echo "$(fl exec "$name" sh -c 'echo $(hostname) $(cat /etc/hostname) $HOSTNAME $(cat /given/f)')" \
		"$(inspect "$name" '{{.Config.Hostname}}') $(address "$name") $(mac "$name")" \
		"$memory $(inspect "$name" '{{.HostConfig.NanoCpus}} {{.HostConfig.PortBindings}}')"
}

# again NAME [OPTION...]: export it as c.tar, remove it, import that.
again()
{
	local name=$1
	shift
	fln checkpoint --export c.tar --compress none "$name" >/dev/null
	fl rm "$name" >/dev/null
	import --allow mounts,annotations "$@" >/dev/null
}

@test "what was given at an import stays: in place, and through five archives with something else each time" {
	local who id ports='map[80/tcp:[{127.0.0.1 7207}]]'
	needs_second_checkpoint
	mkdir "$T/one" "$T/two"
	echo one >"$T/one/f"
	echo two >"$T/two/f"
	serve --network podman -v "$T/one:/given"
	id=$(inspect "$C" '{{slice .ID 0 12}}')
	again "$C" --name "$C-2" --ip 10.88.7.31 --mac 92:d0:c6:0a:29:31 --memory 64m
	# By name its processes go on under the host name that they know, which is in hosts, too.
	who="10.88.7.31 92:d0:c6:0a:29:31 67108864"
	is "$id $id $id one $id $who 0 map[]" "$(identity "$C-2")"
	again "$C-2" --hostname elsewhere --publish 127.0.0.1:7207:80
	is "elsewhere elsewhere elsewhere one elsewhere $who 0 $ports" "$(identity "$C-2")"
	fln checkpoint "$C-2"
	fln restore "$C-2"
	is "elsewhere elsewhere elsewhere one elsewhere $who 0 $ports" "$(identity "$C-2")"
	again "$C-2" --cpus 0.5 --volume "$T/two:/given"
	is "elsewhere elsewhere elsewhere two elsewhere $who 500000000 $ports" "$(identity "$C-2")"
	again "$C-2" --name "$C-3" --ip 10.88.7.32
	who="10.88.7.32 92:d0:c6:0a:29:31 67108864"
	is "elsewhere elsewhere elsewhere two elsewhere $who 500000000 $ports" "$(identity "$C-3")"
	again "$C-3"
	is "elsewhere elsewhere elsewhere two elsewhere $who 500000000 $ports" "$(identity "$C-3")"
	eventually asked 127.0.0.1 7207
	fln restart -t 0 "$C-3"
	is "elsewhere elsewhere elsewhere two elsewhere $who 500000000 $ports" "$(identity "$C-3")"
}

@test "TCP connections: kept at the same address, or closed" {
	local line
	# shellcheck disable=SC2016,SC2046
	fln run -d --name "$C" $(cr_options) --network podman:ip=10.88.7.11 bb:1 sh -c 'while :; do nc -l -p 90 -e cat; done' \
		</dev/null >/dev/null
	exec_connect()
	{
		{ exec {CONNECTION}<>/dev/tcp/10.88.7.11/90; } 2>/dev/null
	}
	eventually exec_connect
	echo one >&"$CONNECTION"
	read -r -t 10 line <&"$CONNECTION"
	is one "$line"
	try checkpoint "$C"
	[ "$status" -eq 125 ]
	contains "$output" "tcp-established"
	is running "$(inspect "$C" '{{.State.Status}}')"
	fln checkpoint --tcp-established --export c.tar "$C"
	import --name "$C-2" --tcp close --ip 10.88.7.12
	is running "$(inspect "$C-2" '{{.State.Status}}')"
	fln restore --tcp-established "$C"
	is running "$(inspect "$C" '{{.State.Status}}')"
}

@test "TCP connections of a container with a user namespace can only be closed, and that is said before" {
	local line before
	[[ $ENGINE_RUNTIME != *crun ]] || skip "crun cannot dump the devices that it binds into a container with a user namespace"
	let_others_reach "$BATS_FILE_TMPDIR"
	fln run -d --name "$C" --network podman:ip=10.88.7.21 --uidmap 0:100000:65536 --gidmap 0:100000:65536 bb:1 \
		sh -c 'while :; do nc -l -p 90 -e cat; done' </dev/null >/dev/null
	exec_connect()
	{
		{ exec {CONNECTION}<>/dev/tcp/10.88.7.21/90; } 2>/dev/null
	}
	eventually exec_connect
	echo one >&"$CONNECTION"
	read -r -t 10 line <&"$CONNECTION"
	is one "$line"
	before="$(address "$C") $(mac "$C")"
	try checkpoint --tcp-established --export c.tar "$C"
	is 0 "$status"
	contains "$output" "a restore can only close them (--tcp-close)"
	try restore --tcp-established "$C"
	refused "restore container '$C' with its TCP connections: it has a user namespace" "--tcp-close"
	state_is "$C" exited
	fln restore --tcp-close "$C" >/dev/null
	is "$before" "$(address "$C") $(mac "$C")"
	fl rm -f -t 0 "$C" >/dev/null
	run import --tcp-established
	[ "$status" -eq 125 ]
	contains "$output" "with its TCP connections: it has a user namespace"
	is "" "$(fl ps -aq)"
	import --tcp-close >/dev/null
	is "$before" "$(address "$C") $(mac "$C")"
	exec {CONNECTION}>&-
}

@test "one network of two: frozen and thawed together in place, in no archive" {
	needs_second_checkpoint
	serve --network podman
	# shellcheck disable=SC2016,SC2046
	fln run -d --name "$C-2" $(cr_options) --cgroup-parent "$CGROUP_PARENT" --network "container:$C" bb:1 \
		sh -c 'while :; do echo second | nc -l -p 81; done' </dev/null >/dev/null
	# shellcheck disable=SC2046
	fln run -d --name "$C-3" $(cr_options) --network none --requires "$C" bb:1 sh -c 'while :; do sleep 0.1; done' </dev/null >/dev/null
	eventually has_begun "$C-2"
	eventually has_begun "$C-3"
	try checkpoint --export c.tar "$C-2"
	refused "with dependencies: '$C-2' has the network namespace of container '$C', which no archive brings along" "without --export"
	try checkpoint --export c.tar "$C-3"
	refused "'$C-3' requires container '$C'"
	[ ! -e c.tar ]
	# Whoever needs the other is frozen before, and goes on after it.
	is 3 "$(fln checkpoint --all | wc -l)"
	try restore "$C-2"
	refused "join network namespace of container '$C': it is not running"
	is 3 "$(fln restore --all | wc -l)"
	eventually says_it "$(address "$C")" 81 second
	# One that has lost it cannot be frozen.
	fln checkpoint "$C" >/dev/null
	fln restore "$C" >/dev/null
	try checkpoint "$C-2"
	refused "container '$C-2' has a network namespace that was container '$C's, which has ended meanwhile"
	is running "$(inspect "$C-2" '{{.State.Status}}')"
	fl rm -f -t 0 "$C-3" "$C-2" >/dev/null
}

@test "--dry-run tells what fits and what does not, and makes nothing" {
	serve --network podman:ip=10.88.7.13 -p 127.0.0.1:7206:80 -v "$C-vol:/vol" -v "$T:/given"
	fln checkpoint -R --export c.tar --compress none "$C"
	strange_archive
	run import --dry-run --allow mounts
	[ "$status" -eq 1 ]
	contains "$output" "ok    processor: " "ok    kernel: " "ok    cgroups: " "ok    CRIU: " "fails name: '$C' is taken" \
		"ok    image: " "ok    mount: '$T' on '/given' is here" "fails volume: '$C-vol' exists already" \
		"ok    network: 'podman' is here" "fails address: 10.88.7.13 is that of container $C" \
		"fails port: 7206 is published by container $C"
	run import --dry-run --allow mounts --publish 127.0.0.2:7206:80
	contains "$output" "ok    port: 7206 is free"
	run import --dry-run --allow mounts --publish 0.0.0.0:7206:80
	contains "$output" "fails port: 7206 is published by container $C"
	fl rm -f -t 0 "$C"
	fl volume rm "$C-vol"
	run import --dry-run
	[ "$status" -eq 1 ]
	contains "$output" "fails trust: " "--allow mounts"
	run import --dry-run --volume "$T:/given"
	[ "$status" -eq 0 ]
	contains "$output" "ok    address: 10.88.7.13 is free" "ok    port: 7206 is free" "ok    volume: '$C-vol' would be made"
	is "" "$(fl ps -aq)"
	is "" "$(fl volume ls -q)"
}

@test "addresses that are ignored or asked for are so at later starts, too; a chosen port stays at a restore" {
	local port told
	serve --network podman:ip=10.88.0.77,mac=92:d0:c6:0a:29:38 -p 80
	port=$(inspect "$C" '{{(index (index .NetworkSettings.Ports "80/tcp") 0).HostPort}}')
	fln checkpoint --export c.tar "$C" >/dev/null
	fln restore --ignore-static-ip --ignore-static-mac "$C" >/dev/null
	is "$port" "$(inspect "$C" '{{(index (index .NetworkSettings.Ports "80/tcp") 0).HostPort}}')"
	told=$(address "$C")
	[ "$told" != 10.88.0.77 ]
	fln restart -t 0 "$C" >/dev/null
	[ "$(address "$C")" != 10.88.0.77 ]
	[ "$(inspect "$C" '{{.NetworkSettings.Networks.podman.MacAddress}}')" != 92:d0:c6:0a:29:38 ]
	fln rm -f -t 0 "$C" >/dev/null
	import --ip 10.88.0.78 >/dev/null
	is 10.88.0.78 "$(address "$C")"
	fln restart -t 0 "$C" >/dev/null
	is 10.88.0.78 "$(address "$C")"
	is 92:d0:c6:0a:29:38 "$(inspect "$C" '{{.NetworkSettings.Networks.podman.MacAddress}}')"
	fln rm -f -t 0 "$C" >/dev/null
}
