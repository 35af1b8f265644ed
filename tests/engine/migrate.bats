#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Checkpoints as archives: everything of a container leaves and comes back.

load ../lib/engine_cr

setup_file()
{
	engine_cr_setup_file
	engine_setup
	tar -C "$ROOTFS" -c . | fl import - bb:1 >/dev/null
}

# A container of the image that counts.
ticking()
{
	# shellcheck disable=SC2016,SC2046 # for the shell of the container; words
	fl run -d --name "$C" $(cr_options) "$@" bb:1 \
		sh -c 'i=0; while :; do i=$((i + 1)); echo "tick $i"; sleep 0.05; done' </dev/null >/dev/null
	# crun's `start` does not wait for the program; before, CRIU finds crun itself.
	eventually has_program "$C"
}

has_program()
{
	[[ $(readlink "/proc/$(inspect "$1" '{{.State.Pid}}')/exe") == */busybox ]]
}

# Annotations that crun needs are asked for in the archive too.
import()
{
	local allow=()
	[[ $ENGINE_RUNTIME != *crun ]] || allow=(--allow annotations)
	fl restore "${allow[@]}" --import "$@"
}

in_c()
{
	fl exec "${NAME:-$C}" sh -c "$1"
}

# What a container can change, one of each kind.
change_everything()
{
	fl exec "$C" sh -c '
		set -e
		echo new >/data/new; mkdir -p /data/dir/deep; echo x >/data/dir/deep/x
		echo modified >/etc/group; chmod 600 /etc/group
		rm /etc/passwd; rmdir /var/tmp
		ln /data/new /data/hard; ln -s new /data/soft; mkfifo /data/fifo
		chmod 751 /mnt; chown 12:34 /mnt
		rm -r /data/dir/deep; mkdir /data/dir/deep; echo y >/data/dir/deep/y
		echo in-shm >/dev/shm/f
		[ ! -d /vol ] || echo in-volume >/vol/f'
}

everything_is_there()
{
	is "new modified 600 y in-shm" "$(in_c 'echo $(cat /data/new /etc/group) $(stat -c %a /etc/group) $(cat /data/dir/deep/* /dev/shm/f)')"
	in_c '[ ! -e /etc/passwd ] && [ ! -e /var/tmp ] && [ ! -e /data/dir/deep/x ]'
	is "2 2 new fifo" "$(in_c 'echo $(stat -c %h /data/new /data/hard) $(readlink /data/soft) $(stat -c %F /data/fifo)')"
	is "751 12 34" "$(in_c 'stat -c "%a %u %g" /mnt')"
}

@test "export, remove everything, import: memory, root, volume, shm, log, name and id" {
	local id
	ticking -v "$C-vol:/vol" --tmpfs /scratch -e KEPT=yes -m 64m --label l=1 --hostname named
	change_everything
	in_c 'echo in-tmpfs >/scratch/f'
	counts_on "$C"
	id=$(inspect "$C" '{{.ID}}')
	is "$C" "$(fl checkpoint --export c.tar.zst "$C")"
	is "exited true" "$(inspect "$C" '{{.State.Status}} {{.State.Checkpointed}}')"
	is 600 "$(stat -c %a c.tar.zst)"
	fl rm "$C"
	fl volume rm "$C-vol"
	is "$id" "$(import c.tar.zst)"
	is "running true" "$(inspect "$C" '{{.State.Status}} {{.State.Restored}}')"
	counts_on "$C"
	ticks_are_continuous "$C"
	everything_is_there
	is "in-volume in-tmpfs yes named" "$(in_c 'echo $(cat /vol/f /scratch/f) $KEPT $(hostname)')"
	is "67108864 1" "$(inspect "$C" '{{.HostConfig.Memory}} {{.Config.Labels.l}}')"
	# And anew, from the record alone.
	fl stop -t 0 "$C"
	fl start "$C"
	is "in-volume yes named" "$(in_c 'echo $(cat /vol/f) $KEPT $(hostname)')"
	fl rm -f -t 0 "$C" && fl volume rm "$C-vol"
}

# From 16 MiB on memory is compressed while CRIU writes it.
@test "much memory: the archive has what CRIU wrote, and is an ordinary one" {
	local image images id
	# shellcheck disable=SC2016,SC2046 # for the shell of the container; words
	fl run -d --name "$C" $(cr_options) bb:1 sh -c '
		x=$(head -c 15000000 /dev/urandom | base64; head -c 5000000 /dev/zero | tr "\0" x)
		echo "$x" | md5sum >/data/before
		while [ ! -e /data/ask ]; do sleep 0.05; done
		echo "$x" | md5sum >/data/after
		exec tail -f /dev/null' </dev/null >/dev/null
	eventually fl exec "$C" grep -q -e - /data/before
	id=$(inspect "$C" '{{.ID}}')
	fl checkpoint --export c.tar.zst "$C" >/dev/null
	images=$(inspect "$C" '{{.State.CheckpointPath}}')
	zstd -qt c.tar.zst
	zstd -qdc c.tar.zst | tar -xf -
	for image in "$images"/*; do
		cmp "$image" "checkpoint/${image##*/}"
	done
	test "$(du -bc checkpoint/pages-*.img | tail -n 1 | cut -f 1)" -gt 20000000
	fl checkpoint inspect c.tar.zst | grep -q "Memory pages size"
	fl rm "$C" >/dev/null
	is "$id" "$(import c.tar.zst)"
	in_c 'touch /data/ask'
	eventually fl exec "$C" grep -q -e - /data/after
	in_c 'cmp /data/before /data/after'
	fl rm -f -t 0 "$C"
}

