/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#define SIZE (8ul << 20)

static void run(void)
{
	unsigned char *p = map_anonymous(SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE);

	if (madvise(p, SIZE, MADV_HUGEPAGE) < 0)
		skip("there are no transparent huge pages here");
	fill(p, SIZE, 1);
	/* Holes in it */
	must(madvise(p + SIZE / 2, 3 * page_size(), MADV_DONTNEED));
	wait_for_restore();
	check(is_zero(p + SIZE / 2, 3 * page_size()), "a page that was given back has content");
	fill(p + SIZE / 2, 3 * page_size(), 3);
	check(is_filled(p, SIZE / 2, 1), "the content has changed");
	check(has_vm_flag(p, "hg"), "MADV_HUGEPAGE is lost");
}
PROGRAM(mem_transparent_huge, run, .subject = "transparent huge pages")
