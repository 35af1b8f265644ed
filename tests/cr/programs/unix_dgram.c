/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/socket.h>
#include <sys/un.h>

#include "test.h"

static void run(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = "server" };
	struct sockaddr_un client_address = { .sun_family = AF_UNIX, .sun_path = "client" };
	struct sockaddr_un from = { 0 };
	socklen_t size = sizeof(from);
	char buffer[64];
	int server = (int)must(socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0));
	int connected = (int)must(socket(AF_UNIX, SOCK_DGRAM, 0));
	int unnamed = (int)must(socket(AF_UNIX, SOCK_DGRAM, 0));

	must(bind(server, (struct sockaddr *)&address, sizeof(address)));
	must(bind(connected, (struct sockaddr *)&client_address, sizeof(client_address)));
	must(connect(connected, (struct sockaddr *)&address, sizeof(address)));
	must(connect(unnamed, (struct sockaddr *)&address, sizeof(address)));
	must(write(connected, "before", 6));
	must(write(unnamed, "nobody", 6));
	wait_for_restore();
	check(recv(server, buffer, sizeof(buffer), 0) == 6 && memcmp(buffer, "before", 6) == 0,
	      "a message is lost");
	check(recv(server, buffer, sizeof(buffer), 0) == 6 && memcmp(buffer, "nobody", 6) == 0,
	      "the message of an unnamed socket is lost");
	must(write(connected, "after", 5));
	check(recvfrom(server, buffer, sizeof(buffer), 0, (struct sockaddr *)&from, &size) == 5,
	      "a new message does not arrive");
	check(strcmp(from.sun_path, "client") == 0, "the sender is '%s'", from.sun_path);
	must(sendto(server, "answer", 6, 0, (struct sockaddr *)&from, size));
	must_read(connected, "answer");
	must(write(unnamed, "x", 1));
	check(recv(server, buffer, sizeof(buffer), 0) == 1, "the unnamed socket has lost its peer");
}
PROGRAM(unix_dgram, run, .subject = "unix datagram sockets, bound and connected, with messages")
