/* SPDX-License-Identifier: Apache-2.0 */
#include "net.h"

static void run(void)
{
	struct address any = net_loopback(AF_INET, 0);
	struct address address;
	int both[2];
	int dual;
	int fd;
	int client;

	fd = (int)must(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
	net_set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	net_bind(fd, &any);
	must(listen(fd, 7));
	address = net_name(fd);
	/* Two on one port, and one for both families. */
	for (int i = 0; i < 2; i++) {
		both[i] = (int)must(socket(AF_INET, SOCK_STREAM, 0));
		net_set(both[i], SOL_SOCKET, SO_REUSEPORT, 1);
		net_bind(both[i], &any);
		must(listen(both[i], 1));
		any = net_name(both[i]);
	}
	dual = (int)must(socket(AF_INET6, SOCK_STREAM, 0));
	must(listen(dual, 1));
	wait_for_restore();
	check(net_get(fd, SOL_SOCKET, SO_ACCEPTCONN) == 1, "a socket does not listen any more");
	check(net_get(fd, SOL_SOCKET, SO_REUSEADDR) == 1, "SO_REUSEADDR is lost");
	check(net_get(both[0], SOL_SOCKET, SO_REUSEPORT) == 1 &&
		      net_get(both[1], SOL_SOCKET, SO_REUSEPORT) == 1,
	      "SO_REUSEPORT is lost");
	must_fail(accept(fd, NULL, NULL), EAGAIN);
	client = (int)must(socket(AF_INET, SOCK_STREAM, 0));
	net_connect(client, &address);
	must(accept(fd, NULL, NULL));
	address = net_name(dual);
	any = net_loopback(AF_INET, net_port(&address));
	client = (int)must(socket(AF_INET, SOCK_STREAM, 0));
	net_connect(client, &any);
	must(accept(dual, NULL, NULL));
}
PROGRAM(tcp_listen, run, .subject = "listening TCP sockets and their options")
