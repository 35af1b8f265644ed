/* SPDX-License-Identifier: Apache-2.0 */
#include "situation.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/un.h>

static struct sockaddr_in loopback(uint16_t port)
{
	return (struct sockaddr_in){ .sin_family = AF_INET,
				     .sin_port = htons(port),
				     .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
}

static int listen_tcp(int protocol)
{
	int fd = must(socket(AF_INET, SOCK_STREAM, protocol));
	struct sockaddr_in a = loopback(7777);

	must(bind(fd, (struct sockaddr *)&a, sizeof(a)));
	must(listen(fd, 5));
	return fd;
}

static int connect_tcp(void)
{
	int fd = must(socket(AF_INET, SOCK_STREAM, 0));
	struct sockaddr_in a = loopback(7777);

	must(connect(fd, (struct sockaddr *)&a, sizeof(a)));
	return fd;
}

static void tcp_listening(void)
{
	listen_tcp(0);
	must(socket(AF_INET6, SOCK_STREAM, 0));
}
SITUATION(tcp_listening, tcp_listening)

static void tcp_established(void)
{
	int fd = listen_tcp(0);

	connect_tcp();
	must(accept(fd, NULL, NULL));
}
SITUATION(tcp_established, tcp_established, .check = "tcp-established",
	  .option = "--tcp-established")

static void tcp_half_closed(void)
{
	int fd = listen_tcp(0);
	int client = connect_tcp();

	must(accept(fd, NULL, NULL));
	must(shutdown(client, SHUT_WR));
}
SITUATION(tcp_half_closed, tcp_half_closed, .check = "tcp-established",
	  .option = "--tcp-established")

static void tcp_in_flight(void)
{
	listen_tcp(0);
	close(connect_tcp());
}
SITUATION(tcp_in_flight, tcp_in_flight, .check = "tcp-in-flight", .option = "--tcp-skip-in-flight")

static void mptcp_listening(void)
{
	listen_tcp(IPPROTO_MPTCP);
}
SITUATION(mptcp_listening, mptcp_listening, .check = "socket-protocol")

static void mptcp_unused(void)
{
	must(socket(AF_INET, SOCK_STREAM, IPPROTO_MPTCP));
}
SITUATION(mptcp_unused, mptcp_unused, .check = "socket-protocol")

static void vsock(void)
{
	must(socket(AF_VSOCK, SOCK_STREAM, 0));
}
SITUATION(vsock, vsock, .check = "socket-protocol")

static void xdp(void)
{
	must(socket(AF_XDP, SOCK_RAW, 0));
}
SITUATION(xdp, xdp, .check = "socket-protocol")

static void ping_socket(void)
{
	int fd = must(open("/proc/sys/net/ipv4/ping_group_range", O_WRONLY));

	must(write(fd, "0 1000", 6));
	close(fd);
	must(socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP));
}
SITUATION(ping_socket, ping_socket, .check = "socket-ping", .really = "restore")

static void raw_and_packet(void)
{
	must(socket(AF_INET, SOCK_RAW, IPPROTO_ICMP));
	must(socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ALL)));
}
SITUATION(raw_and_packet, raw_and_packet)

static void udp_unread(void)
{
	int fd = must(socket(AF_INET, SOCK_DGRAM, 0));
	struct sockaddr_in a = loopback(7777);

	must(bind(fd, (struct sockaddr *)&a, sizeof(a)));
	must(sendto(must(socket(AF_INET, SOCK_DGRAM, 0)), "hello", 5, 0, (struct sockaddr *)&a,
		    sizeof(a)));
}
SITUATION(udp_unread, udp_unread, .check = "udp-unread", .really = "lost")

static int bind_netlink(int protocol, unsigned int groups)
{
	int fd = must(socket(AF_NETLINK, SOCK_RAW, protocol));
	struct sockaddr_nl a = { .nl_family = AF_NETLINK, .nl_groups = groups };

	must(bind(fd, (struct sockaddr *)&a, sizeof(a)));
	return fd;
}

static void netlink_kept(void)
{
	must(socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE));
	bind_netlink(NETLINK_ROUTE, RTMGRP_LINK | RTMGRP_IPV4_IFADDR);
	bind_netlink(NETLINK_KOBJECT_UEVENT, 1);
}
SITUATION(netlink_kept, netlink_kept)

static void join_group(int fd, int group)
{
	must(setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)));
}

static void netlink_unbound_group(void)
{
	join_group(must(socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE)), 1);
}
SITUATION(netlink_unbound_group, netlink_unbound_group, .check = "socket-netlink")

static void netlink_high_group(void)
{
	join_group(bind_netlink(NETLINK_ROUTE, 0), 34);
}
SITUATION(netlink_high_group, netlink_high_group, .check = "socket-netlink")

static void netlink_unread(void)
{
	struct {
		struct nlmsghdr header;
		struct rtgenmsg body;
	} request = { { .nlmsg_len = sizeof(request),
			.nlmsg_type = RTM_GETLINK,
			.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP },
		      { AF_UNSPEC } };

	must(send(bind_netlink(NETLINK_ROUTE, 0), &request, sizeof(request), 0));
}
SITUATION(netlink_unread, netlink_unread, .check = "socket-netlink")

