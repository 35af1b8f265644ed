/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/layer.h"

#include <dirent.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/clock.h"
#include "core/fd.h"
#include "core/fs.h"
#include "core/log.h"
#include "core/str.h"
#include "spec/image_spec.h"
#include "storage/blob.h"
#include "storage/unpack.h"

#define SHORT_LEN 16

void layer_chain_id(const char *parent, const char *diff_id, char ret[static STORE_DIGEST_MAX])
{
	if (parent) {
		auto_free char *text = xasprintf("%s %s", parent, diff_id);

		digest_of(text, strlen(text), ret);
		return;
	}
	(void)snprintf(ret, STORE_DIGEST_MAX, "%s", diff_id);
}

void layer_done(struct layer *layer)
{
	free(layer->chain_id);
	free(layer->parent);
	free(layer->diff_id);
	*layer = (struct layer){ 0 };
}

void layers_done(struct layers *layers)
{
	for (size_t i = 0; i < layers->n; i++)
		layer_done(&layers->v[i]);
	free(layers->v);
	*layers = (struct layers){ 0 };
}

char *layer_diff_path(const struct store *store, const char *chain_id)
{
	return xasprintf("%s/layers/%s/diff", store->root, digest_hex(chain_id));
}

char *layer_short_name(const char *chain_id)
{
	return xasprintf("l/%.*s", SHORT_LEN, digest_hex(chain_id));
}

int layers_load(struct store *store, const char *top, struct layers *ret, struct err *err)
{
	/* Newest first by depth; the lowest has the greatest. */
	static const char sql[] =
		"WITH RECURSIVE up(chain_id, depth) AS ("
		" VALUES(?, 0)"
		" UNION ALL"
		" SELECT l.parent, up.depth + 1 FROM layers l JOIN up ON l.chain_id = up.chain_id"
		"  WHERE l.parent IS NOT NULL AND up.depth < 2000)"
		" SELECT l.chain_id, l.parent, l.diff_id, l.size, l.boot_id"
		" FROM up JOIN layers l ON l.chain_id = up.chain_id ORDER BY up.depth DESC";
	auto_layers struct layers layers = { 0 };
	auto_db_stmt struct db_stmt q = DB_STMT_INIT;
	int r;

	if (!top) {
		*ret = (struct layers){ 0 };
		return 0;
	}
	r = db_query(store->db, &q, err, sql, "s", top);
	while (r >= 0 && (r = db_step(&q, err)) > 0) {
		struct layer *layer = array_push(layers.v, layers.n);

		layer->chain_id = xstrdup(db_text(&q, 0));
		layer->parent = xstrdup(db_text(&q, 1));
		layer->diff_id = xstrdup(db_text(&q, 2));
		layer->size = (uint64_t)db_i64(&q, 3);
		layer->unsynced = !str_is_empty(db_text(&q, 4));
	}
	if (r < 0)
		return r;
	if (layers.n == 0)
		return err_set(err, ERR_NOT_FOUND,
			       "find layer '%s': it is not in '%s'; pull the image again", top,
			       store->root);
	*ret = layers;
	layers = (struct layers){ 0 };
	return 0;
}

int layer_exists(struct store *store, const char *chain_id, struct err *err)
{
	return db_has(store->db, err, "SELECT 1 FROM layers WHERE chain_id = ?", "s", chain_id);
}

/* --- unpacking --- */

static int lower_paths(struct store *store, const char *parent, struct strvec *ret, struct err *err)
{
	auto_layers struct layers layers = { 0 };
	int r = layers_load(store, parent, &layers, err);

	for (size_t i = layers.n; r == 0 && i-- > 0;)
		strvec_add_take(ret, layer_diff_path(store, layers.v[i].chain_id));
	return r;
}

/* The root directory of a layer whose archive does not name it looks like the one below. */
static void inherit_root(const struct strvec *lowers, const char *diff)
{
	struct stat st;

	if (lowers->n == 0 || stat(lowers->v[0], &st) < 0)
		return;
	if (chown(diff, st.st_uid, st.st_gid) < 0 || chmod(diff, st.st_mode & 07777) < 0)
		log_debug("attributes of '%s' cannot be copied from below", diff);
}

