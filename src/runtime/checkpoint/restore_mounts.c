/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/checkpoint/restore_mounts.h"

#include <sched.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/fd.h"
#include "core/log.h"
#include "core/msg.h"
#include "core/rooted.h"
#include "kernel/syscalls.h"
#include "runtime/checkpoint/preflight_options.h"
#include "runtime/checkpoint/request.h"
#include "runtime/init/handshake.h"
#include "runtime/mount/exec.h"

static int make_targets_here(struct launch *l, struct err *err)
{
	struct mount_context ctx;
	int r;

	if (unshare(CLONE_NEWNS) < 0)
		return err_sys(err, -errno, "create a mount namespace");
	mount_context_init(&ctx, &l->mounts, l->bundle.rootfs);
	ctx.rootfs_id = l->bundle.rootfs_id;
	ctx.cgroup = &l->cgroup_facts;
	r = mount_prepare_root(&ctx, err);
	return r < 0 ? r : mount_make_targets(&ctx, err);
}

int restore_make_mount_targets(struct launch *l, struct err *err)
{
	int ends[2];
	pid_t pid;
	int r = launch_plan_mounts(l, err);

	if (r == 0)
		r = msg_pair(ends);
	if (r < 0)
		return err_wrap(err, r, "prepare mount targets");
	pid = fork();
	if (pid == 0) {
		struct err child_err = ERR_INIT;

		r = make_targets_here(l, &child_err);
		if (r < 0)
			handshake_send_failure(ends[1], &child_err);
		_exit(r < 0 ? 1 : 0);
	}
	(void)close(ends[1]);
	if (pid < 0) {
		(void)close(ends[0]);
		return err_sys(err, -errno, "fork");
	}
	r = handshake_receive(ends[0], -1, &(struct msg){ 0 }, err);
	(void)close(ends[0]);
	(void)RETRY_EINTR(waitpid(pid, NULL, 0));
	if (r != -EPIPE)
		return err_wrap(err, r < 0 ? r : -EPROTO, "prepare mount targets in the rootfs");
	err_clear(err);
	return 0;
}

static void make_tmp(struct criu_root *root, const struct rooted *rootfs,
		     const struct runtime_spec *spec)
{
	if (!spec->root || !spec->root->readonly)
		return;
	/* On a file system that is read-only itself CRIU will say so. */
	if (mkdirat(rootfs->fd, "tmp", 0755) == 0)
		root->tmp_of_fd = fd_dup(rootfs->fd);
}

void criu_root_remove_tmp(struct criu_root *root)
{
	if (root->tmp_of_fd >= 0 && unlinkat(root->tmp_of_fd, "tmp", AT_REMOVEDIR) < 0)
		log_warning("remove '/tmp' from the rootfs, where it was made for criu: %s",
			    errno_text(errno));
	close_fd(&root->tmp_of_fd);
}

static bool has_compat_mode(const struct launch *l)
{
	struct preflight_snapshot s = PREFLIGHT_SNAPSHOT_INIT;
	bool has;

	preflight_options_make(&s.options, &(struct checkpoint_options){ 0 }, &l->bundle.spec);
	has = s.options.mntns_compat_mode;
	preflight_snapshot_done(&s);
	return has;
}

/* Whether the kernel has what CRIU needs for its newer way: it says EBADF where it knows the flag. */
static bool has_set_group(void)
{
	return sys_move_mount(-EBADF, "", -EBADF, "",
			      MOVE_MOUNT_SET_GROUP | MOVE_MOUNT_F_EMPTY_PATH |
				      MOVE_MOUNT_T_EMPTY_PATH) == -EBADF &&
	       !kernel_feature_is_disabled(KERNEL_OPENAT2);
}

static int mount_root(struct criu_root *root, const struct launch *l, const struct rooted *rootfs,
		      struct err *err)
{
	free(root->path);
	root->path = xasprintf("%s/%s/criu-root", l->rt->root, l->opts->id);
	if (mkdir(root->path, 0755) < 0)
		return err_sys(err, -errno, "make '%s'", root->path);
	root->is_made = true;
	if (mount(fd_path(rootfs->fd).text, root->path, NULL, MS_BIND | MS_REC, NULL) < 0)
		return err_sys(err, -errno, "bind '%s' to '%s'", l->bundle.rootfs, root->path);
	root->is_mounted = true;
	return 0;
}

int criu_root_prepare(struct criu_root *root, const struct launch *l, struct err *err)
{
	auto_rooted struct rooted rootfs = ROOTED_INIT;
	int r = mount_open_root(&rootfs, l->bundle.rootfs, &l->bundle.rootfs_id, err);

	if (r < 0)
		return r;
	make_tmp(root, &rootfs, &l->bundle.spec);
	if (!has_set_group() || has_compat_mode(l))
		return mount_root(root, l, &rootfs, err);
	root->path = xstrdup(l->bundle.rootfs);
	return 0;
}

int criu_root_adapt(struct criu_root *root, const struct launch *l, int criu_version,
		    struct err *err)
{
	auto_rooted struct rooted rootfs = ROOTED_INIT;
	int r;

	if (root->is_made || criu_version >= CRIU_VERSION_MOUNTS_V2)
		return 0;
	r = mount_open_root(&rootfs, l->bundle.rootfs, &l->bundle.rootfs_id, err);
	return r < 0 ? r : mount_root(root, l, &rootfs, err);
}

int criu_root_verify(const struct criu_root *root, const struct launch *l, pid_t init_pid,
		     struct err *err)
{
	const struct mount_root_id *id = &l->bundle.rootfs_id;
	auto_free char *path = xasprintf("/proc/%d/root", init_pid);
	auto_close int fd = -EBADF;
	struct stat st;

	if (root->is_made || id->ino == 0)
		return 0;
	fd = fd_open_at(AT_FDCWD, path, O_PATH | O_DIRECTORY, 0);
	if (fd < 0)
		return err_sys(err, fd, "open '%s'", path);
	if (fstat(fd, &st) < 0)
		return err_sys(err, -errno, "examine '%s'", path);
	if (st.st_dev != id->dev || st.st_ino != id->ino)
		return err_set(err, ERR_DENIED,
			       "root file system '%s' is not the directory any more that it was "
			       "before the restore",
			       l->bundle.rootfs);
	return 0;
}

void criu_root_unmount(struct criu_root *root)
{
	criu_root_remove_tmp(root);
	if (root->is_mounted && umount2(root->path, MNT_DETACH) < 0)
		log_warning("unmount '%s': %s", root->path, errno_text(errno));
	root->is_mounted = false;
	if (root->is_made)
		(void)rmdir(root->path);
}

void criu_root_done(struct criu_root *root)
{
	free(root->path);
	*root = (struct criu_root)CRIU_ROOT_INIT;
}
