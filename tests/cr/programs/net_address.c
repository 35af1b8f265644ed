/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#include "net.h"

/* An address on the loopback interface, which whoever sets up the network would have to set again. */
static void add_address(void)
{
	struct {
		struct nlmsghdr header;
		struct ifaddrmsg info;
		struct rtattr attribute;
		struct in_addr address;
	} request = {
		.header = { .nlmsg_len = sizeof(request),
			    .nlmsg_type = RTM_NEWADDR,
			    .nlmsg_flags = NLM_F_REQUEST | NLM_F_CREATE | NLM_F_ACK },
		.info = { .ifa_family = AF_INET, .ifa_prefixlen = 32, .ifa_index = 1 },
		.attribute = { .rta_len = RTA_LENGTH(4), .rta_type = IFA_LOCAL },
		.address.s_addr = inet_addr("10.9.8.7"),
	};
	char answer[256];
	int error;
	int fd = (int)must(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));

	must(send(fd, &request, sizeof(request), 0));
	must(recv(fd, answer, sizeof(answer), 0));
	memcpy(&error, answer + NLMSG_HDRLEN, sizeof(error));
	check(error == 0, "add an address: %s", strerror(-error));
	must(close(fd));
}

static void run(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = inet_addr("10.9.8.7") };

	add_address();
	wait_for_restore();
	must(bind((int)must(socket(AF_INET, SOCK_DGRAM, 0)), (struct sockaddr *)&address,
		  sizeof(address)));
}
PROGRAM(net_address, run,
	.subject = "interfaces, addresses, routes and packet filters of a network namespace of the "
		   "container's own",
	.lost = "the namespace is a new one, with the loopback interface up; give a namespace by "
		"path, whose state is the engine's")
