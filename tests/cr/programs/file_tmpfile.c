/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/stat.h>

#include "test.h"

static void run(void)
{
	int fd = open(".", O_TMPFILE | O_RDWR, 0600);
	struct stat st;

	if (fd < 0 && errno == EOPNOTSUPP)
		skip("the file system has no O_TMPFILE");
	must(fd);
	write_all(fd, "content", 7);
	wait_for_restore();
	must(fstat(fd, &st));
	check(st.st_nlink == 0 && st.st_size == 7, "the file has changed");
	must(lseek(fd, 0, SEEK_SET));
	must_read(fd, "content");
}
PROGRAM(file_tmpfile, run, .subject = "files without a name (O_TMPFILE)",
	.note = "they cannot be given a name with `linkat` any more")
