/* SPDX-License-Identifier: Apache-2.0 */
#include "net.h"

struct address net_loopback(int family, uint16_t port)
{
	struct address address = { 0 };

	if (family == AF_INET6) {
		struct sockaddr_in6 in6 = { .sin6_family = AF_INET6,
					    .sin6_port = htons(port),
					    .sin6_addr = in6addr_loopback };

		memcpy(&address.storage, &in6, sizeof(in6));
		address.size = sizeof(in6);
	} else {
		struct sockaddr_in in = { .sin_family = AF_INET,
					  .sin_port = htons(port),
					  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

		memcpy(&address.storage, &in, sizeof(in));
		address.size = sizeof(in);
	}
	return address;
}

struct address net_name(int fd)
{
	struct address address = { .size = sizeof(address.storage) };

	must(getsockname(fd, (struct sockaddr *)&address.storage, &address.size));
	return address;
}

struct address net_peer(int fd)
{
	struct address address = { .size = sizeof(address.storage) };

	must(getpeername(fd, (struct sockaddr *)&address.storage, &address.size));
	return address;
}

uint16_t net_port(const struct address *address)
{
	struct sockaddr_in in;

	/* At the same place in both families. */
	memcpy(&in, &address->storage, sizeof(in));
	return ntohs(in.sin_port);
}

void net_bind(int fd, const struct address *address)
{
	must(bind(fd, (const struct sockaddr *)&address->storage, address->size));
}

void net_connect(int fd, const struct address *address)
{
	must(connect(fd, (const struct sockaddr *)&address->storage, address->size));
}

struct net_pair net_pair_make(int family)
{
	struct net_pair pair;
	struct address address = net_loopback(family, 0);

	pair.listener = (int)must(socket(family, SOCK_STREAM, 0));
	net_bind(pair.listener, &address);
	must(listen(pair.listener, 10));
	address = net_name(pair.listener);
	pair.client = (int)must(socket(family, SOCK_STREAM, 0));
	net_connect(pair.client, &address);
	pair.server = (int)must(accept(pair.listener, NULL, NULL));
	return pair;
}

void net_pair_check(const struct net_pair *pair)
{
	write_all(pair->client, "to the server", 13);
	must_read(pair->server, "to the server");
	write_all(pair->server, "to the client", 13);
	must_read(pair->client, "to the client");
}

int net_get(int fd, int level, int option)
{
	int value = -1;
	socklen_t size = sizeof(value);

	must(getsockopt(fd, level, option, &value, &size));
	return value;
}

void net_set(int fd, int level, int option, int value)
{
	must(setsockopt(fd, level, option, &value, sizeof(value)));
}
