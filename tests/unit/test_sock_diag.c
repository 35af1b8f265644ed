/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/sock_diag.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/str.h"

static uint32_t inode(int fd)
{
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	return (uint32_t)st.st_ino;
}

static void collect(struct sock_diag_list *list)
{
	int fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(sock_diag_collect(list, fd), 0);
	close(fd);
}

static void test_unix(void **state UNUSED)
{
	auto_sock_diag_list struct sock_diag_list list = SOCK_DIAG_LIST_INIT;
	struct sockaddr_un name = { .sun_family = AF_UNIX, .sun_path = "\0floe-test-diag" };
	int pair[2];
	int server = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int gone = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	const struct sock_diag_socket *s;

	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair), 0);
	assert_int_equal(send(pair[1], "abc", 3, 0), 3);
	assert_int_equal(bind(server, (struct sockaddr *)&name, sizeof(sa_family_t) + 15), 0);
	assert_int_equal(listen(server, 5), 0);
	assert_int_equal(connect(client, (struct sockaddr *)&name, sizeof(sa_family_t) + 15), 0);
	assert_int_equal(connect(gone, (struct sockaddr *)&name, sizeof(sa_family_t) + 15), 0);
	close(gone);
	collect(&list);
	s = sock_diag_find(&list, inode(pair[0]));
	assert_non_null(s);
	assert_int_equal(s->family, AF_UNIX);
	assert_int_equal(s->type, SOCK_DGRAM);
	assert_int_equal(s->peer, inode(pair[1]));
	assert_true(s->read_queue > 0);
	assert_null(s->name);
	s = sock_diag_find(&list, inode(server));
	assert_non_null(s);
	assert_int_equal(s->state, TCP_LISTEN);
	assert_string_equal(s->name, "@floe-test-diag");
	assert_int_equal(s->n_pending, 2);
	assert_int_equal(s->pending[0], inode(client));
	assert_int_equal(s->pending[1], 0);
	assert_null(sock_diag_find(&list, 0));
	close(pair[0]);
	close(pair[1]);
	close(server);
	close(client);
}

/* The file it was bound to, whatever that is called. */
static void test_unix_file(void **state UNUSED)
{
	auto_sock_diag_list struct sock_diag_list list = SOCK_DIAG_LIST_INIT;
	char directory[] = "/tmp/floe-test-diag.XXXXXX";
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	char renamed[sizeof(name.sun_path)];
	int server = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int netns = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	const struct sock_diag_socket *s;
	struct stat st;

	assert_non_null(mkdtemp(directory));
	(void)snprintf(name.sun_path, sizeof(name.sun_path), "%s/bound", directory);
	(void)snprintf(renamed, sizeof(renamed), "%s/renamed", directory);
	assert_int_equal(bind(server, (struct sockaddr *)&name, sizeof(name)), 0);
	assert_int_equal(rename(name.sun_path, renamed), 0);
	assert_int_equal(stat(renamed, &st), 0);
	assert_int_equal(sock_diag_collect_unix(&list, netns), 0);
	s = sock_diag_find(&list, inode(server));
	assert_non_null(s);
	assert_string_equal(s->name, name.sun_path);
	/* On an overlay of several file systems stat(2) has numbers of its own. */
	if (s->file_dev == st.st_dev)
		assert_int_equal(s->file_ino, (uint32_t)st.st_ino);
	assert_int_not_equal(s->file_ino, 0);
	assert_int_not_equal(s->file_dev, 0);
	assert_int_equal(unlink(renamed), 0);
	assert_int_equal(rmdir(directory), 0);
	close(server);
	close(netns);
}

static int tcp_listener(int protocol, struct sockaddr_in *address)
{
	socklen_t len = sizeof(*address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, protocol);

	if (fd < 0)
		return -1;
	*address = (struct sockaddr_in){ .sin_family = AF_INET,
					 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	assert_int_equal(bind(fd, (struct sockaddr *)address, len), 0);
	assert_int_equal(listen(fd, 5), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)address, &len), 0);
	return fd;
}

