/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the record of a container to a bundle that a runtime can create it from: directories, root file
 * system, shared memory, volumes, generated files, the facts of specgen, config.json. The container is
 * locked. cleanup.h takes all of it back, also from the middle.
 */
#pragma once

#include "core/rooted.h"
#include "engine/container.h"
#include "engine/specgen.h"

/* Everything up to config.json in the static directory. On failure the caller cleans up. */
int container_prepare(struct container *c, struct err *err);

/* What its volumes are to have, at once instead of at the first start; with its root file system mounted for that time. */
int container_fill_volumes(struct container *c, struct err *err);

/*
 * The same for a container that goes on from a checkpoint: its processes know their mounts and namespaces, so
 * that the runtime configuration is the one that they were frozen with, with the places of this machine
 * (engine/restore_spec.h).
 */
struct prepare_restore {
	struct runtime_spec *spec; /* changed */
	/* Called when root file system and shared memory are mounted: puts back what the archive has of them and of
	 * the volumes. NULL: nothing to put back. */
	int (*fill)(void *context, struct container *c, const struct rooted *root, struct err *err);
	void *context;
};
int container_prepare_restored(struct container *c, const struct prepare_restore *how,
			       struct err *err);

/*
 * The networks of a container that has a user namespace of its own: the network namespace must be of that one, so the runtime
 * makes it, and they are set up in it when the container is created and not started. Nothing for others.
 */
int container_prepare_late_network(struct container *c, struct err *err);

/* The root file system, mounted; path owned by the caller. */
int container_mount_rootfs(struct container *c, char **ret_path, struct err *err);
/* Counts the mount off. Errors are for the log. */
int container_unmount_rootfs(struct container *c, struct err *err);
/* What it has written, for good. */
int container_remove_rootfs(struct container *c, struct err *err);
/* Directory for the container's shared memory, mounted unless shared with others: path, owned by the
 * caller; NULL when there is none of ours. */
char *container_shm_path(const struct container *c);
