/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/checkpoint/criu_home.h"

#include <linux/magic.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>

#include "core/alloc.h"
#include "core/fd.h"
#include "core/fs.h"
#include "core/io.h"
#include "core/log.h"
#include "core/path.h"
#include "core/strvec.h"
#include "kernel/syscalls.h"

#define RUN_DIRECTORY "/run"
#define CGROUP_DIRECTORY "/sys/fs/cgroup"
#define YARD_DIRECTORY ".cache/cgroup-yard"
/* The name by which CRIU looks for the tree of version 2. */
#define YARD_TREE "unified"
#define FEATURES_FILE "criu.kdat"
/* CRIU's is less than 4 KiB. */
#define FEATURES_MAX (256U << 10)

static bool is_file_system(const char *path, long magic)
{
	struct statfs fs;

	return statfs(path, &fs) == 0 && (long)fs.f_type == magic;
}

static void prepare_yard(struct criu_home *home, const char *root, int root_fd)
{
	int r;

	if (!is_file_system(CGROUP_DIRECTORY, CGROUP2_SUPER_MAGIC))
		return;
	r = fs_mkdir_all(root_fd, YARD_DIRECTORY, 0700, 0700);
	if (r == 0)
		home->yard = path_join(root, YARD_DIRECTORY);
	else
		log_debug("criu: no cgroup yard: %s", errno_text(r));
}

/* The features are those of a kernel and of what this very criu knows. */
static char *make_cache_name(const struct criu_location *criu)
{
	auto_free char *boot_id = io_read_line_at(AT_FDCWD, "/proc/sys/kernel/random/boot_id");
	struct stat st;

	if (!boot_id || stat(criu->path, &st) < 0)
		return NULL;
	return xasprintf(".cache/criu-%.36s-%lx-%lx-%llx.kdat", boot_id, (unsigned long)st.st_dev,
			 (unsigned long)st.st_ino, (unsigned long long)st.st_mtim.tv_sec);
}

/* Only a file that nobody else can have written. */
static int open_cache(int root_fd, const char *name)
{
	auto_close int fd = fd_open_at(root_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);
	struct stat st;

	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_uid != geteuid() || (st.st_mode & 077) ||
	    st.st_size > FEATURES_MAX)
		return -EPERM;
	return take_fd(fd);
}

void criu_home_prepare(struct criu_home *ret, const struct criu_location *criu, const char *root,
		       int root_fd)
{
	ret->is_apart = true;
	prepare_yard(ret, root, root_fd);
	if (is_file_system(RUN_DIRECTORY, TMPFS_MAGIC))
		return;
	ret->cache_name = make_cache_name(criu);
	if (!ret->cache_name)
		return;
	ret->is_private = true;
	ret->root_fd = root_fd;
	ret->cache_fd = open_cache(root_fd, ret->cache_name);
}

/* ---- in the process that becomes criu ---- */

