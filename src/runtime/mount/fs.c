/* SPDX-License-Identifier: Apache-2.0 */
/* New file systems: any type, and the few with rules of their own. */
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "core/alloc.h"
#include "core/fd.h"
#include "core/log.h"
#include "core/str.h"
#include "kernel/mountflags.h"
#include "runtime/mount/exec_parts.h"

#define SELINUX_XATTR "security.selinux"

int mount_open_fs(const struct mount_context *ctx, const struct mountfd_fs *fs, struct err *err)
{
	struct mountfd_log log;
	int fd = mountfd_open_fs(&ctx->env, fs, &log);

	if (fd >= 0)
		return fd;
	if (fd == -ENODEV)
		return err_sys(err, fd, "this kernel has no file system of type '%s'", fs->type);
	if (*log.text)
		return err_sys(err, fd, "create file system of type '%s': %s", fs->type, log.text);
	return err_sys(err, fd, "create file system of type '%s'", fs->type);
}

static struct mountfd_fs fs_of_op(const struct mount_op *op, const struct strvec *data)
{
	return (struct mountfd_fs){
		.type = op->type,
		.source = op->source,
		.data = data ? data : &op->data,
		.flags = op->flags,
	};
}

bool mount_op_needs_stage(const struct mountfd_env *env, const struct mount_op *op)
{
	struct mountfd_fs fs = fs_of_op(op, NULL);

	return op->type && mountfd_needs_stage(env, &fs);
}

/* A new file system as op says, with the context's label; data replaces op->data unless NULL. */
static int open_op_fs(const struct mount_context *ctx, const struct mount_op *op,
		      const struct strvec *data, struct err *err)
{
	struct mountfd_fs fs = fs_of_op(op, data);

	if (op->label_key && op->kind != MOUNT_OP_MQUEUE) {
		fs.label_key = op->label_key;
		fs.label = ctx->plan->label;
	}
	return mount_open_fs(ctx, &fs, err);
}

int mount_open_empty(const struct mount_context *ctx, struct err *err)
{
	static char blocks[] = "nr_blocks=1";
	static char inodes[] = "nr_inodes=1";
	static char *options[] = { blocks, inodes, NULL };
	const struct strvec data = { .v = options, .n = 2 };
	const struct mountfd_fs fs = {
		.type = "tmpfs",
		.source = "tmpfs",
		.data = &data,
		.label_key = ctx->plan->label ? "context" : NULL,
		.label = ctx->plan->label,
		.flags = MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC,
	};

	return mount_open_fs(ctx, &fs, err);
}

int mount_fs(struct mount_context *ctx, const struct mount_op *op, struct err *err)
{
	auto_mount_target struct mount_target target = MOUNT_TARGET_INIT;
	auto_close int fd = -EBADF;
	int r = mount_target_directory(ctx, op->destination, &target, err);

	if (r < 0)
		return r;
	fd = open_op_fs(ctx, op, NULL, err);
	return fd < 0 ? fd : mount_attach(ctx, op, &fd, &target, err);
}

/* The options of a tmpfs that takes the mode of the directory that it covers, if there is one. */
static void inherit_mode(const struct mount_context *ctx, const struct mount_op *op,
			 struct strvec *data)
{
	auto_close int fd = rooted_openat(&ctx->root, op->destination, O_PATH | O_DIRECTORY);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return;
	strvec_addf(data, "mode=%04o", (unsigned int)st.st_mode & 07777);
	strvec_add_all(data, op->data.v, op->data.n);
}

int mount_tmpfs(struct mount_context *ctx, const struct mount_op *op, struct err *err)
{
	auto_mount_target struct mount_target target = MOUNT_TARGET_INIT;
	auto_strvec struct strvec data = STRVEC_INIT;
	auto_close int fd = -EBADF;
	int r;

	/* Before it is made, if it is not there. */
	if (op->inherit_mode)
		inherit_mode(ctx, op, &data);
	r = mount_target_directory(ctx, op->destination, &target, err);
	if (r < 0)
		return r;
	fd = open_op_fs(ctx, op, data.n ? &data : NULL, err);
	if (fd < 0)
		return fd;
	if (op->tmpcopyup) {
		r = tmpcopyup(target.fd, fd, err);
		if (r < 0)
			return err_wrap(err, r, "copy what is below (tmpcopyup)");
	}
	return mount_attach(ctx, op, &fd, &target, err);
}

