#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What the options of run make of the process and its surroundings.

load ../lib/engine

@test "environment: --env, --env-file, --unsetenv, --env-merge, defaults" {
	printf '# comment\nA=file\nB=file\nFROM_HOST\n' >env.txt
	FROM_HOST=h in_container --env-file env.txt -e B=option -e C -e X=1 --env-merge 'X=${X}2' -- sh -c 'echo $A $B $FROM_HOST ${C-unset} $X' >o
	is "file option h unset 12" "$(cat o)"
	is "podman /root" "$(in_container -- sh -c 'echo $container $HOME')"
	try run --rm -e =x --rootfs "$ROOTFS" true
	refused 'invalid variable: "=x"'
}

@test "user, groups, working directory, umask" {
	is "0:0" "$(in_container -- sh -c 'echo $(id -u):$(id -g)')"
	is "12:34" "$(in_container -u 12:34 -- sh -c 'echo $(id -u):$(id -g)')"
	is "1000 77" "$(in_container -u 1000 --group-add 77 -- sh -c 'echo $(id -u) $(id -G | tr " " "\n" | grep 77)')"
	contains "$(in_container -u 1234 -- cat /etc/passwd)" "1234:*:1234:0:container user"
	is "/data 0027" "$(in_container -w /data --umask 0027 -- sh -c 'echo $PWD $(umask)')"
}

@test "host name, hosts and resolv.conf" {
	is "abc abc" "$(in_container --hostname abc -- sh -c 'echo $(hostname) $(cat /etc/hostname)')"
	contains "$(in_container --add-host db:10.1.2.3 -- cat /etc/hosts)" $'10.1.2.3\tdb'
	is $'search s.example\nnameserver 1.2.3.4\noptions ndots:3' \
		"$(in_container --network host --dns 1.2.3.4 --dns-search s.example --dns-option ndots:3 -- cat /etc/resolv.conf)"
	try run --rm --add-host nonsense --rootfs "$ROOTFS" true
	refused "NAME:ADDRESS"
}

@test "mounts: bind, volume, tmpfs, --mount, read-only" {
	mkdir src
	echo content >src/file
	is content "$(in_container -v "$T/src:/mnt" -- cat /mnt/file)"
	try run --rm -v "$T/src:/mnt:ro" --rootfs "$ROOTFS" touch /mnt/x
	is 1 "$status"
	is content "$(in_container --mount "type=bind,source=$T/src,target=/mnt,ro" -- cat /mnt/file)"
	contains "$(in_container --tmpfs /mnt:size=1m -- grep ' /mnt ' /proc/mounts)" "size=1024k" nosuid nodev
	# Programs may be run there, as with podman, unless somebody says otherwise.
	in_container --tmpfs /mnt -- sh -c 'cp /bin/busybox /mnt/true && /mnt/true'
	contains "$(in_container --tmpfs /mnt:noexec -- grep ' /mnt ' /proc/mounts)" noexec
	try create --tmpfs /mnt:foo --rootfs "$ROOTFS" true
	refused 'unknown mount option "foo"'
	in_container --read-only -- sh -c '! touch /data/x 2>/dev/null && touch /tmp/x /run/x'
	try run --rm --read-only --read-only-tmpfs=false --rootfs "$ROOTFS" touch /run/x
	is 1 "$status"
	# Words of Docker for other systems say nothing; what says both does not run.
	is content "$(in_container -v "$T/src:/mnt:cached,ro" -- cat /mnt/file)"
	try create --mount "type=bind,source=$T/src,target=/mnt,ro=true,rw=false" --rootfs "$ROOTFS" true
	refused "more than once"
	try create --mount "type=bind,source=$T/src,target=/mnt,suid,nosuid" --rootfs "$ROOTFS" true
	refused "more than once"
	fl create --name "$C" --mount "type=bind,source=$T/src,target=/mnt,z" --rootfs "$ROOTFS" true >/dev/null
	try run --rm -v "$T/missing:/mnt" --rootfs "$ROOTFS" true
	refused "missing"
	try run --rm --mount type=nosuch,target=/x --rootfs "$ROOTFS" true
	refused "nosuch"
}

@test "limits reach the cgroup" {
	start_idle "$C" --memory 64m --cpus 0.5 --pids-limit 99 --cpu-shares 512
	pid=$(inspect "$C" '{{.State.Pid}}')
	if is_cgroup_v2; then
		is 67108864 "$(cgroup_file "$pid" memory.max)"
		is "50000 100000" "$(cgroup_file "$pid" cpu.max)"
	else
		is 67108864 "$(cgroup_file "$pid" memory.limit_in_bytes)"
		is 50000 "$(cgroup_file "$pid" cpu.cfs_quota_us)"
	fi
	is 99 "$(cgroup_file "$pid" pids.max)"
	fl update --memory 128m "$C" >/dev/null
	is_cgroup_v2 || is 134217728 "$(cgroup_file "$pid" memory.limit_in_bytes)"
	is 134217728 "$(inspect "$C" '{{.HostConfig.Memory}}')"
}

