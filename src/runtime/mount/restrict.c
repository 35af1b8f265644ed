/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Read-only and masked paths. Each path is resolved once, inside the root. A file is covered by the
 * null device that mount_pivot() verified (an image that puts something else at /dev/null would
 * otherwise get that mounted where it likes); all directories share one empty read-only tmpfs.
 */
#include <sys/mount.h>
#include <sys/stat.h>

#include "core/fd.h"
#include "core/fs.h"
#include "runtime/mount/exec_parts.h"

/* -ENOENT when there is nothing to restrict: no such kernel feature here. */
static int open_path(const struct mount_context *ctx, const char *path)
{
	int fd = rooted_openat(&ctx->root, path, O_PATH);

	return fd == -ENOTDIR ? -ENOENT : fd;
}

static bool is_same_object(int a_fd, int b_fd)
{
	struct stat a;
	struct stat b;

	return fstat(a_fd, &a) == 0 && fstat(b_fd, &b) == 0 && fs_is_same_file(&a, &b);
}

/* Without the mount API, and the staging area gone with the old root: what is found at the path
 * behind the bind must be what was bound. */
static int bind_by_mount2(struct mount_context *ctx, const char *path, int fd, struct err *err)
{
	int r = mountfd_bind(&ctx->env, fd, fd, true);
	auto_close int mount_fd = r < 0 ? r : open_path(ctx, path);

	if (mount_fd < 0)
		return err_sys(err, mount_fd, "bind");
	if (!is_same_object(fd, mount_fd))
		return err_set(err, ERR_DENIED, "the path changed meanwhile");
	return take_fd(mount_fd);
}

static int bind_readonly(struct mount_context *ctx, const char *path, int fd, struct err *err)
{
	bool detached = ctx->env.has_mount_api;
	bool early = detached && mount_can_change_detached(&ctx->env);
	auto_close int mount_fd = detached ? mountfd_clone(&ctx->env, fd, "", MOUNTFD_RECURSIVE) :
					     bind_by_mount2(ctx, path, fd, err);
	int r = 0;

	if (mount_fd < 0)
		return detached ? err_sys(err, mount_fd, "bind") : mount_fd;
	if (early)
		r = mountfd_set_attr(&ctx->env, mount_fd, MOUNT_ATTR_RDONLY, 0, false);
	if (r == 0 && detached)
		r = mountfd_attach(&ctx->env, mount_fd, fd);
	if (r == 0 && !early)
		r = mountfd_set_attr(&ctx->env, mount_fd, MOUNT_ATTR_RDONLY, 0, false);
	return r < 0 ? err_sys(err, r, "bind read-only") : 0;
}

int mount_readonly_paths(struct mount_context *ctx, struct err *err)
{
	for (size_t i = 0; i < ctx->plan->n_readonly_paths; i++) {
		const char *path = ctx->plan->readonly_paths[i];
		auto_close int fd = open_path(ctx, path);
		int r;

		if (fd == -ENOENT)
			continue;
		if (fd < 0)
			return err_sys(err, fd, "make path '%s' read-only", path);
		r = bind_readonly(ctx, path, fd, err);
		if (r < 0)
			return err_wrap(err, r, "make path '%s' read-only", path);
	}
	return 0;
}

/* The first directory gets the file system itself, which then can be cloned (a detached mount could
 * not before Linux 6.15). */
static int mask_directory(struct mount_context *ctx, int fd, int *empty_fd, const char *path,
			  struct err *err)
{
	int r;

	if (*empty_fd >= 0)
		r = mountfd_bind(&ctx->env, *empty_fd, fd, false);
	else if (ctx->env.has_mount_api) {
		*empty_fd = mount_open_empty(ctx, err);
		if (*empty_fd < 0)
			return *empty_fd;
		r = mountfd_attach(&ctx->env, *empty_fd, fd);
	} else {
		r = mountfd_mount(&ctx->env, -1, "tmpfs", fd, "tmpfs",
				  MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC,
				  "nr_blocks=1,nr_inodes=1");
		if (r == 0) {
			*empty_fd = open_path(ctx, path);
			r = *empty_fd < 0 ? *empty_fd : 0;
		}
	}
	return r < 0 ? err_sys(err, r, "cover the directory") : 0;
}

static int mask_file(struct mount_context *ctx, int fd, struct err *err)
{
	int r;

	if (ctx->null_fd < 0)
		return err_set(err, ERR_INTERNAL, "no null device at hand");
	if (ctx->null_is_detached)
		r = mountfd_attach(&ctx->env, ctx->null_fd, fd);
	else
		r = mountfd_bind(&ctx->env, ctx->null_fd, fd, false);
	if (r < 0)
		return err_sys(err, r, "cover the file with /dev/null");
	ctx->null_is_detached = false;
	return 0;
}

static int mask(struct mount_context *ctx, const char *path, int *empty_fd, struct err *err)
{
	auto_close int fd = open_path(ctx, path);
	struct stat st;

	/* A path that we may not see, the container may not see either (user namespaces). */
	if (fd == -ENOENT || fd == -EACCES)
		return 0;
	if (fd < 0)
		return err_sys(err, fd, "open");
	if (fstat(fd, &st) < 0)
		return err_sys(err, -errno, "examine");
	if (S_ISDIR(st.st_mode))
		return mask_directory(ctx, fd, empty_fd, path, err);
	return mask_file(ctx, fd, err);
}

int mount_mask_paths(struct mount_context *ctx, struct err *err)
{
	auto_close int empty_fd = -EBADF;

	for (size_t i = 0; i < ctx->plan->n_masked_paths; i++) {
		const char *path = ctx->plan->masked_paths[i];
		int r = mask(ctx, path, &empty_fd, err);

		if (r < 0)
			return err_wrap(err, r, "mask path '%s'", path);
	}
	return 0;
}
