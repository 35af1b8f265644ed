/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ownership rule of the runtime-spec: a container that has a cgroup namespace of its own and sees
 * its cgroup v2 tree writable owns it, so that what runs in there (an init such as systemd) can make
 * cgroups below.
 */
#pragma once

#include "runtime/launch.h"

/* Apply it, behind cgroup_create(). Where an unprivileged caller may not, the cgroup stays as it is. */
int cgroup_owner_set(struct launch *l, struct err *err);