@test "--cgroup-conf: files of the cgroup (version 2)" {
	if ! is_cgroup_v2; then
		try run --rm --cgroup-conf memory.high=33554432 --rootfs "$ROOTFS" true
		refused "--cgroup-conf" "no cgroups of version 2"
		skip "this machine has no cgroup version 2 with controllers"
	fi
	start_idle "$C" --memory 64m --cgroup-conf memory.high=33554432 --cgroup-conf pids.max=55
	pid=$(inspect "$C" '{{.State.Pid}}')
	is 67108864 "$(cgroup_file "$pid" memory.max)"
	is 33554432 "$(cgroup_file "$pid" memory.high)"
	is 55 "$(cgroup_file "$pid" pids.max)"
	try run --rm --cgroup-conf no.such=1 --rootfs "$ROOTFS" true
	[ "$status" -ne 0 ]
	contains "$output" "the cgroup controller 'no' is not available"
}

@test "capabilities, privileges, seccomp, masks" {
	is 00000000800405fb "$(in_container -- sed -n 's/^CapEff:\t//p' /proc/self/status)"
	is 0000000000000001 "$(in_container --cap-drop all --cap-add chown -- sed -n 's/^CapEff:\t//p' /proc/self/status)"
	is 0000000000000000 "$(in_container -u 1 -- sed -n 's/^CapEff:\t//p' /proc/self/status)"
	is "1 2" "$(in_container --security-opt no-new-privileges -- sh -c 'echo $(sed -n "s/^NoNewPrivs:\t//p;s/^Seccomp:\t//p" /proc/self/status)')"
	is 0 "$(in_container --security-opt seccomp=unconfined -- sed -n 's/^Seccomp:\t//p' /proc/self/status)"
	in_container -- sh -c '! touch /proc/sys/kernel/domainname 2>/dev/null'
	contains "$(in_container -- cat /proc/mounts)" "/proc/sys proc ro"
	[[ $(in_container --security-opt unmask=ALL -- cat /proc/mounts) != *"/proc/sys proc ro"* ]]
	try run --rm --cap-add nosuch --rootfs "$ROOTFS" true
	refused nosuch
	try run --rm --security-opt nosuch=1 --rootfs "$ROOTFS" true
	refused nosuch
}

@test "devices, ulimits, sysctl, oom score, shm size" {
	in_container --device /dev/fuse:/dev/myfuse -- test -c /dev/myfuse
	is "111 222" "$(in_container --ulimit nofile=111:222 -- sh -c 'echo $(ulimit -Sn) $(ulimit -Hn)')"
	is 7 "$(in_container --sysctl net.ipv4.ip_default_ttl=7 -- cat /proc/sys/net/ipv4/ip_default_ttl)"
	is 300 "$(in_container --oom-score-adj 300 -- cat /proc/self/oom_score_adj)"
	contains "$(in_container --shm-size 5m -- grep /dev/shm /proc/mounts)" "size=5120k"
	try run --rm --device /no/such --rootfs "$ROOTFS" true
	refused "/no/such"
	try run --rm --ulimit nofile --rootfs "$ROOTFS" true
	refused "nofile"
}

@test "on the host's network it has the host's name, too" {
	is "$(hostname) $(hostname) $(hostname)" "$(in_container --network host -- sh -c 'echo $(hostname) $HOSTNAME $(cat /etc/hostname)')"
	is abc "$(in_container --network host --hostname abc -- hostname)"
	is "$(hostname)" "$(in_container --network host --uts host -- hostname)"
	fl create --name "$C" --network host --rootfs "$ROOTFS" true >/dev/null
	is "$(hostname)" "$(inspect "$C" '{{.Config.Hostname}}')"
}

@test "--read-only --read-only-tmpfs=false leaves nothing to write to" {
	is "" "$(in_container --read-only --read-only-tmpfs=false -- sh -c 'for d in / /dev /dev/shm /tmp /run /etc; do touch $d/x 2>/dev/null && echo $d; done; echo >/dev/null')"
	is "/data" "$(in_container --read-only --read-only-tmpfs=false --tmpfs /data -- sh -c 'touch /data/x && echo /data')"
}

@test "a CPU limit that no kernel takes is refused when a container is made" {
	for option in '--cpus 0.001' '--cpu-quota 999'; do
		# shellcheck disable=SC2086 # words
		try create $option --rootfs "$ROOTFS" true
		refused "CPU cfs quota cannot be less than 1ms"
	done
	try create --cpu-period 1000001 --rootfs "$ROOTFS" true
	refused "CPU cfs period cannot be less than 1ms (i.e. 1000) or larger than 1s"
}

