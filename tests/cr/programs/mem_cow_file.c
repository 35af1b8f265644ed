/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#define PAGES 64

static void run(void)
{
	size_t page = page_size();
	size_t size = PAGES * page;
	int fd = open_file("file", O_RDWR | O_CREAT);
	unsigned char *content = map_anonymous(size, PROT_READ | PROT_WRITE, MAP_PRIVATE);
	unsigned char *p;

	fill(content, size, 1);
	write_all(fd, content, size);
	p = map_file(size, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd);
	for (size_t i = 0; i < PAGES; i += 4)
		fill(p + i * page, page, 100 + i);
	wait_for_restore();
	for (size_t i = 0; i < PAGES; i++) {
		if (i % 4 == 0)
			check(is_filled(p + i * page, page, 100 + i),
			      "page %zu has lost what was written to it", i);
		else
			check(memcmp(p + i * page, content + i * page, page) == 0,
			      "page %zu is not that of the file", i);
	}
	memset(content, 'x', page);
	must(pwrite(fd, content, page, (off_t)page));
	check(p[page] == 'x', "an untouched page does not follow the file any more");
	must(pread(fd, content, page, 0));
	check(is_filled(content, page, 1), "the file has got what was written to the mapping");
}
PROGRAM(mem_cow_file, run, .subject = "private mappings of files, in part written to")
