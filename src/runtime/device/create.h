/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Device nodes, their symlinks and the console inside a container's root. The image may hold
 * anything in the place of /dev or below it (a symlink to a host directory, nodes, sockets), so all
 * is made relative to a directory descriptor that was resolved inside the root, never followed
 * through the last component, and checked before it is bound or given an owner.
 */
#pragma once

#include "core/err.h"
#include "core/rooted.h"
#include "kernel/mountfd.h"
#include "runtime/device/plan.h"

/*
 * After mount_exec_all() and before the pivot, since nodes that cannot be made (user namespace, or
 * mknod(2) answers EPERM) are bound from the host's path of the same name, whose device number must
 * then agree. An object that exists at a node's path is accepted when it is that device.
 * host_fds: what device_make_host_nodes() made for the plan, or NULL; closed as they are used.
 * Changes the umask for the duration of the call.
 */
int device_create_all(const struct rooted *root, const struct mountfd_env *env,
		      const struct device_plan *plan, int *host_fds, struct err *err);

/*
 * Bind a terminal on /dev/console of the container, before or after the pivot. slave_fd is the open
 * slave; it must be a terminal on a devpts. The target is made when missing, and must be a regular
 * file or a character device, not a symlink. A terminal of a devpts that is not the container's own
 * is bound all the same (it is the caller's choice).
 */
int device_bind_console(const struct rooted *root, const struct mountfd_env *env, int slave_fd,
			struct err *err);
/* Whether fd is the null device (character device 1:3): 0, or -EINVAL when it is not, or what
 * fstat(2) says. */
int device_check_null(int fd);
