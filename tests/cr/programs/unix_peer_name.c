/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/socket.h>
#include <sys/un.h>

#include "test.h"

static void run(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = "socket" };
	struct sockaddr_un name = { 0 };
	socklen_t size = sizeof(name);
	int listener = (int)must(socket(AF_UNIX, SOCK_STREAM, 0));
	int client = (int)must(socket(AF_UNIX, SOCK_STREAM, 0));
	int server;

	must(bind(listener, (struct sockaddr *)&address, sizeof(address)));
	must(listen(listener, 1));
	must(connect(client, (struct sockaddr *)&address, sizeof(address)));
	server = (int)must(accept(listener, NULL, NULL));
	wait_for_restore();
	must(getsockname(listener, (struct sockaddr *)&name, &size));
	check(strcmp(name.sun_path, "socket") == 0, "the listener is called '%s'", name.sun_path);
	name = (struct sockaddr_un){ 0 };
	size = sizeof(name);
	must(getpeername(client, (struct sockaddr *)&name, &size));
	check(strcmp(name.sun_path, "socket") == 0, "the client's peer is called '%s'",
	      name.sun_path);
	name = (struct sockaddr_un){ 0 };
	size = sizeof(name);
	must(getsockname(server, (struct sockaddr *)&name, &size));
	check(strcmp(name.sun_path, "socket") == 0, "the server is called '%s'", name.sun_path);
}
PROGRAM(unix_peer_name, run,
	.subject = "names of unix connections (getpeername of the client's end)",
	.lost = "the ends of a connection that was accepted have no name any more")
