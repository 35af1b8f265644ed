/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Networks for real, by netavark. The "host" is a network namespace of the test's own, so that no bridge and no rule
 * comes into the machine's.
 */
#include "network/network.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/alloc.h"
#include "core/fd.h"
#include "core/fs.h"
#include "core/str.h"
#include "kernel/netlink.h"
#include "network/cni.h"
#include "network/create.h"
#include "network/netns.h"

static char directory[] = "/tmp/floe-test-network.XXXXXX";
static bool can_run;

static bool become_private(void)
{
	auto_netlink struct netlink nl = NETLINK_INIT;
	struct netlink_link lo;

	return unshare(CLONE_NEWNS | CLONE_NEWNET) == 0 &&
	       mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	       mount("floe-test", "/run", "tmpfs", 0, NULL) == 0 &&
	       mount("floe-test", "/sys", "sysfs", 0, NULL) == 0 && netlink_open(&nl) == 0 &&
	       netlink_get_link(&nl, "lo", &lo) == 0 &&
	       netlink_set_link_up(&nl, lo.index, true) == 0;
}

static int set_up(void **state UNUSED)
{
	auto_netavark struct netavark nv = NETAVARK_INIT;

	can_run = geteuid() == 0 && netavark_find(&nv, NULL, NULL) == 0 && become_private();
	return mkdtemp(directory) ? 0 : -1;
}

static int tear_down(void **state UNUSED)
{
	return fs_remove_tree(AT_FDCWD, directory);
}

static struct network_env environment(void)
{
	static char run_dir[sizeof(directory) + 8];

	(void)snprintf(run_dir, sizeof(run_dir), "%s/run", directory);
	return (struct network_env){ .dir.path = directory, .run_dir = run_dir };
}

static void make_network(const char *name, const char *subnet)
{
	struct network_create_options o = { .name = name, .disable_dns = true };
	auto_network struct network n = NETWORK_INIT;
	struct err err = ERR_INIT;

	strvec_add(&o.subnets, subnet);
	if (network_create(&n, &(struct network_dir){ .path = directory }, &o, &err) < 0)
		fail_msg("%s", err.msg);
	strvec_done(&o.subnets);
}

static void attach(struct network_request *request, const char *text)
{
	struct err err = ERR_INIT;

	if (network_attachment_parse(array_push(request->attachments, request->n_attachments), text,
				     &err) < 0)
		fail_msg("%s", err.msg);
}

