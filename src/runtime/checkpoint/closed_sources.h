/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For a restore into a user namespace: the sources of bind mounts that lie behind directories which are closed to others, such
 * as podman's own (mode 700). CRIU binds external mounts from paths of the host, as root of the container, which is nobody
 * there. So these sources get a path below /run for the time of the restore, as host_nodes.h has it for devices, but one that only
 * the container's root can use. Without mappings (a namespace that is joined) nothing is done.
 *
 * That is enough for private mounts. The propagation of others CRIU takes from the mount at that path, which must then have
 * the whole file system: EINVAL, as it was EACCES before.
 */
#pragma once

#include "core/err.h"
#include "runtime/checkpoint/externals.h"
#include "spec/runtime_linux.h"

/* Bind them, and have the externals lead there. *ret_directory: for closed_sources_unmount(), owned by the caller; NULL when
 * there are none. Also set on failure. linux_ has the container's ids. */
int closed_sources_mount(struct externals *externals, const struct oci_linux *linux_,
			 char **ret_directory, struct err *err);
/* When CRIU is done, or has failed. directory may be NULL. */
void closed_sources_unmount(const struct externals *externals, const char *directory);
