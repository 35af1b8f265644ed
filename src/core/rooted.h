/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A directory tree that a stranger controls: the root file system of a container. Everything that
 * opens, creates or reads inside it goes through here, and nothing else may; no function of the
 * project takes a rootfs as a string to be joined with a path.
 *
 * Paths are resolved as a process that is chrooted there would: an absolute path and an absolute
 * symlink start at the root, ".." stops there (openat2(2) RESOLVE_IN_ROOT, Linux 5.6). Magic links
 * (/proc/PID/fd/N, /proc/PID/root) are never followed. Where openat2 is missing, a walk with O_PATH
 * and O_NOFOLLOW does the same, component by component.
 *
 * Results are descriptors; nothing is opened again by name. Errors are negative errnos.
 */
#pragma once

#include <sys/types.h>

#include "core/auto.h"
#include "core/macro.h"

struct rooted {
	int fd; /* O_PATH | O_DIRECTORY; owned */
};

#define ROOTED_INIT                                                                                \
	{                                                                                          \
		.fd = -EBADF                                                                       \
	}

/* The directory at dir_fd/path of the host; -ENOTDIR when it is something else. */
int rooted_open(struct rooted *ret, int dir_fd, const char *path);
/* Take over a descriptor. */
void rooted_from_fd(struct rooted *ret, int fd);
void rooted_close(struct rooted *root);

/* Open an existing object. flags as of open(2), O_CLOEXEC is added; O_PATH for a handle only. The
 * last component is followed unless O_NOFOLLOW. No O_CREAT. */
int rooted_openat(const struct rooted *root, const char *path, int flags);
/* Directories of path that are missing are made (mode, owner of the caller); an O_PATH descriptor of
 * the last one. Existing symlinks on the way are followed inside the root; a dangling one gives
 * -ENOENT. */
int rooted_mkdir_all(const struct rooted *root, const char *path, mode_t mode);
/* A mount target: the existing object, or an empty regular file (with missing parents) in its
 * place. Returns an O_PATH descriptor. */
int rooted_create_file(const struct rooted *root, const char *path, mode_t mode);
/* An O_PATH descriptor of the parent directory (made with mode when missing) and the last component
 * as malloc'ed string in *ret_name, for mknodat, symlinkat and unlinkat. -EINVAL when path is the
 * root. */
int rooted_open_parent(const struct rooted *root, const char *path, mode_t mode, char **ret_name);
/* The path (absolute, within the root, no symlinks in it) where `path` ends up, also when its last
 * components do not exist; the caller owns it. NULL and errno on failure. Only for text (records,
 * messages, CRIU's mount names), never to open something by. */
char *rooted_resolve(const struct rooted *root, const char *path);

/* For tests: act as if the kernel lacked openat2(2). kernel_features_disable() calls it too. */
void rooted_disable_openat2(bool disable);

DEFINE_AUTO_VAL(rooted, struct rooted, rooted_close)
#define auto_rooted auto_cleanup(rooted_cleanup_val)
