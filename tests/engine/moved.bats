#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What a container can have beside its processes, in place and through an archive: a user namespace, mounts of each kind, secrets,
# its runtime; and what its record says afterwards.

load ../lib/engine_cr

setup_file()
{
	engine_cr_setup_file
	let_others_reach "$BATS_FILE_TMPDIR"
	engine_setup
	tar -C "$ROOTFS" -c . | fl import - bb:1 >/dev/null
}

# A container of the image that counts. The last of the arguments is what its shell does before.
ticking()
{
	# shellcheck disable=SC2016,SC2046,SC2145 # for the shell of the container; words
	fl run -d --name "$C" $(cr_options) "${@:1:$#-1}" bb:1 \
		sh -c "${@: -1}"'; i=0; while :; do i=$((i + 1)); echo "tick $i"; sleep 0.05; done' </dev/null >/dev/null
	counts_on "$C"
}

# import ALLOW OPTION...
import()
{
	local allow=$1
	shift
	[[ $ENGINE_RUNTIME != *crun ]] || allow=${allow:+$allow,}annotations
	fl restore ${allow:+--allow "$allow"} --import c.tar "$@"
}

in_c()
{
	fl exec "${NAME:-$C}" sh -c "$1"
}

crun_cannot()
{
	[[ $ENGINE_RUNTIME != *crun ]] || skip "crun cannot $1"
}

# moves ALLOW COMMAND EXPECTED: the command says the same in the container, after a restore in place, after one from an archive, and
# started anew from the record alone.
moves()
{
	is "$3" "$(in_c "$2")"
	fl checkpoint -R --export c.tar "$C" >/dev/null
	fl checkpoint "$C" >/dev/null
	fl restore "$C" >/dev/null
	counts_on "$C"
	is "$3" "$(in_c "$2")"
	fl rm -f -t 0 "$C" >/dev/null
	fl volume prune -f >/dev/null
	import "$1" >/dev/null
	counts_on "$C"
	is "$3" "$(in_c "$2")"
	ticks_are_continuous "$C"
	fl restart -t 0 "$C" >/dev/null
	counts_on "$C"
	is "$3" "$(in_c "$2")"
	fl rm -f -t 0 "$C" >/dev/null
}

# CRIU's issue 2902.
restorable_ids()
{
	if is_cgroup_v2; then
		echo 65536
	else
		echo 2000
	fi
}

@test "a user namespace of its own" {
	crun_cannot "dump the devices that it binds into a container with a user namespace"
	local ids
	ids=$(restorable_ids)
	ticking --uidmap 0:100000:$ids --gidmap 0:200000:$ids 'echo x >/data/mine; chown 7:8 /data/mine'
	moves "" 'echo $(cat /proc/1/uid_map /proc/1/gid_map) $(stat -c %u:%g /data/mine)' "0 100000 $ids 0 200000 $ids 7:8"
}

@test "a user namespace without the id 65534, with the host's cgroup namespace or none that CRIU restores (version 2)" {
	crun_cannot "dump the devices that it binds into a container with a user namespace"
	is_cgroup_v2 || skip "this machine has cgroup version 1"
	ticking --uidmap 0:100000:2000 --gidmap 0:200000:2000 :
	# CRIU after 4.2 can; of others it is refused before it is frozen.
	try checkpoint "$C"
	if [ "$status" -ne 0 ]; then
		contains "$output" "user namespace without the id 65534" "map 65536 ids"
		is running "$(inspect "$C" '{{.State.Status}}')"
		fl checkpoint --leave-running "$C" >/dev/null
	else
		fl restore "$C" >/dev/null
	fi
	fl rm -f -t 0 "$C" >/dev/null
	ticking --cgroupns host --uidmap 0:100000:2000 --gidmap 0:200000:2000 :
	moves "" 'cat /proc/1/uid_map' "$(printf '%10d %10d %10d' 0 100000 2000)"
}

