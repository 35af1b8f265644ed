#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What scripts written for podman rely on: exit codes, the words of messages, where things may stand.

load ../lib/engine

# An exit code and a line of what is printed, on either stream.
says()
{
	local code=$1 text=$2
	shift 2
	try "$@"
	[ "$status" -eq "$code" ] || fail "floe $*: exit status $status instead of $code: $output" || return 1
	contains "$output" "$text"
}

@test "names may have a slash before them" {
	fl create --name "/$C" --rootfs "$ROOTFS" true >/dev/null
	is "$C" "$(inspect "/$C" '{{.Name}}')"
	is "$C" "$(fl ps -a --filter "name=^/$C\$" --format '{{.Names}}')"
	is "$C" "$(fl ps -a --filter "name=/$C" --format '{{.Names}}')"
	fl create --replace --name "/$C" --rootfs "$ROOTFS" true >/dev/null
	is "/$C" "$(fl rm "/$C")"
	says 125 "names must match" create --name "$C/" --rootfs "$ROOTFS" true
}

@test "of several names, one that means nothing is the end before anything is done" {
	local command
	for command in "kill" "stop --time 0" "restart" "pause" "unpause" "start" "init" "wait" "rm"; do
		[ "$command" != unpause ] || fl pause "$C" >/dev/null
		[ "$command" != start ] || fl unpause "$C" >/dev/null
		[ "$command" = kill ] || [ -n "$(inspect "$C" '{{.Id}}')" ]
		[ "$command" != kill ] || start_idle "$C"
		# shellcheck disable=SC2086 # words
		try $command "$C" "$C-none"
		is "Error: no container with name or ID \"$C-none\" found: no such container" "$output"
		is "$([ "$command" = rm ] && echo 1 || echo 125)" "$status"
		is "$([ "$command" = unpause ] && echo paused || echo running)" "$(inspect "$C" '{{.State.Status}}')"
	done
	is "$C" "$(fl rm --force --time 0 "$C" "$C-none")"
}

@test "container cleanup: what is gone or runs needs nothing" {
	is "" "$(fl container cleanup "$C")"
	start_idle "$C"
	is "$C" "$(fl container cleanup "$C" "$C-none")"
	is running "$(inspect "$C" '{{.State.Status}}')"
	says 125 "container state improper" container cleanup --rm "$C"
}

@test "ps: json in place of ids, sizes or namespaces; rename takes a slash" {
	fl create --name "$C" --rootfs "$ROOTFS" true >/dev/null
	fl rename "$C" "/$C-2"
	is "$C-2" "$(fl ps -a --format '{{.Names}}')"
	contains "$(fl ps -a --quiet --format json)" '"Names"'
	says 125 "size and namespace options conflict" ps --ns --size
	says 125 "UseImageResolvConf and DNSSearch are mutually exclusive" create --dns none --dns-search x --network host --rootfs "$ROOTFS" true
}

@test "why a command cannot be invoked is at the end" {
	says 127 ": OCI runtime attempted to invoke a command that was not found" run --rm --rootfs "$ROOTFS" nosuch
	says 126 ": OCI permission denied" run --rm --rootfs "$ROOTFS" /etc
	start_idle "$C"
	says 127 ": OCI runtime attempted to invoke a command that was not found" exec "$C" nosuch
	says 126 ": OCI permission denied" exec "$C" /etc
	says 125 "must provide a non-empty command to start an exec session: invalid argument" exec "$C"
}

@test "what cannot be started is exit code 126, what cannot be made 125" {
	says 126 'workdir "/not/there" does not exist on container' run --workdir /not/there --rootfs "$ROOTFS" true
	says 125 "device rule" run --device-cgroup-rule 'b 7:* rmX' --rootfs "$ROOTFS" true
	says 125 "the --rmi option does not work without --rm" run --rmi --rm=false --rootfs "$ROOTFS" true
	fl rm -a >/dev/null
}

@test "a working directory of the user's is made by nobody, unless something is mounted there" {
	mkdir dir
	echo text >dir/file
	is text "$(fl run --rm --workdir /new -v "$T/dir:/new" --rootfs "$ROOTFS" cat file)"
	is text "$(fl run --rm --workdir /new/ -v "$T/dir:/new/sub" --rootfs "$ROOTFS" cat sub/file)"
	says 126 'does not exist' run --rm --read-only --workdir /not/there --rootfs "$ROOTFS" true
	make_image workdir-image 'WORKDIR /of/image'
	is /of/image "$(fl run --rm localhost/workdir-image pwd)"
}

@test "ports are discarded where there is no network for them" {
	for mode in host none; do
		is "Port mappings have been discarded because \"$mode\" network namespace mode does not support them
hello" "$(fl run --rm --network "$mode" -p 8080 --rootfs "$ROOTFS" echo hello 2>&1)"
	done
}

@test "a container that is not there is named in podman's words" {
	for command in stop start kill logs pause port top wait; do
		says 125 "no container with name or ID \"nobody\" found: no such container" "$command" nobody
	done
	says 1 "no such container" rm nobody
}

@test "inspect: the log's path and size" {
	fl create --name "$C" --log-opt max-size=3.201m --rootfs "$ROOTFS" true >/dev/null
	is 3.201MB "$(inspect "$C" '{{.HostConfig.LogConfig.Size}}')"
	fl create --name "$C-2" --log-driver none --rootfs "$ROOTFS" true >/dev/null
	is "none  0B" "$(inspect "$C-2" '{{.HostConfig.LogConfig.Type}} {{.HostConfig.LogConfig.Path}} {{.HostConfig.LogConfig.Size}}')"
	says 125 "this container is using the 'none' log driver, cannot read logs" logs "$C-2"
}

@test "ps --filter id= takes a beginning in any case, or a regular expression" {
	id=$(fl create --name "$C" --rootfs "$ROOTFS" true)
	for value in "${id:0:1}" "${id:0:12}" "${id^^}" "^${id:0:2}" "${id:5:9}\$|${id:0:3}"; do
		is "$C" "$(fl ps -a --filter "id=$value" --format '{{.Names}}')"
	done
	is "" "$(fl ps -aq --filter "id=^[^${id:0:1}]")"
	is "" "$(fl ps -aq --filter "id=${id:1:12}x")"
}

@test "global options behind the command" {
	flags=(--root "$ENGINE/root" --runroot="$ENGINE/run" "${CGROUPS[@]}" --runtime "$ENGINE_RUNTIME")
	is hello "$("$FLOE" run --rm "${flags[@]}" --network none --cgroup-parent "$CGROUP_PARENT" --rootfs "$ROOTFS" echo hello 3>&-)"
	"$FLOE" --log-level error container create --name "$C" "${flags[@]}" --rootfs "$ROOTFS" echo --root >/dev/null
	is "$C" "$("$FLOE" --root "$ENGINE/root" ps --runroot "$ENGINE/run" --all --log-level=error --format '{{.Names}}')"
	is "[echo --root]" "$(inspect "$C" '{{.Config.Cmd}}')"
	is "$C" "$("$FLOE" container rm "$C" "${flags[@]}")"
	run "$FLOE" ps --root
	refused "flag needs an argument: --root"
	run "$FLOE" ps --out "$T/out"
	refused "unknown flag: --out"
}

@test "global options: --out, --noout, --context" {
	global=("$FLOE" --root "$ENGINE/root" --runroot "$ENGINE/run" "${CGROUPS[@]}" --runtime "$ENGINE_RUNTIME")
	is "" "$("${global[@]}" --out "$T/out" create --name "$C" --rootfs "$ROOTFS" echo hello)"
	is "$(inspect "$C" '{{.Id}}')" "$(cat out)"
	is "" "$("${global[@]}" --out "$T/out" run --network none --cgroup-parent "$CGROUP_PARENT" --rootfs "$ROOTFS" echo hello 3>&-)"
	is hello "$(cat out)"
	is "" "$("${global[@]}" --noout rm "$C")"
	"${global[@]}" --context default version >/dev/null
	run "${global[@]}" --context swarm version
	refused 'the only --context value allowed is "default"'
	run "${global[@]}" --out "$T/none/out" version
	refused "open '$T/none/out'"
}

@test "/dev/null is a file without anything in it" {
	CONTAINERS_CONF=/dev/null is hello "$(fl run --rm --env-file /dev/null --label-file /dev/null --rootfs "$ROOTFS" echo hello)"
}

@test "run --attach stdin prints the id" {
	is "$(fl run --name "$C" --attach stdin --rootfs "$ROOTFS" echo hello </dev/null)" "$(inspect "$C" '{{.Id}}')"
}

@test "credentials that are not there are told before anything else" {
	make_image auth-image
	for command in 'pull x' 'push localhost/auth-image' 'run localhost/auth-image true' 'create localhost/auth-image' \
		'search localhost/x' 'logout r.example'; do
		# shellcheck disable=SC2086 # words
		set -- $command
		says 125 "Error: credential file is not accessible: faccessat $T/none: no such file or directory" \
			"$1" --authfile "$T/none" "${@:2}"
	done
}

