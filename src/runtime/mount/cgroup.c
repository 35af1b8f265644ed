/* SPDX-License-Identifier: Apache-2.0 */
/* Mounts of type cgroup: what they are depends on the host's hierarchies and on the namespace. */
#include <sys/mount.h>
#include <sys/stat.h>

#include "core/alloc.h"
#include "core/fd.h"
#include "core/log.h"
#include "core/path.h"
#include "core/str.h"
#include "kernel/mountflags.h"
#include "runtime/mount/exec_parts.h"

#define HIERARCHY_FLAGS ((unsigned long)(MS_NOSUID | MS_NODEV | MS_NOEXEC))

static int attach(const struct mount_context *ctx, const struct mount_op *op, int mount_fd,
		  int tmpfs_fd, const char *name, struct err *err)
{
	int r = mountfd_attach_at(&ctx->env, mount_fd, tmpfs_fd, name);

	if (r < 0)
		return err_sys(err, r, "attach to target");
	r = mount_flag_clone(ctx, mount_fd, op->flags, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < op->n_propagation; i++) {
		r = mountfd_set_propagation(&ctx->env, mount_fd, op->propagation[i]);
		if (r < 0)
			return err_sys(err, r, "set propagation");
	}
	return 0;
}

/*
 * v2
 */

/* A clone is of the host's peer group, where a new mount would be of none; CRIU cannot freeze a mount
 * whose master is outside of the container. fd is the result, or closed on failure. */
static int make_private(const struct mount_context *ctx, int fd, struct err *err)
{
	int r = mountfd_set_propagation(&ctx->env, fd, MS_PRIVATE);

	if (r == 0)
		return fd;
	(void)close(fd);
	return err_sys(err, r, "set propagation");
}

/* *ret_host: what the host has there was taken. */
static int open_v2(const struct mount_context *ctx, const struct mount_op *op, bool *ret_host,
		   struct err *err)
{
	const struct mount_facts *facts = &ctx->plan->facts;
	const char *host = facts->has_cgroup_ns ? ctx->cgroup->v2_own_dir :
						  ctx->cgroup->v2_mount_point;
	const struct mountfd_fs fs = {
		.type = "cgroup2",
		.source = op->source,
		.data = &op->data,
		.flags = op->flags,
	};
	int fd = -EPERM;

	/*
	 * In the initial cgroup namespace a new mount would set the options of the one hierarchy anew, for
	 * the whole machine: systemd's nsdelegate, which keeps delegated cgroups apart, would be gone
	 * (apply_cgroup_root_flags() in kernel/cgroup/cgroup.c).
	 */
	if (facts->has_cgroup_ns || !host)
		fd = mount_open_fs(ctx, &fs, err);
	if ((fd != -EPERM && fd != -EBUSY) || !host)
		return fd;
	log_debug("mount '%s': no new cgroup2, taking '%s'", op->destination, host);
	err_clear(err);
	fd = mount_clone_of_host(ctx, host, op->flags, err);
	*ret_host = fd >= 0;
	if (fd >= 0)
		return make_private(ctx, fd, err);
	if (fd != -ENOENT || !facts->is_rootless)
		return fd;
	/* No cgroup of its own, and nothing to see of others. */
	err_clear(err);
	return mount_open_empty(ctx, err);
}

static int mount_v2(struct mount_context *ctx, const struct mount_op *op, struct err *err)
{
	auto_mount_target struct mount_target target = MOUNT_TARGET_INIT;
	auto_close int fd = -EBADF;
	bool host = false;
	int r = mount_target_directory(ctx, op->destination, &target, err);

	if (r < 0)
		return r;
	fd = open_v2(ctx, op, &host, err);
	r = fd < 0 ? fd : mount_attach(ctx, op, &fd, &target, err);
	return r == 0 && host ? mount_flag_clone(ctx, fd, op->flags, err) : r;
}

/*
 * v1: a tmpfs with a directory per hierarchy, as hosts have it at /sys/fs/cgroup. Only we can write
 * to that tmpfs, so its names can be trusted.
 */

