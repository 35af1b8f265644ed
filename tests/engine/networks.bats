#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# Networks of containers by netavark: addresses, names, ports, and that nothing of them stays. The "host" is the network
# namespace of the test run.

load ../lib/engine
load ../lib/networks

@test "the default network gives an address, a gateway, hosts and resolv.conf" {
	run fln run --rm --rootfs "$ROOTFS" sh -c 'ip -o -4 addr show eth0; ip route; cat /etc/hosts'
	[ "$status" -eq 0 ]
	contains "$output" "10.88." "/16" "default via 10.88.0.1" "localhost" $'10.88.0.1\thost.containers.internal'
	contains "$(fln run --rm --add-host box:host-gateway --rootfs "$ROOTFS" cat /etc/hosts)" $'10.88.0.1\tbox'
	[[ $output =~ 10\.88\.[0-9]+\.[0-9]+[[:space:]]+[0-9a-f]{12} ]]
}

@test "hooks and settings of an interface find the network" {
	mkdir hooks
	cat >hook.sh <<-'EOF'
		#!/bin/sh
		nsenter --net="/proc/$(jq .pid)/ns/net" ip -o -4 addr show eth0 >"${0%/*}/seen"
	EOF
	jq -n --arg t "$T" --arg path "PATH=$PATH" '{version: "1.0.0", hook: {path: ($t + "/hook.sh"), env: [$path]},
		when: {always: true}, stages: ["createRuntime"]}' >hooks/a.json
	printf '#!/bin/sh\nexec %s --hooks-dir %s "$@"\n' "$FLOE" "$T/hooks" >with-hooks
	chmod +x hook.sh with-hooks
	FLOE=$T/with-hooks fln run --rm --rootfs "$ROOTFS" true
	contains "$(cat seen)" "10.88."
	is 1 "$(fln run --rm --sysctl net.ipv4.conf.eth0.log_martians=1 --rootfs "$ROOTFS" cat /proc/sys/net/ipv4/conf/eth0/log_martians)"
}

@test "a published port reaches the container, also from an address of the host" {
	serve "$C" -p 18080:80
	is "I am $C" "$(ask 127.0.0.1 18080)"
	serve "$C-2" -p 127.0.0.1::80 -P --expose 81
	port=$(fln inspect --format '{{(index (index .NetworkSettings.Ports "80/tcp") 0).HostPort}}' "$C-2")
	[ "$port" -gt 1023 ]
	is "I am $C-2" "$(ask 127.0.0.1 "$port")"
	fln rm -f -t 0 "$C" >/dev/null
	run ask_once 127.0.0.1 18080
	[ "$status" -ne 0 ]
}

@test "port: of what is published, and only while it runs" {
	serve "$C" -p 18081:80
	is 0.0.0.0:18081 "$(fln port "$C" 80)"
	run fln port "$C" 81
	is "125 Error: failed to find published port \"81\"" "$status $output"
	run fln port "$C" none
	is "125 Error: port 'none': expected PORT or PORT/PROTOCOL" "$status $output"
	fln stop -t 0 "$C" >/dev/null
	is "" "$(fln port "$C")"
	is "" "$(fln port "$C" 81)"
	fln create --name "$C-2" --rootfs "$ROOTFS" true >/dev/null
	is "" "$(fln port "$C-2" 80)"
}

@test "create: a driver that is not there" {
	run net create --driver nothing-here wrong
	[ "$status" -eq 125 ]
	contains "$output" 'failed to find driver or plugin "nothing-here"'
}

@test "create: macvlan in the network that the host is in" {
	ip link add "mv$BATS_TEST_NUMBER" type veth peer name "mw$BATS_TEST_NUMBER"
	ip addr add 10.213.66.1/24 dev "mv$BATS_TEST_NUMBER"
	ip link set "mv$BATS_TEST_NUMBER" up
	net create -d macvlan --subnet 10.213.66.0/24 --ip-range 10.213.66.128/25 -o parent="mv$BATS_TEST_NUMBER" "$C-lan"
	address=$(fln run --rm --network "$C-lan" --rootfs "$ROOTFS" ip -4 -o addr show dev eth0)
	ip link del "mv$BATS_TEST_NUMBER"
	contains "$address" " 10.213.66.128/24 "
	run net create -d macvlan --ipam-driver host-local "$C-none"
	refused "needs at least one subnet"
}

