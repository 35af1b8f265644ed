/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/mount/exec.h"

#include <linux/magic.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "core/alloc.h"
#include "core/clock.h"
#include "core/fd.h"
#include "core/path.h"
#include "core/str.h"
#include "kernel/proc_root.h"
#include "runtime/mount/exec_parts.h"

/* A mount that somebody writes to cannot become read-only just then. */
#define READONLY_TRIES 5
#define READONLY_PAUSE_MS 100

void mount_context_init(struct mount_context *ctx, const struct mount_plan *plan,
			const char *rootfs)
{
	*ctx = (struct mount_context){
		.plan = plan,
		.rootfs = rootfs,
		.root = ROOTED_INIT,
		.env = MOUNTFD_ENV_INIT,
		.null_fd = -EBADF,
	};
}

void mount_context_done(struct mount_context *ctx)
{
	for (size_t i = 0; i < ctx->n_source_fds; i++)
		close_fd(&ctx->source_fds[i]);
	free(ctx->source_fds);
	for (size_t i = 0; i < ctx->n_pending; i++)
		close_fd(&ctx->pending[i].fd);
	free(ctx->pending);
	free(ctx->root_text);
	rooted_close(&ctx->root);
	mountfd_env_done(&ctx->env);
	close_fd(&ctx->null_fd);
	mount_context_init(ctx, NULL, NULL);
}

/*
 * What may be mounted on /proc or below it. The runtime, and whatever runs in the container, takes
 * for granted that /proc is a procfs and that its files are what they are named (a label is written
 * to /proc/self/attr/exec); so /proc itself takes the root of a procfs only, and below it only the
 * files that tell about resources may be replaced, as lxcfs does.
 */
static int check_proc(const struct mount_op *op, int mount_fd, const char *path, struct err *err)
{
	static const char *const allowed[] = {
		"cpuinfo",
		"diskstats",
		"meminfo",
		"stat",
		"swaps",
		"uptime",
		"loadavg",
		"slabinfo",
		"sys/kernel/ns_last_pid",
		"sys/crypto/fips_enabled",
	};
	const char *below;

	if (!path_is_below(path, "/proc"))
		return 0;
	below = path + strlen("/proc");
	if (!*below) {
		if (proc_root_check(mount_fd) == 0)
			return 0;
		return err_set(err, ERR_DENIED,
			       "'%s' cannot be mounted because it is not of type proc",
			       op->destination);
	}
	for (size_t i = 0; i < ARRAY_SIZE(allowed); i++)
		if (strcmp(below + 1, allowed[i]) == 0)
			return 0;
	return err_set(err, ERR_DENIED, "'%s' cannot be mounted because it is inside /proc",
		       op->destination);
}

/* The kernel has the same EINVAL for many things; the usual one can be told. */
static int attach_failed(int r, int mount_fd, int target_fd, struct err *err)
{
	struct stat mount;
	struct stat target;

	if ((r == -EINVAL || r == -ENOTDIR) && fstat(mount_fd, &mount) == 0 &&
	    fstat(target_fd, &target) == 0 && S_ISDIR(mount.st_mode) != S_ISDIR(target.st_mode))
		return err_sys(err, r,
			       "attach to target: the source is %s directory, the target %s",
			       S_ISDIR(mount.st_mode) ? "a" : "no",
			       S_ISDIR(target.st_mode) ? "is one" : "is not");
	return err_sys(err, r, "attach to target");
}

int mount_attach(struct mount_context *ctx, const struct mount_op *op, int *mount_fd,
		 const struct mount_target *target, struct err *err)
{
	bool early = mount_can_change_detached(&ctx->env);
	int r = check_proc(op, *mount_fd, target->path, err);

	if (r == 0 && early)
		r = mount_apply_attributes(ctx, op, *mount_fd, err);
	if (r < 0)
		return r;
	r = mountfd_attach(&ctx->env, *mount_fd, target->fd);
	if (r < 0)
		return attach_failed(r, *mount_fd, target->fd, err);
	if (!early)
		r = mount_apply_attributes(ctx, op, *mount_fd, err);
	for (size_t i = 0; r == 0 && i < op->n_propagation; i++) {
		r = mountfd_set_propagation(&ctx->env, *mount_fd, op->propagation[i]);
		if (r < 0)
			return err_sys(err, r, "set propagation");
	}
	if (r == 0 && op->readonly_later) {
		struct mount_pending *pending = array_push(ctx->pending, ctx->n_pending);

		pending->fd = take_fd(*mount_fd);
		pending->op = op;
	}
	return r;
}

static int exec_op(struct mount_context *ctx, const struct mount_op *op, struct err *err)
{
	switch (op->kind) {
	case MOUNT_OP_FS:
		return mount_fs(ctx, op, err);
	case MOUNT_OP_TMPFS:
		return mount_tmpfs(ctx, op, err);
	case MOUNT_OP_PROC:
	case MOUNT_OP_SYSFS:
		return mount_proc_or_sysfs(ctx, op, err);
	case MOUNT_OP_MQUEUE:
		return mount_mqueue(ctx, op, err);
	case MOUNT_OP_CGROUP:
		return mount_cgroup(ctx, op, err);
	case MOUNT_OP_BIND:
		return mount_bind(ctx, op, err);
	case MOUNT_OP_REMOUNT:
		return mount_remount(ctx, op, err);
	}
	return err_set(err, ERR_INTERNAL, "unknown kind of mount %d", (int)op->kind);
}

static int enter_cgroup(struct mount_context *ctx, bool *done, struct err *err)
{
	if (*done || !ctx->enter_cgroup)
		return 0;
	*done = true;
	return ctx->enter_cgroup(ctx->enter_cgroup_arg, err);
}

static int exec_all(struct mount_context *ctx, struct err *err)
{
	bool entered = false;
	int r = 0;

	for (size_t i = 0; r == 0 && i < ctx->plan->n_ops; i++) {
		const struct mount_op *op = &ctx->plan->ops[i];

		if (op->kind == MOUNT_OP_CGROUP)
			r = enter_cgroup(ctx, &entered, err);
		if (r < 0)
			return r;
		r = exec_op(ctx, op, err);
		if (r < 0)
			return err_wrap(err, r, "mount '%s'", op->destination);
	}
	return enter_cgroup(ctx, &entered, err);
}

int mount_exec_all(struct mount_context *ctx, struct err *err)
{
	/* Modes of what is made are meant as they are. */
	mode_t mask = umask(0);
	int r = exec_all(ctx, err);

	(void)umask(mask);
	return r;
}

static int make_readonly(const struct mount_context *ctx, int mount_fd)
{
	int r;

	for (int i = 0;; i++) {
		r = mountfd_set_attr(&ctx->env, mount_fd, MOUNT_ATTR_RDONLY, 0, false);
		if (r != -EBUSY || i == READONLY_TRIES - 1)
			return r;
		clock_sleep_ms(READONLY_PAUSE_MS);
	}
}

int mount_finalize(struct mount_context *ctx, struct err *err)
{
	int r;

	for (size_t i = 0; i < ctx->n_pending; i++) {
		r = make_readonly(ctx, ctx->pending[i].fd);
		if (r < 0)
			return err_sys(err, r, "make mount '%s' read-only",
				       ctx->pending[i].op->destination);
		close_fd(&ctx->pending[i].fd);
	}
	ctx->n_pending = 0;
	if (!ctx->plan->root_readonly || !ctx->plan->facts.has_mount_ns)
		return 0;
	r = make_readonly(ctx, ctx->root.fd);
	return r < 0 ? err_sys(err, r, "make the root file system read-only") : 0;
}