@test "a user namespace of its own: others of the machine cannot read its memory" {
	crun_cannot "dump the devices that it binds into a container with a user namespace"
	local dir ids
	ids=$(restorable_ids)
	ticking --uidmap 0:100000:$ids --gidmap 0:200000:$ids :
	dir=$ENGINE/root/containers/$(inspect "$C" '{{.ID}}')/userdata
	fl checkpoint --keep "$C" >/dev/null
	fl restore --keep "$C" >/dev/null
	is "750 0 200000" "$(stat -c '%a %u %g' "$dir/checkpoint")"
	is "" "$(find "$dir/checkpoint" -type f -perm /007)"
}

@test "ids that a container has for itself alone (--userns auto) an import shares with its leave only" {
	crun_cannot "dump the devices that it binds into a container with a user namespace"
	local ids
	ids=$(restorable_ids)
	echo containers:300000:400000 >subid
	mount --bind subid /etc/subuid
	mount --bind subid /etc/subgid
	ticking --userns "auto:size=$ids" :
	fl checkpoint --export c.tar "$C" >/dev/null
	# The one that it is a copy of is still there.
	try restore --import c.tar --name "$C-2"
	[ "$status" -eq 125 ]
	contains "$output" "300000 to $((300000 + ids - 1)), which container '$C' has" "--allow ids"
	try restore --import c.tar --name "$C-2" --dry-run
	contains "$output" "fails trust: " "--allow ids"
	fl restore --import c.tar --name "$C-2" --allow ids >/dev/null 2>&1
	is running "$(inspect "$C-2" '{{.State.Status}}')"
	fl rm -f -t 0 "$C-2" "$C" >/dev/null
	# Somebody else has taken them meanwhile, not for itself alone; the one in the archive had them so.
	fl create --name "$C-3" --uidmap "0:$((300000 + ids - 1)):1000" bb:1 true >/dev/null
	try restore --import c.tar
	[ "$status" -eq 125 ]
	contains "$output" "which container '$C-3' has" "--allow ids"
	fl rm "$C-3" >/dev/null
	fl restore --import c.tar >/dev/null
	# It goes on to have them for itself.
	fl create --name "$C-4" --userns auto:size=1000 bb:1 true >/dev/null
	is "[0:$((300000 + ids)):1000]" "$(inspect "$C-4" '{{.HostConfig.IDMappings.UidMap}}')"
	fl checkpoint -R --export c.tar "$C" >/dev/null
	try restore --import c.tar --name "$C-2"
	[ "$status" -eq 125 ]
	contains "$output" "which container '$C' has" "--allow ids"
	umount /etc/subuid /etc/subgid
}

@test "an image mounted as a directory" {
	ticking --mount type=image,source=bb:1,destination=/img :
	fl checkpoint -R --export c.tar "$C" >/dev/null
	try restore --import c.tar --dry-run --allow mounts --name other
	contains "$output" "ok    mount: image 'bb:1' on '/img' is here"
	moves mounts 'ls /img/bin/busybox; touch /img/x 2>/dev/null || echo read-only' "/img/bin/busybox"$'\n'read-only
}

@test "a read-only root with a tmpfs, and an init" {
	crun_cannot "restore a read-only root with a tmpfs from an archive"
	type catatonit >/dev/null 2>&1 || skip "no catatonit (tools/install-deps)"
	ticking --init --read-only --tmpfs /scratch 'echo x >/scratch/f'
	moves "" 'grep -c init /proc/1/comm; [ -e /scratch/f ] && ! touch /x 2>/dev/null && echo so' 1$'\n'so
}

