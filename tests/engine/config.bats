#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# containers.conf and its relatives: what they say is the default of what the command line says.

load ../lib/engine

setup()
{
	engine_setup
	export CONTAINERS_CONF=$T/containers.conf
	: >"$CONTAINERS_CONF"
}

# conf: the file's text on stdin.
conf()
{
	cat >"$T/containers.conf"
}

teardown()
{
	: >"$T/containers.conf"
	engine_clean_up
}

@test "environment, umask, time zone, shm size and limits" {
	conf <<-'CONF'
		[containers]
		env = ["FROM_CONF=1", "TERM=conf"]
		umask = "0027"
		tz = "Etc/UTC"
		shm_size = "5m"
		pids_limit = 77
		default_ulimits = ["nofile=123:456"]
		oom_score_adj = 123
	CONF
	is "1 0027 5120 123" "$(in_container -- sh -c 'echo $FROM_CONF $(umask) $(df -k /dev/shm | awk "NR == 2 { print \$2 }") $(ulimit -n)')"
	is 123 "$(in_container -- cat /proc/self/oom_score_adj)"
	fl create --name "$C" --rootfs "$ROOTFS" true >/dev/null
	is "77 Etc/UTC" "$(inspect "$C" '{{.HostConfig.PidsLimit}} {{.Config.Timezone}}')"
	# The command line has the last word.
	is "2 0077 6144 99" "$(in_container -e FROM_CONF=2 --umask 0077 --shm-size 6m --ulimit nofile=99:99 -- \
		sh -c 'echo $FROM_CONF $(umask) $(df -k /dev/shm | awk "NR == 2 { print \$2 }") $(ulimit -n)')"
}

@test "mounts, devices, annotations and sysctls are added to the user's" {
	mkdir one two
	echo one >one/file
	echo two >two/file
	conf <<-CONF
		[containers]
		volumes = ["$T/one:/mnt:ro"]
		mounts = ["type=tmpfs,destination=/data"]
		devices = ["/dev/fuse"]
		annotations = ["a=1", "b=2"]
		default_sysctls = ["net.ipv4.ip_default_ttl=77"]
	CONF
	is "one tmpfs 77" "$(in_container -- sh -c 'echo $(cat /mnt/file) $(awk "\$2 == \"/data\" { print \$3 }" /proc/mounts) $(cat /proc/sys/net/ipv4/ip_default_ttl)')"
	[ ! -e /dev/fuse ] || is "/dev/fuse" "$(in_container -- ls /dev/fuse)"
	is two "$(in_container -v "$T/two:/mnt" -- cat /mnt/file)"
	is 66 "$(in_container --sysctl net.ipv4.ip_default_ttl=66 -- cat /proc/sys/net/ipv4/ip_default_ttl)"
	fl create --name "$C" --annotation b=3 --rootfs "$ROOTFS" true >/dev/null
	is "1 3" "$(inspect "$C" '{{index .Config.Annotations "a"}} {{index .Config.Annotations "b"}}')"
}

@test "capabilities, read-only, init and namespaces" {
	conf <<-'CONF'
		[containers]
		default_capabilities = ["CHOWN", "KILL"]
		read_only = true
		utsns = "host"
		netns = "host"
		pidns = "host"
	CONF
	start_idle "$C"
	caps=$(fl exec "$C" sed -n 's/CapBnd:\t//p' /proc/self/status)
	is 0000000000000021 "$caps"
	printf '[containers]\nprivileged = true\n' >privileged.conf
	CONTAINERS_CONF_OVERRIDE=$T/privileged.conf
	export CONTAINERS_CONF_OVERRIDE
	[ "$caps" != "$(fl exec "$C" sed -n 's/CapBnd:\t//p' /proc/self/status)" ]
	is "$caps" "$(fl exec --privileged=false "$C" sed -n 's/CapBnd:\t//p' /proc/self/status)"
	unset CONTAINERS_CONF_OVERRIDE
	fl rm --force --time 0 "$C" >/dev/null
	is 0000000000000021 "$(in_container -- sed -n 's/CapBnd:\t//p' /proc/self/status)"
	run in_container -- touch /x
	[ "$status" -ne 0 ]
	is "$(readlink /proc/self/ns/uts) $(readlink /proc/self/ns/pid)" \
		"$(in_container -- sh -c 'echo $(readlink /proc/self/ns/uts) $(readlink /proc/self/ns/pid)')"
	timeout $ENGINE_SECONDS "$FLOE" --root "$ENGINE/root" --runroot "$ENGINE/run" "${CGROUPS[@]}" --runtime "$ENGINE_RUNTIME" \
		run --rm --cgroup-parent "$CGROUP_PARENT" --rootfs "$ROOTFS" readlink /proc/self/ns/net >net 3>&- 4>&-
	is "$(readlink /proc/self/ns/net)" "$(<net)"
	in_container --read-only=false -- touch /tmp/x
	# More than one capability of the user's still goes on top.
	is 0000000000002021 "$(in_container --cap-add NET_RAW -- sed -n 's/CapBnd:\t//p' /proc/self/status)"
}

