/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/socket.h>
#include <sys/un.h>

#include "test.h"

static void run(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = "socket" };
	int listener = (int)must(socket(AF_UNIX, SOCK_SEQPACKET, 0));
	int client = (int)must(socket(AF_UNIX, SOCK_SEQPACKET, 0));
	char buffer[64];
	int server;

	must(bind(listener, (struct sockaddr *)&address, sizeof(address)));
	must(listen(listener, 1));
	must(connect(client, (struct sockaddr *)&address, sizeof(address)));
	server = (int)must(accept4(listener, NULL, NULL, SOCK_NONBLOCK));
	must(send(client, "one", 3, 0));
	must(send(client, "three", 5, 0));
	wait_for_restore();
	check(recv(server, buffer, sizeof(buffer), 0) == 3, "the first message has changed");
	check(recv(server, buffer, sizeof(buffer), 0) == 5, "the second message has changed");
	must_fail(recv(server, buffer, sizeof(buffer), 0), EAGAIN);
	must(close(client));
	check(recv(server, buffer, sizeof(buffer), 0) == 0, "the connection does not end");
}
PROGRAM(unix_seqpacket, run, .subject = "unix sockets of messages (seqpacket)")
