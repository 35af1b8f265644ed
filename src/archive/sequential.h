/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decompression from the beginning to the end of what one descriptor gives: by libzstd, or by
 * libarchive's filters. Made by one thread, read by another (one at a time).
 */
#pragma once

#include <stdint.h>

#include "core/err.h"
#include "core/macro.h"

enum format { FORMAT_NONE, FORMAT_ZSTD, FORMAT_GZIP, FORMAT_BZIP2, FORMAT_XZ };

struct sequential;

/* `head` (copied) has been read from fd before. fd is borrowed. */
int sequential_new(struct sequential **ret, int fd, enum format format, const void *head,
		   size_t head_len, struct err *err);
void sequential_free(struct sequential *s);
/* Fill buf: *ret_len is less than len only at the end. Return: 0, -EBADMSG, other errno. */
int sequential_read(struct sequential *s, void *buf, size_t len, size_t *ret_len);
/* Say what sequential_read() has met. */
int sequential_fail(const struct sequential *s, int code, const char *name, struct err *err);
/* Bytes that it has read from fd. */
uint64_t sequential_consumed(const struct sequential *s);
