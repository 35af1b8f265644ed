#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# Real servers as people run them: images made of Debian's packages, pushed to a registry, pulled from it again, and run on a
# network, with published ports and volumes.
#
# Without sanitizers is enough.

load ../lib/engine
load ../lib/networks
load ../lib/registry

setup_file()
{
	local program
	for program in docker-registry skopeo; do
		command -v $program >/dev/null || skip "no $program (tools/install-deps)"
	done
	network_setup_file
	registry_start
}

teardown_file()
{
	registry_stop
	network_teardown_file
}

setup()
{
	network_setup
	registry_configure "$T/etc"
}

# publish NAME ROOTFS DIR CHANGE...: make an image of tools/make-rootfs's ROOTFS and of what DIR has, push it, forget it, and
# have it from the registry. $IMAGE is its name.
publish()
{
	local name=$1 rootfs=$2 extra=$3 change changes=()
	shift 3
	IMAGE=$REGISTRY/$name:1
	for change; do
		changes+=(--change "$change")
	done
	# PostgreSQL's compiler of queries is half of its image.
	tar --numeric-owner --exclude='libLLVM*' --exclude='*/bitcode' --exclude='llvmjit*' --exclude=./usr/share/doc \
		-cf "$T/$name.tar" -C "$("$SOURCE/tools/make-rootfs" "$rootfs")" . -C "$extra" .
	fl import "${changes[@]}" "$T/$name.tar" "localhost/$name:1" >/dev/null
	rm "$T/$name.tar"
	fl push -q --compression-format zstd --compression-level 1 "localhost/$name:1" "docker://$IMAGE"
	fl rmi "localhost/$name:1" >/dev/null
	run fl image exists "$IMAGE"
	is 1 "$status"
	fl pull -q "$name:1" >/dev/null
}

teardown()
{
	local status=0
	fl rm --all --force --time 0 >/dev/null || status=1
	fl rmi --all --force >/dev/null || status=1
	network_clean_up || status=1
	return $status
}

# comes_true COMMAND...: like eventually, for servers that take their time.
comes_true()
{
	local i
	for ((i = 0; i < 300; i++)); do
		! "$@" >/dev/null 2>&1 || return 0
		sleep 0.2
	done
	fail "did not come true: $*" "$(fln ps -a; fln logs "$C" 2>&1 | tail -n 20)"
}

# redis_answers CONTAINER: it also takes connections while it loads its data, when it refuses commands, which is no failure of redis-cli's.
redis_answers()
{
	[ "$(fl exec "$1" redis-cli ping)" = PONG ]
}

@test "nginx serves pages from a volume, with its workers under another user" {
	mkdir "$T/extra" "$T/pages"
	echo "a page of the volume" >"$T/pages/index.html"
	publish nginx nginx "$T/extra" 'EXPOSE 80/tcp' 'STOPSIGNAL SIGQUIT' 'ENTRYPOINT ["nginx", "-g", "daemon off;"]'
	fln run -d --name "$C" -p 18090:80 --tmpfs /run -v "$T/pages:/var/www/html:ro" --read-only --tmpfs /var/log/nginx \
		--tmpfs /var/lib/nginx "$IMAGE" >/dev/null
	is "a page of the volume" "$(ask 127.0.0.1 18090)"
	echo "a new page" >"$T/pages/index.html"
	is "a new page" "$(ask 127.0.0.1 18090)"
	# In the container, www-data's workers beside root's master.
	run fln top "$C" user args
	contains "$output" "www-data" "nginx: worker process"
	fln stop "$C" >/dev/null
	is 0 "$(inspect "$C" '{{.State.ExitCode}}')"
}

@test "redis keeps its data on a volume that takes the image's owner" {
	mkdir "$T/extra"
	publish redis redis "$T/extra" 'USER redis' 'WORKDIR /var/lib/redis' 'VOLUME /var/lib/redis' 'EXPOSE 6379' \
		'CMD ["redis-server", "--appendonly", "yes", "--bind", "0.0.0.0", "--protected-mode", "no"]'
	fl volume create data >/dev/null
	fln run -d --name "$C" -v data:/var/lib/redis "$IMAGE" >/dev/null
	comes_true redis_answers "$C"
	is OK "$(fl exec "$C" redis-cli set key value)"
	seq 1 5000 | sed 's/.*/SET key:& value-of-&/' | fl exec -i "$C" redis-cli --pipe >/dev/null
	is 999 "$(fl exec "$C" stat -c %u /var/lib/redis/appendonlydir)"
	# What is killed has what it has acknowledged a second before; what is stopped has it all.
	fln stop "$C" >/dev/null
	is 0 "$(inspect "$C" '{{.State.ExitCode}}')"
	fln rm "$C" >/dev/null
	fln run -d --name "$C" -v data:/var/lib/redis "$IMAGE" >/dev/null
	comes_true redis_answers "$C"
	is value-of-4711 "$(fl exec "$C" redis-cli get key:4711)"
	is 5001 "$(fl exec "$C" redis-cli dbsize)"
	run fl volume rm data
	[ "$status" -ne 0 ]
}