@test "five cycles through archives" {
	local i
	needs_second_checkpoint
	ticking -v "$C-vol:/vol"
	change_everything
	for i in 1 2 3 4 5; do
		counts_on "$C"
		in_c "echo $i >>/data/cycles; echo $i >>/vol/cycles; rm -f /data/gone; [ $i = 5 ] || touch /data/gone"
		fl checkpoint --export c.tar "$C" --compress none
		fl rm "$C"
		fl volume rm "$C-vol"
		import c.tar
	done
	counts_on "$C"
	ticks_are_continuous "$C"
	everything_is_there
	is "1 2 3 4 5 1 2 3 4 5" "$(in_c 'echo $(cat /data/cycles /vol/cycles)')"
	in_c '[ ! -e /data/gone ]'
	fl rm -f -t 0 "$C" && fl volume rm "$C-vol"
}

# frozen_twice NAME: counts, and goes on in place and from an archive.
frozen_twice()
{
	counts_on "$1"
	fl checkpoint "$1" >/dev/null
	fl restore "$1" >/dev/null
	counts_on "$1"
	fl checkpoint --export c.tar "$1" >/dev/null
	fl rm "$1" >/dev/null
	import c.tar >/dev/null
	counts_on "$1"
}

@test "logs: whole in place and from an archive, by each driver" {
	local driver
	needs_second_checkpoint
	for driver in k8s-file json-file; do
		ticking --log-driver $driver
		frozen_twice "$C"
		ticks_are_continuous "$C"
		is $driver "$(inspect "$C" '{{.HostConfig.LogConfig.Type}}')"
		fl rm -f -t 0 "$C" >/dev/null
	done
	# A file in a place that was asked for: from the archive it comes into the store.
	ticking --log-opt "path=$T/own.log"
	frozen_twice "$C"
	ticks_are_continuous "$C"
	[ -s "$T/own.log" ]
	fl rm -f -t 0 "$C" >/dev/null
	ticking --log-driver none
	fl checkpoint --export c.tar "$C" >/dev/null
	tar -tf c.tar >members
	grep -q config.dump members
	run ! grep -q ctr.log members
	fl rm "$C" >/dev/null
	import c.tar >/dev/null
	try logs "$C"
	refused "this container is using the 'none' log driver"
	fl rm -f -t 0 "$C" >/dev/null
}

# said_to FILE COMMAND...: with its output on a pipe that is read into the file; $READER is who reads.
said_to()
{
	local file=$1 pipe
	shift
	exec {pipe}> >(exec cat >"$file" 3>&- 4>&-)
	READER=$!
	"$@" >&"$pipe" 2>&1 {pipe}>&-
	exec {pipe}>&-
}

@test "logs: a passthrough container speaks to whoever restores it, from an archive to its log" {
	local tick
	needs_second_checkpoint
	# shellcheck disable=SC2016,SC2046 # for the shell of the container; words
	said_to said-1 fl run -d --name "$C" $(cr_options) --log-driver passthrough bb:1 \
		sh -c 'i=0; while :; do i=$((i + 1)); echo "tick $i"; sleep 0.05; done' </dev/null
	eventually grep -q '^tick 3$' said-1
	fl checkpoint "$C" >/dev/null
	# Nobody has the pipe any more.
	wait "$READER"
	tick=$(sed -n 's/^tick //p' said-1 | tail -n 1)
	said_to said-2 fl restore "$C"
	eventually grep -q "^tick $((tick + 1))\$" said-2
	is "tick $((tick + 1))" "$(grep -m 1 ^tick said-2)"
	fl checkpoint --export c.tar "$C" >/dev/null
	wait "$READER"
	tick=$(sed -n 's/^tick //p' said-2 | tail -n 1)
	fl rm "$C" >/dev/null
	# An archive may be a stranger's: it is not given what its caller has open.
	import c.tar >/dev/null
	is k8s-file "$(inspect "$C" '{{.HostConfig.LogConfig.Type}}')"
	eventually eval '[ "$(fl logs "$C" | head -n 1)" = "tick $((tick + 1))" ]'
}

