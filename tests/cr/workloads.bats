#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# Servers as people run them go through ten checkpoints and restores under load, the fifth into another directory. The
# client is outside of the container and keeps its connections over all of it; see workloads/client.py.
#
# Without sanitizers is enough.

load ../lib/cr

CYCLES=10
MOVED_IN=5

# --- the network --------------------------------------------------------------------------------------------------------

# A bridge with the client's address, and a pair of interfaces between it and the container's network namespace.
CLIENT_ADDRESS=10.213.0.1
SERVER_ADDRESS=10.213.0.2

make_bridge()
{
	BRIDGE=floe0
	ip link add $BRIDGE type bridge
	ip address add $CLIENT_ADDRESS/24 dev $BRIDGE
	ip link set $BRIDGE up
}

# In a network namespace that outlives the container, as podman and Kubernetes make it.
make_network()
{
	make_bridge
	NETWORK=$ID
	ip netns add "$NETWORK"
	plug "$NETWORK"
	configure --arg path "/run/netns/$NETWORK" \
		'.linux.namespaces |= map(if .type == "network" then .path = $path else . end)'
}

# plug NAMESPACE: a name of ip's or a process. (The kernel ends namespaces when it has time, and pairs with them.)
plug()
{
	ip link delete floe1 2>/dev/null || :
	ip link add floe1 master $BRIDGE type veth peer name eth0 netns "$1" address 02:00:00:00:00:02
	ip link set floe1 up
	ip -n "$1" address add $SERVER_ADDRESS/24 dev eth0
	ip -n "$1" link set eth0 up
	ip -n "$1" link set lo up
}

# In the container's own network namespace, by a hook, as Docker does it.
make_network_by_hook()
{
	make_bridge
	cat >"$T/hook" <<-HOOK
		#!/bin/sh -e
		pid=\$(jq .pid)
		exec >/dev/null
		ip link delete floe1 2>/dev/null || :
		ip link add floe1 master $BRIDGE type veth peer name eth0 netns "\$pid" address 02:00:00:00:00:02
		ip link set floe1 up
		inside="nsenter --net=/proc/\$pid/ns/net ip"
		\$inside address add $SERVER_ADDRESS/24 dev eth0
		\$inside link set eth0 up
		\$inside link set lo up
	HOOK
	chmod +x "$T/hook"
	configure --arg hook "$T/hook" --arg path "$PATH" '.hooks.createRuntime += [{ path: $hook, env: ["PATH=" + $path] }]'
}

remove_network()
{
	if [ -n "${NETWORK:-}" ]; then
		ip netns delete "$NETWORK"
		rmdir /run/netns 2>/dev/null || { umount /run/netns && rmdir /run/netns; }
	fi
	if [ -n "${BRIDGE:-}" ]; then
		ip link delete floe1 2>/dev/null || :
		ip link delete "$BRIDGE"
	fi
}

teardown()
{
	[ "${T:-}" ] || return 0
	[ -z "${CLIENT:-}" ] || kill -KILL "$CLIENT" 2>/dev/null || :
	end_containers
	remove_network
	clean_up
}

# --- the client ---------------------------------------------------------------------------------------------------------

# client PROTOCOL PORT [OPTION...]: begin with the load.
client()
{
	local protocol=$1 port=$2
	shift 2
	mkdir "$T/client"
	python3 -B "$SOURCE/tests/cr/workloads/client.py" "$@" "$protocol" $SERVER_ADDRESS "$port" "$T/client" \
		>"$T/client/log" 2>&1 </dev/null 3>&- 4>&- {PIPE}>&- &
	CLIENT=$!
	more_records
}

records()
{
	local n=0
	[ ! -e "$T/client/journal" ] || n=$(wc -l <"$T/client/journal")
	echo "$n"
}

# Wait until the server has acknowledged more. (A client that has sent in vain for some time waits as long until it sends again.)
more_records()
{
	local before end=$((SECONDS + 60))
	before=$(records)
	while [ $SECONDS -lt $end ]; do
		[ "$(records)" -lt $((before + 20)) ] || return 0
		kill -0 "$CLIENT" 2>/dev/null || break
		sleep 0.02
	done
	fail "the client does not get on: $(cat "$T/client/log")" "the server: $(tail -n 20 "$T/out")"
}

