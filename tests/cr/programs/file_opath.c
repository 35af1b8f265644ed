/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/stat.h>

#include "test.h"

static void run(void)
{
	struct stat st;
	char text[64];
	int directory;
	int file;
	int link_fd;

	must(mkdir("directory", 0755));
	write_file("directory/file", "content");
	must(symlink("nowhere", "link"));
	directory = open_file("directory", O_PATH | O_DIRECTORY);
	file = open_file("directory/file", O_PATH);
	link_fd = open("link", O_PATH | O_NOFOLLOW | O_CLOEXEC);
	must(link_fd);
	wait_for_restore();
	must_fail(read(file, text, 1), EBADF);
	must(faccessat(directory, "file", R_OK, 0));
	must(fstat(file, &st));
	check(st.st_size == 7, "the file has %lld bytes", (long long)st.st_size);
	must(fstatat(link_fd, "", &st, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW));
	check(S_ISLNK(st.st_mode), "the symbolic link is none any more");
	check((fcntl(file, F_GETFL) & O_PATH) != 0, "O_PATH is lost");
}
PROGRAM(file_opath, run, .subject = "O_PATH descriptors of files, directories and symbolic links")
