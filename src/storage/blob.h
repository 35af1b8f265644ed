/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Content by digest: ROOT/blobs/sha256/HEX, an OCI blob store. A blob appears by rename when it is
 * complete, so whatever has the name has the content. Digests are "sha256:" and 64 lower-case hex
 * digits. The caller holds the store's content lock.
 */
#pragma once

#include "storage/digest.h"
#include "storage/store.h"

/* root/blobs/sha256/HEX; caller owns. */
char *blob_path(const struct store *store, const char *digest);
/* Size, or -ENOENT. No struct err: absence is an answer. */
int blob_stat(const struct store *store, const char *digest, uint64_t *ret_size);
/* O_RDONLY descriptor. ERR_NOT_FOUND says what to do. */
int blob_open(const struct store *store, const char *digest, struct err *err);
/* The whole blob, at most limit bytes, its digest checked. ERR_CORRUPT. */
int blob_read(const struct store *store, const char *digest, size_t limit, struct strbuf *ret,
	      struct err *err);
/* Store data; ret_digest is its digest. */
int blob_write(const struct store *store, const void *data, size_t len,
	       char ret_digest[static STORE_DIGEST_MAX], struct err *err);
/* Read the whole blob and compare. ERR_CORRUPT; with `remove` it is gone then. */
int blob_verify(const struct store *store, const char *digest, bool remove, struct err *err);

/* A blob whose digest is known only at its end. */
struct blob_writer {
	const struct store *store;
	int fd; /* O_TMPFILE */
	struct digest_context *digest;
	uint64_t size;
};
#define BLOB_WRITER_INIT                                                                           \
	{                                                                                          \
		.fd = -EBADF                                                                       \
	}
int blob_writer_open(struct blob_writer *ret, const struct store *store, struct err *err);
/* Return: 0 or -errno. */
int blob_writer_add(struct blob_writer *w, const void *data, size_t len);
int blob_writer_commit(struct blob_writer *w, char ret_digest[static STORE_DIGEST_MAX],
		       struct err *err);
/* Nothing of it stays unless it was committed. */
void blob_writer_done(struct blob_writer *w);
DEFINE_AUTO_VAL(blob_writer, struct blob_writer, blob_writer_done)
#define auto_blob_writer auto_cleanup(blob_writer_cleanup_val)
