/* SPDX-License-Identifier: Apache-2.0 */
#include "archive/stored.h"

#include <errno.h>
#include <string.h>

#include "archive/xxh64.h"

#define MAGIC 0xFD2FB528U
/* Size of 4 bytes, single segment, checksum (3.1.1.1.1). */
#define DESCRIPTOR (2U << 6 | 1U << 5 | 1U << 2)

static void put_bytes(uint8_t *p, uint32_t v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)(v >> 8 * i);
}

static size_t n_blocks(size_t len)
{
	return (len + STORED_BLOCK - 1) / STORED_BLOCK;
}

static size_t block_len(size_t i, size_t len)
{
	return MIN(STORED_BLOCK, len - i * STORED_BLOCK);
}

static void format_heads(struct stored *stored, size_t len)
{
	put_bytes(stored->head, MAGIC, 4);
	stored->head[4] = DESCRIPTOR;
	put_bytes(stored->head + 5, (uint32_t)len, 4);
	for (size_t i = 0; i < n_blocks(len); i++)
		put_bytes(stored->blocks[i],
			  (uint32_t)block_len(i, len) << 3 | (i + 1 == n_blocks(len)), 3);
}

static void format_sum(struct stored *stored, const uint8_t *content, size_t len)
{
	put_bytes(stored->sum, (uint32_t)xxh64(content, len), 4);
}

size_t stored_size(size_t len)
{
	return len == 0 || len > STORED_MAX ?
		       0 :
		       sizeof(((struct stored *)NULL)->head) + 3 * n_blocks(len) + len +
			       sizeof(((struct stored *)NULL)->sum);
}

void stored_format(struct stored *stored, const uint8_t *content, size_t len)
{
	format_heads(stored, len);
	format_sum(stored, content, len);
}

size_t stored_parts(struct stored *stored, uint8_t *content, size_t len,
		    struct iovec parts[STORED_PARTS_MAX])
{
	size_t n = 0;

	parts[n++] = (struct iovec){ stored->head, sizeof(stored->head) };
	for (size_t i = 0; i < n_blocks(len); i++) {
		parts[n++] = (struct iovec){ stored->blocks[i], sizeof(stored->blocks[i]) };
		parts[n++] = (struct iovec){ content + i * STORED_BLOCK, block_len(i, len) };
	}
	parts[n++] = (struct iovec){ stored->sum, sizeof(stored->sum) };
	return n;
}

int stored_check(const struct stored *stored, const uint8_t *content, size_t len)
{
	struct stored right;

	format_heads(&right, len);
	if (memcmp(stored->head, right.head, sizeof(right.head)) != 0 ||
	    memcmp(stored->blocks, right.blocks, sizeof(right.blocks[0]) * n_blocks(len)) != 0)
		return 0;
	format_sum(&right, content, len);
	return memcmp(stored->sum, right.sum, sizeof(right.sum)) == 0 ? 1 : -EBADMSG;
}