memory_limit()
{
	in_c 'cat /sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null || cat /sys/fs/cgroup/memory.max'
}

@test "what update has changed since the start stays changed, in place and from an archive" {
	local now='{{.HostConfig.Memory}} {{.HostConfig.PidsLimit}} {{.HostConfig.Ulimits}} {{.HostConfig.RestartPolicy.Name}} {{.Config.Env}}'
	local told='50331648 55 [{RLIMIT_NOFILE 1000 1020}] on-failure [A=b]'
	# Without the variables that engines add.
	chosen() { inspect "$C" "$now" | sed 's/ PATH=.*]$/]/'; }
	needs_second_checkpoint
	ticking -m 100m --env GONE=x
	fl update --memory 48m --memory-swap 96m --pids-limit 55 --ulimit nofile=1000:1020 --restart on-failure --env A=b --unsetenv GONE "$C" >/dev/null
	is "$told" "$(chosen)"
	fl checkpoint "$C" >/dev/null
	fl restore "$C" >/dev/null
	is "50331648 1000 b" "$(memory_limit) $(in_c 'echo $(ulimit -n) $A $GONE')"
	# Also while it is frozen.
	fl checkpoint "$C" >/dev/null
	fl update --memory 64m --memory-swap 128m --env B=c "$C" >/dev/null
	fl restore "$C" >/dev/null
	is "67108864 b c" "$(memory_limit) $(in_c 'echo $A $B $GONE')"
	fl checkpoint --export c.tar "$C" >/dev/null
	fl rm "$C" >/dev/null
	import c.tar >/dev/null
	counts_on "$C"
	is "67108864 1000 b c" "$(memory_limit) $(in_c 'echo $(ulimit -n) $A $B $GONE')"
	told=${told/50331648/67108864}
	is "${told/A=b/A=b B=c}" "$(chosen)"
	fl restart -t 0 "$C" >/dev/null
	is "67108864 1000 b" "$(memory_limit) $(in_c 'echo $(ulimit -n) $A')"
}

@test "a limit of memory that the processes, or CRIU, do not fit into is named" {
	[[ $ENGINE_RUNTIME != *crun ]] || skip "what the runtime says of a failure: see the run with floe-runtime"
	ticking -m 100m
	fl checkpoint --export c.tar "$C" >/dev/null
	fl rm "$C" >/dev/null
	try restore --import c.tar --memory 1k
	[[ $output =~ "process "[0-9]+" of the checkpoint has "[0-9]+" bytes of memory, and the container's limit is 1024; restore it with a higher limit" ]]
	try restore --import c.tar --memory 512k
	refused "the kernel killed a process for want of memory, of which the container may have 524288 bytes (restore it with a higher limit)"
	import c.tar --memory 64m >/dev/null
	counts_on "$C"
}

# unlimited: whatever this kernel calls that
unlimited()
{
	local limit
	limit=$(memory_limit)
	[ "$limit" = max ] || [ "$limit" -gt $((1 << 40)) ]
}

@test "a limit of memory that was taken away stays away, and with it the one of swap" {
	needs_second_checkpoint
	ticking -m 100m
	fl update --memory -1 "$C" >/dev/null
	fl checkpoint "$C" >/dev/null
	fl restore "$C" >/dev/null
	unlimited
	fl update --memory 100m "$C" >/dev/null
	fl checkpoint --export c.tar "$C" >/dev/null
	fl rm "$C" >/dev/null
	import c.tar --memory -1 >/dev/null
	counts_on "$C"
	unlimited
}

# It has no seccomp filter any more, and needs none.
@test "a container with a zombie" {
	is_zombie()
	{
		in_c 'grep -l "^State:.Z" /proc/[0-9]*/status 2>/dev/null | grep -q .'
	}
	# shellcheck disable=SC2046 # words
	fl run -d --name "$C" $(cr_options) bb:1 sh -c 'sleep 0.1 & exec tail -f /dev/null' </dev/null >/dev/null
	eventually is_zombie
	fl checkpoint --export c.tar "$C"
	fl rm "$C"
	import c.tar
	is_zombie
	fl rm -f -t 0 "$C"
}

@test "each compression, a pipe, a directory; the image of another store" {
	local c
	ticking
	change_everything
	fl checkpoint -R --export a.tar --compress none "$C"
	fl checkpoint -R --export a.gz --compress GZIP "$C"
	fl checkpoint -R --export a.zst --compress zstd "$C"
	fl checkpoint -R --export - "$C" >a.pipe
	fl checkpoint --export dir:a.dir "$C"
	fl rm "$C"
	tar -tf a.tar | grep -qx config.dump
	tar -tzf a.gz | grep -qx checkpoint/inventory.img
	zstd -dc a.zst | tar -t | grep -qx spec.dump
	jq -e .rootfsImageID a.dir/config.dump
	for c in a.tar a.gz a.zst a.pipe dir:a.dir; do
		import "$c"
		counts_on "$C"
		everything_is_there
		fl rm -f -t 0 "$C"
	done
	# shellcheck disable=SC2094
	import - <a.zst
	counts_on "$C"
	fl rm -f -t 0 "$C"
}

