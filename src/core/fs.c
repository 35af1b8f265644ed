/* SPDX-License-Identifier: Apache-2.0 */
#include "core/fs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/alloc.h"
#include "core/fd.h"
#include "core/io.h"
#include "core/str.h"
#include "core/strvec.h"

/* Deeper trees than this are not ours. */
#define REMOVE_DEPTH_MAX 256

static int mkdir_one(int dir_fd, const char *path, mode_t mode)
{
	struct stat st;

	if (mkdirat(dir_fd, path, mode) == 0)
		return 0;
	if (errno != EEXIST)
		return -errno;
	if (fstatat(dir_fd, path, &st, 0) < 0)
		return -errno;
	return S_ISDIR(st.st_mode) ? 0 : -ENOTDIR;
}

int fs_mkdir_all(int dir_fd, const char *path, mode_t parent_mode, mode_t mode)
{
	auto_free char *copy = xstrdup(path);
	int r = mkdir_one(dir_fd, path, mode);

	if (r != -ENOENT)
		return r;
	for (char *slash = copy + 1; *copy && (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		r = mkdir_one(dir_fd, copy, parent_mode);
		*slash = '/';
		if (r < 0)
			return r;
	}
	return mkdir_one(dir_fd, path, mode);
}

static int write_file(int fd, const void *data, size_t len, enum fs_durability durability)
{
	int r = io_write_all(fd, data, len);

	if (r < 0)
		return r;
	if (durability == FS_DURABLE && fsync(fd) < 0)
		return -errno;
	return 0;
}

int fs_write_atomic(int dir_fd, const char *name, const void *data, size_t len, mode_t mode,
		    enum fs_durability durability)
{
	const char *slash = strrchr(name, '/');
	int dir_len = slash ? (int)(slash - name + 1) : 0;
	/* The pid makes the name ours alone; a leftover of a crash is overwritten by truncation. */
	auto_free char *temporary =
		xasprintf("%.*s.%s.%d~", dir_len, name, name + dir_len, getpid());
	auto_close int fd =
		fd_open_at(dir_fd, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, mode);
	int r;

	if (fd < 0)
		return fd;
	r = write_file(fd, data, len, durability);
	if (r == 0 && renameat(dir_fd, temporary, dir_fd, name) < 0)
		r = -errno;
	if (r < 0) {
		(void)unlinkat(dir_fd, temporary, 0);
		return r;
	}
	if (durability == FS_DURABLE) {
		auto_free char *dir = xasprintf("%.*s.", dir_len, name);
		auto_close int parent_fd = fd_open_at(dir_fd, dir, O_RDONLY | O_DIRECTORY, 0);

		if (parent_fd < 0)
			return parent_fd;
		if (fsync(parent_fd) < 0)
			return -errno;
	}
	return 0;
}

int fs_write_output(const char *path, const void *data, size_t len, mode_t mode)
{
	auto_close int fd = -EBADF;
	struct stat st;

	if (lstat(path, &st) < 0 || S_ISREG(st.st_mode))
		return fs_write_atomic(AT_FDCWD, path, data, len, mode, FS_VOLATILE);
	/* The kernel follows the link: also /proc/self/fd/1, and none that protected_symlinks guards against. */
	fd = fd_open_at(AT_FDCWD, path, O_WRONLY | O_TRUNC | (S_ISLNK(st.st_mode) ? O_CREAT : 0),
			mode);
	return fd < 0 ? fd : io_write_all(fd, data, len);
}

void fs_remove_output(const char *path)
{
	struct stat st;

	if (lstat(path, &st) == 0 && S_ISREG(st.st_mode))
		(void)unlink(path);
}

static int remove_tree(int dir_fd, const char *name, int depth)
{
	auto_close int fd = -EBADF;
	auto_closedir DIR *dir = NULL;
	struct dirent *entry;

	if (unlinkat(dir_fd, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return -errno;
	if (depth == 0)
		return -ELOOP;
	fd = fd_open_at(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
	if (fd < 0)
		return fd;
	dir = fdopendir(fd);
	if (!dir)
		return -errno;
	(void)take_fd(fd);
	while ((entry = readdir(dir))) {
		int r;

		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		r = remove_tree(dirfd(dir), entry->d_name, depth - 1);
		if (r < 0)
			return r;
	}
	if (unlinkat(dir_fd, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
		return -errno;
	return 0;
}

int fs_remove_tree(int dir_fd, const char *name)
{
	return remove_tree(dir_fd, name, REMOVE_DEPTH_MAX);
}

bool fs_exists(int dir_fd, const char *path)
{
	struct stat st;

	return fstatat(dir_fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

bool fs_is_same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

int fs_list(int dir_fd, const char *path, struct strvec *ret)
{
	auto_close int fd = fd_open_at(dir_fd, path, O_RDONLY | O_DIRECTORY, 0);
	auto_closedir DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;

	if (!dir)
		return fd < 0 ? fd : -errno;
	(void)take_fd(fd);
	while (errno = 0, (entry = readdir(dir)))
		if (!str_eq(entry->d_name, ".") && !str_eq(entry->d_name, ".."))
			strvec_add(ret, entry->d_name);
	if (errno)
		return -errno;
	strvec_sort(ret);
	return 0;
}

int fs_list_paths(const char *dir, const char *suffix, struct strvec *ret)
{
	auto_strvec struct strvec names = STRVEC_INIT;
	int r = fs_list(AT_FDCWD, dir, &names);

	for (size_t i = 0; r == 0 && i < names.n; i++)
		if (str_has_suffix(names.v[i], suffix))
			strvec_addf(ret, "%s/%s", dir, names.v[i]);
	return r;
}
