/* SPDX-License-Identifier: Apache-2.0 */
/* The id maps of a container's new user namespace. */
#pragma once

#include <sys/types.h>

#include "core/err.h"
#include "spec/runtime_linux.h"

/* What the mappings make of `id` and the size - 1 ids behind it. -ENOENT: `id` has no mapping;
 * -ERANGE: not all of them are within one. */
int userns_to_host(const struct oci_id_mapping *maps, size_t n, uint32_t id, uint32_t size,
		   uint32_t *ret);
/* Whether that id outside stands for one inside. */
bool userns_has_host(const struct oci_id_mapping *maps, size_t n, uint32_t host_id);

/*
 * What runc and crun make of mappings that do not fit linux.namespaces. For a new user namespace
 * without mappings: map every id that we have to itself, as crun does. Without a user namespace: take
 * them away, with a warning.
 */
int userns_settle_mappings(struct oci_linux *linux_, struct err *err);

/*
 * Become root of the user namespace that we have entered. Where it does not map id 0: the user that the
 * container's process has, which leaves the capabilities as they are (neither is root there). -errno.
 */
int userns_become_root_or(uid_t uid, gid_t gid);

/*
 * Write uid_map, setgroups and gid_map of process pid, which waits in its new user namespace. Direct
 * where we have the privilege; by newuidmap and newgidmap where more than the own id is asked for.
 */
int userns_write_maps(pid_t pid, const struct oci_linux *linux_, struct err *err);
