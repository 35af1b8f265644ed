/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/sock_diag.h"

#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/netlink_diag.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>

#include "core/alloc.h"
#include "core/fd.h"
#include "core/fs.h"
#include "core/strbuf.h"

#define RECEIVE_SIZE 65536
#define ATTRIBUTE_HEADER sizeof(struct nlattr)
#define ATTRIBUTE_ALIGN(len) (((size_t)(len) + 3) & ~(size_t)3)
/* All states but those that have no socket of a process: TIME_WAIT and SYN_RECV. */
#define TCP_STATES                                                                                 \
	(((1U << (TCP_CLOSING + 1)) - 1) & ~(1U << TCP_TIME_WAIT) & ~(1U << TCP_SYN_RECV))

#define REQUEST_MAX 128

typedef void (*add_fn)(struct sock_diag_list *list, const void *message, size_t len, int protocol);

/* The payload of an attribute of at least `size` bytes; NULL when it is not there. */
static const void *find_attribute(const void *attributes, size_t len, int type, size_t size,
				  size_t *ret_len)
{
	const char *p = attributes;

	while (len >= ATTRIBUTE_HEADER) {
		struct nlattr a;
		size_t step;

		memcpy(&a, p, sizeof(a));
		if (a.nla_len < ATTRIBUTE_HEADER || a.nla_len > len)
			return NULL;
		if ((a.nla_type & NLA_TYPE_MASK) == type && a.nla_len - ATTRIBUTE_HEADER >= size) {
			*ret_len = a.nla_len - ATTRIBUTE_HEADER;
			return p + ATTRIBUTE_HEADER;
		}
		step = MIN(ATTRIBUTE_ALIGN(a.nla_len), len);
		p += step;
		len -= step;
	}
	return NULL;
}

static char *unix_name(const void *attributes, size_t len)
{
	size_t n;
	const char *name = find_attribute(attributes, len, UNIX_DIAG_NAME, 1, &n);
	auto_strbuf struct strbuf text = STRBUF_INIT;

	if (!name)
		return NULL;
	/* An abstract name begins with a NUL and may hold others. */
	for (size_t i = 0; i < n; i++)
		if (name[i] || i + 1 < n)
			strbuf_addc(&text, name[i] ? name[i] : '@');
	return strbuf_take(&text);
}

/* In the kernel's own encoding of device numbers. */
#define KERNEL_MINOR_BITS 20

static void read_unix_file(struct sock_diag_socket *s, const void *attributes, size_t len)
{
	struct unix_diag_vfs file;
	size_t n;
	const void *data = find_attribute(attributes, len, UNIX_DIAG_VFS, sizeof(file), &n);

	if (!data)
		return;
	memcpy(&file, data, sizeof(file));
	s->file_ino = file.udiag_vfs_ino;
	s->file_dev = makedev(file.udiag_vfs_dev >> KERNEL_MINOR_BITS,
			      file.udiag_vfs_dev & ((1U << KERNEL_MINOR_BITS) - 1));
}

static void add_unix(struct sock_diag_list *list, const void *message, size_t len,
		     int protocol UNUSED)
{
	const struct unix_diag_msg *m = message;
	const char *attributes = (const char *)message + NLMSG_ALIGN(sizeof(*m));
	struct sock_diag_socket *s;
	const uint32_t *data;
	size_t n;

	if (len < NLMSG_ALIGN(sizeof(*m)))
		return;
	len -= NLMSG_ALIGN(sizeof(*m));
	s = array_push(list->v, list->n);
	s->family = AF_UNIX;
	s->type = m->udiag_type;
	s->state = m->udiag_state;
	s->ino = m->udiag_ino;
	s->name = unix_name(attributes, len);
	read_unix_file(s, attributes, len);
	data = find_attribute(attributes, len, UNIX_DIAG_PEER, sizeof(uint32_t), &n);
	if (data)
		s->peer = *data;
	data = find_attribute(attributes, len, UNIX_DIAG_RQLEN, sizeof(struct unix_diag_rqlen), &n);
	if (data)
		s->read_queue = *data;
	data = find_attribute(attributes, len, UNIX_DIAG_ICONS, sizeof(uint32_t), &n);
	if (data) {
		s->pending = xmemdup(data, n);
		s->n_pending = n / sizeof(uint32_t);
	}
}

static char *format_address(int family, const void *address, uint16_t port)
{
	char text[INET6_ADDRSTRLEN] = "?";

	(void)inet_ntop(family, address, text, sizeof(text));
	return xasprintf(family == AF_INET6 ? "[%s]:%u" : "%s:%u", text, ntohs(port));
}

static void add_inet(struct sock_diag_list *list, const void *message, size_t len, int protocol)
{
	const struct inet_diag_msg *m = message;
	struct sock_diag_socket *s;

	if (len < sizeof(*m))
		return;
	s = array_push(list->v, list->n);
	s->family = m->idiag_family;
	s->protocol = protocol;
	s->state = m->idiag_state;
	s->ino = m->idiag_inode;
	s->read_queue = m->idiag_rqueue;
	s->local = format_address(s->family, m->id.idiag_src, m->id.idiag_sport);
	s->remote = m->id.idiag_dport ?
			    format_address(s->family, m->id.idiag_dst, m->id.idiag_dport) :
			    xstrdup("");
}

