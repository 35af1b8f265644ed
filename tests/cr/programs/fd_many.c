/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#define N 1000

/* Pipes and files under scattered numbers. */
static void run(void)
{
	static int fds[N];
	char text[32];
	int highest;

	for (int i = 0; i < N; i += 2) {
		must(pipe(fds + i));
		format(text, sizeof(text), "%08d", i);
		write_all(fds[i + 1], text, 8);
	}
	write_file("file", "content");
	highest = (int)must(dup3(open_file("file", O_RDONLY), 4000, O_CLOEXEC));
	for (int i = 0; i < N; i += 20)
		must(close(fds[i + 1]));
	wait_for_restore();
	for (int i = 0; i < N; i += 2) {
		format(text, sizeof(text), "%08d", i);
		must_read(fds[i], text);
		if (i % 20 == 0)
			check(read(fds[i], text, 1) == 0, "pipe %d has a writer again", i);
	}
	must_read(highest, "content");
	must_fail(fcntl(fds[1], F_GETFD), EBADF);
}
PROGRAM(fd_many, run, .subject = "a thousand descriptors")
