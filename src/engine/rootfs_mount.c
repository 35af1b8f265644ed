/* SPDX-License-Identifier: Apache-2.0 */
/* The root file system of a container: an image's layers with a directory of its own on top, or a directory of the
 * host. */
#include "engine/prepare.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "core/alloc.h"
#include "core/str.h"
#include "engine/image_use.h"
#include "storage/rootfs.h"

static int use_directory(struct container *c, char **ret_path, struct err *err)
{
	struct stat st;

	if (stat(c->config.rootfs, &st) < 0)
		return err_sys(err, -errno, "root file system '%s'", c->config.rootfs);
	if (!S_ISDIR(st.st_mode))
		return err_set(err, ERR_INVALID, "root file system '%s': it is no directory",
			       c->config.rootfs);
	*ret_path = xstrdup(c->config.rootfs);
	return 0;
}

int container_mount_rootfs(struct container *c, char **ret_path, struct err *err)
{
	struct store *store;
	int r;

	if (c->config.rootfs) {
		r = use_directory(c, ret_path, err);
	} else {
		r = engine_store(c->engine, &store, err);
		if (r == 0)
			r = rootfs_mount(store, c->config.id, ret_path, err);
	}
	if (r < 0)
		return r;
	replace_ptr(c->status.mount_point, xstrdup(*ret_path));
	c->status.mounted = true;
	return 0;
}

int container_unmount_rootfs(struct container *c, struct err *err)
{
	struct store *store;
	int r = 0;

	if (!c->config.rootfs) {
		r = engine_store(c->engine, &store, err);
		if (r == 0)
			r = rootfs_unmount(store, c->config.id, false, err);
	}
	if (r < 0)
		return r;
	c->status.mounted = false;
	replace_ptr(c->status.mount_point, NULL);
	return 0;
}

int container_remove_rootfs(struct container *c, struct err *err)
{
	struct store *store;
	int r;

	/* A directory of the user's stays. */
	if (c->config.rootfs)
		return 0;
	r = engine_store(c->engine, &store, err);
	return r < 0 ? r : rootfs_remove(store, c->config.id, err);
}
