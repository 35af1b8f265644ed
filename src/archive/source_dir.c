/* SPDX-License-Identifier: Apache-2.0 */
/* A checkpoint archive that is a plain directory. */
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive/reader_internal.h"
#include "core/alloc.h"
#include "core/fd.h"
#include "core/fs.h"
#include "core/str.h"
#include "core/strvec.h"

#define DEPTH_MAX 64

struct source_dir {
	int fd;
	char *name;
	struct strvec paths;
	size_t next;
};

static int collect(struct source_dir *dir, int fd, const char *path, unsigned int depth)
{
	auto_strvec struct strvec names = STRVEC_INIT;
	int r = fs_list(fd, ".", &names);

	if (depth > DEPTH_MAX)
		return -ELOOP;
	for (size_t i = 0; r == 0 && i < names.n; i++) {
		auto_free char *child = *path ? xasprintf("%s/%s", path, names.v[i]) :
						xstrdup(names.v[i]);
		auto_close int child_fd = -EBADF;
		struct stat st;

		if (dir->paths.n >= MEMBERS_MAX)
			return -E2BIG;
		strvec_add(&dir->paths, child);
		if (fstatat(fd, names.v[i], &st, AT_SYMLINK_NOFOLLOW) < 0)
			return -errno;
		if (!S_ISDIR(st.st_mode))
			continue;
		child_fd = fd_open_at(fd, names.v[i], O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
		r = child_fd < 0 ? child_fd : collect(dir, child_fd, child, depth + 1);
	}
	return r;
}

static bool is_document(const char *path)
{
	struct err ignored = ERR_INIT;
	enum archive_member_kind kind;
	uint64_t max;

	return archive_member_classify(path, ARCHIVE_REGULAR, NULL, &kind, &max, &ignored) == 0 &&
	       kind < ARCHIVE_DOCUMENT_MAX_;
}

/* As in an archive of ours: the documents first. */
static void sort_documents(struct strvec *paths)
{
	struct strvec sorted = STRVEC_INIT;

	for (int pass = 0; pass < 2; pass++)
		for (size_t i = 0; i < paths->n; i++)
			if (is_document(paths->v[i]) == (pass == 0))
				strvec_add(&sorted, paths->v[i]);
	strvec_done(paths);
	*paths = sorted;
}

int source_dir_new(struct source_dir **ret, int fd, const char *name, struct err *err)
{
	struct source_dir *dir = xcalloc(1, sizeof(*dir));
	int r;

	dir->fd = fd;
	dir->name = xstrdup(name);
	r = collect(dir, fd, "", 0);
	if (r < 0) {
		source_dir_free(dir);
		return err_sys(err, r, "read directory '%s'", name);
	}
	sort_documents(&dir->paths);
	*ret = dir;
	return 0;
}

void source_dir_free(struct source_dir *dir)
{
	if (!dir)
		return;
	close_fd(&dir->fd);
	strvec_done(&dir->paths);
	free(dir->name);
	free(dir);
}

void source_dir_rewind(struct source_dir *dir)
{
	dir->next = 0;
}

static int read_link(int fd, const char *path, char **ret)
{
	char target[4096];
	ssize_t len = readlinkat(fd, path, target, sizeof(target) - 1);

	if (len < 0)
		return -errno;
	*ret = xstrndup(target, (size_t)len);
	return 0;
}

int source_dir_next(struct source_dir *dir, const char **ret_name,
		    enum archive_member_type *ret_type, uint64_t *ret_size, char **ret_link,
		    int *ret_fd, struct err *err)
{
	const char *path;
	struct stat st;
	int fd = -EBADF;
	int r = 0;

	if (dir->next >= dir->paths.n)
		return 0;
	path = dir->paths.v[dir->next++];
	*ret_link = NULL;
	if (fstatat(dir->fd, path, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(err, -errno, "read '%s/%s'", dir->name, path);
	if (S_ISREG(st.st_mode)) {
		fd = fd_open_at(dir->fd, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);
		if (fd < 0 || fstat(fd, &st) < 0)
			r = fd < 0 ? fd : -errno;
	} else if (S_ISLNK(st.st_mode)) {
		r = read_link(dir->fd, path, ret_link);
	} else if (!S_ISDIR(st.st_mode)) {
		return err_set(err, ERR_INVALID,
			       "read '%s/%s': a special file does not belong there", dir->name,
			       path);
	}
	if (r < 0) {
		close_fd(&fd);
		return err_sys(err, r, "read '%s/%s'", dir->name, path);
	}
	*ret_name = path;
	*ret_type = fd >= 0 ? ARCHIVE_REGULAR : *ret_link ? ARCHIVE_SYMLINK : ARCHIVE_DIRECTORY;
	*ret_size = fd >= 0 ? (uint64_t)st.st_size : 0;
	*ret_fd = fd;
	return 1;
}
