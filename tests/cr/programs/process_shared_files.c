/* SPDX-License-Identifier: Apache-2.0 */
#include <sched.h>
#include <sys/syscall.h>

#include "test.h"

/* Two processes with one table of descriptors. */
static volatile int *result;
static struct gate gate;

static void run(void)
{
	pid_t pid;
	int fd;

	result = map_shared(int);
	gate_init(&gate);
	pid = (pid_t)must(syscall(SYS_clone, CLONE_FILES | SIGCHLD, 0, 0, 0, 0));
	if (pid == 0) {
		gate_wait(&gate);
		*result = open_file("file", O_RDONLY);
		gate_wait(&gate);
		_exit(0);
	}
	write_file("file", "content");
	wait_for_restore();
	gate_open(&gate);
	for (int i = 0; i < 1000 && *result == 0; i++)
		sleep_ms(5);
	fd = *result;
	check(fd > 0, "the other process has not opened the file");
	must_read(fd, "content");
	gate_open(&gate);
	must_end(pid, 0);
}
PROGRAM(process_shared_files, run, .subject = "processes that share their table of descriptors")
