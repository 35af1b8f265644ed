/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/stat.h>

#include "test.h"

#define SIZE 100000

/* On disk and on a tmpfs. */
struct deleted {
	int fd;
	int second;
};

static struct deleted set_up(const char *path)
{
	static unsigned char data[SIZE];
	struct deleted d = { open_file(path, O_RDWR | O_CREAT), open_file(path, O_RDONLY) };

	fill(data, SIZE, 1);
	write_all(d.fd, data, SIZE);
	must(lseek(d.fd, 1000, SEEK_SET));
	must(fchmod(d.fd, 0604));
	must(unlink(path));
	return d;
}

static void look(const struct deleted *d, const char *path)
{
	static unsigned char data[SIZE];
	struct stat st;

	must(fstat(d->fd, &st));
	check(st.st_nlink == 0, "'%s' has a name again", path);
	check(st.st_size == SIZE, "'%s' has %lld bytes", path, (long long)st.st_size);
	check((st.st_mode & 07777) == 0604, "'%s' has mode %o", path, st.st_mode & 07777u);
	check(lseek(d->fd, 0, SEEK_CUR) == 1000, "the offset of '%s' has changed", path);
	must(pread(d->fd, data, SIZE, 0));
	check(is_filled(data, SIZE, 1), "the content of '%s' has changed", path);
	must(pwrite(d->fd, "new", 3, 0));
	must_read(d->second, "new");
	must_fail(access(path, F_OK), ENOENT);
}

static void run(void)
{
	struct deleted disk = set_up("file");
	struct deleted tmpfs = set_up("/cr/tmpfs/file_deleted");

	wait_for_restore();
	look(&disk, "file");
	look(&tmpfs, "/cr/tmpfs/file_deleted");
}
PROGRAM(file_deleted, run, .subject = "open files that were deleted",
	.note = "up to 1 MiB each, unless CRIU is configured with another `ghost-limit`")