@test "the host has a name where no network of ours leads to it" {
	ip link add "ho$BATS_TEST_NUMBER" type veth peer name "hp$BATS_TEST_NUMBER"
	ip addr add 10.213.65.1/24 dev "ho$BATS_TEST_NUMBER"
	for mode in none host; do
		hosts=$(fln run --rm --network "$mode" --add-host it:host-gateway --rootfs "$ROOTFS" cat /etc/hosts)
		is "10.213.65.1 it 10.213.65.1 host.containers.internal host.docker.internal" \
			"$(grep -F 10.213.65.1 <<<"$hosts" | xargs)"
	done
	ip link del "ho$BATS_TEST_NUMBER"
}

@test "create: several servers and gateways in one word" {
	net create --subnet 10.213.67.0/24 --subnet fd67::/64 --gateway 10.213.67.9,fd67::9 --dns 10.1.1.1,10.1.1.2 "$C"
	is "10.213.67.9 fd67::9 10.1.1.1 10.1.1.2" "$(net inspect "$C" \
		--format '{{range .Subnets}}{{.Gateway}} {{end}}{{range .NetworkDNSServers}}{{.}} {{end}}' | sed 's/ $//')"
}

@test "a network's file with an id, subnet or gateway that is none is left out" {
	net create --subnet 10.213.68.0/24 "$C"
	for change in 's/"id": "[^"]*"/"id": "xyz"/' 's/10.213.68.0.24/nothing/' 's/"10.213.68.1"/"10.1.1.1"/'; do
		cp "$NETWORKS/$C.json" saved
		sed -i "$change" "$NETWORKS/$C.json"
		run net ls
		contains "$output" "network file '$C.json' is left out"
		! net exists "$C" 2>/dev/null || fail "$change"
		mv saved "$NETWORKS/$C.json"
	done
}

@test "cni: the default network is there without a file, and a list that is gone takes nothing along" {
	[ -x /usr/lib/cni/bridge ] || skip "no CNI plugins (tools/install-deps)"
	mkdir -p "$NETWORKS" /var/lib/cni
	mount -t tmpfs cni /var/lib/cni
	cat >"$NETWORKS/web.conflist" <<-JSON
		{"cniVersion": "0.4.0", "name": "web", "plugins": [{"type": "bridge", "bridge": "cni$BATS_TEST_NUMBER",
		"isGateway": true, "ipam": {"type": "host-local", "ranges": [[{"subnet": "10.213.69.0/24"}]]}}]}
	JSON
	export CONTAINERS_CONF=$T/containers.conf
	printf '[network]\nnetwork_backend = "cni"\n' >"$CONTAINERS_CONF"
	fln run -d --name "$C" --network web,podman --rootfs "$ROOTFS" sleep 1000 >/dev/null
	is "10.213.69.2 10.88.0.2" "$(address_of "$C" web) $(address_of "$C" podman)"
	run fln run --rm --network web -p 18110:80 --rootfs "$ROOTFS" true
	[ "$status" -eq 0 ]
	contains "$output" "network 'web' publishes no ports"
	rm "$NETWORKS/web.conflist"
	fln stop --time 0 "$C"
	is "" "$(find /var/lib/cni -name '10.*' -o -path '*/results/*')"
	fln rm "$C"
	ip link del "cni$BATS_TEST_NUMBER"
	ip link del cni-podman0
	nft flush ruleset
	umount /var/lib/cni
}

