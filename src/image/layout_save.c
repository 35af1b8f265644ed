/* SPDX-License-Identifier: Apache-2.0 */
#include <json-c/json.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/fd.h"
#include "core/fs.h"
#include "core/io.h"
#include "core/str.h"
#include "image/layout.h"
#include "image/reference.h"
#include "storage/blob.h"
#include "storage/tar_reader.h"
#include "storage/tar_writer.h"

#define DIR_VERSION "Directory Transport Version: 1.1\n"

/* --- dir --- */

static int link_blob(struct store *store, const char *digest, int dir_fd, struct err *err)
{
	auto_free char *target = NULL;

	if (!digest_is_valid(digest) || blob_stat(store, digest, NULL) < 0)
		return err_set(err, ERR_CORRUPT,
			       "blob '%s' is missing in '%s'; remove the image and pull it again",
			       digest, store->root);
	target = blob_path(store, digest);
	if (symlinkat(target, dir_fd, digest_hex(digest)) < 0 && errno != EEXIST)
		return err_sys(err, -errno, "make symlink to blob '%s'", digest);
	return 0;
}

int layout_stage(struct store *store, const struct image *image, const char *path, struct err *err)
{
	auto_image_manifest struct image_manifest m = { 0 };
	auto_strbuf struct strbuf text = STRBUF_INIT;
	auto_close int dir = fd_open_at(AT_FDCWD, path, O_RDONLY | O_DIRECTORY, 0);
	int r;

	if (dir < 0)
		return err_sys(err, dir, "open '%s'", path);
	r = blob_read(store, image->manifest_digest, IMAGE_DOCUMENT_MAX, &text, err);
	if (r == 0)
		r = image_manifest_load(store, image, &m, err);
	if (r == 0)
		r = link_blob(store, m.config.digest, dir, err);
	for (size_t i = 0; r == 0 && i < m.n_layers; i++)
		r = link_blob(store, m.layers[i].digest, dir, err);
	if (r < 0)
		return r;
	r = fs_write_atomic(dir, "manifest.json", text.buf, text.len, 0600, FS_VOLATILE);
	if (r == 0)
		r = fs_write_atomic(dir, "version", DIR_VERSION, strlen(DIR_VERSION), 0600,
				    FS_VOLATILE);
	return r < 0 ? err_sys(err, r, "write '%s/manifest.json'", path) : 0;
}

/* --- docker-archive --- */

#define LAYER_STEP ((uint64_t)256 << 10)

struct saving {
	struct store *store;
	struct tar_writer *w;
	struct strvec done; /* names of members that are written */
	struct json_object *manifest;
	struct json_object *repositories;
};

/* The uncompressed content of a blob, in a file without a name; its size. */
static int decompress(struct saving *s, const char *blob, const char *diff_id, uint64_t *ret_size,
		      struct err *err)
{
	auto_tar_reader struct tar_reader *reader = NULL;
	auto_close int in = blob_open(s->store, blob, err);
	auto_close int out = -EBADF;
	char found[STORE_DIGEST_MAX];
	int r;

	if (in < 0)
		return in;
	out = fd_open_at(s->store->root_fd, "staging", O_TMPFILE | O_RDWR, 0600);
	if (out < 0)
		return err_sys(err, out, "make a file in '%s/staging'", s->store->root);
	r = tar_decompress(in, blob, out, ret_size, found, err);
	if (r < 0)
		return r;
	if (!str_eq(found, diff_id))
		return err_set(err, ERR_CORRUPT,
			       "layer '%s': its content has digest '%s', not '%s'", blob, found,
			       diff_id);
	return take_fd(out);
}

static int write_layer(struct saving *s, const char *blob, const char *diff_id, const char *member,
		       struct err *err)
{
	auto_free unsigned char *buf = xmalloc(LAYER_STEP);
	auto_close int fd = -EBADF;
	uint64_t size = 0;
	int r;

	if (strvec_contains(&s->done, member))
		return 0;
	strvec_add(&s->done, member);
	fd = decompress(s, blob, diff_id, &size, err);
	if (fd < 0)
		return fd;
	r = tar_writer_begin(s->w, member, size, err);
	for (uint64_t at = 0; r == 0 && at < size; at += LAYER_STEP) {
		size_t len = (size_t)MIN(LAYER_STEP, size - at);

		r = io_pread_exact(fd, buf, len, at);
		if (r <= 0)
			return err_sys(err, r < 0 ? r : -EIO, "read layer '%s'", blob);
		r = tar_writer_data(s->w, buf, len, err);
	}
	return r;
}

