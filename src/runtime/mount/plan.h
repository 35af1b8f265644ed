/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What to mount, decided before anything is mounted: from config.json and a few facts to an ordered
 * list of operations in which every option is already a flag, an attribute or a string for the file
 * system. Pure: no system call, so plans are tested as text. runtime/mount/exec.h executes it.
 *
 * Where runc and crun differ, the plan does what runc does, and takes from crun what runc lacks:
 * the options copy-symlink, src-nofollow, dest-nofollow and idmap=..., default options for a mount
 * of /dev, /dev/shm and the like that has none, and run.oci.mount_context_type and
 * run.oci.systemd.force_cgroup_v1.
 */
#pragma once

#include <stdint.h>

#include "core/auto.h"
#include "core/err.h"
#include "runtime/mount/option.h"
#include "spec/runtime_spec.h"

enum mount_cgroup_mode {
	MOUNT_CGROUP_NONE, /* no cgroup file system on the host */
	MOUNT_CGROUP_V1, /* v1 hierarchies, with or without a v2 tree beside them (hybrid) */
	MOUNT_CGROUP_V2,
};

/* What the plan needs to know beside config.json. */
struct mount_facts {
	const char *bundle; /* absolute; relative bind sources start here. Borrowed */
	/* The container is in such a namespace of its own (a new one or one that it joins). */
	bool has_user_ns;
	bool has_mount_ns;
	bool has_pid_ns;
	bool has_net_ns;
	bool has_ipc_ns;
	bool has_cgroup_ns;
	bool is_rootless; /* the runtime is not root on its host */
	/* Where the mounts are made, sources cannot be opened: a container that exists. */
	bool sources_outside;
	enum mount_cgroup_mode cgroup_mode;
};

/* Fill the namespace members from linux.namespaces, and bundle; the other members are zero (the
 * caller sets is_rootless and cgroup_mode). */
void mount_facts_init(struct mount_facts *ret, const struct runtime_spec *spec, const char *bundle);

enum mount_op_kind {
	MOUNT_OP_FS, /* any file system by type, overlay among them */
	MOUNT_OP_TMPFS, /* with mode taken over from the directory, and tmpcopyup */
	MOUNT_OP_PROC, /* plain directory as target; falls back to a bind of the host's /proc */
	MOUNT_OP_SYSFS, /* the same with /sys */
	MOUNT_OP_MQUEUE, /* label by setxattr */
	MOUNT_OP_CGROUP, /* cgroup2, or v1: tmpfs with one mount per hierarchy and symlinks */
	MOUNT_OP_BIND,
	MOUNT_OP_REMOUNT, /* change the mount that is at the destination already */
};

struct mount_op {
	enum mount_op_kind kind;
	size_t index; /* of mounts[] in config.json; SIZE_MAX when it does not come from there */
	char *destination; /* absolute, not cleaned: symlinks decide what ".." means */
	char *source; /* bind: absolute path on the host; otherwise a name for mountinfo or NULL */
	char *type; /* of the file system; NULL for binds */
	unsigned long flags; /* MS_*: a new file system's, superblock and mount together */
	struct strvec data; /* options of the file system, one each */

	/* Attributes of the mount (MOUNT_ATTR_*). For a bind the first try makes the flags exactly
	 * attr_set: attr_drop lists what is inherited and would go. When the kernel refuses because
	 * flags are locked, the second try sets attr_set and clears only attr_clear. */
	uint64_t attr_set;
	uint64_t attr_clear; /* asked for by name ("suid"); part of attr_drop */
	uint64_t attr_drop;
	uint64_t rec_set; /* recursive, after the former */
	uint64_t rec_clear;
	unsigned long *propagation; /* applied after the mount is in place, in order */
	size_t n_propagation;

	bool recursive; /* bind: rbind */
	bool src_nofollow;
	bool dest_nofollow;
	bool copy_symlink; /* a symlink at the source is made again at the destination */
	bool tmpcopyup;
	bool inherit_mode; /* tmpfs without mode=: use that of the directory that is covered */
	bool readonly_later; /* read-only, but only in mount_finalize() */

	enum mount_idmap_kind idmap;
	/* Mappings of an id-mapped mount: containerID is the id in the backing file system, hostID
	 * the one it appears as, on the host. Both empty: those of the container's user
	 * namespace. */
	struct oci_id_mapping *uid_mappings;
	size_t n_uid_mappings;
	struct oci_id_mapping *gid_mappings;
	size_t n_gid_mappings;

	char *label_key; /* context, fscontext, defcontext, rootcontext; NULL: no label */
	/* Bind whose source the parent has to open, but is below the rootfs and so may be what an earlier
	 * mount of the plan put there: opened when its turn comes (mount_open_source_inside()). */
	bool source_inside;
	/* Number of this mount's descriptor among those that mount_open_sources() makes in the
	 * parent; -1: the child opens the source itself. */
	int source_slot;
};

struct mount_plan {
	struct mount_op *ops;
	size_t n_ops;
	size_t n_sources; /* slots for mount_open_sources() */
	struct mount_facts facts;
	char *bundle; /* facts.bundle */
	unsigned long
		root_propagation; /* of "/" in the new namespace: MS_SLAVE|MS_REC by default */
	bool has_root_propagation; /* it was given: set again after the pivot */
	bool root_readonly;
	char *label; /* linux.mountLabel; NULL: none */
	char **masked_paths; /* absolute, no duplicates */
	size_t n_masked_paths;
	char **readonly_paths;
	size_t n_readonly_paths;
};

#define MOUNT_PLAN_INIT                                                                            \
	{                                                                                          \
		0                                                                                  \
	}

/* The caller owns *ret. ERR_INVALID names the mount: "mounts[3] '/data': ...". */
int mount_plan_make(struct mount_plan *ret, const struct runtime_spec *spec,
		    const struct mount_facts *facts, struct err *err);
void mount_plan_done(struct mount_plan *plan);

/* Whether the plan covers this container path (cleaned, absolute) by a bind mount exactly there:
 * devices are not made in a bind-mounted /dev. */
bool mount_plan_has_bind_at(const struct mount_plan *plan, const char *path);
/* The plan as text, one operation per paragraph; the caller owns it. For tests and debug output. */
char *mount_plan_to_text(const struct mount_plan *plan);

DEFINE_AUTO_VAL(mount_plan, struct mount_plan, mount_plan_done)
#define auto_mount_plan auto_cleanup(mount_plan_cleanup_val)