@test "namespaces of the host, of a path and of another container" {
	start_idle "$C" --hostname other
	ns() { readlink "/proc/$1/ns/$2"; }
	pid=$(inspect "$C" '{{.State.Pid}}')
	is "$(ns "$pid" net)" "$(in_container --network "container:$C" -- readlink /proc/self/ns/net)"
	is "$(ns "$pid" ipc)" "$(in_container --ipc "container:$C" -- readlink /proc/self/ns/ipc)"
	is "$(ns "$pid" uts)" "$(in_container --uts "container:$C" -- readlink /proc/self/ns/uts)"
	is other "$(in_container --uts "container:$C" -- hostname)"
	contains "$(in_container --pid "container:$C" -- ps)" "while :; do"
	is "$(ns self uts)" "$(in_container --uts host -- readlink /proc/self/ns/uts)"
	is "$(ns "$pid" net)" "$(in_container --network "ns:/proc/$pid/ns/net" -- readlink /proc/self/ns/net)"
	is "$(ns self net)" "$(in_container --network host -- readlink /proc/self/ns/net)"
	fl create --name "$C-2" --network "container:$C" --rootfs "$ROOTFS" true >/dev/null
	try rm --force --time 0 "$C"
	is 125 "$status"
	contains "$output" "dependent containers"
	fl rm --force --time 0 --depend "$C" >/dev/null
	is "" "$(fl ps -aq)"
}

@test "the filter for who shares a container's network takes its name" {
	start_idle "$C"
	fl create --name "$C-2" --network "container:$C" --rootfs "$ROOTFS" true >/dev/null
	is "$C-2" "$(fl --log-level ERROR ps -a --filter "network=container:$C" --format '{{.Names}}')"
}

@test "labels and annotations, and filters by them" {
	start_idle "$C" --label a=1 --label b --annotation x.y=z
	is 1 "$(inspect "$C" '{{.Config.Labels.a}}')"
	jq -e '.annotations["x.y"] == "z"' "$(inspect "$C" '{{.OCIConfigPath}}')" >/dev/null
	is "$C" "$(fl ps --filter label=a=1 --format '{{.Names}}')"
	is "" "$(fl ps --filter label=a=2 --format '{{.Names}}')"
	is "$C" "$(fl ps --filter label=b --filter status=running --format '{{.Names}}')"
	is "$C" "$(fl ps --filter name="^$C\$" --format '{{.Names}}')"
	try ps --filter nosuch=1
	refused "invalid filter"
}

@test "ps: table, quiet, JSON, -a, -n, --sort" {
	start_idle "$C"
	fl create --name "$C-b" --rootfs "$ROOTFS" true >/dev/null
	contains "$(fl ps | head -n 1)" "CONTAINER ID" IMAGE COMMAND CREATED STATUS PORTS NAMES
	is 1 "$(fl ps -q | wc -l)"
	is 2 "$(fl ps -aq | wc -l)"
	is 64 "$(fl ps -q --no-trunc | tr -d '\n' | wc -c)"
	is "$C-b" "$(fl ps -n 1 --format '{{.Names}}')"
	is "running" "$(fl ps --format json | jq -r '.[0].State')"
	is "$C $C-b" "$(fl ps -a --sort names --format '{{.Names}}' | xargs)"
	contains "$(fl ps --filter "name=$C" --format '{{.Status}}')" "Up "
}

@test "ps reads a part of the records only, and shows the same" {
	command -v sqlite3 >/dev/null || skip "no sqlite3"
	columns='{{.ID}}\t{{.Image}}\t{{.Command}}\t{{.CreatedHuman}}\t{{.Status}}\t{{.Ports}}\t{{.Names}}'
	fl create --name "$C" --entrypoint '["a b", "c"]' --network bridge -p 127.0.0.1:8099:80 --expose 81-82/udp --rootfs "$ROOTFS" d >/dev/null
	fl create --name "$C-b" --network none --rootfs "$ROOTFS" true >/dev/null
	fl rename "$C-b" "$C-c"
	alike() { is "$(fl ps -a --format "table $columns" | timeless)" "$(fl ps -a | timeless)"; }
	alike
	# As an older floe has left them.
	sqlite3 -cmd ".timeout 20000" "$ENGINE/root/floe.db" "UPDATE containers SET brief = NULL"
	alike
	contains "$(fl ps -a)" "$C-c" "127.0.0.1:8099->80/tcp, 81-82/udp"
}

