/* SPDX-License-Identifier: Apache-2.0 */
#include "image/build.h"

#include <json-c/json.h>
#include <string.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/clock.h"
#include "core/fd.h"
#include "core/io.h"
#include "core/str.h"
#include "image/pull.h"
#include "storage/blob.h"
#include "storage/rootfs.h"
#include "storage/tar_reader.h"
#include "storage/tar_writer.h"

struct image_build {
	const struct image *base; /* NULL: none */
	struct image_config config; /* of the new image but for layers, history and time; owned */
	const char *layer_diff_id; /* NULL: no layer on top */
	const char *layer_blob;
	const char *author;
	const char *comment;
	const char *created_by;
	const char *name; /* full; NULL: none */
	enum image_format format;
	bool squash; /* the layer is the whole image: nothing of the base but its configuration */
	const struct json_string_map *annotations; /* of the manifest, borrowed; NULL: none */
};

static void set_descriptor(struct image_descriptor *d, const char *type, const char *digest,
			   uint64_t size)
{
	d->media_type = xstrdup(type);
	d->digest = xstrdup(digest);
	d->size = (int64_t)size;
}

/* A copy by way of JSON. */
static void copy_descriptor(struct image_descriptor *to, const struct image_descriptor *from)
{
	struct json_object *value = json_encode_value(&image_descriptor_desc, from);

	(void)json_decode_value(&image_descriptor_desc, to, value, "descriptor", NULL);
	json_object_put(value);
}

static void add_history(struct image_build *b, const char *created)
{
	struct image_history *h = array_push(b->config.history, b->config.n_history);

	h->created = xstrdup(created);
	h->created_by = xstrdup(b->created_by);
	h->author = xstrdup(b->author);
	h->comment = xstrdup(b->comment);
	h->empty_layer = !b->layer_diff_id;
}

/* Layers and history of the base, then ours. */
static int fill_config(struct store *store, struct image_build *b, struct err *err)
{
	auto_image_config struct image_config base = { 0 };
	struct image_config *c = &b->config;
	const char *variant;
	char created[CLOCK_TEXT_MAX];
	int r = b->base ? image_config_load(store, b->base->id, &base, err) : 0;

	if (r < 0)
		return r;
	clock_format_utc(clock_now_realtime_ns(), -1, created);
	if (!c->architecture)
		c->architecture =
			xstrdup(b->base ? base.architecture : platform_architecture(&variant));
	if (!c->os)
		c->os = xstrdup(b->base ? base.os : "linux");
	replace_ptr(c->created, xstrdup(created));
	if (b->author)
		replace_ptr(c->author, xstrdup(b->author));
	replace_ptr(c->rootfs.type, xstrdup("layers"));
	for (size_t i = 0; !b->squash && i < base.rootfs.n_diff_ids; i++)
		json_strings_add(&c->rootfs.diff_ids, &c->rootfs.n_diff_ids,
				 base.rootfs.diff_ids[i]);
	if (!b->squash) {
		c->history = take_ptr(base.history);
		c->n_history = base.n_history;
		base.n_history = 0;
	}
	if (b->layer_diff_id)
		json_strings_add(&c->rootfs.diff_ids, &c->rootfs.n_diff_ids, b->layer_diff_id);
	add_history(b, created);
	return 0;
}

static int fill_manifest(struct store *store, struct image_build *b, struct image_manifest *m,
			 struct err *err)
{
	auto_image_manifest struct image_manifest base = { 0 };
	bool docker = b->format == IMAGE_DOCKER;
	uint64_t size = 0;
	int r = b->base && !b->squash ? image_manifest_load(store, b->base, &base, err) : 0;

