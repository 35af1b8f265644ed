/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/epoll.h>

#include "test.h"

/* A source whose descriptor was closed while its file stays open under another number. */
static void run(void)
{
	struct epoll_event event = { .events = EPOLLIN, .data.u32 = 7 };
	int epoll = (int)must(epoll_create1(0));
	int pipes[2];
	int copy;

	must(pipe(pipes));
	copy = (int)must(dup(pipes[0]));
	must(epoll_ctl(epoll, EPOLL_CTL_ADD, pipes[0], &event));
	must(close(pipes[0]));
	wait_for_restore();
	write_all(pipes[1], "x", 1);
	event.data.u32 = 0;
	check(epoll_wait(epoll, &event, 1, 1000) == 1 && event.data.u32 == 7,
	      "the source gives no event");
	must_read(copy, "x");
}
PROGRAM(epoll_closed, run, .subject = "epoll sources whose descriptor is closed")
