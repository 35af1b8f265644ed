/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The mounts of a container that CRIU must take as given: their content belongs to the host, so the
 * dump only notes that they are there, by a name, and the restore binds something of the host at the
 * same place under the same name.
 *
 *	kind      what                                      name in the image    restored from
 *	bind      each bind mount of the plan                destination          its source
 *	cgroup    without a cgroup namespace: on v1 one for  destination          the container's cgroup
 *	          each hierarchy, below the cgroup mount;
 *	          on v2 the cgroup mount                     destination          the whole tree
 *	device    each device node (a bind of the host's     destination          the same path
 *	          in a user namespace)
 *	mask      a masked path that is a file               /dev/null            /dev/null
 *
 * CRIU compares destinations with the mount points that it reads from the kernel, so each must be
 * the path without symlinks inside the rootfs. Finding that out is the caller's: between making the
 * list (pure) and the request it replaces the destinations by rooted_resolve() and drops the masks
 * that do not exist or are directories, which are tmpfs of the container and dumped like any other.
 */
#pragma once

#include "core/auto.h"
#include "criu/message.h"
#include "runtime/device/plan.h"
#include "runtime/mount/exec.h"
#include "runtime/mount/plan.h"

enum external_kind {
	EXTERNAL_BIND,
	EXTERNAL_CGROUP,
	EXTERNAL_DEVICE,
	EXTERNAL_MASK,
};

struct external {
	enum external_kind kind;
	char *destination; /* absolute, in the container; owned */
	char *source; /* absolute, on the host; owned */
	bool source_is_link; /* a symlink itself is meant (src-nofollow) */
};

struct externals {
	struct external *v;
	size_t n;
};

#define EXTERNALS_INIT                                                                             \
	{                                                                                          \
		0                                                                                  \
	}

/* Everything that the plans put there, masks last, in the order of the plans. cgroup may be NULL (no
 * cgroup file systems). The caller owns *ret. */
void externals_make(struct externals *ret, const struct mount_plan *mounts,
		    const struct device_plan *devices, const struct mount_cgroup_facts *cgroup);
/* Take a resolved destination over from the caller; NULL removes the entry (the others move up). */
void externals_set_destination(struct externals *externals, size_t i, char *destination);
/* What a source that is a symlink leads to: CRIU binds the file, but makes a link to bind it on. One
 * that cannot be resolved stays as it is. */
void externals_follow_sources(struct externals *externals);
void externals_done(struct externals *externals);

/* Put them into a request: as a dump names them, or as a restore finds them. */
void externals_add_to_dump(const struct externals *externals, CriuOpts *opts);
void externals_add_to_restore(const struct externals *externals, CriuOpts *opts);

DEFINE_AUTO_VAL(externals, struct externals, externals_done)
#define auto_externals auto_cleanup(externals_cleanup_val)
