/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/socket.h>
#include <sys/un.h>

#include "test.h"

static void run(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = "socket" };
	int listener = (int)must(socket(AF_UNIX, SOCK_STREAM, 0));

	must(bind(listener, (struct sockaddr *)&address, sizeof(address)));
	must(listen(listener, 1));
	must(rename("socket", "renamed"));
	wait_for_restore();
}
PROGRAM(unix_relative, run,
	.subject = "unix sockets bound to a relative name that is not the end of their path: "
		   "renamed ones, and `../name`",
	.refused = "a unix socket was bound to the relative name")
