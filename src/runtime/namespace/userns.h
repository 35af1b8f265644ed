/* SPDX-License-Identifier: Apache-2.0 */
/* The id maps of a container's new user namespace. */
#pragma once

#include <sys/types.h>

#include "core/err.h"
#include "spec/runtime_linux.h"

/*
 * Write uid_map, setgroups and gid_map of process pid, which waits in its new user namespace. Direct
 * where we have the privilege; by newuidmap and newgidmap where more than the own id is asked for.
 */
int userns_write_maps(pid_t pid, const struct oci_linux *linux_, struct err *err);
