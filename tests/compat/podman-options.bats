#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# What podman's options to run and create ask of a runtime: namespaces, mounts, limits, rights, the process.

# shellcheck disable=SC2317 # scenario() is called by compare_runtimes
# shellcheck disable=SC2016 # what is in single quotes is for the shell of the container
# shellcheck disable=SC2153 # $RUNTIME is no misspelling

RUNTIMES=(crun floe-runtime)
load ../lib/podman

# in_status PATTERN OPTION...: a line of the container process's /proc/self/status.
in_status()
{
	local pattern=$1
	shift
	output=$(pod run --rm "$@" bb cat /proc/self/status)
	grep -qE "^$pattern$" <<<"$output" || fail "not found: $pattern" "in: $output"
}

# has_limit FILE VALUE OPTION...: contents of a file of the container's cgroup.
has_limit()
{
	local file=$1 expected=$2 value
	shift 2
	pod_idle "$@"
	value=$(cgroup_file "$(pod_pid)" "$file")
	pod rm -f -t 0 "$C" >/dev/null
	[ "$value" = "$expected" ] || fail "$file: '$value' instead of '$expected' with $*"
}

# --- user namespaces ----------------------------------------------------------------------------------------------------

@test "--uidmap, --gidmap" {
	scenario()
	{
		prints "0 100000 5000" pod run --rm --uidmap 0:100000:5000 bb sh -c 'echo $(cat /proc/self/uid_map)'
		prints "0 200000 6000" pod run --rm --uidmap 0:100000:5000 --gidmap 0:200000:6000 bb \
			sh -c 'echo $(cat /proc/self/gid_map)'
		prints 33 pod run --rm --uidmap 0:100000:5000 --user 33 bb id -u
		prints 127.0.0.1 pod run --rm --uidmap 0:100000:5000 bb sh -c 'ip -o a show lo | grep -o 127.0.0.1'
	}
	compare_runtimes
}

@test "--userns: the processes are nobody special outside" {
	scenario()
	{
		pod_idle --uidmap 0:100000:5000 -m 64m
		[ "$(proc_status "$(pod_pid)" Uid | cut -f 1)" = 100000 ]
		prints 0 pod exec "$C" id -u
		prints "0 100000 5000" pod exec "$C" sh -c 'echo $(cat /proc/self/uid_map)'
		prints /dev/pts/0 pod run --rm -t --uidmap 0:100000:5000 bb tty
		pod pause "$C"
		pod unpause "$C"
		pod stop -t 5 "$C"
		prints 0 inspect .State.ExitCode
	}
	compare_runtimes
}

@test "--uidmap --device: a node that belongs to the container" {
	scenario()
	{
		prints "1:5 0:0" pod run --rm --uidmap 0:100000:5000 --device /dev/zero:/dev/mine bb stat -c %t:%T\ %u:%g /dev/mine
		prints 3 pod run --rm --uidmap 0:100000:5000 --device /dev/zero:/dev/mine bb sh -c 'head -c 3 /dev/mine | wc -c'
	}
	compare_runtimes
}

@test "--group-add keep-groups: the caller's" {
	scenario()
	{
		PODMAN=(setpriv --groups "0,1234" "${PODMAN[@]}")
		says 1234 pod run --rm --group-add keep-groups bb id -G
		never_says 1234 pod run --rm bb id -G
	}
	compare_runtimes
}

@test "--userns container: another container's" {
	scenario()
	{
		pod_idle --uidmap 0:100000:5000
		prints "$(readlink "/proc/$(pod_pid)/ns/user")" pod run --rm --userns "container:$C" bb readlink /proc/self/ns/user
	}
	compare_runtimes
}

@test "--userns: volumes, tmpfs, read-only root, masked paths" {
	scenario()
	{
		mkdir -m 777 shared
		prints "0 ok" pod run --rm --uidmap 0:100000:5000 --read-only -v "$T/shared:/shared" --tmpfs /scratch bb \
			sh -c 'echo ok >/scratch/f; touch /shared/f; ! touch /x 2>/dev/null && echo $(wc -c </proc/timer_list) $(cat /scratch/f)'
		[ "$(stat -c %u shared/f)" = 100000 ]
		mkdir owned
		prints 0 pod run --rm --uidmap 0:100000:5000 -v "$T/owned:/owned:U" bb stat -c %u /owned
	}
	compare_runtimes
}

