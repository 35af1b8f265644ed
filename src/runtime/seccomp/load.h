/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Install a filter on the calling thread: one seccomp(2) call. From then on the thread and its
 * children may only do what the profile allows.
 *
 * Needs no_new_privs or CAP_SYS_ADMIN in the thread's user namespace. So: without no_new_privs, load
 * while the capability is still held, before capabilities and user change (every later call must be
 * in the profile); with it, load as the last act before the start gate and execve.
 */
#pragma once

#include "runtime/seccomp/compile.h"

/*
 * *ret_listener_fd: the listener, close-on-exec, of a filter that notifies; -EBADF otherwise. Whoever
 * gets it must answer, or notified calls block: the caller must hand it to its parent by the one call
 * that may not be notified, write(2) (see init/courier.h), and wait until the parent has it: execve
 * closes the listener. Nothing is loaded when n_insns is 0.
 */
int seccomp_filter_load(const struct seccomp_filter *filter, int *ret_listener_fd, struct err *err);

/* Of the flags of seccomp_known_flags(), those that the running kernel takes; a mask. */
unsigned int seccomp_supported_flags(void);