@test ".containerenv does not appear in a directory of the host's" {
	mkdir dir
	fl run --rm -v "$T/dir:/run" --rootfs "$ROOTFS" true
	is "" "$(ls -A dir)"
}

@test "what podman has and floe has not is told with what to do instead" {
	says 125 "Error: unrecognized command \`floe pod\`: floe has no pods; leave it out" pod create
	contains "$output" "--in-pod=false" "see 'floe --help'"
	says 125 "Error: unknown flag: --pod: floe has no pods" run --pod web x
	says 125 "Error: unknown flag: --health-cmd: floe has no health checks" create --health-cmd true x
	says 125 "Error: unknown flag: --healthcheck-command: floe has no health checks" create --healthcheck-command true x
	contains "$output" "--no-healthcheck"
	for option in --remote --url=ssh://h/s --connection=x --identity=x --ssh=native; do
		says 125 "Error: unknown flag: ${option%%=*}: floe works on the machine that it runs on" "$option" ps
	done
	says 125 "Error: unknown flag: --imagestore: floe has one store" --imagestore "$T" ps
	says 125 "Error: unknown flag: --transient-store: floe has one store" --transient-store ps
	says 125 "Error: unknown flag: --syslog: floe logs to standard error alone" --syslog ps
	says 125 "Error: unrecognized command \`floe build\`: floe builds no images; 'buildah build'" build .
	is ok "$(in_container --no-healthcheck -- echo ok)"
}

@test "under the name podman it has podman's version" {
	ln -s "$FLOE" podman
	[[ $(./podman --version) =~ ^podman\ version\ 5\.[0-9.]+$ ]]
	is "$(./podman --version | cut -d ' ' -f 3)" "$(./podman version --format '{{.Client.Version}}')"
	is "$(./podman --version | cut -d ' ' -f 3)" "$(./podman version --format json | jq -r .Client.Version)"
	contains "$(./podman version)" "floe $("$FLOE" --version | cut -d ' ' -f 3), as podman"
	[[ $("$FLOE" --version) == "floe version "* ]]
}

@test "system migrate and system renumber have nothing to do" {
	is "" "$(fl system migrate)"
	is "" "$(fl system renumber)"
	says 125 "Error: migrate to runtime 'crun': containers keep the runtime" system migrate --new-runtime crun
}

@test "run --replace lets what it replaces end by its signal" {
	mkdir data
	fl run -d --name "$C" -v "$T/data:/data" --rootfs "$ROOTFS" \
		sh -c 'trap "echo written >/data/file; exit 0" TERM; while :; do sleep 0.1; done' >/dev/null
	eventually heeds "$C" TERM
	fl run --replace --name "$C" --rootfs "$ROOTFS" true
	is written "$(cat data/file)"
}

@test "mistyped commands and options are told in the words of podman" {
	says 125 "Error: unrecognized command \`floe frobnicate\`" frobnicate
	says 125 "Error: unrecognized command \`floe volume frobnicate\`" volume frobnicate
	says 125 "Error: unknown flag: --frobnicate" ps --frobnicate
	says 125 "Error: unknown shorthand flag: 'Z' in -aZ" ps -aZ
	says 125 "Error: \"ps\" takes no arguments" ps x
	says 125 "Error: missing command 'floe volume COMMAND'" volume
	contains "$output" $'Usage:\n  floe volume [command]'
	run "$FLOE"
	is 125 "$status"
	contains "$output" $'Usage:\n  floe [options] [command]' "Error: missing command 'floe COMMAND'"
	says 125 "--latest and containers cannot be used together" stop --latest x
	says 125 "--all and --latest cannot be used together" stop --latest --all
	says 125 "reading CIDFile: open $T/none: no such file or directory" stop --cidfile "$T/none"
}

# Each of them: a summary, Usage:, options only where the usage says so.
@test "help of every command has the form that scripts take apart" {
	for command in ps run volume 'volume ls' 'network create' version 'system df' exec; do
		# shellcheck disable=SC2086 # words
		"$FLOE" $command --help >help
		contains "$(grep -A 1 '^Usage:$' help | tail -n 1)" "  floe $command"
		if grep -A 1 '^Usage:$' help | grep -qF '[options]'; then grep -q '^Options:$' help; else ! grep -q '^Options:$' help; fi
	done
	"$FLOE" help volume | sed -n '/^Available Commands:/,/^Options:/s/^  \([a-z]*\) .*/\1/p' >commands
	is "create exists export import inspect ls mount prune rm unmount" "$(sort commands | xargs)"
}

@test "rm: exit code 1 where there is none, 2 where it runs" {
	start_idle "$C"
	says 2 "running or paused containers cannot be removed without force: container state improper" rm "$C"
	says 1 "no such container" rm "$C" nobody
	fl rm -f -t 0 "$C" >/dev/null
	says 1 "no such container" rm nobody nobody-else
}

@test "a name in use is told with whose it is" {
	id=$(fl create --name "$C" --rootfs "$ROOTFS" true)
	says 125 "the container name \"$C\" is already in use by $id. You have to remove that container" create --name "$C" \
		--rootfs "$ROOTFS" true
	fl create --name "$C-2" --rootfs "$ROOTFS" true >/dev/null
	says 125 "the container name \"$C\" is already in use by $id." rename "$C-2" "$C"
}

@test "ps --format: a label by its key, and namespaces" {
	start_idle "$C" --label key=a=b,c --label other=2
	is "a=b,c||$C" "$(fl ps --format '{{.Label "key"}}|{{.Label "none"}}|{{.Names}}')"
	[[ $(fl ps --format '{{.PIDNS}} {{.IPC}} {{.UTS}}') =~ ^[0-9]+\ [0-9]+\ [0-9]+$ ]]
	is "$C" "$(fl ps --external --format '{{.Names}}')"
	says 125 "execute template" ps --format '{{.Names "x"}}'
}

@test "wait --ignore has a line for each that is not there" {
	fl create --name "$C" --rootfs "$ROOTFS" true >/dev/null
	is $'-1\n0\n-1' "$(fl wait --ignore x "$C" y)"
}

@test "wait: what it is for, and the first of several" {
	fl create --name "$C" --rootfs "$ROOTFS" sh -c 'until [ -e /data/go ]; do sleep 0.1; done; exit 5' >/dev/null
	fl create --name "$C-b" --rootfs "$ROOTFS" true >/dev/null
	# Only an end has a code.
	is -1 "$(fl wait --condition created "$C")"
	is -1 "$(fl wait --condition running --condition configured "$C")"
	is 0 "$(fl wait --condition exited "$C-b")"
	fl init "$C" >/dev/null
	is -1 "$(fl wait --condition removing,initialized "$C")"
	fl wait --condition running --interval 20ms "$C" >running &
	waiting=$!
	fl start "$C" >/dev/null
	wait "$waiting"
	is -1 "$(<running)"
	fl wait "$C" "$C-b" >both &
	both=$!
	fl wait --exit-first-match --condition stopped,paused --interval 20 "$C" "$C-b" >first
	is 0 "$(<first)"
	fl wait --exit-first-match --condition paused --ignore nobody "$C" "$C-b" >first &
	waiting=$!
	fl pause "$C" >/dev/null
	wait "$waiting"
	is -1 "$(<first)"
	fl unpause "$C" >/dev/null
	touch "$ROOTFS/data/go"
	wait "$both"
	rm "$ROOTFS/data/go"
	is $'5\n0' "$(<both)"
	is -1 "$(fl wait --exit-first-match --ignore nobody)"
	# The one that is not there is told at once, not after the wait for others.
	start_idle "$C-c"
	says 125 'no container with name or ID "nobody" found: no such container' wait "$C-c" nobody
	says 125 'unknown container state: nothing: invalid argument' wait --condition nothing "$C-c"
	says 125 "cannot use condition \"healthy\": container $(inspect "$C-c" '{{.Id}}') has no healthcheck" \
		wait --condition healthy "$C-c"
	says 125 "interval 'soon'" wait --interval soon "$C-c"
}

# Somebody waits for its exit code.
attended()
{
	! flock --exclusive --nonblock "$ENGINE/run/containers/$(inspect "$1" '{{.Id}}')/attend" true
}

is_removed()
{
	! fl container exists "$1"
}

@test "wait: one that removes itself meanwhile has its code all the same" {
	start_idle "$C"
	fl run -d --rm --name "$C-b" --rootfs "$ROOTFS" sh -c 'until [ -e /data/go ]; do sleep 0.1; done; exit 6' >/dev/null
	fl wait "$C" "$C-b" >codes &
	waiting=$!
	eventually attended "$C-b"
	touch "$ROOTFS/data/go"
	eventually is_removed "$C-b"
	fl stop "$C" >/dev/null
	wait "$waiting"
	rm "$ROOTFS/data/go"
	is $'0\n6' "$(<codes)"
}

