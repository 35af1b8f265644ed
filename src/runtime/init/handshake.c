/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/init/handshake.h"

#include <stddef.h>
#include <string.h>

static const char *const kind_names[HANDSHAKE_KIND_MAX_] = {
	[HANDSHAKE_MAPPED] = "MAPPED",
	[HANDSHAKE_ROOT_MOUNTED] = "ROOT_MOUNTED",
	[HANDSHAKE_SOURCES] = "SOURCES",
	[HANDSHAKE_CGROUP] = "CGROUP",
	[HANDSHAKE_NETWORK] = "NETWORK",
	[HANDSHAKE_SOURCE] = "SOURCE",
	[HANDSHAKE_SOURCE_OPENED] = "SOURCE_OPENED",
	[HANDSHAKE_HOOKS] = "HOOKS",
	[HANDSHAKE_HOOKS_DONE] = "HOOKS_DONE",
	[HANDSHAKE_READY] = "READY",
	[HANDSHAKE_START_NOW] = "START (now)",
	[HANDSHAKE_START_FIFO] = "START (fifo)",
	[HANDSHAKE_INIT_PID] = "INIT_PID",
	[HANDSHAKE_SECCOMP_FD] = "SECCOMP_FD",
	[HANDSHAKE_SECCOMP_DONE] = "SECCOMP_DONE",
	[HANDSHAKE_FAILED] = "FAILED",
};

const char *handshake_kind_to_string(unsigned int kind)
{
	return kind < HANDSHAKE_KIND_MAX_ && kind_names[kind] ? kind_names[kind] : "unknown";
}

int handshake_send(int fd, enum handshake_kind kind, const void *payload, size_t len,
		   const int *fds, size_t n_fds, struct err *err)
{
	int r = msg_send(fd, (uint16_t)kind, payload, len, fds, n_fds);

	if (r == -EPIPE || r == -ECONNRESET) {
		(void)err_set(err, ERR_REMOTE, "send %s: the other side has gone",
			      handshake_kind_to_string(kind));
		return -EPIPE;
	}
	if (r < 0)
		return err_sys(err, r, "send %s", handshake_kind_to_string(kind));
	return 0;
}

int handshake_write_seccomp_fd(int fd, int listener_fd, struct err *err)
{
	int r = msg_write(fd, HANDSHAKE_SECCOMP_FD, &listener_fd, sizeof(listener_fd));

	return r < 0 ? err_sys(err, r, "send the seccomp listener") : 0;
}

size_t handshake_pack_err(const struct err *failure, void *buf, size_t size)
{
	size_t len = offsetof(struct err, msg) + strnlen(failure->msg, ERR_MSG_MAX - 1);

	if (len > size)
		len = size;
	memcpy(buf, failure, len);
	return len;
}

int handshake_unpack_err(const void *buf, size_t len, struct err *ret)
{
	struct err e = ERR_INIT;

	if (len < offsetof(struct err, msg) || len >= sizeof(e))
		return -EPROTO;
	memcpy(&e, buf, len);
	if (e.code >= 0 || (unsigned int)e.kind >= ERR_KIND_MAX_)
		return -EPROTO;
	*ret = e;
	return 0;
}

void handshake_send_failure(int fd, const struct err *failure)
{
	char packed[sizeof(struct err)];
	size_t len = handshake_pack_err(failure, packed, sizeof(packed));

	(void)msg_send(fd, HANDSHAKE_FAILED, packed, len, NULL, 0);
}

int handshake_receive(int fd, int timeout_ms, struct msg *ret, struct err *err)
{
	struct err failure = ERR_INIT;
	int r = msg_receive(fd, timeout_ms, ret);

	if (r == -ETIMEDOUT)
		return err_set(err, ERR_TIMEOUT, "no message from the container's init within %d s",
			       timeout_ms / 1000);
	if (r < 0)
		return err_sys(err, r, "receive from the container's init");
	if (r == 0) {
		(void)err_set(err, ERR_REMOTE, "the other side of the handshake has gone");
		return -EPIPE;
	}
	if (ret->kind != HANDSHAKE_FAILED)
		return 0;
	r = handshake_unpack_err(ret->payload, ret->len, &failure);
	msg_done(ret);
	if (r < 0)
		return err_set(err, ERR_INTERNAL,
			       "malformed FAILED message from the container's init");
	if (err)
		*err = failure;
	return failure.code;
}

int handshake_expect(int fd, enum handshake_kind kind, int timeout_ms, struct msg *ret,
		     struct err *err)
{
	auto_msg struct msg m = { 0 };
	int r = handshake_receive(fd, timeout_ms, &m, err);

	if (r < 0)
		return r;
	if (m.kind != kind)
		return err_set(err, ERR_INTERNAL, "handshake: expected %s, got %s",
			       handshake_kind_to_string(kind), handshake_kind_to_string(m.kind));
	if (ret) {
		*ret = m;
		m = (struct msg){ 0 };
	}
	return 0;
}
