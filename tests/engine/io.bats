#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# exec, attach, logs: what goes in and comes out.

load ../lib/engine

@test "exec hands on streams and exit code" {
	start_idle "$C"
	try exec "$C" sh -c 'echo out; exit 5'
	is 5 "$status"
	is out "$output"
	is "typed" "$(echo typed | fl exec -i "$C" cat)"
	fl exec "$C" sh -c 'echo out; echo err >&2' >o 2>e
	is out "$(cat o)"
	is err "$(cat e)"
}

@test "exec of a missing command is 127, of a directory 126" {
	start_idle "$C"
	try exec "$C" /no/such
	is 127 "$status"
	try exec "$C" /etc
	is 126 "$status"
	try exec "$C"
	refused "non-empty command"
}

@test "exec --user, --workdir and --env" {
	start_idle "$C" --env A=1 --env B=1
	is "5:7 /tmp 1 2 x" "$(fl exec -u 5:7 -w /tmp -e B=2 -e X=x "$C" sh -c 'echo $(id -u):$(id -g) $PWD $A $B $X')"
	for variable in =x ""; do
		try exec -e "$variable" "$C" true
		refused "invalid variable: \"$variable\""
	done
}

@test "exec --detach prints the session, which inspect shows until it ends" {
	start_idle "$C"
	session=$(fl exec -d "$C" sh -c 'while [ ! -e /data/go ]; do sleep 0.1; done; touch /data/done')
	is "[$session]" "$(inspect "$C" '{{.ExecIDs}}')"
	none() { [ "$(inspect "$C" '{{.ExecIDs}}')" = "[]" ]; }
	touch "$ROOTFS/data/go"
	eventually none
	rm "$ROOTFS/data/done" "$ROOTFS/data/go"
	# Its events are those of one that somebody waits for.
	fl exec -d "$C" sh -c 'exit 7' >/dev/null
	eventually none
	is "exec -,exec_died 0,exec -,exec_died 7," \
		"$(fl events --stream=false --filter "container=$(inspect "$C" '{{.Id}}')" --format json |
			jq -r 'select(.Status | startswith("exec")) | "\(.Status) \(.ContainerExitCode // "-")"' | tr '\n' ,)"
}

@test "exec needs a running container" {
	fl create --name "$C" --rootfs "$ROOTFS" true >/dev/null
	try exec "$C" true
	is 255 "$status"
	contains "$output" "can only create exec sessions on running containers"
}

@test "logs have both streams, --tail, --timestamps and --since" {
	fl run --name "$C" --rootfs "$ROOTFS" sh -c 'for i in 1 2 3 4 5; do echo line $i; done; echo err >&2' >/dev/null 2>&1
	is "line 1 line 2 line 3 line 4 line 5" "$(fl logs "$C" 2>/dev/null | xargs)"
	is err "$(fl logs "$C" 2>&1 >/dev/null)"
	is 2 "$(fl logs --tail 2 "$C" 2>&1 | wc -l)"
	is "" "$(fl logs --tail 0 "$C" 2>&1)"
	[[ $(fl logs --timestamps --tail 2 "$C" 2>&1 | head -n 1) =~ ^20[0-9-]+T[0-9:]+\.[0-9]{9} ]] ||
		[[ $(fl logs --timestamps --tail 2 "$C" 2>&1 | head -n 1) =~ ^20[0-9-]+T[0-9:]+\.[0-9]{9}[+-] ]]
	is "" "$(fl logs --until -1h "$C" 2>&1)"
	is 6 "$(fl logs --since 1h "$C" 2>&1 | wc -l)"
	is 6 "$(fl logs --since "" --until 1h "$C" 2>&1 | wc -l)"
	is "line 1" "$(fl logs --names "$C" 2>/dev/null | head -n 1)"
	[[ $(TZ=UTC0 fl logs --timestamps --tail 1 "$C" 2>&1) != *+00:00* ]]
}

@test "logs --tail counts what was written as one line once" {
	fl run --name "$C" --rootfs "$ROOTFS" sh -c 'echo first; head -c 100000 /dev/zero | tr "\0" x; echo; echo last' >/dev/null
	is last "$(fl logs --tail 1 "$C")"
	is 100006 "$(fl logs --tail 2 "$C" | wc -c)"
	is 100012 "$(fl logs --tail 3 "$C" | wc -c)"
	is 3 "$(fl logs --tail 4 "$C" | wc -l)"
}

