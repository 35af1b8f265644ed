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

int mount_open_op_fs(const struct mount_context *ctx, const struct mount_op *op,
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
	fd = mount_open_op_fs(ctx, op, NULL, err);
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
	fd = mount_open_op_fs(ctx, op, data.n ? &data : NULL, err);
	if (fd < 0)
		return fd;
	if (op->tmpcopyup) {
		r = tmpcopyup(target.fd, fd, err);
		if (r < 0)
			return err_wrap(err, r, "copy what is below (tmpcopyup)");
	}
	return mount_attach(ctx, op, &fd, &target, err);
}

/*
 * A file system that belongs to a namespace which the container shares with its host, or of which the
 * host has hidden parts, cannot be mounted anew in a user namespace. What the host has serves then.
 */
static int open_or_clone(const struct mount_context *ctx, const struct mount_op *op,
			 const char *host_path, bool is_hosts, struct err *err)
{
	int fd = mount_open_op_fs(ctx, op, NULL, err);
	int clone_fd;
	int r;

	if (fd != -EPERM || !ctx->plan->facts.has_user_ns || !is_hosts)
		return fd;
	log_debug("mount '%s': %s is not permitted in this user namespace, taking the host's '%s'",
		  op->destination, op->type, host_path);
	clone_fd = mountfd_clone(&ctx->env, AT_FDCWD, host_path, MOUNTFD_RECURSIVE);
	if (clone_fd < 0)
		return err_sys(err, clone_fd, "bind the host's '%s'", host_path);
	r = mountfd_set_attr(&ctx->env, clone_fd, mountflags_to_attr(op->flags), 0, false);
	if (r < 0) {
		close_fd(&clone_fd);
		return err_sys(err, r, "set mount flags");
	}
	err_clear(err);
	return clone_fd;
}

int mount_proc_or_sysfs(struct mount_context *ctx, const struct mount_op *op, struct err *err)
{
	const struct mount_facts *facts = &ctx->plan->facts;
	auto_mount_target struct mount_target target = MOUNT_TARGET_INIT;
	auto_close int fd = -EBADF;
	int r = mount_target_plain_directory(ctx, op->destination, &target, err);

	if (r < 0)
		return r;
	/* A foreign /proc would show the wrong processes; a foreign /sys shows the wrong network. */
	if (op->kind == MOUNT_OP_PROC)
		fd = open_or_clone(ctx, op, "/proc", !facts->has_pid_ns, err);
	else
		fd = open_or_clone(ctx, op, "/sys", true, err);
	return fd < 0 ? fd : mount_attach(ctx, op, &fd, &target, err);
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

int mount_mqueue(struct mount_context *ctx, const struct mount_op *op, struct err *err)
{
	auto_mount_target struct mount_target target = MOUNT_TARGET_INIT;
	auto_close int fd = -EBADF;
	int r = mount_target_directory(ctx, op->destination, &target, err);

	if (r < 0)
		return r;
	fd = open_or_clone(ctx, op, "/dev/mqueue", !ctx->plan->facts.has_ipc_ns, err);
	if (fd < 0)
		return fd;
	r = op->label_key ? set_label(fd, ctx->plan->label, err) : 0;
	return r < 0 ? r : mount_attach(ctx, op, &fd, &target, err);
}