@test "records of an earlier version are carried over, with what refers to them" {
	command -v sqlite3 >/dev/null || skip "no sqlite3"
	local db="$ENGINE/root/floe.db"
	fl create --name "$C" --network none -v "$C-v:/v" --rootfs "$ROOTFS" true >/dev/null
	fl create --name "$C-2" --network "container:$C" --rootfs "$ROOTFS" true >/dev/null
	before=$(fl inspect "$C" "$C-2")
	# As version 4 had them.
	sqlite3 -cmd ".timeout 20000" "$db" "CREATE TABLE old (id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, created INTEGER NOT NULL,
			config TEXT NOT NULL, status TEXT NOT NULL, brief TEXT) WITHOUT ROWID;
		INSERT INTO old SELECT id, name, created, config, status, brief FROM containers;
		DROP TABLE containers; ALTER TABLE old RENAME TO containers; DROP TABLE ended_containers;
		CREATE INDEX containers_created ON containers (created);
		UPDATE schema_versions SET version = 4 WHERE module = 'engine'"
	is "$before" "$(fl inspect "$C" "$C-2")"
	is 6 "$(sqlite3 -cmd ".timeout 20000" "$db" "SELECT version FROM schema_versions WHERE module = 'engine'")"
	is "" "$(sqlite3 -cmd ".timeout 20000" "$db" "PRAGMA foreign_key_check")"
	run fl volume rm "$C-v"
	[ "$status" -eq 2 ]
	run fl rm "$C"
	contains "$output" "has dependent containers"
	fl rm "$C-2" "$C"
	is 00 "$(sqlite3 -cmd ".timeout 20000" "$db" "SELECT count(*) FROM container_dependencies" "SELECT count(*) FROM container_volumes" | tr -d '\n')"
	fl volume rm "$C-v"
}

@test "inspect --size, ps --size, ps --sort size: what was written, and all with the image" {
	make_image sized
	fl run --name "$C" localhost/sized sh -c 'head -c 300000 /dev/zero >/tmp/file'
	fl create --name "$C-b" localhost/sized true >/dev/null
	base=$(fl inspect --size --format '{{.SizeRootFs}}' "$C-b")
	is 0 "$(fl container inspect --size --format '{{.SizeRw}}' "$C-b")"
	written=$(fl inspect -s "$C" | jq '.[0].SizeRw')
	[ "$written" -ge 300000 ] && [ "$written" -lt 310000 ] || fail "written: $written"
	is "$((base + written))" "$(fl inspect --size "$C" | jq '.[0].SizeRootFs')"
	is "$written $((base + written))" "$(fl ps -a --size --format json | jq -r ".[] | select(.Names[0] == \"$C\").Size | \"\(.rwSize) \(.rootFsSize)\"")"
	is "$C-b $C" "$(fl ps -a --sort size --format '{{.Names}}' | xargs)"
	contains "$(fl ps -a --size --filter "name=$C\$")" SIZE "300kB (virtual $(LC_ALL=C awk -v b="$((base + written))" 'BEGIN { printf "%.3g", b / 1e6 }')MB)"
	is null "$(fl inspect "$C" | jq '.[0].SizeRw')"
	# Of a directory of the user's nobody knows what was there before.
	fl create --name "$C-c" --rootfs "$ROOTFS" true >/dev/null
	is "true null" "$(fl inspect --size "$C-c" | jq -r '.[0] | "\(.SizeRw > 100000) \(.SizeRootFs)"')"
	try inspect --size --type image localhost/sized
	refused 'size is not supported for type "image"'
}

@test "named volumes: copy-up, owner, sharing, removal" {
	mkdir -p "$ROOTFS/data/seed"
	echo seed >"$ROOTFS/data/seed/file"
	chown 5:6 "$ROOTFS/data"
	touch -d @1000000000 "$ROOTFS/data"
	is "seed 5:6 1000000000" "$(in_container -v "vol$C:/data" -- sh -c 'echo $(cat /data/seed/file) $(stat -c "%u:%g %Y" /data)')"
	in_container -v "vol$C:/mnt" -- sh -c 'echo new >/mnt/new'
	is new "$(in_container -v "vol$C:/data" -- cat /data/new)"
	[ ! -e "$ROOTFS/data/new" ]
	start_idle "$C" -v "vol$C:/data" -v /anon
	try volume rm "vol$C"
	is 2 "$status"
	contains "$output" "being used"
	anon=$(inspect "$C" '{{range .Mounts}}{{if eq .Destination "/anon"}}{{.Name}}{{end}}{{end}}')
	is 64 "${#anon}"
	is new "$(fl run --rm --volumes-from "$C" --rootfs "$ROOTFS" cat /data/new)"
	fl rm --force --volumes --time 0 "$C" >/dev/null
	try volume exists "$anon"
	is 1 "$status"
	fl volume export "vol$C" | tar -t >list
	grep -q '^./new$' list
	fl volume create other >/dev/null
	fl volume export "vol$C" | fl volume import other -
	is new "$(in_container -v other:/mnt -- cat /mnt/new)"
	is "other" "$(fl volume rm other)"
	fl volume prune --force >/dev/null
	is "" "$(fl volume ls -q)"
	chown 0:0 "$ROOTFS/data"
	rm -r "$ROOTFS/data/seed" "$ROOTFS/anon"
}

