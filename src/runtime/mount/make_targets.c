/* SPDX-License-Identifier: Apache-2.0 */
/* Mount points for CRIU, which mounts but makes none. */
#include <fcntl.h>
#include <sys/stat.h>

#include "core/alloc.h"
#include "core/path.h"
#include "core/str.h"
#include "runtime/mount/exec_parts.h"

/* What lies on a tmpfs comes back with its content. */
static bool is_on_tmpfs(const struct mount_plan *plan, size_t index)
{
	auto_free char *path = path_clean(plan->ops[index].destination);

	for (size_t i = 0; i < index; i++) {
		auto_free char *dir = path_clean(plan->ops[i].destination);

		if (plan->ops[i].kind == MOUNT_OP_TMPFS && strcmp(path, dir) != 0 &&
		    path_is_below(path, dir))
			return true;
	}
	return false;
}

static int make_bind_target(struct mount_context *ctx, const struct mount_op *op, struct err *err)
{
	auto_mount_target struct mount_target target = MOUNT_TARGET_INIT;
	unsigned int flags = (op->recursive ? MOUNTFD_RECURSIVE : 0) |
			     (op->src_nofollow ? MOUNTFD_NOFOLLOW : 0);
	auto_close int fd = mountfd_clone(&ctx->env, AT_FDCWD, op->source, flags);
	int r;

	if (fd < 0)
		return err_sys(err, fd, "open source '%s'", op->source);
	r = mount_target_for_bind(ctx, op, fd, &target, err);
	if (r < 0)
		return r;
	r = mountfd_attach(&ctx->env, fd, target.fd);
	return r < 0 ? err_sys(err, r, "attach to target") : 0;
}

static int make_target(struct mount_context *ctx, const struct mount_op *op, struct err *err)
{
	auto_mount_target struct mount_target target = MOUNT_TARGET_INIT;

	switch (op->kind) {
	case MOUNT_OP_BIND:
		return op->copy_symlink ? mount_bind(ctx, op, err) : make_bind_target(ctx, op, err);
	case MOUNT_OP_PROC:
	case MOUNT_OP_SYSFS:
		return mount_target_plain_directory(ctx, op->destination, &target, err);
	case MOUNT_OP_FS:
	case MOUNT_OP_TMPFS:
	case MOUNT_OP_MQUEUE:
		return mount_target_directory(ctx, op->destination, &target, err);
	case MOUNT_OP_CGROUP:
	case MOUNT_OP_REMOUNT:
		return 0;
	}
	return err_set(err, ERR_INTERNAL, "unknown kind of mount %d", (int)op->kind);
}

int mount_make_targets(struct mount_context *ctx, struct err *err)
{
	const struct mount_plan *plan = ctx->plan;
	mode_t mask = umask(0);
	int r = 0;

	for (size_t i = 0; r == 0 && i < plan->n_ops; i++) {
		if (is_on_tmpfs(plan, i))
			continue;
		r = make_target(ctx, &plan->ops[i], err);
		if (r < 0)
			(void)err_wrap(err, r, "make mount point '%s'", plan->ops[i].destination);
	}
	(void)umask(mask);
	return r;
}
