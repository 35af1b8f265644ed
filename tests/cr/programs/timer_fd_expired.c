/* SPDX-License-Identifier: Apache-2.0 */
#include <poll.h>
#include <sys/timerfd.h>

#include "test.h"

/* A periodic timer expires while it is frozen, or has before without being read: it must go on. */
static void run(void)
{
	struct itimerspec spec = { { 0, 50000000 }, { 0, 50000000 } };
	int fd = (int)must(timerfd_create(CLOCK_MONOTONIC, 0));
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	uint64_t n;

	must(timerfd_settime(fd, 0, &spec, NULL));
	sleep_ms(100);
	wait_for_restore();
	for (int i = 0; i < 3; i++) {
		check(poll(&pfd, 1, 1000) == 1, "the timer has stopped after %d expiries", i);
		must(read(fd, &n, sizeof(n)));
	}
}
PROGRAM(timer_fd_expired, run,
	.subject = "periodic timer descriptors with an expiry that was not read yet",
	.lost = "the timer stops after that expiry")
