/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Root file systems whose ids are mapped: on disk they are the image's, whoever looks at the mount sees those of the
 * container's user namespace. What diff, commit and export read of the upper directory is therefore as ever.
 *
 *	ROOT/rootfs/ID/idmapped	all of ROOT, id-mapped, while the overlay is being made of it (Linux 5.19)
 *	ROOT/rootfs/ID/lower	where the kernel or the file system cannot: a copy of the layers with the ids changed;
 *				then the upper directory has the changed ids as well
 */
#pragma once

#include "storage/layer.h"
#include "storage/overlay.h"
#include "storage/rootfs_record.h"

/* Mount the overlay m (whose paths are ROOT's). */
int rootfs_idmap_overlay(struct store *store, const char *id, const struct rootfs_record *record,
			 const struct layers *layers, struct overlay_mount *m, struct err *err);
/* Bind a directory to another one with its ids mapped, and nothing else changed. ERR_SYSTEM where that is not possible. */
int rootfs_idmap_bind(const char *dir, const char *target, const struct idmap *uids,
		      const struct idmap *gids, struct err *err);
/* What a crash may have left mounted. */
void rootfs_idmap_unmount(const struct store *store, const char *id);
/* Whether the upper directory has the ids of the container. */
bool rootfs_idmap_is_copied(const struct store *store, const char *id);
