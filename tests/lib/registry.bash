# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# Debian's docker-registry on loopback, for one test file, and the configuration that leads there.

registry_start()
{
	ip link set lo up
	mkdir -p "$BATS_FILE_TMPDIR/registry"
	cat >"$BATS_FILE_TMPDIR/registry.yml" <<-CONFIG
		version: 0.1
		log: {level: info, accesslog: {disabled: false}}
		storage: {filesystem: {rootdirectory: $BATS_FILE_TMPDIR/registry}, delete: {enabled: true}}
		http: {addr: 127.0.0.1:5000}
	CONFIG
	docker-registry serve "$BATS_FILE_TMPDIR/registry.yml" >"$BATS_FILE_TMPDIR/registry.log" 2>&1 3>&- &
	echo $! >"$BATS_FILE_TMPDIR/registry.pid"
	eventually registry_answers || {
		cat "$BATS_FILE_TMPDIR/registry.log"
		return 1
	}
}

registry_answers()
{
	(exec 9<>/dev/tcp/127.0.0.1/5000) 2>/dev/null
}

registry_stop()
{
	if [ -e "$BATS_FILE_TMPDIR/registry.pid" ]; then
		kill "$(<"$BATS_FILE_TMPDIR/registry.pid")"
	fi
}

# registry_configure DIR: $REGISTRY is host:port of the registry.
registry_configure()
{
	REGISTRY=127.0.0.1:5000
	mkdir -p "$1"
	# Short names are looked for there, without TLS, whatever the machine's files say.
	cat >"$1/registries.conf" <<-CONFIG
		unqualified-search-registries = ["$REGISTRY"]
		short-name-mode = "disabled"
		[[registry]]
		location = "$REGISTRY"
		insecure = true
	CONFIG
	export CONTAINERS_REGISTRIES_CONF=$1/registries.conf
	export REGISTRY_AUTH_FILE=$1/auth.json
}

# How often the registry was asked for something.
asked_for()
{
	grep -c "\"GET .*$1" "$BATS_FILE_TMPDIR/registry.log" || :
}
