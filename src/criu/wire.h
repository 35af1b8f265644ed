/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Datagrams to and from `criu swrk`: a SEQPACKET socket pair without framing, messages of any size,
 * descriptors alongside. Errors are negative errnos. Used by client.c only.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "core/auto.h"

#define WIRE_EXTRA_FDS_MAX 32
/* Far above any answer of CRIU; a peer that announces more is not CRIU. */
#define WIRE_DATAGRAM_MAX (64U << 20)
#define WIRE_FDS_MAX 16

struct wire_datagram {
	uint8_t *data; /* owned */
	size_t len;
	int fds[WIRE_FDS_MAX]; /* owned, close-on-exec */
	size_t n_fds;
};

int wire_pair(int *ret_ours, int *ret_theirs);
int wire_send(int fd, const void *data, size_t len);
/*
 * Wait for a datagram. pidfd (negative: none) is the peer's process: when it has ended and nothing is
 * left to read, that is the end, even if a child of it holds the socket open.
 * Return: 1, 0 at the end, -ETIMEDOUT, -EPROTO for more than the limits allow, other errno.
 */
int wire_receive(int fd, int pidfd, int timeout_ms, struct wire_datagram *ret);
/* Say that nothing more will be sent. */
void wire_shutdown(int fd);
void wire_datagram_done(struct wire_datagram *datagram);

DEFINE_AUTO_VAL(wire_datagram, struct wire_datagram, wire_datagram_done)
#define auto_wire_datagram auto_cleanup(wire_datagram_cleanup_val)