@test "one archive many times side by side, under new names" {
	local n ids=()
	ticking
	fl checkpoint --export c.tar.zst "$C"
	for n in 1 2 3; do
		ids+=("$(import c.tar.zst --name "$C-$n")")
	done
	is 3 "$(printf '%s\n' "${ids[@]}" | sort -u | wc -l)"
	for n in 1 2 3; do
		counts_on "$C-$n"
	done
	# The name and the id of the archive are taken.
	run import c.tar.zst
	[ "$status" -eq 125 ]
	contains "$output" "$C"
	fl restore "$C"
	counts_on "$C"
}

@test "--leave-running: the archive is of one moment, the container runs on" {
	ticking -v "$C-vol:/vol"
	change_everything
	# Whole at every moment, one after the other.
	fl exec -d "$C" sh -c 'i=0; while :; do
		i=$((i + 1)); echo $i >/data/t; mv /data/t /data/a; echo $i >/vol/t; mv /vol/t /vol/b; done'
	eventually in_c '[ -s /vol/b ]'
	fl checkpoint -R --export c.tar.zst "$C"
	is running "$(inspect "$C" '{{.State.Status}}')"
	counts_on "$C"
	ticks_are_continuous "$C"
	[ ! -e "$ENGINE/root/containers/$(inspect "$C" '{{.ID}}')/userdata/snapshot" ]
	fl rm -f -t 0 "$C"
	fl volume rm "$C-vol"
	import c.tar.zst
	counts_on "$C"
	everything_is_there
	# At most one step apart.
	in_c 'd=$(($(cat /data/a) - $(cat /vol/b))); [ $d -eq 0 ] || [ $d -eq 1 ]'
	fl rm -f -t 0 "$C" && fl volume rm "$C-vol"
}

@test "--leave-running: what it costs to copy large files is told" {
	ticking
	fl checkpoint -R --print-stats --export a.tar.zst "$C" >few.json 2>few
	fl exec "$C" dd if=/dev/zero of=/data/large bs=1M count=20 2>/dev/null
	fl checkpoint -R --print-stats --export b.tar.zst "$C" >many.json 2>many
	grep -Eq "'$C' stood still [0-9]+ ms longer, until [0-9]+ bytes of files were copied" many
	run ! grep "stood still" few
	[ "$(jq '.container_statistics[0].snapshot_bytes' many.json)" -ge $((20 << 20)) ]
	[ "$(jq '.container_statistics[0].snapshot_duration' many.json)" -gt 0 ]
	[ "$(jq '.container_statistics[0].snapshot_bytes' few.json)" -lt $((20 << 20)) ]
}

@test "--rm: an export removes it" {
	ticking --rm
	fl checkpoint --export c.tar.zst "$C"
	try container exists "$C"
	is 1 "$status"
	import c.tar.zst
	counts_on "$C"
}

@test "--ignore-rootfs and --ignore-volumes at both ends" {
	ticking -v "$C-vol:/vol"
	change_everything
	fl checkpoint -R --export all.tar.zst "$C"
	fl checkpoint --export none.tar.zst --ignore-rootfs --ignore-volumes "$C"
	run zstdcat none.tar.zst
	tar --zstd -tf none.tar.zst >list
	run ! grep -E 'rootfs-diff|deleted|volumes/' list
	fl rm "$C"
	run import all.tar.zst
	[ "$status" -eq 125 ]
	contains "$output" "volume with name $C-vol already exists. Use --ignore-volumes to not restore content of volumes"
	try container exists "$C"
	is 1 "$status"
	import all.tar.zst --ignore-volumes --ignore-rootfs
	counts_on "$C"
	in_c '[ ! -e /data/new ] && [ -e /etc/passwd ] && [ -e /vol/f ]'
	fl rm -f -t 0 "$C" && fl volume rm "$C-vol"
	import none.tar.zst
	in_c '[ ! -e /data/new ] && [ ! -e /vol/f ]'
	fl rm -f -t 0 "$C" && fl volume rm "$C-vol"
}

@test "import --keep, and the same checkpoint again in place" {
	ticking -v "$C-vol:/vol"
	change_everything
	fl checkpoint --export c.tar --compress none "$C"
	fl rm "$C" && fl volume rm "$C-vol"
	import c.tar --keep
	# Processes go back to what they were; files of the root and of volumes stay as they are.
	in_c 'rm /dev/shm/f; echo later >/dev/shm/later; echo later >/data/later'
	fl kill "$C" >/dev/null
	fl wait "$C" >/dev/null
	eventually state_is "$C" exited
	fl restore "$C"
	counts_on "$C"
	everything_is_there
	in_c '[ ! -e /dev/shm/later ] && [ -e /data/later ]'
	fl rm -f -t 0 "$C" && fl volume rm "$C-vol"
}

