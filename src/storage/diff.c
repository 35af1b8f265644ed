/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a container changed. With overlay that is its upper directory, compared with the layers where
 * it has something; with vfs the whole tree is compared. Both become the same list, from which the
 * layer archive is written.
 */
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/fd.h"
#include "core/rooted.h"
#include "core/path.h"
#include "core/fs.h"
#include "core/str.h"
#include "storage/lower.h"
#include "storage/rootfs_idmap.h"
#include "storage/rootfs_record.h"
#include "storage/tar_writer.h"
#include "storage/whiteout.h"

struct differ {
	struct rootfs_changes *changes;
	bool is_overlay; /* the tree is an upper directory: what is absent is unchanged */
	struct err *err;
};

void rootfs_changes_done(struct rootfs_changes *changes)
{
	for (size_t i = 0; i < changes->n; i++)
		free(changes->v[i].path);
	free(changes->v);
	*changes = (struct rootfs_changes){ 0 };
}

char rootfs_change_letter(enum rootfs_change_kind kind)
{
	return kind == ROOTFS_ADDED ? 'A' : kind == ROOTFS_DELETED ? 'D' : 'C';
}

static void add(struct differ *d, const char *path, enum rootfs_change_kind kind)
{
	struct rootfs_change *change = array_push(d->changes->v, d->changes->n);

	change->path = xstrdup(path);
	change->kind = kind;
}

static bool same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

static bool same_object(const struct stat *a, const struct stat *b)
{
	if (a->st_mode != b->st_mode || a->st_uid != b->st_uid || a->st_gid != b->st_gid)
		return false;
	if (S_ISDIR(a->st_mode))
		return true;
	return a->st_size == b->st_size && a->st_rdev == b->st_rdev &&
	       same_time(&a->st_mtim, &b->st_mtim);
}

static int walk(struct differ *d, const char *tree, const char *prefix,
		const struct lower_dir *lower);

static int walk_one(struct differ *d, const char *path, const char *inside, const char *name,
		    const struct lower_dir *lower)
{
	auto_lower_dir struct lower_dir below = { 0 };
	struct stat st;
	struct stat old;
	bool is_changed;
	size_t mark;
	int found = lower_dir_entry(lower, name, &old, NULL, &below);
	int r;

	if (found < 0)
		return err_sys(d->err, found, "compare '%s' with the layers", inside);
	if (lstat(path, &st) < 0)
		return errno == ENOENT ? 0 : err_sys(d->err, -errno, "read '%s'", path);
	if (d->is_overlay && whiteout_is(&st)) {
		if (found)
			add(d, inside, ROOTFS_DELETED);
		return 0;
	}
	if (!S_ISDIR(st.st_mode)) {
		if (!found)
			add(d, inside, ROOTFS_ADDED);
		else if (d->is_overlay || !same_object(&st, &old))
			add(d, inside, ROOTFS_CHANGED);
		return 0;
	}
	/* A directory counts as changed when something in it did. */
	is_changed = !found || !S_ISDIR(old.st_mode) || !same_object(&st, &old);
	mark = d->changes->n;
	add(d, inside, found ? ROOTFS_CHANGED : ROOTFS_ADDED);
	r = walk(d, path, inside, &below);
	if (r == 0 && !is_changed && d->changes->n == mark + 1) {
		free(d->changes->v[mark].path);
		d->changes->n--;
	}
	return r;
}

/* What the layers have in this directory and the tree does not. */
static int find_deleted(struct differ *d, const char *tree, const char *prefix,
			const struct lower_dir *lower)
{
	auto_strvec struct strvec names = STRVEC_INIT;
	int r = lower_dir_names(lower, &names);

	if (r < 0)
		return err_sys(d->err, r, "read the layers below '%s'", prefix);
	for (size_t i = 0; i < names.n; i++) {
		auto_free char *path = xasprintf("%s/%s", tree, names.v[i]);
		auto_free char *inside = xasprintf("%s/%s", prefix, names.v[i]);
		struct stat st;

		if (lstat(path, &st) < 0 && errno == ENOENT)
			add(d, inside, ROOTFS_DELETED);
	}
	return 0;
}

