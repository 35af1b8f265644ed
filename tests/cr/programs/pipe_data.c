/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

static void run(void)
{
	int fds[2];
	int other[2];

	must(pipe2(fds, O_CLOEXEC));
	must(pipe2(other, 0));
	write_all(fds[1], "one two three", 13);
	must_read(fds[0], "one ");
	wait_for_restore();
	must_read(fds[0], "two ");
	write_all(fds[1], " four", 5);
	must_read(fds[0], "three four");
	check(fcntl(fds[0], F_GETFD) == FD_CLOEXEC, "close-on-exec is lost");
	check(fcntl(other[0], F_GETFD) == 0, "close-on-exec has come by itself");
	write_all(other[1], "x", 1);
	must_read(other[0], "x");
}
PROGRAM(pipe_data, run, .subject = "data in pipes")
