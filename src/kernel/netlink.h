/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The few things that are asked of rtnetlink(7): find, move and set up interfaces, and carry their
 * addresses over. One socket belongs to one network namespace, whichever the process is in later.
 * Errors are negative errnos.
 */
#pragma once

#include <net/if.h>
#include <stdint.h>

#include "core/auto.h"
#include "core/macro.h"

struct netlink {
	int fd; /* owned */
	uint32_t sequence;
};

#define NETLINK_INIT                                                                               \
	{                                                                                          \
		.fd = -EBADF                                                                       \
	}

/* In the calling thread's network namespace. */
int netlink_open(struct netlink *ret);
/* In another one, which the calling thread enters for the moment of the call (CAP_SYS_ADMIN). */
int netlink_open_in(struct netlink *ret, int netns_fd);
void netlink_close(struct netlink *nl);

struct netlink_link {
	int index;
	int master; /* index of the bridge or the like that it is a port of; 0: of none */
	unsigned int flags; /* IFF_... */
	char name[IFNAMSIZ];
};

/* -ENODEV when there is none of that name. */
int netlink_get_link(struct netlink *nl, const char *name, struct netlink_link *ret);
/* All interfaces; *ret is owned by the caller. */
int netlink_list_links(struct netlink *nl, struct netlink_link **ret, size_t *ret_n);
int netlink_set_link_up(struct netlink *nl, int index, bool up);
int netlink_delete_link(struct netlink *nl, int index);
/* "lo" of the calling thread's network namespace; nothing to do where the kernel has no IPv4. By one
 * ioctl (netdevice(7)), as every start of a container pays for it. */
int netlink_bring_up_loopback(void);
/*
 * Move an interface into another namespace and give it a name there: "eth0", or "eth%d" for the first
 * free number. -EEXIST when the name is taken. It may get another index.
 */
int netlink_move_link(struct netlink *nl, int index, int netns_fd, const char *name);

struct netlink_address {
	uint8_t family; /* AF_INET, AF_INET6 */
	uint8_t prefix_len;
	uint8_t scope; /* RT_SCOPE_... */
	uint8_t len; /* of each of these, 4 or 16 */
	uint32_t flags; /* IFA_F_... */
	uint8_t local[16];
	uint8_t address[16]; /* the same, or the other end's */
	uint8_t broadcast[16];
	bool has_broadcast;
};

/* Addresses of one interface; *ret is owned by the caller. */
int netlink_list_addresses(struct netlink *nl, int index, struct netlink_address **ret,
			   size_t *ret_n);
/* Flags that say how the address came to be or what its state is are not handed on. */
int netlink_add_address(struct netlink *nl, int index, const struct netlink_address *address);

DEFINE_AUTO_VAL(netlink, struct netlink, netlink_close)
#define auto_netlink auto_cleanup(netlink_cleanup_val)