@test "cni: networks are made, found, connected, reloaded and removed" {
	[ -x /usr/lib/cni/bridge ] || skip "no CNI plugins (tools/install-deps)"
	mkdir -p "$NETWORKS" /var/lib/cni
	mount -t tmpfs cni /var/lib/cni
	export CONTAINERS_CONF=$T/containers.conf
	printf '[network]\nnetwork_backend = "cni"\n' >"$CONTAINERS_CONF"
	net create --subnet 10.213.70.0/24 --label a=b --opt mtu=1400 web >/dev/null
	net create --subnet 10.213.71.0/24 --internal inside >/dev/null
	net create --disable-dns spare >/dev/null
	is "inside podman spare web" "$(net ls -q | sort | paste -sd ' ')"
	is "bridge 10.213.70.1 b 1400 false" \
		"$(net inspect web --format '{{.Driver}} {{(index .Subnets 0).Gateway}} {{.Labels.a}} {{.Options.mtu}} {{.Internal}}')"
	is true "$(net inspect inside --format '{{.Internal}}')"
	run ! net create web
	contains "$output" "already exists"
	run ! net create --opt isolate=true bad
	contains "$output" "the CNI backend has mtu, vlan and mode"
	run ! net update web --dns-add 192.0.2.1
	contains "$output" "the CNI backend has no servers of networks"
	fln run -d --name "$C" --network web --rootfs "$ROOTFS" sleep 1000 >/dev/null
	run net rm web
	is 2 "$status"
	net connect inside "$C"
	is "10.213.70.2 10.213.71.2" "$(address_of "$C" web) $(address_of "$C" inside)"
	contains "$(fln exec "$C" cat /etc/hosts)" 10.213.70.2
	net reload "$C" >/dev/null
	is "10.213.70.2 10.213.71.2" "$(address_of "$C" web) $(address_of "$C" inside)"
	is 2 "$(fln exec "$C" ip -4 -o addr show | grep -c 10.213)"
	net disconnect inside "$C"
	is 1 "$(fln exec "$C" ip -4 -o addr show | grep -c 10.213)"
	net connect inside "$C"
	is spare "$(net prune --force)"
	net rm --force --time 0 web inside >/dev/null
	is podman "$(net ls -q)"
	is "" "$(fln ps -aq)"
	# The bridges are gone, and no address is left over.
	is "" "$(ip -o link show type bridge)"
	is "" "$(find /var/lib/cni -name '10.*' -o -path '*/results/*')"
	nft flush ruleset
	umount /var/lib/cni
}

@test "containers of a network know each other by name and alias, others do not" {
	has_aardvark || skip "no aardvark-dns (tools/install-deps)"
	net create web >/dev/null
	net create other >/dev/null
	serve db --network web:alias=sql --hostname store
	address=$(address_of db web)
	for name in db sql store; do
		run fln run --rm --network web --rootfs "$ROOTFS" nslookup $name.dns.podman
		contains "$output" "$address"
	done
	run fln run --rm --network other --rootfs "$ROOTFS" nslookup db.dns.podman
	[ "$status" -ne 0 ]
	[[ $output != *$address* ]]
}

@test "address, MAC address and interface name as asked for" {
	net create --subnet 10.213.7.0/24 fixed >/dev/null
	run fln run --rm --network fixed:interface_name=net7 --ip 10.213.7.77 --mac-address 92:d0:c6:0a:29:33 --rootfs "$ROOTFS" \
		ip addr show net7
	contains "$output" "10.213.7.77/24" "92:d0:c6:0a:29:33"
	serve "$C" --network fixed --ip 10.213.7.77
	run fln run --rm --network fixed --ip 10.213.7.77 --rootfs "$ROOTFS" true
	# As podman: the container is there, its network cannot be set up.
	[ "$status" -eq 126 ]
	contains "$output" "requested ip address 10.213.7.77 is already allocated to container ID $(fln inspect --format '{{.Id}}' "$C")"
	run fln run --rm --network fixed --ip 10.213.8.1 --rootfs "$ROOTFS" true
	[ "$status" -eq 126 ]
	contains "$output" "requested static ip 10.213.8.1 not in any subnet on network fixed"
	is "" "$(fln ps -aq --filter status=created)"
	is "$C" "$(fln ps -a --filter network=fixed --format '{{.Names}}')"
	is "$C" "$(fln ps -a --filter network="$(net inspect fixed --format '{{.ID}}')" --format '{{.Names}}')"
	is "" "$(fln ps -a --filter network=podman --format '{{.Names}}')"
}

