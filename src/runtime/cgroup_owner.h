/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ownership rule of the runtime-spec: a container that has a cgroup namespace of its own and sees
 * its cgroup v2 tree writable owns it, so that what runs in there (an init such as systemd) can make
 * cgroups below.
 */
#pragma once

#include "runtime/launch.h"

/*
 * Whether the rule applies and to which host uid: that of process.user.uid. With a user namespace of
 * its own that follows from linux.uidMappings; with one that is joined, from l->init_pid's uid_map.
 * A user that is not mapped owns nothing. Public for tests; false: leave the cgroup as it is.
 */
bool cgroup_owner_find(const struct launch *l, uid_t *ret);
/* Apply it, behind cgroup_create(). Where an unprivileged caller may not, the cgroup stays as it is. */
int cgroup_owner_set(struct launch *l, struct err *err);