# The client's judgement.
client_is_content()
{
	local status=0
	kill -TERM "$CLIENT"
	wait "$CLIENT" || status=$?
	CLIENT=
	[ $status -eq 0 ] || fail "the client: $(cat "$T/client/log")" "the server: $(tail -n 20 "$T/out")"
	echo "# table: $BATS_TEST_DESCRIPTION: $(tail -n 1 "$T/client/log"), frozen for $(time_frozen) ms" >&3
}

# serves PORT: start the container and wait for the server, which may take its time.
serves()
{
	local i
	start_on_pipe || fail "the container does not start: $(cat "$T/out")" || return 1
	for ((i = 0; i < 600; i++)); do
		! { : <>"/dev/tcp/$SERVER_ADDRESS/$1"; } 2>/dev/null || return 0
		is_state running || break
		sleep 0.1
	done
	fail "the server does not serve: $(tail -n 20 "$T/out")"
}

# --- the cycles ---------------------------------------------------------------------------------------------------------

# The bundle, the changes of its root file system, its volume and the image get other places.
move_everything()
{
	umount "$OVERLAY"
	OVERLAY=
	mkdir "$T/elsewhere"
	mv "$T"/{image,upper,overlay-work} "$BUNDLE" "$T/elsewhere"
	BUNDLE=$T/elsewhere/bundle
	mount -t overlay \
		-o "lowerdir=$LOWER,upperdir=$T/elsewhere/upper,workdir=$T/elsewhere/overlay-work" \
		overlay "$BUNDLE/rootfs"
	OVERLAY=$BUNDLE/rootfs
	if [ -e "$T/volume" ]; then
		mv "$T/volume" "$T/elsewhere"
		configure --arg old "$T/volume" --arg new "$T/elsewhere/volume" \
			'.mounts |= map(if .source == $old then .source = $new else . end)'
	fi
	IMAGE=$T/elsewhere/image
}

# The inspection knows what lies in the way, and what does not.
is_foreseen()
{
	run checkpoint --dry-run --format json
	[ "$status" -eq 1 ] || fail "exit status $status: $output" || return 1
	jq -e '.blockers | length > 0' <<<"$output" >/dev/null || fail "$output" || return 1
	contains "$output" --tcp-established || return 1
	run checkpoint --dry-run --tcp-established "$@"
	[ "$status" -eq 0 ] || fail "exit status $status: $output"
}

# The median, in ms.
time_frozen()
{
	jq -s 'map(.frozen_time) | sort | .[length / 2 | floor] / 1000 | round' "$T"/stats.*
}

# cycles [OPTION...]: the options are for both ends. With CLOSE=close the restore closes the connections.
cycles()
{
	local cycle
	is_foreseen "$@" || return 1
	for ((cycle = 1; cycle <= CYCLES; cycle++)); do
		IMAGE=$T/image
		rm -rf "$IMAGE"
		checkpoint --print-stats --tcp-established "$@" >"$T/stats.$cycle"
		is_gone
		[ $cycle -ne $MOVED_IN ] || move_everything
		restore --image-path "$IMAGE" "--tcp-${CLOSE:-established}" "$@" || fail "cycle $cycle: $(tail -n 5 "$T/out")"
		more_records
	done
}

