/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

/* 64 GiB of addresses, of which a page in each GiB is used. */
#define GIB (1ul << 30)
#define N 64

static void run(void)
{
	unsigned char *p =
		map_anonymous(N * GIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE);
	char before[64];
	char after[64];
	size_t page = page_size();

	for (size_t i = 0; i < N; i++)
		fill(p + i * GIB + i * page, page, i);
	check(read_field("/proc/self/status", "VmRSS", before, sizeof(before)), "no VmRSS");
	wait_for_restore();
	check(read_field("/proc/self/status", "VmRSS", after, sizeof(after)), "no VmRSS");
	/* Where huge pages are always on, the restore may make another one for each page. */
	check(strtol(after, NULL, 10) < strtol(before, NULL, 10) + N * 2048 + 4096,
	      "%s are in use instead of %s", after, before);
	for (size_t i = 0; i < N; i++) {
		check(is_filled(p + i * GIB + i * page, page, i), "page %zu has changed", i);
		check(p[i * GIB + (i + 1) * page] == 0, "the page behind %zu is not zero", i);
	}
}
PROGRAM(mem_sparse, run, .subject = "large and mostly unused address ranges")