@test "/dev/shm and volumes keep their own owner and mode, and what is in them is not filled up again" {
	local look want form
	mkdir filled && touch filled/of-the-image
	tar -c -C "$ROOTFS" . -C "$T" filled | fl import - filled:1 >/dev/null
	# shellcheck disable=SC2046 # words
	fl run -d --name "$C" $(cr_options) -v "$C-vol:/vol" -v "$C-empty:/filled" -v "$C-own:/own:U" filled:1 \
		sh -c 'trap "exit 0" TERM; while :; do sleep 0.1; done' </dev/null >/dev/null
	in_c 'echo x >/dev/shm/x; chmod 1775 /dev/shm; chown 0:3 /dev/shm; chmod 751 /vol; chown 5:6 /vol
		rm /filled/of-the-image; chmod 700 /filled; chown 7:8 /filled; echo x >/own/f; chown 9:10 /own /own/f'
	look='echo $(stat -c "%a %u:%g" /dev/shm /vol /filled) $(ls /filled | wc -l) $(stat -c %u:%g /own /own/f)'
	want="1775 0:3 751 5:6 700 7:8 0 9:10 9:10"
	is "$want" "$(in_c "$look")"
	fl checkpoint -R --export running.tar "$C"
	fl checkpoint --export ended.tar "$C"
	fl restore "$C"
	is "$want" "$(in_c "$look")"
	for form in running ended; do
		fl rm -f -t 0 "$C" && fl volume prune -f
		import $form.tar
		is "$want" "$(in_c "$look")"
	done
	fl rm -f -t 0 "$C" && fl volume prune -f
	fl rmi filled:1
}

@test "an archive that cannot be written: nothing has happened" {
	ticking
	counts_on "$C"
	try checkpoint --export /no/such/directory/c.tar "$C"
	refused /no/such/directory
	counts_on "$C"
	is running "$(inspect "$C" '{{.State.Status}}')"
	# Full in the middle.
	mkdir small
	mount -t tmpfs -o size=64k small small
	try checkpoint --export small/c.tar --compress none "$C"
	[ "$status" -eq 125 ]
	contains "$output" "the container runs on"
	[ -z "$(ls small)" ]
	umount small
	counts_on "$C"
	ticks_are_continuous "$C"
	is running "$(inspect "$C" '{{.State.Status}}')"
}

@test "an import that fails leaves nothing" {
	ticking -v "$C-vol:/vol"
	change_everything
	fl checkpoint --export dir:a "$C"
	fl rm "$C" && fl volume rm "$C-vol"
	cp -r a b
	mv b/checkpoint/pstree.img .
	run import dir:b
	[ "$status" -eq 125 ]
	try container exists "$C"
	is 1 "$status"
	is "" "$(fl volume ls -q)"
	# The image is not here.
	cp -r a d
	jq '.rootfsImageID = "'"$(printf '%064d' 5)"'" | .rootfsImageName = "localhost/no-such:1"' a/config.dump >d/config.dump
	run import dir:d
	[ "$status" -eq 125 ]
	is "" "$(fl volume ls -q)"
	import dir:a
	counts_on "$C"
	fl rm -f -t 0 "$C" && fl volume rm "$C-vol"
}

