/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

/*
 * Frozen asleep. A sleep to a point in time is as before. A sleep for a duration returns early, as if by
 * a signal, with the rest in its second argument; so do poll() and the like with a timeout.
 */
struct shared {
	volatile int sleeping;
	volatile int absolute_done;
};

static struct shared *shared;

static void relative(void *argument)
{
	struct timespec duration = { 100000, 0 };
	struct timespec rest = { -1, 0 };
	int r;

	(void)argument;
	__atomic_add_fetch(&shared->sleeping, 1, __ATOMIC_SEQ_CST);
	r = clock_nanosleep(CLOCK_MONOTONIC, 0, &duration, &rest);
	check(r == EINTR, "a sleep returns %d", r);
	check(rest.tv_sec <= 100000 && rest.tv_sec > 70000, "it has %ld s left of 100000",
	      (long)rest.tv_sec);
}

static void absolute(void *argument)
{
	const struct timespec *until = argument;
	int r;

	__atomic_add_fetch(&shared->sleeping, 1, __ATOMIC_SEQ_CST);
	do {
		r = clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, until, NULL);
	} while (r == EINTR);
	check(r == 0, "a sleep to a point in time: %s", strerror(r));
	check(now_ms(CLOCK_MONOTONIC) >= (int64_t)until->tv_sec * 1000,
	      "a sleep to a point in time ends before it");
	shared->absolute_done = 1;
}

static void run(void)
{
	struct timespec until;
	pid_t pids[2];

	shared = map_shared(struct shared);
	must(clock_gettime(CLOCK_MONOTONIC, &until));
	until.tv_sec += 3;
	pids[0] = spawn(relative, NULL);
	pids[1] = spawn(absolute, &until);
	while (shared->sleeping < 2)
		sleep_ms(5);
	for (int i = 0; i < 2; i++)
		must_sleep(pids[i]);
	wait_for_restore();
	/* Where nothing was frozen. */
	(void)kill(pids[0], SIGCONT);
	must_end(pids[1], 0);
	check(shared->absolute_done == 1, "a sleep to a point in time does not end");
	must(kill(pids[0], SIGKILL));
}
PROGRAM(timer_sleep, run, .subject = "sleeping processes",
	.note = "a sleep for a duration, or a wait with a timeout, ends early with `EINTR` and the "
		"rest of the time")