@test "two networks, IPv6, and no way out of an internal one" {
	net create --internal inner >/dev/null
	net create --ipv6 outer >/dev/null
	run fln run --rm --network inner --network outer --rootfs "$ROOTFS" sh -c 'ip -o addr; ip route'
	contains "$output" eth0 eth1 "inet6 fd"
	run fln run --rm --network inner --rootfs "$ROOTFS" ip route
	contains "$output" "dev eth0"
	[[ $output != *default* ]]
}

@test "another container's network is shared with its files" {
	serve "$C" -p 18081:80
	run fln run --rm --network "container:$C" --rootfs "$ROOTFS" sh -c 'hostname; ip -o -4 addr show eth0; cat /etc/hosts'
	contains "$output" "$(fln inspect --format '{{.Id}}' "$C" | cut -c1-12)"
	[[ $output =~ 10\.88\. ]]
}

@test "connect and disconnect a running container" {
	net create later >/dev/null
	serve "$C"
	net connect --alias extra later "$C"
	address=$(address_of "$C" later)
	is "I am $C" "$(ask "$address" 80)"
	run net connect later "$C"
	refused "already"
	fln exec "$C" sh -c 'echo 127.0.0.9 own >>/etc/hosts'
	contains "$(fln exec "$C" cat /etc/hosts)" "$address	" "127.0.0.9 own"
	net disconnect later "$C"
	is "" "$(fln exec "$C" grep -F "$address" /etc/hosts || :)"
	contains "$(fln exec "$C" cat /etc/hosts)" "$(address_of "$C" podman)	" "127.0.0.9 own"
	run ask_once "$address" 80
	[ "$status" -ne 0 ]
	run net disconnect later "$C"
	refused "not attached"
	# What is connected stays so over a restart.
	net connect later "$C"
	fln restart -t 0 "$C" >/dev/null
	is "I am $C" "$(ask "$(address_of "$C" later)" 80)"
}

@test "connect and disconnect change resolv.conf of what runs" {
	has_aardvark || skip "no aardvark-dns (tools/install-deps)"
	net create first >/dev/null
	net create second >/dev/null
	serve "$C" --network first --dns-search example.org
	servers() { fln exec "$C" sed -n 's/^nameserver //p' /etc/resolv.conf | xargs; }
	gateway() { net inspect "$1" | jq -r '.[0].subnets[0].gateway'; }
	is "$(gateway first)" "$(servers)"
	fln exec "$C" sh -c 'echo "# own" >>/etc/resolv.conf'
	net connect second "$C"
	# As with podman, the newest is asked first.
	is "$(gateway second) $(gateway first)" "$(servers)"
	net disconnect first "$C"
	is "$(gateway second)" "$(servers)"
	contains "$(fln exec "$C" cat /etc/resolv.conf)" "search example.org" "# own"
	net disconnect second "$C"
	is "" "$(servers)"
	net connect first "$C"
	is "$(gateway first)" "$(servers)"
	# Whoever has none of ours keeps what there is.
	serve "$C-2" --network first --dns none
	net connect second "$C-2"
}

@test "reload makes anew what a flushed firewall has lost" {
	serve "$C" -p 18083:80
	is "I am $C" "$(ask 127.0.0.1 18083)"
	address=$(address_of "$C" podman)
	# Whichever of the two netavark uses.
	iptables -t nat -F
	nft flush ruleset
	run ask_once 127.0.0.1 18083
	[ "$status" -ne 0 ]
	net reload "$C" >/dev/null
	is "I am $C" "$(ask 127.0.0.1 18083)"
	is "$address" "$(address_of "$C" podman)"
	fln run -d --name "$C-none" --network none --rootfs "$ROOTFS" sleep 1000 >/dev/null
	is "$(fln inspect --format '{{.Id}}' "$C")" "$(net reload --all)"
	run net reload "$C-none"
	is 125 "$status"
	contains "$output" "$C-none" "cannot reload network"
	pid=$(fln inspect --format '{{.State.Pid}}' "$C-none")
	is "/proc/$pid/ns/net" "$(fln inspect --format '{{.NetworkSettings.SandboxKey}}' "$C-none")"
}

