/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which device nodes and symlinks a container gets: the default ones of the spec, linux.devices
 * (an entry with the path of a default node replaces it), /dev/fd and its kind. Pure.
 */
#pragma once

#include <sys/types.h>

#include "core/auto.h"
#include "core/err.h"
#include "runtime/mount/plan.h"
#include "spec/runtime_spec.h"

struct device_node {
	char *path; /* absolute, in the container */
	mode_t mode; /* with the type: S_IFCHR, S_IFBLK, S_IFIFO */
	unsigned int major;
	unsigned int minor;
	uid_t uid; /* in the container's user namespace */
	gid_t gid;
	bool is_default; /* not of the configuration */
	bool is_explicit; /* the configuration says the owner or the mode */
};

struct device_symlink {
	const char *path; /* static text */
	const char *target;
	bool replace; /* what is there goes away (ptmx) */
	const char *only_if; /* only when this path exists on the host; NULL: always */
};

struct device_plan {
	struct device_node *nodes;
	size_t n_nodes;
	const struct device_symlink *symlinks; /* static */
	size_t n_symlinks;
	/* Nodes cannot be made (user namespace): bind those of the host from the start. */
	bool bind_nodes;
};

#define DEVICE_PLAN_INIT                                                                           \
	{                                                                                          \
		0                                                                                  \
	}

/* The plan is empty when /dev is a bind mount of `mounts`. The caller owns *ret. */
int device_plan_make(struct device_plan *ret, const struct runtime_spec *spec,
		     const struct mount_plan *mounts, struct err *err);
void device_plan_done(struct device_plan *plan);
/* As text, for tests and debug output; the caller owns it. */
char *device_plan_to_text(const struct device_plan *plan);

DEFINE_AUTO_VAL(device_plan, struct device_plan, device_plan_done)
#define auto_device_plan auto_cleanup(device_plan_cleanup_val)