@test "what was written over a directory of the host (option O) is there after a restore, and gone after a start" {
	mkdir host
	echo low >host/low
	ticking -v "$T/host:/over:O" 'echo new >/over/new'
	fl checkpoint "$C" >/dev/null
	fl restore "$C" >/dev/null
	is "low new" "$(in_c 'echo $(cat /over/low /over/new)')"
	fl stop -t 0 "$C" >/dev/null
	[ ! -e host/new ]
	# No archive has it.
	fl start "$C" >/dev/null
	counts_on "$C"
	try checkpoint --export c.tar "$C"
	refused "cannot export checkpoints of containers that write over a directory of the host: '$T/host' on '/over'"
	state_is "$C" running
	[ ! -e c.tar ]
	try checkpoint -R --export c.tar "$C"
	is 0 "$status"
	contains "$output" "what the container has written there is in no archive"
	try restore --import c.tar --name "$C-2"
	refused "mount '/over' is an overlay (option O of a volume)"
	fl stop -t 0 "$C" >/dev/null
	# Started anew by another command line it would write the file again.
	is 0 "$(find "$ENGINE/root/containers/$(inspect "$C" '{{.ID}}')/userdata" -path '*overlay-volumes*' | wc -l)"
}

@test "a read-only root has its tmpfs after a restore and later starts as before, and no others in its record" {
	local look
	ticking --read-only --tmpfs /scratch:size=1m :
	look='cut -d " " -f 5,6 /proc/self/mountinfo | grep -E "^/(run|tmp|var/tmp|scratch|etc/hosts) " | sort'
	in_c "$look" >options.before
	is 5 "$(wc -l <options.before)"
	inspect "$C" '{{json .Mounts}} {{json .HostConfig.Tmpfs}}' >record.before
	fl checkpoint --export c.tar "$C" >/dev/null
	fl rm "$C" >/dev/null
	import "" >/dev/null
	counts_on "$C"
	in_c "$look" | diff options.before -
	inspect "$C" '{{json .Mounts}} {{json .HostConfig.Tmpfs}}' | diff record.before -
	fl restart -t 0 "$C" >/dev/null
	counts_on "$C"
	in_c "$look" | diff options.before -
	fl rm -f -t 0 "$C" >/dev/null
}

@test "what was written over a directory as root (--rootfs DIR:O) is in no archive, and that is said before" {
	cp -a "$ROOTFS" own
	# shellcheck disable=SC2046 # words
	fl run -d --name "$C" $(cr_options) --rootfs "$T/own:O" sh -c 'while :; do echo tick; sleep 0.1; done' </dev/null >/dev/null
	eventually has_begun "$C"
	try checkpoint --export c.tar "$C"
	refused "'$T/own' as root (option O): what the container has written is in no archive (--ignore-rootfs does without)"
	state_is "$C" running
	fl checkpoint --ignore-rootfs --export c.tar "$C" >/dev/null
	fl rm "$C" >/dev/null
	import mounts >/dev/null
	# Here, too, it writes over the directory and not into it.
	in_c 'echo new >/data/new'
	[ ! -e own/data/new ]
	fl rm -f -t 0 "$C" >/dev/null
}

@test "secrets: files and variables, of this machine, and not told by inspect" {
	printf hush >secret
	fl secret create s1 secret >/dev/null
	ticking --secret s1,type=env,target=HUSH --secret s1,target=/where :
	moves secrets 'echo $HUSH $(cat /where)' "hush hush"
	ticking --rm --secret s1,type=env,target=HUSH :
	fl checkpoint --export c.tar "$C" >/dev/null
	# A copy might be anybody's.
	mv c.tar own.tar
	cp own.tar c.tar
	run import "" --name "$C-2"
	[ "$status" -eq 125 ]
	contains "$output" "secret 's1' of this host" "--allow"
	import secrets --name "$C-2" >/dev/null
	is hush "$(NAME=$C-2 in_c 'echo $HUSH')"
	run ! grep -q hush <<<"$(inspect "$C-2" '{{.Config.Env}}')"
	fl rm -f -t 0 "$C-2" >/dev/null
	fl secret rm s1 >/dev/null
}