	if (r < 0)
		return r;
	m->schema_version = 2;
	m->media_type = xstrdup(docker ? DOCKER_MANIFEST_TYPE : OCI_MANIFEST_TYPE);
	for (size_t i = 0; i < base.n_layers; i++) {
		struct image_descriptor *d = array_push(m->layers, m->n_layers);
		bool gzip = str_has_suffix(base.layers[i].media_type, "gzip");

		copy_descriptor(d, &base.layers[i]);
		/* The manifest's own kind of names. */
		if (gzip)
			replace_ptr(d->media_type,
				    xstrdup(docker ? DOCKER_LAYER_GZIP_TYPE : OCI_LAYER_GZIP_TYPE));
		else if (!str_has_suffix(d->media_type, "zstd"))
			replace_ptr(d->media_type,
				    xstrdup(docker ? DOCKER_LAYER_TAR_TYPE : OCI_LAYER_TAR_TYPE));
	}
	if (b->layer_blob) {
		bool plain = str_eq(b->layer_blob, b->layer_diff_id);

		r = blob_stat(store, b->layer_blob, &size);
		if (r < 0)
			return err_sys(err, r, "read blob '%s'", b->layer_blob);
		set_descriptor(array_push(m->layers, m->n_layers),
			       plain  ? (docker ? DOCKER_LAYER_TAR_TYPE : OCI_LAYER_TAR_TYPE) :
			       docker ? DOCKER_LAYER_GZIP_TYPE :
					OCI_LAYER_GZIP_TYPE,
			       b->layer_blob, size);
	}
	if (b->annotations)
		json_string_map_set_all(&m->annotations, b->annotations);
	if (!m->layers)
		m->layers = xcalloc(1, sizeof(*m->layers));
	return 0;
}

/* Write configuration, manifest and record. The caller holds the content lock since it wrote the
 * layer's blob. *ret_id is the caller's. */
static int write_image(struct store *store, struct image_build *b, char **ret_id, struct err *err)
{
	auto_image_manifest struct image_manifest m = { 0 };
	struct image_new new = { .name = b->name };
	auto_free char *config = NULL;
	auto_free char *manifest = NULL;
	char digest[STORE_DIGEST_MAX];
	int r = fill_config(store, b, err);

	if (r == 0)
		r = fill_manifest(store, b, &m, err);
	if (r < 0)
		return r;
	config = json_encode(&image_config_desc, &b->config, JSON_COMPACT);
	r = blob_write(store, config, strlen(config), digest, err);
	if (r < 0)
		return r;
	set_descriptor(&m.config, b->format == IMAGE_DOCKER ? DOCKER_CONFIG_TYPE : OCI_CONFIG_TYPE,
		       digest, strlen(config));
	manifest = json_encode(&image_manifest_desc, &m, JSON_COMPACT);
	r = blob_write(store, manifest, strlen(manifest), digest, err);
	if (r < 0)
		return r;
	new.manifest_digest = digest;
	new.manifest_type = m.media_type;
	return image_add(store, &new, ret_id, err);
}

static int apply_changes(struct image_process *c, const char *const *changes, size_t n,
			 struct err *err)
{
	for (size_t i = 0; i < n; i++) {
		int r = image_change_apply(c, changes[i], err);

		if (r < 0)
			return r;
	}
	return 0;
}

/* --- import --- */

/* The archive into the blob store; its own digest and that of its content. Compressed ones stay so
 * when it is gzip or zstd. */
static int take_archive(struct store *store, int fd, const char *name, char *ret_blob,
			char *ret_diff_id, struct err *err)
{
	auto_blob_writer struct blob_writer w = BLOB_WRITER_INIT;
	auto_free unsigned char *buf = xmalloc(256 << 10);
	auto_tar_reader struct tar_reader *reader = NULL;
	auto_close int blob = -EBADF;
	struct archive_entry *entry;
	ssize_t n;
	int r = blob_writer_open(&w, store, err);

	if (r < 0)
		return r;
	while ((n = RETRY_EINTR(read(fd, buf, 256 << 10))) > 0) {
		r = blob_writer_add(&w, buf, (size_t)n);
		if (r < 0)
			return err_sys(err, r, "import '%s': write blob", name);
	}
	if (n < 0)
		return err_sys(err, -errno, "import '%s': read", name);
	r = blob_writer_commit(&w, ret_blob, err);
	if (r == 0)
		r = blob = blob_open(store, ret_blob, err);
	if (r >= 0)
		r = tar_reader_open(&reader, blob, name, err);
	while (r >= 0 && (r = tar_reader_next(reader, &entry, err)) > 0)
		;
	return r < 0 ? r : tar_reader_finish(reader, TAR_END_MARKED, ret_diff_id, err);
}

