/* SPDX-License-Identifier: Apache-2.0 */
/* The root: made a mount of its own, and entered. */
#include <sys/mount.h>
#include <sys/stat.h>

#include "core/alloc.h"
#include "core/fd.h"
#include "core/fs.h"
#include "core/path.h"
#include "core/str.h"
#include "kernel/mountinfo.h"
#include "kernel/syscalls.h"
#include "runtime/mount/exec_parts.h"

#define PROPAGATION_KINDS ((unsigned long)(MS_SHARED | MS_SLAVE | MS_PRIVATE | MS_UNBINDABLE))

/* Whether all mounts of the namespace have stopped to tell the host about changes. */
static bool is_cut_off(const struct mount_plan *plan)
{
	return (plan->root_propagation & MS_REC) && !(plan->root_propagation & MS_SHARED);
}

static int set_first_propagation(const struct mount_plan *plan, struct err *err)
{
	unsigned long flags = plan->root_propagation;

	/* What is unbindable could not be cloned any more; mount_pivot() does it. */
	if (flags & MS_UNBINDABLE)
		flags = (flags & ~PROPAGATION_KINDS) | MS_PRIVATE;
	if (mount(NULL, "/", NULL, flags, NULL) < 0)
		return err_sys(err, -errno, "set propagation of '/'");
	return 0;
}

/*
 * pivot_root(2) wants the mount that the new root is on not to be shared. Which one that is, the
 * kernel tells: only the root of a mount takes a propagation, so go up until one does. The new root
 * inherits what that one becomes.
 */
static int make_parent_unshared(struct mount_context *ctx, int rootfs_fd, struct err *err)
{
	unsigned long kind = ctx->plan->root_propagation & MS_SLAVE ? MS_SLAVE : MS_PRIVATE;
	auto_close int fd = fd_open_at(rootfs_fd, ".", O_PATH | O_DIRECTORY, 0);

	while (fd >= 0) {
		struct stat here;
		struct stat above;
		int up;
		int r = mountfd_set_propagation(&ctx->env, fd, kind);

		if (r != -EINVAL)
			return r < 0 ? err_sys(err, r,
					       "stop propagation of the mount that holds '%s'",
					       ctx->rootfs) :
				       0;
		up = fd_open_at(fd, "..", O_PATH | O_DIRECTORY, 0);
		if (up >= 0 && fstat(fd, &here) == 0 && fstat(up, &above) == 0 &&
		    fs_is_same_file(&here, &above)) {
			close_fd(&up);
			up = -ENOENT;
		}
		close_fd(&fd);
		fd = up;
	}
	return err_sys(err, fd, "find the mount that holds '%s'", ctx->rootfs);
}

static bool plan_needs_stage(const struct mount_context *ctx)
{
	if (!ctx->env.has_mount_api)
		return true;
	for (size_t i = 0; i < ctx->plan->n_ops; i++)
		if (mount_op_needs_stage(&ctx->env, &ctx->plan->ops[i]))
			return true;
	return false;
}

/* The staging area goes between the directory and the new mount of it, out of sight. */
static int prepare_stage(struct mount_context *ctx, int rootfs_fd, struct err *err)
{
	int r = mountfd_env_keep_proc(&ctx->env);

	if (r < 0)
		return err_sys(err, r, "open /proc");
	r = mountfd_env_stage(&ctx->env, rootfs_fd);
	return r < 0 ? err_sys(err, r, "prepare a staging area for mounts") : 0;
}

static int prepare_mount(struct mount_context *ctx, int rootfs_fd, struct err *err)
{
	auto_close int fd = -EBADF;
	bool staged;
	int r;

	mountfd_env_probe(&ctx->env);
	if (!is_cut_off(ctx->plan)) {
		r = make_parent_unshared(ctx, rootfs_fd, err);
		if (r < 0)
			return r;
	}
	staged = plan_needs_stage(ctx);
	r = staged ? prepare_stage(ctx, rootfs_fd, err) : 0;
	if (r < 0)
		return r;
	fd = mountfd_clone(&ctx->env, rootfs_fd, "", MOUNTFD_RECURSIVE);
	if (fd < 0)
		return err_sys(err, fd, "clone root file system '%s'", ctx->rootfs);
	r = mountfd_attach(&ctx->env, fd, staged ? ctx->env.stage_fd : rootfs_fd);
	if (r < 0)
		return err_sys(err, r, "mount root file system '%s'", ctx->rootfs);
	rooted_from_fd(&ctx->root, take_fd(fd));
	return 0;
}

