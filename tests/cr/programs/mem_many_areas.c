/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#define N 2000

static void run(void)
{
	size_t page = page_size();
	unsigned char *p = map_anonymous(N * page, PROT_READ | PROT_WRITE, MAP_PRIVATE);

	for (size_t i = 0; i < N; i++) {
		fill(p + i * page, page, i);
		if (i % 2 == 1)
			must(mprotect(p + i * page, page, PROT_READ));
	}
	wait_for_restore();
	for (size_t i = 0; i < N; i++)
		check(is_filled(p + i * page, page, i), "area %zu has changed", i);
	for (size_t i = 0; i < N; i += 2)
		p[i * page] = 1;
}
PROGRAM(mem_many_areas, run, .subject = "thousands of memory areas")
