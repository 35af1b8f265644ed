/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Theory of operation
 *
 * Everything here but mount_open_sources() runs in the container's init, in its new mount namespace,
 * and in this order:
 *
 *	mount_prepare_root()     propagation of "/", the rootfs on a mount of its own, ctx->root
 *	mount_exec_all()         the plan's mounts, in order
 *	  (device_create_all(), hooks of the caller)
 *	mount_pivot()            or mount_no_pivot(), or mount_chroot() without a mount namespace
 *	  (console, by device_bind_console())
 *	mount_finalize()         what had to stay writable so far becomes read-only, root last
 *	  (sysctl)
 *	mount_readonly_paths()
 *	mount_mask_paths()
 *	mount_set_root_propagation()
 *
 * The image is hostile, and another container may change its tree while we work. So each target is
 * resolved once, by ctx->root, into a descriptor; the mount is made detached and moved onto that
 * descriptor; and later changes to a mount go through the descriptor that it was made with. What a
 * target is may be checked only by descriptor. Text paths of the rootfs occur in messages only.
 *
 * Without the mount API of Linux 5.2 the same is done with mount(2): a mount is first made in a
 * private staging tmpfs (below the rootfs mount, out of anybody's reach), opened there, and moved by
 * MS_MOVE onto /proc/self/fd/N. See kernel/mountfd.h.
 *
 * A container in a user namespace may lack access to bind sources, and cannot clone from mounts that
 * it got locked; and id-mapped mounts need the privilege of the file system's owner. For these the
 * parent calls mount_open_sources() on the host side and sends the descriptors. A source below the
 * rootfs may be what an earlier mount put there, which only the container's mount namespace has: that
 * one the parent opens there when its turn comes (mount_open_source_inside()).
 */
#pragma once

#include "core/auto.h"
#include "core/err.h"
#include "core/rooted.h"
#include "kernel/mountfd.h"
#include "runtime/mount/plan.h"

/* One v1 hierarchy of the host. All strings are borrowed. */
struct mount_cgroup_hierarchy {
	const char *mount_point; /* "/sys/fs/cgroup/cpu,cpuacct"; its basename is the name inside */
	const char *options; /* what mount -o takes for it: "cpu,cpuacct" or "name=systemd" */
	const char *own_dir; /* host path of the container's own cgroup in it */
};

struct mount_cgroup_facts {
	const struct mount_cgroup_hierarchy
		*v1; /* mode v1; "unified" of a hybrid host is not here */
	size_t n_v1;
	const char *v2_mount_point; /* mode v2: "/sys/fs/cgroup" */
	const char *v2_own_dir; /* mode v2: host path of the container's own cgroup */
};

/* Which directory the root file system is, whatever its path leads to by now; ino 0: any. */
struct mount_root_id {
	dev_t dev;
	ino_t ino;
};

/* A mount that is to become read-only in mount_finalize(). */
struct mount_pending {
	int fd; /* owned */
	const struct mount_op *op;
};

struct mount_context {
	/* Borrowed, by mount_context_init() or set by the caller after it. */
	const struct mount_plan *plan;
	const char *rootfs; /* absolute path on the host */
	struct mount_root_id rootfs_id; /* set by the caller where it is known */
	const struct mount_cgroup_facts *cgroup; /* NULL: cgroup mounts are refused */
	/* Called exactly once by a successful mount_exec_all(): before the first cgroup mount, or
	 * behind the last mount when there is none. Returns when the container is in its cgroup (and
	 * cgroup namespace), so that the caller may create that meanwhile; it may also set
	 * ctx->cgroup. NULL: it is there already. */
	int (*enter_cgroup)(void *arg, struct err *err);
	void *enter_cgroup_arg;
	/* The descriptor of plan->ops[n], whose source is inside, from the parent. NULL: it cannot be
	 * asked, and such a source is opened here. */
	int (*open_inside)(void *arg, size_t n, struct err *err);
	void *open_inside_arg;
	/* Descriptors from mount_open_sources(), by slot; owned by the context once set. */
	int *source_fds;
	size_t n_source_fds;

	/* Kept here by the functions below. */
	struct rooted root; /* the container's root, valid from mount_prepare_root() on */
	char *root_text; /* its path on the host, for checks of resolved targets */
	struct mountfd_env env;
	struct mount_pending *pending;
	size_t n_pending;
	int null_fd; /* a verified /dev/null, from mount_pivot() on; -EBADF */
	bool null_is_detached; /* null_fd is a mount that is still to be attached somewhere */
};

void mount_context_init(struct mount_context *ctx, const struct mount_plan *plan,
			const char *rootfs);
/* Closes what is open; mounts stay (they end with the namespace). */
void mount_context_done(struct mount_context *ctx);

/*
 * In the parent, on the host side: one descriptor per slot of the plan, each a detached, id-mapped
 * where asked for, clone of a bind source. userns_fd is the container's user namespace (after its
 * maps are written), or -1 when it has none. *ret_fds is an array of plan->n_sources descriptors
 * that the caller closes and frees; nothing is left on failure. NULL: nothing to do, or a kernel
 * without the mount API, where the child then opens the sources itself.
 */
int mount_open_sources(const struct mount_plan *plan, int userns_fd, int **ret_fds,
		       struct err *err);

/*
 * In the parent, while pid, the container's init, waits for it in its own mount namespace: the source
 * of plan->ops[n] as it is there, id-mapped where asked for. Return: descriptor, the caller's.
 */
int mount_open_source_inside(const struct mount_plan *plan, size_t n, pid_t pid, int userns_fd,
			     struct err *err);

int mount_prepare_root(struct mount_context *ctx, struct err *err);
/* Open the directory at path and see that it is the one with that id (ERR_DENIED): somebody who can
 * rename it might have put a link to "/" in its place. */
int mount_open_root(struct rooted *ret, const char *path, const struct mount_root_id *id,
		    struct err *err);
int mount_exec_all(struct mount_context *ctx, struct err *err);
int mount_finalize(struct mount_context *ctx, struct err *err);

/* pivot_root(2) into ctx->root; the old root is detached; cwd is "/" of the container. */
int mount_pivot(struct mount_context *ctx, struct err *err);
/* --no-pivot, for a root on the initial ramfs: full mounts of proc and sysfs outside the rootfs are
 * taken away, the rootfs is moved over "/", chroot. */
int mount_no_pivot(struct mount_context *ctx, struct err *err);
/* No mount namespace: chroot only. mount_prepare_root() is still called first (it then only opens
 * the rootfs), mount_exec_all() must not be. */
int mount_chroot(struct mount_context *ctx, struct err *err);

/* The plan's readonly_paths and masked_paths; what does not exist is skipped. */
int mount_readonly_paths(struct mount_context *ctx, struct err *err);
int mount_mask_paths(struct mount_context *ctx, struct err *err);
/* linux.rootfsPropagation, on "/" of the container: last, because pivot_root(2) takes no shared root and
 * the paths above no unbindable one. */
int mount_set_root_propagation(struct mount_context *ctx, struct err *err);

/*
 * For restore: make sure that each mount's target exists in the rootfs (directory, or empty file for
 * a bind of something else), without leaving a mount. Runs in a mount namespace of its own that the
 * caller throws away, after mount_prepare_root(): binds are mounted so that targets below them are
 * made, cgroup mounts and what lies on a tmpfs of the plan are skipped.
 */
int mount_make_targets(struct mount_context *ctx, struct err *err);
