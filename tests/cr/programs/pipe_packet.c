/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

/* O_DIRECT: each write is a message of its own. */
static void run(void)
{
	char buffer[64];
	int fds[2];

	must(pipe2(fds, O_DIRECT | O_NONBLOCK));
	wait_for_restore();
	must(write(fds[1], "one", 3));
	must(write(fds[1], "three", 5));
	check((fcntl(fds[1], F_GETFL) & O_DIRECT) != 0, "O_DIRECT is lost");
	check(read(fds[0], buffer, sizeof(buffer)) == 3, "messages run together");
	check(read(fds[0], buffer, sizeof(buffer)) == 5, "the second message is lost");
}
PROGRAM(pipe_packet, run, .subject = "pipes of messages (`O_DIRECT`)",
	.refused = "a pipe in packet mode (O_DIRECT), which CRIU cannot keep")