static void add_netlink(struct sock_diag_list *list, const void *message, size_t len,
			int protocol UNUSED)
{
	const struct netlink_diag_msg *m = message;
	const char *attributes = (const char *)message + NLMSG_ALIGN(sizeof(*m));
	struct sock_diag_socket *s;
	const uint32_t *data;
	size_t n;

	if (len < NLMSG_ALIGN(sizeof(*m)))
		return;
	len -= NLMSG_ALIGN(sizeof(*m));
	s = array_push(list->v, list->n);
	s->family = AF_NETLINK;
	s->protocol = m->ndiag_protocol;
	s->state = m->ndiag_state;
	s->ino = m->ndiag_ino;
	s->netlink_port = m->ndiag_portid;
	data = find_attribute(attributes, len, NETLINK_DIAG_GROUPS, sizeof(uint32_t), &n);
	for (size_t i = 0; data && i < n / sizeof(uint32_t); i++) {
		if (i == 0)
			s->netlink_groups = data[i];
		else if (data[i])
			s->has_high_netlink_groups = true;
	}
	data = find_attribute(attributes, len, NETLINK_DIAG_MEMINFO, sizeof(uint32_t), &n);
	if (data)
		s->read_queue = data[SK_MEMINFO_RMEM_ALLOC];
}

static int send_request(int fd, const void *request, size_t size)
{
	struct {
		struct nlmsghdr header;
		char body[REQUEST_MAX];
	} message = {
		.header = { .nlmsg_len = (uint32_t)NLMSG_LENGTH(size),
			    .nlmsg_type = SOCK_DIAG_BY_FAMILY,
			    .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP },
	};

	memcpy(message.body, request, size);
	if (RETRY_EINTR(send(fd, &message, message.header.nlmsg_len, 0)) < 0)
		return -errno;
	return 0;
}

/* 1: go on, 0: that was the last message of the answer, or an error. */
static int handle_message(const struct nlmsghdr *h, struct sock_diag_list *list, add_fn add,
			  int protocol)
{
	if (h->nlmsg_type == NLMSG_DONE)
		return 0;
	if (h->nlmsg_type == NLMSG_ERROR) {
		const struct nlmsgerr *e = (const struct nlmsgerr *)NLMSG_DATA(h);

		if (h->nlmsg_len < NLMSG_LENGTH(sizeof(*e)))
			return -EBADMSG;
		/* No such diagnosis in this kernel. */
		return e->error == -ENOENT || e->error == -EINVAL || e->error == -EOPNOTSUPP ?
			       0 :
			       e->error;
	}
	if (h->nlmsg_type == SOCK_DIAG_BY_FAMILY)
		add(list, NLMSG_DATA(h), NLMSG_PAYLOAD(h, 0), protocol);
	return 1;
}

static int query(int fd, const void *request, size_t size, struct sock_diag_list *list, add_fn add,
		 int protocol)
{
	/* Messages are aligned to 4 bytes within. */
	auto_free uint32_t *buffer = xmalloc(RECEIVE_SIZE);
	int r = send_request(fd, request, size);

	if (r < 0)
		return r;
	for (;;) {
		ssize_t n = RETRY_EINTR(recv(fd, buffer, RECEIVE_SIZE, 0));
		const struct nlmsghdr *h = (const struct nlmsghdr *)buffer;

		if (n < 0)
			return -errno;
		for (size_t left = (size_t)n; NLMSG_OK(h, left); h = NLMSG_NEXT(h, left)) {
			r = handle_message(h, list, add, protocol);
			if (r <= 0)
				return r;
		}
	}
}

static int query_unix(int fd, struct sock_diag_list *list)
{
	const struct unix_diag_req request = {
		.sdiag_family = AF_UNIX,
		.udiag_states = UINT32_MAX,
		.udiag_show = UDIAG_SHOW_NAME | UDIAG_SHOW_VFS | UDIAG_SHOW_PEER |
			      UDIAG_SHOW_ICONS | UDIAG_SHOW_RQLEN,
	};

	return query(fd, &request, sizeof(request), list, add_unix, 0);
}

static int query_inet(int fd, struct sock_diag_list *list, uint8_t family, uint8_t protocol)
{
	const struct inet_diag_req_v2 request = {
		.sdiag_family = family,
		.sdiag_protocol = protocol,
		.idiag_states = protocol == IPPROTO_TCP ? TCP_STATES : UINT32_MAX,
	};

	return query(fd, &request, sizeof(request), list, add_inet, protocol);
}

