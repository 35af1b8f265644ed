/* SPDX-License-Identifier: Apache-2.0 */
#include "network/network.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/alloc.h"
#include "core/fs.h"
#include "core/str.h"
#include "core/strbuf.h"
#include "network/address.h"
#include "network/cni_list.h"
#include "network/create.h"
#include "network/ipam.h"

static char directory[] = "/tmp/floe-test-network.XXXXXX";

static int set_up(void **state UNUSED)
{
	return mkdtemp(directory) ? 0 : -1;
}

static int tear_down(void **state UNUSED)
{
	return fs_remove_tree(AT_FDCWD, directory);
}

static struct ip_address address(const char *text)
{
	struct ip_address a;

	if (ip_address_parse(text, &a) < 0)
		fail_msg("%s is no address", text);
	return a;
}

static struct ip_subnet subnet(const char *text)
{
	struct ip_subnet s;

	if (ip_subnet_parse(text, &s) < 0)
		fail_msg("%s is no subnet", text);
	return s;
}

static void test_addresses(void **state UNUSED)
{
	static const char *const wrong[] = { "",	   "10.1.2",	 "10.1.2.256", "10.1.2.3 ",
					     "010.1.2.3/", "fd00::1%lo", "fd00:::1" };
	struct ip_address a = address("10.0.255.255");

	ip_address_increment(&a);
	assert_string_equal(ip_address_format(&a).text, "10.1.0.0");
	ip_address_decrement(&a);
	assert_string_equal(ip_address_format(&a).text, "10.0.255.255");
	a = address("fd00::ffff");
	ip_address_increment(&a);
	assert_string_equal(ip_address_format(&a).text, "fd00::1:0");
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_int_equal(ip_address_parse(wrong[i], &a), -EINVAL);
}

static void test_subnets(void **state UNUSED)
{
	static const char *const wrong[] = { "10.1.2.3",   "10.1.2.3/33", "/8",
					     "fd00::/129", "10.1.2.3/",	  "10.1.2.3/-1" };
	struct ip_subnet s = subnet("10.88.7.9/20");
	struct ip_address inside = address("10.88.15.255");
	struct ip_address outside = address("10.88.16.0");
	struct ip_subnet larger = subnet("10.80.0.0/12");
	struct ip_subnet other = subnet("10.88.16.0/20");
	struct ip_subnet v6 = subnet("::/0");
	struct ip_address end = ip_subnet_first(&s);

	assert_string_equal(ip_address_format(&end).text, "10.88.0.0");
	end = ip_subnet_last(&s);
	assert_string_equal(ip_address_format(&end).text, "10.88.15.255");
	assert_true(ip_subnet_contains(&s, &inside));
	assert_false(ip_subnet_contains(&s, &outside));
	assert_false(ip_subnet_contains(&v6, &inside));
	assert_true(ip_subnet_overlaps(&s, &larger));
	assert_true(ip_subnet_overlaps(&larger, &s));
	assert_false(ip_subnet_overlaps(&s, &other));
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_int_equal(ip_subnet_parse(wrong[i], &s), -EINVAL);
}

/* ---- ports ---- */

static void expect_port(const char *text, const char *expected)
{
	auto_network_ports struct network_ports ports = NETWORK_PORTS_INIT;
	struct err err = ERR_INIT;
	auto_free char *got = NULL;

	if (network_ports_parse(&ports, text, &err) < 0)
		fail_msg("%s", err.msg);
	got = network_port_to_string(&ports.v[ports.n - 1]);
	assert_string_equal(got, expected);
}

static void expect_merged(const char *given, const char *expected)
{
	auto_network_ports struct network_ports ports = NETWORK_PORTS_INIT;
	auto_strvec struct strvec texts = STRVEC_INIT;
	auto_strbuf struct strbuf got = STRBUF_INIT;

	strvec_split(&texts, given, ' ', false);
	for (size_t i = 0; i < texts.n; i++)
		assert_int_equal(network_ports_parse(&ports, texts.v[i], NULL), 0);
	network_ports_merge(&ports);
	for (size_t i = 0; i < ports.n; i++) {
		auto_free char *text = network_port_to_string(&ports.v[i]);

		strbuf_addf(&got, "%s%s", i ? " " : "", text);
	}
	assert_string_equal(got.buf, expected);
}

