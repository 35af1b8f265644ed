/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

/* 8 MiB of content, and 8 MiB of which every 16th page was touched. */
#define SIZE (8 << 20)

static void run(void)
{
	unsigned char *full = map_anonymous(SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE);
	unsigned char *sparse = map_anonymous(SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE);
	size_t page = page_size();

	fill(full, SIZE, 1);
	for (size_t i = 0; i < SIZE; i += 16 * page)
		fill(sparse + i, page, i);
	wait_for_restore();
	check(is_filled(full, SIZE, 1), "the content has changed");
	for (size_t i = 0; i < SIZE; i += 16 * page) {
		check(is_filled(sparse + i, page, i), "page %zu has changed", i / page);
		check(is_zero(sparse + i + page, 15 * page),
		      "a page behind %zu is not zero any more", i / page);
	}
	fill(full, SIZE, 2);
	check(is_filled(full, SIZE, 2), "the memory does not keep what is written to it");
}
PROGRAM(mem_private, run, .subject = "private anonymous memory")