@test "CDI devices: nodes, mounts, variables, groups and hooks of this machine at later starts" {
	local look='echo $FOO $(id -G) $(stat -c "%t %T" /dev/mine) $(cat /vendor/file)'
	local expected="bar 0 77 1 5 content"
	mkdir cdi data
	echo content >data/file
	printf '#!/bin/sh\necho ran >%s\n' "$T/ran" >hook
	chmod +x hook
	cat >cdi/vendor.json <<-JSON
		{"cdiVersion": "0.6.0", "kind": "vendor.com/class", "devices": [{"name": "one", "containerEdits": {
			"env": ["FOO=bar"], "additionalGids": [77],
			"deviceNodes": [{"path": "/dev/mine", "hostPath": "/dev/zero"}],
			"mounts": [{"hostPath": "$T/data", "containerPath": "/vendor", "options": ["ro", "rbind"]}],
			"hooks": [{"hookName": "createRuntime", "path": "$T/hook"}]}}]}
	JSON
	printf '[engine]\ncdi_spec_dirs = ["%s"]\n' "$T/cdi" >conf
	export CONTAINERS_CONF=$T/conf
	ticking --device vendor.com/class=one :
	is "$expected" "$(in_c "$look")"
	fl checkpoint --export own.tar "$C" >/dev/null
	fl rm "$C" >/dev/null
	# A copy might be anybody's.
	cp own.tar c.tar
	run import hooks,mounts
	[ "$status" -eq 125 ]
	contains "$output" "CDI device 'vendor.com/class=one' of this host" "--allow devices"
	run import hooks,mounts,devices --dry-run
	contains "$output" "ok    device: CDI device 'vendor.com/class=one' is here"
	mv cdi/vendor.json .
	run import hooks,mounts,devices --dry-run
	contains "$output" "?     device: CDI device 'vendor.com/class=one' is not here: the next start"
	mv vendor.json cdi
	import hooks,mounts,devices >/dev/null 2>&1
	is "$expected" "$(in_c "$look")"
	rm -f ran
	fl restart -t 0 "$C" >/dev/null
	counts_on "$C"
	is "$expected" "$(in_c "$look")"
	is ran "$(cat ran)"
	fl rm -f -t 0 "$C" >/dev/null
}

@test "the record of an import has what the user chose and not what engines add" {
	ticking --rm -e KEPT=yes :
	fl checkpoint --export c.tar "$C" >/dev/null
	try container exists "$C"
	is 1 "$status"
	import "" >/dev/null
	is true "$(inspect "$C" '{{.HostConfig.AutoRemove}}')"
	is "" "$(inspect "$C" '{{.Config.User}}')"
	is "KEPT=yes" "$(inspect "$C" '{{json .Config.Env}}' | jq -r '.[]' | grep -E '^(KEPT|TERM)=')"
	# --rm goes along.
	fl kill "$C" >/dev/null
	gone() { ! fl container exists "$C"; }
	eventually gone
}

@test "inspect says the same of an import as of what was exported, masks are there at later starts" {
	local same='.[0] | del(.Created, .State, .HostConfig.SecurityOpt, .NetworkSettings.SandboxKey)'
	mkdir "$T/given"
	ticking -e A=b --hostname named --label l=1 --annotation an=1 --stop-signal INT --stop-timeout 3 --restart on-failure:3 \
		--umask 0027 --sdnotify ignore --passwd=false --ipc private --shm-size 32m --memory 64m --pids-limit 77 \
		--ulimit nofile=1000:1024 --read-only --tmpfs /t:size=1m -v "$T/given:/given:ro" --oom-score-adj 100 \
		--cap-add NET_ADMIN --cap-drop chown --security-opt no-new-privileges --security-opt mask=/proc/misc \
		--security-opt unmask=/proc/timer_list :
	fl inspect "$C" | jq -S "$same" >before
	fl checkpoint --export c.tar "$C" >/dev/null
	fl rm "$C" >/dev/null
	import capabilities,mounts,masks >/dev/null 2>&1
	fl inspect "$C" | jq -S "$same" >after
	diff before after
	is '["CAP_NET_ADMIN"] ["CAP_CHOWN"] ["no-new-privileges"] SIGINT' "$(inspect "$C" \
		'{{json .HostConfig.CapAdd}} {{json .HostConfig.CapDrop}} {{json .HostConfig.SecurityOpt}} {{.Config.StopSignal}}')"
	fl restart -t 0 "$C" >/dev/null
	counts_on "$C"
	is 0 "$(in_c 'cat /proc/misc | wc -c')"
	is "" "$(in_c 'grep " /proc/timer_list " /proc/mounts || :')"
}

