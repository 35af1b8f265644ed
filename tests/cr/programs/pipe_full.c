/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

static volatile int *flag;

/* Blocked in write() while it is frozen. */
static void writer(void *argument)
{
	const int *fds = argument;

	write_all(fds[1], "behind", 6);
	*flag = 1;
}

static void run(void)
{
	static unsigned char data[1 << 17];
	int fds[2];
	size_t n = 0;
	pid_t pid;

	flag = map_shared(int);
	must(pipe(fds));
	check(must(fcntl(fds[1], F_SETPIPE_SZ, sizeof(data))) == sizeof(data), "F_SETPIPE_SZ");
	fill(data, sizeof(data), 1);
	must(fcntl(fds[1], F_SETFL, O_NONBLOCK));
	while (write(fds[1], data + n, 4096) == 4096)
		n += 4096;
	check(n == sizeof(data), "the pipe takes %zu bytes", n);
	must(fcntl(fds[1], F_SETFL, 0));
	pid = spawn(writer, fds);
	wait_for_restore();
	check(fcntl(fds[1], F_GETPIPE_SZ) == sizeof(data), "the pipe's size is %d",
	      fcntl(fds[1], F_GETPIPE_SZ));
	check(*flag == 0, "a write to the full pipe has ended");
	memset(data, 0, sizeof(data));
	check(read_all(fds[0], data, sizeof(data)) == sizeof(data), "the pipe is not full");
	check(is_filled(data, sizeof(data), 1), "the data have changed");
	must_read(fds[0], "behind");
	must_end(pid, 0);
}
PROGRAM(pipe_full, run, .subject = "a full pipe of a size of its own, with a blocked writer")