in_user_namespace()
{
	chmod o+x "$BATS_RUN_TMPDIR" "$BATS_RUN_TMPDIR"/* "$T" "$BUNDLE"
	configure '.linux.namespaces += [{ type: "user" }]
		| .linux.uidMappings = [{ containerID: 0, hostID: 100000, size: 65536 }] | .linux.gidMappings = .linux.uidMappings'
}

server_rootfs()
{
	[ -z "${FLOE_VM_MODE:-}" ] || [ -d "$FLOE_CACHE/rootfs/$1" ] || skip "the root file system is not in the VM"
	LOWER=$("$SOURCE/tools/make-rootfs" "$1")
	overlay_rootfs "$1"
}

# --- the servers --------------------------------------------------------------------------------------------------------

@test "memcached" {
	server_rootfs memcached
	make_network
	command_is memcached -u root -t 4 -m 64
	serves 11211
	client memcached 11211
	cycles
	client_is_content
	rt kill "$ID" TERM
	eventually is_state stopped
}

@test "Redis" {
	server_rootfs redis
	make_network
	add_mount /run tmpfs tmpfs nosuid nodev mode=1777
	# A client inside goes on counting, over loopback.
	script_is 'redis-server --save "" --appendonly yes --dir /srv --protected-mode no --enable-debug-command yes &
		until redis-cli ping >/dev/null 2>&1; do sleep 0.05; done
		while :; do echo incr counter; sleep 0.02; done | redis-cli | while read -r n; do echo "tick $n"; done'
	serves 6379
	client redis 6379
	cycles
	client_is_content
	remove_container
	ticks_are_continuous
}

@test "nginx" {
	server_rootfs nginx
	make_network
	add_mount /run tmpfs tmpfs nosuid nodev
	add_mount /var/lib/nginx tmpfs tmpfs nosuid nodev mode=755
	configure '.process.capabilities |= map_values(. + ["CAP_SETUID", "CAP_SETGID", "CAP_CHOWN", "CAP_DAC_OVERRIDE"])'
	mkdir -m 777 "$BUNDLE/rootfs/srv/files"
	seq -f '%015.0f' 0 999999 >"$BUNDLE/rootfs/srv/large"
	cat >"$BUNDLE/rootfs/etc/nginx/nginx.conf" <<-CONF
		user $(can_dump_other_users && echo www-data || echo root);
		worker_processes 2;
		daemon off;
		pid /run/nginx.pid;
		error_log stderr;
		events { worker_connections 64; }
		http {
			access_log /dev/stdout;
			keepalive_requests 1000000;
			client_max_body_size 100m;
			server {
				listen 80;
				root /srv;
				location /files { dav_methods PUT; }
			}
		}
	CONF
	command_is nginx
	serves 80
	client nginx 80
	cycles
	client_is_content
	rt kill "$ID" QUIT
	eventually is_state stopped
	# Each record was logged once.
	[ "$(sed -n 's/.*"PUT \/files\/\(w[^ ]*\) HTTP.* 201 .*/\1/p' "$T/out" | sort)" = "$(sort "$T/client/journal")" ]
}

@test "a Python web server with threads and a database" {
	server_rootfs python
	make_network
	cp "$SOURCE/tests/cr/workloads/server.py" "$BUNDLE/rootfs/srv"
	command_is python3 /srv/server.py /srv 8000
	serves 8000
	client python 8000
	run checkpoint --tcp-established
	[ "$status" -eq 1 ]
	contains "$output" --file-locks "still running"
	cycles --file-locks
	client_is_content
	remove_container
	ticks_are_continuous
}

@test "a JVM" {
	server_rootfs java
	make_network
	add_mount /tmp tmpfs tmpfs nosuid nodev mode=1777
	cp "$SOURCE/tests/cr/workloads/Server.java" "$BUNDLE/rootfs/srv"
	script_is 'java -XX:TieredStopAtLevel=1 -Xshare:auto -cp "/usr/share/java/*" org.eclipse.jdt.internal.compiler.batch.Main \
			-proc:none -17 -d /srv /srv/Server.java && exec java -XX:+UseG1GC -Xmx128m -cp /srv Server 7000'
	serves 7000
	client java 7000
	cycles
	client_is_content
	remove_container
	ticks_are_continuous
}

