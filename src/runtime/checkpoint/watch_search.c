/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/checkpoint/watch_search.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "core/alloc.h"
#include "core/fd.h"
#include "core/str.h"
#include "core/strbuf.h"
#include "kernel/procfs_task.h"
#include "runtime/cgroup/backend.h"

/* Directory entries that one search may look at: some 500 ms. */
#define SEARCH_MAX 500000
#define DEPTH_MAX 64

/* A file that is watched, and that cannot be opened by its handle. */
struct target {
	unsigned int dev_major;
	unsigned int dev_minor;
	uint64_t ino;
	const char *fs_type; /* borrowed from the mounts */
	char *path; /* NULL: not found */
	bool by_criu; /* CRIU looks there by itself */
};

/* All at once, so that many watches take one walk. */
struct search {
	struct target *targets; /* in order of compare_targets() */
	size_t n_targets;
	size_t n_left; /* without a path */
	size_t budget;
	struct strbuf path; /* where the search is */
};

static int compare_targets(const void *a, const void *b)
{
	const struct target *x = a;
	const struct target *y = b;

	if (x->ino != y->ino)
		return x->ino < y->ino ? -1 : 1;
	if (x->dev_major != y->dev_major)
		return x->dev_major < y->dev_major ? -1 : 1;
	return (x->dev_minor > y->dev_minor) - (x->dev_minor < y->dev_minor);
}

/* Note the place of what is searched for. Whether nothing is left to search for. */
static bool note(struct search *search, const struct stat *st)
{
	struct target key = {
		.dev_major = major(st->st_dev),
		.dev_minor = minor(st->st_dev),
		.ino = st->st_ino,
	};
	struct target *t = bsearch(&key, search->targets, search->n_targets,
				   sizeof(*search->targets), compare_targets);

	if (t && !t->path) {
		/* CRIU looks a path up behind its first character, and nothing is not the root. */
		t->path = xstrdup(search->path.len ? search->path.buf : "/.");
		search->n_left--;
	}
	return search->n_left == 0;
}

static bool has_device(const struct search *search, const struct stat *st)
{
	for (size_t i = 0; i < search->n_targets; i++)
		if (major(st->st_dev) == search->targets[i].dev_major &&
		    minor(st->st_dev) == search->targets[i].dev_minor)
			return true;
	return false;
}

/* Look at all that is below dir_fd (taken over). Whether nothing is left to search for. */
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
		if (note(search, &st))
			return true;
		/* What is on another file system has nothing of this one below it. */
		if (S_ISDIR(st.st_mode) && has_device(search, &st)) {
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
	if (note(search, &st))
		return true;
	if (!S_ISDIR(st.st_mode))
		return false;
	dir_fd = fd_reopen(fd, O_RDONLY | O_DIRECTORY);
	return dir_fd >= 0 && search_below(search, take_fd(dir_fd), 0);
}

/* Where CRIU looks: what its configuration names, then directories of its own choice (irmap.c). */
static bool search_as_criu(struct search *search, const struct watch_view *view)
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
	const struct strvec *paths = view->scan_paths;

	for (size_t i = 0; paths && i < paths->n; i++)
		if (search_at(search, view->root, paths->v[i]))
			return true;
	for (size_t i = 0; i < ARRAY_SIZE(hints); i++)
		if (search_at(search, view->root, hints[i]))
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

static bool can_open(const struct watch_view *view, const struct procfs_watch *w)
{
	for (size_t i = 0; w->handle_len && i < view->mounts->n; i++) {
		const struct mountinfo_entry *m = &view->mounts->v[i];

		if (m->major == w->major && m->minor == w->minor &&
		    can_open_at(view->root, m->mount_point, w))
			return true;
	}
	return false;
}

static const char *fs_type_of(const struct watch_view *view, const struct procfs_watch *w)
{
	for (size_t i = 0; i < view->mounts->n; i++)
		if (view->mounts->v[i].major == w->major && view->mounts->v[i].minor == w->minor)
			return view->mounts->v[i].fs_type;
	return NULL;
}

static void run(struct search *search, const struct watch_view *view)
{
	bool is_done;

	search->n_left = search->n_targets;
	search->budget = SEARCH_MAX;
	is_done = search_as_criu(search, view);
	for (size_t i = 0; i < search->n_targets; i++)
		search->targets[i].by_criu = search->targets[i].path;
	search->budget = SEARCH_MAX;
	if (!is_done)
		(void)search_at(search, view->root, "/");
	strbuf_done(&search->path);
}

static enum watch_place place_of(const struct target *t)
{
	if (t->by_criu)
		return WATCH_BY_CRIU;
	/* What procfs has under a name is another thing after a restore. */
	return t->path && !str_eq(t->fs_type, "proc") ? WATCH_BY_PATH : WATCH_LOST;
}

static struct target target_of(const struct procfs_watch *w, const char *fs_type)
{
	return (struct target){
		.dev_major = w->major,
		.dev_minor = w->minor,
		.ino = w->ino,
		.fs_type = fs_type,
	};
}

