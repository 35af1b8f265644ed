/* SPDX-License-Identifier: Apache-2.0 */
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>

#include "net.h"

/* Asks for the loopback interface after the restore. */
static void ask(int fd)
{
	struct {
		struct nlmsghdr header;
		struct ifinfomsg info;
	} request = {
		.header = { .nlmsg_len = sizeof(request),
			    .nlmsg_type = RTM_GETLINK,
			    .nlmsg_flags = NLM_F_REQUEST,
			    .nlmsg_seq = 5 },
		.info = { .ifi_family = AF_UNSPEC, .ifi_index = 1 },
	};
	union {
		struct nlmsghdr header;
		char bytes[8192];
	} answer;
	struct ifinfomsg info;

	must(send(fd, &request, sizeof(request), 0));
	must(recv(fd, &answer, sizeof(answer), 0));
	check(answer.header.nlmsg_type == RTM_NEWLINK && answer.header.nlmsg_seq == 5,
	      "the kernel answers with message %d", answer.header.nlmsg_type);
	memcpy(&info, answer.bytes + NLMSG_HDRLEN, sizeof(info));
	check((info.ifi_flags & IFF_UP) != 0, "the loopback interface is down");
}

static void run(void)
{
	struct sockaddr_nl address = { .nl_family = AF_NETLINK, .nl_groups = RTMGRP_LINK };
	struct sockaddr_nl now = { 0 };
	socklen_t size = sizeof(now);
	int fd = (int)must(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));

	must(bind(fd, (struct sockaddr *)&address, sizeof(address)));
	must(getsockname(fd, (struct sockaddr *)&address, &size));
	wait_for_restore();
	size = sizeof(now);
	must(getsockname(fd, (struct sockaddr *)&now, &size));
	check(now.nl_pid == address.nl_pid && now.nl_groups == address.nl_groups,
	      "the address is %u/%u instead of %u/%u", now.nl_pid, now.nl_groups, address.nl_pid,
	      address.nl_groups);
	ask(fd);
}
PROGRAM(netlink_socket, run, .subject = "netlink sockets")
