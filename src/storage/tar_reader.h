/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A tar archive, maybe compressed, as a stream of entries; the digest of the uncompressed archive is
 * taken on the way. Two readers of libarchive in a row: one undoes the compression, the other reads
 * the tar.
 */
#pragma once

#include "core/err.h"
#include "storage/blob.h"
#include "storage/libarchive.h"

struct tar_reader;

/* fd is borrowed. name is for errors. */
int tar_reader_open(struct tar_reader **ret, int fd, const char *name, struct err *err);
/*
 * An uncompressed archive from a function that gives its next piece, valid until the next call: its length, 0 at
 * the end, -1 on failure (the caller knows why). No digest is taken: tar_reader_finish() is not for this.
 */
typedef ssize_t tar_read(void *context, const void **ret);
int tar_reader_open_stream(struct tar_reader **ret, tar_read *read, void *context, const char *name,
			   struct err *err);
/* 1: *ret is the next entry (valid until the next call), 0: end of the archive. ERR_CORRUPT. */
int tar_reader_next(struct tar_reader *reader, struct archive_entry **ret, struct err *err);
/* A block of the entry's data, which begins at *ret_offset of the file; 0 at its end. */
int tar_reader_data(struct tar_reader *reader, const void **ret, size_t *ret_len,
		    int64_t *ret_offset, struct err *err);
/* An archive ends with a mark, without which it may have been cut off between two entries. Some writers leave it out. */
enum tar_end { TAR_END_MARKED, TAR_END_ANY };
/*
 * Read what is behind the last entry and give the digest of everything. After the end only. TAR_END_ANY: the caller knows
 * the digest. ERR_CORRUPT.
 */
int tar_reader_finish(struct tar_reader *reader, enum tar_end end,
		      char ret_digest[static STORE_DIGEST_MAX], struct err *err);
void tar_reader_close(struct tar_reader *reader);

/* The uncompressed content of what in_fd reads: to out_fd (negative: nowhere), with size and digest.
 * It need not be a tar. */
int tar_decompress(int in_fd, const char *name, int out_fd, uint64_t *ret_size,
		   char ret_digest[static STORE_DIGEST_MAX], struct err *err);

/* libarchive converts names between the archive's and the locale's character set; with this they stay
 * UTF-8. Returns what tar_locale_leave() wants. */
void *tar_locale_enter(void);
void tar_locale_leave(void *previous);

DEFINE_AUTO_PTR(tar_reader, struct tar_reader, tar_reader_close)
#define auto_tar_reader auto_cleanup(tar_reader_cleanup_ptr)
