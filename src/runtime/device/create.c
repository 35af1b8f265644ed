/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/device/create.h"

#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

#include "core/alloc.h"
#include "core/fd.h"
#include "core/fs.h"
#include "core/path.h"
#include "core/str.h"

#define DIRECTORY_MODE 0755
#define BIND_TARGET_MODE 0666

/* The directory of the last node: most are in the same one. */
struct device_dir {
	const struct rooted *root;
	const struct mountfd_env *env;
	char *path;
	int fd;
};

static void device_dir_done(struct device_dir *dir)
{
	free(dir->path);
	close_fd(&dir->fd);
}

DEFINE_AUTO_VAL(device_dir, struct device_dir, device_dir_done)

int device_check_null(int fd)
{
	if (!fd_is_valid(fd))
		return -EBADF;
	return fd_is_char_device(fd, 1, 3) ? 0 : -EINVAL;
}

static int enter_dir(struct device_dir *dir, const char *path, struct err *err)
{
	auto_free char *parent = path_dirname(path);

	if (dir->fd >= 0 && strcmp(dir->path, parent) == 0)
		return 0;
	close_fd(&dir->fd);
	replace_ptr(dir->path, take_ptr(parent));
	dir->fd = rooted_mkdir_all(dir->root, dir->path, DIRECTORY_MODE);
	if (dir->fd < 0)
		return err_sys(err, dir->fd, "open directory '%s' in the root file system",
			       dir->path);
	return 0;
}

static bool is_device(const struct stat *st, const struct device_node *node)
{
	if ((st->st_mode & S_IFMT) != (node->mode & S_IFMT))
		return false;
	return S_ISFIFO(st->st_mode) || st->st_rdev == makedev(node->major, node->minor);
}

/* What the image has in the place of a node goes, unless it is a directory. */
static int remove_other(int dir_fd, const char *name)
{
	return unlinkat(dir_fd, name, 0) < 0 && errno != ENOENT ? -errno : 0;
}

/* The specification wants an error for a device that it names; a default one is ours to choose. */
static int refuse_other(const struct stat *st, const struct device_node *node, struct err *err)
{
	if ((st->st_mode & S_IFMT) != (node->mode & S_IFMT))
		return err_set(err, ERR_EXISTS,
			       "%s has incorrect ftype: the root file system has another kind of "
			       "file there; remove that, or give the device another path",
			       node->path);
	return err_set(err, ERR_EXISTS,
		       "%s has incorrect major:minor: %u:%u doesn't match expected %u:%u; remove "
		       "it from the root file system, or give the device another path",
		       node->path, major(st->st_rdev), minor(st->st_rdev), node->major,
		       node->minor);
}

/* 0: made; 1: it was there; -EPERM: not allowed here; -EEXIST: *ret_other is there instead. */
static int make_node(int dir_fd, const char *name, const struct device_node *node,
		     struct stat *ret_other)
{
	dev_t number = S_ISFIFO(node->mode) ? 0 : makedev(node->major, node->minor);
	int r;

	if (mknodat(dir_fd, name, node->mode, number) == 0)
		return 0;
	if (errno != EEXIST)
		return -errno;
	if (fstatat(dir_fd, name, ret_other, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (is_device(ret_other, node))
		return 1;
	if (!node->is_default)
		return -EEXIST;
	r = remove_other(dir_fd, name);
	if (r < 0)
		return r;
	return mknodat(dir_fd, name, node->mode, number) < 0 ? -errno : 0;
}

/* The owner is set on what certainly is that node. */
static int set_owner(int dir_fd, const char *name, const struct device_node *node)
{
	auto_close int fd = -EBADF;
	struct stat st;

	if (node->uid == 0 && node->gid == 0)
		return 0;
	fd = fd_open_at(dir_fd, name, O_PATH | O_NOFOLLOW, 0);
	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!is_device(&st, node))
		return -ESTALE;
	return fchownat(fd, "", node->uid, node->gid, AT_EMPTY_PATH) < 0 ? -errno : 0;
}

/* An empty file (or whatever file or node is there) to bind on. */
static int open_bind_target(int dir_fd, const char *name)
{
	for (int tries = 0; tries < 2; tries++) {
		auto_close int fd = -EBADF;
		struct stat st;
		int r;

		if (mknodat(dir_fd, name, S_IFREG | BIND_TARGET_MODE, 0) < 0 && errno != EEXIST)
			return -errno;
		fd = fd_open_at(dir_fd, name, O_PATH | O_NOFOLLOW, 0);
		if (fd < 0)
			return fd;
		if (fstat(fd, &st) < 0)
			return -errno;
		if (S_ISREG(st.st_mode) || S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode))
			return take_fd(fd);
		r = remove_other(dir_fd, name);
		if (r < 0)
			return r;
	}
	return -EEXIST;
}

static int bind_node(const struct device_dir *dir, const char *name, const struct device_node *node,
		     struct err *err)
{
	auto_close int host_fd = fd_open_at(AT_FDCWD, node->path, O_PATH | O_NOFOLLOW, 0);
	auto_close int target_fd = -EBADF;
	struct stat st;
	int r;

	if (host_fd < 0)
		return err_sys(err, host_fd, "open '%s' of the host, to bind it", node->path);
	if (fstat(host_fd, &st) < 0)
		return err_sys(err, -errno, "examine '%s' of the host", node->path);
	if (!is_device(&st, node))
		return err_set(err, ERR_INVALID,
			       "'%s' of the host is another device than the configuration says;"
			       " a new node cannot be made here",
			       node->path);
	target_fd = open_bind_target(dir->fd, name);
	if (target_fd < 0)
		return err_sys(err, target_fd, "create a file to bind it on");
	r = mountfd_bind(dir->env, host_fd, target_fd, false);
	return r < 0 ? err_sys(err, r, "bind '%s' of the host", node->path) : 0;
}

