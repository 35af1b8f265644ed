/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/socket.h>

#include "test.h"

static void run(void)
{
	static const int types[] = { SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET };
	char buffer[64];
	int fds[3][2];

	for (int i = 0; i < 3; i++) {
		must(socketpair(AF_UNIX, types[i] | SOCK_NONBLOCK, 0, fds[i]));
		for (int k = 0; k < 2; k++) {
			must(write(fds[i][k], "first", 5));
			must(write(fds[i][k], "second one", 10));
		}
	}
	must(shutdown(fds[0][1], SHUT_WR));
	wait_for_restore();
	for (int i = 1; i < 3; i++) {
		for (int k = 0; k < 2; k++) {
			check(read(fds[i][k], buffer, sizeof(buffer)) == 5,
			      "messages run together");
			check(read(fds[i][k], buffer, sizeof(buffer)) == 10, "a message is lost");
			must_fail(read(fds[i][k], buffer, sizeof(buffer)), EAGAIN);
		}
		must(write(fds[i][0], "more", 4));
		must(write(fds[i][1], "more", 4));
		must_read(fds[i][0], "more");
		must_read(fds[i][1], "more");
	}
	must_read(fds[0][0], "firstsecond one");
	must_read(fds[0][1], "firstsecond one");
	check(read(fds[0][0], buffer, 1) == 0, "a shut down direction is open again");
	must(write(fds[0][0], "back", 4));
	must_read(fds[0][1], "back");
	(void)signal(SIGPIPE, SIG_IGN);
	must_fail(write(fds[0][1], "x", 1), EPIPE);
}
PROGRAM(socketpair_data, run, .subject = "socket pairs of each type with data in both directions")