@test "volumes: idmap" {
	scenario()
	{
		mkdir -m 755 mapped
		touch mapped/file
		prints 0 pod run --rm --uidmap 0:100000:5000 -v "$T/mapped:/mapped:idmap" bb stat -c %u /mapped/file
		pod run --rm --uidmap 0:100000:5000 -v "$T/mapped:/mapped:idmap" bb touch /mapped/new
		[ "$(stat -c %u mapped/new)" = 0 ]
	}
	compare_runtimes
}

# --- other namespaces ---------------------------------------------------------------------------------------------------

@test "--pid: private, host, container:" {
	scenario()
	{
		prints 1 pod run --rm bb sh -c 'echo $$'
		prints "$(readlink /proc/self/ns/pid)" pod run --rm --pid host bb readlink /proc/self/ns/pid
		pod_idle
		says trap pod run --rm --pid "container:$C" bb ps
		prints "$(readlink "/proc/$(pod_pid)/ns/pid")" pod run --rm --pid "container:$C" bb readlink /proc/self/ns/pid
	}
	compare_runtimes
}

@test "--pid host: kill, stop and rm reach all processes" {
	scenario()
	{
		pod run -d --name "$C" --pid host bb sh -c 'sh -c "trap \"\" TERM HUP; while :; do sleep 0.1; done" & sleep 1000' \
			>/dev/null
		pod stop -t 1 "$C"
		prints exited inspect .State.Status
		pod rm "$C"
	}
	compare_runtimes
}

@test "--ipc: private, host, container:, none" {
	scenario()
	{
		prints "$(readlink /proc/self/ns/ipc)" pod run --rm --ipc host bb readlink /proc/self/ns/ipc
		pod_idle --ipc shareable
		prints "$(readlink "/proc/$(pod_pid)/ns/ipc")" pod run --rm --ipc "container:$C" bb readlink /proc/self/ns/ipc
		pod exec "$C" touch /dev/shm/seen
		prints /dev/shm/seen pod run --rm --ipc "container:$C" bb ls /dev/shm/seen
		pod run --rm --ipc none bb true
	}
	compare_runtimes
}

@test "--uts and --hostname" {
	scenario()
	{
		prints "$(hostname)" pod run --rm --uts host bb hostname
		prints named pod run --rm --hostname named bb hostname
		[ "$(hostname)" != named ]
		pod_idle --hostname shared
		prints shared pod run --rm --uts "container:$C" bb hostname
	}
	compare_runtimes
}

@test "--network: none, host, container:, ns:" {
	scenario()
	{
		prints lo pod run --rm --network none bb ls /sys/class/net
		prints "$(readlink /proc/self/ns/net)" pod run --rm --network host bb readlink /proc/self/ns/net
		pod_idle
		prints "$(readlink "/proc/$(pod_pid)/ns/net")" pod run --rm --network "container:$C" bb readlink /proc/self/ns/net
		prints "$(readlink "/proc/$(pod_pid)/ns/net")" pod run --rm --network "ns:/proc/$(pod_pid)/ns/net" bb \
			readlink /proc/self/ns/net
	}
	compare_runtimes
}

@test "--network: a bridge of netavark, with and without a user namespace" {
	scenario()
	{
		command -v netavark >/dev/null || [ -x /usr/lib/podman/netavark ]
		pod_idle --network podman
		address=$(inspect .NetworkSettings.IPAddress)
		says "1 packets received" pod run --rm --network podman bb ping -c 1 -W 5 "$address"
		says "1 packets received" pod run --rm --network podman --uidmap 0:100000:5000 --cap-add NET_RAW bb \
			ping -c 1 -W 5 "$address"
	}
	compare_runtimes
}

@test "--cgroupns: host and private" {
	scenario()
	{
		says libpod- pod run --rm --cgroupns host bb cat /proc/self/cgroup
		never_says libpod- pod run --rm --cgroupns private bb cat /proc/self/cgroup
		says cgroup pod run --rm --cgroupns private bb mount
	}
	compare_runtimes
}

@test "--sysctl" {
	scenario()
	{
		prints 4242 pod run --rm --sysctl net.core.somaxconn=4242 bb cat /proc/sys/net/core/somaxconn
		prints 9999 pod run --rm --sysctl kernel.msgmax=9999 bb cat /proc/sys/kernel/msgmax
		exits 125 pod run --rm --network host --sysctl net.core.somaxconn=4242 bb true
	}
	compare_runtimes
}

# --- mounts -------------------------------------------------------------------------------------------------------------

