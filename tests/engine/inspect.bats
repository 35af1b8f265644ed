#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What inspect shows, where podman's tests and scripts look for it.

load ../lib/engine

@test "inspect: ports, capabilities, arguments and signals as podman writes them" {
	# shellcheck disable=SC2119
	fl create --name "$C" --expose 8000-8001 --expose 99/udp --user 1:1 --cap-add net_admin --cap-drop CHOWN \
		--stop-signal 2 --entrypoint top --tmpfs /mnt -v "$C-vol:/data" --rootfs "$ROOTFS" -d 1 >/dev/null
	is '{"8000/tcp":null,"8001/tcp":null,"99/udp":null}' "$(inspect "$C" '{{json .NetworkSettings.Ports}}')"
	is '{"8000/tcp":{},"8001/tcp":{},"99/udp":{}}' "$(inspect "$C" '{{json .Config.ExposedPorts}}')"
	is '["CAP_NET_ADMIN"]["CAP_CHOWN"]' "$(inspect "$C" '{{json .HostConfig.CapAdd}}{{json .HostConfig.CapDrop}}')"
	# Others than root have what was asked for by name; the order is that of the alphabet.
	is '["CAP_NET_ADMIN"]' "$(inspect "$C" '{{json .EffectiveCaps}}')"
	is '"CAP_DAC_OVERRIDE" "CAP_SYS_CHROOT"' "$(inspect "$C" '{{json (index .BoundingCaps 0)}} {{json (index .BoundingCaps 10)}}')"
	is 'top ["-d","1"]' "$(inspect "$C" '{{.Path}} {{json .Args}}')"
	is SIGINT "$(inspect "$C" '{{.Config.StopSignal}}')"
	# Of tmpfs only HostConfig tells; the short names are podman's.
	is "1 /data" "$(inspect "$C" '{{len .Mounts}} {{(index .Mounts 0).Dst}}')"
	is "$(inspect "$C" '{{(index .Mounts 0).Source}}')" "$(inspect "$C" '{{(index .Mounts 0).Src}}')"
	is "x.Src y.Dst" "$(inspect "$C" '{{"x.Src"}} y.Dst')"
}

@test "inspect: what is mounted, how, and how Go prints it" {
	local dir
	for dir in a b c; do mkdir $dir; done
	fl create --name "$C" -v "$T/a:/a" -v "$T/b:/b:ro,rshared,z" -v "$T/c:/c:bind,noexec" -v "$C-vol:/vol" --mount "type=volume,src=$C-vol,dst=/part,subpath=/x" \
		--expose 99 --rootfs "$ROOTFS" true >/dev/null
	is '["rbind"] true rprivate .' "$(inspect "$C" '{{with index .Mounts 0}}{{json .Options}} {{.RW}} {{.Propagation}} {{.Mode}}.{{end}}')"
	is '["rbind"] false rshared z.' "$(inspect "$C" '{{with index .Mounts 1}}{{json .Options}} {{.RW}} {{.Propagation}} {{.Mode}}.{{end}}')"
	is '["bind","noexec"] true rprivate .' "$(inspect "$C" '{{with index .Mounts 2}}{{json .Options}} {{.RW}} {{.Propagation}} {{.Mode}}.{{end}}')"
	is '["nosuid","nodev","rbind"] local' "$(inspect "$C" '{{with index .Mounts 3}}{{json .Options}} {{.Driver}}{{end}}')"
	is /x "$(inspect "$C" '{{(index .Mounts 4).SubPath}}')"
	# Lists are of structs, sets have no values, and what is empty is a list.
	contains "$(inspect "$C" '{{.Mounts}}')" "[{bind $T/a /a  [rbind] true rprivate} {bind $T/b /b z [rbind] false rshared} "
	is "map[99/tcp:{}] map[99/tcp:[]]" "$(inspect "$C" '{{.Config.ExposedPorts}} {{.NetworkSettings.Ports}}')"
	fl rm -v "$C" >/dev/null
	fl volume rm -f "$C-vol" >/dev/null
}