@test "memory is tracked, and the archives of a chain are imported together" {
	ticking -v "$C-vol:/vol"
	change_everything
	counts_on "$C"
	tracks_memory "$C" --export first.tar.zst
	# It is of the memory alone, and the container runs on.
	[[ $(zstd -qdc first.tar.zst | tar -t) != *rootfs-diff.tar* ]]
	counts_on "$C"
	fl checkpoint --with-previous --export second.tar.zst "$C"
	[[ $(zstd -qdc second.tar.zst | tar -t) != *pre-checkpoint/* ]]
	fl rm "$C"
	fl volume rm "$C-vol"
	try restore --import second.tar.zst
	[ "$status" -eq 125 ]
	contains "$output" "in the image of a pre-dump"
	is "" "$(fl ps -aq)"
	is "" "$(fl volume ls -q)"
	import second.tar.zst --import-previous first.tar.zst
	counts_on "$C"
	ticks_are_continuous "$C"
	everything_is_there
	# What is frozen next is whole again, and so is a chain of it.
	fl checkpoint --export whole.tar.zst "$C"
	fl rm "$C"
	fl volume rm "$C-vol"
	import whole.tar.zst --keep
	counts_on "$C"
	fl checkpoint --pre-checkpoint --export first.tar.zst "$C"
	fl checkpoint --with-previous --leave-running --export second.tar.zst "$C"
	counts_on "$C"
	fl rm -f -t 0 "$C"
	fl volume rm "$C-vol"
	import second.tar.zst --import-previous first.tar.zst --keep
	counts_on "$C"
	fl kill "$C" >/dev/null
	fl wait "$C" >/dev/null
	eventually state_is "$C" exited
	# It has kept what it was built upon, and goes on from there again.
	fl restore "$C"
	counts_on "$C"
	is new "$(in_c 'cat /data/new')"
}

# edit_image FILE FIELD VALUE
edit_image()
{
	python3 "$SOURCE/tests/lib/criu_image.py" "$@"
}

# A chain as it would be without any change of memory between the two, for kernels that do not track it.
@test "a pre-checkpoint that is another one is refused before CRIU takes its memory" {
	local map
	[[ $ENGINE_RUNTIME != *crun ]] || skip "the form of an archive is no matter of the runtime: see the run with floe-runtime"
	ticking
	counts_on "$C"
	fl checkpoint --export dir:a "$C"
	fl rm "$C"
	mkdir p
	cp a/config.dump a/spec.dump p/
	cp -r a/checkpoint p/pre-checkpoint
	ln -s ../pre-checkpoint a/checkpoint/parent
	for map in a/checkpoint/pagemap-*.img; do
		edit_image "$map" 4 1
	done
	for map in a/checkpoint/pages-*.img; do
		: >"$map"
	done
	# podman's say no more of each other than whose they are.
	import dir:a --import-previous dir:p
	counts_on "$C"
	ticks_are_continuous "$C"
	fl rm -f -t 0 "$C"
	jq --arg name "sha256:$(sha256sum <p/pre-checkpoint/inventory.img | cut -d ' ' -f 1)" '.floePrevious = $name' \
		a/config.dump >config.dump && mv config.dump a/
	import dir:a --import-previous dir:p --name "$C-2"
	counts_on "$C-2"
	fl rm -f -t 0 "$C-2"
	# Of another container; of the same one at another time; one that lacks memory.
	cp -r p other
	jq '.id = (.id | explode | reverse | implode) | .name = "other"' p/config.dump >other/config.dump
	cp -r p later
	edit_image later/pre-checkpoint/inventory.img 8 1
	cp -r p lacking
	edit_image lacking/pre-checkpoint/pagemap-1.img 1 4096
	engine_inventory >before
	try restore --import dir:a --import-previous dir:other
	refused "'dir:other' is a pre-checkpoint of container 'other'" "'dir:a' a checkpoint of '$C'"
	try restore --import dir:a --import-previous dir:later
	refused "'dir:later' is another pre-checkpoint of the container than the one that 'dir:a' was built upon"
	try restore --import dir:a --import-previous dir:lacking
	refused "'dir:a' was not built upon 'dir:lacking': 'pagemap-1.img' leaves the memory from 0x"
	try restore --import dir:a
	[ "$status" -eq 125 ]
	contains "$output" "in the image of a pre-dump"
	same_inventory() { engine_inventory >after; ! diff before after | grep '^>'; }
	eventually same_inventory
}

@test "options that do not go together" {
	local line
	ticking
	while IFS='|' read -r line message; do
		# shellcheck disable=SC2086 # words
		try $line
		refused "$message"
	done <<-LIST
		checkpoint --compress gzip $C|--compress can only be used with --export
		checkpoint --ignore-rootfs $C|--ignore-rootfs can only be used with --export
		checkpoint --ignore-volumes $C|--ignore-volumes can only be used with --export
		checkpoint --export x --compress lz4 $C|Please select one from: gzip, none, zstd
		restore --name x $C|--name can only be used with image or --import
		restore --ignore-rootfs $C|--ignore-rootfs can only be used with image or --import
		restore --ignore-volumes $C|--ignore-volumes can only be used with image or --import
		restore --import-previous x $C|--import-previous can only be used with image or --import
		restore --import x $C|cannot use --import with positional arguments
		restore --import x --all|cannot use --import with --all or --latest
		restore --import x --name y --tcp-established|--tcp-established cannot be used with --name
		restore --import x --tcp-close --tcp-established|cannot be used together
		restore --import no-such-file|no-such-file
		restore --import x --allow nonsense|expected all, or some of
	LIST
}

@test "what floe wrote here is let in again, a copy or what was changed is a stranger's" {
	local classes=seccomp
	[[ $ENGINE_RUNTIME != *crun ]] || classes=annotations,seccomp
	ticking --security-opt seccomp=unconfined --rm
	fl checkpoint --export c.tar "$C"
	cp c.tar copy.tar
	try restore --import copy.tar
	is 125 "$status"
	contains "$output" "seccomp: no filter of system calls" "--allow $classes"
	try restore --import copy.tar --dry-run
	contains "$output" "fails trust: "
	try restore --import c.tar --dry-run
	contains "$output" "ok    trust: "
	mv c.tar moved.tar
	try restore --import moved.tar --name "$C-2"
	is "0 $(inspect "$C-2" '{{.Id}}')" "$status $output"
	counts_on "$C-2"
	fl rm -f -t 0 "$C-2" >/dev/null
	# Others might have written to it.
	chmod go+w moved.tar
	try restore --import moved.tar
	is 125 "$status"
	chmod go-w moved.tar
	touch -d '2001-01-01' moved.tar
	try restore --import moved.tar
	is 125 "$status"
	fl restore --import moved.tar --allow "$classes" >/dev/null
	counts_on "$C"
}

@test "a checkpoint as an image: made, looked at, restored, saved and loaded" {
	local key allow=()
	[[ $ENGINE_RUNTIME != *crun ]] || allow=(--allow annotations)
	ticking
	change_everything
	fl checkpoint --create-image "$C-image:1" "$C"
	is 0 "$(find "$ENGINE/root/containers" -name checkpoint-image.tar | wc -l)"
	is "$C" "$(fl image inspect "$C-image:1" | jq -r '.[0].Annotations["io.podman.annotations.checkpoint.name"]')"
	# Each that podman writes.
	for key in name rawImageName rootfsImageID rootfsImageName podman.version criu.version runtime.name runtime.version \
		conmon.version host.arch host.kernel cgroups.version distribution.version distribution.name; do
		fl image inspect "$C-image:1" | jq -e --arg key "io.podman.annotations.checkpoint.$key" '.[0].Annotations[$key] | length > 0' >/dev/null ||
			fail "no annotation $key"
	done
	fl rm "$C"
	fl save -q -o image.tar --format oci-archive "$C-image:1"
	fl rmi "$C-image:1" >/dev/null
	fl load -q -i image.tar >/dev/null
	fl restore "${allow[@]}" "$C-image:1"
	fl restore "${allow[@]}" --name "$C-2" "$C-image:1"
	counts_on "$C"
	counts_on "$C-2"
	everything_is_there
	if [ ${#allow[@]} -eq 0 ]; then
		try run -d --name "$C-3" --env new=value "$C-image:1"
		is 0 "$status"
		contains "$output" "--env has no effect"
		[[ $output != *"--name has"* && $output != *"--detach has"* ]]
		counts_on "$C-3"
		try run -d --name "$C-4" "$C-image:1" true
		refused "takes no command"
		fl rm -f -t 0 "$C-3"
	fi
	try restore bb:1
	[ "$status" -eq 125 ]
	contains "$output" "image is not a checkpoint: "
	try restore --name x "$C-image:1" bb:1
	refused "--name can only be used with one checkpoint image"
	fl rm -f -t 0 "$C" "$C-2"
	fl rmi "$C-image:1" >/dev/null
}

@test "archives as CRI-O and containerd write them" {
	local id
	[[ $ENGINE_RUNTIME != *crun ]] || skip "the form of an archive is no matter of the runtime: see the run with floe-runtime"
	ticking
	fl exec "$C" sh -c 'echo new >/data/new; rm /etc/passwd'
	fl checkpoint --export dir:a "$C"
	id=$(inspect "$C" '{{.ID}}')
	fl rm "$C"
	# A short config.dump, and Kubernetes' names for the rest.
	mkdir o
	cp -r a/checkpoint a/rootfs-diff.tar a/deleted.files o/
	cp a/ctr.log o/io.kubernetes.cri-o.LogPath
	jq '{id, name: "k8s_app_pod_default_0_0", rootfsImage: .rootfsImageName, rootfsImageRef: .rootfsImageID, rootfsImageName,
		runtime: "", createdTime}' a/config.dump >o/config.dump
	jq '.annotations = {"io.container.manager": "cri-o", "io.kubernetes.cri-o.Metadata": "{\"name\":\"app\"}",
		"io.kubernetes.cri-o.ContainerType": "container"}' a/spec.dump >o/spec.dump
	tar -C o -cf crio.tar config.dump spec.dump checkpoint rootfs-diff.tar deleted.files io.kubernetes.cri-o.LogPath
	is "$id" "$(fl restore --import crio.tar)"
	NAME=k8s_app_pod_default_0_0
	counts_on $NAME
	ticks_are_continuous $NAME
	is "new gone" "$(in_c 'echo $(cat /data/new) $([ -e /etc/passwd ] || echo gone)')"
	fl rm -f -t 0 $NAME
	# containerd: everything in a directory, deletions as whiteouts in the layer.
	mkdir -p d/ctrd-checkpoint
	cp -r a/checkpoint d/ctrd-checkpoint/
	cp a/ctr.log d/ctrd-checkpoint/container.log
	cp o/config.dump d/ctrd-checkpoint/
	jq '.annotations = {"io.kubernetes.cri.container-name": "app"}' a/spec.dump >d/ctrd-checkpoint/spec.dump
	mkdir layer && tar -C layer -xf a/rootfs-diff.tar
	mkdir -p layer/etc && touch layer/etc/.wh.passwd
	tar -C layer -cf d/ctrd-checkpoint/rootfs-diff.tar .
	tar -C d -cf containerd.tar ctrd-checkpoint
	fl restore --import containerd.tar --name "$C-2"
	NAME=$C-2
	counts_on "$NAME"
	is "new gone" "$(in_c 'echo $(cat /data/new) $([ -e /etc/passwd ] || echo gone)')"
}

@test "a volume that another running container has, too: a word about it" {
	ticking -v "$C-vol:/vol"
	fl run -d --name "$C-2" -v "$C-vol:/vol" bb:1 sh -c 'while :; do sleep 0.1; done' </dev/null >/dev/null
	try checkpoint -R --export c.tar "$C"
	is 0 "$status"
	contains "$output" "volume '$C-vol' is in use by container '$C-2', too"
	fl rm -f -t 0 "$C-2" >/dev/null
	try checkpoint --export c.tar "$C"
	is "$C" "$output"
	fl rm "$C" && fl volume rm "$C-vol"
}

# large [OPTION...]: a container of two processes that have much memory, of their own and shared, and look whether it is as it was when they are told to.
large()
{
	make_programs_image large
	# shellcheck disable=SC2046 # words
	fl run -d --name "$C" $(cr_options) "$@" large /cr/programs group mem_large </dev/null >/dev/null
	eventually fl exec "$C" test -e /cr/out/ready
}

memory_is_there()
{
	fl kill -s USR1 "$C" >/dev/null
	told() { [ "$(fl exec "$C" cat /cr/out/results 2>/dev/null)" ]; }
	eventually told
	is "pass mem_large" "$(fl exec "$C" cat /cr/out/results)"
}

# How the last import got at the memory: from_archive, as_files; either where the machine does not let us serve files.
memory_came()
{
	local way=as_files
	! grep -q "criu reads the memory from the archive" log || way=from_archive
	grep -q "no file system in user space" log || is "$1" "$way"
}

# import_large WAY ARGUMENT...: it is what it was, and nothing of the images is left.
import_large()
{
	local allow=() way=$1
	shift
	[[ $ENGINE_RUNTIME != *crun ]] || allow=(--allow annotations)
	fl --log-level debug restore "${allow[@]}" --import "$@" >/dev/null 2>log
	memory_came "$way"
	[[ $* == *--keep* ]] || is "" "$(find "$ENGINE/root/containers" -name 'pages-*.img')"
	memory_is_there
	fl rm -f -t 0 "$C" >/dev/null
}

@test "large memory: read by CRIU from the archive where that can be, the same either way" {
	local codec
	large
	for codec in gzip none zstd; do
		fl checkpoint --leave-running --compress "$codec" --export "c.$codec" "$C" >/dev/null
	done
	fl rm -f -t 0 "$C" >/dev/null
	import_large from_archive c.zstd
	import_large from_archive c.gzip
	import_large from_archive c.none
	# A pipe cannot be read twice, and what is kept must be there.
	import_large as_files - < <(cat c.zstd)
	import_large as_files c.zstd --keep
	fl rmi large >/dev/null
}

@test "large memory: CRIU may be told to take out of the images what it has loaded" {
	! [ -e "$BATS_FILE_TMPDIR/criu.conf" ] || cp "$BATS_FILE_TMPDIR/criu.conf" own.conf
	echo auto-dedup >>own.conf
	large --annotation "org.criu.config=$T/own.conf"
	fl checkpoint --export c.tar "$C" >/dev/null
	fl rm "$C" >/dev/null
	import_large from_archive c.tar --allow annotations
	fl rmi large >/dev/null
}

@test "large memory that is damaged: the import fails, whoever reads it, and leaves nothing" {
	local size at
	large
	fl checkpoint --export good "$C" >/dev/null
	fl rm "$C" >/dev/null
	size=$(stat -c %s good)
	# In each third of the archive: the memory of either process, and what they share, for which CRIU itself does not look.
	for at in $((size / 6)) $((size / 2)) $((size * 5 / 6)); do
		cp good bad
		printf damaged | dd of=bad bs=1 seek="$at" conv=notrunc status=none
		try restore --allow annotations --import bad
		is 125 "$status"
		contains "$output" "read archive 'bad': it is damaged or truncated"
		is "" "$(fl ps -aq)"
		is "" "$(find "$ENGINE/root/containers" "$ENGINE/run/containers" -mindepth 1)"
	done
	head -c $((size * 9 / 10)) good >bad
	try restore --allow annotations --import bad
	is 125 "$status"
	contains "$output" "read archive 'bad': it "
	is "" "$(fl ps -aq)"
	import_large from_archive good
	fl rmi large >/dev/null
}
