/* SPDX-License-Identifier: Apache-2.0 */
/* The id mappings of one mount, for plan.c. */
#pragma once

#include "runtime/mount/plan.h"

/*
 * Fill op->idmap, uid_mappings and gid_mappings from the mount's own mappings, the option idmap=...
 * or (none given) as "the container's user namespace". Needs op->kind.
 */
int plan_idmap(struct mount_op *op, const struct oci_mount *mount, const struct mount_options *o,
	       const struct runtime_spec *spec, const struct mount_facts *facts, struct err *err);
