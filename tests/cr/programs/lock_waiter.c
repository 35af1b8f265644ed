/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

static volatile int *got;

static void waiter(void *argument)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int fd = open_file("file", O_RDWR);
	struct gate *ready = argument;

	gate_open(ready);
	while (fcntl(fd, F_SETLKW, &lock) < 0)
		check(errno == EINTR, "fcntl: %s", strerror(errno));
	*got = 1;
}

static void run(void)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int fd = open_file("file", O_RDWR | O_CREAT);
	struct gate ready;
	pid_t pid;

	got = map_shared(int);
	gate_init(&ready);
	must(fcntl(fd, F_SETLK, &lock));
	pid = spawn(waiter, &ready);
	gate_wait(&ready);
	must_sleep(pid);
	wait_for_restore();
	sleep_ms(20);
	check(!*got, "the waiter has got a lock that is held");
	lock.l_type = F_UNLCK;
	must(fcntl(fd, F_SETLK, &lock));
	must_end(pid, 0);
	check(*got, "the waiter has not got the lock");
}
PROGRAM(lock_waiter, run, .subject = "processes that wait for a file lock",
	.options = "--file-locks")
