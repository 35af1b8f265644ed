/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/socket.h>
#include <sys/un.h>

#include "test.h"

/* Connections that nobody has accepted yet, with data. */
static void run(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = "socket" };
	int listener = (int)must(socket(AF_UNIX, SOCK_STREAM, 0));
	int clients[3];
	int fd;

	must(bind(listener, (struct sockaddr *)&address, sizeof(address)));
	must(listen(listener, 5));
	for (int i = 0; i < 3; i++) {
		clients[i] = (int)must(socket(AF_UNIX, SOCK_STREAM, 0));
		must(connect(clients[i], (struct sockaddr *)&address, sizeof(address)));
		write_all(clients[i], (char[]){ (char)('a' + i) }, 1);
	}
	wait_for_restore();
	for (int i = 0; i < 3; i++) {
		char byte;

		fd = (int)must(accept(listener, NULL, NULL));
		must(read(fd, &byte, 1));
		check(byte == 'a' + i, "connection %d is another", i);
		write_all(fd, "answer", 6);
		must_read(clients[i], "answer");
	}
}
PROGRAM(unix_backlog_data, run, .subject = "unix connections that are not accepted yet, with data",
	.refused = "Non-empty write queue on an in-flight socket", .not_in = "dry-run",
	.why_not = "the queue of a connection that was not accepted is not looked at")
