#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# podman on cgroup version 2 as Debian sets it up: overlay storage, seccomp and AppArmor profiles, netavark for root and pasta
# for a user; with the cgroup manager of the mode. Without a sandbox (guest/suite): crun and podman name processes to systemd by
# their numbers. tests/compat has the same client in all its breadth.

# shellcheck disable=SC2317 # scenario() is called by compare_runtimes
# shellcheck disable=SC2016 # what is in single quotes is for the shell of the container
# shellcheck disable=SC2153 # $RUNTIME is no misspelling

RUNTIMES=(crun floe-runtime)
load ../lib/clients

setup_file()
{
	export BATS_TEST_TIMEOUT=400
	FLOE_CRIU=$("$SOURCE/tools/install-criu" --print)
	export FLOE_CRIU PATH=${FLOE_CRIU%/*}:$PATH
	mkdir -p "$BATS_FILE_TMPDIR/client"
	setup
	cat >"$CLIENT/containers.conf" <<-CONF
		[containers]
		log_driver = "k8s-file"
		[engine]
		cgroup_manager = "$(client_manager)"
		events_logger = "file"
		tmp_dir = "$CLIENT/tmp"
		volume_path = "$CLIENT/volumes"
		runtime_supports_json = ["crun", "floe-runtime"]
		conmon_env_vars = ["PATH=$PATH"]
		[engine.runtimes]
		floe-runtime = ["$FLOE_RUNTIME"]
		crun = ["$(command -v crun)"]
	CONF
	export CONTAINERS_CONF=$CLIENT/containers.conf
	tar -C "$ROOTFS" -c . | RUNTIME=crun pod import - bb:latest >/dev/null
}

teardown_file()
{
	CLIENT=$BATS_FILE_TMPDIR/client RUNTIME=crun
	if is_rootless; then
		pod unshare rm -rf "$CLIENT/root" "$CLIENT/volumes"
		pod system migrate
	else
		umount "$CLIENT/root/overlay" 2>/dev/null || :
	fi
	print_table podman
}

pod()
{
	timeout --kill-after=5 $CLIENT_SECONDS podman --root "$CLIENT/root" --runroot "$CLIENT/run" --runtime "$RUNTIME" "$@" 3>&- 4>&-
}

client_clean_up()
{
	pod pod rm -a -f -t 0 >/dev/null
	pod rm -a -f -t 0 >/dev/null
	pod volume rm -a -f >/dev/null
}

# What concerns this file's containers only: others run beside it.
take_inventory()
{
	pgrep -af "$CLIENT" | grep -v 'bats\|podman pause\|aardvark\|pgrep' || :
	find /sys/fs/cgroup -name 'libpod-*' -printf 'cgroup %p\n' || :
	grep -F "$CLIENT" /proc/self/mountinfo | grep -v ' overlay$\| /[^ ]*/root/overlay ' | sed 's/^[0-9 :]*/mount /' || :
	find "${XDG_RUNTIME_DIR:-/run}/floe-runtime" -mindepth 1 ! -path '*/.*' -printf 'file %p\n' 2>/dev/null || :
}

inspect()
{
	pod inspect --format "{{$1}}" "${2:-$C}"
}

idle()
{
	pod run -d --name "$C" "$@" bb sh -c 'trap "exit 0" TERM; while :; do sleep 0.1; done' >/dev/null
}

# The container's cgroup, as the machine has it.
cgroup_of()
{
	sed -n 's/^0:://p' "/proc/$(inspect .State.Pid)/cgroup"
}

# What the user's systemd has delegated (guest/suite).
user_cgroup()
{
	sed -n 's/^0:://p' /proc/self/cgroup | sed 's|/tests-[0-9]*$||'
}

@test "exit codes, output and input" {
	scenario()
	{
		prints hello pod run --rm bb echo hello
		exits 3 pod run --rm bb sh -c 'exit 3'
		exits 127 pod run --rm bb no-such-command
		exits 126 pod run --rm bb /etc/passwd
		[ "$(echo words | pod run --rm -i bb cat)" = words ]
	}
	compare_runtimes
}

@test "the container's cgroup is where the manager puts it" {
	scenario()
	{
		idle
		cgroup_of
		case $(client_manager):$UID in
		systemd:0) [[ $(cgroup_of) == /machine.slice/libpod-*.scope* ]] ;;
		systemd:*) [[ $(cgroup_of) == /user.slice/user-$UID.slice/user@$UID.service/user.slice/libpod-*.scope* ]] ;;
		cgroupfs:0) [[ $(cgroup_of) == /libpod_parent/libpod-* ]] ;;
		*) [[ $(cgroup_of) == "$(user_cgroup)"/*"$(inspect .Id)" ]] ;;
		esac
		prints 0::/ pod exec "$C" cat /proc/self/cgroup
		says memory pod exec "$C" cat /sys/fs/cgroup/cgroup.controllers
	}
	compare_runtimes
}

@test "limits are in force, and updated" {
	scenario()
	{
		idle -m 64m --pids-limit 42 --cpus 0.5
		says 67108864 pod exec "$C" sh -c 'cat /sys/fs/cgroup/memory.max'
		says 42 pod exec "$C" sh -c 'cat /sys/fs/cgroup/pids.max'
		says "50000 100000" pod exec "$C" sh -c 'cat /sys/fs/cgroup/cpu.max'
		pod update -m 96m --cpus 0.25 "$C" >/dev/null
		says 100663296 pod exec "$C" sh -c 'cat /sys/fs/cgroup/memory.max'
		says "25000 100000" pod exec "$C" sh -c 'cat /sys/fs/cgroup/cpu.max'
	}
	compare_runtimes
}

@test "what wants too much memory is killed, and podman says so" {
	scenario()
	{
		exits 137 pod run --name "$C" -m 32m --memory-swap 32m bb sh -c 'x=$(dd if=/dev/zero bs=1M count=64 | tr "\0" a)'
		# conmon 2.1.12 looks at what the kernel has counted when the container has ended, and systemd may have removed it by
		# then (conmon's issue 426).
		[ "$(client_manager)" = systemd ] || prints true inspect .State.OOMKilled
	}
	compare_runtimes
}

@test "exec: output, exit code, user, terminal" {
	scenario()
	{
		idle
		prints hello pod exec "$C" echo hello
		exits 7 pod exec "$C" sh -c 'exit 7'
		prints 55 pod exec --user 55 "$C" id -u
		prints /dev/pts/0 timeout $CLIENT_SECONDS script -qec "podman --root $CLIENT/root --runroot $CLIENT/run --runtime $RUNTIME \
			exec -t $C tty" /dev/null
		exits 127 pod exec "$C" no-such-command
	}
	compare_runtimes
}

@test "logs, top, stats" {
	scenario()
	{
		pod run -d --name "$C" bb sh -c 'echo started; trap "exit 0" TERM; while :; do sleep 0.1; done' >/dev/null
		eventually says started pod logs "$C"
		says sleep pod top "$C" args
		says "$C" pod stats --no-stream --format '{{.Name}} {{.MemUsageBytes}}' "$C"
		[[ $output != *" 0B / "* ]]
	}
	compare_runtimes
}

@test "pause, unpause, kill, stop, restart" {
	scenario()
	{
		idle
		pod pause "$C"
		prints paused inspect .State.Status
		pod unpause "$C"
		prints running inspect .State.Status
		pod restart -t 10 "$C"
		pod stop -t 10 "$C"
		prints 0 inspect .State.ExitCode
		pod start "$C"
		pod kill "$C"
		prints 137 pod wait "$C"
	}
	compare_runtimes
}

@test "a health check, by the container's own command" {
	scenario()
	{
		idle --health-cmd 'test -e /tmp/well' --health-interval disable
		exits 1 pod healthcheck run "$C"
		pod exec "$C" touch /tmp/well
		exits 0 pod healthcheck run "$C"
		says healthy inspect .State.Health.Status
	}
	compare_runtimes
}

@test "user namespaces" {
	scenario()
	{
		if is_rootless; then
			prints "$UID" pod run --rm --userns keep-id bb id -u
			prints 0 pod run --rm bb id -u
		else
			says "100000" pod run --rm --uidmap 0:100000:5000 --gidmap 0:100000:5000 bb cat /proc/self/uid_map
		fi
		mkdir "$T/data"
		chmod 777 "$T/data"
		prints 33 pod run --rm --user 33 -v "$T/data:/data" bb sh -c 'echo x >/data/file; stat -c %u /data/file'
		pod run --rm -v "$T/data:/data" bb rm /data/file
	}
	compare_runtimes
}

@test "volumes, tmpfs and a read-only root" {
	scenario()
	{
		pod run --rm -v kept:/kept bb sh -c 'echo words >/kept/file'
		prints words pod run --rm -v kept:/kept:ro bb cat /kept/file
		exits 1 pod run --rm -v kept:/kept:ro bb touch /kept/other
		exits 1 pod run --rm --read-only bb touch /new
		exits 0 pod run --rm --read-only --tmpfs /scratch:size=1m bb touch /scratch/new
	}
	compare_runtimes
}

@test "a pod: one network, one IPC, a cgroup for all" {
	scenario()
	{
		pod pod create --name "$C-pod" >/dev/null
		pod run -d --name "$C" --pod "$C-pod" bb sh -c 'trap "exit 0" TERM; while :; do sleep 0.1; done' >/dev/null
		prints Running pod pod inspect --format '{{.State}}' "$C-pod"
		prints "$(pod inspect --format '{{.State.Pid}}' "$C")" pgrep -P "$(pod inspect --format '{{.State.ConmonPid}}' "$C")"
		pod pod pause "$C-pod" >/dev/null
		prints paused inspect .State.Status
		pod pod unpause "$C-pod" >/dev/null
		pod pod stop -t 10 "$C-pod" >/dev/null
		pod pod rm "$C-pod" >/dev/null
	}
	compare_runtimes
}

@test "the default network, and a published port" {
	scenario()
	{
		pod run -d --name "$C" -p 127.0.0.1:18280:80 bb sh -c 'echo served >/index.html; trap "exit 0" TERM
			httpd -p 80 -h /; while :; do sleep 0.1; done' >/dev/null
		eventually says served python3 -c 'import urllib.request as u; print(u.urlopen("http://127.0.0.1:18280/", timeout=5).read())'
	}
	compare_runtimes
}

@test "seccomp, capabilities and AppArmor as podman wants them" {
	scenario()
	{
		says 2 pod run --rm bb sed -n 's/^Seccomp:[[:space:]]*//p' /proc/self/status
		prints "$(RUNTIME=crun pod run --rm bb grep ^Cap /proc/self/status)" pod run --rm bb grep ^Cap /proc/self/status
		is_rootless || says "(enforce)" pod run --rm bb cat /proc/self/attr/current
		says 0 pod run --rm --privileged bb sed -n 's/^Seccomp:[[:space:]]*//p' /proc/self/status
	}
	compare_runtimes
}

@test "checkpoint and restore, in place and by an archive" {
	! is_rootless || skip "only root can: freeze a container"
	scenario()
	{
		pod run -d --name "$C" bb sh -c 'i=0; while :; do i=$((i + 1)); echo "tick $i"; sleep 0.1; done' >/dev/null
		eventually says "tick 3" pod logs "$C"
		pod container checkpoint "$C" >/dev/null
		prints exited inspect .State.Status
		pod container restore "$C" >/dev/null
		prints running inspect .State.Status
		pod container checkpoint --export "$T/archive.tar.zst" "$C" >/dev/null
		pod rm -f -t 0 "$C" >/dev/null
		pod container restore --import "$T/archive.tar.zst" --name "$C-moved" >/dev/null
		prints running inspect .State.Status "$C-moved"
		pod logs "$C-moved" | grep -q tick || eventually says tick pod logs "$C-moved"
		prints sh pod exec "$C-moved" cat /proc/1/comm
	}
	compare_runtimes
}