static int open_hierarchy(const struct mount_context *ctx, const struct mount_op *op,
			  const struct mount_cgroup_hierarchy *h, struct err *err)
{
	auto_strvec struct strvec options = STRVEC_INIT;
	struct mountfd_fs fs = {
		.type = "cgroup",
		.source = "cgroup",
		.data = &options,
		.flags = HIERARCHY_FLAGS | (op->flags & MS_RDONLY),
	};

	if (!ctx->plan->facts.has_cgroup_ns)
		return mount_clone_of_host(ctx, h->own_dir, op->flags, err);
	strvec_split(&options, h->options, ',', false);
	return mount_open_fs(ctx, &fs, err);
}

/* "cpu" and "cpuacct" beside the directory "cpu,cpuacct". */
static int link_controllers(int tmpfs_fd, const struct mount_cgroup_hierarchy *h, const char *name,
			    struct err *err)
{
	auto_strvec struct strvec controllers = STRVEC_INIT;

	strvec_split(&controllers, h->options, ',', false);
	for (size_t i = 0; controllers.n > 1 && i < controllers.n; i++) {
		const char *controller = controllers.v[i];

		if (strchr(controller, '=') || strcmp(controller, name) == 0)
			continue;
		if (symlinkat(name, tmpfs_fd, controller) < 0 && errno != EEXIST)
			return err_sys(err, -errno, "create symlink '%s'", controller);
	}
	return 0;
}

static int mount_hierarchy(const struct mount_context *ctx, const struct mount_op *op, int tmpfs_fd,
			   const struct mount_cgroup_hierarchy *h, struct err *err)
{
	const char *name = path_basename(h->mount_point);
	auto_close int fd = -EBADF;
	int r;

	if (mkdirat(tmpfs_fd, name, 0755) < 0)
		return err_sys(err, -errno, "create directory '%s'", name);
	fd = open_hierarchy(ctx, op, h, err);
	if (fd < 0)
		return fd;
	r = attach(ctx, op, fd, tmpfs_fd, name, err);
	return r < 0 ? r : link_controllers(tmpfs_fd, h, name, err);
}

static int open_v1_tmpfs(const struct mount_context *ctx, struct err *err)
{
	static char mode[] = "mode=755";
	static char *options[] = { mode, NULL };
	const struct strvec data = { .v = options, .n = 1 };
	const struct mountfd_fs fs = {
		.type = "tmpfs",
		.source = "tmpfs",
		.data = &data,
		.label_key = ctx->plan->label ? "context" : NULL,
		.label = ctx->plan->label,
		.flags = HIERARCHY_FLAGS,
	};

	return mount_open_fs(ctx, &fs, err);
}

static int mount_v1(struct mount_context *ctx, const struct mount_op *op, struct err *err)
{
	auto_mount_target struct mount_target target = MOUNT_TARGET_INIT;
	auto_close int tmpfs_fd = -EBADF;
	int handle_fd;
	int r = mount_target_directory(ctx, op->destination, &target, err);

	if (r < 0)
		return r;
	tmpfs_fd = open_v1_tmpfs(ctx, err);
	if (tmpfs_fd < 0)
		return tmpfs_fd;
	handle_fd = tmpfs_fd;
	r = mount_attach(ctx, op, &tmpfs_fd, &target, err);
	for (size_t i = 0; r == 0 && i < ctx->cgroup->n_v1; i++) {
		const struct mount_cgroup_hierarchy *h = &ctx->cgroup->v1[i];

		r = mount_hierarchy(ctx, op, handle_fd, h, err);
		if (r < 0)
			return err_wrap(err, r, "cgroup hierarchy '%s'", h->options);
	}
	if (r == 0 && (op->flags & MS_RDONLY)) {
		r = mountfd_set_attr(&ctx->env, handle_fd, MOUNT_ATTR_RDONLY, 0, false);
		if (r < 0)
			return err_sys(err, r, "make the directory of hierarchies read-only");
	}
	return r;
}

int mount_cgroup(struct mount_context *ctx, const struct mount_op *op, struct err *err)
{
	enum mount_cgroup_mode mode = ctx->plan->facts.cgroup_mode;

	if (mode == MOUNT_CGROUP_NONE || !ctx->cgroup)
		return err_set(err, ERR_UNSUPPORTED,
			       "the host has no cgroup file system mounted; mount one at"
			       " /sys/fs/cgroup, or drop this mount");
	return mode == MOUNT_CGROUP_V2 ? mount_v2(ctx, op, err) : mount_v1(ctx, op, err);
}
