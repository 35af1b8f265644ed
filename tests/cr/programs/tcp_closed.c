/* SPDX-License-Identifier: Apache-2.0 */
#include "net.h"

/* Sockets without a connection: new, bound, refused. */
static void run(void)
{
	struct address address = net_loopback(AF_INET, 0);
	int fresh = (int)must(socket(AF_INET, SOCK_STREAM, 0));
	int bound = (int)must(socket(AF_INET6, SOCK_STREAM, 0));
	int refused = (int)must(socket(AF_INET, SOCK_STREAM, 0));
	int listener = (int)must(socket(AF_INET, SOCK_STREAM, 0));
	struct address name = net_loopback(AF_INET6, 0);
	uint16_t port;

	net_bind(listener, &address);
	address = net_name(listener);
	must_fail(connect(refused, (struct sockaddr *)&address.storage, address.size),
		  ECONNREFUSED);
	net_bind(bound, &name);
	name = net_name(bound);
	port = net_port(&name);
	wait_for_restore();
	name = net_name(bound);
	check(net_port(&name) == port, "the port is %u instead of %u", net_port(&name), port);
	must(listen(bound, 1));
	must(listen(listener, 1));
	net_connect(fresh, &address);
	must(close(refused));
}
PROGRAM(tcp_closed, run, .subject = "TCP sockets without a connection")