@test "names: hosts file, host's address, servers, host name" {
	echo "10.1.2.3 from-base" >base
	conf <<-CONF
		[containers]
		base_hosts_file = "$T/base"
		host_containers_internal_ip = "10.9.8.7"
		dns_servers = ["1.2.3.4"]
		dns_searches = ["s.example"]
		dns_options = ["ndots:3"]
		container_name_as_hostname = true
	CONF
	contains "$(in_container -- cat /etc/hosts)" "from-base" "10.9.8.7" "host.containers.internal"
	is $'search s.example\nnameserver 1.2.3.4\noptions ndots:3' "$(in_container -- cat /etc/resolv.conf)"
	is "nameserver 5.6.7.8" "$(in_container --network host --dns 5.6.7.8 -- grep nameserver /etc/resolv.conf)"
	is named "$(in_container --name named -- hostname)"
	conf <<<$'[containers]\nno_hosts = true'
	is "$(cat "$ROOTFS/etc/hosts")" "$(in_container -- cat /etc/hosts)"
}

@test "logs, stop time, detach keys" {
	conf <<-'CONF'
		[containers]
		log_driver = "json-file"
		log_size_max = 12345
		log_tag = "tagged"
		[engine]
		stop_timeout = 7
		detach_keys = "ctrl-a"
	CONF
	fl create --name "$C" --rootfs "$ROOTFS" true >/dev/null
	is "json-file tagged 7" "$(inspect "$C" '{{.HostConfig.LogConfig.Type}} {{.HostConfig.LogConfig.Tag}} {{.Config.StopTimeout}}')"
	fl create --name "$C-2" --stop-timeout 3 --log-driver none --rootfs "$ROOTFS" true >/dev/null
	is "none 3" "$(inspect "$C-2" '{{.HostConfig.LogConfig.Type}} {{.Config.StopTimeout}}')"
}

