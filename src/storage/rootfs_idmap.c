/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/rootfs_idmap.h"

#include <fcntl.h>
#include <fts.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/fd.h"
#include "core/fs.h"
#include "core/log.h"
#include "core/str.h"
#include "kernel/idmap_ns.h"
#include "kernel/mountfd.h"
#include "storage/copy.h"

/* On disk: the id that stands for our own root, which is nobody in the container. Overlay makes its work files with it. */
#define OUTER_ROOT_INSIDE (UINT32_MAX - 1)
#define CAPABILITY_XATTR "security.capability"
#define CAPABILITY_MAX 64

static char *part(const struct store *store, const char *id, const char *name)
{
	return xasprintf("%s/rootfs/%s/%s", store->root, id, name);
}

static void copy_map(const struct idmap *from, struct idmap *to)
{
	uint32_t inside;

	for (size_t i = 0; i < from->n; i++)
		idmap_add(to, from->v[i].inside, from->v[i].outside, from->v[i].size);
	if (idmap_to_inside(from, 0, &inside) < 0)
		idmap_add(to, OUTER_ROOT_INSIDE, 0, 1);
}

int rootfs_idmap_bind(const char *dir, const char *target, const struct idmap *from_uids,
		      const struct idmap *from_gids, struct err *err)
{
	auto_idmap struct idmap uids = IDMAP_INIT;
	auto_idmap struct idmap gids = IDMAP_INIT;
	auto_close int userns = -EBADF;
	auto_close int target_fd = -EBADF;
	auto_close int mount_fd = -EBADF;
	struct mountfd_env env = MOUNTFD_ENV_INIT;
	int r;

	copy_map(from_uids, &uids);
	copy_map(from_gids, &gids);
	userns = idmap_ns_open(&uids, &gids, err);
	if (userns < 0)
		return userns;
	mountfd_env_probe(&env);
	mount_fd = mountfd_clone(&env, AT_FDCWD, dir, 0);
	r = mount_fd < 0 ? mount_fd : mountfd_set_idmap(&env, mount_fd, userns, false);
	if (r == 0)
		r = target_fd = fd_open_at(AT_FDCWD, target, O_PATH | O_DIRECTORY, 0);
	if (r >= 0)
		r = mountfd_attach(&env, mount_fd, target_fd);
	if (r >= 0)
		r = mountfd_set_propagation(&env, mount_fd, MS_PRIVATE);
	mountfd_env_done(&env);
	return r < 0 ? err_sys(err, r, "map the ids of '%s'", dir) : 0;
}

void rootfs_idmap_unmount(const struct store *store, const char *id)
{
	auto_free char *path = part(store, id, "idmapped");

	while (umount2(path, UMOUNT_NOFOLLOW | MNT_DETACH) == 0)
		;
}

bool rootfs_idmap_is_copied(const struct store *store, const char *id)
{
	auto_free char *path = part(store, id, "lower");

	return fs_exists(AT_FDCWD, path);
}

/* --- by id-mapped mounts -------------------------------------------------------------------------- */

/* ROOT/x becomes VIEW/x. */
static char *seen_from(const struct store *store, const char *view, const char *path)
{
	return xasprintf("%s%s", view, path + strlen(store->root));
}

static int mount_mapped(struct store *store, const char *id, const struct rootfs_record *record,
			const struct overlay_mount *m, struct err *err)
{
	auto_free char *view = part(store, id, "idmapped");
	auto_free char *layers_dir = seen_from(store, view, m->layers_dir);
	auto_free char *upper = m->upper ? seen_from(store, view, m->upper) : NULL;
	auto_free char *work = m->work ? seen_from(store, view, m->work) : NULL;
	auto_strvec struct strvec lowers = STRVEC_INIT;
	struct overlay_mount mapped = *m;
	int r;

	if (mkdir(view, 0700) < 0 && errno != EEXIST)
		return err_sys(err, -errno, "make directory '%s'", view);
	for (size_t i = 0; i < m->lowers->n; i++)
		strvec_add_take(&lowers, seen_from(store, view, m->lowers->v[i]));
	mapped.layers_dir = layers_dir;
	mapped.lowers = &lowers;
	mapped.upper = upper;
	mapped.work = work;
	rootfs_idmap_unmount(store, id);
	r = rootfs_idmap_bind(store->root, view, &record->uids, &record->gids, err);
	if (r == 0)
		r = overlay_mount(&mapped, err);
	/* The overlay has mounts of its own of what it is made of. */
	rootfs_idmap_unmount(store, id);
	return r;
}

/* --- by a copy ------------------------------------------------------------------------------------- */

