/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/copy_tree.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/auto.h"
#include "core/fd.h"
#include "core/fs.h"
#include "core/str.h"
#include "core/strbuf.h"
#include "core/strvec.h"

#define CHUNK ((size_t)1 << 30)
#define XATTR_NAMES_MAX 65536

/* The first name of a file that has several. */
struct copied_link {
	dev_t dev;
	ino_t ino;
	char *path; /* below to_root */
};

struct copy {
	int to_root;
	struct strbuf path; /* of the directory that is being copied, below to_root; "" or "a/b/" */
	struct copied_link *links;
	size_t n_links;
};

static int copy_dir(struct copy *x, int from, int to);

int copy_content(int from, int to, uint64_t limit)
{
	while (limit > 0) {
		size_t step = limit < CHUNK ? (size_t)limit : CHUNK;
		ssize_t n = copy_file_range(from, NULL, to, NULL, step, 0);

		if (n < 0 &&
		    (errno == EXDEV || errno == EINVAL || errno == ENOSYS || errno == EOPNOTSUPP))
			n = sendfile(to, from, NULL, step);
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n == 0)
			return 0;
		limit -= n > 0 ? (uint64_t)n : 0;
	}
	return 0;
}

/* What the target's file system does not know is left out. */
static void copy_xattrs(int from, int to)
{
	auto_free char *names = xmalloc(XATTR_NAMES_MAX);
	ssize_t n = flistxattr(from, names, XATTR_NAMES_MAX);

	for (ssize_t i = 0; i < n; i += (ssize_t)strlen(names + i) + 1) {
		auto_free char *value = xmalloc(XATTR_SIZE_MAX);
		ssize_t len = fgetxattr(from, names + i, value, XATTR_SIZE_MAX);

		if (len >= 0)
			(void)fsetxattr(to, names + i, value, (size_t)len, 0);
	}
}

/* chown(2) takes away the capabilities of a file, which are an attribute, and the bits of set-user-id. */
static int copy_attributes(int from, int to, const struct stat *st)
{
	const struct timespec times[2] = { st->st_atim, st->st_mtim };

	if (fchown(to, st->st_uid, st->st_gid) < 0)
		return -errno;
	copy_xattrs(from, to);
	return fchmod(to, st->st_mode & 07777) < 0 || futimens(to, times) < 0 ? -errno : 0;
}

/* 1: the file is a further name of one that has been copied, and is that now. */
static int copy_as_link(struct copy *x, int to_dir, const char *name, const struct stat *st)
{
	auto_free char *path = xasprintf("%s%s", x->path.len ? x->path.buf : "", name);

	for (size_t i = 0; i < x->n_links; i++)
		if (x->links[i].ino == st->st_ino && x->links[i].dev == st->st_dev)
			return linkat(x->to_root, x->links[i].path, to_dir, name, 0) < 0 ? -errno :
											   1;
	*array_push(x->links, x->n_links) =
		(struct copied_link){ st->st_dev, st->st_ino, take_ptr(path) };
	return 0;
}

static int copy_file(int from_dir, int to_dir, const char *name, const struct stat *st)
{
	auto_close int from = fd_open_at(from_dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);
	auto_close int to = fd_open_at(to_dir, name, O_WRONLY | O_CREAT | O_EXCL, 0600);
	int r = from < 0 ? from : to < 0 ? to : copy_content(from, to, UINT64_MAX);

	return r < 0 ? r : copy_attributes(from, to, st);
}

static int copy_link(int from_dir, int to_dir, const char *name)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(from_dir, name, target, sizeof(target) - 1);

	if (n < 0)
		return -errno;
	target[n] = '\0';
	return symlinkat(target, to_dir, name) < 0 ? -errno : 0;
}

static int copy_subdir(struct copy *x, int from_dir, int to_dir, const char *name,
		       const struct stat *st)
{
	auto_close int from = fd_open_at(from_dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
	auto_close int to = -EBADF;
	size_t mark;
	int r;

	if (from < 0)
		return from;
	if (mkdirat(to_dir, name, 0700) < 0)
		return -errno;
	to = fd_open_at(to_dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
	mark = x->path.len;
	strbuf_addf(&x->path, "%s/", name);
	r = to < 0 ? to : copy_dir(x, from, to);
	strbuf_truncate(&x->path, mark);
	return r < 0 ? r : copy_attributes(from, to, st);
}

/* Devices and pipes. The mode that mknod(2) is given lacks what our umask forbids. */
static int copy_node(int to_dir, const char *name, const struct stat *st)
{
	auto_close int fd = -EBADF;

	if (mknodat(to_dir, name, st->st_mode, st->st_rdev) < 0)
		return -errno;
	fd = fd_open_at(to_dir, name, O_PATH | O_NOFOLLOW, 0);
	if (fd < 0)
		return fd;
	if (fchownat(fd, "", st->st_uid, st->st_gid, AT_EMPTY_PATH) < 0 ||
	    chmod(fd_path(fd).text, st->st_mode & 07777) < 0)
		return -errno;
	return 0;
}

static int copy_entry(struct copy *x, int from, int to, const char *name)
{
	struct stat st;
	int r;

	if (fstatat(from, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (!S_ISDIR(st.st_mode) && !S_ISSOCK(st.st_mode) && st.st_nlink > 1) {
		r = copy_as_link(x, to, name, &st);
		if (r != 0)
			return r < 0 ? r : 0;
	}
	if (S_ISREG(st.st_mode))
		return copy_file(from, to, name, &st);
	if (S_ISDIR(st.st_mode))
		return copy_subdir(x, from, to, name, &st);
	if (S_ISSOCK(st.st_mode))
		return 0;
	if (!S_ISLNK(st.st_mode))
		return copy_node(to, name, &st);
	r = copy_link(from, to, name);
	if (r == 0 && fchownat(to, name, st.st_uid, st.st_gid, AT_SYMLINK_NOFOLLOW) < 0)
		r = -errno;
	return r;
}

static int copy_dir(struct copy *x, int from, int to)
{
	auto_strvec struct strvec names = STRVEC_INIT;
	int r = fs_list(from, ".", &names);

	for (size_t i = 0; r == 0 && i < names.n; i++)
		r = copy_entry(x, from, to, names.v[i]);
	return r;
}

int copy_tree(int from_fd, int to_fd)
{
	auto_close int from = fd_reopen(from_fd, O_RDONLY | O_DIRECTORY);
	auto_close int to = fd_reopen(to_fd, O_RDONLY | O_DIRECTORY);
	struct copy x = { .to_root = to };
	int r;

	if (from < 0)
		return from;
	r = to < 0 ? to : copy_dir(&x, from, to);
	for (size_t i = 0; i < x.n_links; i++)
		free(x.links[i].path);
	free(x.links);
	strbuf_done(&x.path);
	return r;
}

int copy_tree_whole(int from_fd, int to_fd)
{
	auto_close int from = fd_reopen(from_fd, O_RDONLY | O_DIRECTORY);
	auto_close int to = fd_reopen(to_fd, O_RDONLY | O_DIRECTORY);
	struct stat st;
	int r;

	if (from < 0 || to < 0)
		return from < 0 ? from : to;
	if (fstat(from, &st) < 0)
		return -errno;
	r = copy_tree(from, to);
	if (r < 0)
		return r;
	return copy_attributes(from, to, &st);
}
