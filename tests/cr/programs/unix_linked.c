/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/socket.h>
#include <sys/un.h>

#include "test.h"

static void run(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = "socket" };
	int listener = (int)must(socket(AF_UNIX, SOCK_STREAM, 0));
	int client = (int)must(socket(AF_UNIX, SOCK_STREAM, 0));

	must(bind(listener, (struct sockaddr *)&address, sizeof(address)));
	must(listen(listener, 2));
	must(link("socket", "link"));
	wait_for_restore();
	must(connect(client, (struct sockaddr *)&address, sizeof(address)));
	must(close(client));
	format(address.sun_path, sizeof(address.sun_path), "link");
	client = (int)must(socket(AF_UNIX, SOCK_STREAM, 0));
	check(connect(client, (struct sockaddr *)&address, sizeof(address)) == 0,
	      "the second name does not lead to the socket: %s", strerror(errno));
}
PROGRAM(unix_linked, run, .subject = "further names (hard links) of a unix socket's file",
	.lost = "they do not lead to the socket any more")