/* The queue file system takes no label as option. */
static int set_label(int mount_fd, const char *label, struct err *err)
{
	auto_close int fd = fd_open_at(mount_fd, ".", O_RDONLY | O_DIRECTORY, 0);

	if (fd < 0)
		return err_sys(err, fd, "open the new file system");
	if (fsetxattr(fd, SELINUX_XATTR, label, strlen(label) + 1, 0) < 0)
		return err_sys(err, -errno, "set label '%s'", label);
	return 0;
}

static int set_flags(const struct mount_context *ctx, int mount_fd, unsigned long flags,
		     struct err *err)
{
	int r = mountfd_set_attr(&ctx->env, mount_fd, mountflags_to_attr(flags), 0, false);

	return r < 0 ? err_sys(err, r, "set mount flags") : 0;
}

int mount_clone_of_host(const struct mount_context *ctx, const char *path, unsigned long flags,
			struct err *err)
{
	auto_close int fd = mountfd_clone(&ctx->env, AT_FDCWD, path, MOUNTFD_RECURSIVE);
	int r = 0;

	if (fd < 0)
		return err_sys(err, fd, "bind the host's '%s'", path);
	if (mount_can_change_detached(&ctx->env))
		r = set_flags(ctx, fd, flags, err);
	return r < 0 ? r : take_fd(fd);
}

int mount_flag_clone(const struct mount_context *ctx, int mount_fd, unsigned long flags,
		     struct err *err)
{
	return mount_can_change_detached(&ctx->env) ? 0 : set_flags(ctx, mount_fd, flags, err);
}

/*
 * A file system that belongs to a namespace which the container shares with its host, or of which the
 * host has hidden parts, cannot be mounted anew in a user namespace. What the host has serves then.
 */
static int mount_new_or_host(struct mount_context *ctx, const struct mount_op *op,
			     const struct mount_target *target, const char *host_path,
			     bool is_hosts, struct err *err)
{
	bool label = op->kind == MOUNT_OP_MQUEUE && op->label_key;
	auto_close int fd = open_op_fs(ctx, op, NULL, err);
	bool refused = fd == -EPERM && ctx->plan->facts.has_user_ns && is_hosts;
	int r;

	if (refused) {
		log_debug("mount '%s': %s is not permitted in this user namespace, taking '%s'",
			  op->destination, op->type, host_path);
		err_clear(err);
		fd = mount_clone_of_host(ctx, host_path, op->flags, err);
	}
	if (fd < 0)
		return fd;
	r = label && !refused ? set_label(fd, ctx->plan->label, err) : 0;
	if (r == 0)
		r = mount_attach(ctx, op, &fd, target, err);
	if (r == 0 && refused)
		r = mount_flag_clone(ctx, fd, op->flags, err);
	return r;
}

int mount_proc_or_sysfs(struct mount_context *ctx, const struct mount_op *op, struct err *err)
{
	bool is_proc = op->kind == MOUNT_OP_PROC;
	auto_mount_target struct mount_target target = MOUNT_TARGET_INIT;
	int r = mount_target_plain_directory(ctx, op->destination, &target, err);

	if (r < 0)
		return r;
	/* A foreign /proc would show the wrong processes. */
	return mount_new_or_host(ctx, op, &target, is_proc ? "/proc" : "/sys",
				 !is_proc || !ctx->plan->facts.has_pid_ns, err);
}

int mount_mqueue(struct mount_context *ctx, const struct mount_op *op, struct err *err)
{
	auto_mount_target struct mount_target target = MOUNT_TARGET_INIT;
	int r = mount_target_directory(ctx, op->destination, &target, err);

	return r < 0 ? r :
		       mount_new_or_host(ctx, op, &target, "/dev/mqueue",
					 !ctx->plan->facts.has_ipc_ns, err);
}