static int walk(struct differ *d, const char *tree, const char *prefix,
		const struct lower_dir *lower)
{
	auto_strvec struct strvec names = STRVEC_INIT;
	int r = fs_list(AT_FDCWD, tree, &names);

	if (r < 0)
		return r == -ENOENT ? 0 : err_sys(d->err, r, "read directory '%s'", tree);
	for (size_t i = 0; r == 0 && i < names.n; i++) {
		auto_free char *path = xasprintf("%s/%s", tree, names.v[i]);
		auto_free char *inside = xasprintf("%s/%s", prefix, names.v[i]);

		r = walk_one(d, path, inside, names.v[i], lower);
	}
	if (r == 0 && lower->paths.n && (!d->is_overlay || whiteout_is_opaque(tree)))
		r = find_deleted(d, tree, prefix, lower);
	return r;
}

static int compare_changes(const void *a, const void *b)
{
	return strcmp(((const struct rootfs_change *)a)->path,
		      ((const struct rootfs_change *)b)->path);
}

static char *tree_path(const struct store *store, const char *id)
{
	char *upper = rootfs_upper_path(store, id);

	return upper ? upper : rootfs_path(store, id);
}

static void take_sorted(struct rootfs_changes *changes, struct rootfs_changes *ret)
{
	if (changes->n)
		qsort(changes->v, changes->n, sizeof(*changes->v), compare_changes);
	*ret = *changes;
	*changes = (struct rootfs_changes){ 0 };
}

int rootfs_diff(struct store *store, const char *id, struct rootfs_changes *ret, struct err *err)
{
	auto_rootfs_changes struct rootfs_changes changes = { 0 };
	auto_rootfs_record struct rootfs_record record = { 0 };
	auto_layers struct layers layers = { 0 };
	auto_lower_dir struct lower_dir lower = { 0 };
	auto_free char *tree = tree_path(store, id);
	struct differ d = { &changes, store->driver == STORE_OVERLAY, err };
	int r = rootfs_record_load(store, id, &record, err);

	if (r == 0)
		r = layers_load(store, record.chain_id, &layers, err);
	if (r < 0)
		return r;
	lower_dir_root(store, &layers, &lower);
	r = record.read_only ? 0 : walk(&d, tree, "", &lower);
	if (r < 0)
		return r;
	take_sorted(&changes, ret);
	return 0;
}

int layer_diff(struct store *store, const char *chain_id, struct rootfs_changes *ret,
	       struct err *err)
{
	auto_rootfs_changes struct rootfs_changes changes = { 0 };
	auto_layers struct layers layers = { 0 };
	auto_lower_dir struct lower_dir lower = { 0 };
	auto_free char *tree = layer_diff_path(store, chain_id);
	struct differ d = { &changes, true, err };
	int r = layers_load(store, chain_id, &layers, err);

	if (r < 0)
		return r;
	layer_done(&layers.v[--layers.n]);
	lower_dir_root(store, &layers, &lower);
	r = walk(&d, tree, "", &lower);
	if (r < 0)
		return r;
	take_sorted(&changes, ret);
	return 0;
}

/* --- two trees --- */

static int open_side(struct store *store, const struct diff_side *side, struct lower_dir *ret,
		     struct err *err)
{
	auto_rootfs_record struct rootfs_record record = { 0 };
	auto_layers struct layers layers = { 0 };
	auto_lower_dir struct lower_dir below = { 0 };
	auto_free char *upper = NULL;
	int r = side->rootfs_id ? rootfs_record_load(store, side->rootfs_id, &record, err) : 0;

	if (r < 0)
		return r;
	if (side->rootfs_id) {
		upper = rootfs_upper_path(store, side->rootfs_id);
		/* With vfs all of it is in one directory. */
		strvec_add_take(&ret->paths,
				upper ? xstrdup(upper) : rootfs_path(store, side->rootfs_id));
		if (!upper)
			return 0;
	} else if (!side->chain_id) {
		return 0;
	}
	r = layers_load(store, side->rootfs_id ? record.chain_id : side->chain_id, &layers, err);
	if (r < 0)
		return r;
	lower_dir_root(store, &layers, &below);
	strvec_add_all(&ret->paths, below.paths.v, below.paths.n);
	return 0;
}