@test "who waits for a container that rm --force ends gets its exit code" {
	fl run --name "$C" --network none --rootfs "$ROOTFS" sleep 1000 </dev/null &
	local runner=$!
	eventually fl container exists "$C"
	eventually attended "$C"
	start_idle "$C-2"
	fl wait "$C-2" >"$T/waited" &
	local waiter=$!
	eventually attended "$C-2"
	fl rm -f -t 0 "$C" "$C-2"
	local status=0
	wait "$runner" || status=$?
	is 137 "$status"
	wait "$waiter"
	is 137 "$(cat "$T/waited")"
}

@test "volumes: whose they are by o=uid=,gid=, and filters by time and option" {
	fl volume create -o o=uid=10,gid=20 "$C" >/dev/null
	is "10 20" "$(fl run --rm -v "$C:/mnt" --rootfs "$ROOTFS" stat -c '%u %g' /mnt)"
	fl volume create -o type=tmpfs -o device=tmpfs -o o=size=1m,uid=1000 "$C-tmpfs" >/dev/null
	is "1000 0" "$(fl run --rm -v "$C-tmpfs:/mnt" --rootfs "$ROOTFS" stat -c '%u %g' /mnt)"
	is "$C-tmpfs" "$(fl volume ls -q --filter "since=$C")"
	is "$C-tmpfs" "$(fl volume ls -q --filter opt=type=tmpfs)"
	is "$C" "$(fl volume ls -q --filter opt=o=uid=10,gid=20)"
	is "" "$(fl volume ls -q --filter until=1h)"
	is "" "$(fl volume prune --force --filter until=1h)"
	says 125 'no volume with name "nobody" found' volume ls --filter since=nobody
	fl volume rm "$C" "$C-tmpfs" >/dev/null
}

@test "volumes of a type or a device are mounted while somebody needs them" {
	mkdir dir
	echo text >dir/file
	fl volume create -o type=bind -o device="$T/dir" bound >/dev/null
	fl volume create -o type=tmpfs -o device=tmpfs -o o=size=1m,noexec memory >/dev/null
	is text "$(fl run --rm -v bound:/data --rootfs "$ROOTFS" cat /data/file)"
	path=$(inspect bound '{{.Mountpoint}}')
	is "" "$(ls -A "$path")"
	start_idle "$C" -v bound:/data -v memory:/mnt
	is text "$(fl exec "$C" cat /data/file)"
	contains "$(fl exec "$C" cat /proc/mounts)" " /mnt tmpfs " "size=1024k"
	# The second one does not take it from the first.
	is text "$(fl run --rm -v bound:/data --rootfs "$ROOTFS" cat /data/file)"
	is text "$(cat "$path/file")"
	is 1 "$(inspect bound '{{.MountCount}}')"
	fl volume mount bound >/dev/null
	fl rm -f -t 0 "$C" >/dev/null
	is text "$(cat "$path/file")"
	is bound "$(fl volume unmount bound)"
	is "" "$(ls -A "$path")"
	is ./file "$(fl volume export bound | tar -t | grep file)"
	fl volume rm bound memory >/dev/null
	is text "$(cat dir/file)"
}

@test "what would be passed over is refused: subpath, propagation, upperdir, sizes" {
	mkdir d
	try run --rm --mount type=bind,src="$T/d",dst=/mnt,subpath=x --rootfs "$ROOTFS" true
	refused subpath "non-volume mounts"
	try run --rm --mount type=bind,src="$T/d",dst=/mnt,bind-propagation=foo --rootfs "$ROOTFS" true
	refused "bind-propagation 'foo'"
	try run --rm -v "v$C:/mnt:upperdir=$T/d" --rootfs "$ROOTFS" true
	refused "upperdir=" "needs the option O"
	try run --rm --shm-size -1 --rootfs "$ROOTFS" true
	refused "--shm-size"
	try run --rm --shm-size 1m --ipc host --rootfs "$ROOTFS" true
	refused "--shm-size" "--ipc host"
	in_container --mount "type=bind,src=$T/d,dst=/mnt,readwrite=true" -- touch /mnt/f
	try run --rm --mount "type=bind,src=$T/d,dst=/mnt,readwrite=false" --rootfs "$ROOTFS" touch /mnt/g
	[ "$status" -ne 0 ]
}

@test "all capabilities are those that floe has" {
	have=$(awk '/^CapPrm/ { print $2 }' /proc/self/status)
	is "$have" "$(in_container --cap-add all -- awk '/^CapEff/ { print $2 }' /proc/self/status)"
	is "$have" "$(in_container --privileged -- awk '/^CapBnd/ { print $2 }' /proc/self/status)"
}

@test "volumes: alternatives of a filter, and either names or --all" {
	fl volume create --label a=b one >/dev/null
	fl volume create two >/dev/null
	is "one two" "$(fl volume ls -q -f name='^one$' -f name=two | xargs)"
	is one "$(fl volume ls -q -f name=one -f name=two -f label=a=b)"
	is "one two" "$(fl volume ls -q -f scope=local | xargs)"
	try volume rm --all one
	refused "choose either one or more volumes or all"
	try volume inspect --all one
	refused "provide one or more volume names or use --all"
	is "one two" "$(fl volume rm --all | sort | xargs)"
}

@test "volume mount prints where, also of a plain one" {
	fl volume create plain >/dev/null
	path=$(fl volume mount plain)
	is "$(inspect plain '{{.Mountpoint}}')" "$path"
	echo text >"$path/file"
	is text "$(fl run --rm -v plain:/data --rootfs "$ROOTFS" cat /data/file)"
	is plain "$(fl volume unmount plain)"
	says 125 "no volume with name \"none\" found: no such volume" volume mount none
	is plain "$(fl volume ls --filter 'name=^pl.+n$' --format '{{.Name}}')"
	fl volume rm plain >/dev/null
}

@test "mistakes in options of volumes are told when it is created" {
	says 125 "invalid volume option device for driver 'local': stat /bogus: no such file or directory" \
		volume create -o type=bind -o device=/bogus x
	says 125 "invalid mount option size for driver 'local'" volume create -o size=1m x
	says 125 "needs a type or a device" volume create -o o=noexec x
	fl volume create -o type=nosuchfs -o device=none bad >/dev/null
	says 126 "mount volume 'bad'" run -v bad:/x --rootfs "$ROOTFS" true
	fl rm -a >/dev/null
	fl volume rm bad >/dev/null
	is "" "$(fl volume ls -q)"
}

@test "secrets: filters, what is there already, what is not" {
	for name in one two; do echo $name | fl secret create $name - >/dev/null; done
	is one "$(fl secret ls --filter name=^on --format '{{.Name}}')"
	is $'one\ntwo' "$(fl secret ls --filter name=one --filter name=two --format '{{.Name}}' | sort)"
	is two "$(fl secret ls --filter "id=$(fl secret inspect --format '{{.ID}}' two)" --format '{{.Name}}')"
	says 125 "expected name= or id=" secret ls --filter label=x
	says 125 "one: secret name in use" secret create one "$T/.before"
	says 125 "no such secret" secret rm nobody
	says 125 "no arguments are needed with --all" secret rm --all one
	fl secret rm --all >/dev/null
}

@test "volume rm --force --time; container exists --external; container cleanup --rmi" {
	fl volume create "$C" >/dev/null
	start_idle "$C" -v "$C:/data" --stop-timeout 1000
	says 125 "--force option must be specified to use the --time option" volume rm --time 0 "$C"
	says 2 "is being used" volume rm "$C"
	# It heeds no TERM: only --time keeps this from lasting a thousand seconds.
	fl run -d --name "$C-b" -v "$C:/data" --stop-timeout 1000 --rootfs "$ROOTFS" sleep 1000 >/dev/null
	is "$C" "$(fl volume rm --force --time 1 "$C")"
	is "" "$(fl ps -aq)"
	fl create --name "$C-c" --rootfs "$ROOTFS" true >/dev/null
	fl container exists --external "$C-c"
	try container exists --external nobody
	is 1 "$status"
	make_image "mine$C"
	fl run --name "$C-d" "localhost/mine$C" true
	says 125 "the --rmi option does not work without --rm" container cleanup --rmi "$C-d"
	fl container cleanup --rm --rmi "$C-d" >/dev/null
	try image exists "localhost/mine$C"
	is 1 "$status"
}

@test "what ends after --timeout has exit code -1, which a shell sees as 255" {
	try run --name "$C" --timeout $((3 * PATIENCE)) --rootfs "$ROOTFS" sleep 1000
	is 255 "$status"
	is -1 "$(inspect "$C" '{{.State.ExitCode}}')"
	is "" "$(inspect "$C" '{{.State.Error}}')"
	is -1 "$(fl wait "$C")"
	contains "$(fl ps -a --filter "name=$C")" "Exited (-1)"
}