static void test_merge(void **state UNUSED)
{
	expect_merged("8080:80 8080:80/TCP", "0.0.0.0:8080->80/tcp");
	expect_merged("8093:83 8090-8092:80-82", "0.0.0.0:8090-8093->80-83/tcp");
	/* The last one joins the other two. */
	expect_merged("1:1 3:3 2:2", "0.0.0.0:1-3->1-3/tcp");
	expect_merged("80-85:80-85 83:83", "0.0.0.0:80-85->80-85/tcp");
	expect_merged("8080:80 8080:81", "0.0.0.0:8080->80/tcp 0.0.0.0:8080->81/tcp");
	expect_merged("8080:80 8081:82", "0.0.0.0:8080->80/tcp 0.0.0.0:8081->82/tcp");
	expect_merged("8080:80 8080:80/udp", "0.0.0.0:8080->80/tcp 0.0.0.0:8080->80/udp");
	expect_merged("8080:80 127.0.0.1:8081:81", "0.0.0.0:8080->80/tcp 127.0.0.1:8081->81/tcp");
	/* Chosen later, one each. */
	expect_merged("80 80", "0.0.0.0:0->80/tcp 0.0.0.0:0->80/tcp");
}

static void expect_no_port(const char *text, const char *reason)
{
	auto_network_ports struct network_ports ports = NETWORK_PORTS_INIT;
	struct err err = ERR_INIT;

	assert_int_equal(network_ports_parse(&ports, text, &err), -EINVAL);
	assert_int_equal(ports.n, 0);
	if (!strstr(err.msg, reason) || !strstr(err.msg, text))
		fail_msg("'%s' does not say '%s'", err.msg, reason);
}

static void test_ports(void **state UNUSED)
{
	expect_port("8080:80", "0.0.0.0:8080->80/tcp");
	expect_port("127.0.0.1:8080:80/udp", "127.0.0.1:8080->80/udp");
	expect_port("[fd00::1]:8080:80", "[fd00::1]:8080->80/tcp");
	expect_port("8080-8082:80-82", "0.0.0.0:8080-8082->80-82/tcp");
	expect_port("53:53/tcp,udp", "0.0.0.0:53->53/udp");
	expect_no_port("", "not a number");
	expect_no_port("80x", "container port '80x'");
	expect_no_port("0:80", "host port '0'");
	expect_no_port("65536:80", "host port");
	expect_no_port("90-80", "container port");
	expect_no_port("8080-8081:80", "different sizes (2 and 1)");
	expect_no_port("80/icmp", "unknown protocol");
	expect_no_port("300.0.0.1:1:2", "not an address");
	expect_no_port("1:2:3:4", "expected");
	expect_no_port("[::1:80:80", "expected");
}

