/* SPDX-License-Identifier: Apache-2.0 */
#include <poll.h>
#include <sys/timerfd.h>

#include "test.h"

static int make(clockid_t clock, int flags, struct itimerspec spec)
{
	int fd = (int)must(timerfd_create(clock, TFD_NONBLOCK | TFD_CLOEXEC));

	must(timerfd_settime(fd, flags, &spec, NULL));
	return fd;
}

static void check_rest(int fd, time_t seconds, time_t interval)
{
	struct itimerspec now;

	must(timerfd_gettime(fd, &now));
	check(now.it_interval.tv_sec == interval, "the interval is %ld s instead of %ld",
	      (long)now.it_interval.tv_sec, (long)interval);
	check(now.it_value.tv_sec <= seconds && now.it_value.tv_sec > seconds - 30000,
	      "%ld s are left instead of %ld", (long)now.it_value.tv_sec, (long)seconds);
}

static uint64_t wait_for_expiry(int fd, const char *what)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	uint64_t n = 0;

	check(poll(&pfd, 1, 20000) == 1, "%s timer does not expire", what);
	must(read(fd, &n, sizeof(n)));
	return n;
}

static void run(void)
{
	struct timespec now;
	struct itimerspec at = { 0 };
	struct itimerspec spec;
	int fds[6];
	uint64_t n;

	must(clock_gettime(CLOCK_REALTIME, &now));
	fds[0] = make(CLOCK_MONOTONIC, 0, (struct itimerspec){ { 9, 0 }, { 100000, 0 } });
	at.it_value.tv_sec = now.tv_sec + 200000;
	fds[1] = make(CLOCK_REALTIME, TFD_TIMER_ABSTIME, at);
	fds[2] = make(CLOCK_BOOTTIME, 0, (struct itimerspec){ { 0, 0 }, { 300000, 0 } });
	fds[3] = make(CLOCK_MONOTONIC, 0, (struct itimerspec){ { 0, 20000000 }, { 400000, 0 } });
	fds[4] = make(CLOCK_MONOTONIC, 0, (struct itimerspec){ { 0, 0 }, { 0, 1 } });
	fds[5] = make(CLOCK_MONOTONIC, 0, (struct itimerspec){ { 0, 0 }, { 0, 0 } });
	wait_for_restore();
	check_rest(fds[0], 100000, 9);
	check_rest(fds[1], 200000, 0);
	check_rest(fds[2], 300000, 0);
	spec = (struct itimerspec){ { 0, 20000000 }, { 0, 1 } };
	must(timerfd_settime(fds[3], 0, &spec, NULL));
	for (int i = 0; i < 3; i++)
		(void)wait_for_expiry(fds[3], "a periodic");
	check(wait_for_expiry(fds[4], "an expired") == 1, "an expiry that nobody had read is lost");
	must_fail(read(fds[5], &n, sizeof(n)), EAGAIN);
}
PROGRAM(timer_fd, run, .subject = "timer descriptors (timerfd), expired ones too")
