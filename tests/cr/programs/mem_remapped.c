/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#define PAGES 32

/* Pages of a file in another order, by mremap() and MAP_FIXED, and memory that has been moved. */
static void run(void)
{
	size_t page = page_size();
	int fd = open_file("file", O_RDWR | O_CREAT);
	unsigned char *p = map_anonymous(PAGES * page, PROT_READ | PROT_WRITE, MAP_PRIVATE);
	unsigned char *moved = map_anonymous(4 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE);
	unsigned char *target = map_anonymous(16 * page, PROT_NONE, MAP_PRIVATE);

	for (size_t i = 0; i < PAGES; i++)
		fill(p + i * page, page, i);
	write_all(fd, p, PAGES * page);
	for (size_t i = 0; i < PAGES; i++)
		check(mmap(p + i * page, page, PROT_READ, MAP_SHARED | MAP_FIXED, fd,
			   (off_t)((PAGES - 1 - i) * page)) != MAP_FAILED,
		      "mmap: %s", strerror(errno));
	fill(moved, 4 * page, 99);
	moved = mremap(moved, 4 * page, 8 * page, MREMAP_MAYMOVE | MREMAP_FIXED, target + page);
	check(moved != MAP_FAILED, "mremap: %s", strerror(errno));
	wait_for_restore();
	for (size_t i = 0; i < PAGES; i++)
		check(is_filled(p + i * page, page, PAGES - 1 - i), "page %zu is another", i);
	check(is_filled(moved, 4 * page, 99), "memory that was moved has changed");
	check(is_zero(moved + 4 * page, 4 * page), "memory that was added is not zero");
}
PROGRAM(mem_remapped, run, .subject = "files mapped out of order, memory moved by mremap()")
