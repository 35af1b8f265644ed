/* SPDX-License-Identifier: Apache-2.0 */
/* The root file system of a container: an image's layers with a directory of its own on top, or a directory of the
 * host. */
#include "engine/prepare.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/fs.h"
#include "core/path.h"
#include "core/str.h"
#include "engine/image_use.h"
#include "engine/userns.h"
#include "storage/overlay.h"
#include "storage/rootfs.h"
#include "storage/rootfs_idmap.h"

static char *top_dir(const struct container *c)
{
	return path_join(c->static_dir, "rootfs");
}

/* The directory below, what the container writes above: that is gone when it ends, as podman has it. */
static int mount_on_top(const struct container *c, const struct stat *like, char **ret_path,
			struct err *err)
{
	static const char *const names[] = { "upper", "work", "merged" };
	auto_free char *dir = top_dir(c);
	auto_strvec struct strvec paths = STRVEC_INIT;
	auto_strvec struct strvec lowers = STRVEC_INIT;
	struct overlay_mount m = { .lowers = &lowers };
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(names); i++) {
		strvec_addf(&paths, "%s/%s", dir, names[i]);
		r = fs_mkdir_all(AT_FDCWD, paths.v[i], 0711, 0755);
	}
	if (r == 0 && (chown(paths.v[0], like->st_uid, like->st_gid) < 0 ||
		       chmod(paths.v[0], like->st_mode & 07777) < 0))
		r = -errno;
	if (r < 0)
		return err_sys(err, r, "make directories in '%s'", dir);
	strvec_add(&lowers, c->config.rootfs);
	m.upper = paths.v[0];
	m.work = paths.v[1];
	m.target = paths.v[2];
	r = overlay_mount(&m, err);
	if (r < 0)
		return r;
	*ret_path = xstrdup(m.target);
	return 0;
}

/* The directory with its ids mapped. */
static int mount_mapped(const struct container *c, char **ret_path, struct err *err)
{
	auto_idmap struct idmap uids;
	auto_idmap struct idmap gids;
	auto_free char *dir = top_dir(c);
	auto_free char *merged = path_join(dir, "merged");
	int r;

	userns_maps(&c->config, &uids, &gids);
	r = fs_mkdir_all(AT_FDCWD, merged, 0711, 0755);
	if (r < 0)
		return err_sys(err, r, "make directory '%s'", merged);
	r = rootfs_idmap_bind(c->config.rootfs, merged, &uids, &gids, err);
	if (r == 0)
		*ret_path = take_ptr(merged);
	return r;
}

static int use_directory(struct container *c, char **ret_path, struct err *err)
{
	struct stat st;

	if (stat(c->config.rootfs, &st) < 0)
		return err_sys(err, -errno, "root file system '%s'", c->config.rootfs);
	if (!S_ISDIR(st.st_mode))
		return err_set(err, ERR_INVALID, "root file system '%s': it is no directory",
			       c->config.rootfs);
	if (c->config.rootfs_overlay)
		return mount_on_top(c, &st, ret_path, err);
	if (c->config.rootfs_idmap)
		return mount_mapped(c, ret_path, err);
	*ret_path = xstrdup(c->config.rootfs);
	return 0;
}

/* Of a directory with option O or idmap. */
static int unmount_directory(const struct container *c, struct err *err)
{
	auto_free char *dir = top_dir(c);
	auto_free char *merged = path_join(dir, "merged");
	int r;

	while (umount2(merged, UMOUNT_NOFOLLOW | MNT_DETACH) == 0)
		;
	if (errno != EINVAL && errno != ENOENT)
		return err_sys(err, -errno, "unmount '%s'", merged);
	r = fs_remove_tree(AT_FDCWD, dir);
	return r < 0 ? err_sys(err, r, "remove '%s'", dir) : 0;
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

	if (c->config.rootfs_overlay || c->config.rootfs_idmap) {
		r = unmount_directory(c, err);
	} else if (!c->config.rootfs) {
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
