/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The root file system of one container (or a mounted image): a stack of read-only layers and, on
 * top, what the container writes.
 *
 *	ROOT/rootfs/ID/upper	overlay: what was written
 *	ROOT/rootfs/ID/work	overlay's own
 *	ROOT/rootfs/ID/merged	the mount point; with vfs a full copy
 *
 * Mounts are counted: the file system is there from the first rootfs_mount() to the last
 * rootfs_unmount(). A count of an earlier boot is none.
 */
#pragma once

#include "kernel/idmap.h"
#include "storage/layer.h"

struct rootfs_options {
	const char *top; /* chain id; NULL: an empty root */
	bool read_only; /* no upper: a mounted image */
	const struct idmap
		*uids; /* of the user namespace that it is mounted for; NULL or empty: none */
	const struct idmap *gids;
};

/* Make the directories and the record. ERR_EXISTS. Works within the caller's transaction. */
int rootfs_create(struct store *store, const char *id, const struct rootfs_options *options,
		  struct err *err);
/* Unmount what is mounted, remove record and directories. 0 when there is none. */
int rootfs_remove(struct store *store, const char *id, struct err *err);
/* Whether there is one: 1 or 0. */
int rootfs_exists(struct store *store, const char *id, struct err *err);

/* Mount, and count it; *ret_path (ROOT/rootfs/ID/merged) is the caller's. ret_path may be NULL. */
int rootfs_mount(struct store *store, const char *id, char **ret_path, struct err *err);
/* Count it off, and unmount at zero; `force`: unmount whatever the count. 0 when not mounted. */
int rootfs_unmount(struct store *store, const char *id, bool force, struct err *err);
/* How often it is mounted now. */
int rootfs_mount_count(struct store *store, const char *id, int64_t *ret, struct err *err);
/* ROOT/rootfs/ID/merged whether it is mounted or not; caller owns. */
char *rootfs_path(const struct store *store, const char *id);
/* ROOT/rootfs/ID/upper; NULL with vfs. */
char *rootfs_upper_path(const struct store *store, const char *id);
/* ROOT/rootfs/ID/work; NULL with vfs. */
char *rootfs_work_path(const struct store *store, const char *id);

enum rootfs_change_kind { ROOTFS_CHANGED, ROOTFS_ADDED, ROOTFS_DELETED };
struct rootfs_change {
	char *path; /* absolute inside the root */
	enum rootfs_change_kind kind;
};
struct rootfs_changes {
	struct rootfs_change *v; /* sorted by path */
	size_t n;
};
void rootfs_changes_done(struct rootfs_changes *changes);
/* 'C', 'A' or 'D'. */
char rootfs_change_letter(enum rootfs_change_kind kind);
/* What differs from the layers. Need not be mounted. */
int rootfs_diff(struct store *store, const char *id, struct rootfs_changes *ret, struct err *err);

/* The same for one layer against those below it. */
int layer_diff(struct store *store, const char *chain_id, struct rootfs_changes *ret,
	       struct err *err);
/* One side of a comparison: a container's root file system, or a layer with those below it; neither: an empty tree. */
struct diff_side {
	const char *rootfs_id;
	const char *chain_id;
};
/* What a has otherwise than b. Nothing is mounted. */
int trees_diff(struct store *store, const struct diff_side *a, const struct diff_side *b,
	       struct rootfs_changes *ret, struct err *err);
/* Ids of those that begin with prefix. */
int rootfs_ids(struct store *store, const char *prefix, struct strvec *ret, struct err *err);

/* Bytes written, and bytes of everything visible (the layers' sum). ret_total may be NULL. */
int rootfs_size(struct store *store, const char *id, uint64_t *ret_written, uint64_t *ret_total,
		struct err *err);

/* Write the whole tree as a tar; mounts it meanwhile when need be. */
int rootfs_export(struct store *store, const char *id, int out_fd, struct err *err);

/* The same into a sink (storage/tar_writer.h); not `whole`: what differs from the layers, as a layer archive (uncompressed
 * tar with .wh. whiteouts). */
int rootfs_archive(struct store *store, const char *id, bool whole,
		   int (*sink)(void *context, const void *data, size_t len), void *context,
		   struct err *err);

DEFINE_AUTO_VAL(rootfs_changes, struct rootfs_changes, rootfs_changes_done)
#define auto_rootfs_changes auto_cleanup(rootfs_changes_cleanup_val)
