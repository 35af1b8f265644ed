/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A member of an archive that is read later, where it lies: decompressed a few pieces ahead of who reads it from its beginning to
 * its end, which is fast; elsewhere, too. Beside others of the same archive, in any thread; one at a time for each.
 */
#pragma once

#include "archive/reader.h"

struct archive_content;

/* size bytes from byte `position` of the tar (archive_leave_fn). The reader must outlive it. */
struct archive_content *archive_content_new(const struct archive_reader *reader, uint64_t position,
					    uint64_t size) MUST_CHECK;
/* NULL is fine. */
void archive_content_free(struct archive_content *content);

/* len bytes from offset, all within the content: at *ret, valid until the next call. ERR_CORRUPT. */
int archive_content_read(struct archive_content *content, uint64_t offset, size_t len,
			 const uint8_t **ret, struct err *err);
/* Nobody reads it now: stop the threads and give the memory back. */
void archive_content_rest(struct archive_content *content);
/* All of it, only to find damage. */
int archive_content_check(struct archive_content *content, struct err *err);
/* Into the file fd, which is empty. */
int archive_content_store(struct archive_content *content, int fd, struct err *err);
