/* SPDX-License-Identifier: Apache-2.0 */
/* The root file system of a container: an image's layers, or a directory of the host. */
#include "engine/prepare.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "core/alloc.h"
#include "core/str.h"

int container_mount_rootfs(struct container *c, char **ret_path, struct err *err)
{
	struct stat st;

	if (!c->config.rootfs)
		return err_set(err, ERR_UNSUPPORTED,
			       "mount image '%s': images are not supported yet; use --rootfs",
			       c->config.image_name);
	if (stat(c->config.rootfs, &st) < 0)
		return err_sys(err, -errno, "root file system '%s'", c->config.rootfs);
	if (!S_ISDIR(st.st_mode))
		return err_set(err, ERR_INVALID, "root file system '%s': it is no directory",
			       c->config.rootfs);
	replace_ptr(c->status.mount_point, xstrdup(c->config.rootfs));
	c->status.mounted = true;
	*ret_path = xstrdup(c->config.rootfs);
	return 0;
}

int container_unmount_rootfs(struct container *c, struct err *err UNUSED)
{
	c->status.mounted = false;
	replace_ptr(c->status.mount_point, NULL);
	return 0;
}

int container_remove_rootfs(struct container *c UNUSED, struct err *err UNUSED)
{
	/* A directory of the user's stays. */
	return 0;
}