@test "secrets as file and variable" {
	echo -n hush >s
	id=$(fl secret create --label k=v "s$C" s)
	[[ $id =~ ^[0-9a-f]{25}$ ]]
	is "hush hush 440 7" "$(in_container --secret "s$C,mode=0440,uid=7" --secret "s$C,type=env,target=S" -- \
		sh -c "echo \$(cat /run/secrets/s$C) \$S \$(stat -c '%a %u' /run/secrets/s$C)")"
	is "s$C" "$(fl secret ls --format '{{.Name}}')"
	is v "$(fl secret inspect --format '{{.Spec.Labels.k}}' "s$C")"
	try secret create "s$C" s
	refused "in use"
	try run --rm --secret nosuch --rootfs "$ROOTFS" true
	refused "no such secret"
	# What has taken its place has its name.
	fl create --name "$C" --secret "s$C" --secret "s$C,type=env,target=S" --network none --rootfs "$ROOTFS" \
		sh -c "echo \$(cat /run/secrets/s$C) \$S" >/dev/null
	echo -n new | fl secret create --replace "s$C" - >/dev/null
	is "new new" "$(fl start --attach "$C")"
	fl secret rm "s$C" >/dev/null
	try start "$C"
	refused "s$C" "no such secret"
	try secret exists "s$C"
	is 1 "$status"
}

@test "top, stats, events, info" {
	start_idle "$C" --memory 64m
	contains "$(fl top "$C")" "USER" "PID" "PPID" "%CPU" "ELAPSED" "TTY" "TIME" "COMMAND" "while :; do"
	is 1 "$(fl top "$C" pid | sed -n 2p | xargs)"
	is "$C" "$(fl stats --no-stream --format '{{.Name}}' "$C")"
	contains "$(fl stats --no-stream --format '{{.MemUsage}}' "$C")" "/ 67.11MB"
	fl stop --time 0 "$C" >/dev/null
	contains "$(fl events --stream=false --filter "container=$C" --format '{{.Status}}' --since 10m | xargs)" "create init start" "died"
	is 1 "$(fl info --format '{{.store.containerStore.number}}')"
	try top "$C"
	refused "running containers"
	try top --nosuch "$C"
	refused "nosuch"
}

@test "OCI hooks of --hooks-dir apply by their conditions" {
	mkdir hooks
	cat >hook.sh <<-'SH'
		#!/bin/sh
		cat >/dev/null
		echo "$1" >>"$2"
	SH
	chmod +x hook.sh
	jq -n --arg t "$T" '{version: "1.0.0", hook: {path: ($t + "/hook.sh"), args: ["hook", "always", ($t + "/log")]}, when: {always: true}, stages: ["createRuntime"]}' >hooks/a.json
	jq -n --arg t "$T" '{version: "1.0.0", hook: {path: ($t + "/hook.sh"), args: ["hook", "annotated", ($t + "/log")]}, when: {annotations: {"^my.key$": "yes"}}, stages: ["createRuntime"]}' >hooks/b.json
	hooked() { timeout $ENGINE_SECONDS "$FLOE" --hooks-dir "$T/hooks" --root "$ENGINE/root" --runroot "$ENGINE/run" "${CGROUPS[@]}" \
		--runtime "$ENGINE_RUNTIME" run --network none --rm --cgroup-parent "$CGROUP_PARENT" "$@" 3>&- 4>&-; }
	hooked --rootfs "$ROOTFS" true
	is always "$(cat log)"
	hooked --annotation my.key=yes --rootfs "$ROOTFS" true
	is "always always annotated" "$(xargs <log)"
	# A place that cannot be read is no reason to run without its hooks.
	rm -r hooks
	: >hooks
	run hooked --rootfs "$ROOTFS" true
	[ "$status" -ne 0 ]
	contains "$output" "read hooks '$T/hooks'" "not a directory"
}