@test "PostgreSQL makes its data base, answers on the network, and recovers from kill -9" {
	mkdir "$T/extra"
	cat >"$T/extra/entry" <<-'ENTRY'
		#!/bin/sh -e
		if ! [ -s "$PGDATA/PG_VERSION" ]; then
			initdb --no-sync --auth=trust -D "$PGDATA"
			echo "host all all all trust" >>"$PGDATA/pg_hba.conf"
		fi
		exec postgres "$@"
	ENTRY
	chmod +x "$T/extra/entry"
	publish postgres postgres "$T/extra" 'USER postgres' 'ENV PGDATA=/var/lib/postgresql/data' 'VOLUME /var/lib/postgresql' \
		'STOPSIGNAL SIGINT' 'EXPOSE 5432' 'ENTRYPOINT ["/entry"]' \
		'CMD ["-c", "listen_addresses=*", "-c", "unix_socket_directories=/tmp", "-c", "jit=off"]'
	net create sql >/dev/null
	fln run -d --name "$C" --network sql:alias=db -v "$C:/var/lib/postgresql" --shm-size 128m "$IMAGE" >/dev/null
	comes_true fl exec "$C" pg_isready -h 127.0.0.1
	# aardvark 1.4 does not listen for a moment when a container has come.
	local patient='i=0; until nslookup db >/dev/null 2>&1 || [ $i -ge 100 ]; do i=$((i + 1)); sleep 0.1; done; exec psql "$@"'
	sql()
	{
		fln run --rm --network sql --entrypoint sh "$IMAGE" -c "$patient" psql \
			-h db -U postgres -qtA -v ON_ERROR_STOP=1 -c "$1" postgres
	}
	sql 'create table t as select n, md5(n::text) as h from generate_series(1, 20000) n; create unique index on t(n)'
	sum=$(sql "select count(*), md5(string_agg(h, '' order by n)) from t")
	contains "$sum" "20000|"
	fl kill -s KILL "$C" >/dev/null
	is 137 "$(fl wait "$C")"
	fln start "$C" >/dev/null
	comes_true fl exec "$C" pg_isready -h 127.0.0.1
	is "$sum" "$(sql "select count(*), md5(string_agg(h, '' order by n)) from t")"
	file_contains <(fl logs "$C" 2>&1) "database system was not properly shut down; automatic recovery in progress"
	fln stop -t 30 "$C" >/dev/null
	is 0 "$(inspect "$C" '{{.State.ExitCode}}')"
	file_contains <(fl logs "$C" 2>&1) "database system is shut down"
}

@test "an application of two containers: found by name, published, and with its data on a volume" {
	has_aardvark || skip "no aardvark-dns (tools/install-deps)"
	mkdir "$T/extra" "$T/none"
	cat >"$T/extra/app.py" <<-'APP'
		import http.server, os, socket, signal, sys
		class Page(http.server.BaseHTTPRequestHandler):
		    def do_GET(self):
		        with socket.create_connection((os.environ["DB"], 6379), 5) as db:
		            db.sendall(b"INCR visits\r\n")
		            text = b"visit " + db.makefile("rb").readline()[1:].strip() + b"\n"
		        self.send_response(200)
		        self.end_headers()
		        self.wfile.write(text)
		signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
		http.server.ThreadingHTTPServer(("", 8080), Page).serve_forever()
	APP
	publish redis redis "$T/none" 'USER redis' 'WORKDIR /var/lib/redis' \
		'CMD ["redis-server", "--appendonly", "yes", "--bind", "0.0.0.0", "--protected-mode", "no"]'
	redis=$IMAGE
	publish app python "$T/extra" 'CMD ["python3", "/app.py"]' 'EXPOSE 8080' 'ENV DB=db'
	net create app >/dev/null
	fln run -d --name db --network app -v visits:/var/lib/redis "$redis" >/dev/null
	fln run -d --name "$C" --network app -p 18091:8080 "$IMAGE" >/dev/null
	comes_true redis_answers db
	comes_true visited
	first=$(ask 127.0.0.1 18091)
	[[ $first =~ ^visit\ [0-9]+$ ]]
	# Another container takes the name over, at another address, with the same data.
	before=$(address_of db app)
	fln rm -f db >/dev/null
	run ask_once 127.0.0.1 18091
	[ "$status" -ne 0 ]
	fln run -d --name db --network app -v visits:/var/lib/redis "$redis" >/dev/null
	[ "$(address_of db app)" != "$before" ]
	comes_true redis_answers db
	comes_true visited
	second=$(ask 127.0.0.1 18091)
	[ "${second#visit }" -gt "${first#visit }" ]
	fln restart -t 5 "$C" >/dev/null
	comes_true visited
}

visited()
{
	ask_once 127.0.0.1 18091 && grep -q '^visit [0-9]' "$T/answer"
}
