/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The content of a file or pipe that may be compressed, piece by piece, decompressed by worker threads some
 * pieces ahead where its parts are independent of each other.
 *
 *	INDEXED		parts that an index lists, or ranges of what is not compressed: any order
 *	FRAMES		independent parts, one behind the other, found as they come
 *	SEQUENTIAL	one thread undoes it from the beginning to the end
 *
 * FRAMES becomes SEQUENTIAL at the first part that is not small or does not say how large it is.
 */
#pragma once

#include <stdint.h>

#include "core/auto.h"
#include "core/err.h"
#include "core/macro.h"

struct plain;

/* fd is borrowed, and read from its current position. name is for errors. */
int plain_open(struct plain **ret, int fd, const char *name, unsigned int threads, struct err *err);
void plain_close(struct plain *p);
/* INDEXED only: the same once more, for another reader, with threads and buffers of its own. p must outlive it. */
struct plain *plain_again(const struct plain *p) MUST_CHECK;

/* The next piece, valid until the next call: 1, 0 at the end; ERR_CORRUPT. */
int plain_next(struct plain *p, const uint8_t **ret, size_t *ret_len, struct err *err);
/* INDEXED only: plain_next() gives what follows byte `offset`. Beyond the end is the end. */
void plain_seek(struct plain *p, uint64_t offset);
/* To the beginning. ERR_UNSUPPORTED where that cannot be. */
int plain_rewind(struct plain *p, struct err *err);
bool plain_can_seek(const struct plain *p);
bool plain_can_rewind(const struct plain *p);
/* How far ahead to work: as far as there is memory for, or not at all. */
void plain_set_ahead(struct plain *p, bool ahead);

/* "zstd", "gzip", "bzip2", "xz", "none". */
const char *plain_format(const struct plain *p);
/* Bytes read of it so far, or its size where that is known. */
uint64_t plain_consumed(const struct plain *p);
/* Read and drop what is left in a pipe, so that who writes to it can end. */
void plain_drain(struct plain *p);
