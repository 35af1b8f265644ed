/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For a restore: the device nodes that device/host.h makes for a container in a user namespace. CRIU
 * binds external mounts from paths of the host, as root of the container, which cannot enter the state
 * directory. So these nodes get a path below /run for the time of the restore.
 */
#pragma once

#include "core/err.h"
#include "runtime/checkpoint/externals.h"
#include "runtime/launch.h"

/* Make them, and have the externals of these devices lead there. *ret_directory: for
 * host_nodes_unmount(), owned by the caller; NULL when there are no such nodes. Also set on failure. */
int host_nodes_mount(struct launch *l, struct externals *externals, char **ret_directory,
		     struct err *err);
/* When CRIU is done, or has failed. directory may be NULL. */
void host_nodes_unmount(const struct launch *l, const char *directory);
