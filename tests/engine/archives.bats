#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# A look inside checkpoint archives, with programs that are not ours too.

load ../lib/engine_cr

setup_file()
{
	engine_cr_setup_file
	setup
	tar -C "$ROOTFS" -c . | fl import - bb:1 >/dev/null
}

# An archive of a container with a child, files, sockets and a change in its root.
make_archive()
{
	# shellcheck disable=SC2016,SC2046 # for the shell of the container; words
	fl run -d --name "$C" $(cr_options) -e SEEN=yes --label l=1 bb:1 \
		sh -c 'echo changed >/data/file; exec 9</data/file; nc -l -p 4321 127.0.0.1 >/dev/null & while :; do echo tick; sleep 0.1; done' \
		</dev/null >/dev/null
	eventually fl exec "$C" grep -q ':10E1' /proc/net/tcp
	fl checkpoint --compress "$1" --export "$2" "$C" >/dev/null
	fl rm "$C" >/dev/null
}

@test "inspect shows who was frozen, with arguments, mounts, statistics and sizes" {
	make_archive zstd c.tar.zst
	fl checkpoint inspect c.tar.zst >tree
	grep -q -e "Image: .*bb:1" tree
	grep -q -e "Engine: Podman" tree
	grep -q -e "Frozen time: " tree
	grep -q -e "Memory pages size: " tree
	grep -q -e "Root FS diff size: " tree
	grep -q -e 'Destination: /proc' tree
	grep -q -e '\[1\]  sh -c echo changed' tree
	grep -q -e '\[[0-9]*\]  nc -l -p 4321 127.0.0.1' tree
	fl container checkpoint inspect --format json --all c.tar.zst >all.json
	is "$C" "$(jq -r '.[0].container_name' all.json)"
	is "$(jq -r '.[0].checkpoint_size.memory_pages_size' all.json)" \
		"$(tar -tvf c.tar.zst | awk '/checkpoint\/pages-/ { n += $3 } END { print n }')"
	is sh "$(jq -r '.[0].process_tree.command' all.json)"
	is yes "$(jq -r '.[0].process_tree.environment_variables.SEEN' all.json)"
	is /data/file "$(jq -r '.[0].file_descriptors[0].open_files[] | select(.fd == "REG 9").path' all.json)"
	is "LISTEN 4321" "$(jq -r '[.[0].sockets[].open_sockets[] | select(.protocol == "TCP")][0].data | "\(.state) \(.src_port)"' all.json)"
	is true "$(jq '.[0].statistics.frozen_time > 0 and .[0].statistics.pages_written > 0' all.json)"
	is libpod "$(jq -r '.[0].metadata.annotations["io.container.manager"]' all.json)"
	is 1 "$(fl checkpoint inspect --pid "$(jq '.[0].process_tree.children[0].pid' all.json)" --format json c.tar.zst |
		jq '[.[0].process_tree | recurse(.children[]?)] | length')"
	try checkpoint inspect --pid 999 c.tar.zst
	refused "no process has the pid 999"
}

@test "inspect says the same whatever the archive is packed with, from a file and from a pipe" {
	local form
	make_archive none c.tar
	fl checkpoint inspect --all --format json c.tar >want
	mkdir unpacked
	tar -C unpacked -xf c.tar
	gzip -k c.tar
	xz -0 -k c.tar
	bzip2 -k c.tar
	zstd -q c.tar
	tar -C unpacked -cf ordered.tar checkpoint config.dump spec.dump network.status stats-dump rootfs-diff.tar
	for form in c.tar.gz c.tar.xz c.tar.bz2 c.tar.zst ordered.tar unpacked dir:unpacked; do
		fl checkpoint inspect --all --format json "$form" >got
		cmp want got
	done
	for form in c.tar c.tar.gz c.tar.xz c.tar.zst; do
		fl checkpoint inspect --all --format json - <"$form" >got
		cmp want got
		# shellcheck disable=SC2002 # a pipe is what is tested
		cat "$form" | fl checkpoint inspect --all --format json - >got
		cmp want got
	done
}

@test "archives are ordinary ones for tar, zstd and gzip" {
	make_archive zstd c.tar.zst
	zstd -q -t c.tar.zst
	zstd -q -d -c c.tar.zst >c.tar
	tar -tf c.tar >names
	is config.dump "$(head -n 1 names)"
	grep -q -e '^checkpoint/inventory.img$' names
	tar --zstd -xOf c.tar.zst rootfs-diff.tar | tar -xOf - data/file >file
	is changed "$(cat file)"
	"$FLOE_BUILD/tests/lib/archive" list c.tar.zst >listed
	tail -n 1 listed | grep -q 'zstd, any member at once'
}

@test "inspect refuses what is no checkpoint archive" {
	seq 1000 >junk
	try checkpoint inspect junk
	refused "it is no tar archive"
	: >empty
	try checkpoint inspect empty
	refused "ends too early"
	echo '{}' >config.dump
	tar -cf no-spec.tar config.dump
	try checkpoint inspect no-spec.tar
	refused "no 'spec.dump'"
	tar -cf foreign.tar junk
	try checkpoint inspect foreign.tar
	refused "belongs in no checkpoint archive"
	try checkpoint inspect absent
	refused "no such file or directory"
}

@test "a real archive, damaged: nothing crashes, nothing is written elsewhere" {
	local seed=1
	make_archive zstd c.tar.zst
	# More of them: FUZZ_COUNT=10000.
	timeout 500 "$FLOE_BUILD/tests/fuzz/fuzz-archive" -n "${FUZZ_COUNT:-150}" -s "$seed" c.tar.zst >fuzzed
	grep -q 'damaged archives read' fuzzed
}

@test "a pipe whose reader has gone: the export fails, the container runs on" {
	local pipe
	# shellcheck disable=SC2046 # words
	fl run -d --name "$C" $(cr_options) bb:1 sh -c 'while :; do echo tick; sleep 0.1; done' </dev/null >/dev/null
	eventually has_begun "$C"
	exec {pipe}> >(exec true)
	wait $!
	! fl checkpoint --export - "$C" 1>&"$pipe" 2>error || fail "the export succeeded"
	exec {pipe}>&-
	grep -q "write 'stdout': broken pipe" error
	is running "$(inspect "$C" '{{.State.Status}}')"
	fl rm -f -t 0 "$C" >/dev/null
}
