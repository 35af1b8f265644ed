/* SPDX-License-Identifier: Apache-2.0 */
/*
 * linux.cgroupsPath and the container's id to the path of its cgroup below a hierarchy's mount
 * point. Pure.
 *
 * cgroupfs driver, as runc does it: an absolute path is one below the mount point; a relative one,
 * and the bare id where there is none, is put below the runtime's own cgroup of that hierarchy (v1,
 * hybrid) or beside it (v2, where a cgroup that has processes may not have children with
 * controllers).
 *
 * systemd driver: "slice:prefix:name" names a unit.
 */
#pragma once

#include "core/err.h"
#include "core/macro.h"

/* Whether the result depends on the runtime's own cgroup. */
bool cgroup_path_needs_own(const char *cgroups_path);

/*
 * cgroups_path: NULL or "" when absent. own: the runtime's cgroup below the mount point ("/a/b"; may
 * be NULL when it is not needed). is_v2: a pure v2 host.
 * *ret is clean, begins with "/" and is never "/" itself; the caller owns it.
 * ERR_INVALID: "..", a newline (the kernel refuses it), the hierarchy's root.
 */
int cgroup_path_resolve(const char *cgroups_path, const char *id, const char *own, bool is_v2,
			char **ret, struct err *err);

struct cgroup_systemd_name {
	char *unit; /* "prefix-name.scope", or "name.slice" */
	char *slice; /* "machine.slice": the unit that it is in */
	char *path; /* "/a.slice/a-b.slice/prefix-name.scope" below the user's or the system's root */
	bool is_slice; /* the name itself is a slice */
};

/*
 * Absent: "floe-<id>.scope" in the default slice, system.slice (rootless: user.slice). ERR_INVALID for
 * anything that is not slice:prefix:name. The name may be that of a slice: then it is the unit, and the
 * first part only says which slice is wanted with it.
 */
int cgroup_path_parse_systemd(const char *cgroups_path, const char *id, bool rootless,
			      struct cgroup_systemd_name *ret, struct err *err);
void cgroup_systemd_name_done(struct cgroup_systemd_name *name);
/* The unit that a cgroup is of or below: the last part of its path that names a scope or a slice. NULL:
 * none does. The caller owns it. */
char *cgroup_path_to_unit(const char *path);
