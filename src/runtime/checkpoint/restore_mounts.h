/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What CRIU finds when it makes the mounts of a restored container: the places for them in the rootfs, and the rootfs
 * itself as a mount point that nothing covers.
 */
#pragma once

#include "core/err.h"
#include "runtime/launch.h"

/*
 * Plan the mounts of l->bundle and make their missing targets in the rootfs, as a create would. It happens in a child,
 * whose mount namespace and mounts go away with it.
 */
int restore_make_mount_targets(struct launch *l, struct err *err);

/*
 * What CRIU takes for the rootfs. CRIU 3.17 and later, on Linux 5.15 and later, take the rootfs as it is; and should:
 * from the mount that it is on they copy propagation to other mounts of the same file system, which is possible only
 * from a mount that has all of them (MOVE_MOUNT_SET_GROUP). The older way, also with CRIU's option mntns-compat-mode,
 * wants a mount point that nothing covers: then it is STATE/ID/criu-root, a recursive bind mount.
 */
struct criu_root {
	char *path; /* owned; NULL before */
	bool is_made; /* criu-root */
	bool is_mounted;
	int tmp_of_fd; /* the rootfs, while it has a /tmp of ours; -1: it has none */
};

#define CRIU_ROOT_INIT                                                                             \
	{                                                                                          \
		.tmp_of_fd = -1                                                                    \
	}

/*
 * Before CRIU is started, which may get a copy of our mounts.
 *
 * CRIU puts the old root on /tmp when it changes the root, and where there is none on a directory
 * that it makes; that fails in a read-only root. A rootfs that is to be read-only and has no /tmp
 * gets one until criu_root_remove_tmp(), which belongs before the container runs.
 */
int criu_root_prepare(struct criu_root *root, const struct launch *l, struct err *err);
void criu_root_remove_tmp(struct criu_root *root);
/* When its version is known. */
int criu_root_adapt(struct criu_root *root, const struct launch *l, int criu_version,
		    struct err *err);
/* That the restored init, which has not run yet, has the rootfs that was checked (ERR_DENIED). */
int criu_root_verify(const struct criu_root *root, const struct launch *l, pid_t init_pid,
		     struct err *err);
/* Nothing when it is not mounted; a failure is a warning. */
void criu_root_unmount(struct criu_root *root);
/* Free only. */
void criu_root_done(struct criu_root *root);