enum watch_place watch_search(const struct watch_view *view, const struct procfs_watch *w,
			      const char **ret_fs_type, char **ret_path)
{
	struct target target;
	struct search search = { .targets = &target, .n_targets = 1, .path = STRBUF_INIT };

	*ret_fs_type = NULL;
	*ret_path = NULL;
	if (can_open(view, w))
		return WATCH_BY_HANDLE;
	*ret_fs_type = fs_type_of(view, w);
	if (!*ret_fs_type)
		return WATCH_LOST;
	target = target_of(w, *ret_fs_type);
	run(&search, view);
	*ret_path = target.path;
	return place_of(&target);
}

static bool is_watching(const struct procfs_task *task, const char *descriptor)
{
	auto_free char *link = procfs_task_readlink(task, descriptor);

	return link && str_has_prefix(link, "anon_inode:") &&
	       (strstr(link, "inotify") || strstr(link, "fanotify"));
}

static void add_targets(struct search *search, const struct watch_view *view,
			const struct procfs_fdinfo *info)
{
	for (size_t i = 0; i < info->n_watches; i++) {
		const struct procfs_watch *w = &info->watches[i];
		const char *fs_type = NULL;

		if (!w->of_file_system && !w->of_mount)
			fs_type = fs_type_of(view, w);
		if (fs_type && !can_open(view, w))
			*array_push(search->targets, search->n_targets) = target_of(w, fs_type);
	}
}

static void add_process(struct search *search, const struct watch_view *view,
			const struct procfs_task *task)
{
	auto_procfs_numbers struct procfs_numbers fds = PROCFS_NUMBERS_INIT;

	if (procfs_task_list(task, "fd", &fds) < 0)
		return;
	for (size_t i = 0; i < fds.n; i++) {
		auto_procfs_fdinfo struct procfs_fdinfo info = PROCFS_FDINFO_INIT;
		auto_free char *descriptor = xasprintf("fd/%d", fds.v[i]);
		auto_free char *path = xasprintf("fdinfo/%d", fds.v[i]);

		if (is_watching(task, descriptor) && procfs_fdinfo_read(&info, task->fd, path) == 0)
			add_targets(search, view, &info);
	}
}

/* Each once. */
static void sort_targets(struct search *search)
{
	size_t n = 0;

	if (search->n_targets)
		qsort(search->targets, search->n_targets, sizeof(*search->targets),
		      compare_targets);
	for (size_t i = 0; i < search->n_targets; i++)
		if (n == 0 || compare_targets(&search->targets[n - 1], &search->targets[i]) != 0)
			search->targets[n++] = search->targets[i];
	search->n_targets = n;
}

/* A directory comes after what is below it, so that CRIU does not walk it in search of that. */
static int compare_length(const void *a, const void *b)
{
	size_t len_a = strlen(*(char *const *)a);
	size_t len_b = strlen(*(char *const *)b);

	if (len_a != len_b)
		return len_a > len_b ? -1 : 1;
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* What was found, when CRIU would not find one of them by itself. */
static void add_paths(const struct search *search, struct strvec *ret)
{
	auto_strvec struct strvec found = STRVEC_INIT;
	bool is_needed = false;

	for (size_t i = 0; i < search->n_targets; i++) {
		enum watch_place place = place_of(&search->targets[i]);

		is_needed |= place == WATCH_BY_PATH;
		if (place != WATCH_LOST)
			strvec_add(&found, search->targets[i].path);
	}
	if (!is_needed)
		return;
	qsort(found.v, found.n, sizeof(found.v[0]), compare_length);
	strvec_add_all(ret, found.v, found.n);
}

void watch_paths_collect(struct strvec *ret, pid_t init, struct cgroup *cg)
{
	auto_procfs struct procfs proc = PROCFS_INIT;
	auto_procfs_task struct procfs_task task = PROCFS_TASK_INIT;
	auto_mountinfo struct mountinfo mounts = MOUNTINFO_INIT;
	auto_rooted struct rooted root = ROOTED_INIT;
	auto_cgroup_pids struct cgroup_pids pids = { 0 };
	struct watch_view view = { .root = &root, .mounts = &mounts };
	struct search search = { .path = STRBUF_INIT };

	if (procfs_open(&proc, NULL) < 0 || procfs_task_open(&task, &proc, init) < 0 ||
	    mountinfo_read(&mounts, task.fd, "mountinfo") < 0 ||
	    rooted_open(&root, task.fd, "root") < 0 || cgroup_pids(cg, &pids, NULL) < 0)
		return;
	for (size_t i = 0; i < pids.n; i++) {
		auto_procfs_task struct procfs_task each = PROCFS_TASK_INIT;

		if (procfs_task_open(&each, &proc, pids.v[i]) == 0)
			add_process(&search, &view, &each);
	}
	sort_targets(&search);
	if (search.n_targets > 0)
		run(&search, &view);
	add_paths(&search, ret);
	for (size_t i = 0; i < search.n_targets; i++)
		free(search.targets[i].path);
	free(search.targets);
}
