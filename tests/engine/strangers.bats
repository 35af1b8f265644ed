#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Archives from strangers: what they ask for beyond what run gives is named and refused, and nothing of them is left.

load ../lib/engine_cr

setup_file()
{
	engine_cr_setup_file
	if [[ $ENGINE_RUNTIME == *crun ]]; then
		export CANNOT_FREEZE="the runtime has no part in it: see the run with floe-runtime"
		return
	fi
	engine_setup
	tar -C "$ROOTFS" -c . | fl import - bb:1 >/dev/null
	# shellcheck disable=SC2016 # for the shell of the container
	fl run -d --name honest -v honest-vol:/vol bb:1 sh -c 'while :; do sleep 0.1; done' </dev/null
	fl exec honest sh -c 'echo x >/vol/x; echo y >/mnt/y; rm /etc/group; echo s >/dev/shm/s'
	fl checkpoint --export "dir:$BATS_FILE_TMPDIR/honest" honest
	fl rm honest && fl volume rm honest-vol
}

setup()
{
	engine_cr_setup
	cp -r "$BATS_FILE_TMPDIR/honest" a 2>/dev/null || :
	: >"$T/witness"
}

# A program of the host that an archive would like to run.
evil()
{
	printf '#!/bin/sh\necho run >>%s\n' "$T/witness" >"$T/evil"
	chmod +x "$T/evil"
	echo "$T/evil"
}

# change spec|config FILTER...: with jq.
change()
{
	jq "${@:2}" "a/$1.dump" >changed
	cp changed "a/$1.dump"
}

image()
{
	local file=$1
	shift
	python3 "$SOURCE/tests/lib/criu_image.py" "a/checkpoint/$file" "$@"
}

# asks CLASS PART...: the archive is refused for this class alone, by name, and leaves nothing.
asks()
{
	local class=$1
	shift
	run fl restore --import dir:a
	[ "$status" -eq 125 ] || fail "exit status $status: $output" || return 1
	contains "$output" "$class: " "--allow $class" "$@" || return 1
	nothing_happened
}

# is_refused PART...
is_refused()
{
	run fl restore --import "${ARCHIVE:-dir:a}" --allow all
	[ "$status" -eq 125 ] || fail "exit status $status: $output" || return 1
	contains "$output" "$@" || return 1
	nothing_happened
}

nothing_happened()
{
	is "" "$(fl ps -aq)"
	is "" "$(fl volume ls -q)"
	is "" "$(cat "$T/witness")"
	is "" "$(find "$ENGINE/root/containers" "$ENGINE/run/containers" -mindepth 1 2>/dev/null)"
}

@test "an honest one is let in without a word" {
	run fl restore --import dir:a
	[ "$status" -eq 0 ]
	[[ $output =~ ^[0-9a-f]{64}$ ]]
	is "x y s" "$(fl exec honest cat /vol/x /mnt/y /dev/shm/s | xargs)"
	fl rm -f -t 0 honest && fl volume rm honest-vol
}

@test "privileges: privileged, capabilities, no seccomp, masks" {
	change config '.privileged = true'
	asks privileged "the container is privileged"
	change config '.privileged = false'
	change spec '.process.capabilities.bounding += ["CAP_SYS_ADMIN"]'
	asks capabilities CAP_SYS_ADMIN
	cp "$BATS_FILE_TMPDIR/honest/spec.dump" a/
	change spec '.process.capabilities.ambient = ["CAP_SYS_MODULE"]'
	asks capabilities CAP_SYS_MODULE
	cp "$BATS_FILE_TMPDIR/honest/spec.dump" a/
	change spec 'del(.linux.seccomp)'
	asks seccomp "no filter of system calls"
	cp "$BATS_FILE_TMPDIR/honest/spec.dump" a/
	change spec '.linux.seccomp.defaultAction = "SCMP_ACT_ALLOW"'
	asks seccomp "what the filter does not name is allowed"
	cp "$BATS_FILE_TMPDIR/honest/spec.dump" a/
	change spec '.linux.seccomp.syscalls += [{names: ["bpf"], action: "SCMP_ACT_ALLOW"}]'
	asks seccomp "system call bpf"
	cp "$BATS_FILE_TMPDIR/honest/spec.dump" a/
	change spec '.linux.seccomp.listenerPath = "/run/agent.sock"'
	asks seccomp /run/agent.sock
	cp "$BATS_FILE_TMPDIR/honest/spec.dump" a/
	change spec '.linux.maskedPaths = [] | .linux.readonlyPaths = []'
	asks masks /proc/kcore /proc/sysrq-trigger
	cp "$BATS_FILE_TMPDIR/honest/spec.dump" a/
	change spec '.process.apparmorProfile = "unconfined"'
	asks lsm unconfined
}