@test "OCI hooks: no condition is none that holds, schema 0.1.0, a program that is gone" {
	mkdir hooks
	printf '#!/bin/sh\ncat >/dev/null\necho "$1" >>%s\n' "$T/log" >hook.sh
	chmod +x hook.sh
	hook() { jq -n --arg p "$T/hook.sh" "$2" >"hooks/$1.json"; }
	hooked() { timeout $ENGINE_SECONDS "$FLOE" --hooks-dir "$T/hooks" --root "$ENGINE/root" --runroot "$ENGINE/run" "${CGROUPS[@]}" \
		--runtime "$ENGINE_RUNTIME" run --network none --rm --cgroup-parent "$CGROUP_PARENT" "$@" 3>&- 4>&-; }
	hook a '{version: "1.0.0", hook: {path: $p, args: ["hook", "nothing"]}, when: {}, stages: ["createRuntime"]}'
	hook b '{version: "1.0.0", hook: {path: $p, args: ["hook", "mounts"]}, when: {hasBindMounts: true}, stages: ["createRuntime"]}'
	hook c '{hook: $p, arguments: ["old"], stage: ["prestart"], cmd: ["^nothing$"], annotation: ["^yes$"]}'
	hook d '{version: "1.0.0", hook: {path: "/nothing/here"}, when: {always: true}, stages: ["createRuntime"]}'
	run hooked --rootfs "$ROOTFS" true
	[ "$status" -eq 0 ]
	contains "$output" "hook '$T/hooks/d.json' is passed over" "/nothing/here"
	[ ! -e log ]
	rm hooks/d.json
	hooked --tmpfs /mnt --annotation some.key=yes --rootfs "$ROOTFS" true
	is "mounts old" "$(sort log | xargs)"
	# A mistake does not wait for a container that it is for.
	hook d '{version: "1.0.0", hook: {path: $p}, when: {annotations: {"(": "x"}}, stages: ["createRuntime"]}'
	run hooked --rootfs "$ROOTFS" true
	is 126 "$status"
	contains "$output" "hooks/d.json" "'(' is no regular expression"
}

@test "precreate hooks change the runtime configuration, or say why not" {
	mkdir hooks
	hooked() { timeout $ENGINE_SECONDS "$FLOE" --hooks-dir "$T/hooks" --root "$ENGINE/root" --runroot "$ENGINE/run" "${CGROUPS[@]}" \
		--runtime "$ENGINE_RUNTIME" run --network none --rm --cgroup-parent "$CGROUP_PARENT" "$@" 3>&- 4>&-; }
	jq -n --arg t "$T" '{version: "1.0.0", hook: {path: ($t + "/hook.sh"), args: ["hook", "word"], timeout: 20}, when: {always: true}, stages: ["precreate"]}' >hooks/a.json
	hook_is() { printf '#!/bin/sh\n%s\n' "$1" >hook.sh; chmod +x hook.sh; }
	hook_is "exec $(command -v sed) \"s/FROM_HOOK=no/FROM_HOOK=\$1/\""
	is word "$(hooked -e FROM_HOOK=no --rootfs "$ROOTFS" sh -c 'echo $FROM_HOOK')"
	hook_is 'echo "not today" >&2; exit 3'
	run hooked --rootfs "$ROOTFS" true
	is 126 "$status"
	contains "$output" "precreate hook" "exit code 3" "not today"
}

@test "labels of SELinux where there is none" {
	[ ! -e /sys/fs/selinux/enforce ] || skip "SELinux is enabled here"
	in_container --security-opt label=disable -- true
	in_container --security-opt label=type:spc_t --security-opt label=level:s0:c1,c2 -- true
	mkdir src
	in_container -v "$T/src:/mnt:Z" -- touch /mnt/x
	try run --rm --security-opt label=nosuch --rootfs "$ROOTFS" true
	refused "label=nosuch"
}

@test "profiles of AppArmor where there is none" {
	[ "$(cat /sys/module/apparmor/parameters/enabled 2>/dev/null)" != Y ] || skip "AppArmor is enabled here"
	is "" "$(start_idle "$C" && inspect "$C" '{{.AppArmorProfile}}')"
	try run --rm --security-opt apparmor=some --rootfs "$ROOTFS" true
	refused "some" "not enabled"
	in_container --security-opt apparmor=unconfined -- true
}

