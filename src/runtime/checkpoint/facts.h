/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about container and host that requests to CRIU are made from (see request.h). */
#pragma once

#include <sys/types.h>

#include "kernel/cgroupfs.h"
#include "runtime/checkpoint/externals.h"
#include "runtime/launch.h"

/* The mounts that the configuration stands for, without a launch: for a dump. */
struct checkpoint_plans {
	struct mount_plan mounts;
	struct device_plan devices;
	struct cgroupfs cgroupfs;
	struct mount_cgroup_hierarchy v1[CGROUP_HIERARCHIES_MAX];
	struct mount_cgroup_facts cgroup;
	struct externals externals;
};

#define CHECKPOINT_PLANS_INIT                                                                      \
	{                                                                                          \
		.externals = EXTERNALS_INIT                                                        \
	}

int checkpoint_plans_make(struct checkpoint_plans *ret, const struct runtime_spec *spec,
			  const char *bundle, struct err *err);
/* Replace destinations by what they are in the root of process pid, drop those that need no entry. */
int checkpoint_plans_resolve(struct checkpoint_plans *plans, pid_t pid, struct err *err);
void checkpoint_plans_done(struct checkpoint_plans *plans);

/* The same for a list and a root of one's own (restore: the rootfs). Masks that are not there are
 * kept: they all share one entry. */
int externals_resolve(struct externals *externals, const struct rooted *root, bool drop_masks,
		      struct err *err);

/* Inode of the namespace that the configuration joins by path; *ret stays 0 when it joins none. */
int checkpoint_namespace_inode(const struct runtime_spec *spec, const char *type, uint64_t *ret,
			       struct err *err);
/* The first of CHECKPOINT_CONFIG_FILES that exists; NULL when none does. Static. */
const char *checkpoint_config_file(void);
