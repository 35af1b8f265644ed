/* SPDX-License-Identifier: Apache-2.0 */
#include "core/rooted.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>

#include "core/alloc.h"
#include "core/fault.h"
#include "core/fd.h"
#include "core/strbuf.h"

/* openat2(2) answers EAGAIN when a rename or mount anywhere on the system disturbed the resolution
 * of a ".."; then try again, and in the end walk, which is never disturbed. */
#define OPENAT2_TRIES 64
/* As the kernel's own limit. */
#define SYMLINKS_MAX 40
/* The inode of a procfs' root directory (PROCFS_ROOT_INO in the kernel since 6.17, 1 ever before). */
#define PROC_ROOT_INODE 1

static bool openat2_disabled;

void rooted_disable_openat2(bool disable)
{
	openat2_disabled = disable;
}

int rooted_open(struct rooted *ret, int dir_fd, const char *path)
{
	int fd = fd_open_at(dir_fd, path, O_PATH | O_DIRECTORY, 0);

	if (fd < 0)
		return fd;
	ret->fd = fd;
	return 0;
}

void rooted_from_fd(struct rooted *ret, int fd)
{
	ret->fd = fd;
}

void rooted_close(struct rooted *root)
{
	close_fd(&root->fd);
}

/*
 * The walk: a stack of the directories that were entered below the root, so that ".." goes back to
 * where we came from, whatever was renamed meanwhile.
 */
struct walk_step {
	int fd; /* O_PATH; -EBADF below a component that does not exist */
	char *name;
};

struct walk {
	const struct rooted *root;
	struct walk_step *steps;
	size_t n;
	char *rest; /* what is still to be resolved */
	unsigned int n_links;
	bool follow_last;
	bool accept_missing; /* go on by text where nothing exists */
};

static int walk_top(const struct walk *w)
{
	return w->n ? w->steps[w->n - 1].fd : w->root->fd;
}

static void walk_push(struct walk *w, int fd, char *name)
{
	struct walk_step *step = array_push(w->steps, w->n);

	step->fd = fd;
	step->name = name;
}

static void walk_pop_to(struct walk *w, size_t n)
{
	while (w->n > n) {
		struct walk_step *step = &w->steps[--w->n];

		close_fd(&step->fd);
		replace_ptr(step->name, NULL);
	}
}

static void walk_done(struct walk *w)
{
	walk_pop_to(w, 0);
	free(w->steps);
	free(w->rest);
}

DEFINE_AUTO_VAL(walk, struct walk, walk_done)

/* Cut the next component off; NULL when there is none. The caller owns it. */
static char *walk_next(struct walk *w, bool *ret_is_last)
{
	char *start = w->rest + strspn(w->rest, "/");
	size_t len = strcspn(start, "/");
	char *name;

	if (len == 0)
		return NULL;
	name = xstrndup(start, len);
	/* "a/" is a directory, so `a` is not the last component in the sense of O_NOFOLLOW. */
	*ret_is_last = start[len] == '\0';
	memmove(w->rest, start + len, strlen(start + len) + 1);
	return name;
}

/*
 * Whether a symlink is one that does not go by its text. Only procfs has such ones, everywhere but
 * in its root directory (self, thread-self, mounts, net).
 */
static int link_is_magic(int link_fd, int dir_fd)
{
	struct statfs fs;
	struct stat st;

	if (fstatfs(link_fd, &fs) < 0)
		return -errno;
	if (fs.f_type != PROC_SUPER_MAGIC)
		return 0;
	if (fstat(dir_fd, &st) < 0)
		return -errno;
	return st.st_ino != PROC_ROOT_INODE;
}

static int walk_follow(struct walk *w, int link_fd)
{
	char target[4096];
	ssize_t len;
	int r;

	if (++w->n_links > SYMLINKS_MAX)
		return -ELOOP;
	r = link_is_magic(link_fd, walk_top(w));
	if (r != 0)
		return r < 0 ? r : -ELOOP;
	len = readlinkat(link_fd, "", target, sizeof(target));
	if (len < 0)
		return -errno;
	if (len == 0 || (size_t)len == sizeof(target))
		return len ? -ENAMETOOLONG : -ENOENT;
	if (target[0] == '/')
		walk_pop_to(w, 0);
	replace_ptr(w->rest, xasprintf("%.*s%s%s", (int)len, target, *w->rest ? "/" : "", w->rest));
	return 0;
}