static int write_config(struct saving *s, const char *id, const char *member, struct err *err)
{
	auto_strbuf struct strbuf text = STRBUF_INIT;
	auto_free char *digest = xasprintf("sha256:%s", id);
	int r;

	if (strvec_contains(&s->done, member))
		return 0;
	strvec_add(&s->done, member);
	r = blob_read(s->store, digest, IMAGE_DOCUMENT_MAX, &text, err);
	return r < 0 ? r : tar_writer_add_data(s->w, member, text.buf, text.len, err);
}

/* "repositories", which old programs read: {"name": {"tag": "top layer"}}. */
static void add_repository(struct saving *s, const char *name, const char *top)
{
	auto_reference struct reference ref = { 0 };
	auto_free char *repository = NULL;
	struct json_object *tags;

	if (reference_parse(&ref, name, NULL) < 0 || !ref.tag || !top)
		return;
	repository = reference_repository(&ref);
	if (!json_object_object_get_ex(s->repositories, repository, &tags)) {
		tags = json_object_new_object();
		json_object_object_add(s->repositories, repository, tags);
	}
	json_object_object_add(tags, ref.tag, json_object_new_string(top));
}

static int save_one(struct saving *s, const struct layout_save_image *one, struct err *err)
{
	auto_image_manifest struct image_manifest m = { 0 };
	auto_image_config struct image_config config = { 0 };
	struct json_object *entry = json_object_new_object();
	struct json_object *tags = json_object_new_array();
	struct json_object *layers = json_object_new_array();
	auto_free char *config_name = xasprintf("%s.json", one->image->id);
	const char *top = NULL;
	int r;

	json_object_object_add(entry, "Config", json_object_new_string(config_name));
	json_object_object_add(entry, "RepoTags", tags);
	json_object_object_add(entry, "Layers", layers);
	json_object_array_add(s->manifest, entry);
	r = image_manifest_load(s->store, one->image, &m, err);
	if (r == 0)
		r = image_config_load(s->store, one->image->id, &config, err);
	if (r == 0 && m.n_layers != config.rootfs.n_diff_ids)
		r = err_set(err, ERR_CORRUPT, "image '%s': manifest and configuration disagree",
			    one->image->id);
	for (size_t i = 0; r == 0 && i < m.n_layers; i++) {
		const char *diff_id = config.rootfs.diff_ids[i];
		auto_free char *member = xasprintf("%s.tar", digest_hex(diff_id));

		r = write_layer(s, m.layers[i].digest, diff_id, member, err);
		json_object_array_add(layers, json_object_new_string(member));
		top = digest_hex(diff_id);
	}
	if (r == 0)
		r = write_config(s, one->image->id, config_name, err);
	for (size_t i = 0; r == 0 && i < one->names.n; i++) {
		json_object_array_add(tags, json_object_new_string(one->names.v[i]));
		add_repository(s, one->names.v[i], top);
	}
	return r;
}

static int write_json(struct saving *s, const char *member, struct json_object *value,
		      struct err *err)
{
	auto_free char *text = json_value_to_text(value, JSON_COMPACT);

	return tar_writer_add_data(s->w, member, text, strlen(text), err);
}

int layout_save_docker(struct store *store, const struct layout_save_image *images, size_t n,
		       int fd, struct err *err)
{
	struct saving s = { .store = store };
	int r = tar_writer_open(&s.w, tar_sink_fd, &fd, err);

	s.manifest = json_object_new_array();
	s.repositories = json_object_new_object();
	for (size_t i = 0; r == 0 && i < n; i++)
		r = save_one(&s, &images[i], err);
	if (r == 0)
		r = write_json(&s, "manifest.json", s.manifest, err);
	if (r == 0)
		r = write_json(&s, "repositories", s.repositories, err);
	if (r == 0)
		r = tar_writer_finish(s.w, err);
	tar_writer_close(s.w);
	strvec_done(&s.done);
	json_object_put(s.manifest);
	json_object_put(s.repositories);
	return r;
}
