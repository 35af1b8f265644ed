/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/proc_root.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

#include "core/fd.h"
#include "core/io.h"
#include "core/str.h"
#include "kernel/syscalls.h"

#ifndef STATX_MNT_ID
#define STATX_MNT_ID 0x00001000U
#endif

#define PROC_ROOT_INODE 1 /* PROC_ROOT_INO of linux/proc_ns.h: the same for every procfs */

int proc_root_check(int proc_fd)
{
	struct statfs fs;
	struct stat st;

	if (fstatfs(proc_fd, &fs) < 0 || fstat(proc_fd, &st) < 0)
		return -errno;
	if (fs.f_type != PROC_SUPER_MAGIC || st.st_ino != PROC_ROOT_INODE)
		return -EXDEV;
	return 0;
}

int proc_root_open(const char *path)
{
	auto_close int fd = fd_open_at(AT_FDCWD, path, O_PATH | O_DIRECTORY | O_NOFOLLOW, 0);
	int r;

	if (fd < 0)
		return fd;
	r = proc_root_check(fd);
	return r < 0 ? r : take_fd(fd);
}

/* What tells one mount from another; the id is 0 where the kernel does not say (before 5.8). */
struct mount_identity {
	uint64_t mount_id;
	dev_t dev;
};

static int identify(int fd, struct mount_identity *ret, mode_t *ret_mode)
{
	struct statx stx;

	if (statx(fd, "", AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW, STATX_TYPE | STATX_MNT_ID, &stx) < 0)
		return -errno;
	ret->mount_id = stx.stx_mask & STATX_MNT_ID ? stx.stx_mnt_id : 0;
	ret->dev = makedev(stx.stx_dev_major, stx.stx_dev_minor);
	*ret_mode = stx.stx_mode;
	return 0;
}

/* One component below dir_fd, as O_PATH descriptor; on the same mount and not a symlink. */
static int step(int dir_fd, const char *name, const struct mount_identity *mount)
{
	auto_close int fd = fd_open_at(dir_fd, name, O_PATH | O_NOFOLLOW, 0);
	struct mount_identity here = { 0 };
	mode_t mode = 0;
	int r;

	if (fd < 0)
		return fd;
	r = identify(fd, &here, &mode);
	if (r < 0)
		return r;
	if (here.mount_id != mount->mount_id || here.dev != mount->dev)
		return -EXDEV;
	return S_ISLNK(mode) ? -ELOOP : take_fd(fd);
}

/* The last component, with the flags that were asked for: looked at first, since opening what is
 * mounted there could have effects, and again when it is open. */
static int open_last(int dir_fd, const char *name, int flags, const struct mount_identity *mount)
{
	auto_close int seen_fd = step(dir_fd, name, mount);
	auto_close int fd = -EBADF;
	struct mount_identity here = { 0 };
	mode_t mode = 0;
	int r;

	if (seen_fd < 0 || (flags & O_PATH))
		return take_fd(seen_fd);
	fd = fd_open_at(dir_fd, name, flags | O_NOFOLLOW, 0);
	if (fd < 0)
		return fd;
	r = identify(fd, &here, &mode);
	if (r < 0)
		return r;
	if (here.mount_id != mount->mount_id || here.dev != mount->dev)
		return -EXDEV;
	return take_fd(fd);
}

/* compat: openat2 is missing (Linux before 5.6) or forbidden by an outer container's filter. */
static int walk(int proc_fd, char *path, int flags)
{
	auto_close int dir_fd = fd_dup(proc_fd);
	struct mount_identity mount = { 0 };
	mode_t mode = 0;
	int r;

	if (dir_fd < 0)
		return dir_fd;
	r = identify(dir_fd, &mount, &mode);
	if (r < 0)
		return r;
	for (;;) {
		char *slash = strchr(path, '/');
		int fd;

		if (!slash)
			return open_last(dir_fd, path, flags, &mount);
		*slash = '\0';
		fd = step(dir_fd, path, &mount);
		if (fd < 0)
			return fd;
		close_fd(&dir_fd);
		dir_fd = fd;
		path = slash + 1;
	}
}

/* Replace "self" or "thread-self" in front by what the link says: nothing else may be a link. */
static int resolve_self(int proc_fd, const char *path, char ret[static PATH_MAX])
{
	const char *slash = strchr(path, '/');
	size_t len = slash ? (size_t)(slash - path) : strlen(path);
	char link[16] = "";
	ssize_t n;

	if (strlen(path) + 64 >= PATH_MAX)
		return -ENAMETOOLONG;
	if ((len == 4 && memcmp(path, "self", 4) == 0) ||
	    (len == 11 && memcmp(path, "thread-self", 11) == 0)) {
		(void)memcpy(link, path, len);
		n = readlinkat(proc_fd, link, ret, 64);
		if (n < 0)
			return -errno;
		path += len;
	} else {
		n = 0;
	}
	(void)memcpy(ret + n, path, strlen(path) + 1);
	return 0;
}

/* Names only: no leading or double slash, no "." and "..". */
static bool is_plain(const char *path)
{
	for (;;) {
		size_t len = strcspn(path, "/");

		if (len == 0 || (len == 1 && path[0] == '.') ||
		    (len == 2 && path[0] == '.' && path[1] == '.'))
			return false;
		if (!path[len])
			return true;
		path += len + 1;
	}
}

int proc_root_openat(int proc_fd, const char *path, int flags)
{
	struct open_how how = {
		.flags = (unsigned int)(flags | O_CLOEXEC),
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS,
	};
	char buf[PATH_MAX];
	int r;

	if (!is_plain(path))
		return -EINVAL;
	r = resolve_self(proc_fd, path, buf);
	if (r < 0)
		return r;
	r = sys_openat2(proc_fd, buf, &how);
	return kernel_call_is_missing(r) ? walk(proc_fd, buf, flags) : r;
}

int proc_root_write(int proc_fd, const char *path, const char *text)
{
	auto_close int fd = proc_root_openat(proc_fd, path, O_WRONLY);
	ssize_t n;

	if (fd < 0)
		return fd;
	n = RETRY_EINTR(write(fd, text, strlen(text)));
	if (n < 0)
		return -errno;
	return (size_t)n == strlen(text) ? 0 : -EIO;
}