/* One named component; takes the name over. */
static int walk_enter(struct walk *w, char *name_, bool is_last)
{
	auto_free char *name = name_;
	auto_close int fd = -EBADF;
	struct stat st;

	fd = walk_top(w) < 0 ? -ENOENT : fd_open_at(walk_top(w), name, O_PATH | O_NOFOLLOW, 0);
	if (fd == -ENOENT && w->accept_missing) {
		walk_push(w, -EBADF, take_ptr(name));
		return 0;
	}
	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (S_ISLNK(st.st_mode) && (!is_last || w->follow_last))
		return walk_follow(w, fd);
	if (!S_ISDIR(st.st_mode) && !is_last)
		return -ENOTDIR;
	walk_push(w, take_fd(fd), take_ptr(name));
	return 0;
}

static int walk_run(struct walk *w, const char *path)
{
	bool is_last = false;
	char *name;

	if (!*path)
		return -ENOENT;
	w->rest = xstrdup(path);
	while ((name = walk_next(w, &is_last))) {
		int r = 0;

		if (strcmp(name, "..") == 0)
			walk_pop_to(w, w->n ? w->n - 1 : 0);
		else if (strcmp(name, ".") != 0)
			r = walk_enter(w, take_ptr(name), is_last);
		free(name);
		if (r < 0)
			return r;
	}
	return 0;
}

static int open_by_walk(const struct rooted *root, const char *path, int flags)
{
	auto_cleanup(walk_cleanup_val) struct walk w = {
		.root = root,
		.follow_last = !(flags & O_NOFOLLOW),
	};
	struct stat st;
	int r = walk_run(&w, path);

	if (r < 0)
		return r;
	if (w.n == 0)
		return fd_open_at(root->fd, ".", flags, 0);
	if (fstat(walk_top(&w), &st) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode))
		return fd_open_at(walk_top(&w), ".", flags, 0);
	if (flags & O_DIRECTORY)
		return -ENOTDIR;
	if (flags & O_PATH)
		return take_fd(w.steps[w.n - 1].fd);
	/* Whatever has taken the name meanwhile is in the same directory, and no symlink. */
	return fd_open_at(w.n > 1 ? w.steps[w.n - 2].fd : root->fd, w.steps[w.n - 1].name,
			  flags | O_NOFOLLOW, 0);
}

static int open_by_openat2(const struct rooted *root, const char *path, int flags)
{
	struct open_how how = {
		/* openat2() refuses O_NOCTTY beside O_PATH. */
		.flags = (uint64_t)(unsigned int)(flags | O_CLOEXEC |
						  (flags & O_PATH ? 0 : O_NOCTTY)),
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};

	if (openat2_disabled || fault_feature_is_disabled("openat2"))
		return -ENOSYS;
	for (int i = 0; i < OPENAT2_TRIES; i++) {
		long fd = syscall(SYS_openat2, root->fd, path, &how, sizeof(how));

		if (fd >= 0)
			return (int)fd;
		if (errno != EAGAIN && errno != EINTR)
			return -errno;
	}
	return -EAGAIN;
}

int rooted_openat(const struct rooted *root, const char *path, int flags)
{
	int fd;

	if (flags & (O_CREAT | O_TMPFILE) & ~O_DIRECTORY)
		return -EINVAL;
	fd = open_by_openat2(root, path, flags);
	/* EPERM is what old seccomp filters answer for a call they do not know; where it is the
	 * truth, the walk will say so too. */
	if (fd == -ENOSYS || fd == -EPERM || fd == -EAGAIN)
		return open_by_walk(root, path, flags);
	return fd;
}

/* The length of path without its last component and without the slashes before that. */
static size_t parent_len(const char *path, size_t len)
{
	while (len > 0 && path[len - 1] == '/')
		len--;
	while (len > 0 && path[len - 1] != '/')
		len--;
	while (len > 0 && path[len - 1] == '/')
		len--;
	return len;
}