@test "a network that is in use is kept, and forced away with its containers" {
	net create used >/dev/null
	serve "$C" --network used
	run net rm used
	is 2 "$status"
	contains "$output" "has associated containers with it" "network is being used"
	net rm -f -t -1 nosuch used >/dev/null
	run net exists used
	is 1 "$status"
	run fln container exists "$C"
	is 1 "$status"
	run net rm used
	is 1 "$status"
}

@test "ls, inspect and prune" {
	net create --label purpose=test --subnet 10.213.9.0/24 shown >/dev/null
	is shown "$(net ls -q --filter label=purpose=test)"
	run net ls
	contains "${lines[0]}" "NETWORK ID" NAME DRIVER
	serve "$C" --network shown
	is "$C" "$(net inspect shown | jq -r '.[0].containers[].name')"
	is "10.213.9.2/24" "$(net inspect shown | jq -r '.[0].containers[].interfaces.eth0.subnets[0].ipnet')"
	# What only exists, or is stopped, is none of its containers now.
	fln create --name "$C-created" --network shown --rootfs "$ROOTFS" true >/dev/null
	is "$C" "$(net inspect shown | jq -r '.[0].containers[].name')"
	fln rm "$C-created" >/dev/null
	for filter in name=unused driver=bridge dangling=true bogus=x; do
		run net prune -f --filter $filter
		refused "invalid filter '$filter'"
	done
	net create unused >/dev/null
	is unused "$(net prune -f --filter 'label!=x' --filter until=0s)"
	net exists shown
}

@test "filters of networks: values of one key are alternatives, names are patterns" {
	net create --label a=b red >/dev/null
	net create --driver macvlan --subnet 10.213.10.0/24 green >/dev/null
	is "green red" "$(net ls -q -f name=red -f name=green | xargs)"
	is red "$(net ls -q -f name='^red$' -f name='^gree$')"
	is "" "$(net ls -q -f name=red -f driver=macvlan)"
	is "green podman red" "$(net ls -q -f driver=macvlan -f driver=bridge | xargs)"
	is "green red" "$(net ls -q -f dangling=true | xargs)"
	is podman "$(net ls -q -f dangling=false)"
	run net ls -f dangling=maybe
	refused "dangling" maybe
	run net create -o mtu=much "$C"
	refused "mtu=much"
	run net create -o colour=red "$C"
	refused "unsupported bridge network option colour"
	# Its own name is that of its bridge.
	name=$(net create)
	is "$name" "$(net inspect -f '{{.NetworkInterface}}' "$name")"
	net rm red green "$name" >/dev/null
}

@test "networks in one word, addresses in hosts, and what is shared" {
	net create --subnet 10.213.11.0/24 --subnet fd00:213:11::/64 both >/dev/null
	net create --subnet 10.213.12.0/24 four >/dev/null
	run fln run --rm --name "$C" --network both,four --rootfs "$ROOTFS" cat /etc/hosts
	contains "$output" 10.213.11.2 fd00:213:11::2 10.213.12.2
	is 3 "$(grep -c "$C\$" <<<"$output")"
	is 10.213.12.3 "$(fln run --rm --network four --network "" --network '' --rootfs "$ROOTFS" \
		ip -o -4 addr show eth0 | sed 's/.*inet //; s,/.*,,')"
	serve "$C" --network four --hostname store
	address=$(address_of "$C" four)
	contains "$(fln inspect --format '{{json .NetworkSettings.Networks.four.Aliases}}' "$C")" store
	fln create --name "$C-2" --network "container:$C" --rootfs "$ROOTFS" true >/dev/null
	is "$address" "$(address_of "$C-2" four)"
	fln rm "$C-2" >/dev/null
}