@test "exit codes: exec --detach of what is not there, rmi of what is in use" {
	start_idle "$C"
	says 127 "nothing" exec "$C" nothing
	says 125 "nothing" exec --detach "$C" nothing
	make_image "mine$C"
	fl create --name "$C-b" "localhost/mine$C" true >/dev/null
	says 2 "in use by a container" rmi "localhost/mine$C"
	says 2 "in use by a container" rmi --all
	says 1 "image not known" rmi nobody
	fl rm "$C-b" >/dev/null
	fl rmi --all >/dev/null
}

@test "version: the server's is the client's, to templates only" {
	is "$(fl version --format '{{.Client.Version}}')" "$(fl version --format '{{.Server.Version}}')"
	is '["Client"]' "$(fl version --format json | jq -c keys)"
}

@test "secret create --ignore, --replace; a directory of the user's; inspect --pretty" {
	echo -n one >first
	echo -n two >second
	id=$(fl secret create "$C" first)
	is "$id" "$(fl secret create --ignore "$C" second)"
	is one "$(fl secret inspect --showsecret --format '{{.SecretData}}' "$C")"
	says 125 "cannot use --ignore and --replace flags together" secret create --ignore --replace "$C" second
	[ "$(fl secret create --replace --driver file --driver-opts "path=$T/vault" "$C" second)" != "$id" ]
	is two "$(cat vault/*)"
	is "file $T/vault" "$(fl secret inspect --format '{{.Spec.Driver.Name}} {{.Spec.Driver.Options.path}}' "$C")"
	is two "$(fl run --rm --secret "$C" --rootfs "$ROOTFS" cat "/run/secrets/$C")"
	contains "$(fl secret inspect --pretty "$C")" "Name:              $C" "Driver:            file"
	fl secret create --label a=b --label c "$C-l" - <<<x >/dev/null
	contains "$(fl secret inspect --pretty "$C-l")" $'Labels:\n - a=b\n - c\nDriver:'
	fl secret rm "$C-l" >/dev/null
	says 125 "secret driver 'file': unknown option 'color'" secret create --driver-opts color=red x first
	says 125 "expected an absolute path" secret create --driver-opts path=vault x first
	says 125 "secret driver 'pass': not supported" secret create --driver pass x first
	says 125 "secret driver 'nobody': expected file or shell" secret create --driver nobody x first
	says 125 "driver option 'x': expected KEY=VALUE" secret create --driver-opts x x first
	fl secret rm "$C" >/dev/null
	is "" "$(ls vault)"
}

@test "secret create --driver shell: commands keep it" {
	mkdir vault
	echo -n hush >first
	# shellcheck disable=SC2016 # for the shell that the driver starts
	commands=(list='ls vault' lookup='tr b-za a-z <"vault/$SECRET_ID"' store='tr a-z b-za >"vault/$SECRET_ID"' delete='rm "vault/$SECRET_ID"')
	printf -v options '%s,' "${commands[@]//vault/$T\/vault}"
	id=$(fl secret create --driver shell --driver-opts "${options%,}" "$C" first)
	is ivti "$(cat "vault/$id")"
	is hush "$(fl run --rm --secret "$C" --rootfs "$ROOTFS" cat "/run/secrets/$C")"
	is hush "$(fl run --rm --secret "$C,type=env,target=S" --rootfs "$ROOTFS" sh -c 'echo $S')"
	is "shell ls $T/vault" "$(fl secret inspect --format '{{.Spec.Driver.Name}} {{.Spec.Driver.Options.list}}' "$C")"
	# What a command cannot remove is not forgotten.
	mv vault hidden
	try secret rm "$C"
	contains "$output" "secret '$C': its command for delete failed: exit status 1"
	try run --rm --secret "$C" --rootfs "$ROOTFS" true
	is 125 "$status"
	contains "$output" "secret '$C': its command for lookup failed"
	mv hidden vault
	is "$id" "$(fl secret rm "$C")"
	is "" "$(ls vault)"
	says 125 "secret driver 'shell': option 'lookup' is missing" secret create --driver shell --driver-opts list=true x first
	# The same by containers.conf.
	export CONTAINERS_CONF=$T/conf
	printf '[secrets]\ndriver = "shell"\n[secrets.opts]\n' >conf
	for command in "${commands[@]//vault/$T\/vault}"; do
		printf '"%s" = '"'%s'"'\n' "${command%%=*}" "${command#*=}" >>conf
	done
	id=$(fl secret create "$C" first)
	is ivti "$(cat "vault/$id")"
	is file "$(fl secret inspect --format '{{.Spec.Driver.Name}}' "$(fl secret create --driver file "$C-2" first)")"
	fl secret rm --all >/dev/null
	is "" "$(ls vault)"
}

@test "network inspect --format has the names of podman's templates" {
	export CONTAINERS_CONF=$T/conf
	echo "[network]
	network_config_dir = \"$T/networks\"" >conf
	fl network create --label a=b web >/dev/null
	is "web bridge true false map[a:b] map[] 0" "$(fl network inspect web --format \
		'{{.Name}} {{.Driver}} {{.DNSEnabled}} {{.IPv6Enabled}} {{.Labels}} {{.Options}} {{len .Containers}}')"
	is "podman 
web a=b" "$(fl network ls --format '{{.Name}} {{.Labels}}' | sort)"
	says 125 "network name web already used: network already exists" network create web
	says 125 "unable to find network with name or ID none: network not found" network inspect none
	says 125 "default network podman cannot be removed" network rm podman
	fl create --network web --name "$C" --rootfs "$ROOTFS" true >/dev/null
	is web "$(fl ps -a --format '{{.Networks}}')"
	says 2 '"web" has associated containers with it. Use -f to forcibly delete containers: network is being used' network rm web
	fl rm "$C" >/dev/null
	fl network rm web >/dev/null
}

@test "top has the descriptors of podman, or asks ps in the container" {
	start_idle "$C" --user 64012:64034 --group-add 64056 --cap-drop all --cap-add kill
	is "GROUPS PGID SECCOMP" "$(fl top "$C" groups pgid seccomp | head -n 1 | xargs)"
	is "64012 64034 64012 64034 64012 64034" "$(fl top "$C" user,group,ruser,rgroup,huser,hgroup | sed -n 2p | xargs)"
	is "KILL 1 filter" "$(fl top "$C" capbnd pgid seccomp | sed -n 2p | xargs)"
	contains "$(fl top "$C" groups)" 64056
	contains "$(fl top "$C" -o pid,args)" "ps -o pid,args"
	contains "$(fl top "$C" ax)" "ps ax"
	contains "$(fl top "$C" axo pid,args)" "ps axo pid,args"
	says 125 "descriptor 'nosuch': not supported; there are user," top "$C" nosuch
}

@test "exec --cidfile" {
	start_idle "$C" --cidfile "$T/cid"
	is hello "$(fl exec --cidfile "$T/cid" echo hello)"
	says 125 "reading CIDFile: open $T/none: no such file or directory" exec --cidfile "$T/none" true
}

@test "logs: times that lie ahead" {
	fl run --name "$C" --rootfs "$ROOTFS" echo hello >/dev/null
	is "" "$(fl logs --since -1h "$C")"
	is "" "$(fl logs --until -1h "$C")"
	is hello "$(fl logs --until 1h "$C")"
}

@test "info --format has .Host.CgroupsVersion, its documents have cgroupVersion" {
	is "$(fl info --format '{{.Host.CgroupVersion}}')" "$(fl info --format '{{.Host.CgroupsVersion}}')"
	is "" "$(fl info --format json | grep CgroupsVersion)"
}

@test "cp: what is not there is told with where" {
	fl create --name "$C" --rootfs "$ROOTFS" true >/dev/null
	say_not_found=': no such file or directory'
	says 125 "\"/none\" could not be found on container $C$say_not_found" cp "$C:/none" .
	says 125 "\"/none/\" could not be found on container $C$say_not_found" cp .before "$C:/none/"
	says 125 "/none\" could not be found on the host$say_not_found" cp "$T/none" "$C:/"
}

@test "start --filter is about the containers that are named, or about all" {
	fl create --name "$C-1" --restart on-failure --rootfs "$ROOTFS" true >/dev/null
	fl create --name "$C-2" --rootfs "$ROOTFS" true >/dev/null
	is "$C-1" "$(fl start --filter restart-policy=on-failure "$C-1" "$C-2")"
	is "" "$(fl start --filter restart-policy=always "$C-1" "$C-2")"
	is "$(inspect "$C-2" '{{.Id}}')" "$(fl start --filter restart-policy=no)"
	says 125 "Error: fakepolicy invalid restart policy" start --filter restart-policy=fakepolicy "$C-1"
	says 125 "either start all containers or the container(s) provided in the arguments" start --all "$C-1"
}

@test "names together with --filter or --all: nothing is done" {
	fl create --name "$C" --label a=b --rootfs "$ROOTFS" true >/dev/null
	for command in stop restart pause unpause rm; do
		says 125 "--filter takes no arguments" "$command" --filter label=a=b other
		says 125 "no arguments are needed with --all" "$command" --all other
	done
	is created "$(inspect "$C" '{{.State.Status}}')"
}

