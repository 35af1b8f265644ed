/* SPDX-License-Identifier: Apache-2.0 */
/* Hand the listener of a notifying filter to the agent that the profile names (listenerPath). */
#pragma once

#include <sys/types.h>

#include "core/err.h"

/* A copy of descriptor `number` of the process behind pidfd (pidfd_getfd(2), Linux 5.6). */
int seccomp_notify_fetch(int pidfd, int number, struct err *err);

/* Connect to the stream socket at path, send the payload with the descriptor on its first byte,
 * close. Does not take the descriptor. */
int seccomp_notify_send(const char *path, int listener_fd, const char *payload, struct err *err);
