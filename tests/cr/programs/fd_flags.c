/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

static void run(void)
{
	int fds[4];
	int plain;

	write_file("file", "content");
	fds[0] = open_file("file", O_RDWR | O_APPEND | O_NOATIME);
	fds[1] = open_file("file", O_WRONLY | O_SYNC);
	fds[2] = open_file("file", O_RDONLY | O_DIRECT);
	fds[3] = open_file("file", O_RDWR | O_NONBLOCK);
	plain = (int)must(dup(fds[0]));
	wait_for_restore();
	check((fcntl(fds[0], F_GETFL) & (O_ACCMODE | O_APPEND | O_NOATIME)) ==
		      (O_RDWR | O_APPEND | O_NOATIME),
	      "the flags are %#o", (unsigned)fcntl(fds[0], F_GETFL));
	check((fcntl(fds[1], F_GETFL) & O_SYNC) == O_SYNC, "O_SYNC is lost");
	check((fcntl(fds[2], F_GETFL) & O_DIRECT) != 0, "O_DIRECT is lost");
	check((fcntl(fds[3], F_GETFL) & O_NONBLOCK) != 0, "O_NONBLOCK is lost");
	check(fcntl(fds[0], F_GETFD) == FD_CLOEXEC, "close-on-exec is lost");
	check(fcntl(plain, F_GETFD) == 0, "close-on-exec has come by itself");
	must(fcntl(plain, F_SETFL, 0));
	check((fcntl(fds[0], F_GETFL) & O_APPEND) == 0, "two descriptors of a file are apart");
}
PROGRAM(fd_flags, run, .subject = "flags of descriptors and of open files")