@test "the host: directories, its root, devices, namespaces, kernel parameters, secrets" {
	change spec '.mounts += [{destination: "/mnt", type: "bind", source: "/", options: ["rbind", "rw"]}]'
	asks mounts "'/' of the host on '/mnt'"
	cp "$BATS_FILE_TMPDIR/honest/spec.dump" a/
	change spec '(.mounts[] | select(.destination == "/sys") | .options) = ["rw"]'
	asks mounts "'/sys' is writable"
	cp "$BATS_FILE_TMPDIR/honest/spec.dump" a/
	change spec '.linux.rootfsPropagation = "rshared"'
	asks mounts propagate
	change config '.ctrImageVolumes = [{source: "private:1", dest: "/mnt"}]'
	asks mounts "image 'private:1' of this host on '/mnt'"
	cp "$BATS_FILE_TMPDIR/honest/config.dump" a/
	cp "$BATS_FILE_TMPDIR/honest/spec.dump" a/
	change config '.rootfs = "/"'
	asks mounts "root file system"
	change config 'del(.rootfs)'
	change spec '.linux.devices = [{path: "/dev/sda", type: "b", major: 8, minor: 0}]'
	asks devices /dev/sda
	cp "$BATS_FILE_TMPDIR/honest/spec.dump" a/
	change spec '.linux.resources.devices += [{allow: true, access: "rwm"}]'
	asks devices "access 'rwm' to all"
	cp "$BATS_FILE_TMPDIR/honest/spec.dump" a/
	change config '.cdiDevices = ["vendor.com/class=one"]'
	asks devices "CDI device 'vendor.com/class=one' of this host"
	change config '.cdiDevices = ["../one"]'
	is_refused "cdiDevices[0]: '../one' is not VENDOR/CLASS=NAME"
	cp "$BATS_FILE_TMPDIR/honest/config.dump" a/
	local ns
	for ns in pid network ipc uts mount; do
		cp "$BATS_FILE_TMPDIR/honest/spec.dump" a/
		change spec --arg ns $ns '.linux.namespaces |= map(select(.type != $ns))'
		asks namespaces "$ns namespace of the host"
	done
	cp "$BATS_FILE_TMPDIR/honest/spec.dump" a/
	change spec '.linux.sysctl = {"kernel.core_pattern": "|/tmp/evil"}'
	asks sysctl kernel.core_pattern
	cp "$BATS_FILE_TMPDIR/honest/spec.dump" a/
	echo top-secret | fl secret create "$C-secret" - >/dev/null
	change config --arg s "$C-secret" '.secrets = [{name: $s, target: "/stolen"}]'
	asks secrets "$C-secret"
	fl secret rm "$C-secret" >/dev/null
}

@test "programs of the host: hooks, the runtime, CRIU's configuration and actions" {
	local stage
	for stage in prestart createRuntime createContainer startContainer poststart poststop; do
		cp "$BATS_FILE_TMPDIR/honest/spec.dump" a/
		change spec --arg p "$(evil)" --arg s $stage '.hooks[$s] = [{path: $p, args: [$p]}]'
		asks hooks "$stage '$T/evil'"
	done
	cp "$BATS_FILE_TMPDIR/honest/spec.dump" a/
	change config --arg p "$(evil)" '.runtime = $p'
	asks runtime "$T/evil"
	change config '.runtime = "../../../../'"$T"'/evil"'
	asks runtime evil
	cp "$BATS_FILE_TMPDIR/honest/config.dump" a/
	printf 'action-script %s\n' "$(evil)" >criu.conf
	change spec --arg f "$T/criu.conf" '.annotations["org.criu.config"] = $f'
	asks annotations org.criu.config
	cp "$BATS_FILE_TMPDIR/honest/spec.dump" a/
	change spec '.annotations["run.oci.handler"] = "krun" | .annotations["org.systemd.property.ExecStopPost"] = "x"'
	asks annotations run.oci.handler org.systemd.property.ExecStopPost
}

@test "hooks that are allowed are those of this host all the same" {
	change spec --arg p "$(evil)" '.hooks.createRuntime = [{path: $p, args: [$p]}]'
	fl restore --import dir:a --allow hooks
	is "" "$(cat witness)"
	fl rm -f -t 0 honest && fl volume rm honest-vol
}

@test "CRIU's images: more than the documents say" {
	# Nobody is asked about credentials but the image.
	image core-1.img 5.10.12 0xffffffff 0x1ff
	asks images "a process has CAP_SYS_ADMIN"
	rm -r a
	cp -r "$BATS_FILE_TMPDIR/honest" a
	image core-1.img 5.11 0
	asks images "have no seccomp filter"
	# A filter that says yes to everything: BPF_RET | BPF_K, SECCOMP_RET_ALLOW.
	rm -r a
	cp -r "$BATS_FILE_TMPDIR/honest" a
	image seccomp.img 1.1 hex:060000000000ff7f
	image seccomp.img 1.2 -
	asks images "a seccomp filter lets system call"
	# The namespaces of who dumped are those of who restores.
	rm -r a
	cp -r "$BATS_FILE_TMPDIR/honest" a
	for field in 5 6 7 8 9; do
		image ids-1.img $field 7
		image inventory.img 3.$field 7
	done
	asks images "the host's pid namespace" "the host's mount namespace"
	# All devices of the machine.
	rm -r a
	cp -r "$BATS_FILE_TMPDIR/honest" a
	for file in a/checkpoint/mountpoints-*.img; do
		image "${file##*/}" 1 3
		image "${file##*/}" 18 -
		image "${file##*/}" 13 -
	done
	asks images "file system of kind 3"
	rm -r a
	cp -r "$BATS_FILE_TMPDIR/honest" a
	: >a/checkpoint/apparmor.img
	run fl restore --import dir:a
	[ "$status" -eq 125 ]
	nothing_happened
}

