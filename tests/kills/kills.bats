#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# Kills at any moment of a checkpoint, restore, export and import, of any program that has a part in it; tests/fault has those
# where stages meet. Whatever was killed: the container runs, or has a checkpoint that it goes on from, an archive that has its
# name is whole, and nothing is left when the container is removed.
#
# For the hand, in no suite, since where a kill strikes depends on the machine: tools/run-tests tests/kills/kills.bats, with
# KILL_ROUNDS for how many rounds of each kind, and KILL_SEED, which is printed with a failure, for the same series again.

load ../lib/engine_cr

setup_file()
{
	engine_cr_setup_file
	engine_setup
	tar -C "$ROOTFS" -c . | fl import - bb:1 >/dev/null
}

setup()
{
	engine_cr_setup
	needs_second_checkpoint
	ROUNDS=${KILL_ROUNDS:-10}
	SEED=${KILL_SEED:-$RANDOM}
	echo "KILL_SEED=$SEED"
	RANDOM=$SEED
}

# A container that counts, in its log and where a checkpoint copies files, with a checkpoint that was made before.
ticking()
{
	# shellcheck disable=SC2016,SC2046 # for the shell of the container; words
	fl run -d --name "$C" $(cr_options) -v "$C-vol:/vol" bb:1 sh -c '
		echo root >/data/f; echo shm >/dev/shm/f; echo vol >/vol/f
		i=0; while :; do i=$((i + 1)); echo $i >/data/i; sleep 0.05; done' </dev/null >/dev/null
	eventually goes_on
}

count()
{
	fl exec "$C" cat /data/i 2>/dev/null
}

goes_on()
{
	local before
	before=$(count)
	more() { local now; now=$(count); [ "${now:-0}" -gt "$before" ]; }
	[ "$before" ] && eventually more && [ "$(fl exec "$C" sh -c 'echo $(cat /data/f /dev/shm/f /vol/f)')" = "root shm vol" ]
}

# victims KIND: processes of the operation, which all are of this test: the sandbox has a PID namespace of its own.
victims()
{
	local dir exe
	for dir in /proc/[0-9]*; do
		exe=$(readlink "$dir/exe" 2>/dev/null) || continue
		case $1:${exe##*/} in
		criu:criu* | criu:ld-linux* | runtime:floe-runtime* | runtime:crun* | engine:floe | conmon:conmon) echo "${dir#/proc/}" ;;
		esac
	done
}

# milliseconds COMMAND...: how long it takes.
milliseconds()
{
	local begin=${EPOCHREALTIME/./}
	"$@" >/dev/null
	echo $(((${EPOCHREALTIME/./} - begin) / 1000))
}

# killed MS COMMAND...: the command, and one of the programs that have a part in it killed within that time.
killed()
{
	local kinds=(engine runtime criu conmon) pid at=$((RANDOM % ($1 + 1))) victim=()
	KIND=${kinds[RANDOM % 4]}
	"$FLOE" --root "$ENGINE/root" --runroot "$ENGINE/run" "${CGROUPS[@]}" --runtime "$ENGINE_RUNTIME" "${@:2}" \
		</dev/null >said 2>&1 3>&- 4>&- &
	pid=$!
	sleep "$(printf '%d.%03d' $((at / 1000)) $((at % 1000)))"
	mapfile -t victim < <(victims "$KIND")
	[ ${#victim[@]} -gt 0 ] || victim=("$pid") KIND=engine
	echo "round $round: ${*:2}: kill $KIND ${victim[*]} after $at of $1 ms"
	kill -KILL "${victim[RANDOM % ${#victim[@]}]}" 2>/dev/null || :
	wait $pid || :
	cat said
}

status_of()
{
	inspect "$C" '{{.State.Status}} {{.State.Checkpointed}}'
}

# Whoever cleans up after a program that was killed has done so.
is_settled()
{
	local status pid
	status=$(status_of) || return 1
	case $status in
	"running "* | "paused "*)
		pid=$(inspect "$C" '{{.State.Pid}}')
		[ "$pid" -gt 0 ] && [[ $(proc_status "$pid" State) != [ZX]* ]] ;;
	"exited true" | "exited false") ;;
	*) return 1 ;;
	esac
}

