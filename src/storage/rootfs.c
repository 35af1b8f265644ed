/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/rootfs.h"

#include <dirent.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/fd.h"
#include "core/fs.h"
#include "core/str.h"
#include "kernel/mountinfo.h"
#include "storage/copy.h"
#include "storage/overlay.h"
#include "storage/rootfs_idmap.h"
#include "storage/rootfs_record.h"

static char *part(const struct store *store, const char *id, const char *name)
{
	return xasprintf("%s/rootfs/%s/%s", store->root, id, name);
}

char *rootfs_path(const struct store *store, const char *id)
{
	return part(store, id, "merged");
}

char *rootfs_upper_path(const struct store *store, const char *id)
{
	return store->driver == STORE_VFS ? NULL : part(store, id, "upper");
}

char *rootfs_work_path(const struct store *store, const char *id)
{
	return store->driver == STORE_VFS ? NULL : part(store, id, "work");
}

static char *user_of(const char *id)
{
	return xasprintf("rootfs:%s", id);
}

/* --- the record --- */

void rootfs_record_done(struct rootfs_record *record)
{
	free(record->chain_id);
	free(record->boot_id);
	idmap_done(&record->uids);
	idmap_done(&record->gids);
	*record = (struct rootfs_record){ 0 };
}

int rootfs_record_load(struct store *store, const char *id, struct rootfs_record *ret,
		       struct err *err)
{
	auto_db_stmt struct db_stmt q = DB_STMT_INIT;
	int r = db_query(store->db, &q, err,
			 "SELECT chain_id, read_only, mounts, boot_id, uid_map, gid_map FROM rootfs"
			 " WHERE id = ?",
			 "s", id);

	if (r == 0)
		r = db_step(&q, err);
	if (r < 0)
		return r;
	if (r == 0)
		return err_set(err, ERR_NOT_FOUND, "find root file system '%s': there is none", id);
	ret->chain_id = xstrdup(db_text(&q, 0));
	ret->read_only = db_i64(&q, 1) != 0;
	ret->mounts = db_i64(&q, 2);
	ret->boot_id = xstrdup(db_text(&q, 3));
	if (idmap_parse(&ret->uids, db_text(&q, 4)) < 0 ||
	    idmap_parse(&ret->gids, db_text(&q, 5)) < 0) {
		rootfs_record_done(ret);
		return err_set(err, ERR_INVALID, "root file system '%s': its id maps are damaged",
			       id);
	}
	return 0;
}

static int save_mounts(struct store *store, const char *id, int64_t mounts, struct err *err)
{
	auto_free char *boot_id = store_boot_id();
	bool before = db_set_passing(store->db, true);
	int r = db_exec(store->db, err, "UPDATE rootfs SET mounts = ?, boot_id = ? WHERE id = ?",
			"iss", mounts, boot_id, id);

	(void)db_set_passing(store->db, before);
	return r;
}

int rootfs_exists(struct store *store, const char *id, struct err *err)
{
	return db_has(store->db, err, "SELECT 1 FROM rootfs WHERE id = ?", "s", id);
}

int rootfs_ids(struct store *store, const char *prefix, struct strvec *ret, struct err *err)
{
	auto_db_stmt struct db_stmt q = DB_STMT_INIT;
	int r = db_query(store->db, &q, err,
			 "SELECT id FROM rootfs WHERE substr(id, 1, length(?)) = ? ORDER BY id",
			 "ss", prefix, prefix);

	while (r >= 0 && (r = db_step(&q, err)) > 0)
		strvec_add(ret, db_text(&q, 0));
	return r;
}

/* --- making and removing --- */

static int make_dirs(struct store *store, const char *id, const struct rootfs_options *options,
		     struct err *err)
{
	static const char *const names[] = { "merged", "upper", "work" };
	size_t n = store->driver == STORE_VFS || options->read_only ? 1 : ARRAY_SIZE(names);
	auto_free char *base = store_path(store, "rootfs", id);
	auto_layers struct layers layers = { 0 };
	auto_lower_dir struct lower_dir lower = { 0 };
	struct stat st;
	int r = layers_load(store, options->top, &layers, err);

