#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# The configurations that docs/clients.md has for podman, Docker and containerd, taken from there, each with one container.

load ../lib/clients

setup_file()
{
	clients_begin hide-unified
}

setup()
{
	client_setup
}

teardown_file()
{
	clients_end clients
}

# block PLACE: the block of the document below the line that names that file, with this build's path.
block()
{
	awk -v place="\`$1\`" '
		index($0, place) { on = 1; next }
		on && /^    / { sub(/^    /, ""); print; seen = 1; next }
		seen && /^$/ { print; next }
		seen { exit }' "$SOURCE/docs/clients.md" | sed "s|/usr/local/bin/floe-runtime|$FLOE_RUNTIME|"
}

has_ended()
{
	! [ -e "/proc/$1" ] || grep -q '^State:.Z' "/proc/$1/status"
}

# end_daemon PID: a child of ours. One that does not heed the signal shall not keep the test.
end_daemon()
{
	kill "$1"
	eventually has_ended "$1" || kill -KILL "$1"
	wait "$1" || :
}

@test "podman with the configuration of docs/clients.md" {
	need podman conmon
	{
		block /etc/containers/containers.conf
		# Of this place, not of the runtime.
		cat <<-CONF
			[containers]
			default_ulimits = ["nofile=1024:4096", "nproc=1000:1000"]
			netns = "none"
			log_driver = "k8s-file"
		CONF
	} >"$T/containers.conf"
	# A table may be there once only; the rest comes by options.
	pod=(timeout "$CLIENT_SECONDS" podman --root "$CLIENT/root" --runroot "$CLIENT/run" --tmpdir "$CLIENT/tmp" --storage-driver vfs
		--cgroup-manager "$(client_manager)" --events-backend file)
	export CONTAINERS_CONF=$T/containers.conf
	tar -C "$ROOTFS" -c . | "${pod[@]}" import - bb:latest >/dev/null 2>&1 3>&- 4>&-
	[ "$("${pod[@]}" info --format '{{.Host.OCIRuntime.Name}} {{.Host.OCIRuntime.Path}}' 3>&- 4>&-)" = "floe-runtime $FLOE_RUNTIME" ]
	run "${pod[@]}" run --rm --cgroup-parent "$(client_cgroup conf)" bb echo hello 3>&- 4>&-
	[ "${lines[-1]}" = hello ] || fail "$output"
	# The runtime's own words: podman reads its log.
	run -127 "${pod[@]}" run --rm --cgroup-parent "$(client_cgroup conf)" bb /no/such 3>&- 4>&-
	contains "$output" /no/such
	run "${pod[@]}" run --rm --cgroups=disabled bb echo without 3>&- 4>&-
	[ "${lines[-1]}" = without ] || fail "$output"
}

@test "Docker with the configuration of docs/clients.md" {
	need dockerd containerd docker
	block /etc/docker/daemon.json >"$T/daemon.json"
	jq -e '.runtimes.floe.path' "$T/daemon.json"
	export DOCKER_HOST=unix://$T/docker.sock DOCKER_CONFIG=$T/cli
	dockerd --config-file "$T/daemon.json" --data-root "$T/data" --exec-root "$T/exec" -H "$DOCKER_HOST" --pidfile "$T/dockerd.pid" \
		--iptables=false --ip6tables=false --bridge=none --storage-driver vfs --cgroup-parent "$(client_cgroup daemon)" \
		--exec-opt "native.cgroupdriver=$(client_manager)" >"$T/log" 2>&1 </dev/null 3>&- 4>&- &
	daemon=$!
	dk=(timeout "$CLIENT_SECONDS" "$(PATH=/usr/bin:$PATH command -v docker)")
	eventually "${dk[@]}" version >/dev/null 2>&1 3>&- 4>&- || {
		end_daemon $daemon
		fail "$(cat "$T/log")"
	}
	tar -C "$ROOTFS" -c . | "${dk[@]}" import - bb >/dev/null 3>&- 4>&-
	runtime=$("${dk[@]}" info --format '{{.DefaultRuntime}} {{.ExperimentalBuild}}' 3>&- 4>&-)
	run "${dk[@]}" run --rm --network none bb echo hello 3>&- 4>&-
	end_daemon $daemon
	[ "$runtime" = "floe true" ]
	[ "$output" = hello ]
}

@test "containerd with the configuration of docs/clients.md" {
	need containerd
	block /etc/containerd/config.toml >"$T/config.toml"
	containerd --config "$T/config.toml" config dump >"$T/dump"
	grep -q 'default_runtime_name = "floe"' "$T/dump"
	grep -A20 'containerd.runtimes.floe.options\]' "$T/dump" | grep -qF "BinaryName = \"$FLOE_RUNTIME\""
}

@test "podman's, CRI-O's and the other blocks are there" {
	for place in /etc/containers/containers.conf /etc/docker/daemon.json /etc/containerd/config.toml /etc/crio/crio.conf.d/10-floe.conf; do
		contains "$(block $place)" "$FLOE_RUNTIME" || fail "$place"
	done
}
