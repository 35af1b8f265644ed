/* SPDX-License-Identifier: Apache-2.0 */
/* Garbage collection: what no record refers to goes. */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/fd.h"
#include "core/fs.h"
#include "core/log.h"
#include "core/str.h"
#include "core/strvec.h"
#include "storage/blob.h"
#include "storage/layer.h"
#include "storage/store.h"

/* Names in root/path; NULL-safe, without dot files. */
static int list_names(const struct store *store, const char *path, struct strvec *ret,
		      struct err *err)
{
	auto_strvec struct strvec names = STRVEC_INIT;
	int r = fs_list(store->root_fd, path, &names);

	if (r < 0)
		return err_sys(err, r, "read directory '%s/%s'", store->root, path);
	for (size_t i = 0; i < names.n; i++)
		if (names.v[i][0] != '.')
			strvec_add(ret, names.v[i]);
	return 0;
}

/* Records of layers that nobody needs, from the highest down: each round frees those below. */
static int forget_layers(struct store *store, struct err *err)
{
	static const char sql[] =
		"WITH RECURSIVE needed(chain_id) AS ("
		" SELECT chain_id FROM layer_users"
		" UNION"
		" SELECT l.parent FROM layers l JOIN needed n ON l.chain_id = n.chain_id"
		"  WHERE l.parent IS NOT NULL)"
		" DELETE FROM layers WHERE chain_id NOT IN (SELECT chain_id FROM needed)";
	int r = db_exec(store->db, err, "PRAGMA defer_foreign_keys = ON", "");

	return r < 0 ? r : db_exec(store->db, err, sql, "");
}

static int is_blob_used(struct store *store, const char *digest, struct err *err)
{
	return db_has(store->db, err, "SELECT 1 FROM blob_users WHERE digest = ?", "s", digest);
}

static int collect_layers(struct store *store, struct store_garbage *g, struct err *err)
{
	auto_strvec struct strvec names = STRVEC_INIT;
	int r = db_begin(store->db, err);

	if (r < 0)
		return r;
	r = forget_layers(store, err);
	if (r < 0) {
		db_rollback(store->db);
		return r;
	}
	r = db_commit(store->db, err);
	if (r == 0)
		r = list_names(store, "layers", &names, err);
	for (size_t i = 0; r >= 0 && i < names.n; i++) {
		auto_free char *digest = xasprintf("sha256:%s", names.v[i]);
		auto_free char *path = store_path(store, "layers", names.v[i]);
		auto_free char *name = NULL;
		auto_free char *link = NULL;

		if (!digest_is_valid(digest))
			continue;
		r = layer_exists(store, digest, err);
		if (r != 0)
			continue;
		name = layer_short_name(digest);
		link = store_path(store, "layers", name);
		r = fs_remove_tree(AT_FDCWD, path);
		if (r < 0)
			return err_sys(err, r, "remove '%s'", path);
		(void)unlink(link);
		g->n_layers++;
	}
	return MIN(r, 0);
}

static int collect_blobs(struct store *store, struct store_garbage *g, struct err *err)
{
	auto_strvec struct strvec names = STRVEC_INIT;
	int r = list_names(store, "blobs/sha256", &names, err);

	for (size_t i = 0; r >= 0 && i < names.n; i++) {
		auto_free char *digest = xasprintf("sha256:%s", names.v[i]);
		auto_free char *path = store_path(store, "blobs/sha256", names.v[i]);
		struct stat st;

		r = digest_is_valid(digest) ? is_blob_used(store, digest, err) : 0;
		if (r != 0)
			continue;
		if (lstat(path, &st) == 0) {
			g->n_blobs++;
			g->bytes += (uint64_t)st.st_size;
		}
		if (unlink(path) < 0 && errno != ENOENT)
			return err_sys(err, -errno, "remove '%s'", path);
	}
	return MIN(r, 0);
}

