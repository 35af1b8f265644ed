/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of the executor, one file per subject; for the files of this folder only. */
#pragma once

#include "runtime/mount/exec.h"

/*
 * Targets (target.c)
 */

/* A place to mount on: resolved once, inside the root. */
struct mount_target {
	int fd; /* O_PATH; owned */
	char *path; /* where it is in the container, without symlinks; owned */
};

#define MOUNT_TARGET_INIT                                                                          \
	{                                                                                          \
		.fd = -EBADF                                                                       \
	}

void mount_target_done(struct mount_target *target);
DEFINE_AUTO_VAL(mount_target, struct mount_target, mount_target_done)
#define auto_mount_target auto_cleanup(mount_target_cleanup_val)

/* The directory at destination, made when missing. */
int mount_target_directory(const struct mount_context *ctx, const char *destination,
			   struct mount_target *ret, struct err *err);
/* The same, but destination must be a plain directory: no symlink anywhere in it. */
int mount_target_plain_directory(const struct mount_context *ctx, const char *destination,
				 struct mount_target *ret, struct err *err);
/* Whatever is at the bind's destination; when missing, a directory or an empty file, as source_fd
 * is one. */
int mount_target_for_bind(const struct mount_context *ctx, const struct mount_op *op, int source_fd,
			  struct mount_target *ret, struct err *err);
/* An existing object only. */
int mount_target_existing(const struct mount_context *ctx, const char *destination,
			  struct mount_target *ret, struct err *err);

/* Whether the parent opens sources: propagation of what is detached needs both. */
static inline bool mount_sources_can_be_sent(const struct mountfd_env *env)
{
	return env->has_mount_api && env->has_setattr;
}

/*
 * Attaching (exec.c)
 */

/* Attach *mount_fd to the target, with the propagation of op, after the rules for /proc. The
 * descriptor may be taken over (for mount_finalize()). */
int mount_attach(struct mount_context *ctx, const struct mount_op *op, int *mount_fd,
		 const struct mount_target *target, struct err *err);
/* Attributes of op for a mount that is made (not yet attached, if the kernel allows it then):
 * attr_* with the second try, then the recursive ones. */
int mount_apply_attributes(const struct mount_context *ctx, const struct mount_op *op, int mount_fd,
			   struct err *err);
/* Whether a mount that is not attached can get attributes. */
static inline bool mount_can_change_detached(const struct mountfd_env *env)
{
	return env->has_setattr || !env->has_mount_api;
}

/*
 * Kinds of mount. Each makes one mount of the plan; errors do not name the destination yet.
 */

int mount_fs(struct mount_context *ctx, const struct mount_op *op, struct err *err);
int mount_tmpfs(struct mount_context *ctx, const struct mount_op *op, struct err *err);
int mount_mqueue(struct mount_context *ctx, const struct mount_op *op, struct err *err);
int mount_proc_or_sysfs(struct mount_context *ctx, const struct mount_op *op, struct err *err);
int mount_bind(struct mount_context *ctx, const struct mount_op *op, struct err *err);
int mount_remount(struct mount_context *ctx, const struct mount_op *op, struct err *err);
int mount_cgroup(struct mount_context *ctx, const struct mount_op *op, struct err *err);

/* Copy what is in the directory from_fd into the new file system at to_fd. */
int tmpcopyup(int from_fd, int to_fd, struct err *err);

/* The same in full, with the kernel's words in the error. */
int mount_open_fs(const struct mount_context *ctx, const struct mountfd_fs *fs, struct err *err);
/*
 * What the host has at path, bound with MS_* flags, in the place of a new file system. Where flags
 * cannot be set before it is attached, mount_flag_clone() sets them behind that; otherwise it does
 * nothing.
 */
int mount_clone_of_host(const struct mount_context *ctx, const char *path, unsigned long flags,
			struct err *err);
int mount_flag_clone(const struct mount_context *ctx, int mount_fd, unsigned long flags,
		     struct err *err);
/* An empty read-only tmpfs, to cover things with. */
int mount_open_empty(const struct mount_context *ctx, struct err *err);

/* Whether a new file system as op says needs a staging area. */
bool mount_op_needs_stage(const struct mountfd_env *env, const struct mount_op *op);
