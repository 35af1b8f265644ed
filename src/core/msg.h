/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Framed messages with descriptors over a SEQPACKET socket pair: one frame a datagram, header then
 * payload, descriptors as SCM_RIGHTS. Kinds are the caller's. Errors are negative errnos.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "core/auto.h"
#include "core/macro.h"

#define MSG_PAYLOAD_MAX (64U << 10)
#define MSG_FDS_MAX 250U /* the kernel takes 253 (SCM_MAX_FD) */

struct msg {
	uint16_t kind;
	uint32_t len; /* of payload */
	void *payload; /* owned; NULL when len is 0 */
	int fds[MSG_FDS_MAX]; /* owned, close-on-exec */
	size_t n_fds;
};

/*
 * One sendmsg(2) of bytes with descriptors on any unix socket, for peers that do not speak in frames. At least one
 * byte must go with the descriptors. Return: number of bytes sent, or -errno.
 */
ssize_t msg_send_fds(int socket_fd, const void *data, size_t len, const int *fds, size_t n_fds);

/* Both ends close-on-exec. */
int msg_pair(int ret_fds[2]);
int msg_send(int fd, uint16_t kind, const void *payload, size_t len, const int *fds, size_t n_fds);
/* A small frame (payload up to 64 bytes) without descriptors by write(2), for a process that may make
 * no other call. */
int msg_write(int fd, uint16_t kind, const void *payload, size_t len);
/*
 * Wait up to timeout_ms (-1: for ever) for one frame.
 * Return: 1, 0 when the peer has closed, -ETIMEDOUT, -EPROTO for a malformed frame, other errno.
 */
int msg_receive(int fd, int timeout_ms, struct msg *ret);
void msg_done(struct msg *m);
/* The first descriptor of a message, taken out of it; -EBADF when there is none. */
int msg_take_fd(struct msg *m);

DEFINE_AUTO_VAL(msg, struct msg, msg_done)
#define auto_msg auto_cleanup(msg_cleanup_val)
