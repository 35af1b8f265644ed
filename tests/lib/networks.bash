# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# For the tests of floe with networks. The "host" is the network namespace of the test run. After lib/engine.

setup_file()
{
	network_setup_file
}

network_setup_file()
{
	engine_setup_file
	has_netavark || skip "no netavark (tools/install-deps)"
	host_network_begin
}

setup()
{
	network_setup
}

network_setup()
{
	engine_setup
	NETWORKS=$T/networks
	network_inventory >"$T/.network-before"
}

teardown()
{
	network_clean_up
}

network_clean_up()
{
	local status=0
	engine_clean_up || status=1
	network_inventory >"$T/.network-after"
	if ! diff "$T/.network-before" "$T/.network-after"; then
		echo "the network is not as it was before the test"
		status=1
	fi
	return $status
}

teardown_file()
{
	network_teardown_file
}

network_teardown_file()
{
	engine_teardown_file
	host_network_end
}

# Interfaces, addresses, named namespaces, rules about addresses; not netavark's empty chains.
network_inventory()
{
	ip -o link | sed 's/^[0-9]*: //; s/@.*//; s/:.*//' | sort
	ip -o addr | awk '{ print $2, $4 }' | sort
	ls /run/netns 2>/dev/null || :
	{ iptables-save; nft list ruleset; } 2>/dev/null | grep -E '10\.(88|89|213)\.' || :
}

# net COMMAND...: floe network, and floe with the networks of this test.
net()
{
	fln network "$@"
}

fln()
{
	local command=$1
	shift
	case $command in
	run | create) set -- --cgroup-parent "$CGROUP_PARENT" "$@" ;;
	esac
	timeout --kill-after=5 $ENGINE_SECONDS "$FLOE" --root "$ENGINE/root" --runroot "$ENGINE/run" "${CGROUPS[@]}" \
		--network-config-dir "$NETWORKS" --runtime "$ENGINE_RUNTIME" "$command" "$@" 3>&- 4>&-
}

# serve NAME [OPTION...]: a container that says its name to everybody who asks at port 80.
serve()
{
	local name=$1
	shift
	fln run -d --name "$name" "$@" --rootfs "$ROOTFS" sh -c "mkdir -p /tmp/$name; echo I am $name >/tmp/$name/index.html
		exec httpd -f -p 80 -h /tmp/$name" </dev/null >/dev/null
}

# ask ADDRESS PORT: what the server there says.
ask()
{
	eventually ask_once "$1" "$2" || return 1
	cat "$T/answer"
}

ask_once()
{
	timeout 3 bash -c 'exec 3<>/dev/tcp/$0/$1 && printf "GET / HTTP/1.0\r\n\r\n" >&3 && sed "1,/^\r*$/d" <&3' "$1" "$2" \
		>"$T/answer" 2>/dev/null && [ -s "$T/answer" ]
}

address_of()
{
	fln inspect --format "{{(index .NetworkSettings.Networks \"$2\").IPAddress}}" "$1"
}
