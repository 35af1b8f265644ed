/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/fd.h"
#include "core/fs.h"
#include "core/io.h"
#include "core/str.h"
#include "image/layout.h"
#include "storage/blob.h"
#include "storage/tar_writer.h"

#define REF_NAME "org.opencontainers.image.ref.name"
#define BLOCK ((size_t)256 << 10)

/* Where the files go: one of the two. */
struct target {
	struct store *store;
	struct tar_writer *w;
	int dir_fd;
	struct strvec done; /* digests that are written: layers may occur twice */
};

static int put_data(struct target *t, const char *path, const void *data, size_t len,
		    struct err *err)
{
	auto_close int fd = -EBADF;
	int r;

	if (t->w)
		return tar_writer_add_data(t->w, path, data, len, err);
	fd = fd_open_at(t->dir_fd, path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	r = fd < 0 ? fd : io_write_all(fd, data, len);
	return r < 0 ? err_sys(err, r, "write '%s'", path) : 0;
}

static int put_blob(struct target *t, const char *digest, struct err *err)
{
	auto_free unsigned char *buf = xmalloc(BLOCK);
	auto_free char *path = NULL;
	auto_close int in = -EBADF;
	auto_close int out = -EBADF;
	uint64_t size = 0;
	ssize_t n = 0;
	int r = 0;

	if (strvec_contains(&t->done, digest))
		return 0;
	strvec_add(&t->done, digest);
	in = blob_open(t->store, digest, err);
	if (in < 0)
		return in;
	path = xasprintf("blobs/sha256/%s", digest_hex(digest));
	if (blob_stat(t->store, digest, &size) < 0)
		return err_sys(err, -EIO, "read blob '%s'", digest);
	if (t->w) {
		r = tar_writer_begin(t->w, path, size, err);
	} else {
		out = fd_open_at(t->dir_fd, path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
		if (out < 0)
			return err_sys(err, out, "make '%s'", path);
	}
	while (r == 0 && (n = RETRY_EINTR(read(in, buf, BLOCK))) > 0) {
		if (t->w)
			r = tar_writer_data(t->w, buf, (size_t)n, err);
		else if (io_write_all(out, buf, (size_t)n) < 0)
			r = err_sys(err, -errno, "write '%s'", path);
	}
	return n < 0 ? err_sys(err, -errno, "read blob '%s'", digest) : r;
}

/* Docker's words for the same things. */
static void translate(struct image_descriptor *d)
{
	static const char *const words[][2] = {
		{ DOCKER_CONFIG_TYPE, OCI_CONFIG_TYPE },
		{ DOCKER_LAYER_GZIP_TYPE, OCI_LAYER_GZIP_TYPE },
		{ DOCKER_LAYER_TAR_TYPE, OCI_LAYER_TAR_TYPE },
	};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (str_eq(d->media_type, words[i][0]))
			replace_ptr(d->media_type, xstrdup(words[i][1]));
}

static void set_index(struct image_index *index, const char *digest, size_t size, const char *name)
{
	struct image_descriptor *d = array_push(index->manifests, index->n_manifests);

	index->schema_version = 2;
	d->media_type = xstrdup(OCI_MANIFEST_TYPE);
	d->digest = xstrdup(digest);
	d->size = (int64_t)size;
	if (name)
		json_string_map_set(&d->annotations, REF_NAME, name);
}

/* The manifest as OCI's: the very text where it is one. */
static int manifest_text(struct store *store, const struct image *image, struct image_manifest *m,
			 struct strbuf *ret, struct err *err)
{
	auto_free char *text = NULL;
	int r = image_manifest_load(store, image, m, err);

	if (r < 0)
		return r;
	if (str_eq(image->manifest_type, OCI_MANIFEST_TYPE))
		return blob_read(store, image->manifest_digest, IMAGE_DOCUMENT_MAX, ret, err);
	replace_ptr(m->media_type, xstrdup(OCI_MANIFEST_TYPE));
	translate(&m->config);
	for (size_t i = 0; i < m->n_layers; i++)
		translate(&m->layers[i]);
	text = json_encode(&image_manifest_desc, m, JSON_COMPACT);
	strbuf_adds(ret, text);
	return 0;
}

static int write_layout(struct target *t, const struct layout_save_image *one, struct err *err)
{
	static const char version[] = "{\"imageLayoutVersion\":\"1.0.0\"}";
	auto_image_manifest struct image_manifest m = { 0 };
	auto_image_index struct image_index index = { 0 };
	auto_strbuf struct strbuf manifest = STRBUF_INIT;
	auto_free char *path = NULL;
	auto_free char *text = NULL;
	char digest[STORE_DIGEST_MAX];
	int r = manifest_text(t->store, one->image, &m, &manifest, err);

	if (r < 0)
		return r;
	digest_of(manifest.buf, manifest.len, digest);
	path = xasprintf("blobs/sha256/%s", digest_hex(digest));
	set_index(&index, digest, manifest.len, one->names.n ? one->names.v[0] : NULL);
	text = json_encode(&image_index_desc, &index, JSON_COMPACT);
	r = put_data(t, "oci-layout", version, strlen(version), err);
	if (r == 0)
		r = put_data(t, "index.json", text, strlen(text), err);
	if (r == 0)
		r = put_data(t, path, manifest.buf, manifest.len, err);
	if (r == 0)
		r = put_blob(t, m.config.digest, err);
	for (size_t i = 0; r == 0 && i < m.n_layers; i++)
		r = put_blob(t, m.layers[i].digest, err);
	return r;
}

int layout_save_oci(struct store *store, const struct layout_save_image *image, int fd, int dir_fd,
		    struct err *err)
{
	struct target t = { .store = store, .dir_fd = dir_fd };
	int r;

	if (dir_fd >= 0) {
		r = fs_mkdir_all(dir_fd, "blobs/sha256", 0755, 0755);
		if (r < 0)
			return err_sys(err, r, "make directory 'blobs/sha256'");
	} else {
		r = tar_writer_open(&t.w, tar_sink_fd, &fd, err);
	}
	if (r == 0)
		r = write_layout(&t, image, err);
	if (r == 0 && t.w)
		r = tar_writer_finish(t.w, err);
	tar_writer_close(t.w);
	strvec_done(&t.done);
	return r;
}
