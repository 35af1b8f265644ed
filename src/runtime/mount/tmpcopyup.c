/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tmpcopyup: a tmpfs begins with the content of the directory that it covers. The content is the
 * image's, so nothing is opened before it is known to be a regular file or a directory, no symlink
 * is followed, and the copy stays on the file system that it began on.
 */
#include <limits.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "core/alloc.h"
#include "core/fd.h"
#include "core/fs.h"
#include "core/str.h"
#include "core/strbuf.h"
#include "core/strvec.h"
#include "runtime/mount/exec_parts.h"

#define DEPTH_MAX 128
#define SEND_MAX ((size_t)64 << 20)

struct copy {
	dev_t dev; /* of the directory that is copied */
	struct strbuf path; /* of what is being copied, below that directory, for errors */
	struct err *err;
};

static int copy_directory(struct copy *c, int from_fd, int to_fd, int depth);

static int failed(const struct copy *c, int r, const char *what)
{
	return err_sys(c->err, r, "%s '%s'", what, c->path.buf);
}

static int copy_xattrs(const struct copy *c, int from_fd, int to_fd)
{
	auto_free char *names = xmalloc(XATTR_LIST_MAX);
	auto_free char *value = NULL;
	ssize_t len = flistxattr(from_fd, names, XATTR_LIST_MAX);

	if (len < 0)
		return errno == ENOTSUP ? 0 : failed(c, -errno, "list attributes of");
	for (const char *name = names; name < names + len; name += strlen(name) + 1) {
		ssize_t size;

		if (!value)
			value = xmalloc(XATTR_LIST_MAX);
		size = fgetxattr(from_fd, name, value, XATTR_LIST_MAX);
		/* tmpfs keeps only some kinds, and a user namespace may set only some. */
		if (size < 0 || (fsetxattr(to_fd, name, value, (size_t)size, 0) < 0 &&
				 errno != ENOTSUP && errno != EPERM && errno != EINVAL))
			return failed(c, -errno, "copy attributes of");
	}
	return 0;
}

/* Owner, mode, attributes and times, in the order in which one does not undo the other. */
static int copy_metadata(const struct copy *c, int from_fd, int to_fd, const struct stat *st)
{
	const struct timespec times[] = { st->st_atim, st->st_mtim };
	int r;

	if (fchown(to_fd, st->st_uid, st->st_gid) < 0)
		return failed(c, -errno, "set owner of");
	r = copy_xattrs(c, from_fd, to_fd);
	if (r < 0)
		return r;
	if (fchmod(to_fd, st->st_mode & 07777) < 0)
		return failed(c, -errno, "set mode of");
	if (futimens(to_fd, times) < 0)
		return failed(c, -errno, "set times of");
	return 0;
}

/* Holes stay holes. */
static int copy_content(const struct copy *c, int from_fd, int to_fd, off_t size)
{
	for (off_t end = 0; end < size;) {
		off_t start = lseek(from_fd, end, SEEK_DATA);

		if (start < 0)
			break; /* ENXIO: only a hole is left */
		end = lseek(from_fd, start, SEEK_HOLE);
		if (end < 0 || lseek(to_fd, start, SEEK_SET) < 0)
			return failed(c, -errno, "copy");
		while (start < end) {
			ssize_t n = sendfile(to_fd, from_fd, &start,
					     MIN((size_t)(end - start), SEND_MAX));

			if (n < 0)
				return failed(c, -errno, "copy");
			if (n == 0)
				return failed(c, -EIO, "copy");
		}
	}
	return ftruncate(to_fd, size) < 0 ? failed(c, -errno, "copy") : 0;
}

static int copy_file(const struct copy *c, int from_dir_fd, int to_dir_fd, const char *name)
{
	auto_close int from_fd =
		fd_open_at(from_dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);
	auto_close int to_fd = -EBADF;
	struct stat st;
	int r;

	if (from_fd < 0)
		return failed(c, from_fd, "open");
	if (fstat(from_fd, &st) < 0)
		return failed(c, -errno, "examine");
	if (!S_ISREG(st.st_mode))
		return failed(c, -EINVAL, "file changed while being copied:");
	to_fd = fd_open_at(to_dir_fd, name, O_WRONLY | O_CREAT | O_EXCL, 0600);
	if (to_fd < 0)
		return failed(c, to_fd, "create");
	r = copy_content(c, from_fd, to_fd, st.st_size);
	return r < 0 ? r : copy_metadata(c, from_fd, to_fd, &st);
}