static int unpack_into(struct store *store, const char *blob, const char *diff_id,
		       const struct strvec *lowers, const char *diff, uint64_t *ret_size,
		       struct err *err)
{
	auto_tar_reader struct tar_reader *reader = NULL;
	auto_rooted struct rooted root = ROOTED_INIT;
	struct unpack_options options = { .whiteouts = true, .lowers = lowers, .owner = true };
	struct unpack_result result;
	char found[STORE_DIGEST_MAX];
	auto_close int fd = blob_open(store, blob, err);
	int r;

	if (fd < 0)
		return fd;
	r = rooted_open(&root, AT_FDCWD, diff);
	if (r < 0)
		return err_sys(err, r, "open directory '%s'", diff);
	r = tar_reader_open(&reader, fd, blob, err);
	if (r == 0)
		r = unpack(reader, &root, &options, &result, err);
	if (r == 0)
		r = tar_reader_finish(reader, TAR_END_ANY, found, err);
	if (r < 0)
		return err_wrap(err, r, "layer '%s'", blob);
	if (!str_eq(found, diff_id))
		return err_set(err, ERR_CORRUPT,
			       "layer '%s': its content has digest '%s', its image says '%s'", blob,
			       found, diff_id);
	*ret_size = result.bytes;
	return 0;
}

/* Give the unpacked directory its name, and a short one. */
static int publish(struct store *store, const char *staged, const char *chain_id, struct err *err)
{
	const char *hex = digest_hex(chain_id);
	auto_free char *to = store_path(store, "layers", hex);
	auto_free char *name = layer_short_name(chain_id);
	auto_free char *link = store_path(store, "layers", name);
	auto_free char *target = xasprintf("../%s/diff", hex);
	int r;

	/* Left by a process that died between this and the record. */
	r = fs_remove_tree(AT_FDCWD, to);
	if (r < 0)
		return err_sys(err, r, "remove '%s'", to);
	if (rename(staged, to) < 0)
		return err_sys(err, -errno, "rename '%s' to '%s'", staged, to);
	(void)unlink(link);
	if (symlink(target, link) < 0)
		return err_sys(err, -errno, "make symlink '%s'", link);
	return 0;
}

static int record(struct store *store, const char *chain_id, const char *parent,
		  const char *diff_id, uint64_t size, struct err *err)
{
	auto_free char *boot_id = store_boot_id();
	bool before = db_set_passing(store->db, true);
	int r = db_exec(store->db, err,
			"INSERT INTO layers(chain_id, parent, diff_id, size, created, boot_id)"
			" VALUES(?, ?, ?, ?, ?, ?)"
			" ON CONFLICT(chain_id) DO UPDATE SET size = excluded.size, boot_id = "
			"excluded.boot_id",
			"sssiis", chain_id, parent, diff_id, (int64_t)size,
			(int64_t)clock_now_realtime_ns(), boot_id);

	(void)db_set_passing(store->db, before);
	return r;
}

/* Whether there is such a layer, and its files are those that were unpacked: 1 or 0. */
static int is_usable(struct store *store, const char *chain_id, struct err *err)
{
	auto_free char *boot_id = store_boot_id();

	return db_has(store->db, err,
		      "SELECT 1 FROM layers WHERE chain_id = ? AND boot_id IN ('', ?)", "ss",
		      chain_id, boot_id);
}

