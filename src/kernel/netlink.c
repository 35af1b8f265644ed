/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/netlink.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_addr.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/fd.h"

/* A dump's messages are at most this large; the kernel fills what the reader offers. */
#define RECEIVE_SIZE 32768
#define DUMP_TRIES 10

struct request {
	union {
		struct nlmsghdr header;
		char space[512];
	};
};

int netlink_open(struct netlink *ret)
{
	const struct sockaddr_nl address = { .nl_family = AF_NETLINK };
	auto_close int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	if (fd < 0 || bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		return -errno;
	*ret = (struct netlink){ .fd = take_fd(fd) };
	return 0;
}

int netlink_open_in(struct netlink *ret, int netns_fd)
{
	auto_close int own_fd = fd_open_at(AT_FDCWD, "/proc/thread-self/ns/net", O_RDONLY, 0);
	int r;

	if (own_fd < 0)
		return own_fd;
	if (setns(netns_fd, CLONE_NEWNET) < 0)
		return -errno;
	r = netlink_open(ret);
	/* There is no going on in the wrong network. */
	if (setns(own_fd, CLONE_NEWNET) < 0)
		abort();
	return r;
}

void netlink_close(struct netlink *nl)
{
	close_fd(&nl->fd);
}

/* ---- requests ---- */

static void *begin(struct request *req, uint16_t type, uint16_t flags, size_t payload)
{
	(void)memset(req, 0, sizeof(*req));
	req->header.nlmsg_len = (uint32_t)NLMSG_LENGTH(payload);
	req->header.nlmsg_type = type;
	req->header.nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
	return NLMSG_DATA(&req->header);
}

/* Callers add a handful of small attributes, which the space is made for. */
static void add_attribute(struct request *req, uint16_t type, const void *data, size_t len)
{
	size_t start = NLMSG_ALIGN(req->header.nlmsg_len);
	struct rtattr *attr = (struct rtattr *)(void *)(req->space + start);

	if (start + RTA_LENGTH(len) > sizeof(req->space))
		abort();
	attr->rta_type = type;
	attr->rta_len = (uint16_t)RTA_LENGTH(len);
	(void)memcpy(RTA_DATA(attr), data, len);
	req->header.nlmsg_len = (uint32_t)(start + RTA_ALIGN(attr->rta_len));
}

/* What is made of one message of an answer. */
typedef int (*netlink_handler)(struct nlmsghdr *m, void *context);

/* One datagram of the answer: 1 when more is to come, 0 at the end. */
static int handle_datagram(const struct netlink *nl, char *buf, size_t len, netlink_handler handler,
			   void *context)
{
	struct nlmsghdr *m = (struct nlmsghdr *)(void *)buf;

	for (; NLMSG_OK(m, len); m = NLMSG_NEXT(m, len)) {
		int r;

		if (m->nlmsg_seq != nl->sequence)
			continue;
		/* The list changed while it was read. */
		if (m->nlmsg_flags & NLM_F_DUMP_INTR)
			return -EAGAIN;
		if (m->nlmsg_type == NLMSG_DONE)
			return 0;
		if (m->nlmsg_type == NLMSG_ERROR) {
			const struct nlmsgerr *e = NLMSG_DATA(m);

			return m->nlmsg_len < NLMSG_LENGTH(sizeof(*e)) ? -EBADMSG : e->error;
		}
		r = handler ? handler(m, context) : 0;
		if (r < 0)
			return r;
		if (!(m->nlmsg_flags & NLM_F_MULTI))
			return 0;
	}
	return 1;
}

static int talk(struct netlink *nl, struct request *req, netlink_handler handler, void *context)
{
	auto_free char *buf = xmalloc(RECEIVE_SIZE);
	int r = 1;

	req->header.nlmsg_seq = ++nl->sequence;
	if (RETRY_EINTR(send(nl->fd, &req->header, req->header.nlmsg_len, 0)) < 0)
		return -errno;
	while (r == 1) {
		ssize_t n = RETRY_EINTR(recv(nl->fd, buf, RECEIVE_SIZE, MSG_TRUNC));

		if (n < 0)
			return -errno;
		if (n > RECEIVE_SIZE)
			return -EMSGSIZE;
		r = handle_datagram(nl, buf, (size_t)n, handler, context);
	}
	return r;
}

/* ---- interfaces ---- */

struct link_list {
	struct netlink_link *v;
	size_t n;
};

/* Length of the attributes behind a message's fixed part; 0 when it is cut. */
static unsigned int payload_beyond(const struct nlmsghdr *m, size_t fixed)
{
	size_t start = NLMSG_LENGTH(NLMSG_ALIGN(fixed));

	return m->nlmsg_len > start ? (unsigned int)(m->nlmsg_len - start) : 0;
}

static int take_link(struct nlmsghdr *m, void *context)
{
	struct link_list *list = context;
	struct ifinfomsg *info = NLMSG_DATA(m);
	struct rtattr *attr = IFLA_RTA(info);
	unsigned int len = payload_beyond(m, sizeof(*info));
	struct netlink_link *link;

	if (m->nlmsg_type != RTM_NEWLINK || m->nlmsg_len < NLMSG_LENGTH(sizeof(*info)))
		return 0;
	link = array_push(list->v, list->n);
	link->index = info->ifi_index;
	link->flags = info->ifi_flags;
	for (; RTA_OK(attr, len); attr = RTA_NEXT(attr, len))
		if (attr->rta_type == IFLA_IFNAME)
			(void)memcpy(link->name, RTA_DATA(attr),
				     MIN(RTA_PAYLOAD(attr), sizeof(link->name) - 1));
		else if (attr->rta_type == IFLA_MASTER)
			(void)memcpy(&link->master, RTA_DATA(attr),
				     MIN(RTA_PAYLOAD(attr), sizeof(link->master)));
	return 0;
}

int netlink_get_link(struct netlink *nl, const char *name, struct netlink_link *ret)
{
	struct link_list list = { 0 };
	struct request req;
	int r;

	if (strlen(name) >= IFNAMSIZ)
		return -ENODEV;
	(void)begin(&req, RTM_GETLINK, 0, sizeof(struct ifinfomsg));
	add_attribute(&req, IFLA_IFNAME, name, strlen(name) + 1);
	r = talk(nl, &req, take_link, &list);
	if (r == 0 && list.n != 1)
		r = -ENODEV;
	if (r == 0)
		*ret = list.v[0];
	free(list.v);
	return r;
}

int netlink_list_links(struct netlink *nl, struct netlink_link **ret, size_t *ret_n)
{
	int r = -EAGAIN;

	for (int i = 0; r == -EAGAIN && i < DUMP_TRIES; i++) {
		struct link_list list = { 0 };
		struct request req;

		(void)begin(&req, RTM_GETLINK, NLM_F_DUMP, sizeof(struct ifinfomsg));
		r = talk(nl, &req, take_link, &list);
		if (r == 0) {
			*ret = list.v;
			*ret_n = list.n;
		} else {
			free(list.v);
		}
	}
	return r;
}

int netlink_set_link_up(struct netlink *nl, int index, bool up)
{
	struct request req;
	struct ifinfomsg *info = begin(&req, RTM_NEWLINK, NLM_F_ACK, sizeof(*info));

	info->ifi_index = index;
	info->ifi_change = IFF_UP;
	info->ifi_flags = up ? IFF_UP : 0;
	return talk(nl, &req, NULL, NULL);
}

int netlink_delete_link(struct netlink *nl, int index)
{
	struct request req;
	struct ifinfomsg *info = begin(&req, RTM_DELLINK, NLM_F_ACK, sizeof(*info));

	info->ifi_index = index;
	return talk(nl, &req, NULL, NULL);
}

int netlink_bring_up_loopback(void)
{
	auto_close int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };

	if (fd < 0)
		return errno == EAFNOSUPPORT ? 0 : -errno;
	return ioctl(fd, SIOCSIFFLAGS, &request) < 0 ? -errno : 0;
}