/* A directory of a process that lives is locked by it. */
static int collect_staging(struct store *store, struct err *err)
{
	auto_strvec struct strvec names = STRVEC_INIT;
	int r = list_names(store, "staging", &names, err);

	for (size_t i = 0; r == 0 && i < names.n; i++) {
		auto_free char *path = store_path(store, "staging", names.v[i]);
		auto_close int fd = fd_open_at(AT_FDCWD, path, O_RDONLY | O_DIRECTORY, 0);

		if (fd < 0 || lock_fd(fd, LOCK_MODE_EXCLUSIVE, 0) < 0)
			continue;
		r = fs_remove_tree(AT_FDCWD, path);
		if (r < 0)
			return err_sys(err, r, "remove '%s'", path);
	}
	return r;
}

/* Lock files of layers and pulls; nobody holds one while we hold the content lock alone. */
static void collect_locks(struct store *store)
{
	auto_strvec struct strvec names = STRVEC_INIT;

	if (list_names(store, "locks", &names, NULL) < 0)
		return;
	for (size_t i = 0; i < names.n; i++) {
		auto_free char *path = NULL;

		if (!str_has_prefix(names.v[i], "layer-") && !str_has_prefix(names.v[i], "pull-"))
			continue;
		path = store_path(store, "locks", names.v[i]);
		(void)unlink(path);
	}
}

int store_collect(struct store *store, struct store_garbage *ret, struct err *err)
{
	struct store_garbage g = { 0 };
	auto_close int lock = -EBADF;
	int r;

	if (ret)
		*ret = g;
	if (store->content_depth > 0)
		return 0;
	lock = store_lock(store, "content", LOCK_MODE_EXCLUSIVE, 0, err);
	if (lock == -ETIMEDOUT) {
		err_clear(err);
		log_debug("garbage is left to the next command: content is being added");
		return 0;
	}
	if (lock < 0)
		return lock;
	r = collect_layers(store, &g, err);
	if (r == 0)
		r = collect_blobs(store, &g, err);
	if (r == 0)
		r = collect_staging(store, err);
	if (r == 0)
		collect_locks(store);
	if (r == 0 && ret)
		*ret = g;
	return r;
}

/* --- looking only --- */

static int list_layers(struct store *store, struct strvec *ret, struct err *err)
{
	auto_strvec struct strvec names = STRVEC_INIT;
	int r = list_names(store, "layers", &names, err);

	for (size_t i = 0; r >= 0 && i < names.n; i++) {
		auto_free char *digest = xasprintf("sha256:%s", names.v[i]);

		if (!digest_is_valid(digest))
			continue;
		r = db_has(store->db, err,
			   "WITH RECURSIVE needed(chain_id) AS ("
			   " SELECT chain_id FROM layer_users"
			   " UNION"
			   " SELECT l.parent FROM layers l JOIN needed n ON l.chain_id = n.chain_id"
			   "  WHERE l.parent IS NOT NULL)"
			   " SELECT 1 FROM needed WHERE chain_id = ?",
			   "s", digest);
		if (r == 0)
			strvec_addf(ret, "layers/%s", names.v[i]);
	}
	return MIN(r, 0);
}

static int list_blobs(struct store *store, struct strvec *ret, struct err *err)
{
	auto_strvec struct strvec names = STRVEC_INIT;
	int r = list_names(store, "blobs/sha256", &names, err);

	for (size_t i = 0; r >= 0 && i < names.n; i++) {
		auto_free char *digest = xasprintf("sha256:%s", names.v[i]);

		r = digest_is_valid(digest) ? is_blob_used(store, digest, err) : 0;
		if (r == 0)
			strvec_addf(ret, "blobs/sha256/%s", names.v[i]);
	}
	return MIN(r, 0);
}

int store_list_garbage(struct store *store, struct strvec *ret, struct err *err)
{
	auto_strvec struct strvec staging = STRVEC_INIT;
	int r = list_layers(store, ret, err);

	if (r == 0)
		r = list_blobs(store, ret, err);
	if (r == 0)
		r = list_names(store, "staging", &staging, err);
	for (size_t i = 0; r == 0 && i < staging.n; i++) {
		auto_free char *path = store_path(store, "staging", staging.v[i]);
		auto_close int fd = fd_open_at(AT_FDCWD, path, O_RDONLY | O_DIRECTORY, 0);

		if (fd >= 0 && lock_fd(fd, LOCK_MODE_EXCLUSIVE, 0) == 0)
			strvec_addf(ret, "staging/%s", staging.v[i]);
	}
	return r;
}
