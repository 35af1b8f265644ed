/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/stat.h>

#include "test.h"

#define GIB (1ll << 30)

/* A deleted file of 10 GiB with two blocks of content, and one with a name. */
static void write_holes(int fd)
{
	must(ftruncate(fd, 10 * GIB));
	must(pwrite(fd, "middle", 6, 5 * GIB));
	must(pwrite(fd, "end", 3, 10 * GIB - 3));
}

static void look(int fd, const char *what)
{
	struct stat st;
	char text[8] = "";

	must(fstat(fd, &st));
	check(st.st_size == 10 * GIB, "the %s file has %lld bytes", what, (long long)st.st_size);
	check(st.st_blocks < 2048, "the %s file is not sparse any more: %lld blocks", what,
	      (long long)st.st_blocks);
	must(pread(fd, text, 6, 5 * GIB));
	check(strcmp(text, "middle") == 0, "the %s file has lost its content", what);
	memset(text, 0, sizeof(text));
	must(pread(fd, text, 3, 10 * GIB - 3));
	check(strcmp(text, "end") == 0, "the %s file has lost its end", what);
}

static void run(void)
{
	int named = open_file("named", O_RDWR | O_CREAT);
	int deleted = open_file("deleted", O_RDWR | O_CREAT);

	write_holes(named);
	write_holes(deleted);
	must(unlink("deleted"));
	wait_for_restore();
	look(named, "named");
	look(deleted, "deleted");
}
PROGRAM(file_sparse, run, .subject = "sparse files, deleted ones too")
