/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sockets of a network namespace by sock_diag(7): unix, TCP, MPTCP, UDP and netlink ones, with what no
 * file of /proc/net tells (the peer of a unix socket, connections that wait to be accepted). TCP
 * sockets that are neither bound nor connected and unbound UDP and netlink sockets are in no table of
 * the kernel, and not here either.
 */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "core/auto.h"
#include "core/macro.h"

/* States of TCP as in <netinet/tcp.h>; unix sockets use TCP_LISTEN, TCP_ESTABLISHED and TCP_CLOSE. */
struct sock_diag_socket {
	int family; /* AF_UNIX, AF_INET, AF_INET6, AF_NETLINK */
	int type; /* SOCK_STREAM ...; of unix sockets */
	int protocol; /* IPPROTO_TCP, IPPROTO_UDP, IPPROTO_MPTCP; NETLINK_ROUTE ... */
	uint32_t ino; /* as in "socket:[INO]"; 0: no descriptor refers to it */
	int state;
	uint32_t read_queue; /* bytes unread; connections of a listening socket that wait */
	/* Internet and netlink. */
	char *local; /* "127.0.0.1:80", "[::1]:80"; owned */
	char *remote; /* "" when there is none; owned */
	uint32_t netlink_port; /* 0: not bound */
	uint32_t netlink_groups; /* groups 1 to 32, as a mask */
	bool has_high_netlink_groups; /* and one above 32 */
	/* Unix. */
	char *name; /* path, or "@abstract"; NULL: none; owned */
	/* The file that it is bound to, also when that has another name now. A number of the kernel's,
	 * which on stacked file systems (overlay) need not be that of stat(2). */
	uint32_t file_ino; /* the lower half; 0: none */
	dev_t file_dev;
	uint32_t peer; /* inode of the other end; 0: none */
	uint32_t *pending; /* of a listening socket: inodes of the connecting ends; owned */
	size_t n_pending;
};

struct sock_diag_list {
	struct sock_diag_socket *v; /* in the order of their inodes, MPTCP before TCP */
	size_t n;
};

#define SOCK_DIAG_LIST_INIT                                                                        \
	{                                                                                          \
		0                                                                                  \
	}

/*
 * Everything there is in the network namespace that netns_fd refers to; the calling thread enters it
 * for a moment (CAP_SYS_ADMIN over its owner) unless it is its own. A kind that the kernel has no
 * diagnosis for is left out. The caller owns *ret. -ENOTRECOVERABLE: the thread could not come back
 * into its namespace and should do nothing more.
 */
int sock_diag_collect(struct sock_diag_list *ret, int netns_fd);
/* The same of unix sockets alone. */
int sock_diag_collect_unix(struct sock_diag_list *ret, int netns_fd);
void sock_diag_list_done(struct sock_diag_list *list);
/* NULL when it is not there; 0 is never found. */
const struct sock_diag_socket *sock_diag_find(const struct sock_diag_list *list, uint32_t ino);

/* "established", "SYN sent" */
const char *sock_diag_tcp_state(int state);

DEFINE_AUTO_VAL(sock_diag_list, struct sock_diag_list, sock_diag_list_done)
#define auto_sock_diag_list auto_cleanup(sock_diag_list_cleanup_val)