static void test_port_of_a_stranger(void **state UNUSED)
{
	static char any[] = "";
	static char address[] = "127.0.0.1";
	static char no_address[] = "::g";
	static char tcp[] = "tcp";
	static char icmp[] = "icmp";
	const struct {
		struct network_port port;
		bool valid;
	} cases[] = {
		{ { any, 80, 0, 1, tcp }, true },
		{ { address, 65535, 65535, 1, tcp }, true },
		{ { any, 1, 1, 65535, tcp }, true },
		{ { any, 0, 80, 1, tcp }, false },
		{ { any, 80, 80, 0, tcp }, false },
		{ { any, 65535, 80, 2, tcp }, false },
		{ { any, 80, 65535, 2, tcp }, false },
		{ { any, 80, 0, UINT32_MAX, tcp }, false },
		{ { any, UINT32_MAX, 80, 1, tcp }, false },
		{ { no_address, 80, 80, 1, tcp }, false },
		{ { any, 80, 80, 1, icmp }, false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(network_port_is_valid(&cases[i].port), cases[i].valid);
}

static void test_port_choice(void **state UNUSED)
{
	auto_network_ports struct network_ports ports = NETWORK_PORTS_INIT;
	struct err err = ERR_INIT;

	assert_int_equal(network_ports_parse(&ports, "127.0.0.1::80", &err), 0);
	assert_int_equal(network_ports_parse(&ports, "81-83", &err), 0);
	assert_int_equal(network_ports_choose(&ports, &err), 0);
	assert_true(ports.v[0].host_port > 0 && ports.v[1].host_port > 0);
	assert_int_equal(ports.v[1].range, 3);
	assert_int_equal(network_ports_parse(&ports, "40123:90", &err), 0);
	assert_int_equal(network_ports_parse(&ports, "127.0.0.1:40120-40125:91-96", &err), 0);
	assert_true(network_ports_choose(&ports, &err) < 0);
	assert_int_equal(err.kind, ERR_EXISTS);
}

static void check_collide(const char *a, const char *b, bool want)
{
	auto_network_ports struct network_ports ports = NETWORK_PORTS_INIT;
	struct err err = ERR_INIT;

	assert_int_equal(network_ports_parse(&ports, a, &err), 0);
	assert_int_equal(network_ports_parse(&ports, b, &err), 0);
	if (network_ports_collide(&ports.v[0], &ports.v[1]) != want ||
	    network_ports_collide(&ports.v[1], &ports.v[0]) != want)
		fail_msg("'%s' and '%s' %s", a, b, want ? "do not collide" : "collide");
	assert_int_equal(network_ports_choose(&ports, &err), want ? -EEXIST : 0);
}

static void test_ports_of_addresses(void **state UNUSED)
{
	check_collide("127.0.0.1:8080:80", "127.0.0.2:8080:80", false);
	check_collide("127.0.0.1:8080:80", "127.0.0.1:8080:81", true);
	check_collide("127.0.0.1:8080:80", "127.0.0.1:8080:80/udp", false);
	check_collide("127.0.0.1:8080:80", "0.0.0.0:8079-8080:80-81", true);
	check_collide("127.0.0.1:8080:80", "[::1]:8080:80", false);
	check_collide("0.0.0.0:8080:80", "[::1]:8080:80", false);
	check_collide("0.0.0.0:8080:80", "[::]:8080:80", false);
	check_collide("127.0.0.1:8080:80", "[::]:8080:80", false);
	check_collide("[::]:8080:80", "[::1]:8080:80", true);
	check_collide("[0::]:8080:80", "[::1]:8080:80", true);
	check_collide("[::1]:8080:80", "[0::1]:8080:80", true);
	check_collide("[fd00::1]:8080:80", "[::1]:8080:80", false);
	check_collide("8080:80", "127.0.0.1:8080:80", true);
	check_collide("8080:80", "0.0.0.0:8080:80", true);
	check_collide("8080:80", "[::1]:8080:80", true);
	check_collide("8080:80", "8080:81", true);
}

/* How many of the two can be held at once, of a port that was free a moment ago. */
static size_t hold_both_families(void)
{
	auto_network_ports struct network_ports ports = NETWORK_PORTS_INIT;
	auto_free int *fds = NULL;
	struct err err = ERR_INIT;
	size_t n = 0;

	assert_int_equal(network_ports_parse(&ports, "0.0.0.0::80", &err), 0);
	assert_int_equal(network_ports_parse(&ports, "[::]:1:80", &err), 0);
	assert_int_equal(network_ports_choose(&ports, &err), 0);
	ports.v[1].host_port = ports.v[0].host_port;
	if (network_port_hold(&ports.v[0], &fds, &n, &err) == 0)
		(void)network_port_hold(&ports.v[1], &fds, &n, &err);
	for (size_t i = 0; i < n; i++)
		(void)close(fds[i]);
	return n;
}

/* "::" leaves IPv4 to others. Somebody else on the machine may come between, but not each time. */
static void test_hold_both_families(void **state UNUSED)
{
	size_t n = 0;

	if (access("/proc/net/if_inet6", F_OK) < 0)
		skip();
	for (int i = 0; i < 5 && n < 2; i++)
		n = hold_both_families();
	assert_int_equal(n, 2);
}

/* ---- attachments ---- */

static void test_attachment(void **state UNUSED)
{
	static const char *const wrong[] = { "web:ip=1.2.3",	    "web:ip6=1.2.3.4",
					     "web:mac=12:34",	    "web:alias=a b",
					     "web:interface_name=", "web:ip",
					     "../etc:ip=1.2.3.4",   "" };
	struct network_attachment a;
	struct err err = ERR_INIT;

	assert_int_equal(network_attachment_parse(
				 &a,
				 "web:ip=10.1.2.3,ip6=fd00::3,mac=92:d0:c6:0a:29:33,alias=db,"
				 "alias=sql,interface_name=net0,mtu=1400",
				 &err),
			 0);
	assert_string_equal(a.network, "web");
	assert_int_equal(a.n_static_ips, 2);
	assert_string_equal(a.static_ips[1], "fd00::3");
	assert_string_equal(a.static_mac, "92:d0:c6:0a:29:33");
	assert_int_equal(a.n_aliases, 2);
	assert_string_equal(a.interface_name, "net0");
	assert_string_equal(json_string_map_get(&a.options, "mtu"), "1400");
	network_attachment_done(&a);
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		if (network_attachment_parse(&a, wrong[i], &err) != -EINVAL)
			fail_msg("'%s' was taken", wrong[i]);
}

static void test_interface_names(void **state UNUSED)
{
	auto_network_request struct network_request request = NETWORK_REQUEST_INIT;
	static const char *const networks[] = { "a", "b:interface_name=eth0", "c", "d" };

	for (size_t i = 0; i < ARRAY_SIZE(networks); i++)
		assert_int_equal(network_attachment_parse(
					 array_push(request.attachments, request.n_attachments),
					 networks[i], NULL),
				 0);
	network_request_name_interfaces(&request);
	assert_string_equal(request.attachments[0].interface_name, "eth1");
	assert_string_equal(request.attachments[1].interface_name, "eth0");
	assert_string_equal(request.attachments[2].interface_name, "eth2");
	assert_string_equal(request.attachments[3].interface_name, "eth3");
}

/* ---- networks ---- */

static int create(struct network *ret, const struct network_create_options *o, struct err *err)
{
	auto_network_list struct network_list networks = NETWORK_LIST_INIT;
	auto_strvec struct strvec subnets = STRVEC_INIT;
	auto_strvec struct strvec links = STRVEC_INIT;
	struct network_surroundings around = { &networks, &subnets, &links };

	assert_int_equal(
		network_list_load(&networks, &(struct network_dir){ .path = directory }, err), 0);
	strvec_add(&subnets, "10.89.1.7/24");
	strvec_add(&links, "podman2");
	return network_create_plan(ret, o, &around, err);
}

static void expect_no_network(const struct network_create_options *o, const char *reason)
{
	struct network n;
	struct err err = ERR_INIT;

	assert_true(create(&n, o, &err) < 0);
	if (!strstr(err.msg, reason))
		fail_msg("'%s' does not say '%s'", err.msg, reason);
}

static void test_create(void **state UNUSED)
{
	struct network_create_options o = { 0 };
	auto_network struct network first = NETWORK_INIT;
	auto_network struct network second = NETWORK_INIT;
	auto_network struct network found = NETWORK_INIT;
	struct err err = ERR_INIT;

	assert_int_equal(create(&first, &o, &err), 0);
	assert_string_equal(first.name, "podman1");
	assert_string_equal(first.network_interface, "podman1");
	assert_string_equal(first.subnets[0].subnet, "10.89.0.0/24");
	assert_string_equal(first.subnets[0].gateway, "10.89.0.1");
	assert_true(first.dns_enabled);
	assert_int_equal(
		network_save(&first, &(struct network_dir){ .path = directory }, false, &err), 0);
	assert_int_equal(
		network_save(&first, &(struct network_dir){ .path = directory }, false, &err),
		-EEXIST);
	/* The host has 10.89.1.0/24 and an interface podman2. */
	o.name = "web";
	o.ipv6 = true;
	assert_int_equal(create(&second, &o, &err), 0);
	assert_string_equal(second.network_interface, "podman3");
	assert_string_equal(second.subnets[0].subnet, "10.89.2.0/24");
	assert_int_equal(second.n_subnets, 2);
	assert_true(second.ipv6_enabled && str_has_prefix(second.subnets[1].subnet, "fd"));
	assert_int_equal(
		network_save(&second, &(struct network_dir){ .path = directory }, false, &err), 0);
	assert_int_equal(
		network_find(&found, &(struct network_dir){ .path = directory }, "web", &err), 0);
	assert_string_equal(found.id, second.id);
	network_done(&found);
	assert_int_equal(network_find(&found, &(struct network_dir){ .path = directory },
				      "2f259bab93", &err),
			 0);
	assert_string_equal(found.name, "podman");
	network_done(&found);
	assert_int_equal(
		network_find(&found, &(struct network_dir){ .path = directory }, "nothing", &err),
		-ENOENT);
	assert_int_equal(network_remove(&second, &(struct network_dir){ .path = directory }, &err),
			 0);
	assert_int_equal(network_remove(&first, &(struct network_dir){ .path = directory }, &err),
			 0);
}

static void test_create_refused(void **state UNUSED)
{
	struct network_create_options o = { .name = "podman" };

	expect_no_network(&o, "already exists");
	o.name = "a/b";
	expect_no_network(&o, "letters");
	o.name = "web";
	strvec_add(&o.gateways, "10.1.2.1");
	expect_no_network(&o, "needs its --subnet");
	strvec_add(&o.subnets, "10.89.0.0/16");
	expect_no_network(&o, "in use by the host");
	strvec_done(&o.subnets);
	strvec_add(&o.subnets, "10.88.3.0/24");
	expect_no_network(&o, "in use by network 'podman'");
	strvec_done(&o.subnets);
	strvec_add(&o.subnets, "10.1.3.0/24");
	expect_no_network(&o, "gateway '10.1.2.1' does not lie in subnet");
	strvec_done(&o.gateways);
	strvec_add(&o.ip_ranges, "10.1.4.0/28");
	expect_no_network(&o, "IP range '10.1.4.0/28' does not lie in");
	strvec_done(&o.ip_ranges);
	/* Neither the network's address nor that of broadcasts is anybody's. */
	strvec_add(&o.ip_ranges, "10.1.3.0/32");
	expect_no_network(&o, "IP range '10.1.3.0/32' has no address for a container");
	strvec_done(&o.ip_ranges);
	strvec_add(&o.ip_ranges, "10.1.3.255-10.1.3.255");
	expect_no_network(&o, "has no address for a container");
	strvec_done(&o.ip_ranges);
	strvec_done(&o.subnets);
	strvec_add(&o.subnets, "10.1.3.7/32");
	expect_no_network(&o, "subnet 10.1.3.7/32 has no address for a gateway");
	strvec_done(&o.subnets);
	strvec_add(&o.subnets, "10.1.3.0/24");
	strvec_add(&o.routes, "10.9.0.0/16");
	expect_no_network(&o, "expected DESTINATION");
	strvec_done(&o.routes);
	strvec_add(&o.routes, "10.9.0.1/16,10.1.3.9");
	expect_no_network(&o, "expected DESTINATION");
	strvec_done(&o.routes);
	o.ipam_driver = "dhcp";
	expect_no_network(&o, "dhcp ipam driver is set but subnets are given");
	o.ipam_driver = "else";
	expect_no_network(&o, "IPAM driver 'else'");
	strvec_done(&o.subnets);
}

static void expect_options(const char *driver, const char *given, const char *expected)
{
	struct network_create_options o = { .name = "web", .driver = driver };
	auto_network struct network n = NETWORK_INIT;
	auto_strbuf struct strbuf got = STRBUF_INIT;
	struct err err = ERR_INIT;

	strvec_split(&o.options, given, ' ', false);
	strvec_add(&o.subnets, "10.1.3.0/24");
	if (create(&n, &o, &err) < 0)
		fail_msg("%s", err.msg);
	strbuf_adds(&got, n.network_interface ? n.network_interface : "-");
	for (size_t i = 0; i < n.options.n; i++)
		strbuf_addf(&got, " %s=%s", n.options.v[i].key, n.options.v[i].value);
	assert_string_equal(got.buf, expected);
	strvec_done(&o.options);
	strvec_done(&o.subnets);
}

static void refuse_options(const char *driver, const char *given, const char *reason)
{
	struct network_create_options o = { .name = "web", .driver = driver };

	strvec_split(&o.options, given, ' ', false);
	strvec_add(&o.subnets, "10.1.3.0/24");
	expect_no_network(&o, reason);
	strvec_done(&o.options);
	strvec_done(&o.subnets);
}

static void test_driver_options(void **state UNUSED)
{
	expect_options("bridge", "mtu=1400 no_default_route=1 isolate=t",
		       "podman1 mtu=1400 no_default_route=true isolate=true");
	expect_options("bridge", "isolate=strict vlan=7 vrf=blue metric=9 mode=managed",
		       "podman1 isolate=strict vlan=7 vrf=blue metric=9 mode=managed");
	expect_options("bridge",
		       "com.docker.network.bridge.name=br7 com.docker.network.driver.mtu=1300",
		       "br7 mtu=1300");
	/* The host's podman2 is taken, unless VLANs share it. */
	refuse_options("bridge", "com.docker.network.bridge.name=podman2", "already exists");
	expect_options("bridge", "com.docker.network.bridge.name=podman2 vlan=7", "podman2 vlan=7");
	expect_options("macvlan", "parent=podman2 mode=vepa bclim=-1",
		       "podman2 mode=vepa bclim=-1");
	expect_options("ipvlan", "parent=podman2", "podman2");
	expect_options("a-plugin", "anything=x parent=y", "- anything=x parent=y");
	refuse_options("bridge", "mtu=abc", "bridge network option 'mtu=abc'");
	refuse_options("bridge", "mtu=-5", "expected a number");
	refuse_options("bridge", "vlan=4095", "between 0 and 4094");
	refuse_options("bridge", "isolate=maybe", "true or false");
	refuse_options("bridge", "no_default_route=x", "true or false");
	refuse_options("bridge", "mode=l2", "unknown bridge mode \"l2\"");
	refuse_options("bridge", "parent=podman2", "unsupported bridge network option parent");
	refuse_options("bridge", "foo=1", "unsupported bridge network option foo");
	refuse_options("macvlan", "mode=l2", "unknown macvlan mode \"l2\"");
	refuse_options("macvlan", "isolate=1", "unsupported macvlan network option isolate");
	refuse_options("macvlan", "parent=none0", "parent interface none0 does not exist");
	refuse_options("ipvlan", "mode=bridge", "unknown ipvlan mode \"bridge\"");
}

/* What belongs together is refused apart, and an internal network without names has no gateway. */
static void test_create_kinds(void **state UNUSED)
{
	struct network_create_options o = { .name = "web", .driver = "ipvlan" };
	auto_network struct network n = NETWORK_INIT;
	struct err err = ERR_INIT;

	expect_no_network(&o, "dhcp is not supported with ipvlan");
	o.driver = NULL;
	o.ipam_driver = "none";
	strvec_add(&o.subnets, "fd07::/64");
	expect_no_network(&o, "subnets are given");
	o.ipam_driver = NULL;
	o.internal = true;
	o.disable_dns = true;
	o.ipv6 = true;
	assert_int_equal(create(&n, &o, &err), 0);
	assert_int_equal(n.n_subnets, 2);
	assert_null(n.subnets[0].gateway);
	assert_string_equal(n.subnets[1].subnet, "10.89.0.0/24");
	strvec_done(&o.subnets);
}

static void from_list(const char *text, struct network *ret)
{
	auto_cni_network struct cni_network cni = CNI_NETWORK_INIT;
	struct err err = ERR_INIT;

	if (cni_network_parse(&cni, text, &err) < 0)
		fail_msg("%s", err.msg);
	cni_list_to_network(&cni, 1000000000, ret);
}

/* What a list says is what a list that is made of it says. */
static void test_cni_list(void **state UNUSED)
{
	const struct network_dir dir = { .path = directory,
					 .cni = true,
					 .cni_plugins = "/nowhere" };
	auto_network struct network n = NETWORK_INIT;
	auto_network struct network again = NETWORK_INIT;
	auto_free char *text = NULL;
	struct err err = ERR_INIT;

	from_list(
		"{\"cniVersion\":\"0.4.0\",\"name\":\"podman\",\"args\":{\"podman_labels\":{\"a\":"
		"\"b\"}},"
		"\"plugins\":[{\"type\":\"bridge\",\"bridge\":\"br9\",\"isGateway\":true,\"mtu\":"
		"1400,"
		"\"ipam\":{\"type\":\"host-local\",\"ranges\":[[{\"subnet\":\"10.1.0.0/16\","
		"\"gateway\":\"10.1.0.1\",\"rangeStart\":\"10.1.2.0\",\"rangeEnd\":\"10.1.2.9\"}],"
		"[{\"subnet\":\"fd01::/64\"}]]}},{\"type\":\"dnsname\"}]}",
		&n);
	assert_string_equal(n.id,
			    "2f259bab93aaaaa2542ba43ef33eb990d0999ee1b9924b557b7be53c0b7a1bb9");
	assert_string_equal(n.driver, "bridge");
	assert_string_equal(n.network_interface, "br9");
	assert_string_equal(n.created, "2001-09-09T01:46:40.000000000Z");
	assert_int_equal(n.n_subnets, 2);
	assert_string_equal(n.subnets[0].lease_range->end_ip, "10.1.2.9");
	assert_true(n.ipv6_enabled && n.dns_enabled && !n.internal);
	assert_string_equal(json_string_map_get(&n.labels, "a"), "b");
	assert_string_equal(json_string_map_get(&n.options, "mtu"), "1400");
	assert_int_equal(cni_list_from_network(&n, &dir, &text, &err), 0);
	from_list(text, &again);
	/* No such plugin is here. */
	again.dns_enabled = true;
	replace_ptr(text, json_encode(&network_desc, &n, JSON_COMPACT));
	{
		auto_free char *second = json_encode(&network_desc, &again, JSON_COMPACT);

		assert_string_equal(text, second);
	}
	json_string_map_set(&n.options, "isolate", "true");
	assert_true(cni_list_from_network(&n, &dir, &text, &err) < 0);
	assert_int_equal(err.kind, ERR_UNSUPPORTED);
}

/* Lists of others: a single plugin, without a subnet, with another's address management, with nonsense. */
static void test_cni_list_of_others(void **state UNUSED)
{
	auto_network struct network n = NETWORK_INIT;

	from_list("{\"name\":\"old\",\"type\":\"macvlan\",\"master\":\"eth0\",\"mode\":\"vepa\","
		  "\"ipam\":{\"type\":\"dhcp\"}}",
		  &n);
	assert_string_equal(n.network_interface, "eth0");
	assert_string_equal(network_ipam_driver(&n), "dhcp");
	assert_string_equal(json_string_map_get(&n.options, "mode"), "vepa");
	network_done(&n);
	n = (struct network)NETWORK_INIT;
	from_list("{\"name\":\"odd\",\"args\":7,\"plugins\":[{\"type\":\"bridge\",\"bridge\":3,"
		  "\"mtu\":\"x\","
		  "\"ipam\":{\"ranges\":[7,[],[8],[{\"subnet\":9}]]}}]}",
		  &n);
	assert_null(n.network_interface);
	assert_int_equal(n.n_subnets, 0);
	assert_true(n.internal);
}

/* Machines of the network that the parent is in: the subnet is the host's as well. */
static void test_create_host_part(void **state UNUSED)
{
	struct network_create_options o = { .name = "lan", .driver = "macvlan" };
	auto_network struct network n = NETWORK_INIT;
	struct err err = ERR_INIT;

	strvec_add(&o.subnets, "10.89.1.0/24");
	assert_int_equal(create(&n, &o, &err), 0);
	assert_string_equal(network_ipam_driver(&n), "host-local");
	o.driver = "bridge";
	expect_no_network(&o, "is in use by the host");
	strvec_done(&o.subnets);
	o.driver = "macvlan";
	o.ipam_driver = "host-local";
	expect_no_network(&o, "needs at least one subnet");
	network_done(&n);
	o.ipam_driver = NULL;
	o.ipv6 = true;
	assert_int_equal(create(&n, &o, &err), 0);
	assert_string_equal(network_ipam_driver(&n), "dhcp");
	assert_true(n.ipv6_enabled);
}

/* ---- addresses of containers ---- */

static char *allocate(const struct network *n, const char *id, const char *wanted, struct err *err)
{
	auto_strvec struct strvec want = STRVEC_INIT;
	auto_strvec struct strvec given = STRVEC_INIT;

	if (wanted)
		strvec_split(&want, wanted, ',', false);
	return ipam_allocate(directory, n, id, &want, &given, err) < 0 ? NULL :
									 strvec_join(&given, ",");
}

static void expect_address(const struct network *n, const char *id, const char *wanted,
			   const char *expected)
{
	struct err err = ERR_INIT;
	auto_free char *got = allocate(n, id, wanted, &err);

	if (!got)
		fail_msg("%s", err.msg);
	assert_string_equal(got, expected);
}

static void expect_no_address(const struct network *n, const char *id, const char *wanted,
			      const char *reason)
{
	struct err err = ERR_INIT;
	auto_free char *got = allocate(n, id, wanted, &err);

	if (got)
		fail_msg("got %s", got);
	if (!strstr(err.msg, reason))
		fail_msg("'%s' does not say '%s'", err.msg, reason);
}

static void test_ipam(void **state UNUSED)
{
	struct network_create_options o = { .name = "small" };
	auto_network struct network n = NETWORK_INIT;
	struct err err = ERR_INIT;

	strvec_add(&o.subnets, "10.1.2.0/29");
	strvec_add(&o.subnets, "fd01::/64");
	assert_int_equal(create(&n, &o, &err), 0);
	expect_address(&n, "a", NULL, "10.1.2.2,fd01::2");
	expect_address(&n, "b", NULL, "10.1.2.3,fd01::3");
	expect_address(&n, "c", "10.1.2.6", "10.1.2.6,fd01::4");
	/* Released, but not at once used again. */
	assert_int_equal(ipam_release(directory, "small", "b", &err), 0);
	expect_address(&n, "d", NULL, "10.1.2.4,fd01::5");
	expect_address(&n, "e", NULL, "10.1.2.5,fd01::6");
	expect_address(&n, "f", "fd01::9", "10.1.2.3,fd01::9");
	expect_no_address(&n, "g", NULL, "no free address in subnet 10.1.2.0/29");
	expect_no_address(&n, "g", "10.1.2.6", "already allocated to container ID c");
	expect_no_address(&n, "g", "10.1.2.1", "the gateway's");
	expect_no_address(&n, "g", "10.1.3.1", "address");
	/* A failure takes nothing: the address of the second subnet is as it was. */
	assert_int_equal(ipam_release(directory, "small", "f", &err), 0);
	expect_address(&n, "g", NULL, "10.1.2.3,fd01::7");
	assert_int_equal(ipam_release(directory, "small", "nobody", &err), 0);
	ipam_forget(directory, "small");
	strvec_done(&o.subnets);
}

/* From the other end than podman, which has the same network and other records. */
static void test_ipam_default(void **state UNUSED)
{
	struct network_create_options o = { .name = "other" };
	auto_network struct network n = NETWORK_INIT;
	struct err err = ERR_INIT;

	strvec_add(&o.subnets, "10.1.2.0/29");
	strvec_add(&o.subnets, "fd01::/64");
	assert_int_equal(create(&n, &o, &err), 0);
	replace_ptr(n.name, xstrdup(NETWORK_DEFAULT));
	expect_address(&n, "a", NULL, "10.1.2.6,fd01::ffff:ffff");
	expect_address(&n, "b", "10.1.2.5", "10.1.2.5,fd01::ffff:fffe");
	expect_address(&n, "c", NULL, "10.1.2.4,fd01::ffff:fffd");
	expect_address(&n, "d", NULL, "10.1.2.3,fd01::ffff:fffc");
	expect_address(&n, "e", NULL, "10.1.2.2,fd01::ffff:fffb");
	expect_no_address(&n, "f", NULL, "no free address in subnet 10.1.2.0/29");
	assert_int_equal(ipam_release(directory, NETWORK_DEFAULT, "a", &err), 0);
	expect_address(&n, "f", NULL, "10.1.2.6,fd01::ffff:fffa");
	ipam_forget(directory, NETWORK_DEFAULT);
	strvec_done(&o.subnets);
}

static void test_ipam_range(void **state UNUSED)
{
	struct network_create_options o = { .name = "ranged" };
	auto_network struct network n = NETWORK_INIT;
	struct err err = ERR_INIT;

	strvec_add(&o.subnets, "10.1.4.0/24");
	strvec_add(&o.ip_ranges, "10.1.4.100-10.1.4.101");
	assert_int_equal(create(&n, &o, &err), 0);
	expect_address(&n, "a", NULL, "10.1.4.100");
	expect_address(&n, "b", NULL, "10.1.4.101");
	expect_no_address(&n, "c", NULL, "no free address in 10.1.4.100 to 10.1.4.101");
	/* By wish also outside of the range. */
	expect_address(&n, "c", "10.1.4.7", "10.1.4.7");
	ipam_forget(directory, "ranged");
	strvec_done(&o.subnets);
	strvec_done(&o.ip_ranges);
}

/* ---- documents ---- */

static void test_status(void **state UNUSED)
{
	static const char text[] =
		"{\"podman\":{\"interfaces\":{\"eth0\":{\"mac_address\":\"aa:bb:cc:dd:ee:ff\","
		"\"subnets\":[{\"gateway\":\"10.88.0.1\",\"ipnet\":\"10.88.0.2/16\"}]}},"
		"\"dns_server_ips\":[\"10.88.0.1\"],\"dns_search_domains\":[\"dns.podman\"]}}";
	auto_network_status struct network_status status = NETWORK_STATUS_INIT;
	const struct network_status_entry *entry;
	struct err err = ERR_INIT;
	auto_free char *again = NULL;

	if (network_status_parse(&status, text, strlen(text), "status", &err) < 0)
		fail_msg("%s", err.msg);
	entry = network_status_find(&status, "podman");
	assert_non_null(entry);
	assert_string_equal(entry->interfaces[0].name, "eth0");
	assert_string_equal(entry->interfaces[0].subnets[0].ipnet, "10.88.0.2/16");
	again = network_status_format(&status);
	assert_string_equal(again, text);
	assert_null(network_status_find(&status, "other"));
	assert_true(network_status_parse(&status, "[]", 2, "status", &err) < 0);
}

static void test_netavark_input(void **state UNUSED)
{
	auto_network_request struct network_request request = { .container_id = "c0ffee",
								.container_name = "web",
								.hostname = "host" };
	auto_network_list struct network_list networks = NETWORK_LIST_INIT;
	auto_free char *text = NULL;
	struct err err = ERR_INIT;

	assert_int_equal(
		network_list_load(&networks, &(struct network_dir){ .path = directory }, &err), 0);
	assert_int_equal(
		network_attachment_parse(array_push(request.attachments, request.n_attachments),
					 "podman:ip=10.88.0.9,alias=db", &err),
		0);
	network_request_name_interfaces(&request);
	assert_int_equal(network_ports_parse(&request.ports, "8080:80", &err), 0);
	strvec_add(&request.dns_servers, "1.1.1.1");
	text = netavark_input(&request, networks.v);
	assert_string_equal(
		text, "{\"container_id\":\"c0ffee\",\"container_name\":\"web\","
		      "\"container_hostname\":\"host\",\"port_mappings\":[{\"host_ip\":\"\","
		      "\"container_port\":80,\"host_port\":8080,\"range\":1,\"protocol\":\"tcp\"}],"
		      "\"dns_servers\":[\"1.1.1.1\"],\"networks\":{\"podman\":{\"static_ips\":"
		      "[\"10.88.0.9\"],\"aliases\":[\"db\"],\"interface_name\":\"eth0\"}},"
		      "\"network_info\":{\"podman\":{\"name\":\"podman\",\"id\":"
		      "\"2f259bab93aaaaa2542ba43ef33eb990d0999ee1b9924b557b7be53c0b7a1bb9\","
		      "\"driver\":\"bridge\",\"network_interface\":\"podman0\",\"subnets\":"
		      "[{\"subnet\":\"10.88.0.0/16\",\"gateway\":\"10.88.0.1\"}],"
		      "\"ipv6_enabled\":false,\"internal\":false,\"dns_enabled\":false,"
		      "\"ipam_options\":{\"driver\":\"host-local\"}}}}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_subnets),
		cmocka_unit_test(test_ports),
		cmocka_unit_test(test_port_of_a_stranger),
		cmocka_unit_test(test_port_choice),
		cmocka_unit_test(test_ports_of_addresses),
		cmocka_unit_test(test_hold_both_families),
		cmocka_unit_test(test_attachment),
		cmocka_unit_test(test_interface_names),
		cmocka_unit_test(test_merge),
		cmocka_unit_test(test_create),
		cmocka_unit_test(test_create_refused),
		cmocka_unit_test(test_driver_options),
		cmocka_unit_test(test_create_kinds),
		cmocka_unit_test(test_cni_list),
		cmocka_unit_test(test_cni_list_of_others),
		cmocka_unit_test(test_create_host_part),
		cmocka_unit_test(test_ipam),
		cmocka_unit_test(test_ipam_default),
		cmocka_unit_test(test_ipam_range),
		cmocka_unit_test(test_status),
		cmocka_unit_test(test_netavark_input),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