@test "names that lead out: id, name, volumes, ports, deleted files, log" {
	change config '.id = "../../../../etc"'
	is_refused "no valid name and id"
	cp "$BATS_FILE_TMPDIR/honest/config.dump" a/
	change config '.name = "../x"'
	is_refused "no valid name and id"
	cp "$BATS_FILE_TMPDIR/honest/config.dump" a/
	change config '.namedVolumes[0].volumeName = "../../../../etc"'
	is_refused "no valid name"
	cp "$BATS_FILE_TMPDIR/honest/config.dump" a/
	# Numbers that would wrap, and what is no address.
	local port='{host_ip: "", host_port: 65000, container_port: 80, range: 1000, protocol: "tcp"}'
	change config ".newPortMappings = [$port]"
	is_refused "no such port can be published: ':65000:80/tcp', 1000 of them"
	cp "$BATS_FILE_TMPDIR/honest/config.dump" a/
	change config ".newPortMappings = [$port + {host_ip: \"everywhere\", range: 1}]"
	is_refused "no such port" everywhere
	cp "$BATS_FILE_TMPDIR/honest/config.dump" a/
	echo '["/../../../../'"$T"'/witness"]' >a/deleted.files
	is_refused deleted.files
	[ -e witness ]
	cp "$BATS_FILE_TMPDIR/honest/deleted.files" a/
	mv a/ctr.log a/log
	ln -s "$T/witness" a/ctr.log
	is_refused ctr.log
	[ ! -s witness ]
}

@test "members that lead out: links, absolute names, devices, tars that climb" {
	local pack='import sys, tarfile, io
t = tarfile.open(sys.argv[1], "w")
for n in ("config.dump", "spec.dump"): t.add("a/" + n, n)
i = tarfile.TarInfo(sys.argv[2]); i.type = getattr(tarfile, sys.argv[3]); i.linkname = sys.argv[4]
data = b"x" if i.type == tarfile.REGTYPE else b""
i.size = len(data)
t.addfile(i, io.BytesIO(data))
t.close()'
	while read -r name type link; do
		python3 -c "$pack" bad.tar "$name" "$type" "$link"
		ARCHIVE=bad.tar is_refused "${name##*/}" || fail "$name $type" || return 1
	done <<-LIST
		../../outside REGTYPE -
		/tmp/outside REGTYPE -
		checkpoint/../../outside REGTYPE -
		checkpoint/link SYMTYPE /etc
		checkpoint SYMTYPE /etc
		ctr.log SYMTYPE /etc/passwd
		checkpoint/hard LNKTYPE spec.dump
		checkpoint/node CHRTYPE -
		unknown.file REGTYPE -
		volumes/../x.tar REGTYPE -
		spec.dump REGTYPE -
	LIST
	# A link out of the root, then a file through it.
	python3 -c 'import tarfile, io
t = tarfile.open("a/rootfs-diff.tar", "w")
l = tarfile.TarInfo("mnt/out"); l.type = tarfile.SYMTYPE; l.linkname = "'"$T"'"; t.addfile(l)
f = tarfile.TarInfo("mnt/out/planted"); f.size = 1; t.addfile(f, io.BytesIO(b"x"))
t.close()'
	fl restore --import dir:a || :
	[ ! -e planted ]
	fl rm -f -t 0 honest 2>/dev/null || :
	fl volume prune -f >/dev/null
}

@test "archives that are cut, doubled or none" {
	ARCHIVE=$T/nothing is_refused nothing
	: >empty
	ARCHIVE=$T/empty is_refused empty
	tar -C a -cf whole.tar config.dump spec.dump checkpoint
	head -c 3000 whole.tar >cut.tar
	ARCHIVE=cut.tar is_refused cut.tar
	head -c $(($(stat -c %s whole.tar) / 2)) whole.tar >half.tar
	ARCHIVE=half.tar is_refused half.tar
	tar -C a -cf few.tar config.dump
	ARCHIVE=few.tar is_refused "spec.dump is missing"
	rm a/checkpoint/inventory.img
	is_refused inventory.img
}

@test "each thing that is allowed is let in" {
	change spec '.process.capabilities.bounding += ["CAP_SYS_ADMIN"] | .linux.maskedPaths = []'
	run fl restore --import dir:a --allow capabilities
	[ "$status" -eq 125 ]
	contains "$output" "--allow masks"
	fl restore --import dir:a --allow capabilities,masks
	is running "$(inspect honest '{{.State.Status}}')"
	fl rm -f -t 0 honest && fl volume rm honest-vol
}
