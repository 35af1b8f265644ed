/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How the parent gets the listener of a notifying filter from the process that loads the filter.
 *
 * That process can be sure of write(2) alone: every other call may be held up by the listener that
 * nobody serves yet. So it writes the number, and the parent takes the descriptor (pidfd_getfd(2)). The
 * kernel lets only those do that who may trace the process, though, which an unprivileged user may not
 * once it has entered a user namespace (setns(2), `exec`) or changed its user. There a second thread,
 * which the filter does not bind, sends the descriptor. It ends when it has, or with execve(2).
 */
#pragma once

#include "core/err.h"

struct courier {
	int sync_fd; /* the handshake's, borrowed */
	int number_fds
		[2]; /* a pipe; closed by execve(2), since close(2) may be notified. Or -EBADF */
};

#define COURIER_INIT                                                                               \
	{                                                                                          \
		.sync_fd = -EBADF, .number_fds = { -EBADF, -EBADF }                                \
	}

/*
 * Before the filter is loaded. Where no thread can be had (pids.max, say) the number is written after
 * all, and the parent says what is wrong. *c must live until the process ends or calls execve(2).
 */
void courier_start(struct courier *c, int sync_fd);
/* Afterwards, also where courier_start() was not called: SECCOMP_FD, and wait for SECCOMP_DONE. */
int courier_deliver(const struct courier *c, int listener_fd, struct err *err);