int netlink_move_link(struct netlink *nl, int index, int netns_fd, const char *name)
{
	struct request req;
	struct ifinfomsg *info = begin(&req, RTM_NEWLINK, NLM_F_ACK, sizeof(*info));

	if (strlen(name) >= IFNAMSIZ)
		return -EINVAL;
	info->ifi_index = index;
	add_attribute(&req, IFLA_NET_NS_FD, &netns_fd, sizeof(netns_fd));
	add_attribute(&req, IFLA_IFNAME, name, strlen(name) + 1);
	return talk(nl, &req, NULL, NULL);
}

/* ---- addresses ---- */

struct address_list {
	int index;
	struct netlink_address *v;
	size_t n;
};

static void take_bytes(struct rtattr *attr, uint8_t len, uint8_t ret[static 16])
{
	(void)memcpy(ret, RTA_DATA(attr), MIN(RTA_PAYLOAD(attr), (size_t)len));
}

static int take_address(struct nlmsghdr *m, void *context)
{
	struct address_list *list = context;
	struct ifaddrmsg *info = NLMSG_DATA(m);
	struct rtattr *attr = IFA_RTA(info);
	unsigned int len = payload_beyond(m, sizeof(*info));
	struct netlink_address a = { 0 };
	bool has_local = false;

	if (m->nlmsg_type != RTM_NEWADDR || m->nlmsg_len < NLMSG_LENGTH(sizeof(*info)) ||
	    (int)info->ifa_index != list->index ||
	    (info->ifa_family != AF_INET && info->ifa_family != AF_INET6))
		return 0;
	a.family = info->ifa_family;
	a.prefix_len = info->ifa_prefixlen;
	a.scope = info->ifa_scope;
	a.flags = info->ifa_flags;
	a.len = a.family == AF_INET ? 4 : 16;
	for (; RTA_OK(attr, len); attr = RTA_NEXT(attr, len)) {
		if (attr->rta_type == IFA_LOCAL) {
			take_bytes(attr, a.len, a.local);
			has_local = true;
		} else if (attr->rta_type == IFA_ADDRESS) {
			take_bytes(attr, a.len, a.address);
		} else if (attr->rta_type == IFA_BROADCAST) {
			take_bytes(attr, a.len, a.broadcast);
			a.has_broadcast = true;
		} else if (attr->rta_type == IFA_FLAGS && RTA_PAYLOAD(attr) == sizeof(a.flags)) {
			(void)memcpy(&a.flags, RTA_DATA(attr), sizeof(a.flags));
		}
	}
	if (!has_local)
		(void)memcpy(a.local, a.address, sizeof(a.local));
	*array_push(list->v, list->n) = a;
	return 0;
}

