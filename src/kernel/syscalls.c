/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/syscalls.h"

#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/fault.h"
#include "core/rooted.h"

static unsigned int disabled;

#ifdef FLOE_FAULT_POINTS
static void disable_from_environment(void)
{
	static const struct {
		const char *name;
		enum kernel_feature feature;
	} names[] = {
		{ "openat2", KERNEL_OPENAT2 },
		{ "mount_api", KERNEL_MOUNT_API },
		{ "mount_setattr", KERNEL_MOUNT_SETATTR },
		{ "clone3", KERNEL_CLONE3 },
		{ "pidfd", KERNEL_PIDFD },
	};
	static bool done;

	for (size_t i = 0; !done && i < ARRAY_SIZE(names); i++)
		if (fault_feature_is_disabled(names[i].name))
			disabled |= names[i].feature;
	done = true;
}
#else
static inline void disable_from_environment(void)
{
}
#endif

void kernel_features_disable(unsigned int mask)
{
	disabled |= mask;
	if (mask & KERNEL_OPENAT2)
		rooted_disable_openat2(true);
}

bool kernel_feature_is_disabled(enum kernel_feature feature)
{
	disable_from_environment();
	return disabled & feature;
}

/* syscall(2) as a negative errno, unless the feature is switched off. */
#define CALL(feature, ...)                                                                         \
	({                                                                                         \
		long call_r_ = -ENOSYS;                                                            \
		if (!kernel_feature_is_disabled(feature)) {                                        \
			do {                                                                       \
				call_r_ = syscall(__VA_ARGS__);                                    \
			} while (call_r_ < 0 && errno == EINTR);                                   \
			if (call_r_ < 0)                                                           \
				call_r_ = -errno;                                                  \
		}                                                                                  \
		(int)call_r_;                                                                      \
	})

int sys_openat2(int dir_fd, const char *path, const struct open_how *how)
{
	return CALL(KERNEL_OPENAT2, SYS_openat2, dir_fd, path, how, sizeof(*how));
}

int sys_open_tree(int dir_fd, const char *path, unsigned int flags)
{
	return CALL(KERNEL_MOUNT_API, SYS_open_tree, dir_fd, path, flags);
}

int sys_move_mount(int from_fd, const char *from, int to_fd, const char *to, unsigned int flags)
{
	return CALL(KERNEL_MOUNT_API, SYS_move_mount, from_fd, from, to_fd, to, flags);
}

int sys_fsopen(const char *type, unsigned int flags)
{
	return CALL(KERNEL_MOUNT_API, SYS_fsopen, type, flags);
}

int sys_fsconfig(int fs_fd, unsigned int cmd, const char *key, const void *value, int aux)
{
	return CALL(KERNEL_MOUNT_API, SYS_fsconfig, fs_fd, cmd, key, value, aux);
}

int sys_fsmount(int fs_fd, unsigned int flags, unsigned int attr_flags)
{
	return CALL(KERNEL_MOUNT_API, SYS_fsmount, fs_fd, flags, attr_flags);
}

int sys_mount_setattr(int dir_fd, const char *path, unsigned int flags,
		      const struct mount_attr *attr)
{
	return CALL(KERNEL_MOUNT_SETATTR, SYS_mount_setattr, dir_fd, path, flags, attr,
		    sizeof(*attr));
}

int sys_pidfd_open(pid_t pid)
{
	return CALL(KERNEL_PIDFD, SYS_pidfd_open, pid, 0);
}

int sys_pidfd_send_signal(int pidfd, int sig)
{
	return CALL(KERNEL_PIDFD, SYS_pidfd_send_signal, pidfd, sig, NULL, 0);
}

int sys_pidfd_getfd(int pidfd, int descriptor)
{
	return CALL(KERNEL_PIDFD, SYS_pidfd_getfd, pidfd, descriptor, 0);
}

pid_t sys_clone3(struct clone_args *args)
{
	return CALL(KERNEL_CLONE3, SYS_clone3, args, sizeof(*args));
}

pid_t sys_clone(unsigned long flags)
{
	long pid = syscall(SYS_clone, flags, NULL, NULL, NULL, 0);

	return pid < 0 ? -errno : (pid_t)pid;
}

int sys_pivot_root(const char *new_root, const char *put_old)
{
	return syscall(SYS_pivot_root, new_root, put_old) < 0 ? -errno : 0;
}

int sys_execveat(int dir_fd, const char *path, char *const argv[], char *const envp[], int flags)
{
	return syscall(SYS_execveat, dir_fd, path, argv, envp, flags) < 0 ? -errno : 0;
}

int sys_memfd_create(const char *name, unsigned int flags)
{
	long fd = syscall(SYS_memfd_create, name, flags);

	return fd < 0 ? -errno : (int)fd;
}