/* A node that was made on the host's side (host.h). */
static int attach_node(const struct device_dir *dir, const char *name, int host_fd, struct err *err)
{
	auto_close int target_fd = open_bind_target(dir->fd, name);
	int r;

	if (target_fd < 0)
		return err_sys(err, target_fd, "create a file to mount it on");
	r = mountfd_attach(dir->env, host_fd, target_fd);
	return r < 0 ? err_sys(err, r, "mount it") : 0;
}

static int create_node(struct device_dir *dir, const struct device_node *node, bool bind,
		       int *host_fd, struct err *err)
{
	const char *name = path_basename(node->path);
	struct stat other = { 0 };
	int r = enter_dir(dir, node->path, err);

	if (r < 0)
		return r;
	if (host_fd && *host_fd >= 0) {
		r = attach_node(dir, name, *host_fd, err);
		close_fd(host_fd);
		return r;
	}
	/* A pipe is no device: everybody may make one. */
	if (bind && !S_ISFIFO(node->mode))
		return bind_node(dir, name, node, err);
	r = make_node(dir->fd, name, node, &other);
	if (r == -EEXIST && !node->is_default)
		return refuse_other(&other, node, err);
	if (r == -EPERM && !S_ISFIFO(node->mode))
		return bind_node(dir, name, node, err);
	if (r == 0)
		r = set_owner(dir->fd, name, node);
	return r < 0 ? err_sys(err, r, "create it") : 0;
}

static bool is_symlink_to(int dir_fd, const char *name, const char *target)
{
	char text[256];
	ssize_t len = readlinkat(dir_fd, name, text, sizeof(text));

	return len >= 0 && (size_t)len == strlen(target) && memcmp(text, target, (size_t)len) == 0;
}

static int create_symlink(struct device_dir *dir, const struct device_symlink *link,
			  struct err *err)
{
	const char *name = path_basename(link->path);
	int r;

	if (link->only_if && !fs_exists(AT_FDCWD, link->only_if))
		return 0;
	r = enter_dir(dir, link->path, err);
	if (r < 0 || symlinkat(link->target, dir->fd, name) == 0)
		return r;
	if (errno != EEXIST)
		return err_sys(err, -errno, "create symlink");
	if (!link->replace || is_symlink_to(dir->fd, name, link->target))
		return 0;
	r = remove_other(dir->fd, name);
	if (r < 0)
		return err_sys(err, r, "remove what is in the place of the symlink");
	return symlinkat(link->target, dir->fd, name) < 0 ? err_sys(err, -errno, "create symlink") :
							    0;
}

static int create_all(struct device_dir *dir, const struct device_plan *plan, int *host_fds,
		      struct err *err)
{
	for (size_t i = 0; i < plan->n_nodes; i++) {
		int r = create_node(dir, &plan->nodes[i], plan->bind_nodes,
				    host_fds ? &host_fds[i] : NULL, err);

		if (r < 0)
			return err_wrap(err, r, "device '%s'", plan->nodes[i].path);
	}
	for (size_t i = 0; i < plan->n_symlinks; i++) {
		int r = create_symlink(dir, &plan->symlinks[i], err);

		if (r < 0)
			return err_wrap(err, r, "device '%s'", plan->symlinks[i].path);
	}
	return 0;
}

int device_create_all(const struct rooted *root, const struct mountfd_env *env,
		      const struct device_plan *plan, int *host_fds, struct err *err)
{
	auto_cleanup(device_dir_cleanup_val) struct device_dir dir = {
		.root = root,
		.env = env,
		.fd = -EBADF,
	};
	mode_t mask = umask(0);
	int r = create_all(&dir, plan, host_fds, err);

	(void)umask(mask);
	return r;
}

static int check_slave(int slave_fd, struct err *err)
{
	struct statfs fs;
	struct stat st;

	if (fstat(slave_fd, &st) < 0 || fstatfs(slave_fd, &fs) < 0)
		return err_sys(err, -errno, "examine the terminal for /dev/console");
	if (!S_ISCHR(st.st_mode) || fs.f_type != DEVPTS_SUPER_MAGIC)
		return err_set(err, ERR_INVALID,
			       "the terminal for /dev/console is not one of a devpts; is /dev/pts"
			       " mounted in the container?");
	return 0;
}

int device_bind_console(const struct rooted *root, const struct mountfd_env *env, int slave_fd,
			struct err *err)
{
	auto_free char *name = NULL;
	auto_close int dir_fd = -EBADF;
	auto_close int fd = -EBADF;
	struct stat st;
	int r = check_slave(slave_fd, err);

	if (r < 0)
		return r;
	dir_fd = rooted_open_parent(root, "/dev/console", DIRECTORY_MODE, &name);
	if (dir_fd < 0)
		return err_sys(err, dir_fd, "open /dev in the root file system");
	if (mknodat(dir_fd, name, S_IFREG | BIND_TARGET_MODE, 0) < 0 && errno != EEXIST)
		return err_sys(err, -errno, "create /dev/console");
	fd = fd_open_at(dir_fd, name, O_PATH | O_NOFOLLOW, 0);
	if (fd < 0)
		return err_sys(err, fd, "open /dev/console");
	if (fstat(fd, &st) < 0)
		return err_sys(err, -errno, "examine /dev/console");
	if (!S_ISREG(st.st_mode) && !S_ISCHR(st.st_mode))
		return err_set(err, ERR_DENIED,
			       "/dev/console of the image is neither a file nor a character device;"
			       " remove it from the image");
	r = mountfd_bind(env, slave_fd, fd, false);
	return r < 0 ? err_sys(err, r, "bind the terminal on /dev/console") : 0;
}
