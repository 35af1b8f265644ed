/* SPDX-License-Identifier: Apache-2.0 */
#include "net.h"

static const struct {
	int level;
	int option;
	int value;
	const char *name;
} options[] = {
	{ IPPROTO_TCP, TCP_NODELAY, 1, "TCP_NODELAY" },
	{ SOL_SOCKET, SO_KEEPALIVE, 1, "SO_KEEPALIVE" },
	/* Longer than any freeze: probes that the network lock drops would end the connection. */
	{ IPPROTO_TCP, TCP_KEEPIDLE, 7777, "TCP_KEEPIDLE" },
	{ IPPROTO_TCP, TCP_KEEPINTVL, 11, "TCP_KEEPINTVL" },
	{ IPPROTO_TCP, TCP_KEEPCNT, 5, "TCP_KEEPCNT" },
	{ SOL_SOCKET, SO_OOBINLINE, 1, "SO_OOBINLINE" },
	{ SOL_SOCKET, SO_RCVLOWAT, 1, "SO_RCVLOWAT" },
	{ SOL_SOCKET, SO_MARK, 42, "SO_MARK" },
	{ IPPROTO_IP, IP_TTL, 33, "IP_TTL" },
	{ IPPROTO_IP, IP_TOS, 16, "IP_TOS" },
	/* IP_TOS changes it. */
	{ SOL_SOCKET, SO_PRIORITY, 3, "SO_PRIORITY" },
};
#define N (sizeof(options) / sizeof(options[0]))

static void run(void)
{
	struct net_pair pair = net_pair_make(AF_INET);
	struct timeval timeout = { .tv_sec = 12 };
	struct linger linger = { .l_onoff = 1, .l_linger = 9 };
	socklen_t size = sizeof(timeout);
	int buffers[2];

	for (size_t i = 0; i < N; i++)
		net_set(pair.client, options[i].level, options[i].option, options[i].value);
	net_set(pair.client, SOL_SOCKET, SO_SNDBUF, 40000);
	net_set(pair.client, SOL_SOCKET, SO_RCVBUF, 30000);
	must(setsockopt(pair.client, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout)));
	must(setsockopt(pair.server, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)));
	buffers[0] = net_get(pair.client, SOL_SOCKET, SO_SNDBUF);
	buffers[1] = net_get(pair.client, SOL_SOCKET, SO_RCVBUF);
	wait_for_restore();
	for (size_t i = 0; i < N; i++)
		check(net_get(pair.client, options[i].level, options[i].option) == options[i].value,
		      "%s is %d", options[i].name,
		      net_get(pair.client, options[i].level, options[i].option));
	check(net_get(pair.client, SOL_SOCKET, SO_SNDBUF) == buffers[0], "SO_SNDBUF has changed");
	check(net_get(pair.client, SOL_SOCKET, SO_RCVBUF) == buffers[1], "SO_RCVBUF has changed");
	timeout.tv_sec = 0;
	must(getsockopt(pair.client, SOL_SOCKET, SO_SNDTIMEO, &timeout, &size));
	check(timeout.tv_sec == 12, "SO_SNDTIMEO has changed");
	linger = (struct linger){ 0 };
	size = sizeof(linger);
	must(getsockopt(pair.server, SOL_SOCKET, SO_LINGER, &linger, &size));
	check(linger.l_onoff == 1 && linger.l_linger == 9, "SO_LINGER has changed");
	net_pair_check(&pair);
}
PROGRAM(tcp_options, run, .subject = "options of TCP sockets", .options = "--tcp-established")
