/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where images and the file systems of containers lie, and what keeps several commands apart.
 *
 *	ROOT/floe.db			records (storage/db.h)
 *	ROOT/blobs/sha256/HEX		content by digest: manifests, configurations, layer archives
 *	ROOT/layers/HEX/diff		a layer, unpacked; HEX is its chain id (storage/layer.h)
 *	ROOT/layers/l/SHORT		symlinks to these, for short mount options
 *	ROOT/rootfs/ID/			what is written on top of an image (storage/rootfs.h)
 *	ROOT/staging/			unfinished work; one directory per process, locked while it lives
 *	ROOT/locks/			lock files: content, layers, pulls
 *	ROOT/boot/			marker of the boot during which mounts were made
 *
 * Locks, in the order in which they are taken: "content" (shared by whoever adds blobs or refers to
 * them, exclusive for collecting garbage), one per pull, one per layer, then the data base. Nothing
 * is lost by kill -9: what no record refers to is garbage, which store_collect() removes.
 */
#pragma once

#include <stdint.h>

#include "core/auto.h"
#include "core/err.h"
#include "core/lock.h"
#include "core/strbuf.h"
#include "core/strvec.h"
#include "storage/db.h"
#include "storage/digest.h"

enum store_driver { STORE_OVERLAY, STORE_VFS };

struct store_options {
	const char *root; /* absolute; made when missing (0700) */
	const char *run_root;
	const char *driver; /* "overlay", "vfs"; NULL: overlay, vfs where overlay does not work */
	const char *
		preferred; /* with driver NULL: of a new root, where it works; other words count as NULL */
	struct db *db; /* borrowed, of root/floe.db; NULL: the store opens its own */
};

struct store {
	char *root;
	char *run_root;
	int root_fd; /* O_PATH */
	enum store_driver driver;
	struct db *db;
	bool owns_db;
	int content_fd; /* the "content" lock, while held; -EBADF otherwise */
	unsigned int content_depth;
};

#define STORE_INIT                                                                                 \
	{                                                                                          \
		.root_fd = -EBADF, .content_fd = -EBADF                                            \
	}

/* Make the directories, open the data base, migrate the storage tables. The driver of a root is
 * fixed by the first opening; another one asked for is ERR_STATE. */
int store_open(struct store *ret, const struct store_options *options, struct err *err);
void store_close(struct store *store);
const char *store_driver_to_string(enum store_driver driver);

/* root/a[/b]; caller owns. */
char *store_path(const struct store *store, const char *a, const char *b);

/* Hold the "content" lock shared: from before a blob or layer is looked for until a record refers to
 * it. Nests within a process. */
int store_content_hold(struct store *store, struct err *err);
void store_content_release(struct store *store);
/* A named lock below locks/, held by the descriptor. `what` is named in the error. */
int store_lock(const struct store *store, const char *name, enum lock_mode mode, int timeout_ms,
	       struct err *err);

/* A new directory below staging/, in which everything vanishes when the process ends without
 * store_staging_drop() (removed by the next store_collect()). */
struct store_staging {
	char *path; /* NULL: none */
	int dir_fd; /* locked */
};
#define STORE_STAGING_INIT                                                                         \
	{                                                                                          \
		.dir_fd = -EBADF                                                                   \
	}
int store_staging_make(const struct store *store, struct store_staging *ret, struct err *err);
void store_staging_drop(struct store_staging *staging);
DEFINE_AUTO_VAL(store_staging, struct store_staging, store_staging_drop)
#define auto_store_staging auto_cleanup(store_staging_cleanup_val)

/* What garbage collection found. */
struct store_garbage {
	uint64_t n_blobs;
	uint64_t n_layers;
	uint64_t bytes;
};
/*
 * Remove blobs, layers and staging that no record refers to. ret may be NULL. When another command is
 * adding content this does nothing and returns 0 with *ret zeroed: the next one will.
 */
int store_collect(struct store *store, struct store_garbage *ret, struct err *err);

/* What store_collect() would remove of blobs, layers and staging, as paths relative to root. The caller holds
 * the content lock alone. */
int store_list_garbage(struct store *store, struct strvec *ret, struct err *err);

/* Read by rootfs and layers: this boot's id (random/boot_id), caller owns. */
char *store_boot_id(void);

DEFINE_AUTO_VAL(store, struct store, store_close)
#define auto_store auto_cleanup(store_cleanup_val)