static int copy_symlink(const struct copy *c, int from_dir_fd, int to_dir_fd, const char *name,
			const struct stat *st)
{
	char target[PATH_MAX];
	ssize_t len = readlinkat(from_dir_fd, name, target, sizeof(target) - 1);

	if (len < 0)
		return failed(c, -errno, "read symlink");
	target[len] = '\0';
	if (symlinkat(target, to_dir_fd, name) < 0 ||
	    fchownat(to_dir_fd, name, st->st_uid, st->st_gid, AT_SYMLINK_NOFOLLOW) < 0)
		return failed(c, -errno, "create symlink");
	return 0;
}

/* Devices, pipes and sockets; a device that a user namespace must not make is left out. */
static int copy_special(const struct copy *c, int to_dir_fd, const char *name,
			const struct stat *st)
{
	if (mknodat(to_dir_fd, name, st->st_mode, st->st_rdev) < 0)
		return errno == EPERM ? 0 : failed(c, -errno, "create");
	if (fchownat(to_dir_fd, name, st->st_uid, st->st_gid, AT_SYMLINK_NOFOLLOW) < 0 ||
	    fchmodat(to_dir_fd, name, st->st_mode & 07777, 0) < 0)
		return failed(c, -errno, "set owner and mode of");
	return 0;
}

static int copy_subdirectory(struct copy *c, int from_dir_fd, int to_dir_fd, const char *name,
			     int depth)
{
	auto_close int from_fd =
		fd_open_at(from_dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
	auto_close int to_fd = -EBADF;
	struct stat st;
	int r = 0;

	if (from_fd < 0)
		return failed(c, from_fd, "open directory");
	if (fstat(from_fd, &st) < 0)
		return failed(c, -errno, "examine");
	if (mkdirat(to_dir_fd, name, 0700) < 0)
		return failed(c, -errno, "create directory");
	to_fd = fd_open_at(to_dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
	if (to_fd < 0)
		return failed(c, to_fd, "open directory");
	/* Of another mount only its mount point is taken. */
	if (st.st_dev == c->dev)
		r = copy_directory(c, from_fd, to_fd, depth - 1);
	return r < 0 ? r : copy_metadata(c, from_fd, to_fd, &st);
}

static int copy_entry(struct copy *c, int from_dir_fd, int to_dir_fd, const char *name, int depth)
{
	struct stat st;

	if (fstatat(from_dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return failed(c, -errno, "examine");
	if (S_ISDIR(st.st_mode))
		return copy_subdirectory(c, from_dir_fd, to_dir_fd, name, depth);
	if (S_ISLNK(st.st_mode))
		return copy_symlink(c, from_dir_fd, to_dir_fd, name, &st);
	if (S_ISREG(st.st_mode))
		return copy_file(c, from_dir_fd, to_dir_fd, name);
	return copy_special(c, to_dir_fd, name, &st);
}

static int copy_directory(struct copy *c, int from_fd, int to_fd, int depth)
{
	auto_strvec struct strvec names = STRVEC_INIT;
	size_t len = c->path.len;
	int r;

	if (depth == 0)
		return failed(c, -ELOOP, "copy");
	r = fs_list(from_fd, ".", &names);
	if (r < 0)
		return failed(c, r, "read directory");
	for (size_t i = 0; i < names.n; i++) {
		strbuf_addf(&c->path, "%s%s", len ? "/" : "", names.v[i]);
		r = copy_entry(c, from_fd, to_fd, names.v[i], depth);
		if (r < 0)
			return r;
		strbuf_truncate(&c->path, len);
	}
	return 0;
}

int tmpcopyup(int from_fd, int to_fd, struct err *err)
{
	auto_close int from_dir_fd = fd_open_at(from_fd, ".", O_RDONLY | O_DIRECTORY, 0);
	auto_close int to_dir_fd = fd_open_at(to_fd, ".", O_RDONLY | O_DIRECTORY, 0);
	struct copy c = { .path = STRBUF_INIT, .err = err };
	struct stat st;
	int r;

	if (from_dir_fd < 0 || to_dir_fd < 0)
		return err_sys(err, from_dir_fd < 0 ? from_dir_fd : to_dir_fd, "open directory");
	if (fstat(from_dir_fd, &st) < 0)
		return err_sys(err, -errno, "examine directory");
	c.dev = st.st_dev;
	r = copy_directory(&c, from_dir_fd, to_dir_fd, DEPTH_MAX);
	strbuf_done(&c.path);
	return r;
}