@test "the engine's programs: runtime, conmon, helpers, hooks, environment" {
	mkdir bin hooks
	printf '#!/bin/sh\necho "$@" >>%s/calls\nexec %s "$@"\n' "$T" "$(command -v "$ENGINE_RUNTIME")" >bin/other-runtime
	printf '#!/bin/sh\necho conmon >>%s/calls\nexec %s "$@"\n' "$T" "$(command -v conmon)" >bin/conmon
	printf '#!/bin/sh\nenv >%s/hook-env\n' "$T" >bin/hook
	chmod +x bin/*
	cat >hooks/hook.json <<-HOOK
		{ "version": "1.0.0", "hook": { "path": "$T/bin/hook" }, "when": { "always": true }, "stages": ["prestart"] }
	HOOK
	conf <<-CONF
		[engine]
		runtime = "mine"
		helper_binaries_dir = ["$T/bin"]
		hooks_dir = ["$T/hooks"]
		env = ["FLOE_TEST_VARIABLE=of-the-engine"]
		[engine.runtimes]
		mine = ["$T/nothing", "$T/bin/other-runtime"]
	CONF
	timeout $ENGINE_SECONDS "$FLOE" --root "$ENGINE/root" --runroot "$ENGINE/run" "${CGROUPS[@]}" run --rm --network none \
		--cgroup-parent "$CGROUP_PARENT" --rootfs "$ROOTFS" echo ran >out 3>&- 4>&-
	is ran "$(<out)"
	contains "$(<calls)" conmon create delete
	[ -s hook-env ]
	conf <<<$'[engine]\nconmon_path = ["'"$T"'/bin/conmon"]'
	: >calls
	in_container -- true
	is conmon "$(sort -u calls)"
}

@test "keyring, pivot_root, volumes of images, volumes filled at once" {
	mkdir bin
	printf '#!/bin/sh\necho "$@" >>%s/calls\nexec %s "$@"\n' "$T" "$(command -v "$ENGINE_RUNTIME")" >bin/recorder
	chmod +x bin/recorder
	through() { ENGINE_RUNTIME=$T/bin/recorder in_container -- "$@"; }
	is ran "$(through echo ran)"
	run ! grep -e --no-new-keyring -e --no-pivot calls
	conf <<-'CONF'
		[containers]
		keyring = false
		[engine]
		no_pivot_root = true
		image_volume_mode = "tmpfs"
	CONF
	: >calls
	is ran "$(through echo ran)"
	grep -q -e ' create .*--no-new-keyring' calls
	grep -q -e ' create .*--no-pivot' calls
	make_image "with-volume$C" 'VOLUME /data'
	is "tmpfs" "$(fl run --rm "localhost/with-volume$C" sh -c 'while read -r _ at type _; do [ "$at" != /data ] || echo "$type"; done </proc/mounts')"
	fl rmi "localhost/with-volume$C" >/dev/null
	conf <<<$'[containers]\nprepare_volume_on_create = true'
	make_image "with-content$C" 'USER 7'
	fl create --name "$C-volumes" --volume "named$C:/etc" "localhost/with-content$C" true >/dev/null
	[ -e "$(fl volume inspect --format '{{.Mountpoint}}' "named$C")/passwd" ]
	is "" "$(fl mount)"
	fl start --attach "$C-volumes"
	try create --name "$C-nobody" --user no-such-user --volume "other$C:/etc" "localhost/with-content$C" true
	refused no-such-user
	try container exists "$C-nobody"
	is 1 "$status"
	fl rm "$C-volumes" >/dev/null
	is "" "$(fl ps --all --quiet)"
	conf </dev/null
	fl create --name "$C-volumes" --volume "later$C:/etc" "localhost/with-content$C" true >/dev/null
	[ ! -e "$(fl volume inspect --format '{{.Mountpoint}}' "later$C")/passwd" ]
	fl rm "$C-volumes" >/dev/null
	fl rmi "localhost/with-content$C" >/dev/null
}

@test "files: drop-ins override, lists append, modules come last, unknown keys are named" {
	conf <<-'CONF'
		[containers]
		env = ["A=1"]
		umask = "0011"
	CONF
	printf '[containers]\nenv = ["B=2", {append=true}]\numask = "0012"\n' >override.conf
	export CONTAINERS_CONF_OVERRIDE=$T/override.conf
	is "1 2 0012" "$(in_container -- sh -c 'echo $A $B $(umask)')"
	printf '[containers]\nenv = ["C=3"]\n' >module.conf
	fl() { timeout $ENGINE_SECONDS "$FLOE" --root "$ENGINE/root" --runroot "$ENGINE/run" "${CGROUPS[@]}" --runtime "$ENGINE_RUNTIME" \
		--module "$T/module.conf" "$@" 3>&- 4>&-; }
	# What an earlier file says of appending goes for later ones.
	is "1 2 3" "$(fl run --rm --network none --cgroup-parent "$CGROUP_PARENT" --rootfs "$ROOTFS" sh -c 'echo $A $B $C')"
	unset -f fl
	load ../lib/engine
	unset CONTAINERS_CONF_OVERRIDE
	conf <<<$'[containers]\numusk = "0011"\nlabel = true\n[engine]\nnum_locks = 5\n[containerz]\na = 1'
	try create --rootfs "$ROOTFS" true
	is 0 "$status"
	contains "$output" "unknown key 'containers.umusk'" "unknown table or key 'containerz'"
	[[ $output != *label* && $output != *num_locks* ]]
}

@test "what is wrong in a file is named with the file, and nothing is begun" {
	conf <<<$'[containers]\npids_limit = "many"'
	try ps
	refused "$T/containers.conf" "pids_limit"
	conf <<<$'[containers]\nenv = "A=1"'
	try ps
	refused "containers.conf" "env"
	conf <<<$'[containers\n'
	try ps
	refused "containers.conf:1"
	conf <<<$'[containers]\nvolumes = ["a:b:c:d:e"]'
	try create --rootfs "$ROOTFS" true
	refused "containers.conf"
	conf <<<$'[containers]\nshm_size = "large"'
	try create --rootfs "$ROOTFS" true
	refused "shm_size"
	conf <<<''
	CONTAINERS_CONF=$T/none try ps
	refused "$T/none"
	try --module nothing ps
	refused "could not resolve module 'nothing'"
	try --module "$T/nothing" ps
	refused "could not resolve module '$T/nothing'"
	# One that only adds may be absent.
	CONTAINERS_CONF_OVERRIDE=$T/none fl ps >/dev/null
}

@test "words that there are not are refused, and info has the configured profile" {
	while read -r table key; do
		printf '[%s]\n%s = "foo"\n' "$table" "$key" | conf
		run fl info
		refused "$key 'foo'" "expected one of"
	done <<<"engine events_logger
network network_backend"
	printf '[engine]\ncgroup_manager = "foo"\n' | conf
	CGROUPS=()
	run fl info
	refused "cgroup_manager 'foo'" cgroupfs systemd
	printf '[containers]\nseccomp_profile = "/a/profile"\n[engine]\ncgroup_manager = ""\n' | conf
	is /a/profile "$(fl info --format '{{.Host.Security.SECCOMPProfilePath}}')"
	engine_setup
}

@test "networks: the default one and where subnets come from" {
	conf <<-CONF
		[network]
		default_network = "mine"
		default_subnet = "10.77.0.0/16"
		default_subnet_pools = [{base = "10.66.0.0/16", size = 25}]
		network_config_dir = "$T/networks"
	CONF
	is "10.77.0.0/16 10.77.0.1" "$(fl network inspect mine | jq -r '.[0].subnets[0] | "\(.subnet) \(.gateway)"')"
	fl network create other >/dev/null
	is "10.66.0.0/25" "$(fl network inspect other | jq -r '.[0].subnets[0].subnet')"
	[ -e "$T/networks/other.json" ]
	try network rm mine
	[ "$status" -ne 0 ]
	fl network rm other >/dev/null
}

@test "storage.conf chooses the driver of a new root" {
	printf '[storage]\ndriver = "vfs"\ngraphroot = "/nowhere"\n' >storage.conf
	export CONTAINERS_STORAGE_CONF=$T/storage.conf
	timeout $ENGINE_SECONDS "$FLOE" --root "$T/root" --runroot "$T/run" images >/dev/null
	is vfs "$(cat "$T/root/driver")"
	printf '[storage]\ndriver = "overlay"\n' >storage.conf
	timeout $ENGINE_SECONDS "$FLOE" --root "$T/root" --runroot "$T/run" images >/dev/null
	is vfs "$(cat "$T/root/driver")"
	printf '[storage]\ndriver = 5\n' >storage.conf
	run "$FLOE" --root "$T/new" --runroot "$T/run" images
	refused "storage.driver"
	run "$FLOE" --root "$T/root" --runroot "$T/run" --storage-opt overlay.size=1g images
	refused "--storage-opt 'overlay.size=1g'" "leave it out"
	"$FLOE" --root "$T/root" --runroot "$T/run" --storage-opt '' images
}

@test "a container stays with the runtime that it was made with" {
	local name=${ENGINE_RUNTIME##*/} program
	program=$(command -v "$ENGINE_RUNTIME")
	mkdir bin
	printf '#!/bin/sh\necho used >>%s\nexec %s "$@"\n' "$T/used" "$program" >"bin/$name"
	chmod +x "bin/$name"
	mine() { timeout $ENGINE_SECONDS "$FLOE" --root "$ENGINE/root" --runroot "$ENGINE/run" "${CGROUPS[@]}" "$@" 3>&- 4>&-; }
	mine --runtime "$T/bin/$name" create --name "$C" --network none --cgroup-parent "$CGROUP_PARENT" --rootfs "$ROOTFS" sleep 1000 >/dev/null
	# The default, another one by option, another one by file: none of them is this container's.
	mine start "$C" >/dev/null
	mine --runtime /no/such/runtime exec "$C" true
	is "$T/bin/$name" "$(inspect "$C" '{{.OCIRuntime}}')"
	conf <<<$'[engine]\nruntime = "nothing"'
	mine kill "$C" >/dev/null
	eventually state_is "$C" exited
	[ "$(wc -l <used)" -ge 4 ]
	# It is deleted by the same one, and may still have been to be.
	mine container cleanup "$C" >/dev/null
	# One that is elsewhere now.
	mv "bin/$name" "$name.moved"
	run mine start "$C"
	refused "find OCI runtime '$T/bin/$name' of container '$C'" "--runtime"
	fl start "$C" >/dev/null
	fl stop --time 0 "$C" >/dev/null
}