static struct sockaddr_un unix_name(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
	return a;
}

static int listen_unix(void)
{
	int fd = must(socket(AF_UNIX, SOCK_STREAM, 0));
	struct sockaddr_un a = unix_name("/data/s");

	must(bind(fd, (struct sockaddr *)&a, sizeof(a)));
	must(listen(fd, 5));
	return fd;
}

static int connect_unix(const char *path, int type)
{
	int fd = must(socket(AF_UNIX, type, 0));
	struct sockaddr_un a = unix_name(path);

	must(connect(fd, (struct sockaddr *)&a, sizeof(a)));
	return fd;
}

static void unix_kept(void)
{
	int ends[2];
	int fd = listen_unix();

	connect_unix("/data/s", SOCK_STREAM);
	must(accept(fd, NULL, NULL));
	connect_unix("/data/s", SOCK_STREAM);
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
	must(write(ends[0], "abc", 3));
	must(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends));
	close(ends[0]);
	must(unlink("/data/s"));
}
SITUATION(unix_kept, unix_kept)

static void unix_stream_outside(void)
{
	connect_unix("/outside/stream", SOCK_STREAM);
}
SITUATION(unix_stream_outside, unix_stream_outside, .check = "unix-outside")

static void unix_datagram_outside(void)
{
	connect_unix("/outside/datagram", SOCK_DGRAM);
}
SITUATION(unix_datagram_outside, unix_datagram_outside, .check = "unix-outside")

static int serve_at(const char *directory, const char *name, int type)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = must(socket(AF_UNIX, type, 0));

	snprintf(a.sun_path, sizeof(a.sun_path), "%s/%s", directory, name);
	(void)unlink(a.sun_path);
	must(bind(fd, (struct sockaddr *)&a, sizeof(a)));
	return fd;
}

void serve(const char *directory)
{
	int stream = serve_at(directory, "stream", SOCK_STREAM);

	serve_at(directory, "datagram", SOCK_DGRAM);
	must(listen(stream, 5));
	puts("ready");
	for (;;)
		(void)accept(stream, NULL, NULL);
}

static void unix_pending_closed(void)
{
	listen_unix();
	close(connect_unix("/data/s", SOCK_STREAM));
}
SITUATION(unix_pending_closed, unix_pending_closed, .check = "unix-pending")

static void unix_credentials(void)
{
	int ends[2];
	int one = 1;

	must(socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
	must(setsockopt(ends[1], SOL_SOCKET, SO_PASSCRED, &one, sizeof(one)));
	must(write(ends[0], "abc", 3));
}
SITUATION(unix_credentials, unix_credentials, .check = "unix-credentials")

static void unix_socket_path(void)
{
	listen_unix();
	must(open("/data/s", O_PATH));
}
SITUATION(unix_socket_path, unix_socket_path, .check = "socket-path")

static void unix_renamed(void)
{
	listen_unix();
	must(rename("/data/s", "/data/t"));
}
SITUATION(unix_renamed, unix_renamed, .really = "works")

static void unix_linked(void)
{
	listen_unix();
	must(link("/data/s", "/data/t"));
}
SITUATION(unix_linked, unix_linked, .check = "unix-name", .really = "lost")

static void unix_hidden(void)
{
	must(mkdir("/data/d", 0755));
	listen_unix();
	must(link("/data/s", "/data/d/s"));
	must(unlink("/data/s"));
}
SITUATION(unix_hidden, unix_hidden, .check = "unix-name", .really = "lost")

static void unix_relative(void)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX, .sun_path = "../data/s" };
	int fd = must(socket(AF_UNIX, SOCK_STREAM, 0));

	must(chdir("/data"));
	must(bind(fd, (struct sockaddr *)&a, sizeof(a)));
	must(chdir("/"));
}
SITUATION(unix_relative, unix_relative, .check = "unix-name")

static void tun_attached(void)
{
	struct ifreq request = { .ifr_name = "tun7", .ifr_flags = IFF_TUN | IFF_NO_PI };

	must(ioctl(must(open("/dev/net/tun", O_RDWR)), TUNSETIFF, &request));
}
SITUATION(tun_attached, tun_attached, .check = "tun-attached", .really = "restore")

static void tun_unattached(void)
{
	must(open("/dev/net/tun", O_RDWR));
}
SITUATION(tun_unattached, tun_unattached)

static void socket_of_other_namespace(void)
{
	int fd;
	int own = must(open("/proc/self/ns/net", O_RDONLY));

	must(unshare(CLONE_NEWNET));
	fd = must(socket(AF_INET, SOCK_STREAM, 0));
	must(setns(own, CLONE_NEWNET));
	close(own);
	(void)fd;
}
SITUATION(socket_of_other_namespace, socket_of_other_namespace, .check = "socket-namespace")
