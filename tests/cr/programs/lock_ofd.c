/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

static void run(void)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 5, .l_len = 5 };
	int fd = open_file("file", O_RDWR | O_CREAT);
	int other;

	must(fcntl(fd, F_OFD_SETLK, &lock));
	wait_for_restore();
	other = open_file("file", O_RDWR);
	must_fail(fcntl(other, F_OFD_SETLK, &lock), EAGAIN);
	must(fcntl(other, F_OFD_GETLK, &lock));
	check(lock.l_type == F_WRLCK && lock.l_start == 5 && lock.l_len == 5 && lock.l_pid == -1,
	      "the lock has changed");
	must(close(fd));
	lock = (struct flock){ .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 5, .l_len = 5 };
	must(fcntl(other, F_OFD_SETLK, &lock));
}
PROGRAM(lock_ofd, run, .subject = "file locks of open files (F_OFD_SETLK)",
	.options = "--file-locks")
