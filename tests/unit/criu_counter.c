/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What test_criu_real.c dumps: a session of two processes, the first of which counts on stdout. With
 * the argument "lock" it holds a file lock. Built without sanitizers, whose memory CRIU cannot keep.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "lock") == 0 && flock(open("/", O_RDONLY), LOCK_SH) < 0)
		return 1;
	if (fork() == 0)
		for (;;)
			(void)pause();
	for (int i = 0;; i++) {
		(void)dprintf(1, "%d\n", i);
		(void)usleep(2000);
	}
}