@test "volumes: bind, read-only and not" {
	scenario()
	{
		mkdir -p shared
		echo here >shared/file
		prints here pod run --rm -v "$T/shared:/data" bb cat /data/file
		pod run --rm -v "$T/shared:/data" bb sh -c 'echo written >/data/new'
		file_is shared/new written
		exits 1 pod run --rm -v "$T/shared:/data:ro" bb touch /data/refused
		contains "$output" "Read-only file system"
		prints here pod run --rm -v "$T/shared/file:/one-file:ro" bb cat /one-file
		pod_idle -v "$T/shared:/data"
		prints here pod exec "$C" cat /data/file
	}
	compare_runtimes
}

@test "volumes: named, copied up, shared" {
	scenario()
	{
		pod run --rm -v "$C-v:/etc" bb sh -c 'grep -q root /etc/passwd && echo kept >/etc/kept'
		prints kept pod run --rm -v "$C-v:/data" bb cat /data/kept
		pod_idle -v "$C-v:/data"
		prints kept pod run --rm --volumes-from "$C" bb cat /data/kept
	}
	compare_runtimes
}

@test "volumes: noexec, nosuid, nodev, overlay, propagation" {
	scenario()
	{
		mkdir -p source
		printf '#!/bin/sh\necho ran\n' >source/script
		chmod +x source/script
		prints ran pod run --rm -v "$T/source:/s:exec" bb /s/script
		exits 126 pod run --rm -v "$T/source:/s:noexec" bb /s/script
		says nosuid,nodev pod run --rm -v "$T/source:/s:nosuid,nodev" bb grep ' /s ' /proc/mounts
		prints kept pod run --rm -v "$T/source:/s:O" bb sh -c 'echo kept >/s/kept; cat /s/kept'
		[ ! -e source/kept ]
		says shared: pod run --rm -v "$T/source:/s:rshared" bb grep ' /s ' /proc/self/mountinfo
		says master: pod run --rm -v "$T/source:/s:rslave" bb grep ' /s ' /proc/self/mountinfo
		never_says shared: pod run --rm -v "$T/source:/s:private" bb grep ' /s ' /proc/self/mountinfo
	}
	compare_runtimes
}

@test "a mount made outside arrives under rslave" {
	scenario()
	{
		mkdir -p slave/in
		pod_idle -v "$T/slave:/s:rslave"
		mount -t tmpfs later "$T/slave/in"
		pod exec "$C" cat /proc/mounts >mounts || :
		umount "$T/slave/in"
		file_contains mounts " /s/in "
		never_says " /s/in " pod exec "$C" cat /proc/mounts
	}
	compare_runtimes
}

@test "--tmpfs, --mount type=tmpfs, --shm-size" {
	scenario()
	{
		says size=64k pod run --rm --tmpfs /t:size=64k,mode=1700 bb grep ' /t ' /proc/mounts
		prints 1700 pod run --rm --tmpfs /t:size=64k,mode=1700 bb stat -c %a /t
		says size=128k pod run --rm --mount type=tmpfs,dst=/t,tmpfs-size=128k bb grep ' /t ' /proc/mounts
		says size=2048k pod run --rm --shm-size 2m bb grep ' /dev/shm ' /proc/mounts
		# tmpcopyup is podman's default for --tmpfs.
		says root: pod run --rm --tmpfs /etc bb cat /etc/passwd
	}
	compare_runtimes
}

@test "--mount type=bind and type=devpts" {
	scenario()
	{
		mkdir -p tree/sub
		prints sub pod run --rm --mount "type=bind,src=$T/tree,dst=/tree,ro=true,bind-propagation=rprivate" bb ls /tree
		says devpts pod run --rm --mount type=devpts,dst=/more-pts bb grep ' /more-pts ' /proc/mounts
	}
	compare_runtimes
}

@test "--read-only, with and without writable tmpfs" {
	scenario()
	{
		exits 1 pod run --rm --read-only bb touch /x
		contains "$output" "Read-only file system"
		pod run --rm --read-only bb touch /tmp/x /run/x
		exits 1 pod run --rm --read-only --read-only-tmpfs=false bb touch /tmp/x
	}
	compare_runtimes
}

@test "secrets" {
	scenario()
	{
		echo hidden | pod secret create "$C-secret" - >/dev/null
		prints hidden pod run --rm --secret "$C-secret" bb cat "/run/secrets/$C-secret"
		prints hidden pod run --rm --secret "$C-secret,type=env,target=WORD" bb sh -c 'echo $WORD'
		pod secret rm "$C-secret" >/dev/null
	}
	compare_runtimes
}

# --- limits -------------------------------------------------------------------------------------------------------------

