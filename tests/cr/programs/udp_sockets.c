/* SPDX-License-Identifier: Apache-2.0 */
#include "net.h"

static void run_family(int family, int fds[3])
{
	struct address any = net_loopback(family, 0);
	struct address server;

	for (int i = 0; i < 3; i++)
		fds[i] = (int)must(socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0));
	net_bind(fds[0], &any);
	server = net_name(fds[0]);
	net_connect(fds[1], &server);
	net_set(fds[1], SOL_SOCKET, SO_BROADCAST, 1);
	net_set(fds[1], SOL_SOCKET, SO_RCVBUF, 33333);
}

static void look(int fds[3], const struct address was[2])
{
	struct address server = net_name(fds[0]);
	struct address client = net_name(fds[1]);
	struct address from = { .size = sizeof(from.storage) };
	char buffer[64];

	check(memcmp(&server.storage, &was[0].storage, server.size) == 0,
	      "the server's address is another");
	check(memcmp(&client.storage, &was[1].storage, client.size) == 0,
	      "the client's address is another");
	check(net_get(fds[1], SOL_SOCKET, SO_BROADCAST) == 1, "SO_BROADCAST is lost");
	check(net_get(fds[1], SOL_SOCKET, SO_RCVBUF) == 66666, "SO_RCVBUF is %d",
	      net_get(fds[1], SOL_SOCKET, SO_RCVBUF));
	must(send(fds[1], "hello", 5, 0));
	check(recvfrom(fds[0], buffer, sizeof(buffer), 0, (struct sockaddr *)&from.storage,
		       &from.size) == 5,
	      "a packet does not arrive");
	check(net_port(&from) == net_port(&client), "its sender is port %u", net_port(&from));
	must(sendto(fds[0], "answer", 6, 0, (struct sockaddr *)&from.storage, from.size));
	must_read(fds[1], "answer");
	must_fail(getpeername(fds[2], (struct sockaddr *)&from.storage, &from.size), ENOTCONN);
}

static void run(void)
{
	int fds[2][3];
	struct address was[2][2];

	run_family(AF_INET, fds[0]);
	run_family(AF_INET6, fds[1]);
	for (int i = 0; i < 2; i++)
		for (int k = 0; k < 2; k++)
			was[i][k] = net_name(fds[i][k]);
	wait_for_restore();
	look(fds[0], was[0]);
	look(fds[1], was[1]);
}
PROGRAM(udp_sockets, run, .subject = "UDP sockets, bound and connected, IPv4 and IPv6")
