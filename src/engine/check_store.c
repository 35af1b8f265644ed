/* SPDX-License-Identifier: Apache-2.0 */
/* The store's part of check: records, blobs, layers, images. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/str.h"
#include "core/strvec.h"
#include "engine/check.h"
#include "engine/cleanup.h"
#include "engine/image_use.h"
#include "storage/blob.h"
#include "storage/layer.h"

/* --- repairs ---------------------------------------------------------------------------------------- */

static int repair_garbage(struct check *check, const char *id UNUSED, bool force UNUSED,
			  struct err *err)
{
	return store_collect(check->store, NULL, err);
}

/* What image made the layer, as long as one that has its archive is here. */
static int find_blob(struct check *check, const char *chain_id, char **ret_blob, struct err *err)
{
	auto_images struct images images = { 0 };
	int r = images_list(check->store, &images, err);

	for (size_t i = 0; r == 0 && i < images.n; i++) {
		auto_layers struct layers layers = { 0 };
		auto_image_manifest struct image_manifest manifest = { 0 };

		if (layers_load(check->store, images.v[i].top, &layers, NULL) < 0 ||
		    image_manifest_load(check->store, &images.v[i], &manifest, NULL) < 0)
			continue;
		for (size_t k = 0; k < MIN(layers.n, manifest.n_layers); k++)
			if (str_eq(layers.v[k].chain_id, chain_id) &&
			    blob_verify(check->store, manifest.layers[k].digest, false, NULL) ==
				    0) {
				*ret_blob = xstrdup(manifest.layers[k].digest);
				return 0;
			}
	}
	return r < 0 ? r :
		       err_set(err, ERR_NOT_FOUND,
			       "its archive is not here; remove the images that need it, and pull "
			       "them again");
}

/* Unpack it again; what runs on the old one goes on with what it has open. */
static int repair_layer(struct check *check, const char *id, bool force UNUSED, struct err *err)
{
	auto_layers struct layers layers = { 0 };
	auto_free char *blob = NULL;
	const struct layer *layer;
	int r = layers_load(check->store, id, &layers, err);

	if (r == 0)
		r = find_blob(check, id, &blob, err);
	if (r == 0)
		r = store_content_hold(check->store, err);
	if (r < 0)
		return r;
	layer = &layers.v[layers.n - 1];
	r = layer_rebuild(check->store, layer, blob, err);
	if (r == 0)
		r = layers_sync(check->store, id, err);
	store_content_release(check->store);
	return r;
}

/* Without a part of its content the image is of no use; it can be pulled again. */
static int repair_image(struct check *check, const char *id, bool force, struct err *err)
{
	const struct remove_options options = { .force = true, .depend = true };
	auto_strvec struct strvec users = STRVEC_INIT;
	int r = image_users(check->engine, id, &users, err);

	if (r == 0 && users.n > 0 && !force)
		return err_set(
			err, ERR_STATE,
			"container '%.12s' uses it; --force removes both, after which it can "
			"be pulled again",
			users.v[0]);
	for (size_t i = 0; r == 0 && i < users.n; i++) {
		auto_container struct container c = CONTAINER_INIT;

		r = container_open_locked(&c, check->engine, users.v[i], err);
		if (r == 0)
			r = container_remove(&c, &options, err);
		if (r == -ENOENT) {
			err_clear(err);
			r = 0;
		}
	}
	if (r == 0)
		r = image_delete(check->store, id, err);
	if (r == -ENOENT) {
		err_clear(err);
		r = 0;
	}
	return r < 0 ? r : store_collect(check->store, NULL, err);
}

static int repair_users(struct check *check, const char *id, bool force UNUSED, struct err *err)
{
	int r = db_begin(check->store->db, err);

	if (r < 0)
		return r;
	r = db_exec(check->store->db, err, "DELETE FROM layer_users WHERE user = ?", "s", id);
	if (r == 0)
		r = db_exec(check->store->db, err, "DELETE FROM blob_users WHERE user = ?", "s",
			    id);
	if (r < 0) {
		db_rollback(check->store->db);
		return r;
	}
	return db_commit(check->store->db, err);
}

static int repair_link(struct check *check, const char *id, bool force UNUSED, struct err *err)
{
	auto_free char *name = layer_short_name(id);
	auto_free char *link = store_path(check->store, "layers", name);
	auto_free char *target = xasprintf("../%s/diff", digest_hex(id));

	(void)unlink(link);
	return symlink(target, link) < 0 ? err_sys(err, -errno, "make symlink '%s'", link) : 0;
}

/* In the order in which one thing needs another. */
static const struct check_kind damaged_db = {
	"is damaged; restore it from a backup, or begin anew with "
	"'floe system reset'",
	NULL
};
static const struct check_kind dangling_users = { "needs content, but does not exist",
						  repair_users };
