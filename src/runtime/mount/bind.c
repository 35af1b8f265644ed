/* SPDX-License-Identifier: Apache-2.0 */
/* Bind mounts, symlinks copied in their place, and changes to a mount that is there already. */
#include <limits.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "core/alloc.h"
#include "core/fd.h"
#include "core/str.h"
#include "kernel/mountflags.h"
#include "runtime/mount/exec_parts.h"

/* The source as a mount of its own (or, for copy-symlink, the symlink as it is). */
static int open_source(struct mount_context *ctx, const struct mount_op *op, struct err *err)
{
	unsigned int flags = (op->recursive ? MOUNTFD_RECURSIVE : 0) |
			     (op->src_nofollow ? MOUNTFD_NOFOLLOW : 0);
	int fd;

	if (op->source_slot >= 0 && (size_t)op->source_slot < ctx->n_source_fds)
		return take_fd(ctx->source_fds[op->source_slot]);
	if (op->source_inside && ctx->open_inside && mount_sources_can_be_sent(&ctx->env))
		return ctx->open_inside(ctx->open_inside_arg, (size_t)(op - ctx->plan->ops), err);
	if (op->idmap != MOUNT_IDMAP_NONE)
		return err_set(err, ERR_INTERNAL, "the id-mapped source was not handed over");
	fd = mountfd_clone(&ctx->env, AT_FDCWD, op->source, flags);
	if (fd == -EINVAL && ctx->plan->facts.has_user_ns && !op->recursive)
		return err_sys(err, fd,
			       "bind source '%s' (in a user namespace a directory with mounts below"
			       " it needs 'rbind')",
			       op->source);
	return fd < 0 ? err_sys(err, fd, "open source '%s'", op->source) : fd;
}

static int copy_symlink(const struct mount_context *ctx, const struct mount_op *op, int link_fd,
			struct err *err)
{
	char target[PATH_MAX];
	char present[PATH_MAX];
	auto_free char *name = NULL;
	auto_close int parent_fd = -EBADF;
	ssize_t len = readlinkat(link_fd, "", target, sizeof(target) - 1);
	ssize_t present_len;

	if (len < 0)
		return err_sys(err, -errno, "read symlink '%s'", op->source);
	target[len] = '\0';
	parent_fd = rooted_open_parent(&ctx->root, op->destination, 0755, &name);
	if (parent_fd < 0)
		return err_sys(err, parent_fd, "open target's directory in the root file system");
	if (symlinkat(target, parent_fd, name) == 0)
		return 0;
	if (errno != EEXIST)
		return err_sys(err, -errno, "create symlink");
	present_len = readlinkat(parent_fd, name, present, sizeof(present));
	if (present_len == len && memcmp(present, target, (size_t)len) == 0)
		return 0;
	return err_set(err, ERR_EXISTS,
		       "create symlink: something else is there; remove it from the image or drop"
		       " the option 'copy-symlink'");
}

/* 1 when the source is a symlink and was copied, 0 when it is something else. */
static int try_copy_symlink(struct mount_context *ctx, const struct mount_op *op, struct err *err)
{
	bool by_slot = op->source_slot >= 0 && (size_t)op->source_slot < ctx->n_source_fds;
	auto_close int fd = by_slot ? fd_dup(ctx->source_fds[op->source_slot]) :
				      fd_open_at(AT_FDCWD, op->source, O_PATH | O_NOFOLLOW, 0);
	struct stat st;
	int r;

	if (fd < 0)
		return err_sys(err, fd, "open source '%s'", op->source);
	if (fstat(fd, &st) < 0)
		return err_sys(err, -errno, "examine source '%s'", op->source);
	if (!S_ISLNK(st.st_mode))
		return 0;
	r = copy_symlink(ctx, op, fd, err);
	return r < 0 ? r : 1;
}

/* The access times are a field, not a flag: which of its values was there is not known here. */
static int explain_locked(uint64_t attr_clear, struct err *err)
{
	uint64_t flags = attr_clear & ~(uint64_t)MOUNT_ATTR__ATIME;
	auto_free char *text = flags ? mountflags_attr_to_text(flags) : NULL;

	if (!text)
		return err_sys(
			err, -EPERM,
			"change the access times (atime, relatime and the like) that the source "
			"may have locked");
	return err_sys(err, -EPERM, "clear mount flags '%s'%s that the source may have locked",
		       text, attr_clear & MOUNT_ATTR__ATIME ? " and change the access times" : "");
}

int mount_apply_attributes(const struct mount_context *ctx, const struct mount_op *op, int mount_fd,
			   struct err *err)
{
	/* In a user namespace what the source has, it keeps, as far as the kernel can lock it: a
	 * descriptor from the host side lacks the locks. */
	uint64_t drop = ctx->plan->facts.has_user_ns ?
				op->attr_clear | (op->attr_drop & MOUNT_ATTR_NOSYMFOLLOW) :
				op->attr_drop;
	int r = mountfd_set_attr(&ctx->env, mount_fd, op->attr_set, drop, false);

	if (r == -EPERM && drop != op->attr_clear)
		r = mountfd_set_attr(&ctx->env, mount_fd, op->attr_set, op->attr_clear, false);
	if (r == -EPERM && op->attr_clear)
		return explain_locked(op->attr_clear, err);
	if (r < 0)
		return err_sys(err, r, "set mount flags");
	r = mountfd_set_attr(&ctx->env, mount_fd, op->rec_set, op->rec_clear, true);
	if (r == -EOPNOTSUPP || r == -ENOSYS)
		return err_set(err, ERR_UNSUPPORTED,
			       "recursive mount options (rro and the like) need Linux 5.12");
	return r < 0 ? err_sys(err, r, "set recursive mount flags") : 0;
}

int mount_bind(struct mount_context *ctx, const struct mount_op *op, struct err *err)
{
	auto_mount_target struct mount_target target = MOUNT_TARGET_INIT;
	auto_close int fd = -EBADF;
	int r;

	if (op->copy_symlink) {
		r = try_copy_symlink(ctx, op, err);
		if (r != 0)
			return r < 0 ? r : 0;
	}
	fd = open_source(ctx, op, err);
	if (fd < 0)
		return fd;
	r = mount_target_for_bind(ctx, op, fd, &target, err);
	return r < 0 ? r : mount_attach(ctx, op, &fd, &target, err);
}

int mount_remount(struct mount_context *ctx, const struct mount_op *op, struct err *err)
{
	auto_mount_target struct mount_target target = MOUNT_TARGET_INIT;
	auto_free char *data = op->data.n ? strvec_join(&op->data, ",") : NULL;
	int r = mount_target_existing(ctx, op->destination, &target, err);

	if (r < 0)
		return r;
	r = mountfd_mount(&ctx->env, -1, op->source, target.fd, op->type, op->flags, data);
	if (r == -EINVAL)
		return err_sys(err, r, "change what is mounted there (is it a mount?)");
	if (r < 0)
		return err_sys(err, r, "change what is mounted there");
	for (size_t i = 0; i < op->n_propagation; i++) {
		r = mountfd_set_propagation(&ctx->env, target.fd, op->propagation[i]);
		if (r < 0)
			return err_sys(err, r, "set propagation");
	}
	r = mountfd_set_attr(&ctx->env, target.fd, op->rec_set, op->rec_clear, true);
	return r < 0 ? err_sys(err, r, "set recursive mount flags") : 0;
}