	if (r < 0)
		return r;
	/* A leftover of a process that was killed before its record was there. */
	r = fs_remove_tree(AT_FDCWD, base);
	if (r < 0)
		return err_sys(err, r, "remove '%s'", base);
	if (mkdir(base, 0700) < 0)
		return err_sys(err, -errno, "make directory '%s'", base);
	for (size_t i = 0; i < n; i++) {
		auto_free char *path = part(store, id, names[i]);

		if (mkdir(path, i == 2 ? 0700 : 0755) < 0)
			return err_sys(err, -errno, "make directory '%s'", path);
	}
	lower_dir_root(store, &layers, &lower);
	if (store->driver == STORE_VFS) {
		auto_free char *merged = rootfs_path(store, id);

		r = copy_lower_tree(&lower, merged, err);
		return r < 0 || db_is_passing(store->db) ? r : copy_sync(merged, err);
	}
	/* The attributes of an overlay's root are those of the upper directory. */
	if (n > 1 && lower.paths.n && stat(lower.paths.v[0], &st) == 0) {
		auto_free char *upper = part(store, id, "upper");

		if (chown(upper, st.st_uid, st.st_gid) < 0 || chmod(upper, st.st_mode & 07777) < 0)
			return err_sys(err, -errno, "set owner and mode of '%s'", upper);
	}
	return 0;
}

static int insert(struct store *store, const char *id, const struct rootfs_options *options,
		  struct err *err)
{
	auto_free char *user = user_of(id);
	auto_strbuf struct strbuf uids = STRBUF_INIT;
	auto_strbuf struct strbuf gids = STRBUF_INIT;
	int r = db_begin(store->db, err);

	if (r < 0)
		return r;
	if (options->uids && options->gids) {
		idmap_format(options->uids, &uids);
		idmap_format(options->gids, &gids);
	}
	r = db_exec(store->db, err,
		    "INSERT INTO rootfs(id, chain_id, read_only, uid_map, gid_map)"
		    " VALUES(?, ?, ?, ?, ?)",
		    "ssiss", id, options->top, (int64_t)options->read_only, uids.buf, gids.buf);
	if (r == 0)
		r = layer_use(store, user, options->top, err);
	if (r < 0) {
		db_rollback(store->db);
		return err_wrap(err, r, "make root file system '%s'", id);
	}
	return db_commit(store->db, err);
}

/* The record comes first: it keeps the layers while the directories are made. */
int rootfs_create(struct store *store, const char *id, const struct rootfs_options *options,
		  struct err *err)
{
	int r;

	if (store->driver == STORE_VFS && options->uids && options->uids->n)
		return err_set(err, ERR_UNSUPPORTED,
			       "root file system '%s': ids can only be mapped with the storage "
			       "driver overlay",
			       id);
	r = insert(store, id, options, err);
	if (r < 0)
		return r;
	r = make_dirs(store, id, options, err);
	if (r < 0)
		(void)rootfs_remove(store, id, NULL);
	return r;
}

static int unmount_all(const struct store *store, const char *id, struct err *err)
{
	auto_free char *merged = rootfs_path(store, id);

	rootfs_idmap_unmount(store, id);
	while (umount2(merged, UMOUNT_NOFOLLOW | MNT_DETACH) == 0)
		;
	/* EINVAL: no mount point (any more). */
	if (errno != EINVAL && errno != ENOENT)
		return err_sys(err, -errno, "unmount '%s'", merged);
	return 0;
}

int rootfs_remove(struct store *store, const char *id, struct err *err)
{
	auto_free char *base = store_path(store, "rootfs", id);
	auto_free char *user = user_of(id);
	int r = unmount_all(store, id, err);

	if (r == 0) {
		r = fs_remove_tree(AT_FDCWD, base);
		if (r < 0)
			r = err_sys(err, r, "remove '%s'", base);
	}
	if (r == 0)
		r = db_begin(store->db, err);
	if (r < 0)
		return r;
	r = db_exec(store->db, err, "DELETE FROM rootfs WHERE id = ?", "s", id);
	if (r == 0)
		r = layer_unuse(store, user, err);
	if (r < 0) {
		db_rollback(store->db);
		return r;
	}
	return db_commit(store->db, err);
}

/* --- mounting --- */

/* 1 or 0. */
static int is_mounted(const char *merged, struct err *err)
{
	auto_close int fd = fd_open_at(AT_FDCWD, merged, O_PATH | O_DIRECTORY, 0);
	auto_free char *parent = xasprintf("%s/..", merged);
	struct stat here;
	struct stat above;

	if (fd < 0)
		return err_sys(err, fd, "open '%s'", merged);
	/* An overlay has a device number of its own. */
	if (fstat(fd, &here) < 0 || stat(parent, &above) < 0)
		return err_sys(err, -errno, "read '%s'", merged);
	return here.st_dev != above.st_dev;
}