/* Bind what is at from_fd/name into the new directory, as directory, file or copy of a symlink. */
static int carry_over(int from_fd, int to_fd, const char *name)
{
	auto_close int mount_fd = -EBADF;
	char target[4096];
	struct stat st;
	ssize_t len;

	if (strcmp(name, FEATURES_FILE) == 0 || strcmp(name, FEATURES_FILE ".tmp") == 0)
		return 0;
	if (fstatat(from_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (S_ISLNK(st.st_mode)) {
		len = readlinkat(from_fd, name, target, sizeof(target) - 1);
		if (len < 0)
			return -errno;
		target[len] = '\0';
		return symlinkat(target, to_fd, name) < 0 ? -errno : 0;
	}
	mount_fd = sys_open_tree(from_fd, name,
				 OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE |
					 AT_SYMLINK_NOFOLLOW);
	if (mount_fd < 0)
		return mount_fd == -ENOENT ? 0 : mount_fd;
	if (S_ISDIR(st.st_mode) ? mkdirat(to_fd, name, 0700) :
				  mknodat(to_fd, name, S_IFREG | 0600, 0))
		return -errno;
	return sys_move_mount(mount_fd, "", to_fd, name, MOVE_MOUNT_F_EMPTY_PATH);
}

static int carry_over_all(int from_fd, int to_fd)
{
	auto_strvec struct strvec names = STRVEC_INIT;
	int r = fs_list(from_fd, ".", &names);

	for (size_t i = 0; r == 0 && i < names.n; i++)
		r = carry_over(from_fd, to_fd, names.v[i]);
	return r;
}

static int copy_features(int cache_fd, int to_fd)
{
	auto_strbuf struct strbuf data = STRBUF_INIT;
	auto_close int fd = -EBADF;
	int r;

	if (cache_fd < 0)
		return 0;
	r = io_read_all(cache_fd, FEATURES_MAX, &data);
	if (r < 0)
		return r;
	fd = fd_open_at(to_fd, FEATURES_FILE, O_WRONLY | O_CREAT | O_EXCL, 0600);
	return fd < 0 ? fd : io_write_all(fd, data.buf, data.len);
}

static int make_yard(const char *path)
{
	auto_free char *tree = path_join(path, YARD_TREE);

	if (mount("tmpfs", path, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=700") < 0 ||
	    mkdir(tree, 0700) < 0 || mount(CGROUP_DIRECTORY, tree, NULL, MS_BIND, NULL) < 0)
		return -errno;
	return 0;
}

static int make_run(const struct criu_home *home)
{
	auto_close int from_fd = -EBADF;
	auto_close int to_fd = -EBADF;
	int r;

	from_fd = fd_open_at(AT_FDCWD, RUN_DIRECTORY, O_PATH | O_DIRECTORY, 0);
	if (from_fd < 0)
		return from_fd;
	if (mount("tmpfs", RUN_DIRECTORY, "tmpfs", MS_NOSUID | MS_NODEV, "mode=755") < 0)
		return -errno;
	to_fd = fd_open_at(AT_FDCWD, RUN_DIRECTORY, O_PATH | O_DIRECTORY, 0);
	if (to_fd < 0)
		return to_fd;
	r = carry_over_all(from_fd, to_fd);
	return r < 0 ? r : copy_features(home->cache_fd, to_fd);
}

int criu_home_enter(const struct criu_home *home)
{
	int r;

	if (!home->is_apart)
		return 0;
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0)
		return -errno;
	/* The state root may be below /run. */
	r = home->is_private ? make_run(home) : 0;
	return r == 0 && home->yard ? make_yard(home->yard) : r;
}

/* ---- in the runtime ---- */

void criu_home_warm_up(struct criu_home *home)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.size = sizeof(attr),
		.config = PERF_COUNT_SW_DUMMY,
		.disabled = 1,
		.exclude_kernel = 1,
	};

	home->perf_fd = (int)syscall(SYS_perf_event_open, &attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
	if (home->perf_fd < 0)
		log_debug("criu: no perf event to keep them on: %s", errno_text(errno));
}

void criu_home_keep(struct criu_home *home, pid_t criu_pid)
{
	auto_free char *path = xasprintf("/proc/%d/root" RUN_DIRECTORY "/" FEATURES_FILE, criu_pid);
	auto_strbuf struct strbuf data = STRBUF_INIT;
	int r;

	if (!home->is_private || home->cache_fd >= 0)
		return;
	r = io_read_file_at(AT_FDCWD, path, FEATURES_MAX, &data);
	if (r == 0)
		r = fs_mkdir_all(home->root_fd, ".cache", 0700, 0700);
	if (r == 0)
		r = fs_write_atomic(home->root_fd, home->cache_name, data.buf, data.len, 0600,
				    FS_VOLATILE);
	if (r < 0)
		log_debug("criu: cannot keep what it knows of the kernel: %s", errno_text(r));
}

void criu_home_give_up(struct criu_home *home)
{
	home->is_apart = home->is_private = false;
	free(home->yard);
	home->yard = NULL;
}

void criu_home_done(struct criu_home *home)
{
	close_fd(&home->cache_fd);
	close_fd(&home->perf_fd);
	free(home->cache_name);
	free(home->yard);
	*home = (struct criu_home)CRIU_HOME_INIT;
}
