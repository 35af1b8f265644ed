/* SPDX-License-Identifier: Apache-2.0 */
/* `exec --cgroup`: a cgroup below the container's. */
#pragma once

#include "runtime/cgroup/backend.h"

/*
 * Let cg, just opened, mean a sub-group: "path" in all hierarchies, "ctrl[,ctrl]:path" in those. The
 * directory must exist below the container's own; that is seen when it is entered. ERR_USAGE for a
 * path that leads out, or a controller that the container has no cgroup of.
 */
int cgroup_select_subgroup(struct cgroup *cg, const char *text, struct err *err);
