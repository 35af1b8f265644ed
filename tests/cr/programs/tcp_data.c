/* SPDX-License-Identifier: Apache-2.0 */
#include "net.h"

/* Both queues of both ends are full; nothing may be lost, doubled or out of order. */
static size_t fill_up(int fd, uint64_t seed)
{
	static unsigned char data[1 << 20];
	size_t total = 0;

	fill(data, sizeof(data), seed);
	for (int idle = 0; idle < 5 && total < sizeof(data);) {
		ssize_t n = send(fd, data + total, sizeof(data) - total, MSG_DONTWAIT);

		if (n > 0) {
			total += (size_t)n;
			idle = 0;
		} else {
			sleep_ms(5);
			idle++;
		}
	}
	return total;
}

static void drain(int fd, size_t size, uint64_t seed, const char *what)
{
	static unsigned char data[1 << 20];

	check(read_all(fd, data, size) == size, "data to the %s are lost", what);
	check(is_filled(data, size & ~7ul, seed), "data to the %s have changed", what);
}

static void run(void)
{
	struct net_pair pair = net_pair_make(AF_INET);
	size_t to_server;
	size_t to_client;

	net_set(pair.client, SOL_SOCKET, SO_SNDBUF, 50000);
	net_set(pair.server, SOL_SOCKET, SO_SNDBUF, 50000);
	net_set(pair.client, SOL_SOCKET, SO_RCVBUF, 50000);
	net_set(pair.server, SOL_SOCKET, SO_RCVBUF, 50000);
	to_server = fill_up(pair.client, 1);
	to_client = fill_up(pair.server, 2);
	check(to_server > 10000 && to_server < 1 << 20, "%zu bytes are on the way", to_server);
	wait_for_restore();
	drain(pair.server, to_server, 1, "server");
	drain(pair.client, to_client, 2, "client");
	net_pair_check(&pair);
}
PROGRAM(tcp_data, run, .subject = "TCP data on the way in both directions, with full queues",
	.options = "--tcp-established")
