/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

static struct flock lock_of(short type, off_t start, off_t length)
{
	return (struct flock){
		.l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = length
	};
}

static volatile int *result;

/* As another process sees it. */
static void child(void *argument)
{
	int fd = open_file("file", O_RDWR);
	struct flock lock = lock_of(F_WRLCK, 0, 10);

	(void)argument;
	must(fcntl(fd, F_GETLK, &lock));
	check(lock.l_type == F_WRLCK && lock.l_pid == getppid(), "the write lock is gone");
	lock = lock_of(F_WRLCK, 100, 10);
	must(fcntl(fd, F_GETLK, &lock));
	check(lock.l_type == F_RDLCK && lock.l_start == 100 && lock.l_len == 50,
	      "the read lock is gone or has another range");
	lock = lock_of(F_RDLCK, 100, 10);
	must(fcntl(fd, F_SETLK, &lock));
	lock = lock_of(F_WRLCK, 10, 90);
	must(fcntl(fd, F_SETLK, &lock));
	*result = 1;
}

static void run(void)
{
	int fd = open_file("file", O_RDWR | O_CREAT);
	struct flock lock = lock_of(F_WRLCK, 0, 10);

	result = map_shared(int);
	must(fcntl(fd, F_SETLK, &lock));
	lock = lock_of(F_RDLCK, 100, 50);
	must(fcntl(fd, F_SETLK, &lock));
	wait_for_restore();
	must_end(spawn(child, NULL), 0);
	check(*result == 1, "the child has not finished");
}
PROGRAM(lock_posix, run, .subject = "file locks of processes (fcntl)", .options = "--file-locks")
