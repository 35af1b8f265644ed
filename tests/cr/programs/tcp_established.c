/* SPDX-License-Identifier: Apache-2.0 */
#include "net.h"

static void run_family(struct net_pair *pair, int family)
{
	*pair = net_pair_make(family);
	write_all(pair->client, "before ", 7);
	must_read(pair->server, "before ");
}

static void look(const struct net_pair *pair, const struct address *was)
{
	struct address now = net_peer(pair->client);
	int fd;

	check(now.size == was->size && memcmp(&now.storage, &was->storage, now.size) == 0,
	      "the peer's address has changed");
	net_pair_check(pair);
	fd = (int)must(socket(now.storage.ss_family, SOCK_STREAM, 0));
	net_connect(fd, &now);
	must(accept(pair->listener, NULL, NULL));
	must(close(pair->client));
	check(read(pair->server, (char[1]){ 0 }, 1) == 0, "the connection does not end");
}

static void run(void)
{
	struct net_pair pairs[2];
	struct address was[2];

	run_family(&pairs[0], AF_INET);
	run_family(&pairs[1], AF_INET6);
	for (int i = 0; i < 2; i++)
		was[i] = net_peer(pairs[i].client);
	wait_for_restore();
	for (int i = 0; i < 2; i++)
		look(&pairs[i], &was[i]);
}
PROGRAM(tcp_established, run, .subject = "TCP connections, IPv4 and IPv6",
	.options = "--tcp-established")