@test "-m, --memory-swap, --memory-reservation" {
	scenario()
	{
		is_cgroup_v2 || has_limit memory.limit_in_bytes 67108864 -m 64m
		is_cgroup_v2 || has_limit memory.memsw.limit_in_bytes 83886080 -m 64m --memory-swap 80m
		is_cgroup_v2 || has_limit memory.soft_limit_in_bytes 33554432 --memory-reservation 32m
	}
	compare_runtimes
}

@test "--cpus, --cpu-shares, --cpu-quota, --cpuset-cpus" {
	scenario()
	{
		is_cgroup_v2 || has_limit cpu.cfs_quota_us 50000 --cpus 0.5
		is_cgroup_v2 || has_limit cpu.shares 300 --cpu-shares 300
		is_cgroup_v2 || has_limit cpu.cfs_quota_us 20000 --cpu-period 50000 --cpu-quota 20000
		has_limit cpuset.cpus 0 --cpuset-cpus 0
		prints 0 pod run --rm --cpuset-cpus 0 bb sh -c 'grep Cpus_allowed_list /proc/self/status | cut -f 2'
	}
	compare_runtimes
}

@test "--pids-limit: also enforced" {
	scenario()
	{
		has_limit pids.max 33 --pids-limit 33
		has_limit pids.max max --pids-limit -1
		exits 2 pod run --rm --pids-limit 3 bb sh -c 'for i in 1 2 3 4 5 6; do sleep 100 & done; wait'
		contains "$output" "can't fork"
	}
	compare_runtimes
}

@test "--device-read-bps, --blkio-weight" {
	scenario()
	{
		local device
		device=$(lsblk -dno PATH | head -n 1)
		[ -b "$device" ]
		is_cgroup_v2 || has_limit blkio.throttle.read_bps_device "$(lsblk -dno MAJ:MIN "$device" | tr -d ' ') 1048576" \
			--device-read-bps "$device:1mb"
	}
	compare_runtimes
}

@test "--ulimit, --oom-score-adj" {
	scenario()
	{
		prints "77 99" pod run --rm --ulimit nofile=77:99 --ulimit nproc=1000:1000 bb \
			sh -c 'echo $(ulimit -Sn) $(ulimit -Hn)'
		prints 0 pod run --rm --ulimit core=0:0 --ulimit nofile=99 --ulimit nproc=1000:1000 bb sh -c 'ulimit -c'
		prints 500 pod run --rm --oom-score-adj 500 bb cat /proc/self/oom_score_adj
	}
	compare_runtimes
}

# --- rights -------------------------------------------------------------------------------------------------------------

@test "--cap-drop, --cap-add" {
	scenario()
	{
		in_status 'CapEff:.0000000000000000' --cap-drop all
		in_status 'CapBnd:.0000000000001000' --cap-drop all --cap-add NET_ADMIN
		in_status 'CapEff:.0000000000001000' --cap-drop all --cap-add NET_ADMIN
		in_status 'CapEff:.0000000000000000' --user 1000
		# Of a user that is not root: in the ambient set too.
		in_status 'CapEff:.0000000000001000' --user 1000 --cap-add NET_ADMIN
	}
	compare_runtimes
}

@test "--security-opt no-new-privileges" {
	scenario()
	{
		in_status 'NoNewPrivs:.0'
		in_status 'NoNewPrivs:.1' --security-opt no-new-privileges
	}
	compare_runtimes
}

@test "--security-opt seccomp: default, unconfined, a file" {
	scenario()
	{
		in_status 'Seccomp:.2'
		in_status 'Seccomp:.0' --security-opt seccomp=unconfined
		cat >profile.json <<-PROFILE
			{ "defaultAction": "SCMP_ACT_ALLOW", "architectures": [ "SCMP_ARCH_X86_64" ],
			  "syscalls": [ { "names": [ "mkdir", "mkdirat" ], "action": "SCMP_ACT_ERRNO", "errnoRet": 95 } ] }
		PROFILE
		exits 1 pod run --rm --security-opt "seccomp=$T/profile.json" bb mkdir /x
		contains "$output" "not supported"
		pod run --rm --security-opt "seccomp=$T/profile.json" bb touch /x
	}
	compare_runtimes
}

@test "--security-opt mask, unmask, proc-opts" {
	scenario()
	{
		prints 0 pod run --rm bb sh -c 'wc -c </proc/timer_list'
		prints "" pod run --rm --security-opt mask=/proc/version bb cat /proc/version
		exits 1 pod run --rm bb sh -c 'echo 1 >/proc/sys/kernel/msgmax'
		says rw, pod run --rm --security-opt unmask=ALL bb sh -c 'grep " /proc " /proc/mounts'
		never_says "/proc/sys" pod run --rm --security-opt unmask=ALL bb cat /proc/mounts
		says hidepid pod run --rm --security-opt proc-opts=hidepid=2 bb grep ' /proc ' /proc/mounts
	}
	compare_runtimes
}

