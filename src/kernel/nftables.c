/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/nftables.h"

#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/fd.h"

struct generation_request {
	struct nlmsghdr header;
	struct nfgenmsg message;
};

/* The kernel answers while it handles the request, so nothing is waited for. */
static bool is_generation(const char *answer, size_t len)
{
	struct nlmsghdr header;

	if (len < sizeof(header))
		return false;
	(void)memcpy(&header, answer, sizeof(header));
	return header.nlmsg_type == ((NFNL_SUBSYS_NFTABLES << 8) | NFT_MSG_NEWGEN);
}

bool nftables_is_available(void)
{
	const struct generation_request request = {
		.header = { .nlmsg_len = sizeof(request),
			    .nlmsg_type = (NFNL_SUBSYS_NFTABLES << 8) | NFT_MSG_GETGEN,
			    .nlmsg_flags = NLM_F_REQUEST },
		.message = { .nfgen_family = AF_UNSPEC, .version = NFNETLINK_V0 },
	};
	auto_close int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);
	char answer[512];
	ssize_t n;

	if (fd < 0 || send(fd, &request, sizeof(request), 0) != (ssize_t)sizeof(request))
		return false;
	n = recv(fd, answer, sizeof(answer), MSG_DONTWAIT);
	return n > 0 && is_generation(answer, (size_t)n);
}
