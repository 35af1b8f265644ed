# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# podman as the client: see clients.bash. `pod` is podman with storage, state, configuration and cgroups of the test file's
# own; the image is `bb`.

load ../lib/clients

setup_file()
{
	podman_setup_file
}

podman_setup_file()
{
	local runtime

	need podman conmon crun
	clients_begin hide-unified
	setup
	podman_configure
	RUNTIME=floe-runtime
	tar -C "$ROOTFS" -c . | pod import - bb:latest >/dev/null
	# What is made once: so that it does not count as left behind by the first test.
	for runtime in "${RUNTIMES[@]}"; do
		RUNTIME=$runtime pod run --rm bb true || :
	done
}

# As an administrator would have it in /etc/containers/containers.conf (docs/clients.md), but for the places and the limits:
# podman's default ones are above what may be raised here.
podman_configure()
{
	cat >"$CLIENT/containers.conf" <<-CONF
		[containers]
		default_ulimits = ["nofile=1024:4096", "nproc=1000:1000"]
		netns = "none"
		log_driver = "k8s-file"
		init_path = "/usr/bin/docker-init"
		$(! is_systemd_driver || echo 'cgroups = "no-conmon"')
		[network]
		network_backend = "netavark"
		network_config_dir = "$CLIENT/networks"
		[engine]
		cgroup_manager = "$(client_manager)"
		events_logger = "file"
		tmp_dir = "$CLIENT/tmp"
		volume_path = "$CLIENT/volumes"
		runtime_supports_json = ["crun", "runc", "floe-runtime"]
		runtime_supports_nocgroup = ["crun", "floe-runtime"]
		conmon_env_vars = ["PATH=$PATH"]
		[engine.runtimes]
		floe-runtime = ["$FLOE_RUNTIME"]
		crun = ["$(command -v crun)"]
		runc = ["$(command -v runc)"]
	CONF
	export CONTAINERS_CONF=$CLIENT/containers.conf
}

setup()
{
	client_setup
	PODMAN=(podman --root "$CLIENT/root" --runroot "$CLIENT/run" --storage-driver vfs)
}

# Containers that the client makes go below the cgroup of this run. (`--cgroups=disabled` tolerates no such option; a user's
# are below the user's own.)
pod()
{
	local command=$1 arguments=("$@")
	case $command in
	run | create)
		is_rootless || [[ " $* " == *" --cgroups=disabled "* ]] ||
			arguments=("$command" --cgroup-parent "$(client_cgroup pod)" "${@:2}") ;;
	pod) touch "$CLIENT/has-pods" ;;
	esac
	timeout --kill-after=5 $CLIENT_SECONDS "${PODMAN[@]}" --runtime "$RUNTIME" "${arguments[@]}" 3>&- 4>&-
}

# on_terminal ROWS COLUMNS ARGUMENT...: podman on a terminal of that size. (Under timeout(1), without its --foreground, it
# would be in the background of the terminal.)
on_terminal()
{
	local rows=$1 columns=$2
	shift 2
	timeout --foreground $CLIENT_SECONDS script -qefc "stty rows $rows cols $columns
		exec $(printf '%q ' "${PODMAN[@]}" --runtime "$RUNTIME" "$@")" /dev/null 3>&- 4>&-
}

# Only what there is: three commands would take a fifth of a second after each scenario.
client_clean_up()
{
	if [ -e "$CLIENT/has-pods" ]; then
		pod pod rm -a -f -t 0 >/dev/null
		rm "$CLIENT/has-pods"
	fi
	if grep -q '"id"' "$CLIENT/root/vfs-containers/containers.json"; then
		pod rm -a -f -t 0 >/dev/null
	fi
	if [ -n "$(ls -A "$CLIENT/volumes" 2>/dev/null)" ]; then
		pod volume rm -a -f >/dev/null
	fi
}

teardown_file()
{
	# The process that holds a user's namespaces.
	! is_rootless || RUNTIME=floe-runtime pod system migrate
	clients_end podman
}

# inspect FORMAT [CONTAINER]
inspect()
{
	pod inspect --format "{{$1}}" "${2:-$C}"
}

pod_pid()
{
	inspect .State.Pid "${1:-$C}"
}

is_status()
{
	[ "$(inspect .State.Status "${2:-$C}" 2>/dev/null)" = "$1" ]
}

# A container that counts on its standard output, ten times a second.
pod_ticking()
{
	# shellcheck disable=SC2016 # for the shell of the container
	pod run -d --name "$C" "$@" bb sh -c 'i=0; while :; do i=$((i + 1)); echo "tick $i"; sleep 0.1; done' >/dev/null
}

# One that does nothing, but ends at once when it is asked to.
pod_idle()
{
	pod run -d --name "$C" "$@" bb sh -c 'trap "exit 0" TERM; while :; do sleep 0.1; done' >/dev/null
}

pod_last_tick()
{
	local line
	line=$(pod logs --tail 1 "${1:-$C}" 2>/dev/null | tr -dc 0-9)
	echo "${line:-0}"
}

pod_ticks_after()
{
	[ "$(pod_last_tick "${2:-$C}")" -gt "$1" ]
}