@test "ports: said twice, side by side, in capitals, and exposed besides" {
	fln run -d --name "$C" -p 18101:80/TCP -p 18101:80 -p 18102-18104:81-83 -p 18103:82 -p 18110:90 --rootfs "$ROOTFS" \
		sleep 1000 </dev/null >/dev/null
	is "0.0.0.0:18101-18104->80-83/tcp, 0.0.0.0:18110->90/tcp" "$(fln ps --format '{{.Ports}}')"
	fln rm -f -t 0 "$C" >/dev/null
	fln create --name "$C" -P -p 18101:80 --expose 80 --expose 53/udp --rootfs "$ROOTFS" true >/dev/null
	is "53/udp 80/tcp" "$(fln inspect --format '{{json .HostConfig.PortBindings}}' "$C" | jq -r 'keys_unsorted[]' | sort | xargs)"
	is 1 "$(fln inspect --format '{{json .HostConfig.PortBindings}}' "$C" | jq '."80/tcp" | length')"
	run fln run --rm -p 18101:80 -p 18101:81 --rootfs "$ROOTFS" true
	[ "$status" -ne 0 ]
}

@test "a mistyped network, port or address is one sentence" {
	for bad in "--network nothing" "--network web:ip=1.2" "--network host,none" "-p 80:80:80:80" "-p 99999:80" \
		"--ip 1.2.3.4.5" "--mac-address 12" "--network podman --network podman" "--network pasta"; do
		# shellcheck disable=SC2086 # two words
		run fln run --rm $bad --rootfs "$ROOTFS" true
		refused "Error: " || fail "$bad"
	done
	run net create "a/b"
	refused "a/b"
	run net create --subnet 10.88.0.0/24 "$C"
	refused "10.88.0.0/24" podman
}

@test "kill -9 of everything leaves nothing that rm -f does not remove" {
	serve "$C" -p 18082:80
	pid=$(fln inspect --format '{{.State.Pid}}' "$C")
	conmon=$(fln inspect --format '{{.State.ConmonPid}}' "$C")
	kill -KILL "$conmon" "$pid"
	eventually [ ! -e "/proc/$pid" ]
	fln rm -f "$C" >/dev/null
	run ask_once 127.0.0.1 18082
	[ "$status" -ne 0 ]
}

@test "16 containers at once get 16 addresses" {
	net create many >/dev/null
	for i in {1..16}; do
		fln run --rm --network many --rootfs "$ROOTFS" sh -c 'ip -o -4 addr show eth0 | sed "s/.*inet //; s/ .*//"' \
			>"$T/address.$i" 2>&1 </dev/null &
	done
	wait
	is 16 "$(grep -h '^10\.' "$T"/address.* | wc -l)"
}

@test "an address that somebody else has on the bridge is not given out" {
	net create --subnet 10.213.11.0/24 shared >/dev/null
	serve "$C" --network shared
	is 10.213.11.2 "$(address_of "$C" shared)"
	# As podman leaves it: a namespace with an address on the bridge, of which nothing here has a record.
	bridge=$(net inspect shared | jq -r '.[0].network_interface')
	ip netns add stranger
	ip link add stranger0 master "$bridge" type veth peer name eth0 netns stranger
	ip link set stranger0 up
	ip -n stranger addr add 10.213.11.3/24 dev eth0
	ip -n stranger link set eth0 up
	run fln run --rm --network shared --rootfs "$ROOTFS" sh -c 'ip -o -4 addr show eth0'
	contains "$output" 10.213.11.4/
	run fln run --rm --network shared --ip 10.213.11.3 --rootfs "$ROOTFS" true
	[ "$status" -eq 126 ]
	contains "$output" "10.213.11.3 is in use by somebody else"
	ip link delete stranger0
	ip netns delete stranger
	fln run --rm --network shared --ip 10.213.11.3 --rootfs "$ROOTFS" true
}

@test "addresses go upwards, in the default network downwards" {
	net create --subnet 10.213.12.0/24 upwards >/dev/null
	for i in 2 3 4; do
		contains "$(fln run --rm --network upwards --rootfs "$ROOTFS" ip -o -4 addr show eth0)" "10.213.12.$i/24"
	done
	local last
	last=$(fln run --rm --network podman --rootfs "$ROOTFS" ip -o -4 addr show eth0 | sed 's,.*inet \([0-9.]*\)/.*,\1,')
	contains "$(fln run --rm --network podman --rootfs "$ROOTFS" ip -o -4 addr show eth0)" "${last%.*}.$((${last##*.} - 1))/"
}

