/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

static volatile sig_atomic_t broken;

static void on_break(int number)
{
	broken = number;
}

static void run(void)
{
	int fd = open_file("file", O_RDWR | O_CREAT);
	int read_fd;

	write_file("read", "x");
	read_fd = open_file("read", O_RDONLY);
	must(fcntl(fd, F_SETLEASE, F_WRLCK));
	must(fcntl(fd, F_SETSIG, SIGUSR1));
	must(fcntl(read_fd, F_SETLEASE, F_RDLCK));
	wait_for_restore();
	check(fcntl(fd, F_GETLEASE) == F_WRLCK, "the write lease is %d", fcntl(fd, F_GETLEASE));
	check(fcntl(read_fd, F_GETLEASE) == F_RDLCK, "the read lease is %d",
	      fcntl(read_fd, F_GETLEASE));
	(void)signal(SIGUSR1, on_break);
	must_fail(open("file", O_RDONLY | O_NONBLOCK), EWOULDBLOCK);
	check(broken == SIGUSR1, "no signal comes when the lease is broken");
	must(fcntl(fd, F_SETLEASE, F_UNLCK));
}
PROGRAM(lock_lease, run, .subject = "leases (F_SETLEASE)", .options = "--file-locks",
	.not_in = "leave-running page-server",
	.why_not = "copying the files for a second look breaks the leases")