# A runtime ends what it has begun, also when the engine was killed.
nobody_is_at_work()
{
	[ -z "$(victims runtime)$(victims criu)$(victims engine)" ]
}

# It runs, or goes on from a checkpoint: from its last one where what was killed has taken the processes along.
settle()
{
	eventually nobody_is_at_work
	eventually is_settled || fail "state: $(status_of)"
	echo "is $(status_of)"
	case $(status_of) in
	paused*) fl unpause "$C" >/dev/null ;;
	exited*) fl restore "$C" >/dev/null ;;
	esac
	eventually goes_on
}

nothing_half_made()
{
	run find "$ENGINE/root/containers/$(inspect "$C" '{{.ID}}')/userdata" -maxdepth 1 \( -name '*.new' -o -name snapshot \)
	is "" "$output"
}

@test "kills during a checkpoint" {
	local round ms
	ticking
	ms=$(milliseconds fl checkpoint "$C")
	fl restore --keep "$C" >/dev/null
	for ((round = 1; round <= ROUNDS; round++)); do
		killed "$ms" checkpoint "$C"
		settle
		# There is always one to go on from.
		fl checkpoint -R "$C" >/dev/null
		nothing_half_made
		fl system check >check.out 2>&1 || { cat check.out; return 1; }
	done
	fl rm -f -t 0 "$C" >/dev/null && fl volume rm "$C-vol" >/dev/null
}

@test "kills during a restore" {
	local round ms
	ticking
	fl checkpoint "$C" >/dev/null
	ms=$(milliseconds fl restore --keep "$C")
	for ((round = 1; round <= ROUNDS; round++)); do
		fl checkpoint "$C" >/dev/null
		killed "$ms" restore --keep "$C"
		settle
		fl system check >check.out 2>&1 || { cat check.out; return 1; }
	done
	fl rm -f -t 0 "$C" >/dev/null && fl volume rm "$C-vol" >/dev/null
}

@test "kills during an export" {
	local round ms way
	ticking
	ms=$(milliseconds fl checkpoint --export c.tar "$C")
	fl restore --keep "$C" >/dev/null
	for ((round = 1; round <= ROUNDS; round++)); do
		rm -f c.tar
		way=()
		((RANDOM % 2)) || way=(-R)
		killed "$ms" checkpoint "${way[@]}" --export c.tar "$C"
		[ ! -e c.tar ] || fl checkpoint inspect c.tar >/dev/null
		settle
		fl checkpoint -R "$C" >/dev/null
		nothing_half_made
		fl system check >check.out 2>&1 || { cat check.out; return 1; }
	done
	fl rm -f -t 0 "$C" >/dev/null && fl volume rm "$C-vol" >/dev/null
}

@test "kills during an import" {
	local round ms
	ticking
	fl checkpoint --export c.tar "$C" >/dev/null
	fl rm "$C" >/dev/null
	fl volume rm "$C-vol" >/dev/null
	ms=$(milliseconds fl restore --import c.tar)
	fl rm -f -t 0 "$C" >/dev/null
	fl volume rm "$C-vol" >/dev/null
	for ((round = 1; round <= ROUNDS; round++)); do
		killed "$ms" restore --import c.tar
		# Of an import that was cut short it finds a mount, perhaps.
		fl system check >check.out 2>&1 || fl system check --repair >>check.out 2>&1 || { cat check.out; return 1; }
		if state_is "$C" running; then
			eventually goes_on
			fl rm -f -t 0 "$C" >/dev/null
			fl volume rm "$C-vol" >/dev/null
		elif ((RANDOM % 2)); then
			fl restore --import c.tar >/dev/null
			eventually goes_on
			fl rm -f -t 0 "$C" >/dev/null
			fl volume rm "$C-vol" >/dev/null
		elif fl container exists "$C"; then
			fl rm -f -t 0 "$C" >/dev/null
			fl volume prune -f >/dev/null
		fi
		is "" "$(fl ps -aq)$(fl volume ls -q)"
	done
}
