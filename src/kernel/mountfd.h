/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mounts as descriptors: made detached, changed, then attached to a target that is a descriptor as
 * well, so that no path is resolved twice. Uses the mount API of Linux 5.2 (fsopen, open_tree,
 * move_mount) and mount_setattr of 5.12; where they are missing, mount(2) with a staging area.
 *
 * Staging: a small tmpfs, private to us, with a directory "d" and a file "f". A mount is made on one
 * of them, opened there (nobody else can reach it), and moved on from there; at most one at a time.
 *
 * Functions return a descriptor or 0, or a negative errno.
 */
#pragma once

#include <errno.h>
#include <stdint.h>

#include "core/macro.h"
#include "core/strvec.h"

/* What this kernel can do, and the staging area when it can little. */
struct mountfd_env {
	bool has_mount_api;
	bool has_setattr;
	int stage_fd; /* root of the staging tmpfs; -EBADF when none */
	int proc_fd; /* a verified procfs for mount(2), also when the root changes; -EBADF: "/proc" */
};

#define MOUNTFD_ENV_INIT                                                                           \
	{                                                                                          \
		.stage_fd = -EBADF, .proc_fd = -EBADF                                              \
	}

/* Two system calls. Honours kernel_features_disable(). No staging area is made. */
void mountfd_env_probe(struct mountfd_env *env);
/* Keep hold of /proc, for use of mount(2) after the root directory changed. -EXDEV when it is no
 * procfs. */
int mountfd_env_keep_proc(struct mountfd_env *env);
/* Mount a staging area on the directory dir_fd, unbindable, and open it. Where the mount API is missing
 * this goes by the directory's path, so dir_fd must be the host's. */
int mountfd_env_stage(struct mountfd_env *env, int dir_fd);
void mountfd_env_done(struct mountfd_env *env);

/* The kernel's own words about a failed file system mount ("proc: Unknown parameter 'x'"). */
struct mountfd_log {
	char text[256]; /* empty: it said nothing */
};

struct mountfd_fs {
	const char *type;
	const char *source; /* NULL: none */
	const struct strvec *data; /* options of the file system, one each; NULL: none */
	const char *label_key; /* security label as a further option, without quotes; NULL: none */
	const char *label;
	unsigned long flags; /* MS_*: of superblock and mount, as mount(2) takes them */
};

/* Whether mountfd_open_fs() of this needs the staging area: there is no mount API, or fsconfig(2)
 * cannot say it (a value of more than 255 bytes, as overlay's lowerdir; "iversion"). */
bool mountfd_needs_stage(const struct mountfd_env *env, const struct mountfd_fs *fs);
/* A new file system, not attached anywhere (or only to the staging area). */
int mountfd_open_fs(const struct mountfd_env *env, const struct mountfd_fs *fs,
		    struct mountfd_log *log);
/* A bind of dir_fd/path (AT_EMPTY_PATH by path ""), not attached. */
enum mountfd_clone_flags {
	MOUNTFD_RECURSIVE = 1 << 0, /* with the mounts below */
	MOUNTFD_NOFOLLOW = 1 << 1, /* the last component is taken as it is */
};
int mountfd_clone(const struct mountfd_env *env, int dir_fd, const char *path, unsigned int flags);
/* Attach a mount to the object target_fd (O_PATH). mount_fd stays a handle of the mount. */
int mountfd_attach(const struct mountfd_env *env, int mount_fd, int target_fd);
/* The same to an entry of a directory that nobody else can change (name: one component). */
int mountfd_attach_at(const struct mountfd_env *env, int mount_fd, int dir_fd, const char *name);
/* Bind the object from_fd onto target_fd, nothing changed. */
int mountfd_bind(const struct mountfd_env *env, int from_fd, int target_fd, bool recursive);

/* MOUNT_ATTR_* to set and to clear. -EOPNOTSUPP when recursive and there is no mount_setattr. Without
 * mount_setattr the mount must be attached or staged. An atime attribute to set implies clearing the
 * others. */
int mountfd_set_attr(const struct mountfd_env *env, int mount_fd, uint64_t set, uint64_t clear,
		     bool recursive);
/* MS_SHARED, MS_SLAVE, MS_PRIVATE or MS_UNBINDABLE, maybe | MS_REC. */
int mountfd_set_propagation(const struct mountfd_env *env, int mount_fd, unsigned long propagation);
/* Id-map a detached mount by a user namespace (MOUNT_ATTR_IDMAP, Linux 5.12). */
int mountfd_set_idmap(const struct mountfd_env *env, int mount_fd, int userns_fd, bool recursive);
/* mount(2) with the target (and the source, when source_fd is not negative) given as descriptors,
 * by way of a verified procfs; the current directory is kept. */
int mountfd_mount(const struct mountfd_env *env, int source_fd, const char *source, int target_fd,
		  const char *type, unsigned long flags, const char *data);