int image_import(struct store *store, int fd, const struct image_import_options *o, char **ret_id,
		 struct err *err)
{
	struct image_build b = { .comment = o->message ? o->message : "imported from tarball",
				 .name = o->name,
				 .annotations = o->annotations };
	auto_free char *created_by = xasprintf("/bin/sh -c #(nop) ADD file in %s", o->source);
	char blob[STORE_DIGEST_MAX];
	char diff_id[STORE_DIGEST_MAX];
	int r = apply_changes(&b.config.config, o->changes, o->n_changes, err);

	if (r == 0)
		r = store_content_hold(store, err);
	if (r < 0) {
		image_config_done(&b.config);
		return r;
	}
	r = take_archive(store, fd, o->source, blob, diff_id, err);
	if (r == 0) {
		b.layer_blob = blob;
		b.layer_diff_id = diff_id;
		b.created_by = created_by;
		b.config.os = xstrdup(o->os);
		b.config.architecture = xstrdup(o->arch);
		b.config.variant = xstrdup(o->variant);
		r = write_image(store, &b, ret_id, err);
	}
	store_content_release(store);
	image_config_done(&b.config);
	return r;
}

/* --- commit --- */

static int blob_sink(void *context, const void *data, size_t len)
{
	return blob_writer_add(context, data, len);
}

/* The root's own changes, or with squash all of it, as a blob. */
static int write_layer(struct store *store, const struct image_commit_options *o,
		       char ret_blob[static STORE_DIGEST_MAX], struct err *err)
{
	auto_blob_writer struct blob_writer w = BLOB_WRITER_INIT;
	int r = blob_writer_open(&w, store, err);

	if (r == 0)
		r = rootfs_archive(store, o->rootfs_id, o->squash, blob_sink, &w, err);
	return r < 0 ? r : blob_writer_commit(&w, ret_blob, err);
}

/* The container's configuration, or the base's, changed as asked for. */
static int commit_config(struct store *store, const struct image_commit_options *o,
			 struct image_config *ret, struct err *err)
{
	auto_image_config struct image_config base = { 0 };
	struct json_object *value;
	int r = 0;

	if (!o->config && o->base)
		r = image_config_load(store, o->base->id, &base, err);
	if (r < 0)
		return r;
	value = json_encode_value(&image_process_desc, o->config ? o->config : &base.config);
	r = json_decode_value(&image_process_desc, &ret->config, value, "configuration", err);
	json_object_put(value);
	return r < 0 ? r : apply_changes(&ret->config, o->changes, o->n_changes, err);
}

int image_commit(struct store *store, const struct image_commit_options *o, char **ret_id,
		 struct err *err)
{
	struct image_build b = {
		.base = o->base,
		.author = o->author,
		.comment = o->message,
		.created_by = o->created_by,
		.name = o->name,
		.format = o->format,
		.squash = o->squash,
	};
	char blob[STORE_DIGEST_MAX];
	int r = commit_config(store, o, &b.config, err);

	if (r == 0)
		r = store_content_hold(store, err);
	if (r < 0) {
		image_config_done(&b.config);
		return r;
	}
	r = write_layer(store, o, blob, err);
	if (r == 0) {
		b.layer_blob = blob;
		b.layer_diff_id = blob;
		r = write_image(store, &b, ret_id, err);
	}
	store_content_release(store);
	image_config_done(&b.config);
	return r;
}
