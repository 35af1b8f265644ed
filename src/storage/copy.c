/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/copy.h"

#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/fd.h"
#include "core/str.h"

#define XATTR_NAMES_MAX ((size_t)64 << 10)

static int copy_xattrs(const char *from, const char *to)
{
	auto_free char *names = xmalloc(XATTR_NAMES_MAX);
	auto_free char *value = xmalloc(XATTR_NAMES_MAX);
	ssize_t n = llistxattr(from, names, XATTR_NAMES_MAX);

	for (const char *name = names; n > 0 && name < names + n; name += strlen(name) + 1) {
		ssize_t len;

		if (str_has_prefix(name, "trusted.overlay."))
			continue;
		len = lgetxattr(from, name, value, XATTR_NAMES_MAX);
		if (len >= 0 && lsetxattr(to, name, value, (size_t)len, 0) < 0 && errno != ENOTSUP)
			return -errno;
	}
	return 0;
}

static int copy_attributes(const struct stat *st, const char *from, const char *to)
{
	struct timespec times[2] = { st->st_atim, st->st_mtim };

	if (lchown(to, st->st_uid, st->st_gid) < 0)
		return -errno;
	if (!S_ISLNK(st->st_mode) && chmod(to, st->st_mode & 07777) < 0)
		return -errno;
	if (copy_xattrs(from, to) < 0)
		return -errno;
	return utimensat(AT_FDCWD, to, times, AT_SYMLINK_NOFOLLOW) < 0 ? -errno : 0;
}

static int copy_runs(int from, int to, off_t size)
{
	off_t at = 0;

	if (ftruncate(to, size) < 0)
		return -errno;
	while (at < size) {
		off_t data = lseek(from, at, SEEK_DATA);
		off_t hole = data < 0 ? -1 : lseek(from, data, SEEK_HOLE);

		if (data < 0)
			return errno == ENXIO ? 0 : -errno;
		if (hole < 0 || lseek(to, data, SEEK_SET) < 0)
			return -errno;
		for (at = data; at < hole;) {
			ssize_t n = RETRY_EINTR(sendfile(to, from, &at, (size_t)(hole - at)));

			if (n <= 0)
				return n < 0 ? -errno : -EIO;
		}
	}
	return 0;
}

static int copy_file(const struct stat *st, const char *from, const char *to)
{
	auto_close int in = fd_open_at(AT_FDCWD, from, O_RDONLY | O_NOFOLLOW, 0);
	auto_close int out = fd_open_at(AT_FDCWD, to, O_WRONLY | O_CREAT | O_EXCL, 0600);

	if (in < 0 || out < 0)
		return in < 0 ? in : out;
	if (ioctl(out, FICLONE, in) == 0)
		return 0;
	return copy_runs(in, out, st->st_size);
}

static int copy_object(const struct stat *st, const char *from, const char *to)
{
	char target[4096];
	ssize_t len;

	switch (st->st_mode & S_IFMT) {
	case S_IFREG:
		return copy_file(st, from, to);
	case S_IFDIR:
		return mkdir(to, 0700) < 0 ? -errno : 0;
	case S_IFLNK:
		len = readlink(from, target, sizeof(target) - 1);
		if (len < 0)
			return -errno;
		target[len] = '\0';
		return symlink(target, to) < 0 ? -errno : 0;
	default:
		return mknod(to, st->st_mode & (S_IFMT | 0600), st->st_rdev) < 0 ? -errno : 0;
	}
}

/* Copies of inodes with several names, by the inode they are copies of. */
struct copies {
	struct copied {
		dev_t dev;
		ino_t ino;
		char *to;
	} * v;
	size_t n;
};

static const char *find_copy(const struct copies *copies, const struct stat *st)
{
	for (size_t i = 0; i < copies->n; i++)
		if (copies->v[i].ino == st->st_ino && copies->v[i].dev == st->st_dev)
			return copies->v[i].to;
	return NULL;
}

static int copy_below(const struct lower_dir *dir, const char *dest, struct copies *copies,
		      struct err *err);

static int copy_one(const struct lower_dir *dir, const char *name, const char *dest,
		    struct copies *copies, struct err *err)
{
	auto_free char *to = xasprintf("%s/%s", dest, name);
	auto_free char *from = NULL;
	auto_lower_dir struct lower_dir below = { 0 };
	const char *first = NULL;
	struct stat st;
	int r = lower_dir_entry(dir, name, &st, &from, &below);

	if (r <= 0)
		return r < 0 ? err_sys(err, r, "copy '%s'", to) : 0;
	if (!S_ISDIR(st.st_mode) && st.st_nlink > 1)
		first = find_copy(copies, &st);
	if (first)
		return link(first, to) < 0 ? err_sys(err, -errno, "link '%s' to '%s'", to, first) :
					     0;
	r = copy_object(&st, from, to);
	if (r < 0)
		return err_sys(err, r, "copy '%s' to '%s'", from, to);
	if (S_ISDIR(st.st_mode))
		r = copy_below(&below, to, copies, err);
	if (r < 0)
		return r;
	r = copy_attributes(&st, from, to);
	if (r < 0)
		return err_sys(err, r, "copy attributes of '%s' to '%s'", from, to);
	if (!S_ISDIR(st.st_mode) && st.st_nlink > 1) {
		struct copied *c = array_push(copies->v, copies->n);

		*c = (struct copied){ st.st_dev, st.st_ino, take_ptr(to) };
	}
	return 0;
}

static int copy_below(const struct lower_dir *dir, const char *dest, struct copies *copies,
		      struct err *err)
{
	auto_strvec struct strvec names = STRVEC_INIT;
	int r = lower_dir_names(dir, &names);

	if (r < 0)
		return err_sys(err, r, "read the layers for '%s'", dest);
	for (size_t i = 0; r == 0 && i < names.n; i++)
		r = copy_one(dir, names.v[i], dest, copies, err);
	return r;
}

int copy_lower_tree(const struct lower_dir *root, const char *dest, struct err *err)
{
	struct copies copies = { 0 };
	struct stat st;
	int r = copy_below(root, dest, &copies, err);

	for (size_t i = 0; i < copies.n; i++)
		free(copies.v[i].to);
	free(copies.v);
	if (r == 0 && root->paths.n && lstat(root->paths.v[0], &st) == 0) {
		r = copy_attributes(&st, root->paths.v[0], dest);
		if (r < 0)
			r = err_sys(err, r, "copy attributes to '%s'", dest);
	}
	return r;
}

int copy_sync(const char *dest, struct err *err)
{
	auto_close int fd = fd_open_at(AT_FDCWD, dest, O_RDONLY | O_DIRECTORY, 0);

	if (fd < 0 || syncfs(fd) < 0)
		return err_sys(err, fd < 0 ? fd : -errno, "write '%s' to disk", dest);
	return 0;
}