/* Listen in the namespace, connect from the outside. */
static bool can_connect(const char *netns, const char *to, uint16_t inside, uint16_t outside)
{
	auto_close int own = fd_open_at(AT_FDCWD, "/proc/self/ns/net", O_RDONLY, 0);
	auto_close int fd = fd_open_at(AT_FDCWD, netns, O_RDONLY, 0);
	auto_close int listener = -EBADF;
	auto_close int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in name = { .sin_family = AF_INET, .sin_port = htons(inside) };
	struct timeval patience = { .tv_sec = 5 };

	assert_int_equal(setns(fd, CLONE_NEWNET), 0);
	listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(listener, (const struct sockaddr *)&name, sizeof(name)), 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(setns(own, CLONE_NEWNET), 0);
	name.sin_port = htons(outside);
	assert_int_equal(inet_pton(AF_INET, to, &name.sin_addr), 1);
	(void)setsockopt(client, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	return connect(client, (const struct sockaddr *)&name, sizeof(name)) == 0;
}

static bool host_has_link(const char *name)
{
	auto_netlink struct netlink nl = NETLINK_INIT;
	struct netlink_link link;

	assert_int_equal(netlink_open(&nl), 0);
	return netlink_get_link(&nl, name, &link) == 0;
}

static bool namespace_has_link(const char *netns, const char *name)
{
	auto_netlink struct netlink nl = NETLINK_INIT;
	auto_close int fd = fd_open_at(AT_FDCWD, netns, O_RDONLY, 0);
	struct netlink_link link;

	assert_int_equal(netlink_open_in(&nl, fd), 0);
	return netlink_get_link(&nl, name, &link) == 0;
}

static void test_two_networks(void **state UNUSED)
{
	auto_network_request struct network_request request = { .container_id = "c0ffee",
								.container_name = "web" };
	auto_network_status struct network_status status = NETWORK_STATUS_INIT;
	struct network_env env = environment();
	auto_free char *netns = netns_path("floe-test");
	struct err err = ERR_INIT;

	if (!can_run)
		skip();
	make_network("one", "10.213.1.0/24");
	make_network("two", "10.213.2.0/24");
	attach(&request, "one:mac=92:d0:c6:0a:29:33");
	attach(&request, "two:ip=10.213.2.77,interface_name=back");
	assert_int_equal(network_ports_parse(&request.ports, "8080:80", &err), 0);
	if (netns_create(netns, &err) < 0 || network_allocate(&env, &request, &err) < 0 ||
	    network_setup(&env, &request, netns, &status, &err) < 0)
		fail_msg("%s", err.msg);
	assert_int_equal(status.n, 2);
	assert_string_equal(network_status_find(&status, "one")->interfaces[0].subnets[0].ipnet,
			    "10.213.1.2/24");
	assert_string_equal(network_status_find(&status, "one")->interfaces[0].mac_address,
			    "92:d0:c6:0a:29:33");
	assert_string_equal(network_status_find(&status, "two")->interfaces[0].name, "back");
	assert_true(namespace_has_link(netns, "eth0") && namespace_has_link(netns, "back"));
	assert_true(can_connect(netns, "10.213.1.2", 80, 80));
	assert_true(can_connect(netns, "10.213.2.77", 81, 81));
	assert_true(can_connect(netns, "10.213.1.2", 80, 80));
	assert_true(host_has_link("podman1"));
	if (network_teardown(&env, &request, netns, &err) < 0)
		fail_msg("%s", err.msg);
	assert_false(namespace_has_link(netns, "eth0"));
	/* The last container is gone, and with it the bridge. */
	assert_false(host_has_link("podman1"));
	assert_int_equal(netns_remove(netns, &err), 0);
	assert_false(fs_exists(AT_FDCWD, netns));
	assert_int_equal(netns_remove(netns, &err), 0);
}

static void test_failure_leaves_nothing(void **state UNUSED)
{
	auto_network_request struct network_request request = { .container_id = "c0ffee",
								.container_name = "web" };
	auto_network_request struct network_request other = { .container_id = "decade",
							      .container_name = "other" };
	struct network_status status = NETWORK_STATUS_INIT;
	struct network_env env = environment();
	struct err err = ERR_INIT;

	if (!can_run)
		skip();
	attach(&request, "one:ip=10.213.1.5");
	/* No namespace there: netavark fails after the addresses were given out. */
	assert_int_equal(network_allocate(&env, &request, &err), 0);
	assert_true(network_setup(&env, &request, "/run/netns/nothing", &status, &err) < 0);
	if (!strstr(err.msg, "set up the network: netavark: "))
		fail_msg("%s", err.msg);
	assert_false(host_has_link("podman1"));
	/* As far as it came, it can be taken away, also without a namespace. */
	(void)network_teardown(&env, &request, "/run/netns/nothing", &err);
	attach(&other, "one:ip=10.213.1.5");
	attach(&other, "nothing");
	assert_int_equal(network_allocate(&env, &other, &err), -ENOENT);
	if (!strstr(err.msg, "unable to find network with name or ID nothing"))
		fail_msg("%s", err.msg);
}

/* ---- CNI ---- */

static struct cni make_cni(void)
{
	static char config[sizeof(directory) + 8];
	static char cache[sizeof(directory) + 8];
	static const char list[] =
		"{ \"cniVersion\": \"0.4.0\", \"name\": \"old\", \"plugins\": ["
		"{ \"type\": \"bridge\", \"bridge\": \"cnitest0\", \"isGateway\": true,"
		"  \"ipam\": { \"type\": \"host-local\", \"dataDir\": \"%s/leases\","
		"    \"ranges\": [[{ \"subnet\": \"10.213.3.0/24\" }]] } },"
		"{ \"type\": \"tuning\", \"capabilities\": { \"mac\": true } },"
		"{ \"type\": \"portmap\", \"capabilities\": { \"portMappings\": true } } ] }";
	auto_free char *text = xasprintf(list, directory);
	auto_free char *path = xasprintf("%s/cni/10-old.conflist", directory);
	int fd;

	(void)snprintf(config, sizeof(config), "%s/cni", directory);
	assert_int_equal(fs_mkdir_all(AT_FDCWD, config, 0755, 0755), 0);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	(void)close(fd);
	(void)snprintf(cache, sizeof(cache), "%s/cache", directory);
	return (struct cni){ .config_dir = config, .cache_dir = cache };
}

static void remove_cni_file(void)
{
	auto_free char *path = xasprintf("%s/cni/10-old.conflist", directory);

	assert_int_equal(unlink(path), 0);
}

static void test_cni(void **state UNUSED)
{
	auto_network_request struct network_request request = { .container_id = "c0ffee",
								.container_name = "web" };
	auto_network_status struct network_status status = NETWORK_STATUS_INIT;
	auto_free char *netns = netns_path("floe-test");
	struct err err = ERR_INIT;
	struct cni cni;

	if (!can_run || access("/usr/lib/cni/bridge", X_OK) < 0)
		skip();
	cni = make_cni();
	attach(&request, "old:ip=10.213.3.9,mac=92:d0:c6:0a:29:44");
	network_request_name_interfaces(&request);
	assert_int_equal(network_ports_parse(&request.ports, "8081:81", &err), 0);
	if (netns_create(netns, &err) < 0 || cni_setup(&cni, &request, netns, &status, &err) < 0)
		fail_msg("%s", err.msg);
	assert_string_equal(status.v[0].interfaces[0].name, "eth0");
	assert_string_equal(status.v[0].interfaces[0].subnets[0].ipnet, "10.213.3.9/24");
	assert_string_equal(status.v[0].interfaces[0].subnets[0].gateway, "10.213.3.1");
	assert_string_equal(status.v[0].interfaces[0].mac_address, "92:d0:c6:0a:29:44");
	assert_true(can_connect(netns, "10.213.3.9", 81, 81));
	/* What was made goes by the list that it was made with, whatever has become of the file. */
	remove_cni_file();
	if (cni_teardown(&cni, &request, netns, &err) < 0)
		fail_msg("%s", err.msg);
	assert_false(namespace_has_link(netns, "eth0"));
	assert_int_equal(netns_remove(netns, &err), 0);
	/* Deleting what is not there is no error (the specification's DEL). */
	(void)make_cni();
	if (cni_teardown(&cni, &request, NULL, &err) < 0)
		fail_msg("%s", err.msg);
}

static void test_cni_failure(void **state UNUSED)
{
	auto_network_request struct network_request request = { .container_id = "c0ffee",
								.container_name = "web" };
	struct network_status status = NETWORK_STATUS_INIT;
	struct err err = ERR_INIT;
	struct cni cni;

	if (!can_run || access("/usr/lib/cni/bridge", X_OK) < 0)
		skip();
	cni = make_cni();
	attach(&request, "old:ip=10.99.9.9");
	network_request_name_interfaces(&request);
	assert_true(cni_setup(&cni, &request, "/run/netns/nothing", &status, &err) < 0);
	if (!strstr(err.msg, "network 'old': plugin 'bridge'"))
		fail_msg("%s", err.msg);
	cni.plugin_path = "/nowhere";
	assert_true(cni_setup(&cni, &request, "/run/netns/nothing", &status, &err) < 0);
	if (!strstr(err.msg, "plugin 'bridge' is in none of '/nowhere'"))
		fail_msg("%s", err.msg);
	remove_cni_file();
	assert_true(cni_setup(&cni, &request, "/run/netns/nothing", &status, &err) < 0);
	if (!strstr(err.msg, "network 'old': it does not exist"))
		fail_msg("%s", err.msg);
	assert_int_equal(status.n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_two_networks),
		cmocka_unit_test(test_failure_leaves_nothing),
		cmocka_unit_test(test_cni),
		cmocka_unit_test(test_cni_failure),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
