/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Read-only layers, unpacked once per chain id (image-spec, "Layer ChainID") into layers/HEX/diff in
 * overlay's form: a whiteout is a character device 0/0, an opaque directory has
 * trusted.overlay.opaque=y. A layer is there when its record is; the directory appears by rename
 * before. Two processes that want the same layer wait for each other by its lock.
 *
 * Its files are written to disk in one go with the others of its image (layers_sync()). Until then the record has the boot
 * during which they were unpacked, and a layer of an earlier boot is unpacked again: after a power cut they may be empty.
 */
#pragma once

#include "storage/store.h"

/* ChainID of diff_id on top of parent (NULL: it is the lowest). */
void layer_chain_id(const char *parent, const char *diff_id, char ret[static STORE_DIGEST_MAX]);

struct layer {
	char *chain_id;
	char *parent; /* NULL: lowest */
	char *diff_id;
	uint64_t size; /* bytes of its regular files */
	bool unsynced; /* its files may not be on disk yet */
};
void layer_done(struct layer *layer);

struct layers {
	struct layer *v; /* lowest first */
	size_t n;
};
void layers_done(struct layers *layers);

/* All layers from the lowest up to top. ERR_NOT_FOUND, ERR_CORRUPT. */
int layers_load(struct store *store, const char *top, struct layers *ret, struct err *err);

/* Called now and then while a layer is unpacked, with what has been read of the archive. */
typedef void layer_progress(void *context, uint64_t bytes);

/*
 * Make sure that the layer exists: unpack blob (a tar, maybe compressed by gzip, zstd, bzip2 or xz) on
 * top of parent, and check that the tar's digest is diff_id. ret_chain_id is filled. ERR_CORRUPT for a
 * wrong digest or archive, ERR_INVALID for a hostile one.
 */
int layer_ensure(struct store *store, const char *parent, const char *diff_id, const char *blob,
		 char ret_chain_id[static STORE_DIGEST_MAX], struct err *err);
/* Write what is not known to be on disk of the layers up to top, and note that it is. */
int layers_sync(struct store *store, const char *top, struct err *err);
/* Unpack a layer that has a record once more, from this archive, in place of what is there. */
int layer_rebuild(struct store *store, const struct layer *layer, const char *blob,
		  struct err *err);
/* Whether the regular files of the archive are there with their sizes: 1 or 0. layer_check.c. */
int layer_compare(const struct store *store, const char *chain_id, const char *blob,
		  struct err *err);
/* Whether the record is there. */
int layer_exists(struct store *store, const char *chain_id, struct err *err);
/* Directory of the unpacked layer; caller owns. */
char *layer_diff_path(const struct store *store, const char *chain_id);
char *layer_short_name(const char *chain_id); /* "l/..." relative to layers/ */

/* `user` ("image:ID", "rootfs:ID") needs the layers up to chain_id; replaces what it needed before.
 * Within the caller's transaction. */
int layer_use(struct store *store, const char *user, const char *chain_id, struct err *err);
int layer_unuse(struct store *store, const char *user, struct err *err);

DEFINE_AUTO_VAL(layers, struct layers, layers_done)
#define auto_layers auto_cleanup(layers_cleanup_val)
