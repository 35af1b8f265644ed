/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CRIU finds what an inotify watch is on by the file handle that the kernel tells, or, where the file
 * system cannot open by handle (overlay, proc, sysfs), by walking some directories and comparing inode
 * numbers. Both are done here the same way. When CRIU's directories do not have it, all of the root is
 * searched, so that the path can be named; CRIU can be told to look there.
 */
#include "runtime/checkpoint/preflight_collect.h"

#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "core/alloc.h"
#include "core/fd.h"
#include "core/str.h"
#include "kernel/procfs_fdinfo.h"

/* Directory entries that one search may look at: some 50 ms. */
#define SEARCH_MAX 50000
#define DEPTH_MAX 64

struct search {
	unsigned int dev_major;
	unsigned int dev_minor;
	uint64_t ino;
	size_t budget;
	struct strbuf path; /* where the search is, and what it found */
};

static bool matches(const struct search *search, const struct stat *st)
{
	return st->st_ino == search->ino && major(st->st_dev) == search->dev_major &&
	       minor(st->st_dev) == search->dev_minor;
}

/* Whether it is dir_fd (taken over) itself or below it; then search->path names it. */
static bool search_below(struct search *search, int dir_fd, int depth)
{
	auto_close int fd = dir_fd;
	auto_closedir DIR *dir = NULL;
	size_t len = search->path.len;
	struct dirent *entry;

	dir = depth < DEPTH_MAX ? fdopendir(fd) : NULL;
	if (!dir)
		return false;
	(void)take_fd(fd);
	while (search->budget > 0 && (entry = readdir(dir))) {
		struct stat st;
		int child;

		if (str_eq(entry->d_name, ".") || str_eq(entry->d_name, ".."))
			continue;
		search->budget--;
		if (fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		strbuf_addf(&search->path, "/%s", entry->d_name);
		if (matches(search, &st))
			return true;
		/* What is on another file system has nothing of this one below it. */
		if (S_ISDIR(st.st_mode) && major(st.st_dev) == search->dev_major &&
		    minor(st.st_dev) == search->dev_minor) {
			child = fd_open_at(dirfd(dir), entry->d_name,
					   O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
			if (child >= 0 && search_below(search, child, depth + 1))
				return true;
		}
		strbuf_truncate(&search->path, len);
	}
	return false;
}

static bool search_at(struct search *search, const struct rooted *root, const char *path)
{
	auto_close int fd = rooted_openat(root, path, O_PATH | O_NOFOLLOW);
	auto_close int dir_fd = -EBADF;
	struct stat st;

	strbuf_clear(&search->path);
	if (strcmp(path, "/") != 0)
		strbuf_adds(&search->path, path);
	if (fd < 0 || fstat(fd, &st) < 0)
		return false;
	if (matches(search, &st))
		return true;
	if (!S_ISDIR(st.st_mode))
		return false;
	dir_fd = fd_reopen(fd, O_RDONLY | O_DIRECTORY);
	return dir_fd >= 0 && search_below(search, take_fd(dir_fd), 0);
}

/* Where CRIU looks: what its configuration names, then directories of its own choice (irmap.c). */
static bool search_as_criu(struct search *search, const struct preflight_collector *k)
{
	static const char *const hints[] = {
		"/etc",
		"/var/spool",
		"/var/log",
		"/usr/share/dbus-1/system-services",
		"/var/lib/polkit-1/localauthority",
		"/usr/share/polkit-1/actions",
		"/lib/udev",
	};
	const struct strvec *paths = &k->s->options.scan_paths;

	for (size_t i = 0; i < paths->n; i++)
		if (search_at(search, &k->roots[0], paths->v[i]))
			return true;
	for (size_t i = 0; i < ARRAY_SIZE(hints); i++)
		if (search_at(search, &k->roots[0], hints[i]))
			return true;
	return false;
}

static bool can_open_at(const struct rooted *root, const char *mount_point,
			const struct procfs_watch *w)
{
	/* file_handle has its bytes behind it. */
	union {
		struct file_handle handle;
		char space[sizeof(struct file_handle) + PROCFS_HANDLE_MAX];
	} u = { .handle = { .handle_bytes = (unsigned int)w->handle_len,
			    .handle_type = (int)w->handle_type } };
	auto_close int mount_fd = rooted_openat(root, mount_point, O_RDONLY | O_DIRECTORY);
	auto_close int fd = -EBADF;

	if (mount_fd < 0)
		return false;
	memcpy(u.handle.f_handle, w->handle, w->handle_len);
	fd = open_by_handle_at(mount_fd, &u.handle, O_PATH | O_CLOEXEC);
	return fd >= 0;
}

static bool can_open(const struct preflight_collector *k, const struct procfs_watch *w)
{
	const struct mountinfo *mounts = &k->s->mount_namespaces[0].mounts;

	for (size_t i = 0; w->handle_len && i < mounts->n; i++) {
		const struct mountinfo_entry *m = &mounts->v[i];

		if (m->major == w->major && m->minor == w->minor &&
		    can_open_at(&k->roots[0], m->mount_point, w))
			return true;
	}
	return false;
}

static const char *fs_type_of(const struct preflight_collector *k, const struct procfs_watch *w)
{
	const struct mountinfo *mounts = &k->s->mount_namespaces[0].mounts;

	for (size_t i = 0; i < mounts->n; i++)
		if (mounts->v[i].major == w->major && mounts->v[i].minor == w->minor)
			return mounts->v[i].fs_type;
	return NULL;
}

static void look_for(const struct preflight_collector *k, const struct procfs_watch *w,
		     struct preflight_watch *ret)
{
	struct search search = {
		.dev_major = w->major,
		.dev_minor = w->minor,
		.ino = w->ino,
		.budget = SEARCH_MAX,
		.path = STRBUF_INIT,
	};

	ret->fs_type = fs_type_of(k, w);
	if (ret->fs_type && search_as_criu(&search, k)) {
		ret->is_lost = false;
	} else {
		ret->is_lost = true;
		search.budget = SEARCH_MAX;
		if (ret->fs_type && search_at(&search, &k->roots[0], "/"))
			ret->path = strbuf_take(&search.path);
	}
	strbuf_done(&search.path);
}

void preflight_collect_watches(struct preflight_collector *k, struct preflight_file *file,
			       const struct procfs_fdinfo *info)
{
	for (size_t i = 0; k->n_roots && i < info->n_watches; i++) {
		const struct procfs_watch *w = &info->watches[i];
		struct preflight_watch found = { 0 };
		size_t ns;

		if (w->of_file_system)
			continue;
		if (w->of_mount)
			found.is_lost = !preflight_find_mount(k->s, w->mnt_id, &ns);
		else if (!can_open(k, w))
			look_for(k, w, &found);
		if (found.is_lost)
			*array_push(file->watches, file->n_watches) = found;
	}
}
