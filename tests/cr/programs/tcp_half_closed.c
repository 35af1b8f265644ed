/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/ioctl.h>

#include "net.h"

static int state(int fd)
{
	struct tcp_info info;
	socklen_t size = sizeof(info);

	must(getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size));
	return info.tcpi_state;
}

/* The last packets are on their way. */
static void reaches(int fd, int wanted)
{
	for (int i = 0; i < 1000 && state(fd) != wanted; i++)
		sleep_ms(10);
	check(state(fd) == wanted, "a socket stays in state %d instead of %d", state(fd), wanted);
}

static void run(void)
{
	struct net_pair pair = net_pair_make(AF_INET);
	struct net_pair ended = net_pair_make(AF_INET);

	write_all(pair.client, "last", 4);
	must(shutdown(pair.client, SHUT_WR));
	write_all(ended.server, "rest", 4);
	must(shutdown(ended.server, SHUT_WR));
	must(shutdown(ended.client, SHUT_WR));
	reaches(pair.client, TCP_FIN_WAIT2);
	reaches(pair.server, TCP_CLOSE_WAIT);
	reaches(ended.client, TCP_CLOSE);
	reaches(ended.server, TCP_CLOSE);
	wait_for_restore();
	check(state(pair.client) == TCP_FIN_WAIT2 && state(pair.server) == TCP_CLOSE_WAIT,
	      "the states have become %d and %d", state(pair.client), state(pair.server));
	must_read(pair.server, "last");
	check(read(pair.server, (char[1]){ 0 }, 1) == 0, "the closed direction is open again");
	write_all(pair.server, "still open", 10);
	must_read(pair.client, "still open");
	must(close(pair.server));
	check(read(pair.client, (char[1]){ 0 }, 1) == 0, "the connection does not end");
	must_read(ended.client, "rest");
	check(read(ended.client, (char[1]){ 0 }, 1) == 0, "an ended connection does not end");
}
PROGRAM(tcp_half_closed, run,
	.subject = "half-closed TCP connections, and ended ones that are still open",
	.options = "--tcp-established")
