/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#define N 2000

static void run(void)
{
	static unsigned char *blocks[N];
	unsigned char *end;

	for (size_t i = 0; i < N; i++) {
		blocks[i] = malloc(100 + i);
		check(blocks[i], "out of memory");
		fill(blocks[i], 100 + i, i);
	}
	for (size_t i = 0; i < N; i += 2) {
		free(blocks[i]);
		blocks[i] = NULL;
	}
	end = sbrk(0);
	wait_for_restore();
	check(sbrk(0) == end, "the end of the heap has moved");
	check(sbrk(1 << 20) == end, "the heap cannot grow");
	memset(end, 'x', 1 << 20);
	for (size_t i = 0; i < N; i++) {
		if (!blocks[i])
			blocks[i] = malloc(100 + i);
		else
			check(is_filled(blocks[i], 100 + i, i), "block %zu has changed", i);
		free(blocks[i]);
	}
}
PROGRAM(mem_brk, run, .subject = "the heap")
