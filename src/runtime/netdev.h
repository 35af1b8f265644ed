/* SPDX-License-Identifier: Apache-2.0 */
/* Network interfaces of a container: its loopback, and those of the host that it is given
 * (linux.netDevices). */
#pragma once

#include <sys/types.h>

#include "core/err.h"
#include "spec/runtime_spec.h"

/* In the child, in its new network namespace: set `lo` up. */
int netdev_bring_up_loopback(struct err *err);
/* In the parent: move each of linux.netDevices into the network namespace of process pid, rename it,
 * keep its permanent addresses, set it up. Nothing when there are none. */
int netdev_move_all(const struct runtime_spec *spec, pid_t pid, struct err *err);
