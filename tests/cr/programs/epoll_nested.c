/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/epoll.h>
#include <sys/eventfd.h>

#include "test.h"

static volatile int *woken;

static void waiter(void *argument)
{
	const int *fds = argument;
	struct epoll_event event;

	while (epoll_wait(fds[0], &event, 1, -1) < 0)
		check(errno == EINTR, "epoll_wait: %s", strerror(errno));
	check(event.data.u32 == 7, "the event is another's");
	*woken = 1;
}

static void run(void)
{
	struct epoll_event event = { .events = EPOLLIN, .data.u32 = 7 };
	int fds[3] = { (int)must(epoll_create1(0)), (int)must(epoll_create1(0)),
		       (int)must(eventfd(0, 0)) };
	pid_t pid;

	woken = map_shared(int);
	must(epoll_ctl(fds[1], EPOLL_CTL_ADD, fds[2], &event));
	must(epoll_ctl(fds[0], EPOLL_CTL_ADD, fds[1], &event));
	pid = spawn(waiter, fds);
	must_sleep(pid);
	wait_for_restore();
	check(!*woken, "a waiter was woken without an event");
	must(eventfd_write(fds[2], 1));
	must_end(pid, 0);
}
PROGRAM(epoll_nested, run, .subject = "an epoll in an epoll, shared by processes that wait")