/* Layers know seconds, where a container's file has more. */
static bool is_same(const struct stat *a, const struct stat *b)
{
	struct stat coarse = *a;

	if (a->st_mtim.tv_nsec == 0 || b->st_mtim.tv_nsec == 0)
		coarse.st_mtim.tv_nsec = b->st_mtim.tv_nsec;
	return same_object(&coarse, b);
}

static int compare_dirs(struct differ *d, const char *prefix, const struct lower_dir *a,
			const struct lower_dir *b);

static int compare_entry(struct differ *d, const char *inside, const char *name,
			 const struct lower_dir *a, const struct lower_dir *b)
{
	auto_lower_dir struct lower_dir below_a = { 0 };
	auto_lower_dir struct lower_dir below_b = { 0 };
	struct stat st;
	struct stat old;
	size_t mark = d->changes->n;
	int have = lower_dir_entry(a, name, &st, NULL, &below_a);
	int had = have < 0 ? 0 : lower_dir_entry(b, name, &old, NULL, &below_b);
	int r;

	if (have < 0 || had < 0)
		return err_sys(d->err, MIN(have, had), "compare '%s'", inside);
	if (!have || !had) {
		if (have || had)
			add(d, inside, have ? ROOTFS_ADDED : ROOTFS_DELETED);
		if (!have || !S_ISDIR(st.st_mode))
			return 0;
		return compare_dirs(d, inside, &below_a, &below_b);
	}
	if (!S_ISDIR(st.st_mode)) {
		if (!is_same(&st, &old))
			add(d, inside, ROOTFS_CHANGED);
		return 0;
	}
	/* A directory counts as changed when something in it did. */
	add(d, inside, ROOTFS_CHANGED);
	r = compare_dirs(d, inside, &below_a, &below_b);
	if (r == 0 && is_same(&st, &old) && d->changes->n == mark + 1) {
		free(d->changes->v[mark].path);
		d->changes->n--;
	}
	return r;
}

static int compare_dirs(struct differ *d, const char *prefix, const struct lower_dir *a,
			const struct lower_dir *b)
{
	auto_strvec struct strvec names = STRVEC_INIT;
	auto_strvec struct strvec more = STRVEC_INIT;
	int r = lower_dir_names(a, &names);

	if (r == 0)
		r = lower_dir_names(b, &more);
	if (r < 0)
		return err_sys(d->err, r, "read directory '%s'", *prefix ? prefix : "/");
	strvec_add_all(&names, more.v, more.n);
	strvec_sort(&names);
	for (size_t i = 0; r == 0 && i < names.n; i++) {
		auto_free char *inside = xasprintf("%s/%s", prefix, names.v[i]);

		/* In both. */
		if (i > 0 && str_eq(names.v[i], names.v[i - 1]))
			continue;
		r = compare_entry(d, inside, names.v[i], a, b);
	}
	return r;
}

int trees_diff(struct store *store, const struct diff_side *a, const struct diff_side *b,
	       struct rootfs_changes *ret, struct err *err)
{
	auto_rootfs_changes struct rootfs_changes changes = { 0 };
	auto_lower_dir struct lower_dir tree_a = { 0 };
	auto_lower_dir struct lower_dir tree_b = { 0 };
	struct differ d = { .changes = &changes, .err = err };
	int r = open_side(store, a, &tree_a, err);

	if (r == 0)
		r = open_side(store, b, &tree_b, err);
	if (r == 0)
		r = compare_dirs(&d, "", &tree_a, &tree_b);
	if (r < 0)
		return r;
	take_sorted(&changes, ret);
	return 0;
}

/* --- sizes --- */

static int add_sizes(const char *path, uint64_t *total)
{
	auto_strvec struct strvec names = STRVEC_INIT;
	int r = fs_list(AT_FDCWD, path, &names);

	if (r == -ENOENT)
		return 0;
	for (size_t i = 0; r == 0 && i < names.n; i++) {
		auto_free char *child = xasprintf("%s/%s", path, names.v[i]);
		struct stat st;

		if (lstat(child, &st) < 0)
			continue;
		if (S_ISREG(st.st_mode))
			*total += (uint64_t)st.st_size;
		else if (S_ISDIR(st.st_mode))
			r = add_sizes(child, total);
	}
	return r;
}

