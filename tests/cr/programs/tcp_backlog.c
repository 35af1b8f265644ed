/* SPDX-License-Identifier: Apache-2.0 */
#include "net.h"

/* Connected, and not accepted: the client's end is an ordinary connection. */
static void run(void)
{
	struct address any = net_loopback(AF_INET, 0);
	struct address address;
	int listener = (int)must(socket(AF_INET, SOCK_STREAM, 0));
	int clients[3];

	net_bind(listener, &any);
	must(listen(listener, 5));
	address = net_name(listener);
	for (int i = 0; i < 3; i++) {
		clients[i] = (int)must(socket(AF_INET, SOCK_STREAM, 0));
		net_connect(clients[i], &address);
		write_all(clients[i], (char[]){ (char)('a' + i) }, 1);
	}
	wait_for_restore();
	for (int i = 0; i < 3; i++) {
		char byte;
		int fd = (int)must(accept(listener, NULL, NULL));

		must(read(fd, &byte, 1));
		check(byte == 'a' + i, "connection %d is another", i);
		write_all(fd, "answer", 6);
		must_read(clients[i], "answer");
	}
}
PROGRAM(tcp_backlog, run, .subject = "TCP connections that are not accepted yet",
	.options = "--tcp-established", .refused = "use --tcp-skip-in-flight")