static int change_owner(const struct rootfs_record *record, const char *path, const struct stat *st)
{
	char caps[CAPABILITY_MAX];
	ssize_t n = S_ISREG(st->st_mode) ? lgetxattr(path, CAPABILITY_XATTR, caps, sizeof(caps)) :
					   -1;
	uint32_t uid;
	uint32_t gid;

	if (idmap_to_outside(&record->uids, st->st_uid, &uid) < 0 ||
	    idmap_to_outside(&record->gids, st->st_gid, &gid) < 0)
		return -ERANGE;
	if (lchown(path, uid, gid) < 0)
		return -errno;
	/* Both are lost by a change of the owner. */
	if ((st->st_mode & (S_ISUID | S_ISGID)) && !S_ISLNK(st->st_mode) &&
	    chmod(path, st->st_mode & 07777) < 0)
		return -errno;
	return n > 0 && lsetxattr(path, CAPABILITY_XATTR, caps, (size_t)n, 0) < 0 ? -errno : 0;
}

static int change_owners(const struct rootfs_record *record, char *dir, struct err *err)
{
	char *const paths[] = { dir, NULL };
	FTS *fts = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR | FTS_XDEV, NULL);
	FTSENT *entry;
	int r = fts ? 0 : err_sys(err, -errno, "open '%s'", dir);

	while (r == 0 && (entry = fts_read(fts))) {
		if (entry->fts_info == FTS_DP)
			continue;
		r = entry->fts_info == FTS_NS ?
			    -entry->fts_errno :
			    change_owner(record, entry->fts_path, entry->fts_statp);
		if (r == -ERANGE)
			r = err_set(err, ERR_INVALID,
				    "'%s' is of user %u and group %u, which the container's user "
				    "namespace does not have; map more ids",
				    entry->fts_path + strlen(dir), entry->fts_statp->st_uid,
				    entry->fts_statp->st_gid);
		else if (r < 0)
			r = err_sys(err, r, "change the owner of '%s'", entry->fts_path);
	}
	if (fts)
		(void)fts_close(fts);
	return r;
}

static int make_copy(struct store *store, const struct rootfs_record *record,
		     const struct layers *layers, const char *lower, const char *upper,
		     struct err *err)
{
	auto_lower_dir struct lower_dir root = { 0 };
	auto_free char *unfinished = xasprintf("%s.unfinished", lower);
	struct stat st;
	int r = fs_remove_tree(AT_FDCWD, unfinished);

	if (r == 0 && mkdir(unfinished, 0755) < 0)
		r = -errno;
	if (r < 0)
		return err_sys(err, r, "make directory '%s'", unfinished);
	lower_dir_root(store, layers, &root);
	r = copy_lower_tree(&root, unfinished, err);
	if (r == 0)
		r = change_owners(record, unfinished, err);
	if (r == 0 && upper && stat(upper, &st) == 0) {
		r = change_owner(record, upper, &st);
		if (r < 0)
			r = err_sys(err, r, "change the owner of '%s'", upper);
	}
	if (r == 0)
		r = copy_sync(unfinished, err);
	if (r == 0 && rename(unfinished, lower) < 0)
		r = err_sys(err, -errno, "rename '%s'", unfinished);
	return r;
}

static int mount_copy(struct store *store, const char *id, const struct rootfs_record *record,
		      const struct layers *layers, const struct overlay_mount *m, struct err *err)
{
	auto_free char *lower = part(store, id, "lower");
	auto_strvec struct strvec lowers = STRVEC_INIT;
	struct overlay_mount copied = *m;
	int r = 0;

	if (!fs_exists(AT_FDCWD, lower))
		r = make_copy(store, record, layers, lower, m->upper, err);
	if (r < 0)
		return r;
	strvec_add(&lowers, lower);
	/* Overlay wants two without an upper one. */
	if (!m->upper)
		strvec_add(&lowers, m->lowers->v[m->lowers->n - 1]);
	copied.lowers = &lowers;
	copied.short_names = &lowers;
	return overlay_mount(&copied, err);
}

/* The kernel, or a file system, that cannot map ids. */
static bool is_unsupported(int r)
{
	return r == -EINVAL || r == -EOPNOTSUPP || r == -ENOSYS || r == -EPERM;
}

int rootfs_idmap_overlay(struct store *store, const char *id, const struct rootfs_record *record,
			 const struct layers *layers, struct overlay_mount *m, struct err *err)
{
	struct err first = ERR_INIT;
	int r;

	if (rootfs_idmap_is_copied(store, id))
		return mount_copy(store, id, record, layers, m, err);
	r = mount_mapped(store, id, record, m, &first);
	if (r < 0 && is_unsupported(r)) {
		log_debug("%s; by a copy instead", first.msg);
		return mount_copy(store, id, record, layers, m, err);
	}
	if (r < 0 && err)
		*err = first;
	return r;
}