@test "logs --follow shows what several containers say, when they say it" {
	for i in 1 2; do
		fl run -d --name "$C-$i" --rootfs "$ROOTFS" \
			sh -c "printf part; echo ' of $i'; until [ -e /data/$C-$i ]; do sleep 0.05; done; echo end" >/dev/null
	done
	fl logs --follow --names "$C-1" "$C-2" >o &
	eventually grep -qx "$C-1 part of 1" o
	eventually grep -qx "$C-2 part of 2" o
	touch "$ROOTFS/data/$C-2"
	eventually grep -qx "$C-2 end" o
	touch "$ROOTFS/data/$C-1"
	wait $!
	is 4 "$(wc -l <o)"
	is "$C-1 end" "$(tail -n 1 o)"
	rm "$ROOTFS/data/$C"-[12]
}

@test "logs --follow --until ends then" {
	start_idle "$C"
	is "" "$(fl logs --follow --until 200ms "$C")"
	is running "$(inspect "$C" '{{.State.Status}}')"
}

@test "logs --follow ends with the container" {
	fl run -d --name "$C" --rootfs "$ROOTFS" sh -c 'echo one; sleep 0.5; echo two' >/dev/null
	is "one two" "$(fl logs --follow "$C" | xargs)"
}

@test "the logs of several containers have their ids in front" {
	for i in 1 2; do
		fl run --name "$C-$i" --rootfs "$ROOTFS" echo "from $i" >/dev/null
	done
	fl logs "$C-1" "$C-2" >o
	grep -q "^$(inspect "$C-2" '{{.Id}}' | cut -c -12) from 2$" o
}

@test "logs --color has a colour for each container" {
	for i in 1 2; do
		fl run --name "$C-$i" --rootfs "$ROOTFS" echo "from $i" >/dev/null
	done
	fl logs --color --names "$C-1" "$C-2" >o
	grep -qxF $'\e[37m'"$C-1"$' from 1\e[0m' o
	grep -qxF $'\e[31m'"$C-2"$' from 2\e[0m' o
	is $'\e[37mfrom 1\e[0m' "$(fl logs --color "$C-1")"
}

@test "--log-driver passthrough" {
	is hello "$(fl run --rm --log-driver passthrough --rootfs "$ROOTFS" echo hello)"
	is passthrough "$(fl run --name "$C" --log-driver passthrough --rootfs "$ROOTFS" true; inspect "$C" '{{.HostConfig.LogConfig.Type}}')"
	try logs "$C"
	is 125 "$status"
	contains "$output" passthrough
}

@test "--log-driver none keeps nothing and says so" {
	is hello "$(fl run --name "$C" --log-driver none --rootfs "$ROOTFS" echo hello)"
	try logs "$C"
	refused "'none' log driver"
	try run --log-driver nosuch --rootfs "$ROOTFS" true
	refused "nosuch"
}

@test "--log-opt path and max-size" {
	fl run --name "$C" --log-opt path="$T/log" --log-opt max-size=10k --rootfs "$ROOTFS" \
		sh -c 'i=0; while [ $i -lt 1000 ]; do echo "line $i of a log that gets too long"; i=$((i+1)); done' >/dev/null
	[ "$(stat -c %s log)" -le 20480 ]
	contains "$(fl logs "$C")" "line 999"
}

@test "attach shows what comes, and ends with the container's exit code" {
	fl run -d -i --name "$C" --rootfs "$ROOTFS" sh -c 'read line; echo "got $line"; exit 4' >/dev/null
	code=0
	out=$(echo input | fl attach "$C") || code=$?
	is 4 "$code"
	is "got input" "$out"
	try attach "$C"
	refused "only attach to running containers"
}

@test "start --attach shows the output" {
	fl create --name "$C" --rootfs "$ROOTFS" sh -c 'echo hello; exit 6' >/dev/null
	try start --attach "$C"
	is 6 "$status"
	is hello "$output"
}

