/* SPDX-License-Identifier: Apache-2.0 */
/* From content that is in the blob store to the record of an image. */
#include <string.h>

#include "core/alloc.h"
#include "core/clock.h"
#include "core/str.h"
#include "image/image.h"
#include "storage/blob.h"
#include "storage/layer.h"

struct adding {
	struct store *store;
	const struct image_new *new;
	struct image_manifest manifest;
	struct image_config config;
	const char *id; /* in manifest.config.digest */
	char *top; /* NULL: no layers */
	uint64_t size;
};

static void adding_done(struct adding *a)
{
	image_manifest_done(&a->manifest);
	image_config_done(&a->config);
	free(a->top);
}
DEFINE_AUTO_VAL(adding, struct adding, adding_done)

static int read_documents(struct adding *a, struct err *err)
{
	auto_strbuf struct strbuf text = STRBUF_INIT;
	const char *digest = a->new->manifest_digest;
	int r = blob_read(a->store, digest, IMAGE_DOCUMENT_MAX, &text, err);

	if (r == 0)
		r = json_decode(&image_manifest_desc, &a->manifest, text.buf, text.len, digest,
				err);
	if (r < 0)
		return r;
	if (!digest_is_valid(a->manifest.config.digest))
		return err_set(err, ERR_INVALID,
			       "manifest '%s': '%s' is not a sha256 digest of a configuration",
			       digest, a->manifest.config.digest);
	strbuf_clear(&text);
	digest = a->manifest.config.digest;
	r = blob_read(a->store, digest, IMAGE_DOCUMENT_MAX, &text, err);
	if (r == 0)
		r = json_decode(&image_config_desc, &a->config, text.buf, text.len, digest, err);
	a->id = digest_hex(digest);
	return r;
}

static int check_counts(const struct adding *a, struct err *err)
{
	if (a->manifest.n_layers != a->config.rootfs.n_diff_ids)
		return err_set(err, ERR_INVALID,
			       "image '%s': its manifest has %zu layers, its configuration %zu",
			       a->id, a->manifest.n_layers, a->config.rootfs.n_diff_ids);
	if (a->manifest.n_layers > IMAGE_LAYERS_MAX)
		return err_set(err, ERR_INVALID, "image '%s': %zu layers are more than %d", a->id,
			       a->manifest.n_layers, IMAGE_LAYERS_MAX);
	return 0;
}

static int unpack_layers(struct adding *a, struct err *err)
{
	for (size_t i = 0; i < a->manifest.n_layers; i++) {
		const char *blob = a->manifest.layers[i].digest;
		char chain_id[STORE_DIGEST_MAX];
		int r;

		if (a->new->progress)
			a->new->progress(a->new->progress_context, blob, "unpack");
		r = layer_ensure(a->store, a->top, a->config.rootfs.diff_ids[i], blob, chain_id,
				 err);
		if (r < 0)
			return r;
		replace_ptr(a->top, xstrdup(chain_id));
	}
	return 0;
}

static int count_size(struct adding *a, struct err *err)
{
	auto_layers struct layers layers = { 0 };
	int r = layers_load(a->store, a->top, &layers, err);

	for (size_t i = 0; r == 0 && i < layers.n; i++)
		a->size += layers.v[i].size;
	return r;
}

static int use_blob(struct adding *a, const char *user, const char *digest, struct err *err)
{
	return db_exec(a->store->db, err,
		       "INSERT OR IGNORE INTO blob_users(user, digest) VALUES(?, ?)", "ss", user,
		       digest);
}

/* Within the transaction. The manifest of an image that is here already stays the one it was first
 * added with; another one's blob is garbage. */
static int write_record(struct adding *a, struct err *err)
{
	auto_free char *user = xasprintf("image:%s", a->id);
	int r = db_exec(a->store->db, err,
			"INSERT OR IGNORE INTO images(id, manifest_digest, manifest_type, top,"
			" created, added, size) VALUES(?, ?, ?, ?, ?, ?, ?)",
			"ssssiii", a->id, a->new->manifest_digest, a->new->manifest_type, a->top,
			(int64_t)image_time_parse(a->config.created),
			(int64_t)clock_now_realtime_ns(), (int64_t)a->size);
	bool is_new = r == 0 && db_changes(a->store->db) > 0;

	if (is_new) {
		r = layer_use(a->store, user, a->top, err);
		if (r == 0)
			r = use_blob(a, user, a->new->manifest_digest, err);
		if (r == 0)
			r = use_blob(a, user, a->manifest.config.digest, err);
		for (size_t i = 0; r == 0 && i < a->manifest.n_layers; i++)
			r = use_blob(a, user, a->manifest.layers[i].digest, err);
	}
	for (size_t i = 0; r == 0 && i < a->new->n_digests; i++)
		r = db_exec(a->store->db, err,
			    "INSERT OR IGNORE INTO image_digests(digest, image_id) VALUES(?, ?)",
			    "ss", a->new->digests[i], a->id);
	if (r == 0 && a->new->name)
		r = image_tag(a->store, a->id, a->new->name, err);
	return r;
}

int image_add(struct store *store, const struct image_new *new, char **ret_id, struct err *err)
{
	auto_cleanup(adding_cleanup_val) struct adding a = { .store = store, .new = new };
	int r = read_documents(&a, err);

	if (r == 0)
		r = check_counts(&a, err);
	if (r == 0)
		r = unpack_layers(&a, err);
	if (r == 0)
		r = count_size(&a, err);
	if (r == 0)
		r = layers_sync(store, a.top, err);
	if (r == 0)
		r = db_begin(store->db, err);
	if (r < 0)
		return r;
	r = write_record(&a, err);
	if (r < 0) {
		db_rollback(store->db);
		return r;
	}
	r = db_commit(store->db, err);
	if (r == 0 && ret_id)
		*ret_id = xstrdup(a.id);
	return r;
}
