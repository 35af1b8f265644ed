/* SPDX-License-Identifier: Apache-2.0 */
#include <linux/if_ether.h>
#include <linux/if_packet.h>

#include "net.h"

static void run(void)
{
	struct address to = net_loopback(AF_INET, 9);
	struct sockaddr_ll address = { .sll_family = AF_PACKET,
				       .sll_protocol = htons(ETH_P_IP),
				       .sll_ifindex = 1 };
	struct sockaddr_ll now = { 0 };
	socklen_t size = sizeof(now);
	int fd = (int)must(socket(AF_PACKET, SOCK_DGRAM, htons(ETH_P_IP)));
	int udp = (int)must(socket(AF_INET, SOCK_DGRAM, 0));
	char buffer[256];

	must(bind(fd, (struct sockaddr *)&address, sizeof(address)));
	wait_for_restore();
	must(getsockname(fd, (struct sockaddr *)&now, &size));
	check(now.sll_ifindex == 1 && now.sll_protocol == htons(ETH_P_IP),
	      "the socket is bound to interface %d", now.sll_ifindex);
	must(sendto(udp, "hello", 5, 0, (struct sockaddr *)&to.storage, to.size));
	check(recv(fd, buffer, sizeof(buffer), 0) > 0, "no packet comes");
}
PROGRAM(packet_socket, run, .subject = "packet sockets")