@test "inspect: what podman leaves out where it is empty, and where the root is" {
	make_image seen-image
	fl create --name "$C-1" localhost/seen-image true >/dev/null
	fl create --name "$C-2" --tz UTC --init --systemd always --privileged --security-opt mask=/proc/uptime localhost/seen-image true >/dev/null
	what='[.[0] | .Config.Timezone, .Config.SystemdMode, .Config.ChrootDirs, .Config.Entrypoint, .HostConfig.Init, .HostConfig.VolumesFrom,
		.HostConfig.BlkioDeviceReadBps, .HostConfig.CgroupConf, .State.ConmonPid, .State.Checkpointed, .OCIConfigPath]'
	is '[null,null,null,null,null,null,null,null,null,null,null]' "$(fl inspect "$C-1" | jq -c "$what")"
	is '["UTC",true,null,null,true,null,null,null,null,null,null]' "$(fl inspect "$C-2" | jq -c "$what")"
	is " false [] false 0  false" "$(inspect "$C-1" '{{.Config.Timezone}} {{.Config.SystemdMode}} {{.Config.ChrootDirs}} {{.HostConfig.Init}} {{.State.ConmonPid}} {{.OCIConfigPath}} {{.State.Checkpointed}}')"
	is '[] ["unmask=all"]' "$(inspect "$C-1" '{{json .HostConfig.SecurityOpt}}') $(inspect "$C-2" '{{json .HostConfig.SecurityOpt}}')"
	is "overlay overlay" "$(inspect "$C-1" '{{.Driver}} {{.GraphDriver.Name}}')"
	fl inspect "$C-1" | jq -r '.[0].GraphDriver.Data | .LowerDir, .UpperDir, .WorkDir' >dirs
	is 3 "$(xargs -d '\n' stat -c %F <dirs | grep -c directory)"
	fl start --attach "$C-1"
	[ -e "$(inspect "$C-1" '{{.OCIConfigPath}}')" ]
	fl rm "$C-1" "$C-2" >/dev/null
	fl rmi seen-image >/dev/null
}

@test "inspect: all variables, before a start and after it, but no secrets; ps: exposed ports as numbers" {
	printf hush | fl secret create "$C" - >/dev/null
	fl create --name "$C" -t -e A=b --secret "$C,type=env,target=HUSH" --expose 80-81/udp --expose 80 --rootfs "$ROOTFS" true >/dev/null
	env_of() { inspect "$C" '{{range .Config.Env}}{{println .}}{{end}}' | sed '/^$/d' | xargs; }
	is "A=b PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin TERM=xterm container=podman" "$(env_of)"
	is '{"80":["udp","tcp"],"81":["udp"]}' "$(fl ps -a --format json | jq -c '.[0].ExposedPorts')"
	fl start --attach "$C"
	contains "$(env_of)" " HOME=" " HOSTNAME="
	run ! grep -q hush <<<"$(env_of)"
	fl secret rm "$C" >/dev/null
}

@test "inspect: host and none are networks by name" {
	for mode in host none; do
		fl create --name "$C-$mode" --network "$mode" --rootfs "$ROOTFS" true >/dev/null
		is "$mode $mode " "$(inspect "$C-$mode" '{{range $k, $v := .NetworkSettings.Networks}}{{$k}} {{$v.NetworkID}} {{$v.IPAddress}}{{end}}')"
	done
}

@test "inspect: what there is not is told where a container's record cannot be read, too" {
	command -v sqlite3 >/dev/null || skip "no sqlite3"
	fl create --name "$C" --rootfs "$ROOTFS" true >/dev/null
	sqlite3 -cmd ".timeout 20000" "$ENGINE/root/floe.db" "UPDATE containers SET config = '{' || config"
	try inspect nothing
	contains "$output" 'no such object: "nothing"' || return 1
	sqlite3 -cmd ".timeout 20000" "$ENGINE/root/floe.db" "UPDATE containers SET config = substr(config, 2)"
}

@test "inspect: networks, and what cannot be looked for" {
	is "bridge" "$(fl inspect --format '{{.driver}}' podman)"
	is "podman0" "$(fl inspect --type network podman | jq -r '.[0].network_interface')"
	try inspect --type network "$C"
	is 125 "$status"
	contains "$output" "unable to find network with name or ID $C: network not found" "[]"
	try inspect nothing
	is 125 "$status"
	contains "$output" 'no such object: "nothing"' "[]"
	try inspect
	refused "no names or ids specified"
	try inspect --latest "$C"
	refused "--latest and arguments cannot be used together"
	try inspect --format '{{.Nothing}}' podman
	refused "can't evaluate field Nothing"
	try inspect --type network --size podman
	refused 'size is not supported for type "network"'
}
