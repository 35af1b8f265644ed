/* SPDX-License-Identifier: Apache-2.0 */
#include "network/neighbour.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netinet/if_ether.h>
#include <netpacket/packet.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/auto.h"
#include "core/clock.h"
#include "core/fd.h"
#include "core/io.h"
#include "kernel/netlink.h"

/* A probe may be lost while the bridge is busy. */
#define PROBES 3

/* Its index and hardware address; 0 when it is not there or down. */
static int find_link(int fd, const char *name, unsigned char mac[static ETH_ALEN])
{
	struct ifreq request = { 0 };

	(void)snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	if (ioctl(fd, SIOCGIFFLAGS, &request) < 0)
		return errno == ENODEV ? 0 : -errno;
	if (!(request.ifr_flags & IFF_UP))
		return 0;
	if (ioctl(fd, SIOCGIFHWADDR, &request) < 0)
		return -errno;
	(void)memcpy(mac, request.ifr_hwaddr.sa_data, ETH_ALEN);
	if (ioctl(fd, SIOCGIFINDEX, &request) < 0)
		return -errno;
	return request.ifr_ifindex;
}

static int send_probe(int fd, int index, const unsigned char *mac, const struct ip_address *address)
{
	struct sockaddr_ll to = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ARP),
		.sll_ifindex = index,
		.sll_halen = ETH_ALEN,
	};
	/* The sender's address is 0.0.0.0, so that nobody learns one that is not ours yet. */
	struct ether_arp probe = {
		.ea_hdr = { .ar_hrd = htons(ARPHRD_ETHER),
			    .ar_pro = htons(ETHERTYPE_IP),
			    .ar_hln = ETH_ALEN,
			    .ar_pln = 4,
			    .ar_op = htons(ARPOP_REQUEST) },
	};

	(void)memset(to.sll_addr, 0xff, ETH_ALEN);
	(void)memcpy(probe.arp_sha, mac, ETH_ALEN);
	(void)memcpy(probe.arp_tpa, address->bytes, 4);
	return sendto(fd, &probe, sizeof(probe), 0, (struct sockaddr *)&to, sizeof(to)) < 0 ?
		       -errno :
		       0;
}

/* 1, or 0 when nothing has come in time. What else is said there is read and dropped. */
static int wait_answer(int fd, const struct ip_address *address, uint64_t deadline)
{
	for (;;) {
		struct pollfd poller = { .fd = fd, .events = POLLIN };
		int left = clock_ms_until(deadline);
		struct ether_arp answer;
		ssize_t n;
		int r = poll(&poller, 1, left);

		if (r < 0 && errno != EINTR)
			return -errno;
		if (r <= 0 && left <= 0)
			return 0;
		if (r <= 0)
			continue;
		n = recv(fd, &answer, sizeof(answer), MSG_DONTWAIT);
		if (n == sizeof(answer) && memcmp(answer.arp_spa, address->bytes, 4) == 0)
			return 1;
	}
}

int neighbour_count_ports(const char *bridge)
{
	auto_netlink struct netlink nl = NETLINK_INIT;
	auto_free struct netlink_link *links = NULL;
	struct netlink_link link;
	size_t n = 0;
	int ports = 0;
	int r = netlink_open(&nl);

	if (r == 0)
		r = netlink_get_link(&nl, bridge, &link);
	if (r == 0)
		r = netlink_list_links(&nl, &links, &n);
	for (size_t i = 0; i < n; i++)
		ports += links[i].master == link.index;
	return r < 0 && r != -ENODEV ? r : ports;
}

int neighbour_answers(const char *link, const struct ip_address *address, int timeout_ms)
{
	/* No protocol yet: to bind a socket that receives already, the kernel waits for a grace period first. */
	auto_close int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	unsigned char mac[ETH_ALEN];
	struct sockaddr_ll here = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ARP) };
	int r;

	if (address->family != AF_INET)
		return 0;
	if (fd < 0)
		return -errno;
	here.sll_ifindex = find_link(fd, link, mac);
	if (here.sll_ifindex <= 0)
		return here.sll_ifindex;
	if (bind(fd, (struct sockaddr *)&here, sizeof(here)) < 0)
		return -errno;
	for (int i = 0; i < PROBES; i++) {
		uint64_t wait = (uint64_t)timeout_ms * NSEC_PER_MSEC / PROBES;

		r = send_probe(fd, here.sll_ifindex, mac, address);
		if (r == 0)
			r = wait_answer(fd, address, clock_now_monotonic_ns() + wait);
		if (r != 0)
			return r;
	}
	return 0;
}