@test "kill: signals with a dash before them, and which there are" {
	start_idle "$C"
	for signal in -15 -TERM -SIGUSR1; do
		says 125 "no such container" kill -s "$signal" nobody
	done
	fl kill -s -TERM "$C" >/dev/null
	fl wait "$C" >/dev/null
	for signal in 0 SIG BAD SIGBAD -0 -BAD ' '; do
		says 125 "Error: invalid signal: ${signal#-}" kill -s "$signal" nobody
	done
	for signal in 65 -65 99999999; do
		says 125 "Error: valid signals are 1 through 64" kill -s "$signal" nobody
		says 125 "Error: valid signals are 1 through 64" create --stop-signal "$signal" --rootfs "$ROOTFS"
	done
}

@test "mount --format json has Names; what is not mounted may be unmounted" {
	make_image mount-image
	id=$(fl create --name "$C" localhost/mount-image true)
	path=$(fl mount "$C")
	is "$id $C $path" "$(fl mount --format json | jq -r '.[] | .id + " " + .Names[0] + " " + .mountpoint')"
	is "$id  $path" "$(fl mount --notruncate)"
	is "$C" "$(fl umount "$C")"
	is "$C" "$(fl umount "$C")"
	is "" "$(fl mount)"
	fl image mount mount-image >/dev/null
	is "$(fl image inspect --format '{{.Id}}' mount-image)" "$(fl image unmount mount-image)"
	is "" "$(fl image unmount mount-image)"
	says 125 "image name or ID must be specified" image unmount
}

@test "events: time, whole ids, filters, JSON as podman prints it" {
	before=$(date +%s.%N)
	id=$(fl create --name "$C" --label key=value --rootfs "$ROOTFS" sh -c 'exit 17')
	try start -a "$C"
	is 17 "$status"
	what=(--stream=false --since "$before" --filter "container=$C")
	contains "$(fl events "${what[@]}" --filter status=start)" " +0000 UTC container start $id (image="
	contains "$(fl events "${what[@]}" --filter status=start --no-trunc=false)" "start ${id:0:12} (image="
	is "value 17" "$(fl events "${what[@]}" --filter event=died --format '{{.Attributes.key}} {{.ContainerExitCode}}')"
	is "$C container create value ${before%.*}" "$(fl events "${what[@]}" --filter event=create --format json |
		jq -r '"\(.Name) \(.Type) \(.Status) \(.Attributes.key) \(if .time >= '"${before%.*}"' then '"${before%.*}"' else .time end)"')"
	is true "$(fl events "${what[@]}" --filter event=create --format json | jq '(.timeNano / 1000000000 | floor) == .time')"
	contains "$(fl events "${what[@]}" --format '{{.Status}}' | xargs)" "create init start attach died"
	says 125 "bogus is an invalid filter" events --stream=false --filter bogus=1
	printf 'secret' | fl secret create event-secret - >/dev/null
	fl secret rm event-secret >/dev/null
	is "create remove" "$(fl events --stream=false --since "$before" --filter type=secret --format '{{.Status}}' | xargs)"
}

# tells_of SINCE CONTAINER STATUSES: these events and no others.
tells_of()
{
	[ "$(fl events --stream=false --since "$1" --filter "container=$2" --format '{{.Status}}' | grep -v attach | xargs)" = "$3" ]
}

@test "events: every end is told once, whoever brings it about" {
	since=$(date +%s.%N)
	start_idle "$C"
	fl stop --time 0 "$C" >/dev/null
	fl start "$C" >/dev/null
	fl restart --time 0 "$C" >/dev/null
	fl rm --force --time 0 "$C" >/dev/null
	is "create init start died cleanup stop init start died cleanup stop init start restart died cleanup remove" \
		"$(fl events --stream=false --since "$since" --filter "container=$C" --format '{{.Status}}' | xargs)"
	fl run -d --name "$C-2" --timeout 1 --rootfs "$ROOTFS" sleep 60 >/dev/null
	fl wait "$C-2" >/dev/null
	fl rm --force "$C-2" >/dev/null
	is "create init start died cleanup remove" \
		"$(fl events --stream=false --since "$since" --filter "container=$C-2" --format '{{.Status}}' | xargs)"
	try run --name "$C-3" --restart on-failure:1 --rootfs "$ROOTFS" false
	eventually tells_of "$since" "$C-3" "create init start died cleanup restart init start died cleanup"
}

@test "kill: what its user ends does not come back by its restart policy" {
	since=$(date +%s.%N)
	start_idle "$C" --restart always
	fl kill "$C" >/dev/null
	eventually tells_of "$since" "$C" "create init start kill died cleanup"
	fl start "$C" >/dev/null
	eventually heeds "$C" TERM
	kill -KILL "$(inspect "$C" '{{.State.Pid}}')"
	eventually eval '[ "$(inspect "$C" "{{.RestartCount}} {{.State.Status}}")" = "1 running" ]'
	fl rm --force --time 0 "$C"
}

@test "events: of volumes, networks and images as podman words them" {
	since=$(date +%s.%N)
	fl run --rm --volume "$C-v:/data" --rootfs "$ROOTFS" true
	fl volume prune --force >/dev/null
	contains "$(fl events --stream=false --since "$since" --filter "volume=$C-v")" \
		"UTC volume create $C-v"$'\n' "UTC volume remove $C-v"$'\n' "UTC volume prune $C-v"
	fl network create "$C-n" >/dev/null
	id=$(fl create --name "$C" --network bridge --rootfs "$ROOTFS" true)
	fl network connect "$C-n" "$C"
	fl network disconnect "$C-n" "$C"
	fl network rm "$C-n" >/dev/null
	what=(--stream=false --since "$since" --filter type=network)
	contains "$(fl events "${what[@]}")" " (name=$C-n, type=bridge)" "UTC network connect $id (container=$id, name=$C-n)"
	is "create -:$C-n:bridge,connect $C:$C-n:-,disconnect $C:$C-n:-,remove -:$C-n:bridge," "$(fl events "${what[@]}" --format json |
		jq -r '"\(.Status) \(.Name // "-"):\(.network):\(.Attributes.driver // "-")"' | tr '\n' ,)"
	is "$C-n" "$(fl events "${what[@]}" --filter event=connect --format '{{.Network}}')"
	try pull --quiet dir:/no/such/place
	is 125 "$status"
	contains "$(fl events --stream=false --since "$since" --filter event=pull-error)" "image pull-error  dir:/no/such/place "
	contains "$(fl events --stream=false --since "$since" --filter event=pull-error --format '{{.Error}}')" "/no/such/place"
}

@test "events: the backends that there are" {
	global=("$FLOE" --root "$ENGINE/root" --runroot "$ENGINE/run")
	for more in '' --stream=false; do
		# shellcheck disable=SC2086 # a word or none
		run timeout 60 "${global[@]}" --events-backend none events $more
		refused 'cannot read events with the "none" backend'
	done
	run timeout 60 "${global[@]}" --events-backend nosuch ps
	refused "unknown events backend 'nosuch'"
}

@test "a table's columns may be separated by spaces" {
	fl create --name "$C" --rootfs "$ROOTFS" true >/dev/null
	is "$(fl ps -a --format 'table {{.ID}}\t{{.Names}}\t{{if .Names}}x{{end}}')" \
		"$(fl ps -a --format 'table {{.ID}} {{.Names}} {{if .Names}}x{{end}}')"
	is "$(fl ps -a | timeless)" "$(fl ps -a --storage --notruncate=false | timeless)"
}

@test "load: by URL; what is no archive of images" {
	mkdir dir
	echo text >dir/file
	says 125 "payload does not match any of the supported image formats" load -i dir/file
	says 125 "payload does not match any of the supported image formats" load -i dir
	# shellcheck disable=SC2119 # no arguments
	run fl load <dir/file
	refused "payload does not match any of the supported image formats"
	run timeout 60 script -qec "$FLOE --root $ENGINE/root --runroot $ENGINE/run load" /dev/null
	contains "$output" "cannot read from terminal, use command-line redirection or the --input flag"
	says 125 "fetch 'http://127.0.0.1:1/x': curl failed" load -i http://127.0.0.1:1/x
	says 125 "fetch 'http://127.0.0.1:1/x': curl failed" import http://127.0.0.1:1/x
	make_image url-image
	id=$(fl image inspect --format '{{.Id}}' url-image)
	fl save -q -o image.tar url-image
	fl rmi url-image >/dev/null
	python3 -c 'import http.server
server = http.server.HTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler)
print(server.server_port, flush=True)
server.handle_request()
server.handle_request()' >port 2>/dev/null 3>&- 4>&- &
	eventually test -s port
	is "Loaded image: localhost/url-image:latest" "$(fl load -i "http://127.0.0.1:$(cat port)/image.tar")"
	fl import -q "http://127.0.0.1:$(cat port)/image.tar" localhost/by-url:1 >/dev/null
	wait
	is "$id" "$(fl image inspect --format '{{.Id}}' url-image)"
	fl rmi by-url:1 >/dev/null
}