@test "the runtime that the archive names, whatever is the default here" {
	local other
	[[ $ENGINE_RUNTIME != *crun ]] || skip "needs floe-runtime in its place beside floe"
	other=$(command -v crun || :)
	ticking :
	fl checkpoint --export c.tar "$C" >/dev/null
	fl rm "$C" >/dev/null
	printf '[engine]\nruntime = "%s"\n' "${other:-/no/such/runtime}" >containers.conf
	mine() { CONTAINERS_CONF=$T/containers.conf timeout $ENGINE_SECONDS "$FLOE" --root "$ENGINE/root" --runroot "$ENGINE/run" "${CGROUPS[@]}" "$@" 3>&- 4>&-; }
	mine restore --import c.tar >/dev/null
	is "${ENGINE_RUNTIME##*/}" "$(mine inspect --format '{{.OCIRuntime}}' "$C")"
	counts_on "$C"
	mine restart -t 0 "$C" >/dev/null
	counts_on "$C"
	mine rm -f -t 0 "$C" >/dev/null
	run mine --runtime "${other:-/bin/true}" restore --import c.tar
	refused "cannot be restored with runtime '${other:-/bin/true}'" "leave --runtime out"
}

@test "a container that is started anew tells nothing of its checkpoint" {
	local told='{{.State.Checkpointed}} {{.State.Restored}} {{.State.CheckpointPath}} {{.State.CheckpointLog}} {{.State.RestoreLog}} {{.State.CheckpointedAt}} {{.State.RestoredAt}}'
	local nothing="false false    0001-01-01 00:00:00 +0000 UTC 0001-01-01 00:00:00 +0000 UTC"
	ticking :
	is "$nothing" "$(inspect "$C" "$told")"
	fl checkpoint --keep "$C" >/dev/null
	contains "$(inspect "$C" "$told")" "true false" /checkpoint /dump.log
	fl restore --keep "$C" >/dev/null
	contains "$(inspect "$C" "$told")" "false true" /checkpoint /dump.log /restore.log
	fl restart -t 0 "$C" >/dev/null
	is "$nothing" "$(inspect "$C" "$told")"
}

@test "sources of bind mounts that an archive of CRI-O knows are made" {
	[[ $ENGINE_RUNTIME != *crun ]] || skip "the form of an archive is no matter of the runtime: see the run with floe-runtime"
	mkdir -p src/deep
	touch src/file
	ticking -v "$T/src/deep:/deep" -v "$T/src/file:/file" :
	fl checkpoint --export dir:a "$C" >/dev/null
	fl rm "$C" >/dev/null
	rm -r src
	run fl restore --allow mounts --import dir:a
	[ "$status" -eq 125 ]
	contains "$output" "the bind mount source $T/src/" "is missing"
	try restore --allow mounts --import dir:a --dry-run
	is 1 "$status"
	contains "$output" "fails mount: '$T/src/deep' on '/deep' is not here"
	jq -n --arg s "$T/src" '[{source: ($s + "/deep"), destination: "/deep", file_type: "directory", permissions: 493},
		{source: ($s + "/file"), destination: "/file", file_type: "file", permissions: 416}]' >a/bind.mounts
	# Not without trust, and not for a restore that fails.
	run fl restore --import dir:a
	[ "$status" -eq 125 ]
	mv a/checkpoint/pstree.img .
	run fl restore --allow mounts --import dir:a
	[ "$status" -eq 125 ]
	[ ! -e src ]
	mv pstree.img a/checkpoint/
	try restore --allow mounts --import dir:a --dry-run
	is 0 "$status"
	contains "$output" "ok    mount: '$T/src/deep' on '/deep' would be made" "ok    mount: '$T/src/file' on '/file' would be made"
	[ ! -e src ]
	fl restore --allow mounts --import dir:a
	counts_on "$C"
	is 755 "$(stat -c %a src/deep)"
	is 640 "$(stat -c %a src/file)"
	fl rm -f -t 0 "$C" >/dev/null
}

