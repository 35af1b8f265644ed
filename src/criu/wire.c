/* SPDX-License-Identifier: Apache-2.0 */
#include "criu/wire.h"

#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "core/alloc.h"

int wire_pair(int *ret_ours, int *ret_theirs)
{
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0)
		return -errno;
	*ret_ours = fds[0];
	*ret_theirs = fds[1];
	return 0;
}

/* A datagram must fit into the send buffer as a whole, together with the kernel's own overhead. */
static int grow_send_buffer(int fd, size_t len)
{
	int size;

	if (len > WIRE_DATAGRAM_MAX)
		return -EMSGSIZE;
	size = (int)len + 4096;
	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)) < 0 &&
	    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)) < 0)
		return -errno;
	return 0;
}

int wire_send(int fd, const void *data, size_t len)
{
	ssize_t n = RETRY_EINTR(send(fd, data, len, MSG_NOSIGNAL));

	if (n < 0 && errno == EMSGSIZE) {
		int r = grow_send_buffer(fd, len);

		if (r < 0)
			return r;
		n = RETRY_EINTR(send(fd, data, len, MSG_NOSIGNAL));
	}
	return n < 0 ? -errno : 0;
}

static void take_descriptors(struct msghdr *mh, struct wire_datagram *d)
{
	for (struct cmsghdr *cmsg = CMSG_FIRSTHDR(mh); cmsg; cmsg = CMSG_NXTHDR(mh, cmsg)) {
		if (cmsg->cmsg_level != SOL_SOCKET || cmsg->cmsg_type != SCM_RIGHTS)
			continue;
		d->n_fds = (cmsg->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		memcpy(d->fds, CMSG_DATA(cmsg), d->n_fds * sizeof(int));
		return;
	}
}

static int wait_for_datagram(int fd, int pidfd, int timeout_ms)
{
	struct pollfd pfds[2] = { { .fd = fd, .events = POLLIN },
				  { .fd = pidfd, .events = POLLIN } };
	int r = RETRY_EINTR(poll(pfds, 2, timeout_ms));

	if (r < 0)
		return -errno;
	return r == 0 ? -ETIMEDOUT : 0;
}

/* The length of the datagram that waits; 0 at the end. */
static ssize_t next_length(int fd)
{
	ssize_t n = RETRY_EINTR(recv(fd, NULL, 0, MSG_PEEK | MSG_TRUNC | MSG_DONTWAIT));

	if (n >= 0)
		return n;
	/* EAGAIN: only the pidfd was ready. A peer that died with unread data resets. */
	return errno == EAGAIN || errno == ECONNRESET ? 0 : -errno;
}

int wire_receive(int fd, int pidfd, int timeout_ms, struct wire_datagram *ret)
{
	auto_wire_datagram struct wire_datagram d = { 0 };
	union {
		char buf[CMSG_SPACE(sizeof(int) * WIRE_FDS_MAX)];
		struct cmsghdr align;
	} control = { 0 };
	struct iovec iov;
	struct msghdr mh = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.buf,
		.msg_controllen = sizeof(control.buf),
	};
	ssize_t n;
	int r = wait_for_datagram(fd, pidfd, timeout_ms);

	if (r < 0)
		return r;
	n = next_length(fd);
	if (n <= 0)
		return (int)n;
	if ((size_t)n > WIRE_DATAGRAM_MAX)
		return -EPROTO;
	d.data = xmalloc((size_t)n);
	iov = (struct iovec){ d.data, (size_t)n };
	n = RETRY_EINTR(recvmsg(fd, &mh, MSG_CMSG_CLOEXEC | MSG_DONTWAIT));
	if (n < 0)
		return -errno;
	d.len = (size_t)n;
	take_descriptors(&mh, &d);
	if (mh.msg_flags & (MSG_TRUNC | MSG_CTRUNC))
		return -EPROTO;
	*ret = d;
	d = (struct wire_datagram){ 0 };
	return 1;
}

void wire_shutdown(int fd)
{
	(void)shutdown(fd, SHUT_WR);
}

void wire_datagram_done(struct wire_datagram *datagram)
{
	free(datagram->data);
	for (size_t i = 0; i < datagram->n_fds; i++)
		auto_close_handler(&datagram->fds[i]);
	*datagram = (struct wire_datagram){ 0 };
}