int mount_open_root(struct rooted *ret, const char *path, const struct mount_root_id *id,
		    struct err *err)
{
	auto_close int fd = fd_open_at(AT_FDCWD, path, O_PATH | O_DIRECTORY | O_NOFOLLOW, 0);
	struct stat st;

	if (fd < 0)
		return err_sys(err, fd, "open root file system '%s'", path);
	if (fstat(fd, &st) < 0)
		return err_sys(err, -errno, "examine root file system '%s'", path);
	if (id->ino && (st.st_dev != id->dev || st.st_ino != id->ino))
		return err_set(err, ERR_DENIED,
			       "root file system '%s' is not the directory any more that it was a "
			       "moment ago",
			       path);
	rooted_from_fd(ret, take_fd(fd));
	return 0;
}

int mount_prepare_root(struct mount_context *ctx, struct err *err)
{
	bool has_mount_ns = ctx->plan->facts.has_mount_ns;
	int r = has_mount_ns ? set_first_propagation(ctx->plan, err) : 0;
	struct rooted rootfs = ROOTED_INIT;

	if (r == 0)
		r = mount_open_root(&rootfs, ctx->rootfs, &ctx->rootfs_id, err);
	if (r < 0)
		return r;
	if (!has_mount_ns) {
		ctx->root = rootfs;
	} else {
		r = prepare_mount(ctx, rootfs.fd, err);
		rooted_close(&rootfs);
		if (r < 0)
			return r;
	}
	ctx->root_text = fd_readlink(ctx->root.fd);
	return ctx->root_text ? 0 : err_sys(err, -errno, "find out where the root file system is");
}

static bool is_null_device(int fd)
{
	return fd_is_char_device(fd, 1, 3);
}

/*
 * The null device for masked files: the container's own, as far as it is one, else the host's, which
 * has to be cloned as long as it is within reach.
 */
static int open_null(struct mount_context *ctx, struct err *err)
{
	if (ctx->plan->n_masked_paths == 0 || ctx->null_fd >= 0)
		return 0;
	ctx->null_fd = rooted_openat(&ctx->root, "/dev/null", O_PATH | O_NOFOLLOW);
	if (ctx->null_fd >= 0 && is_null_device(ctx->null_fd))
		return 0;
	close_fd(&ctx->null_fd);
	if (!ctx->env.has_mount_api)
		return err_set(
			err, ERR_UNSUPPORTED,
			"the container has no /dev/null to mask paths with, and the kernel is"
			" too old to take the host's");
	ctx->null_fd = mountfd_clone(&ctx->env, AT_FDCWD, "/dev/null", MOUNTFD_NOFOLLOW);
	if (ctx->null_fd < 0)
		return err_sys(err, ctx->null_fd, "open /dev/null of the host");
	if (!is_null_device(ctx->null_fd))
		return err_set(err, ERR_DENIED, "/dev/null of the host is not the null device");
	ctx->null_is_detached = true;
	return 0;
}

/* Both arguments the same: the old root comes to lie on top of the new one (pivot_root(2), NOTES). */
static int pivot(const struct mount_plan *plan, int old_root_fd)
{
	int r = sys_pivot_root(".", ".");

	if (r < 0)
		return r;
	if (!is_cut_off(plan)) {
		/* The unmounting must not reach the host. */
		if (fchdir(old_root_fd) < 0 || mount(NULL, ".", NULL, MS_SLAVE | MS_REC, NULL) < 0)
			return -errno;
	}
	return umount2(".", MNT_DETACH) < 0 || chdir("/") < 0 ? -errno : 0;
}

