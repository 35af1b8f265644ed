/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

static void run(void)
{
	int no_writer[2];
	int no_reader[2];
	int nonblocking[2];
	char byte;

	must(pipe(no_writer));
	write_all(no_writer[1], "last", 4);
	must(close(no_writer[1]));
	must(pipe(no_reader));
	must(close(no_reader[0]));
	must(pipe2(nonblocking, O_NONBLOCK));
	(void)signal(SIGPIPE, SIG_IGN);
	wait_for_restore();
	must_read(no_writer[0], "last");
	check(read(no_writer[0], &byte, 1) == 0, "a pipe without a writer does not end");
	must_fail(write(no_reader[1], "x", 1), EPIPE);
	check((fcntl(nonblocking[0], F_GETFL) & O_NONBLOCK) != 0, "O_NONBLOCK is lost");
	must_fail(read(nonblocking[0], &byte, 1), EAGAIN);
}
PROGRAM(pipe_ends, run, .subject = "pipes with one end closed, and non-blocking ones")