@test "update changes every limit, the restart policy and variables" {
	start_idle "$C" --memory 64m --env GONE=x
	pid=$(inspect "$C" '{{.State.Pid}}')
	fl update --memory 100m --memory-swap 200m --memory-reservation 50m "$C" >/dev/null
	fl update --cpu-shares 100 --cpu-period 50000 --cpu-quota 10000 --cpuset-cpus 0 --cpuset-mems 0 --latest >/dev/null
	fl update --pids-limit 55 --restart on-failure:3 --env A=1 --unsetenv nosuch --unsetenv GONE "$C" >/dev/null
	is "1 " "$(fl exec "$C" sh -c 'echo "$A $GONE"')"
	for variable in =x ""; do
		try update --env "$variable" "$C"
		refused "invalid variable: \"$variable\""
	done
	if ! is_cgroup_v2; then
		is 104857600 "$(cgroup_file "$pid" memory.limit_in_bytes)"
		is 52428800 "$(cgroup_file "$pid" memory.soft_limit_in_bytes)"
		is "100 50000 10000" "$(for file in shares cfs_period_us cfs_quota_us; do cgroup_file "$pid" cpu.$file; done | xargs)"
		is 0 "$(cgroup_file "$pid" cpuset.cpus)"
	else
		is 104857600 "$(cgroup_file "$pid" memory.max)"
		is 52428800 "$(cgroup_file "$pid" memory.low)"
		is "10000 50000" "$(cgroup_file "$pid" cpu.max)"
	fi
	is 55 "$(cgroup_file "$pid" pids.max)"
	is "104857600 209715200 52428800 100 55 on-failure 3" "$(inspect "$C" '{{.HostConfig.Memory}} {{.HostConfig.MemorySwap}} {{.HostConfig.MemoryReservation}} {{.HostConfig.CpuShares}} {{.HostConfig.PidsLimit}} {{.HostConfig.RestartPolicy.Name}} {{.HostConfig.RestartPolicy.MaximumRetryCount}}')"
	# The others stay, and hold at the next start; so do variables.
	fl stop --time 0 "$C" >/dev/null
	fl start "$C" >/dev/null
	eventually heeds "$C" TERM
	is 55 "$(cgroup_file "$(inspect "$C" '{{.State.Pid}}')" pids.max)"
	is "1 " "$(fl exec "$C" sh -c 'echo "$A $GONE"')"
	try update --device-read-bps /no/such:1m "$C"
	refused "/no/such"
	try update --memory nonsense "$C"
	refused nonsense
}

@test "update --memory: the limit of memory and swap together goes with it" {
	local now='{{.HostConfig.Memory}} {{.HostConfig.MemorySwap}}'
	start_idle "$C" --memory 64m --memory-swap 64m
	fl update --memory 128m "$C" >/dev/null
	is "134217728 268435456" "$(inspect "$C" "$now")"
	fl restart --time 0 "$C" >/dev/null
	pid=$(inspect "$C" '{{.State.Pid}}')
	if is_cgroup_v2; then
		is "134217728 134217728" "$(cgroup_file "$pid" memory.max) $(cgroup_file "$pid" memory.swap.max)"
	else
		is "134217728 268435456" "$(cgroup_file "$pid" memory.limit_in_bytes) $(cgroup_file "$pid" memory.memsw.limit_in_bytes)"
	fi
	# Stopped: crun would leave what runs its limit of both, which the kernel then refuses.
	fl stop --time 0 "$C" >/dev/null
	fl update --memory -1 "$C" >/dev/null
	fl start "$C" >/dev/null
	pid=$(inspect "$C" '{{.State.Pid}}')
	if is_cgroup_v2; then
		is max "$(cgroup_file "$pid" memory.max)"
	else
		[ "$(cgroup_file "$pid" memory.limit_in_bytes)" -gt $((1 << 40)) ]
	fi
}

@test "update --ulimit: of what runs, of exec, of the next start" {
	start_idle "$C" --ulimit nofile=300:400 --ulimit core=0
	limits() { sed -n 's/^Max open files *\([0-9]*\) *\([0-9]*\).*/\1 \2/p' "/proc/$(inspect "$C" '{{.State.Pid}}')/limits"; }
	is "300 400" "$(limits)"
	is "$(inspect "$C" '{{.Id}}')" "$(fl update --ulimit nofile=100:200 "$C")"
	is "100 200" "$(limits)"
	is 100 "$(fl exec "$C" sh -c 'ulimit -n')"
	# One that it was not started with.
	fl update --ulimit memlock=65536 "$C" >/dev/null
	is "64 100" "$(fl exec "$C" sh -c 'echo $(ulimit -l; ulimit -n)')"
	is "RLIMIT_NOFILE 100 200,RLIMIT_CORE 0 0,RLIMIT_MEMLOCK 65536 65536," \
		"$(inspect "$C" '{{range .HostConfig.Ulimits}}{{.Name}} {{.Soft}} {{.Hard}},{{end}}')"
	fl restart --time 0 "$C" >/dev/null
	is "100 200" "$(limits)"
	try update --ulimit nosuch=1 "$C"
	refused "requires name=SOFT:HARD"
}

