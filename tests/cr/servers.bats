#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# Real programs that go through five checkpoints and restores in a row, with their state and their output pipe intact.

load ../lib/cr

redis()
{
	inside redis-cli "$@"
}

@test "redis survives five cycles with its data, its identity and its output" {
	overlay_rootfs redis
	! can_dump_other_users || configure '.process.user = { uid: 999, gid: 999 } | .process.env += ["HOME=/run"]'
	add_mount /run tmpfs tmpfs nosuid nodev mode=1777
	# A client in the container goes on counting in the server. It keeps its connection: of one whose client is just ending
	# CRIU (4.2.1) may see one end alone, and then the restore fails.
	ticking 'redis-server --save "" --appendonly no --dir /run --unixsocket /run/redis.sock --enable-debug-command yes \
			--loglevel notice &
		until redis-cli ping >/dev/null 2>&1; do sleep 0.05; done
		while :; do echo incr counter; sleep 0.02; done | redis-cli -s /run/redis.sock >/dev/null &'
	start_on_pipe
	eventually file_contains "$T/out" "Ready to accept connections"
	ticks_after 0

	seq 1 20000 | sed 's/.*/SET key:& value-of-&/' | inside redis-cli --pipe >"$T/load" 2>&1
	file_contains "$T/load" "errors: 0, replies: 20000"
	redis hset hash a 1 b 2 >/dev/null
	redis zadd sorted 1 one 2 two >/dev/null
	# All but the counter, which moves.
	digest() { redis debug digest-value key:1 key:777 key:20000 hash sorted; }
	before=$(digest)
	size=$(redis dbsize)
	run_id=$(redis info server | sed -n 's/^run_id://p')
	process_id=$(redis info server | sed -n 's/^process_id://p')

	for cycle in 1 2 3 4 5; do
		counter=$(redis get counter)
		rm -rf "$T/image"
		eventually has_no_connection
		checkpoint
		is_gone
		tick=$(last_tick)
		restore
		ticks_after "$tick"
		[ "$(digest)" = "$before" ]
		[ "$(redis dbsize)" = "$size" ]
		[ "$(redis get key:4711)" = value-of-4711 ]
		[ "$(redis info server | sed -n 's/^run_id://p')" = "$run_id" ]
		[ "$(redis info server | sed -n 's/^process_id://p')" = "$process_id" ]
		[ "$(redis get counter)" -ge "$counter" ]
		counter=$(redis get counter)
		eventually redis_counts_on "$counter"
		redis set "cycle:$cycle" over >/dev/null
		size=$((size + 1))
	done
	[ "$(redis mget cycle:1 cycle:2 cycle:3 cycle:4 cycle:5 | grep -c over)" -eq 5 ]
	remove_container
	ticks_are_continuous
}

# The server has seen the end of the last client by then: nothing but listeners, and what waits for its time to be over.
has_no_connection()
{
	awk 'FNR > 1 && $4 != "0A" && $4 != "06" { found = 1 } END { exit found }' "/proc/$(pid_of)/net/tcp"
}

redis_counts_on()
{
	[ "$(redis get counter)" -gt "$1" ]
}

get()
{
	nsenter --target "$(pid_of)" --net bash -c \
		'exec 5<>/dev/tcp/127.0.0.1/8080 && printf "GET %s HTTP/1.0\r\n\r\n" "$1" >&5 && cat <&5' get "$1" 3>&- 4>&- {PIPE}>&-
}

requests()
{
	get /status | awk '/^ *[0-9]+ [0-9]+ [0-9]+ *$/ { print $3 }'
}

@test "nginx survives five cycles with its workers, its counters and its log" {
	overlay_rootfs nginx
	add_mount /run tmpfs tmpfs nosuid nodev
	add_mount /var/lib/nginx tmpfs tmpfs nosuid nodev mode=755
	configure '.process.capabilities |= map_values(. + ["CAP_SETUID", "CAP_SETGID", "CAP_CHOWN", "CAP_DAC_OVERRIDE"])'
	cat >"$BUNDLE/rootfs/etc/nginx/nginx.conf" <<-CONF
		user $(can_dump_other_users && echo www-data || echo root);
		worker_processes 3;
		daemon off;
		pid /run/nginx.pid;
		error_log stderr;
		events { worker_connections 64; }
		http {
			access_log /dev/stdout;
			server {
				listen 127.0.0.1:8080;
				location /status { stub_status; access_log off; }
				location / { root /var/www/html; }
			}
		}
	CONF
	echo "page before the freeze" >"$BUNDLE/rootfs/var/www/html/page"
	ticking 'nginx &'
	start_on_pipe
	ticks_after 0
	eventually answers
	contains "$(get /page)" "200 OK" "page before the freeze"
	workers=$(inside ps -o pid,args | grep '[n]ginx: ')
	[ "$(wc -l <<<"$workers")" -eq 4 ]
	# The workers tell each other of their sockets in the beginning; CRIU keeps no socket that is on its way with something in it.
	eventually nothing_is_unread

	for cycle in 1 2 3 4 5; do
		served=$(requests)
		rm -rf "$T/image"
		checkpoint
		is_gone
		tick=$(last_tick)
		restore
		ticks_after "$tick"
		[ "$(requests)" -gt "$served" ]
		contains "$(get "/page?cycle=$cycle")" "200 OK" "page before the freeze"
		eventually file_contains "$T/out" "GET /page?cycle=$cycle HTTP/1.0"
		[ "$(inside ps -o pid,args | grep '[n]ginx: ')" = "$workers" ]
	done
	remove_container
	ticks_are_continuous
}

nothing_is_unread()
{
	[ -z "$(nsenter --target "$(pid_of)" --net ss -xH | awk '$3 > 0')" ]
}

answers()
{
	get /status 2>/dev/null | grep -q "200 OK"
}

@test "a multi-threaded Python program survives five cycles with all its threads" {
	overlay_rootfs python
	cp "$SOURCE/tests/cr/threads.py" "$BUNDLE/rootfs/threads.py"
	command_is python3 /threads.py
	start_on_pipe
	ticks_after 3
	for cycle in 1 2 3 4 5; do
		rm -rf "$T/image"
		checkpoint
		is_gone
		tick=$(last_tick)
		restore
		# The threads count after it too, or there would be no tick.
		ticks_after $((tick + 3))
	done
	remove_container
	ticks_are_continuous
	# One token, one PID, five threads, memory intact: one kind of line.
	[ "$(grep '^state' "$T/out" | sort -u | wc -l)" -eq 1 ] || fail "$(grep '^state' "$T/out" | sort | uniq -c)"
	[[ $(grep -m 1 '^state' "$T/out") =~ ^state\ [0-9a-f]{32}\ 1\ 5\ intact$ ]]
}