@test "--privileged" {
	scenario()
	{
		in_status 'Seccomp:.0' --privileged
		[ "$(pod run --rm --privileged bb sh -c 'ls /dev | wc -l')" -gt "$(pod run --rm bb sh -c 'ls /dev | wc -l')" ]
		pod run --rm --privileged bb sh -c 'mkdir /m && mount -t tmpfs t /m'
		exits 1 pod run --rm bb sh -c 'mkdir /m && mount -t tmpfs t /m'
	}
	compare_runtimes
}

@test "--device: the node, its rights" {
	scenario()
	{
		prints "1:5" pod run --rm --device /dev/zero:/dev/mine bb stat -c %t:%T /dev/mine
		pod run --rm --device /dev/fuse:/dev/mine:rw bb sh -c ': <>/dev/mine'
		exits 1 pod run --rm --device /dev/fuse:/dev/mine:r bb sh -c ': >/dev/mine'
		exits 1 pod run --rm --cap-add MKNOD bb sh -c 'mknod /dev/mine c 10 229 && : </dev/mine'
		pod run --rm --cap-add MKNOD --device-cgroup-rule 'c 10:229 rwm' bb sh -c 'mknod /dev/mine c 10 229 && : </dev/mine'
	}
	compare_runtimes
}

# --- the process --------------------------------------------------------------------------------------------------------

@test "--user by number and by name, --group-add" {
	scenario()
	{
		prints "1000 2000" pod run --rm --user 1000:2000 bb sh -c 'echo $(id -u) $(id -g)'
		prints daemon pod run --rm --user daemon bb id -un
		says 3333 pod run --rm --user 1000 --group-add 3333 bb id -G
		exits 1 pod run --rm --user 1000 bb touch /root-only
		pod run --rm --user 1000 bb sh -c 'echo >/dev/stdout'
	}
	compare_runtimes
}

@test "--workdir, also one that is not there" {
	scenario()
	{
		prints /tmp pod run --rm --workdir /tmp bb pwd
		exits 126 pod run --rm --workdir /not/there bb pwd
	}
	compare_runtimes
}

@test "--env, --env-file, --entrypoint, --umask" {
	scenario()
	{
		prints "a b" pod run --rm --env VAR="a b" bb sh -c 'echo "$VAR"'
		printf 'ONE=1\nTWO=2\n' >./env
		prints 12 pod run --rm --env-file ./env bb sh -c 'echo $ONE$TWO'
		prints "echoed this" pod run --rm --entrypoint '["echo", "echoed"]' bb this
		prints 0027 pod run --rm --umask 0027 bb sh -c umask
	}
	compare_runtimes
}

@test "--personality" {
	scenario()
	{
		prints i686 pod run --rm --personality LINUX32 bb uname -m
	}
	compare_runtimes
}

@test "--init: a process 1 that collects orphans" {
	[ -x /usr/bin/docker-init ] || skip "no docker-init (docker.io)"
	scenario()
	{
		says init pod run --rm --init bb cat /proc/1/cmdline
		exits 5 pod run --rm --init bb sh -c 'exit 5'
		pod run -d --name "$C" --init bb sh -c 'sh -c "sleep 0.1 & exec true"; exec tail -f /dev/null' >/dev/null
		eventually never_says sleep pod top "$C" comm
		never_says Z pod top "$C" state
		pod stop -t 5 "$C"
		prints 143 inspect .State.ExitCode
	}
	compare_runtimes
}

@test "--systemd always" {
	scenario()
	{
		says tmpfs pod run --rm --systemd always bb grep ' /run ' /proc/mounts
		pod run --rm --systemd always bb sh -c 'for d in /run /run/lock /tmp /var/log/journal; do touch $d/x; done'
	}
	compare_runtimes
}

@test "--annotation, --label, --pidfile, --cidfile" {
	scenario()
	{
		pod_idle --annotation org.example.key=value --pidfile "$T/$RUNTIME.pid" --cidfile "$T/$RUNTIME.cid"
		prints value inspect 'index .Config.Annotations "org.example.key"'
		file_is "$RUNTIME.pid" "$(pod_pid)"
		prints running inspect .State.Status "$(cat "$RUNTIME.cid")"
	}
	compare_runtimes
}
