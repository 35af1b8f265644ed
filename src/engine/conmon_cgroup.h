/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "engine/container.h"

/*
 * Move conmon out of its caller's cgroup, so that the end of a session or a service does not take the
 * monitor with it: PARENT/conmon with cgroupfs. Not with --cgroups=no-conmon or disabled; not with the
 * systemd manager.
 */
int conmon_cgroup_enter(const struct container *c, pid_t pid, struct err *err);
