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

/* STATE/ID/criu-root, a recursive bind mount of the rootfs. */
struct criu_root {
	char *path; /* owned; NULL before */
	bool is_mounted;
	int tmp_of_fd; /* the rootfs, while it has a /tmp of ours; -1: it has none */
};

#define CRIU_ROOT_INIT                                                                             \
	{                                                                                          \
		.tmp_of_fd = -1                                                                    \
	}

/*
 * CRIU puts the old root on /tmp when it changes the root, and where there is none on a directory
 * that it makes; that fails in a read-only root. A rootfs that is to be read-only and has no /tmp
 * gets one until criu_root_remove_tmp(), which belongs before the container runs.
 */
int criu_root_mount(struct criu_root *root, const struct launch *l, struct err *err);
void criu_root_remove_tmp(struct criu_root *root);
/* Nothing when it is not mounted; a failure is a warning. */
void criu_root_unmount(struct criu_root *root);
/* Free only. */
void criu_root_done(struct criu_root *root);