@test "options that exclude each other are named, in either order" {
	pairs=("--cpu-period=1000 --cpus=2" "--cpu-quota=1000 --cpus=2" "--no-hosts --add-host=foo:127.0.0.1")
	for command in create run; do
		for pair in "${pairs[@]}"; do
			read -r one other <<<"$pair"
			says 125 "${one%=*} and ${other%=*} cannot be set together" "$command" "$one" "$other" --rootfs "$ROOTFS" true
			says 125 "${one%=*} and ${other%=*} cannot be set together" "$command" "$other" "$one" --rootfs "$ROOTFS" true
		done
	done
	says 125 "--all and --exec cannot be set together" container cleanup --all --exec=foo
	for option in --arch --os; do
		says 125 "--platform option can not be specified with --arch or --os" create --platform=foo/bar "$option=bar" none
		says 125 "--platform option can not be specified with --arch or --os" pull --platform=foo/bar "$option=bar" none
	done
	says 125 "the '--group-add keep-groups' option is not allowed with any other" run --group-add keep-groups --group-add 4 \
		--rootfs "$ROOTFS" true
	says 125 "invalid label format: \"=x\"" create --label =x --rootfs "$ROOTFS" true
	for option in ipc pid uts cgroupns userns; do
		says 125 "unrecognized namespace mode bogus passed" create "--$option" bogus --rootfs "$ROOTFS" true
	done
}

@test "variables by the beginning of their names, files with a comma in theirs" {
	printf 'C=file\nTEST_*\nNOT*HING\n' >one,two
	printf 'label=value\n' >three,four
	export TEST_A=a TEST_B=b test_c=c NOTXHING=x
	for options in "--env TEST_* --env NOT*HING" "--env-file $T/one,two"; do
		# shellcheck disable=SC2086 # words
		fl run --rm $options --rootfs "$ROOTFS" env >variables
		is "TEST_A=a TEST_B=b" "$(grep -E '^(TEST|test|NOT)' variables | sort | xargs)"
	done
	fl create --name "$C" --label-file three,four --rootfs "$ROOTFS" true >/dev/null
	is value "$(inspect "$C" '{{.Config.Labels.label}}')"
}

@test "--dns-search: domains, or none" {
	for domain in "['example.org']" "a b" -x.org x-.org x..y .x ex_ample.org x/y 1.2.3.4; do
		says 125 "$domain is not a valid domain" create --network host --dns-search="$domain" --rootfs "$ROOTFS" true
	done
	for domain in . example.org a.b. x-1.y2; do
		fl create --name "$C" --network host --dns-search="$domain" --rootfs "$ROOTFS" true >/dev/null
		fl rm "$C" >/dev/null
	done
}

@test "--ipc private is nobody else's, shareable is" {
	start_idle "$C-1" --ipc private
	start_idle "$C-2" --ipc shareable
	says 125 "is not allowed: non-shareable IPC (hint: use IpcMode:shareable for the donor container)" \
		run --rm --ipc "container:$C-1" --rootfs "$ROOTFS" true
	fl run --rm --ipc "container:$C-2" --rootfs "$ROOTFS" true
}

@test "stats has no figures of a container without a cgroup" {
	fl run -d --name "$C-1" --cgroups disabled --rootfs "$ROOTFS" sleep 1000 >/dev/null
	start_idle "$C-2"
	is "$C-2" "$(fl stats --no-stream --format '{{.Name}}')"
	says 125 "did not create a cgroup" stats --no-stream "$C-1"
	fl rm -f -t 0 "$C-1" >/dev/null
}

@test "volumes: filters that there are, fields of templates, copy-up from where there is something" {
	says 125 '"bogus" is an invalid volume filter' volume ls --filter bogus=1
	says 125 '"x" is not a valid value for the "dangling" filter - must be true or false' volume ls --filter dangling=x
	says 125 "provide one or more volume names or use --all" volume inspect
	says 125 "choose either one or more volumes or all" volume rm
	make_image copy-image
	fl volume create copied >/dev/null
	is "true false 0 0" "$(fl volume inspect --format '{{.NeedsCopyUp}} {{.Anonymous}} {{.UID}} {{.GID}}' copied)"
	fl run --rm -v copied:/no-place localhost/copy-image true
	is "true true" "$(fl volume inspect --format '{{.NeedsCopyUp}} {{.NeedsChown}}' copied)"
	# While nobody has put anything there, it belongs to the next user.
	is "7 8" "$(fl run --rm --user 7:8 -v copied:/no-place localhost/copy-image stat -c '%u %g' /no-place)"
	# Unless that one has been told whose it is.
	fl run --rm -v copied:/no-place localhost/copy-image sh -c 'chown 5:6 /no-place; chmod 751 /no-place'
	is "5 6 751" "$(fl run --rm -v copied:/no-place localhost/copy-image stat -c '%u %g %a' /no-place)"
	is "true false" "$(fl volume inspect --format '{{.NeedsCopyUp}} {{.NeedsChown}}' copied)"
	fl run --rm -v copied:/etc localhost/copy-image test -e /etc/passwd
	is "false false" "$(fl volume inspect --format '{{.NeedsCopyUp}} {{.NeedsChown}}' copied)"
	fl volume rm copied >/dev/null
}

@test "login and logout say why in one line" {
	echo '{}' >auth.json
	says 125 "Error: not logged into nosuch.example" logout --authfile "$T/auth.json" nosuch.example
	export CONTAINERS_REGISTRIES_CONF=$T/registries.conf
	: >registries.conf
	says 125 "no registries found in registries.conf, a registry must be provided" login
}

@test "login takes its password from a secret" {
	printf 'pass word' | fl secret create login-user - >/dev/null
	mkdir bin
	cat >bin/skopeo <<-'SCRIPT'
		#!/bin/sh
		echo "$* <$(cat)>"
	SCRIPT
	chmod +x bin/skopeo
	export PATH=$T/bin:$PATH
	is "login --username=login-user --password-stdin r.example <pass word>" "$(fl login --secret login-user r.example)"
	is "login --username=me --password-stdin r.example <pass word>" "$(fl login --secret login-user --username me r.example)"
	# More than a pipe holds.
	printf '%0100000d' 7 | fl secret create login-long - >/dev/null
	is 100000 "$(fl login --secret login-long r.example | grep -o '<.*>' | tr -dc 0-9 | wc -c)"
	says 125 "--secret can not be used with --password" login --secret login-user --username me --password x r.example
	says 125 "nosuch-secret" login --secret nosuch-secret r.example
	fl secret rm login-user login-long >/dev/null
}

@test "an image whose configuration is lost can be removed" {
	for command in 'rmi -f lost-image' 'image prune -a -f'; do
		make_image lost-image 'LABEL a=b'
		id=$(fl image inspect --format '{{.Id}}' lost-image)
		find "$ENGINE/root/blobs" -name "*$id*" -delete
		# shellcheck disable=SC2086 # words
		fl $command >out 2>&1 || fail "$(cat out)" || return 1
		contains "$(cat out)" "$id"
		fl images -a >/dev/null
		try image exists lost-image
		is 1 "$status"
	done
}

@test "inspect names what an image has lost" {
	make_image lost-image 'LABEL a=b'
	id=$(fl image inspect --format '{{.Id}}' lost-image)
	find "$ENGINE/root/blobs" -name "*$id*" -delete
	for command in inspect 'image inspect'; do
		# shellcheck disable=SC2086 # words
		try $command lost-image
		is 125 "$status"
		contains "$output" "sha256:$id': it is missing"
		[[ $output != *"no such object"* ]]
	done
	fl rmi -f lost-image >/dev/null
	try inspect lost-image
	contains "$output" 'no such object: "lost-image"'
}

@test "create --attach takes the names of streams" {
	fl create --name "$C" --attach stdin -a stdout,stderr --rootfs "$ROOTFS" true >/dev/null
	try create --attach nonsense --rootfs "$ROOTFS" true
	refused 'invalid stream "nonsense" for --attach'
}

@test "--retry-delay: so long between tries of a pull that fails on its way" {
	try pull --quiet --retry 2 --retry-delay 10ms 127.0.0.1:1/x
	is 125 "$status"
	is "1 of 2,2 of 2" "$(grep -o '[12] of 2' <<<"$output" | paste -sd ,)"
	try pull --quiet --retry-delay 10ms 127.0.0.1:1/x
	is "1 of 3,2 of 3,3 of 3" "$(grep -o '[1-3] of 3' <<<"$output" | paste -sd ,)"
	try pull --quiet --retry 0 --retry-delay 10ms 127.0.0.1:1/x
	is 0 "$(grep -c 'trying again' <<<"$output")"
	printf '[engine]\nretry = 1\nretry_delay = "20ms"\n' >conf
	CONTAINERS_CONF=$T/conf try run 127.0.0.1:1/x
	contains "$output" "trying again in 0.02 s (1 of 1)"
	for command in pull "push --retry 1" run create; do
		# shellcheck disable=SC2086 # words
		try $command --retry-delay nonsense 127.0.0.1:1/x
		refused nonsense
	done
	printf '[engine]\nretry_delay = "soon"\n' >conf
	CONTAINERS_CONF=$T/conf try pull 127.0.0.1:1/x
	refused "retry_delay 'soon'"
}

