/* SPDX-License-Identifier: Apache-2.0 */
#include <netinet/ip_icmp.h>

#include "net.h"

static uint16_t checksum(const void *data, size_t size)
{
	const unsigned char *p = data;
	uint32_t sum = 0;

	for (size_t i = 0; i < size; i += 2)
		sum += (uint32_t)(p[i] | p[i + 1] << 8);
	sum = (sum >> 16) + (sum & 0xffff);
	return (uint16_t) ~(sum + (sum >> 16));
}

static void run(void)
{
	struct address address = net_loopback(AF_INET, 0);
	struct icmphdr echo = { .type = ICMP_ECHO, .un.echo = { .id = 77, .sequence = 5 } };
	int raw = (int)must(socket(AF_INET, SOCK_RAW, IPPROTO_ICMP));
	unsigned char buffer[256];
	struct icmphdr reply = { 0 };

	net_set(raw, IPPROTO_IP, IP_TTL, 9);
	wait_for_restore();
	check(net_get(raw, IPPROTO_IP, IP_TTL) == 9, "IP_TTL is lost");
	echo.checksum = checksum(&echo, sizeof(echo));
	must(sendto(raw, &echo, sizeof(echo), 0, (struct sockaddr *)&address.storage,
		    address.size));
	for (int i = 0; i < 5 && reply.type != ICMP_ECHOREPLY; i++) {
		ssize_t n = recv(raw, buffer, sizeof(buffer), 0);

		check(n == 28, "a packet of %zd bytes", n);
		memcpy(&reply, buffer + 20, sizeof(reply));
		if (reply.type == ICMP_ECHO)
			reply.type = 255;
	}
	check(reply.type == ICMP_ECHOREPLY || reply.un.echo.id == 77, "no answer comes");
}
PROGRAM(raw_socket, run, .subject = "raw sockets")