@test "update changes the name servers of a network, also while it is in use" {
	has_aardvark || skip "no aardvark-dns (tools/install-deps)"
	net create web >/dev/null
	net create --disable-dns silent >/dev/null
	is web "$(net update --dns-add 127.0.0.7,127.0.0.8 web)"
	is "127.0.0.7 127.0.0.8" "$(net inspect web | jq -r '.[0].network_dns_servers | join(" ")')"
	serve "$C" --network web
	contains "$(head -n 1 /run/containers/networks/aardvark-dns/web)" 127.0.0.7
	net update --dns-drop 127.0.0.7 --dns-add 127.0.0.9 web >/dev/null
	is "127.0.0.8 127.0.0.9" "$(net inspect web | jq -r '.[0].network_dns_servers | join(" ")')"
	contains "$(head -n 1 /run/containers/networks/aardvark-dns/web)" 127.0.0.8 127.0.0.9
	run grep -F 127.0.0.7 /run/containers/networks/aardvark-dns/web
	[ "$status" -ne 0 ]
	run net update web
	refused "--dns-add"
	run net update --dns-add nonsense web
	refused "nonsense"
	run net update --dns-add 127.0.0.7 silent
	refused "has no DNS"
	run net update --dns-add 127.0.0.7 nothing
	refused "nothing"
}

@test "a port that somebody has cannot be published" {
	serve "$C" -p 127.0.0.1:18090:80 -p 18091-18092:81-82/udp
	for port in 127.0.0.1:18090:1 18090:1 18092:1/udp; do
		run fln run --rm -p "$port" --rootfs "$ROOTFS" true
		is 126 "$status"
		contains "$output" "publish port" "address already in use"
	done
	# Another protocol, another address, and what the holder gives back with its end; also to itself.
	is hello "$(fln run --rm -p 18090:1/udp --rootfs "$ROOTFS" echo hello)"
	is hello "$(fln run --rm -p 127.0.0.2:18090:1 --rootfs "$ROOTFS" echo hello)"
	fln restart -t 0 "$C" >/dev/null
	is "I am $C" "$(ask 127.0.0.1 18090)"
	fln rm -f -t 0 "$C" >/dev/null
	is hello "$(fln run --rm -p 127.0.0.1:18090:1 --rootfs "$ROOTFS" echo hello)"
	is hello "$(fln run --rm -p 127.0.0.1:18090:1 --rootfs "$ROOTFS" echo hello)"
	echo '[engine]
	enable_port_reservation = false' >conf
	CONTAINERS_CONF=$T/conf serve "$C-2" -p 127.0.0.1:18090:80
	is hello "$(fln run --rm -p 127.0.0.1:18090:80 --rootfs "$ROOTFS" echo hello)"
}

@test "a container with a published port starts again by its policy" {
	fln run -d --name "$C" --restart on-failure:3 -p 127.0.0.1:18094:80 --rootfs "$ROOTFS" false </dev/null >/dev/null
	is 1 "$(fln wait "$C")"
	eventually has_restarted "$C" 3
}

has_restarted()
{
	[ "$(fln inspect --format '{{.RestartCount}} {{.State.Status}}' "$1")" = "$2 exited" ]
}

# A netavark whose tear-downs wait for the file $T/go, and say by $T/reached that they do.
slow_teardown()
{
	local netavark
	netavark=$(fln info --format json | jq -r '.host.networkBackendInfo.path')
	mkdir -p helpers
	cat >helpers/netavark <<-EOF
		#!/bin/sh
		case " \$* " in
		*" teardown "*) touch "$T/reached"; while [ ! -e "$T/go" ]; do sleep 0.02; done ;;
		esac
		exec "$netavark" "\$@"
	EOF
	chmod +x helpers/netavark
	[ ! -e "${netavark%/*}/aardvark-dns" ] || ln -s "${netavark%/*}/aardvark-dns" helpers
	echo "[engine]
	helper_binaries_dir = [\"$T/helpers\"]" >conf
	export CONTAINERS_CONF=$T/conf
}

