/* SPDX-License-Identifier: Apache-2.0 */
#include "network/host_address.h"

#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "core/auto.h"
#include "kernel/netlink.h"
#include "network/address.h"

static char *address_of(struct netlink *nl, int index)
{
	auto_free struct netlink_address *list = NULL;
	size_t n = 0;

	if (netlink_list_addresses(nl, index, &list, &n) < 0)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		struct ip_address address = { .family = AF_INET };

		if (list[i].family != AF_INET || list[i].scope == RT_SCOPE_HOST)
			continue;
		(void)memcpy(address.bytes, list[i].local, 4);
		return xstrdup(ip_address_format(&address).text);
	}
	return NULL;
}

char *network_host_address(void)
{
	auto_netlink struct netlink nl = NETLINK_INIT;
	auto_free struct netlink_link *links = NULL;
	char *found = NULL;
	size_t n = 0;

	if (netlink_open(&nl) < 0 || netlink_list_links(&nl, &links, &n) < 0)
		return NULL;
	for (size_t i = 0; !found && i < n; i++)
		if (!(links[i].flags & IFF_LOOPBACK))
			found = address_of(&nl, links[i].index);
	return found;
}
