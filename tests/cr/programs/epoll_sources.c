/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>

#include "test.h"

/* Sources of several kinds, edge-triggered and one-shot ones, a source under several numbers. */
static void add(int epoll, int fd, uint32_t events, uint64_t data)
{
	struct epoll_event event = { .events = events, .data.u64 = data };

	must(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event));
}

static uint64_t wait_one(int epoll, int timeout)
{
	struct epoll_event event = { 0 };
	int n;

	do {
		n = epoll_wait(epoll, &event, 1, timeout);
	} while (n < 0 && errno == EINTR);
	return n == 1 ? event.data.u64 : 0;
}

static void run(void)
{
	const uint64_t big = 0x123456789abcdef0;
	struct itimerspec soon = { { 0, 0 }, { 0, 1 } };
	int epoll = (int)must(epoll_create1(EPOLL_CLOEXEC));
	int event = (int)must(eventfd(0, EFD_NONBLOCK));
	int timer = (int)must(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK));
	int sockets[2];
	int pipes[2];

	must(pipe(pipes));
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
	add(epoll, pipes[0], EPOLLIN, 1);
	add(epoll, event, EPOLLIN | EPOLLET, big);
	add(epoll, sockets[0], EPOLLIN | EPOLLONESHOT, 3);
	add(epoll, timer, EPOLLIN, 4);
	wait_for_restore();
	check(wait_one(epoll, 0) == 0, "there is an event where none was");
	write_all(pipes[1], "x", 1);
	check(wait_one(epoll, 1000) == 1, "a pipe gives no event");
	must_read(pipes[0], "x");
	must(eventfd_write(event, 1));
	check(wait_one(epoll, 1000) == big, "an eventfd gives no event, or lost its data");
	check(wait_one(epoll, 0) == 0, "an edge-triggered source gives its event twice");
	write_all(sockets[1], "x", 1);
	check(wait_one(epoll, 1000) == 3, "a socket gives no event");
	check(wait_one(epoll, 0) == 0, "a one-shot source gives its event twice");
	must(timerfd_settime(timer, 0, &soon, NULL));
	check(wait_one(epoll, 1000) == 4, "a timer gives no event");
}
PROGRAM(epoll_sources, run, .subject = "epoll with sources of several kinds")