static const struct check_kind lost_layer = { "has lost its files", repair_layer };
static const struct check_kind changed_layer = {
	"does not have the files that it was unpacked with", repair_layer
};
static const struct check_kind lost_link = { "has lost its short name", repair_link };
static const struct check_kind damaged_image = { "has lost a part of its content", repair_image };
static const struct check_kind garbage = { "is content that nobody needs", repair_garbage };

/* --- looking ---------------------------------------------------------------------------------------- */

static int check_db(struct check *check, struct err *err)
{
	static const char *const pragmas[] = {
		"SELECT integrity_check FROM pragma_integrity_check LIMIT 1",
		"SELECT 'table ' || \"table\" FROM pragma_foreign_key_check LIMIT 1",
	};
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(pragmas); i++) {
		auto_free char *text = NULL;

		if (check->quick)
			break;
		r = db_get_text(check->store->db, &text, err, pragmas[i], "");
		if (r == -ENOENT)
			r = 0;
		else if (r == 0 && !str_eq(text, "ok"))
			check_add(check, &damaged_db, "data base", text);
	}
	return r;
}

/* Rows of the two tables of users whose user is no more. */
static int check_users(struct check *check, struct err *err)
{
	static const char sql[] =
		"SELECT user FROM (SELECT user FROM layer_users UNION SELECT user FROM blob_users)"
		" WHERE (substr(user, 1, 6) = 'image:' AND substr(user, 7) NOT IN"
		"  (SELECT id FROM images))"
		" OR (substr(user, 1, 7) = 'rootfs:' AND substr(user, 8) NOT IN"
		"  (SELECT id FROM rootfs))";
	auto_db_stmt struct db_stmt q = DB_STMT_INIT;
	int r = db_query(check->store->db, &q, err, sql, "");

	while (r >= 0 && (r = db_step(&q, err)) > 0)
		check_add(check, &dangling_users, "record", db_text(&q, 0));
	return r;
}

/* Whether the files of a layer are those of its archive; when that is not here, nobody can tell. */
static bool layer_is_good(struct check *check, const char *id)
{
	auto_free char *blob = NULL;

	return find_blob(check, id, &blob, NULL) < 0 ||
	       layer_compare(check->store, id, blob, NULL) != 0;
}

/* Lowest first, so that each finds what it stands on repaired. */
static int check_layers(struct check *check, struct err *err)
{
	static const char sql[] = "WITH RECURSIVE up(chain_id, depth) AS ("
				  " SELECT chain_id, 0 FROM layers WHERE parent IS NULL"
				  " UNION ALL"
				  " SELECT l.chain_id, up.depth + 1 FROM layers l"
				  "  JOIN up ON l.parent = up.chain_id WHERE up.depth < 2000)"
				  " SELECT chain_id FROM up ORDER BY depth";
	auto_db_stmt struct db_stmt q = DB_STMT_INIT;
	int r = db_query(check->store->db, &q, err, sql, "");

	while (r >= 0 && (r = db_step(&q, err)) > 0) {
		const char *id = db_text(&q, 0);
		auto_free char *diff = layer_diff_path(check->store, id);
		auto_free char *name = layer_short_name(id);
		auto_free char *link = store_path(check->store, "layers", name);

		if (access(diff, F_OK) < 0)
			check_add(check, &lost_layer, "layer", id);
		else if (!check->quick && !layer_is_good(check, id))
			check_add(check, &changed_layer, "layer", id);
		else if (access(link, F_OK) < 0)
			check_add(check, &lost_link, "layer", id);
	}
	return r;
}

static bool blob_is_good(const struct check *check, const char *digest)
{
	uint64_t size;

	return check->quick ? blob_stat(check->store, digest, &size) == 0 :
			      blob_verify(check->store, digest, false, NULL) == 0;
}

static int check_images(struct check *check, struct err *err)
{
	static const char sql[] = "SELECT i.id, u.digest FROM images i JOIN blob_users u ON u.user "
				  "= 'image:' || i.id";
	auto_db_stmt struct db_stmt q = DB_STMT_INIT;
	int r = db_query(check->store->db, &q, err, sql, "");

	while (r >= 0 && (r = db_step(&q, err)) > 0)
		if (!blob_is_good(check, db_text(&q, 1)))
			check_add(check, &damaged_image, "image", db_text(&q, 0));
	return r;
}

static int check_garbage(struct check *check, struct err *err)
{
	auto_strvec struct strvec found = STRVEC_INIT;
	int r = store_list_garbage(check->store, &found, err);

	for (size_t i = 0; r == 0 && i < found.n; i++)
		check_add(check, &garbage, "file", found.v[i]);
	return r;
}

int check_store(struct check *check, struct err *err)
{
	int r = check_db(check, err);

	if (r == 0)
		r = check_users(check, err);
	if (r == 0)
		r = check_layers(check, err);
	if (r == 0)
		r = check_images(check, err);
	return r < 0 ? r : check_garbage(check, err);
}