@test "PostgreSQL" {
	server_rootfs postgres
	make_network_by_hook
	add_mount /run tmpfs tmpfs nosuid nodev mode=1777
	add_mount /tmp tmpfs tmpfs nosuid nodev mode=1777
	mkdir "$BUNDLE/rootfs/data"
	mkdir -m 700 "$T/volume"
	add_mount /data bind "$T/volume" rbind rw
	configure '.process.user = { uid: 997, gid: 997 } | .root.readonly = true'
	chown 100997:100997 "$T/volume"
	in_user_namespace
	script_is '[ -e /data/PG_VERSION ] || {
			initdb --data-checksums --no-sync --auth trust --locale C --encoding UTF8 /data >/tmp/initdb || exit
			echo "host all all 0.0.0.0/0 trust" >>/data/pg_hba.conf
		}
		(
			until pgbench --quiet -h /run -U postgres -i postgres >/tmp/pgbench 2>&1; do sleep 0.1; done
			touch /run/loaded
			exec pgbench -h 127.0.0.1 -U postgres -n -c 2 -R 100 -T 100000 postgres >/tmp/pgbench 2>&1
		) &
		exec postgres -D /data -c "listen_addresses=*" -c unix_socket_directories=/run -c max_connections=40'
	serves 5432
	eventually inside test -e /run/loaded
	client postgres 5432
	cycles --empty-ns network
	client_is_content
	rt kill "$ID" INT
	eventually is_state stopped
	file_contains "$T/out" "database system is shut down"
}

@test "Redis with clients that connect again, because the restore closes connections" {
	server_rootfs redis
	make_network
	command_is redis-server --save "" --appendonly yes --dir /srv --protected-mode no
	serves 6379
	client redis 6379 --reconnect
	CYCLES=4 MOVED_IN=2 CLOSE=close cycles
	client_is_content
	[[ $(tail -n 1 "$T/client/log") != *" 0 reconnections"* ]]
}

# --- connections and the network ----------------------------------------------------------------------------------------

# A program that asks for what nobody serves and notes what it hears: a reset ("refused") or nothing ("silence").
write_probe()
{
	cat >"$T/probe" <<-PROBE
		#!/bin/bash
		timeout 2 bash -c ': <>/dev/tcp/$SERVER_ADDRESS/1' && heard=connection || { [ \$? -eq 124 ] && heard=silence || heard=refused; }
		echo \$heard >>"$T/heard"
	PROBE
	chmod +x "$T/probe"
}

echoes()
{
	local line
	echo "$1" >&"$CONNECTION"
	read -r -t 20 line <&"$CONNECTION"
	[ "$line" = "$1" ]
}

hears()
{
	: >"$T/heard"
	"$T/probe" 2>/dev/null
	[ "$(cat "$T/heard")" = "$1" ]
}

@test "no connection is reset by a network namespace that stays" {
	make_network
	command_is nc -l -p 7000 -e cat
	write_probe
	serves_one 7000
	echoes before
	hears refused
	checkpoint --tcp-established
	# Nobody is there, and nobody shall know.
	echo during >&"$CONNECTION"
	hears silence
	restore --tcp-established
	hears refused
	read -r -t 20 line <&"$CONNECTION"
	[ "$line" = during ]
	echoes after
	# The lock is gone.
	[ -z "$(ip netns exec "$NETWORK" nft list ruleset)" ] || fail "$(ip netns exec "$NETWORK" nft list ruleset)"
}

@test "no connection is reset by a network namespace that a hook plugs in" {
	make_network_by_hook
	write_probe
	configure --arg hook "$T/probe" --arg path "$PATH" '.hooks.createRuntime += [{ path: $hook, env: ["PATH=" + $path] }]'
	command_is nc -l -p 7000 -e cat
	serves_one 7000
	echoes before
	checkpoint --tcp-established
	: >"$T/heard"
	restore --tcp-established
	[ "$(cat "$T/heard")" = silence ]
	hears refused
	echoes after
}

# serves_one PORT: start, and take the only connection that it serves.
serves_one()
{
	start_on_pipe || fail "the container does not start: $(cat "$T/out")" || return 1
	eventually takes_connection "$1"
}

takes_connection()
{
	{ exec {CONNECTION}<>"/dev/tcp/$SERVER_ADDRESS/$1"; } 2>/dev/null
}

@test "a network that was given cannot be frozen together with a user namespace of the container's own" {
	make_network
	in_user_namespace
	idle_command
	start_on_pipe
	run checkpoint --dry-run
	[ "$status" -eq 1 ]
	contains "$output" "net namespace belongs to another user namespace" "let the runtime create it"
	run checkpoint
	[ "$status" -eq 1 ]
	contains "$output" "belongs to another user namespace" "still running"
}