@test "options that contradict each other, and values that mean nothing" {
	local words
	make_image "peer$C" "CMD true"
	start_idle "$C"
	while IFS='|' read -r line words; do
		# shellcheck disable=SC2086 # words
		try create --name "$C-2" $line "localhost/peer$C" true
		refused "$words"
	done <<-LIST
		--network none --dns 127.0.0.53|conflicting options: dns and the network mode: none
		--network none --dns-option debug|conflicting options: dns and the network mode: none
		--network container:$C --dns-search a.example|conflicting options: dns and the network mode: container
		--network container:$C --add-host a:127.0.0.1|cannot set extra host entries when the container is joined to another
		--network host --dns nonsense|nonsense is not an ip address
		--network host --dns none --dns 127.0.0.1|none is not allowed to be specified with other DNS ip addresses
		--network host --ip 127.0.0.2|--ip can only be set when the network mode is bridge: invalid argument
		--network none --mac-address 92:d0:c6:0a:29:34|--mac-address can only be set when the network mode is bridge
		--network host --network-alias a|--network-alias can only be set when the network mode is bridge
		--network host --sysctl net.core.somaxconn=9|sysctl net.core.somaxconn=9 can't be set since Network Namespace set to host
		--sysctl kernel.msgmax|kernel.msgmax is invalid, sysctl values must be in the form of KEY=VALUE
		--memory-swap 40m|you should always set a memory limit when using a memoryswap limit
		--memory 40m --memory-swap 30m|minimum memoryswap limit should be larger than memory limit
		--memory 40m --memory-reservation 50m|minimum memory limit cannot be less than memory reservation limit
		--env =x|invalid variable: "=x"
		-v $T:/mnt:ro,rw|invalid options "ro,rw", can only specify 1 'rw' or 'ro' option
		-v $T:/mnt:dev,nodev|can only specify 1 'nodev' or 'dev' option
		-v $T:/mnt:bind,rbind|can only specify 1 '[r]bind' option
		-v $T:/mnt:z,O|can only specify 1 'z', 'Z', or 'O' option
		-v $T:/mnt:U,ro,U|invalid options "U,ro,U", can only specify 1 'U' option
		-v $T:/mnt:shared,runbindable|can only specify 1 '[r]shared', '[r]private', '[r]slave' or '[r]unbindable' option
		-v $T:/mnt:nonsense|invalid option type "nonsense"
		--mount type=bind,src=$T,target=/mnt,relabel=x|relabel mount option must be 'private' or 'shared'
		--secret s,type=env,mode=0400|UID, GID, Mode options cannot be set with secret type env
	LIST
	printf 'A=1\n=x\n' >variables
	try create --env-file variables "localhost/peer$C"
	refused 'parsing file "variables": invalid variable: "=x"'
	try start --sig-proxy "$C"
	refused "you cannot use sig-proxy without --attach"
	try ps --quiet --size
	refused "quiet conflicts with size and namespace"
	try ps --last 1 --latest
	refused "last and latest are mutually exclusive"
	is "false" "$(fl ps --format '{{.IsInfra}}')"
	try port --all "$C"
	refused "no arguments are needed with --all"
	try container cleanup --exec x --rmi "$C"
	refused "--exec and --rmi cannot be set together"
	for words in "export -o" "save -o"; do
		# shellcheck disable=SC2086 # words
		try $words a:b "$C"
		refused "invalid filename (should not contain ':') \"a:b\""
	done
	# What means nothing is nothing.
	is ok "$(fl run --rm --env "" --entrypoint '[""]' --dns none --network host "localhost/peer$C" echo ok)"
	# Each that stop was told of, also where there was nothing to stop.
	fl create --name "$C-3" --rootfs "$ROOTFS" true >/dev/null
	is 2 "$(fl stop --all --time 0 | wc -l)"
}

@test "exit codes of exec: 255 for a session that cannot be, 125 for a detached one" {
	start_idle "$C"
	fl create --name "$C-new" --rootfs "$ROOTFS" true >/dev/null
	says 255 "can only create exec sessions on running containers" exec "$C-new" true
	says 255 "unable to find user nobody-here" exec --user nobody-here "$C" true
	says 255 "unable to find group nobody-here" exec --user root:nobody-here "$C" true
	says 255 "ot a directory" exec --workdir /bin/busybox "$C" true
	says 255 "detach keys 'bogus'" exec --detach-keys bogus "$C" true
	says 127 "invoke a command that was not found" exec --workdir /nowhere "$C" true
	says 125 "no such container" exec "$C-none" true
	says 125 "can only create exec sessions" exec --detach "$C-new" true
	says 125 "unable to find user" exec --detach --user nobody-here "$C" true
	fl pause "$C" >/dev/null
	says 255 "can only create exec sessions" exec "$C" true
	fl unpause "$C" >/dev/null
}

@test "start --attach of a command that is not there is exit code 125" {
	fl create --name "$C" --rootfs "$ROOTFS" /nothing >/dev/null
	says 125 "invoke a command that was not found" start --attach "$C"
	says 125 "invoke a command that was not found" start "$C"
}

@test "what cannot be given to a container is told when it is made" {
	local cpus
	cpus=$(cat /sys/devices/system/cpu/online)
	says 125 "requested CPUs are not available - requested 90000, available: $cpus" \
		create --cpuset-cpus 90000 --rootfs "$ROOTFS" true
	says 125 "requested CPUs are not available" run --cpuset-cpus 0-90000 --rootfs "$ROOTFS" true
	says 125 "invalid value 1-0 for cpuset cpus" create --cpuset-cpus 1-0 --rootfs "$ROOTFS" true
	says 125 "requested memory nodes are not available" create --cpuset-mems 9000 --rootfs "$ROOTFS" true
	says 125 "invalid value x for cpuset mems" create --cpuset-mems x --rootfs "$ROOTFS" true
	says 125 "sysctl 'kernel.panic' is not allowed" run --sysctl kernel.panic=1 --rootfs "$ROOTFS" true
	says 125 "statfs $T/none: no such file or directory" create -v "$T/none:/mnt" --rootfs "$ROOTFS" true
	is "" "$(fl ps -aq)"
}

@test "keys to detach and a personality that there are not: the container was there, and 126" {
	local arguments
	for arguments in "--detach-keys foo" "--detach-keys ctrl-1" "--personality foo"; do
		# shellcheck disable=SC2086 # an option and its value
		try run --rm $arguments --network none --rootfs "$ROOTFS" true
		is 126 "$status"
		contains "$output" "${arguments##* }"
	done
	is "" "$(fl ps -aq)"
}

# What `podman __complete COMMAND --format '{{.'` offers.
@test "templates: every field of podman's rows, and json prints podman's document" {
	local field go='20[0-9]{2}-[0-9-]+ [0-9:]+(\.[0-9]+)? \+0000 UTC'
	fl run --name "$C" --label a=b --network none --rootfs "$ROOTFS" sh -c 'exit 3' || :
	for field in CGROUPNS Cgroup Command CreatedAt CreatedHuman ID IPC ImageID MNT NET Names Networks PIDNS Pod Ports Restarts \
		RunningFor Size Status USERNS UTS User ListContainer.Command AutoRemove Created.Unix CIDFile Exited ExitedAt ExitCode Image \
		IsInfra Mounts Namespaces.NET Pid PodName StartedAt State; do
		fl ps -a --format "{{.$field}}" >/dev/null
	done
	[[ $(fl ps -a --format '{{.Created}}') =~ ^$go$ ]]
	is 'sh -c exit 3 [sh -c exit 3] b map[a:b]' "$(fl ps -a --format '{{.Command}} {{.ListContainer.Command}} {{.Label "a"}} {{.Labels}}')"
	is '["sh","-c","exit 3"] 3 true' "$(fl ps -a --format '{{json .}}' | jq -rc '"\(.Command) \(.ExitCode) \(has("Created"))"')"
	is '-62135596800' "$(fl create --network none --rootfs "$ROOTFS" true >/dev/null && fl ps -a --filter status=created --format '{{.StartedAt}}')"
	[[ $(fl inspect --format '{{.State.StartedAt}}' "$C") =~ ^$go$ ]]
	is "$(fl inspect "$C" | jq -r '.[0].Created')" "$(fl inspect --format '{{json .Created}}' "$C" | jq -r .)"
	is "$(date -u -d "$(fl inspect "$C" | jq -r '.[0].Created')" +'%Y-%m-%d %s')" \
		"$(fl inspect --format '{{.Created.Format "2006-01-02"}} {{.Created.Unix}}' "$C")"
	is "none 5 0" "$(fl inspect --format '{{.Config.HealthcheckOnFailureAction}} {{.Config.HealthMaxLogCount}} {{.SizeRootFs}}' "$C")"
	fl volume create "$C-v" >/dev/null
	is "0 []" "$(fl volume inspect --format '{{.Timeout}} [{{.StorageID}}]' "$C-v")"
	is false "$(fl volume ls --format '{{json .}}' | jq 'has("StorageID")')"
	# The name may be the beginning of others' ids.
	is "[] []" "$(fl events --stream=false --since 1h --filter event=create --filter "container=$C" --format '[{{.Error}}] [{{.PodID}}]' | tail -n 1)"
	is "$(fl version --format '{{.Client.Version}}')" "$(fl version --format '{{.Version}}')"
}