int rootfs_size(struct store *store, const char *id, uint64_t *ret_written, uint64_t *ret_total,
		struct err *err)
{
	auto_rootfs_record struct rootfs_record record = { 0 };
	auto_layers struct layers layers = { 0 };
	auto_free char *tree = tree_path(store, id);
	uint64_t written = 0;
	uint64_t below = 0;
	int r = rootfs_record_load(store, id, &record, err);

	if (r == 0)
		r = layers_load(store, record.chain_id, &layers, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < layers.n; i++)
		below += layers.v[i].size;
	r = record.read_only ? 0 : add_sizes(tree, &written);
	if (r < 0)
		return err_sys(err, r, "measure '%s'", tree);
	/* With vfs the tree has the layers' content too. */
	if (store->driver == STORE_VFS)
		written = written > below ? written - below : 0;
	*ret_written = written;
	if (ret_total)
		*ret_total = written + below;
	return 0;
}

/* --- archives --- */

static int write_change(struct tar_writer *w, const struct rooted *root,
			const struct rootfs_change *change, struct err *err)
{
	const char *path = change->path + 1;
	auto_free char *dir = NULL;
	auto_close int dir_fd = -EBADF;

	if (change->kind == ROOTFS_DELETED)
		return tar_writer_whiteout(w, path, err);
	dir = path_dirname(change->path);
	dir_fd = rooted_openat(root, dir, O_PATH | O_DIRECTORY | O_NOFOLLOW);
	if (dir_fd < 0)
		return dir_fd == -ENOENT ? 0 : err_sys(err, dir_fd, "open '%s'", dir);
	return tar_writer_add(w, dir_fd, path_basename(change->path), path, err);
}

static int write_layer(struct store *store, const char *id, struct tar_writer *w, struct err *err)
{
	auto_rootfs_changes struct rootfs_changes changes = { 0 };
	auto_rooted struct rooted root = ROOTED_INIT;
	auto_free char *tree = tree_path(store, id);
	auto_rootfs_record struct rootfs_record record = { 0 };
	int r = rootfs_diff(store, id, &changes, err);

	if (r == 0)
		r = rootfs_record_load(store, id, &record, err);
	if (r < 0)
		return r;
	r = rooted_open(&root, AT_FDCWD, tree);
	if (r < 0)
		return err_sys(err, r, "open '%s'", tree);
	if (rootfs_idmap_is_copied(store, id))
		tar_writer_map_ids(w, &record.uids, &record.gids);
	for (size_t i = 0; r == 0 && i < changes.n; i++)
		r = write_change(w, &root, &changes.v[i], err);
	return r;
}

/* The mounted tree without what is mounted inside it. */
static int write_tree(struct store *store, const char *id, struct tar_writer *w, struct err *err)
{
	auto_free char *merged = NULL;
	struct err other = ERR_INIT;
	auto_rootfs_record struct rootfs_record record = { 0 };
	int dir_fd;
	int r = rootfs_record_load(store, id, &record, err);

	if (r == 0)
		r = rootfs_mount(store, id, &merged, err);
	if (r < 0)
		return r;
	if (record.uids.n)
		tar_writer_map_ids(w, &record.uids, &record.gids);
	dir_fd = fd_open_at(AT_FDCWD, merged, O_RDONLY | O_DIRECTORY, 0);
	r = dir_fd < 0 ? err_sys(err, dir_fd, "open '%s'", merged) :
			 tar_writer_add_tree(w, dir_fd, "", ".", true, err);
	close_fd(&dir_fd);
	if (rootfs_unmount(store, id, false, &other) < 0 && r == 0) {
		r = other.code;
		if (err)
			*err = other;
	}
	return r;
}

int rootfs_archive(struct store *store, const char *id, bool whole,
		   int (*sink)(void *context, const void *data, size_t len), void *context,
		   struct err *err)
{
	auto_tar_writer struct tar_writer *w = NULL;
	int r = tar_writer_open(&w, sink, context, err);

	if (r == 0)
		r = whole ? write_tree(store, id, w, err) : write_layer(store, id, w, err);
	return r < 0 ? r : tar_writer_finish(w, err);
}

int rootfs_export(struct store *store, const char *id, int out_fd, struct err *err)
{
	return rootfs_archive(store, id, true, tar_sink_fd, &out_fd, err);
}
