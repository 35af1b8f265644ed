/* SPDX-License-Identifier: Apache-2.0 */
/*
 * System calls that the C library of our oldest platform (glibc 2.36) lacks or wraps in a way that
 * hides what we need, and the constants of newer kernels. Each returns the result, or a negative
 * errno.
 *
 * A call whose feature was switched off with kernel_features_disable() answers -ENOSYS without
 * entering the kernel, which is how the fall-back paths are tested.
 */
#pragma once

#include <linux/openat2.h>
#include <signal.h>
#include <stdint.h>
#include <sys/types.h>
#include <linux/sched.h>
#include <linux/mount.h>

#include "core/macro.h"

/* Features with a fall-back path. Never decided by the kernel's version. */
enum kernel_feature {
	KERNEL_OPENAT2 = 1 << 0, /* Linux 5.6 */
	KERNEL_MOUNT_API = 1 << 1, /* open_tree, move_mount, fsopen, fsconfig, fsmount: Linux 5.2 */
	KERNEL_MOUNT_SETATTR = 1 << 2, /* Linux 5.12 */
	KERNEL_CLONE3 = 1 << 3, /* Linux 5.3; CLONE_INTO_CGROUP 5.7 */
	KERNEL_PIDFD = 1 << 4, /* pidfd_open, pidfd_send_signal: Linux 5.3 */
};

/* For tests: from now on act as if the kernel lacked these (a mask). Also read once from the
 * environment variable FLOE_TEST_DISABLE ("openat2,clone3") in builds with -Dfault_points=true. */
void kernel_features_disable(unsigned int mask);
bool kernel_feature_is_disabled(enum kernel_feature feature);
/* Whether the error of such a call means "this kernel (or a seccomp filter) does not have it". */
static inline bool kernel_call_is_missing(int r)
{
	return r == -38 /* ENOSYS */ || r == -1 /* EPERM, by a container engine's filter */;
}

int sys_openat2(int dir_fd, const char *path, const struct open_how *how);
int sys_open_tree(int dir_fd, const char *path, unsigned int flags);
int sys_move_mount(int from_fd, const char *from, int to_fd, const char *to, unsigned int flags);
int sys_fsopen(const char *type, unsigned int flags);
int sys_fsconfig(int fs_fd, unsigned int cmd, const char *key, const void *value, int aux);
int sys_fsmount(int fs_fd, unsigned int flags, unsigned int attr_flags);
int sys_mount_setattr(int dir_fd, const char *path, unsigned int flags,
		      const struct mount_attr *attr);
int sys_pidfd_open(pid_t pid);
int sys_pidfd_send_signal(int pidfd, int sig);
/* A second descriptor of what the process has under that number, close-on-exec (Linux 5.6). */
int sys_pidfd_getfd(int pidfd, int descriptor);
/* The child continues as after fork(2): single-threaded callers only. 0 in the child. */
pid_t sys_clone3(struct clone_args *args);
/* The older clone(2) without a stack of its own, likewise; flags include the exit signal. */
pid_t sys_clone(unsigned long flags);
int sys_pivot_root(const char *new_root, const char *put_old);
int sys_execveat(int dir_fd, const char *path, char *const argv[], char *const envp[], int flags);
int sys_memfd_create(const char *name, unsigned int flags);

#ifndef OPEN_TREE_CLONE
#define OPEN_TREE_CLONE 1
#endif
#ifndef OPEN_TREE_CLOEXEC
#define OPEN_TREE_CLOEXEC 02000000
#endif
#ifndef MOVE_MOUNT_F_EMPTY_PATH
#define MOVE_MOUNT_F_EMPTY_PATH 0x00000004
#endif
#ifndef MOVE_MOUNT_T_EMPTY_PATH
#define MOVE_MOUNT_T_EMPTY_PATH 0x00000040
#endif
#ifndef MOVE_MOUNT_SET_GROUP
#define MOVE_MOUNT_SET_GROUP 0x00000100
#endif
#ifndef MOUNT_ATTR_NOSYMFOLLOW
#define MOUNT_ATTR_NOSYMFOLLOW 0x00200000
#endif
#ifndef MOUNT_ATTR_IDMAP
#define MOUNT_ATTR_IDMAP 0x00100000
#endif
#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif
#ifndef CLONE_INTO_CGROUP
#define CLONE_INTO_CGROUP 0x200000000ULL
#endif
#ifndef CLOSE_RANGE_CLOEXEC
#define CLOSE_RANGE_CLOEXEC (1U << 2)
#endif
#ifndef MS_NOSYMFOLLOW
#define MS_NOSYMFOLLOW 256
#endif
