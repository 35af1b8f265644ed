/* SPDX-License-Identifier: Apache-2.0 */
#include "core/msg.h"

#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "core/alloc.h"

struct frame_header {
	uint16_t kind;
	uint16_t n_fds;
	uint32_t len;
};

int msg_pair(int ret_fds[2])
{
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ret_fds) < 0 ? -errno : 0;
}

static ssize_t send_parts(int fd, struct iovec *iov, size_t n_iov, const int *fds, size_t n_fds)
{
	union {
		char buf[CMSG_SPACE(sizeof(int) * MSG_FDS_MAX)];
		struct cmsghdr align;
	} control = { 0 };
	struct msghdr mh = { .msg_iov = iov, .msg_iovlen = n_iov };
	ssize_t n;

	if (n_fds > MSG_FDS_MAX)
		return -EMSGSIZE;
	if (n_fds) {
		struct cmsghdr *cmsg;

		mh.msg_control = control.buf;
		mh.msg_controllen = CMSG_SPACE(sizeof(int) * n_fds);
		cmsg = CMSG_FIRSTHDR(&mh);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(sizeof(int) * n_fds);
		memcpy(CMSG_DATA(cmsg), fds, sizeof(int) * n_fds);
	}
	n = RETRY_EINTR(sendmsg(fd, &mh, MSG_NOSIGNAL));
	return n < 0 ? -errno : n;
}

ssize_t msg_send_fds(int socket_fd, const void *data, size_t len, const int *fds, size_t n_fds)
{
	struct iovec iov = { (void *)(uintptr_t)data, len };

	return send_parts(socket_fd, &iov, 1, fds, n_fds);
}

int msg_send(int fd, uint16_t kind, const void *payload, size_t len, const int *fds, size_t n_fds)
{
	struct frame_header header = { .kind = kind,
				       .n_fds = (uint16_t)n_fds,
				       .len = (uint32_t)len };
	struct iovec iov[2] = { { &header, sizeof(header) }, { (void *)(uintptr_t)payload, len } };
	ssize_t n;

	if (len > MSG_PAYLOAD_MAX)
		return -EMSGSIZE;
	n = send_parts(fd, iov, len ? 2 : 1, fds, n_fds);
	return n < 0 ? (int)n : 0;
}

int msg_write(int fd, uint16_t kind, const void *payload, size_t len)
{
	struct {
		struct frame_header header;
		char payload[64];
	} frame = { .header = { .kind = kind, .len = (uint32_t)len } };
	size_t size = sizeof(frame.header) + len;
	ssize_t n;

	if (len > sizeof(frame.payload))
		return -EMSGSIZE;
	memcpy(frame.payload, payload, len);
	n = write(fd, &frame, size);
	if (n < 0)
		return -errno;
	return (size_t)n == size ? 0 : -EIO;
}

static void take_descriptors(struct msghdr *mh, struct msg *m)
{
	for (struct cmsghdr *cmsg = CMSG_FIRSTHDR(mh); cmsg; cmsg = CMSG_NXTHDR(mh, cmsg)) {
		if (cmsg->cmsg_level != SOL_SOCKET || cmsg->cmsg_type != SCM_RIGHTS)
			continue;
		m->n_fds = (cmsg->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		memcpy(m->fds, CMSG_DATA(cmsg), m->n_fds * sizeof(int));
		return;
	}
}

static int wait_readable(int fd, int timeout_ms)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	int r;

	if (timeout_ms < 0)
		return 0;
	r = RETRY_EINTR(poll(&pfd, 1, timeout_ms));
	if (r < 0)
		return -errno;
	return r == 0 ? -ETIMEDOUT : 0;
}

int msg_receive(int fd, int timeout_ms, struct msg *ret)
{
	struct frame_header header;
	auto_free char *payload = xmalloc(MSG_PAYLOAD_MAX);
	struct iovec iov[2] = { { &header, sizeof(header) }, { payload, MSG_PAYLOAD_MAX } };
	union {
		char buf[CMSG_SPACE(sizeof(int) * MSG_FDS_MAX)];
		struct cmsghdr align;
	} control = { 0 };
	struct msghdr mh = {
		.msg_iov = iov,
		.msg_iovlen = 2,
		.msg_control = control.buf,
		.msg_controllen = sizeof(control.buf),
	};
	auto_msg struct msg m = { 0 };
	ssize_t n;
	int r = wait_readable(fd, timeout_ms);

	if (r < 0)
		return r;
	n = RETRY_EINTR(recvmsg(fd, &mh, MSG_CMSG_CLOEXEC));
	/* A peer that died with unread data resets the connection, which is told once, before what it
	 * has sent: its last words, or the end. */
	if (n < 0 && errno == ECONNRESET)
		n = RETRY_EINTR(recvmsg(fd, &mh, MSG_CMSG_CLOEXEC));
	if (n < 0)
		return -errno;
	if (n == 0)
		return 0;
	take_descriptors(&mh, &m);
	if ((size_t)n < sizeof(header) || (mh.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) ||
	    header.len != (size_t)n - sizeof(header) || header.n_fds != m.n_fds)
		return -EPROTO;
	m.kind = header.kind;
	m.len = header.len;
	m.payload = header.len ? xmemdup(payload, header.len) : NULL;
	*ret = m;
	m = (struct msg){ 0 };
	return 1;
}

void msg_done(struct msg *m)
{
	free(m->payload);
	for (size_t i = 0; i < m->n_fds; i++)
		close_fd(&m->fds[i]);
	*m = (struct msg){ 0 };
}

int msg_take_fd(struct msg *m)
{
	if (m->n_fds == 0)
		return -EBADF;
	return take_fd(m->fds[0]);
}
