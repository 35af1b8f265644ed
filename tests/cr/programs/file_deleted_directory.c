/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/stat.h>

#include "test.h"

static void run(void)
{
	struct stat st;
	int fd;

	must(mkdir("directory", 0750));
	fd = open_file("directory", O_RDONLY | O_DIRECTORY);
	must(rmdir("directory"));
	wait_for_restore();
	must(fstat(fd, &st));
	check(S_ISDIR(st.st_mode) && st.st_nlink == 0, "it is not a deleted directory any more");
	check((st.st_mode & 07777) == 0750, "its mode is %o", st.st_mode & 07777u);
	must_fail(openat(fd, "new", O_CREAT | O_WRONLY, 0600), ENOENT);
	must_fail(access("directory", F_OK), ENOENT);
}
PROGRAM(file_deleted_directory, run, .subject = "open directories that were deleted")
