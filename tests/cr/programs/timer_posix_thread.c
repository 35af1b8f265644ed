/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

/* A timer whose signal goes to one thread; the C library makes such a one for SIGEV_THREAD. */
static void run(void)
{
	struct sigevent event = { .sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGRTMIN + 3 };
	struct itimerspec spec = { .it_value = { 1000, 0 } };
	timer_t timer;

	event._sigev_un._tid = gettid();
	must(timer_create(CLOCK_MONOTONIC, &event, &timer));
	must(timer_settime(timer, 0, &spec, NULL));
	wait_for_restore();
	must(timer_gettime(timer, &spec));
	check(spec.it_value.tv_sec > 700, "the timer has %ld s left", (long)spec.it_value.tv_sec);
}
PROGRAM(timer_posix_thread, run,
	.subject = "POSIX timers that signal a thread (`SIGEV_THREAD_ID`, `SIGEV_THREAD`)",
	.refused = "restore: Can't create posix timer")