int mount_pivot(struct mount_context *ctx, struct err *err)
{
	const struct mount_plan *plan = ctx->plan;
	auto_close int old_root_fd = -EBADF;
	int r = open_null(ctx, err);

	if (r < 0)
		return r;
	if (!is_cut_off(plan)) {
		old_root_fd = fd_open_at(AT_FDCWD, "/", O_PATH | O_DIRECTORY, 0);
		if (old_root_fd < 0)
			return err_sys(err, old_root_fd, "open '/'");
	}
	if (fchdir(ctx->root.fd) < 0)
		return err_sys(err, -errno, "enter root file system '%s'", ctx->rootfs);
	r = pivot(plan, old_root_fd);
	if (r == -EINVAL)
		return err_sys(err, r,
			       "pivot_root into '%s' (on an initial ramfs it needs --no-pivot)",
			       ctx->rootfs);
	if (r < 0)
		return err_sys(err, r, "pivot_root into '%s'", ctx->rootfs);
	return 0;
}

/* A full procfs or sysfs that the container could find again would allow it to mount a new one in a
 * user namespace, whatever the host has hidden of it (mount_too_revealing() in fs/namespace.c). */
static int hide_mount(const char *path, struct err *err)
{
	(void)mount(NULL, path, NULL, MS_SLAVE | MS_REC, NULL);
	if (umount2(path, MNT_DETACH) == 0)
		return 0;
	if (errno != EINVAL && errno != EPERM)
		return err_sys(err, -errno, "unmount '%s'", path);
	if (mount("tmpfs", path, "tmpfs", 0, NULL) < 0)
		return err_sys(err, -errno, "cover '%s'", path);
	return 0;
}

static int hide_host_mounts(const struct mount_context *ctx, struct err *err)
{
	auto_mountinfo struct mountinfo mounts = MOUNTINFO_INIT;
	int r = mountinfo_read(&mounts, AT_FDCWD, "/proc/self/mountinfo");

	if (r < 0)
		return err_sys(err, r, "read /proc/self/mountinfo");
	for (size_t i = mounts.n; r == 0 && i-- > 0;) {
		const struct mountinfo_entry *entry = &mounts.v[i];
		bool full = strcmp(entry->root, "/") == 0 && (strcmp(entry->fs_type, "proc") == 0 ||
							      strcmp(entry->fs_type, "sysfs") == 0);

		if (full && !path_is_below(entry->mount_point, ctx->root_text))
			r = hide_mount(entry->mount_point, err);
	}
	return r;
}

int mount_no_pivot(struct mount_context *ctx, struct err *err)
{
	int root_fd = ctx->root.fd;
	int r;

	if (ctx->plan->has_root_propagation && (ctx->plan->root_propagation & MS_PRIVATE))
		return err_set(
			err, ERR_INVALID,
			"linux.rootfsPropagation cannot be private without pivot_root; drop it"
			" or --no-pivot");
	if (ctx->env.proc_fd < 0 && mountfd_env_keep_proc(&ctx->env) < 0)
		return err_set(err, ERR_UNSUPPORTED, "--no-pivot needs a procfs on /proc");
	r = open_null(ctx, err);
	if (r == 0)
		r = hide_host_mounts(ctx, err);
	if (r < 0)
		return r;
	if (ctx->env.has_mount_api)
		r = sys_move_mount(root_fd, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH);
	else if (fchdir(root_fd) < 0 || mount(".", "/", NULL, MS_MOVE, NULL) < 0)
		r = -errno;
	if (r < 0)
		return err_sys(err, r, "move root file system '%s' to '/'", ctx->rootfs);
	return mount_chroot(ctx, err);
}

int mount_chroot(struct mount_context *ctx, struct err *err)
{
	if (fchdir(ctx->root.fd) < 0 || chroot(".") < 0 || chdir("/") < 0)
		return err_sys(err, -errno, "change root to '%s'", ctx->rootfs);
	return 0;
}

/* The mounts in the root are slaves or private already, or have asked for something else by an option
 * of theirs ("rshared"), which a recursive change would take away again. */
int mount_set_root_propagation(struct mount_context *ctx, struct err *err)
{
	unsigned long flags = ctx->plan->root_propagation;

	if (!ctx->plan->has_root_propagation)
		return 0;
	if (flags & (MS_SLAVE | MS_PRIVATE))
		flags &= ~(unsigned long)MS_REC;
	if (mount(NULL, "/", NULL, flags, NULL) < 0)
		return err_sys(err, -errno, "set propagation of the root file system");
	return 0;
}
