/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/stat.h>

#include "test.h"

/* Deleted under the name by which it was opened, but not under another. */
static void run(void)
{
	struct stat st[2];
	int fd = open_file("file", O_RDWR | O_CREAT);

	write_all(fd, "content", 7);
	must(link("file", "other"));
	must(unlink("file"));
	wait_for_restore();
	must_fail(access("file", F_OK), ENOENT);
	must(fstat(fd, &st[0]));
	must(stat("other", &st[1]));
	check(st[0].st_ino == st[1].st_ino, "it is not the file that has the other name any more");
	check(st[0].st_nlink == 1, "the file has %u names", (unsigned)st[0].st_nlink);
	must(pwrite(fd, "C", 1, 0));
	must(lseek(fd, 0, SEEK_SET));
	must_read(fd, "Content");
}
PROGRAM(file_deleted_link, run, .subject = "open files that were deleted but have another name",
	.options = "--link-remap",
	.note = "not with `--leave-running`: CRIU takes away the name that the image needs",
	.not_in = "leave-running", .why_not = "CRIU takes away the name that the image needs")