static int mount_overlay(struct store *store, const char *id, const struct rootfs_record *record,
			 const char *merged, struct err *err)
{
	auto_layers struct layers layers = { 0 };
	auto_strvec struct strvec lowers = STRVEC_INIT;
	auto_strvec struct strvec names = STRVEC_INIT;
	auto_free char *layers_dir = store_path(store, "layers", NULL);
	auto_free char *upper = part(store, id, "upper");
	auto_free char *work = part(store, id, "work");
	auto_free char *empty = part(store, id, "empty");
	struct overlay_mount m = {
		.layers_dir = layers_dir,
		.lowers = &lowers,
		.short_names = &names,
		.upper = record->read_only ? NULL : upper,
		.work = work,
		.target = merged,
	};
	int r = layers_load(store, record->chain_id, &layers, err);

	if (r < 0)
		return r;
	for (size_t i = layers.n; i-- > 0;) {
		strvec_add_take(&lowers, layer_diff_path(store, layers.v[i].chain_id));
		strvec_add_take(&names, layer_short_name(layers.v[i].chain_id));
	}
	/* Overlay wants a lower directory, and without an upper one two of them. */
	if (lowers.n == 0 || (record->read_only && lowers.n == 1)) {
		if (mkdir(empty, 0755) < 0 && errno != EEXIST)
			return err_sys(err, -errno, "make directory '%s'", empty);
		strvec_add(&lowers, empty);
		strvec_add(&names, empty);
	}
	return record->uids.n ? rootfs_idmap_overlay(store, id, record, &layers, &m, err) :
				overlay_mount(&m, err);
}

static int count_of(const struct rootfs_record *record)
{
	auto_free char *boot_id = store_boot_id();

	return str_eq(record->boot_id, boot_id) ? (int)record->mounts : 0;
}

/* One at a time for each root. */
static int lock_rootfs(struct store *store, const char *id, struct err *err)
{
	auto_free char *path = xasprintf("rootfs/%s", id);
	auto_close int fd = fd_open_at(store->root_fd, path, O_RDONLY | O_DIRECTORY, 0);
	int r = fd < 0 ? fd : lock_fd(fd, LOCK_MODE_EXCLUSIVE, -1);

	if (r < 0)
		return err_sys(err, r, "lock '%s/%s'", store->root, path);
	return take_fd(fd);
}

int rootfs_mount(struct store *store, const char *id, char **ret_path, struct err *err)
{
	auto_rootfs_record struct rootfs_record record = { 0 };
	auto_free char *merged = rootfs_path(store, id);
	auto_close int lock = lock_rootfs(store, id, err);
	int mounted;
	int r;

	if (lock < 0)
		return lock;
	r = rootfs_record_load(store, id, &record, err);
	if (r < 0)
		return r;
	mounted = store->driver == STORE_VFS && record.uids.n == 0 ? 1 : is_mounted(merged, err);
	if (mounted < 0)
		return mounted;
	if (!mounted) {
		r = mount_overlay(store, id, &record, merged, err);
		if (r < 0)
			return r;
	}
	r = save_mounts(store, id, count_of(&record) + 1, err);
	if (r < 0) {
		if (!mounted)
			(void)unmount_all(store, id, NULL);
		return r;
	}
	if (ret_path)
		*ret_path = take_ptr(merged);
	return 0;
}

int rootfs_unmount(struct store *store, const char *id, bool force, struct err *err)
{
	auto_rootfs_record struct rootfs_record record = { 0 };
	auto_close int lock = lock_rootfs(store, id, err);
	int count;
	int r;

	if (lock < 0)
		return lock;
	r = rootfs_record_load(store, id, &record, err);
	if (r < 0)
		return r;
	count = count_of(&record);
	if (count > 1 && !force)
		return save_mounts(store, id, count - 1, err);
	r = store->driver == STORE_VFS ? 0 : unmount_all(store, id, err);
	return r < 0 || record.mounts == 0 ? r : save_mounts(store, id, 0, err);
}

int rootfs_mount_count(struct store *store, const char *id, int64_t *ret, struct err *err)
{
	auto_rootfs_record struct rootfs_record record = { 0 };
	int r = rootfs_record_load(store, id, &record, err);

	if (r == 0)
		*ret = count_of(&record);
	return r;
}