/* The deepest existing directory of path; *ret_len is how much of path that is. */
static int open_existing(const struct rooted *root, const char *path, size_t *ret_len)
{
	size_t len = strlen(path);

	for (;;) {
		auto_free char *prefix = NULL;
		int fd;

		len = parent_len(path, len);
		if (len == 0) {
			*ret_len = 0;
			return rooted_openat(root, "/", O_PATH | O_DIRECTORY);
		}
		prefix = xstrndup(path, len);
		fd = rooted_openat(root, prefix, O_PATH | O_DIRECTORY);
		if (fd != -ENOENT) {
			*ret_len = len;
			return fd;
		}
	}
}

/* Make one directory and enter it. */
static int make_directory(int dir_fd, const char *name, mode_t mode)
{
	int fd;

	if (mkdirat(dir_fd, name, mode) < 0 && errno != EEXIST)
		return -errno;
	fd = fd_open_at(dir_fd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW, 0);
	/* Something is there after all although it could not be opened: a dangling symlink. */
	return fd == -ENOTDIR || fd == -ELOOP ? -ENOENT : fd;
}

int rooted_mkdir_all(const struct rooted *root, const char *path, mode_t mode)
{
	auto_close int fd = rooted_openat(root, path, O_PATH | O_DIRECTORY);
	const char *rest;
	size_t len;

	if (fd != -ENOENT || !*path)
		return take_fd(fd);
	fd = open_existing(root, path, &len);
	for (rest = path + len; fd >= 0; rest += len) {
		auto_free char *name = NULL;
		int next;

		rest += strspn(rest, "/");
		len = strcspn(rest, "/");
		if (len == 0)
			break;
		name = xstrndup(rest, len);
		if (strcmp(name, ".") == 0)
			continue;
		/* Of something that does not exist there is no parent either. */
		if (strcmp(name, "..") == 0)
			return -ENOENT;
		next = make_directory(fd, name, mode);
		close_fd(&fd);
		fd = next;
	}
	return take_fd(fd);
}

int rooted_open_parent(const struct rooted *root, const char *path, mode_t mode, char **ret_name)
{
	size_t end = strlen(path);
	size_t len;
	auto_free char *name = NULL;
	auto_free char *parent = NULL;
	int fd;

	while (end > 0 && path[end - 1] == '/')
		end--;
	len = parent_len(path, end);
	for (const char *p = path + len; p < path + end; p++) {
		if (*p != '/') {
			name = xstrndup(p, (size_t)(path + end - p));
			break;
		}
	}
	if (!name || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return -EINVAL;
	parent = len ? xstrndup(path, len) : xstrdup("/");
	fd = rooted_mkdir_all(root, parent, mode);
	if (fd >= 0)
		*ret_name = take_ptr(name);
	return fd;
}

int rooted_create_file(const struct rooted *root, const char *path, mode_t mode)
{
	auto_close int fd = rooted_openat(root, path, O_PATH);
	auto_close int parent_fd = -EBADF;
	auto_free char *name = NULL;
	struct stat st;

	if (fd != -ENOENT)
		return take_fd(fd);
	parent_fd = rooted_open_parent(root, path, 0755, &name);
	if (parent_fd < 0)
		return parent_fd;
	if (mknodat(parent_fd, name, S_IFREG | mode, 0) < 0 && errno != EEXIST)
		return -errno;
	fd = fd_open_at(parent_fd, name, O_PATH | O_NOFOLLOW, 0);
	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		return -errno;
	return S_ISLNK(st.st_mode) ? -ENOENT : take_fd(fd);
}

char *rooted_resolve(const struct rooted *root, const char *path)
{
	auto_cleanup(walk_cleanup_val) struct walk w = {
		.root = root,
		.follow_last = true,
		.accept_missing = true,
	};
	auto_strbuf struct strbuf sb = STRBUF_INIT;
	int r = walk_run(&w, path);

	if (r < 0) {
		errno = -r;
		return NULL;
	}
	for (size_t i = 0; i < w.n; i++)
		strbuf_addf(&sb, "/%s", w.steps[i].name);
	return sb.len ? strbuf_take(&sb) : xstrdup("/");
}
