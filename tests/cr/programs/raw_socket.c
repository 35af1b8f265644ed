/* SPDX-License-Identifier: Apache-2.0 */
#include <netinet/ip_icmp.h>
#include <poll.h>

#include "net.h"

#define ID 77

static uint16_t checksum(const void *data, size_t size)
{
	const unsigned char *p = data;
	uint32_t sum = 0;

	for (size_t i = 0; i < size; i += 2)
		sum += (uint32_t)(p[i] | p[i + 1] << 8);
	sum = (sum >> 16) + (sum & 0xffff);
	return (uint16_t) ~(sum + (sum >> 16));
}

/* Other programs have packets in this network as well. */
static bool is_answer(const unsigned char *packet, ssize_t size)
{
	struct icmphdr reply;

	if (size != 20 + (ssize_t)sizeof(reply))
		return false;
	memcpy(&reply, packet + 20, sizeof(reply));
	return reply.type == ICMP_ECHOREPLY && reply.un.echo.id == ID;
}

static void run(void)
{
	struct address address = net_loopback(AF_INET, 0);
	struct icmphdr echo = { .type = ICMP_ECHO, .un.echo = { .id = ID, .sequence = 5 } };
	int raw = (int)must(socket(AF_INET, SOCK_RAW, IPPROTO_ICMP));
	struct pollfd pfd = { .fd = raw, .events = POLLIN };
	unsigned char buffer[256];

	net_set(raw, IPPROTO_IP, IP_TTL, 9);
	wait_for_restore();
	check(net_get(raw, IPPROTO_IP, IP_TTL) == 9, "IP_TTL is lost");
	echo.checksum = checksum(&echo, sizeof(echo));
	must(sendto(raw, &echo, sizeof(echo), 0, (struct sockaddr *)&address.storage,
		    address.size));
	do {
		check(poll(&pfd, 1, 20000) == 1, "no answer comes");
	} while (!is_answer(buffer, must(recv(raw, buffer, sizeof(buffer), 0))));
}
PROGRAM(raw_socket, run, .subject = "raw sockets")