static int make_layer(struct store *store, const char *parent, const char *diff_id,
		      const char *blob, const char *chain_id, struct err *err)
{
	auto_store_staging struct store_staging staging = STORE_STAGING_INIT;
	auto_strvec struct strvec lowers = STRVEC_INIT;
	auto_free char *staged = NULL;
	auto_free char *diff = NULL;
	uint64_t size = 0;
	int r = lower_paths(store, parent, &lowers, err);

	if (r == 0)
		r = store_staging_make(store, &staging, err);
	if (r < 0)
		return r;
	staged = xasprintf("%s/layer", staging.path);
	diff = xasprintf("%s/diff", staged);
	if (mkdir(staged, 0711) < 0 || mkdir(diff, 0755) < 0)
		return err_sys(err, -errno, "make directory '%s'", diff);
	inherit_root(&lowers, diff);
	r = unpack_into(store, blob, diff_id, &lowers, diff, &size, err);
	if (r == 0)
		r = publish(store, staged, chain_id, err);
	if (r == 0)
		r = record(store, chain_id, parent, diff_id, size, err);
	return r;
}

int layer_rebuild(struct store *store, const struct layer *layer, const char *blob, struct err *err)
{
	auto_free char *name = xasprintf("layer-%.32s", digest_hex(layer->chain_id));
	auto_close int lock = store_lock(store, name, LOCK_MODE_EXCLUSIVE, -1, err);

	return lock < 0 ?
		       lock :
		       make_layer(store, layer->parent, layer->diff_id, blob, layer->chain_id, err);
}

int layer_ensure(struct store *store, const char *parent, const char *diff_id, const char *blob,
		 char ret_chain_id[static STORE_DIGEST_MAX], struct err *err)
{
	auto_free char *name = NULL;
	auto_close int lock = -EBADF;
	int r;

	if (!digest_is_valid(diff_id))
		return err_set(err, ERR_INVALID, "layer '%s': '%s' is not a sha256 digest", blob,
			       diff_id);
	layer_chain_id(parent, diff_id, ret_chain_id);
	r = is_usable(store, ret_chain_id, err);
	if (r != 0)
		return MIN(r, 0);
	name = xasprintf("layer-%.32s", digest_hex(ret_chain_id));
	lock = store_lock(store, name, LOCK_MODE_EXCLUSIVE, -1, err);
	if (lock < 0)
		return lock;
	/* Whom we waited for may have made it. */
	r = is_usable(store, ret_chain_id, err);
	if (r != 0)
		return MIN(r, 0);
	log_debug("unpack layer '%s'", blob);
	return make_layer(store, parent, diff_id, blob, ret_chain_id, err);
}

static int note_synced(struct store *store, const struct layers *layers, struct err *err)
{
	int r = db_begin(store->db, err);

	if (r < 0)
		return r;
	for (size_t i = 0; r == 0 && i < layers->n; i++)
		if (layers->v[i].unsynced)
			r = db_exec(store->db, err,
				    "UPDATE layers SET boot_id = '' WHERE chain_id = ?", "s",
				    layers->v[i].chain_id);
	if (r < 0) {
		db_rollback(store->db);
		return r;
	}
	return db_commit(store->db, err);
}

int layers_sync(struct store *store, const char *top, struct err *err)
{
	auto_layers struct layers layers = { 0 };
	auto_close int fd = -EBADF;
	bool unsynced = false;
	int r = layers_load(store, top, &layers, err);

	for (size_t i = 0; i < layers.n; i++)
		unsynced = unsynced || layers.v[i].unsynced;
	if (r < 0 || !unsynced)
		return r;
	fd = fd_open_at(store->root_fd, "layers", O_RDONLY | O_DIRECTORY, 0);
	if (fd < 0 || syncfs(fd) < 0)
		return err_sys(err, fd < 0 ? fd : -errno, "write the layers below '%s' to disk",
			       store->root);
	return note_synced(store, &layers, err);
}

int layer_use(struct store *store, const char *user, const char *chain_id, struct err *err)
{
	if (!chain_id)
		return layer_unuse(store, user, err);
	return db_exec(store->db, err,
		       "INSERT INTO layer_users(user, chain_id) VALUES(?, ?)"
		       " ON CONFLICT(user) DO UPDATE SET chain_id = excluded.chain_id",
		       "ss", user, chain_id);
}

int layer_unuse(struct store *store, const char *user, struct err *err)
{
	return db_exec(store->db, err, "DELETE FROM layer_users WHERE user = ?", "s", user);
}
