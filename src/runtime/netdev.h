/* SPDX-License-Identifier: Apache-2.0 */
/* Network interfaces of a container: its loopback, and those of the host that it is given
 * (linux.netDevices). */
#pragma once

#include <sys/types.h>

#include "core/err.h"
#include "spec/runtime_spec.h"

/* In the child, in its new network namespace: set `lo` up. */
int netdev_bring_up_loopback(struct err *err);
/* From outside: call the function in the network namespace of process pid, and come back. Return: its
 * result. The caller is single-threaded. */
int netdev_call_in(pid_t pid, int (*function)(void *context, struct err *err), void *context,
		   struct err *err);
/*
 * In the parent: move each of linux.netDevices into the network namespace of process pid, rename it,
 * keep its permanent addresses of global scope, set it up. Nothing when there are none.
 *
 * ERR_NOT_FOUND when an interface does not exist, ERR_EXISTS when its new name is taken, ERR_INVALID
 * when the namespace is our own. On failure the interface at hand is back as it was; those that were
 * moved before are gone into the namespace, with which the kernel gives back physical ones.
 */
int netdev_move_all(const struct runtime_spec *spec, pid_t pid, struct err *err);
