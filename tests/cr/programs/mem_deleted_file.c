/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#define SIZE 65536

/* Mappings of files that have no name any more and no descriptor. */
static void run(void)
{
	static unsigned char data[SIZE];
	unsigned char *shared;
	unsigned char *private;
	int fd = open_file("file", O_RDWR | O_CREAT);

	fill(data, SIZE, 1);
	write_all(fd, data, SIZE);
	shared = map_file(SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd);
	private = map_file(SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd);
	must(close(fd));
	must(unlink("file"));
	private[0] ^= 0xff;
	wait_for_restore();
	check(is_filled(shared, SIZE, 1), "the shared mapping has changed");
	check(private[0] == (shared[0] ^ 0xff), "the private mapping has lost what was written");
	private[0] ^= 0xff;
	check(is_filled(private, SIZE, 1), "the private mapping has changed");
	must_fail(access("file", F_OK), ENOENT);
	shared[4096] ^= 0xff;
	check(private[4096] == shared[4096], "the mappings are not of the same file any more");
}
PROGRAM(mem_deleted_file, run, .subject = "mappings of deleted files")
