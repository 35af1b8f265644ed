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
};

int criu_root_mount(struct criu_root *root, const struct launch *l, struct err *err);
/* Nothing when it is not mounted; a failure is a warning. */
void criu_root_unmount(struct criu_root *root);
/* Free only. */
void criu_root_done(struct criu_root *root);