/* Its number does not fit into the request's byte. */
static int query_mptcp(int fd, struct sock_diag_list *list, uint8_t family)
{
	const struct {
		struct inet_diag_req_v2 request;
		struct nlattr header;
		uint32_t protocol;
	} message = {
		.request = { .sdiag_family = family, .idiag_states = TCP_STATES },
		.header = { .nla_len = ATTRIBUTE_HEADER + sizeof(uint32_t),
			    .nla_type = INET_DIAG_REQ_PROTOCOL },
		.protocol = IPPROTO_MPTCP,
	};

	return query(fd, &message, sizeof(message), list, add_inet, IPPROTO_MPTCP);
}

static int query_netlink(int fd, struct sock_diag_list *list)
{
	const struct netlink_diag_req request = {
		.sdiag_family = AF_NETLINK,
		.sdiag_protocol = NDIAG_PROTO_ALL,
		.ndiag_show = NDIAG_SHOW_GROUPS | NDIAG_SHOW_MEMINFO,
	};

	return query(fd, &request, sizeof(request), list, add_netlink, 0);
}

static int open_socket(void)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);

	return fd < 0 ? -errno : fd;
}

/* A socket belongs to the namespace that it was made in, wherever it is used. */
static int open_socket_in(int netns_fd)
{
	auto_close int own = fd_open_at(AT_FDCWD, "/proc/thread-self/ns/net", O_RDONLY, 0);
	struct stat own_st;
	struct stat st;
	int fd;

	if (own < 0)
		return own;
	if (fstat(own, &own_st) < 0 || fstat(netns_fd, &st) < 0)
		return -errno;
	if (fs_is_same_file(&own_st, &st))
		return open_socket();
	if (setns(netns_fd, CLONE_NEWNET) < 0)
		return -errno;
	fd = open_socket();
	if (setns(own, CLONE_NEWNET) < 0) {
		if (fd >= 0)
			(void)close(fd);
		return -ENOTRECOVERABLE;
	}
	return fd;
}

/* By inode; a connection of MPTCP before the one of TCP that it rests on, which shows its inode too. */
static int compare(const void *a, const void *b)
{
	const struct sock_diag_socket *x = a;
	const struct sock_diag_socket *y = b;

	if (x->ino != y->ino)
		return x->ino > y->ino ? 1 : -1;
	return (y->protocol > x->protocol) - (y->protocol < x->protocol);
}

static int query_all(int fd, struct sock_diag_list *list)
{
	static const uint8_t families[] = { AF_INET, AF_INET6 };
	int r = query_unix(fd, list);

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(families); i++) {
		r = query_inet(fd, list, families[i], IPPROTO_TCP);
		if (r == 0)
			r = query_inet(fd, list, families[i], IPPROTO_UDP);
		if (r == 0)
			r = query_mptcp(fd, list, families[i]);
	}
	return r < 0 ? r : query_netlink(fd, list);
}

static int collect(struct sock_diag_list *ret, int netns_fd,
		   int (*fill)(int fd, struct sock_diag_list *list))
{
	auto_sock_diag_list struct sock_diag_list list = SOCK_DIAG_LIST_INIT;
	auto_close int fd = open_socket_in(netns_fd);
	int r = fd < 0 ? fd : fill(fd, &list);

	if (r < 0)
		return r;
	if (list.n)
		qsort(list.v, list.n, sizeof(list.v[0]), compare);
	*ret = list;
	list = (struct sock_diag_list)SOCK_DIAG_LIST_INIT;
	return 0;
}

int sock_diag_collect(struct sock_diag_list *ret, int netns_fd)
{
	return collect(ret, netns_fd, query_all);
}

int sock_diag_collect_unix(struct sock_diag_list *ret, int netns_fd)
{
	return collect(ret, netns_fd, query_unix);
}

void sock_diag_list_done(struct sock_diag_list *list)
{
	for (size_t i = 0; i < list->n; i++) {
		free(list->v[i].local);
		free(list->v[i].remote);
		free(list->v[i].name);
		free(list->v[i].pending);
	}
	free(list->v);
	*list = (struct sock_diag_list)SOCK_DIAG_LIST_INIT;
}

const struct sock_diag_socket *sock_diag_find(const struct sock_diag_list *list, uint32_t ino)
{
	size_t low = 0;
	size_t high = list->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (list->v[middle].ino < ino)
			low = middle + 1;
		else
			high = middle;
	}
	return ino != 0 && low < list->n && list->v[low].ino == ino ? &list->v[low] : NULL;
}

const char *sock_diag_tcp_state(int state)
{
	static const char *const names[] = {
		[TCP_ESTABLISHED] = "established",
		[TCP_SYN_SENT] = "SYN sent",
		[TCP_SYN_RECV] = "SYN received",
		[TCP_FIN_WAIT1] = "closing",
		[TCP_FIN_WAIT2] = "half closed",
		[TCP_TIME_WAIT] = "time wait",
		[TCP_CLOSE] = "closed",
		[TCP_CLOSE_WAIT] = "half closed",
		[TCP_LAST_ACK] = "closing",
		[TCP_LISTEN] = "listening",
		[TCP_CLOSING] = "closing",
	};

	if (state < 0 || (size_t)state >= ARRAY_SIZE(names) || !names[state])
		return "in an unknown state";
	return names[state];
}
