/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A frame of zstd (RFC 8878) whose blocks are all raw: what does not compress is neither gone over nor copied. It is
 * written from where its content is, and read to where that is to be.
 *
 *	magic, header (single segment, checksum, size of 4 bytes)	9 bytes
 *	for each block of up to 128 KiB: header, content		3 bytes and those of the content
 *	checksum							4 bytes
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#include "core/macro.h"

/* RFC 8878, 3.1.1.2.4: no block is larger. */
#define STORED_BLOCK ((size_t)128 << 10)
#define STORED_BLOCKS_MAX 8
#define STORED_MAX (STORED_BLOCK * STORED_BLOCKS_MAX)
#define STORED_PARTS_MAX (2 * STORED_BLOCKS_MAX + 2)

/* What is not content. */
struct stored {
	uint8_t head[9];
	uint8_t blocks[STORED_BLOCKS_MAX][3];
	uint8_t sum[4];
};

/* Bytes of the frame of content of 1 to STORED_MAX bytes; 0 for what can be in none. */
size_t stored_size(size_t len);
/* Fill everything in. */
void stored_format(struct stored *stored, const uint8_t *content, size_t len);
/* The frame's bytes in order, of the frame and of the content; borrowed. Returns how many parts there are. */
size_t stored_parts(struct stored *stored, uint8_t *content, size_t len,
		    struct iovec parts[STORED_PARTS_MAX]);
/* Of one that was read: 1; 0 when it is another kind of frame; -EBADMSG when its content is damaged. */
int stored_check(const struct stored *stored, const uint8_t *content, size_t len);