static void test_tcp(void **state UNUSED)
{
	auto_sock_diag_list struct sock_diag_list list = SOCK_DIAG_LIST_INIT;
	struct sockaddr_in address;
	int server = tcp_listener(0, &address);
	int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	const struct sock_diag_socket *s;
	char text[32];

	assert_int_equal(connect(client, (struct sockaddr *)&address, sizeof(address)), 0);
	collect(&list);
	(void)snprintf(text, sizeof(text), "127.0.0.1:%d", ntohs(address.sin_port));
	s = sock_diag_find(&list, inode(server));
	assert_non_null(s);
	assert_int_equal(s->protocol, IPPROTO_TCP);
	assert_int_equal(s->state, TCP_LISTEN);
	assert_int_equal(s->read_queue, 1);
	assert_string_equal(s->local, text);
	assert_string_equal(s->remote, "");
	s = sock_diag_find(&list, inode(client));
	assert_non_null(s);
	assert_int_equal(s->state, TCP_ESTABLISHED);
	assert_string_equal(s->remote, text);
	close(client);
	close(server);
}

static void test_mptcp(void **state UNUSED)
{
	auto_sock_diag_list struct sock_diag_list list = SOCK_DIAG_LIST_INIT;
	struct sockaddr_in address;
	int server = tcp_listener(IPPROTO_MPTCP, &address);
	const struct sock_diag_socket *s;

	if (server < 0)
		skip();
	collect(&list);
	s = sock_diag_find(&list, inode(server));
	assert_non_null(s);
	assert_int_equal(s->protocol, IPPROTO_MPTCP);
	close(server);
}

static void test_udp_and_netlink(void **state UNUSED)
{
	auto_sock_diag_list struct sock_diag_list list = SOCK_DIAG_LIST_INIT;
	struct sockaddr_in6 address = { .sin6_family = AF_INET6,
					.sin6_addr = IN6ADDR_LOOPBACK_INIT };
	struct sockaddr_nl netlink_address = { .nl_family = AF_NETLINK, .nl_groups = RTMGRP_LINK };
	int udp = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int netlink = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	int group = 34;
	const struct sock_diag_socket *s;

	if (udp < 0 || bind(udp, (struct sockaddr *)&address, sizeof(address)) < 0)
		skip();
	assert_int_equal(
		bind(netlink, (struct sockaddr *)&netlink_address, sizeof(netlink_address)), 0);
	assert_int_equal(
		setsockopt(netlink, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)), 0);
	collect(&list);
	s = sock_diag_find(&list, inode(udp));
	assert_non_null(s);
	assert_int_equal(s->protocol, IPPROTO_UDP);
	assert_true(str_has_prefix(s->local, "[::1]:"));
	s = sock_diag_find(&list, inode(netlink));
	assert_non_null(s);
	assert_int_equal(s->family, AF_NETLINK);
	assert_int_equal(s->netlink_groups, RTMGRP_LINK);
	assert_true(s->netlink_port != 0);
	assert_true(s->has_high_netlink_groups);
	close(udp);
	close(netlink);
}

static void test_errors(void **state UNUSED)
{
	struct sock_diag_list list = SOCK_DIAG_LIST_INIT;

	assert_int_equal(sock_diag_collect(&list, -1), -EBADF);
	assert_null(sock_diag_find(&list, 7));
	assert_string_equal(sock_diag_tcp_state(TCP_ESTABLISHED), "established");
	assert_string_equal(sock_diag_tcp_state(99), "in an unknown state");
	assert_string_equal(sock_diag_tcp_state(-1), "in an unknown state");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_unix),
		cmocka_unit_test(test_unix_file),
		cmocka_unit_test(test_tcp),
		cmocka_unit_test(test_mptcp),
		cmocka_unit_test(test_udp_and_netlink),
		cmocka_unit_test(test_errors),
	};

	return cmocka_run_group_tests_name("sock_diag", tests, NULL, NULL);
}