int netlink_list_addresses(struct netlink *nl, int index, struct netlink_address **ret,
			   size_t *ret_n)
{
	int r = -EAGAIN;

	for (int i = 0; r == -EAGAIN && i < DUMP_TRIES; i++) {
		struct address_list list = { .index = index };
		struct request req;

		(void)begin(&req, RTM_GETADDR, NLM_F_DUMP, sizeof(struct ifaddrmsg));
		r = talk(nl, &req, take_address, &list);
		if (r == 0) {
			*ret = list.v;
			*ret_n = list.n;
		} else {
			free(list.v);
		}
	}
	return r;
}

int netlink_add_address(struct netlink *nl, int index, const struct netlink_address *address)
{
	const uint32_t kept = IFA_F_NODAD | IFA_F_HOMEADDRESS | IFA_F_MANAGETEMPADDR |
			      IFA_F_NOPREFIXROUTE;
	uint32_t flags = address->flags & kept;
	struct request req;
	struct ifaddrmsg *info =
		begin(&req, RTM_NEWADDR, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, sizeof(*info));

	info->ifa_family = address->family;
	info->ifa_prefixlen = address->prefix_len;
	info->ifa_scope = address->scope;
	info->ifa_index = (uint32_t)index;
	info->ifa_flags = (uint8_t)flags;
	add_attribute(&req, IFA_LOCAL, address->local, address->len);
	add_attribute(&req, IFA_ADDRESS, address->address, address->len);
	if (address->has_broadcast)
		add_attribute(&req, IFA_BROADCAST, address->broadcast, address->len);
	add_attribute(&req, IFA_FLAGS, &flags, sizeof(flags));
	return talk(nl, &req, NULL, NULL);
}
