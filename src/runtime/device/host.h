/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Device nodes for a container in a user namespace, made on the host's side.
 *
 * mknod(2) of a device is a matter of the initial user namespace, so such a container gets the host's
 * nodes bound. That cannot do for a device that the host has not at that path, or has with another
 * owner or mode than the configuration asks for. Those are made by a helper in a mount namespace of
 * its own, on a tmpfs of the initial user namespace (on one of the container's they could not be
 * opened), and each is taken from there as a detached mount. The tmpfs lasts as long as these.
 */
#pragma once

#include "core/err.h"
#include "runtime/device/plan.h"
#include "spec/runtime_linux.h"

/*
 * *ret_fds: for each node of the plan a detached mount, or -EBADF where the host's is to be bound; an
 * array of plan->n_nodes for device_close_host_nodes(); NULL when none is made: no node needs it, the
 * user namespace is not a new one (linux_ has no mappings), or we may not (not root, before Linux
 * 5.2). ERR_INVALID for an owner without a mapping.
 */
int device_make_host_nodes(const struct device_plan *plan, const struct oci_linux *linux_,
			   int **ret_fds, struct err *err);
void device_close_host_nodes(const struct device_plan *plan, int *fds);