# running IMAGE PROGRAM...: a container of programs that look whether they have their state still when they are told to.
running()
{
	local image=$1
	shift
	# shellcheck disable=SC2046 # words
	fl run -d --name "$C" $(cr_options) "$image" /cr/programs group "$@" </dev/null >/dev/null
	eventually fl exec "$C" test -e /cr/out/ready
}

# all_pass PROGRAM...
all_pass()
{
	fl kill -s USR1 "$C" >/dev/null
	told() { [ "$(in_c 'cat /cr/out/results 2>/dev/null' | wc -l)" -eq $# ]; }
	eventually told "$@"
	is "$(printf 'pass %s\n' "$@" | sort)" "$(in_c 'cat /cr/out/results' | sort)"
}

locking()
{
	running locks lock_flock lock_posix lock_ofd
}

locks_are_held()
{
	all_pass lock_flock lock_posix lock_ofd
}

@test "watched files of the image" {
	make_programs_image watches
	running watches inotify_watches
	if [[ $ENGINE_RUNTIME == *crun ]]; then
		# It does not tell CRIU where they are, which a root of layers does not.
		try checkpoint "$C"
		is 125 "$status"
		state_is "$C" running
		return
	fi
	fl checkpoint "$C" >/dev/null
	fl restore "$C" >/dev/null
	all_pass inotify_watches
	fl rm -f -t 0 "$C" >/dev/null
	running watches inotify_watches
	fl checkpoint --export c.tar "$C" >/dev/null
	fl rm "$C" >/dev/null
	import "" >/dev/null
	all_pass inotify_watches
	fl rm -f -t 0 "$C" >/dev/null
	fl rmi watches >/dev/null
}

@test "file locks: refused without a word about them, held after a restore in place and from an archive" {
	local way
	make_programs_image locks
	locking
	for way in "" "--export c.tar" "-R --export c.tar"; do
		# shellcheck disable=SC2086 # words
		try checkpoint $way "$C"
		is 125 "$status"
		[[ $ENGINE_RUNTIME == *crun ]] || contains "$output" "a process holds file locks; use --file-locks"
		# It was paused while --leave-running was at work, and is not any more.
		[[ $output != *paused* ]] || fail "$output"
		state_is "$C" running
		[ ! -e c.tar ]
	done
	fl checkpoint --file-locks "$C" >/dev/null
	fl restore --file-locks "$C" >/dev/null
	locks_are_held
	fl rm -f -t 0 "$C" >/dev/null
	# Nobody need say it twice.
	locking
	fl checkpoint --file-locks --export c.tar "$C" >/dev/null
	fl restore "$C" >/dev/null
	locks_are_held
	fl rm -f -t 0 "$C" >/dev/null
	for way in --file-locks ""; do
		# shellcheck disable=SC2086 # words
		import "" $way >/dev/null
		locks_are_held
		fl rm -f -t 0 "$C" >/dev/null
	done
	fl rmi locks >/dev/null
}

@test "neither a container nor an image" {
	try restore no-such
	refused "no such container or image" no-such
}