@test "run passes signals on" {
	"$FLOE" --root "$ENGINE/root" --runroot "$ENGINE/run" "${CGROUPS[@]}" --runtime "$ENGINE_RUNTIME" run --network none \
		--cgroup-parent "$CGROUP_PARENT" --name "$C" --rootfs "$ROOTFS" \
		sh -c 'trap "echo got; exit 8" USR1; echo ready; while :; do sleep 0.1; done' >o 3>&- 4>&- &
	pid=$!
	eventually file_contains o ready
	kill -USR1 $pid
	ends_with 8 "$pid"
	contains "$(cat o)" got
}

@test "a large output comes whole" {
	fl run --rm --rootfs "$ROOTFS" sh -c 'dd if=/dev/zero bs=1M count=20 2>/dev/null' | wc -c >n
	is 20971520 "$(xargs <n)"
}

@test "a terminal: size, no second stream, detach keys" {
	[ -x "$FLOE_BUILD/tests/lib/console" ] || command -v script >/dev/null || skip "no script(1)"
	out=$(script -qec "stty rows 33 cols 77; '$FLOE' --root '$ENGINE/root' --runroot '$ENGINE/run' ${CGROUPS[*]} --runtime '$ENGINE_RUNTIME' run --network none --cgroup-parent $CGROUP_PARENT --rm -it --rootfs '$ROOTFS' sh -c 'i=0; while [ \$i -lt 100 ] && [ \"\$(stty size)\" != \"33 77\" ]; do sleep 0.1; i=\$((i + 1)); done; stty size; tty'" /dev/null </dev/null 3>&- 4>&-)
	contains "$out" "33 77" "/dev/pts/0"
}

# attach_and_type NUMBER: attach on a terminal, have a command run, and detach.
attach_and_type()
{
	mkfifo "in-$1"
	script -qec "'$FLOE' --root '$ENGINE/root' --runroot '$ENGINE/run' attach '$C'" /dev/null <"in-$1" >"out-$1" 2>&1 3>&- 4>&- &
	exec 9>"in-$1"
	printf 'echo answer-$((%d * 111))\n' "$1" >&9
	eventually grep -q "answer-$(($1 * 111))" "out-$1"
	printf '\020\021' >&9
	wait $!
	exec 9>&-
}

@test "a terminal takes input again from who attaches after a detach" {
	command -v script >/dev/null || skip "no script(1)"
	fl run -dit --name "$C" --rootfs "$ROOTFS" sh >/dev/null
	for i in 1 2 3; do
		attach_and_type $i
	done
	is running "$(inspect "$C" '{{.State.Status}}')"
}

@test "run, exec and attach end when nobody reads their output any more, or it cannot be written" {
	run -0 timeout 60 bash -c '"$@" | head -n 1; echo "${PIPESTATUS[0]}"' - "$FLOE" --root "$ENGINE/root" --runroot "$ENGINE/run" \
		"${CGROUPS[@]}" --runtime "$ENGINE_RUNTIME" run --name "$C" --network none --cgroup-parent "$CGROUP_PARENT" \
		--log-driver none --rootfs "$ROOTFS" sh -c 'while :; do echo y; sleep 0.02; done' 3>&- 4>&-
	is $'y\n141' "$output"
	is running "$(inspect "$C" '{{.State.Status}}')"
	global=("$FLOE" --root "$ENGINE/root" --runroot "$ENGINE/run")
	for command in attach exec; do
		arguments=("$C")
		[ $command = attach ] || arguments+=(sh -c 'for i in 1 2 3 4 5 6 7 8 9; do echo y; sleep 0.1; done')
		run -0 timeout 60 bash -c '"$@" | head -n 1; echo "${PIPESTATUS[0]}"' - "${global[@]}" $command "${arguments[@]}" 3>&- 4>&-
		is $'y\n141' "$output"
	done
	run -255 timeout 60 bash -c '"$@" >/dev/full' - "${global[@]}" exec "$C" echo lost 3>&- 4>&-
	contains "$output" "hand on the container's output: no space left on device"
}

@test "exec: no output is lost for input that nobody reads" {
	start_idle "$C"
	for i in {1..40}; do
		is "$i" "$(echo | fl exec --interactive "$C" echo $i)"
	done
}
