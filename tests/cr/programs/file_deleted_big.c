/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

static void run(void)
{
	int fd = open_file("file", O_RDWR | O_CREAT);
	char *data = calloc(1, 3 << 20);

	check(data, "out of memory");
	memset(data, 'x', 3 << 20);
	write_all(fd, data, 3 << 20);
	must(unlink("file"));
	wait_for_restore();
	check(lseek(fd, 0, SEEK_END) == 3 << 20, "the file has changed");
}
PROGRAM(file_deleted_big, run, .subject = "deleted files of more than 1 MiB",
	.refused = "is deleted but open, and its 3145728 bytes are more than CRIU puts into an "
		   "image; put 'ghost-limit 3145728' into a configuration file for CRIU")