@test "run --rm does not wait for its network to be taken down, but who needs the same does" {
	net create --subnet 10.213.12.0/24 later >/dev/null
	slow_teardown
	same=(run --rm --name "$C" -p 127.0.0.1:18095:80 --network later --ip 10.213.12.9 --rootfs "$ROOTFS")
	run fln "${same[@]}" sh -c 'exit 7'
	is 7 "$status"
	eventually [ -e reached ]
	is "" "$(fln ps -aq)"
	fln "${same[@]}" echo hello >second </dev/null 2>&1 &
	second=$!
	fln network rm later >removal 2>&1 &
	rm=$!
	sleep 0.3
	kill -0 $second $rm
	touch go
	wait $second
	is hello "$(cat second)"
	# It came before or behind the second.
	wait $rm || contains "$(cat removal)" "has associated containers"
}

@test "kill -9 of who takes the network of a run --rm down: the next one does it" {
	net create --subnet 10.213.12.0/24 later >/dev/null
	slow_teardown
	for way in "run --rm -p 127.0.0.1:18095:80 --network later --ip 10.213.12.9 --rootfs $ROOTFS true" "container cleanup --all" \
		"system check --repair" "network reload --all" "network prune --force"; do
		rm -f go reached id
		before=$(network_inventory)
		fln run --rm --cidfile id -p 127.0.0.1:18095:80 --network later --ip 10.213.12.9 --rootfs "$ROOTFS" true
		eventually [ -e reached ]
		# Nobody sees damage in what is under way.
		fln system check
		kill -KILL $(pgrep -f "container cleanup .*$(cat id)") $(pgrep -f "$T/helpers/netavark .*teardown")
		eventually is_check_failed "was to be taken down"
		touch go
		# shellcheck disable=SC2086 # words
		fln $way
		fln system check
		eventually same_inventory "$before"
	done
}

# A netavark that writes down what it is asked to do.
noted_netavark()
{
	slow_teardown
	touch go
	sed -i "2i echo \"\$*\" >>'$T/asked'" helpers/netavark
}

# order WANTED ARG...: what netavark did for two runs one straight after the other.
order()
{
	local want=$1
	shift
	: >asked
	fln run --rm "$@" --rootfs "$ROOTFS" true
	fln run --rm "$@" --rootfs "$ROOTFS" true
	eventually same_inventory "$before"
	[ "$(grep -o -e ' setup ' -e ' teardown ' asked | xargs)" = "$want" ]
}

@test "a run --rm straight after another finds the bridge of that one; ports, names and what has neighbours do not linger" {
	noted_netavark
	net create --subnet 10.213.13.0/24 names >/dev/null
	before=$(network_inventory)
	# The machine may be slow.
	for network in podman names; do
		eventually order "setup setup teardown teardown" --network $network
	done
	order "setup teardown setup teardown" -p 127.0.0.1:18098:80
	order "setup teardown setup teardown" --network names --name "$C"
	order "setup teardown setup teardown" --network names:alias=one
	serve "$C"
	before=$(network_inventory)
	eventually order "setup teardown setup teardown"
}

@test "the only address of a network, a chosen address and a chosen MAC are free when run --rm has ended" {
	net create --disable-dns --subnet 10.213.14.0/30 narrow >/dev/null
	for way in "" "--ip 10.213.14.2" "--mac-address 92:d0:c6:0a:29:33"; do
		# shellcheck disable=SC2086 # words
		for _ in 1 2 3; do fln run --rm --network narrow $way --rootfs "$ROOTFS" true; done
	done
}

@test "system check finds nothing wrong with a container whose network is still being set up" {
	slow_teardown
	sed -i 's/" teardown "/" setup "/' helpers/netavark
	fln run --rm --rootfs "$ROOTFS" true </dev/null >said 2>&1 &
	starter=$!
	eventually [ -e reached ]
	fln system check
	touch go
	wait $starter
}

is_check_failed()
{
	! fln system check >"$T/check" 2>&1 && grep -q "$1" "$T/check"
}

same_inventory()
{
	[ "$(network_inventory)" = "$1" ]
}

@test "the same port again and again" {
	for i in {1..20}; do
		is hello "$(fln run --rm -p 127.0.0.1:18096:80 --rootfs "$ROOTFS" echo hello)"
	done
}
