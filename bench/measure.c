/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Run one command and print what it took: wall nanoseconds, CPU microseconds (user and system, with
 * the children that it waited for), peak resident KiB, wait status. A program of its own because the
 * peak of a child begins with that of its parent, which must therefore be small.
 *
 * measure COMMAND [ARGUMENT...]	the figures go to descriptor 3
 */
#include <err.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static long long now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

int main(int argc, char **argv)
{
	posix_spawn_file_actions_t actions;
	struct rusage usage;
	long long start;
	int status;
	pid_t pid;
	int r;

	if (argc < 2)
		errx(2, "usage: measure COMMAND [ARGUMENT...]");
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addclose(&actions, 3);
	start = now_ns();
	r = posix_spawnp(&pid, argv[1], &actions, NULL, argv + 1, environ);
	if (r)
		errx(2, "cannot start %s", argv[1]);
	if (wait4(pid, &status, 0, &usage) < 0)
		err(2, "wait4");
	dprintf(3, "%lld %lld %ld %d\n", now_ns() - start,
		(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000LL +
			usage.ru_utime.tv_usec + usage.ru_stime.tv_usec,
		usage.ru_maxrss, status);
	return 0;
}
