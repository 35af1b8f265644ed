/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/stat.h>

#include "test.h"

static struct gate gate;

static void child(void *argument)
{
	int fd = open_file("fifo", O_WRONLY);

	(void)argument;
	write_all(fd, "from the child", 14);
	gate_open(&gate);
	for (;;)
		(void)pause();
}

static void run(void)
{
	int fd;
	int both;
	pid_t pid;
	char byte;

	gate_init(&gate);
	must(mkfifo("fifo", 0600));
	must(mkfifo("both", 0600));
	pid = spawn(child, NULL);
	fd = open_file("fifo", O_RDONLY);
	gate_wait(&gate);
	both = open_file("both", O_RDWR | O_NONBLOCK);
	write_all(both, "both ends", 9);
	must_read(fd, "from");
	wait_for_restore();
	must_read(fd, " the child");
	must_read(both, "both ends");
	must_fail(read(both, &byte, 1), EAGAIN);
	must(fcntl(fd, F_SETFL, O_NONBLOCK));
	must_fail(read(fd, &byte, 1), EAGAIN);
	kill_child(pid);
	check(read(fd, &byte, 1) == 0, "the fifo does not end with its writer");
	both = open_file("fifo", O_WRONLY | O_NONBLOCK);
	write_all(both, "again", 5);
	must_read(fd, "again");
}
PROGRAM(fifo_data, run, .subject = "named pipes and the data in them")
