/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the record of a container to a bundle that a runtime can create it from: directories, root file
 * system, shared memory, volumes, generated files, the facts of specgen, config.json. The container is
 * locked. cleanup.h takes all of it back, also from the middle.
 */
#pragma once

#include "engine/container.h"
#include "engine/specgen.h"

/* Everything up to config.json in the static directory. On failure the caller cleans up. */
int container_prepare(struct container *c, struct err *err);

/* The root file system, mounted; path owned by the caller. */
int container_mount_rootfs(struct container *c, char **ret_path, struct err *err);
/* Counts the mount off. Errors are for the log. */
int container_unmount_rootfs(struct container *c, struct err *err);
/* What it has written, for good. */
int container_remove_rootfs(struct container *c, struct err *err);
/* Directory for the container's shared memory, mounted unless shared with others: path, owned by the
 * caller; NULL when there is none of ours. */
char *container_shm_path(const struct container *c);