@test "ps --ns and --watch" {
	start_idle "$C"
	contains "$(fl ps --ns | head -n 1)" "CONTAINER ID" NAMES PID CGROUPNS IPC MNT NET PIDNS USERNS UTS
	net=$(readlink "/proc/$(inspect "$C" '{{.State.Pid}}')/ns/net" | tr -dc 0-9)
	contains "$(fl ps --ns)" "$net"
	is "$net" "$(fl ps --ns --format json | jq -r '.[0].Namespaces.Net')"
	timeout $ENGINE_SECONDS "$FLOE" --root "$ENGINE/root" --runroot "$ENGINE/run" ps --watch 1 --format '{{.Names}}' >watched 3>&- 4>&- &
	watcher=$!
	twice() { [ "$(grep -c "^.*$C\$" watched)" -ge 2 ]; }
	eventually twice
	kill $watcher
	wait $watcher || :
}

@test "hosts, host name and resolv.conf as the image has them" {
	mkdir -p "$ROOTFS/etc"
	cp -a "$ROOTFS/etc" etc.before
	echo "1.1.1.1 of.image" >"$ROOTFS/etc/hosts"
	echo of-image >"$ROOTFS/etc/hostname"
	is of-image "$(in_container --no-hostname -- cat /etc/hostname)"
	is "1.1.1.1 of.image" "$(in_container --no-hosts -- cat /etc/hosts)"
	contains "$(in_container --hosts-file image -- cat /etc/hosts)" "of.image" localhost
	echo "2.2.2.2 of.file" >hosts
	contains "$(in_container --hosts-file "$T/hosts" -- cat /etc/hosts)" "of.file"
	[[ $(in_container --hosts-file none -- cat /etc/hosts) != *of.* ]]
	try run --rm --hosts-file /no/such --rootfs "$ROOTFS" true
	refused "--hosts-file '/no/such'"
	truncate -s 5M "$T/large"
	try run --rm --hosts-file "$T/large" --rootfs "$ROOTFS" true
	refused "--hosts-file '$T/large': file too large"
	rm -r "${ROOTFS:?}/etc"
	mv etc.before "$ROOTFS/etc"
}

@test "time zone, personality, init, device rules, time limit" {
	! [ -e /usr/share/zoneinfo/Asia/Tokyo ] || is JST "$(in_container --tz Asia/Tokyo -- date +%Z)"
	in_container --tz local -- date >/dev/null
	try create --tz nosuch --rootfs "$ROOTFS" true
	refused "no such zone"
	try create --tz . --rootfs "$ROOTFS" true
	refused "no such zone"
	try run --rm --tz ../../etc --rootfs "$ROOTFS" true
	refused "no such zone"
	[ "$(uname -m)" != x86_64 ] || is i686 "$(in_container --personality LINUX32 -- uname -m)"
	if command -v catatonit >/dev/null || [ -x /usr/libexec/podman/catatonit ]; then
		contains "$(in_container --init -- cat /proc/1/cmdline | tr '\0' ' ')" "/run/podman-init -- cat"
		is podman-init "$(in_container --init --init-path "$(command -v catatonit || echo /usr/libexec/podman/catatonit)" -- cat /proc/1/comm)"
	fi
	try run --rm --init-path /no/such --rootfs "$ROOTFS" true
	refused "/no/such"
	in_container --device-cgroup-rule 'c 10:200 rwm' -- true
	try run --rm --device-cgroup-rule nonsense --rootfs "$ROOTFS" true
	refused "device rule"
	contains "$(in_container --shm-size 0 -- grep /dev/shm /proc/mounts)" "size=0k"
	in_container --ipc host -- true
	is 0000000000001001 "$(in_container --cap-drop all --cap-add chown,net_admin -- sed -n 's/^CapEff:\t//p' /proc/self/status)"
	for bad in "--oom-score-adj 2000" "--blkio-weight 5" "--memory-swappiness 101" "--timeout x"; do
		# shellcheck disable=SC2086 # two words
		try run --rm $bad --rootfs "$ROOTFS" true
		refused "Error: "
	done
}

@test "inspect tells what was asked for" {
	echo -n hush >s
	fl secret create "s$C" s >/dev/null
	fl create --name "$C" --tmpfs /mnt:size=1m --secret "s$C,uid=7,mode=0400" --expose 80 --chrootdirs /data \
		--hosts-file none --memory 64m --rootfs "$ROOTFS" true >/dev/null
	fl inspect "$C" | jq -e '.[0]
		| .HostConfig.Tmpfs["/mnt"] == "size=1m" and .HostConfig.HostsFile == "none" and .HostConfig.AutoRemoveImage == false
		and .Config.Secrets[0].UID == 7 and .Config.Secrets[0].Mode == 256 and (.Config.ExposedPorts | has("80/tcp"))
		and .Config.ChrootDirs == ["/data"] and .HostConfig.ConsoleSize == [0, 0] and .HostConfig.BlkioDeviceReadBps == null
		and .UseImageHosts == false' >/dev/null
	fl secret rm "s$C" >/dev/null
}