@test "templates: stats has podman's figures as numbers" {
	local field
	fl run -d --name "$C" --network none --rootfs "$ROOTFS" sleep 1000 >/dev/null
	for field in AVGCPU BlockIO CPUPerc ID MemPerc MemUsageBytes NetIO PIDS Up UpTime AvgCPU ContainerID Name PerCPU CPU CPUNano CPUSystemNano \
		SystemNano MemLimit BlockInput BlockOutput PIDs Duration ContainerStats.MemUsage; do
		fl stats --no-stream --format "{{.$field}}" "$C" >/dev/null
	done
	[ "$(fl stats --no-stream --format '{{.ContainerStats.MemUsage}}' "$C")" -gt 0 ]
	[[ $(fl stats --no-stream --format '{{.MemUsageBytes}}' "$C") == *iB\ /\ *iB ]]
	is "$(fl inspect --format '{{.Id}}' "$C")" "$(fl stats --no-stream --format '{{json .}}' "$C" | jq -r .ContainerID)"
}

@test "create does without a command, start does not" {
	fl create --name "$C" --rootfs "$ROOTFS" >/dev/null
	is "created [] " "$(inspect "$C" '{{.State.Status}} {{.Args}} {{.Path}}')"
	is "" "$(fl ps -a --format '{{.Command}}')"
	says 125 "no command or entrypoint is given" start "$C"
	fl cp "$C:/etc/group" "$T/group"
	[ -s "$T/group" ]
}

@test "names and --latest exclude each other, and one of them there has to be" {
	fl create --name "" --rootfs "$ROOTFS" true >/dev/null
	says 125 "--latest and containers cannot be used together" update --memory 64m --latest "$C"
	says 125 "update needs the name or id of a container, or --latest" update --memory 64m
	says 125 "--latest and containers cannot be used together" attach --latest "$C"
	says 125 "--all, --latest and containers cannot be used together" stats --no-stream --all --latest
	says 125 "--all, --latest and containers cannot be used together" stats --no-stream --all "$C"
}

@test "run --detach --attach is detached" {
	is 64 "$(fl run --detach --attach stdout --name "$C" --rootfs "$ROOTFS" true | tr -d '\n' | wc -c)"
	fl wait "$C" >/dev/null
}

@test "--privileged with --cap-drop drops" {
	is "CapEff: 0000000000000000" "$(fl run --rm --privileged --cap-drop all --rootfs "$ROOTFS" \
		grep CapEff /proc/self/status | tr '\t' ' ')"
}

@test "run and create take an image from an archive" {
	make_image carried
	fl save -q -o "$T/carried.tar" localhost/carried
	fl rmi localhost/carried >/dev/null
	is out "$(fl run --rm --network none "docker-archive:$T/carried.tar" echo out 2>/dev/null)"
	fl create --name "$C" --network none "docker-archive:$T/carried.tar" true >/dev/null
	is localhost/carried:latest "$(inspect "$C" '{{.ImageName}}')"
	says 125 "nothing.tar" run --rm --network none "docker-archive:$T/nothing.tar" true
}

@test "image mount --all names images as it lists them" {
	make_image named
	path=$(fl image mount localhost/named)
	is "localhost/named:latest  $path" "$(fl image mount)"
	contains "$(fl image mount --all)" "localhost/named:latest  $path"
	fl image unmount --all --force >/dev/null
}

@test "what has ended and is not cleaned up yet has exited, to filters too" {
	command -v sqlite3 >/dev/null || skip "no sqlite3"
	fl run --name "$C" --network none --rootfs "$ROOTFS" true
	sqlite3 -cmd ".timeout 20000" "$ENGINE/root/floe.db" "UPDATE containers SET status = json_set(status, '$.phase', 'stopped')"
	is "$C" "$(fl ps --filter exited=0 --format '{{.Names}}')"
	is "$C" "$(fl ps --filter status=exited --format '{{.Names}}')"
	is "" "$(fl ps --filter exited=1 --format '{{.Names}}')"
}

@test "privileged with systemd: none of the machine's virtual consoles" {
	compgen -G "/dev/tty[0-9]*" >/dev/null || skip "this machine has no virtual consoles"
	fl run --rm --network none --privileged --rootfs "$ROOTFS" true || skip "this runtime makes nothing privileged here"
	contains "$(fl run --rm --network none --privileged --rootfs "$ROOTFS" sh -c 'echo /dev/tty*')" /dev/tty1
	run fl run --rm --network none --privileged --systemd always --rootfs "$ROOTFS" sh -c 'echo /dev/tty /dev/tty[0-9]*'
	is "/dev/tty /dev/tty[0-9]*" "$output"
}

@test "a runtime given by its path is shown by it; the same tmpfs twice is one" {
	runtime=$(command -v "$ENGINE_RUNTIME")
	fl --runtime "$runtime" create --name "$C" --network none --tmpfs /vol --tmpfs /vol --rootfs "$ROOTFS" grep -c /vol /proc/mounts >/dev/null
	is "$runtime" "$(inspect "$C" '{{.OCIRuntime}}')"
	is 1 "$(fl start -a "$C")"
	says 125 "/vol: duplicate mount destination" create --network none --tmpfs /vol --tmpfs /vol:ro --rootfs "$ROOTFS" true
}

@test "prune asks, for containers and volumes too" {
	fl volume create "$C-v" >/dev/null
	fl create --name "$C" --network none --rootfs "$ROOTFS" true >/dev/null
	for what in container volume; do
		run fl $what prune <<<N
		contains "$output" "WARNING! This will remove all" "Are you sure you want to continue? [y/N] "
		run fl $what prune </dev/null
		[ "$status" -eq 125 ]
		contains "$output" "nothing is removed; use --force"
	done
	contains "$(fl volume prune --filter label=none <<<y)" "No dangling volumes found"
	fl container exists "$C"
	contains "$(fl volume prune <<<y)" "$C-v"
	contains "$(fl container prune <<<y)" WARNING
	is "" "$(fl ps -aq)$(fl volume ls -q)"
}

@test "images remember the names that they had" {
	make_image first
	fl tag localhost/first localhost/second
	fl untag localhost/first localhost/first
	is "localhost/second:latest, localhost/first:latest" "$(fl images localhost/second --format '{{.History}}')"
	is "localhost/second:latest" "$(fl image inspect --format '{{join .RepoTags " "}}' localhost/second)"
	is "localhost/second:latest localhost/first:latest" "$(fl image inspect --format '{{join .NamesHistory " "}}' localhost/second)"
	is "" "$(fl images --noheading --filter manifest=true)"
	contains "$(fl images --noheading --filter manifest=false)" localhost/second
	fl rmi localhost/second >/dev/null
}

@test "rm prints what went with it, too" {
	fl create --name "$C" --network none --rootfs "$ROOTFS" true >/dev/null
	below=$(fl create --name "$C-b" --network none --ipc "container:$C" --rootfs "$ROOTFS" true)
	lowest=$(fl create --name "$C-c" --network none --ipc "container:$C-b" --rootfs "$ROOTFS" true)
	is "$lowest"$'\n'"$below"$'\n'"$C" "$(fl rm --depend "$C")"
}

@test "run -it without a terminal says so, and runs" {
	run fl run --rm -it --network none --rootfs "$ROOTFS" echo out </dev/null
	[ "$status" -eq 0 ]
	contains "$output" "The input device is not a TTY" out
	run fl run --rm -i --network none --rootfs "$ROOTFS" echo out </dev/null
	is out "$output"
}

@test "stop ends what has just been started as it wants to be ended" {
	# Without a handler the first process does not get the signal at all.
	fl run -d --name "$C" --network none --rootfs "$ROOTFS" \
		sh -c 'until [ -e /data/go ]; do sleep 0.1; done; trap "exit 7" TERM; while :; do sleep 0.1; done' >/dev/null
	fl stop -t 100 "$C" >/dev/null &
	local stopper=$!
	eventually state_is "$C" stopping
	touch "$ROOTFS/data/go"
	wait "$stopper"
	rm "$ROOTFS/data/go"
	is 7 "$(inspect "$C" '{{.State.ExitCode}}')"
}
