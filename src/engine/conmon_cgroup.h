/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "engine/container.h"

/*
 * Move conmon out of its caller's cgroup, so that the end of a session or a service does not take the
 * monitor with it: PARENT/conmon with cgroupfs. Not with --cgroups=no-conmon or disabled; not with the
 * systemd manager.
 */
int conmon_cgroup_enter(const struct container *c, pid_t pid, struct err *err);
/*
 * Remove what is left of the container's cgroups below the path that its record names, where no process is in
 * them: a runtime whose restore failed leaves them (crun 1.28). Only with cgroupfs.
 */
void container_cgroup_sweep(const struct container *c);
