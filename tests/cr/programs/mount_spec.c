/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>

#include "test.h"

/* The mounts of the container's configuration: a tmpfs with content, binds within binds, masks. */
static void fill_tmpfs(const char *top)
{
	must(mkdir(top, 0751));
	must(chdir(top));
	write_file("file", "content");
	must(chmod("file", 0604));
	must(chown("file", 12, 34));
	must(symlink("nowhere at all", "link"));
	must(link("file", "second"));
	must(mkfifo("fifo", 0640));
	must(mkdir("deep", 0700));
	must(mkdir("deep/deeper", 0755));
	must(chmod("deep/deeper", 01777));
	must(truncate("file", 100000));
	if (setxattr("file", "trusted.test", "value", 5, 0) < 0)
		check(errno == EOPNOTSUPP || errno == EPERM, "setxattr: %s", strerror(errno));
}

static void check_tmpfs(void)
{
	char text[64] = "";
	struct stat st;
	struct stat second;

	must(lstat("file", &st));
	must(lstat("second", &second));
	check(st.st_size == 100000 && st.st_uid == 12 && st.st_gid == 34 &&
		      (st.st_mode & 07777) == 0604,
	      "a file has %lld bytes, owner %u:%u, mode %o", (long long)st.st_size, st.st_uid,
	      st.st_gid, st.st_mode & 07777u);
	check(st.st_ino == second.st_ino && st.st_nlink == 2, "two names of a file are apart");
	check(read_file("file", text, 8) == 7 && strcmp(text, "content") == 0,
	      "the content is '%s'", text);
	memset(text, 0, sizeof(text));
	must(readlink("link", text, sizeof(text) - 1));
	check(strcmp(text, "nowhere at all") == 0, "a symbolic link leads to '%s'", text);
	must(lstat("fifo", &st));
	check(S_ISFIFO(st.st_mode) && (st.st_mode & 07777) == 0640, "a fifo has mode %o",
	      st.st_mode);
	must(lstat("deep/deeper", &st));
	check(S_ISDIR(st.st_mode) && (st.st_mode & 07777) == 01777, "a directory has mode %o",
	      st.st_mode);
	must(lstat(".", &st));
	check((st.st_mode & 07777) == 0751, "the upper directory has mode %o", st.st_mode & 07777u);
}

static void check_file(const char *path, const char *content)
{
	char text[64] = "";

	check(read_file(path, text, sizeof(text)) > 0 && strcmp(text, content) == 0,
	      "'%s' has '%s'", path, text);
}

static void run(void)
{
	struct statvfs vfs;

	fill_tmpfs("/cr/tmpfs/mount_spec");
	wait_for_restore();
	check_tmpfs();
	check_file("/cr/outer/file", "outer\n");
	check_file("/cr/outer/inner/file", "inner\n");
	check_file("/cr/bound", "bound\n");
	write_file("/cr/outer/mount_spec", "x");
	must(unlink("/cr/outer/mount_spec"));
	must_fail(open("/cr/outer/inner/new", O_CREAT | O_WRONLY, 0600), EROFS);
	must_fail(open("/cr/bound", O_WRONLY), EROFS);
	must(statvfs("/proc/sys", &vfs));
	check((vfs.f_flag & ST_RDONLY) != 0, "/proc/sys can be written to");
	check(lseek(open_file("/proc/timer_list", O_RDONLY), 0, SEEK_END) == 0,
	      "a masked file shows");
	must(statvfs("/cr/tmpfs", &vfs));
	check(vfs.f_blocks * vfs.f_frsize == 16 << 20, "the tmpfs has %llu bytes",
	      (unsigned long long)(vfs.f_blocks * vfs.f_frsize));
	check((vfs.f_flag & ST_NOSUID) != 0, "the tmpfs has lost nosuid");
}
PROGRAM(mount_spec, run,
	.subject = "mounts of the configuration: tmpfs with content, nested binds, masks")
