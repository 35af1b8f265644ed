/* SPDX-License-Identifier: Apache-2.0 */
/* Where an exec goes: the container's cgroup, or one below it. */
#pragma once

#include "runtime/cgroup/backend.h"

/*
 * Let cg, just opened, mean a sub-group: "path" in all hierarchies, "ctrl[,ctrl]:path" in those. The
 * directory must exist below the container's own; that is seen when it is entered. ERR_USAGE for a
 * path that leads out, or a controller that the container has no cgroup of.
 */
int cgroup_select_subgroup(struct cgroup *cg, const char *text, struct err *err);

/*
 * On v2, a cgroup that passes controllers down can hold no processes of its own ("no internal
 * processes", cgroups(7)); a container that has done so lives in a sub-group. Let cg mean the one that
 * process pid, its init, is in now. Nothing on v1 and where the container's own cgroup will do.
 */
int cgroup_follow_process(struct cgroup *cg, pid_t pid, struct err *err);
