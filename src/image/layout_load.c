/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An archive is unpacked into staging, as a stranger's (storage/unpack.h), and then is a directory like
 * the others. All names in its documents are resolved inside it.
 */
#include <json-c/json.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/fd.h"
#include "core/io.h"
#include "core/rooted.h"
#include "core/str.h"
#include "image/layout.h"
#include "image/policy.h"
#include "image/reference.h"
#include "image/transport.h"
#include "storage/blob.h"
#include "storage/unpack.h"

#define REF_NAME "org.opencontainers.image.ref.name"
#define CONTAINERD_NAME "io.containerd.image.name"
#define INDEX_DEPTH_MAX 4
/* What scripts look for. */
#define NO_IMAGES "payload does not match any of the supported image formats"

struct loading {
	struct store *store;
	struct rooted root;
	const char *name; /* of the archive, for errors */
	struct layout_loaded *loaded;
	const char *only; /* load this one alone; NULL: all */
	const char *policy; /* file; NULL: the default one */
	const char *path; /* where it lies; NULL: it came through a pipe */
	bool is_dir;
	bool judged; /* no policy has anything to say any more */
	bool found;
};

void layout_loaded_done(struct layout_loaded *loaded)
{
	strvec_done(&loaded->ids);
	strvec_done(&loaded->names);
}

/* --- files in it --- */

/* -ENOENT without *err. */
static int read_file(struct loading *l, const char *path, struct strbuf *ret, struct err *err)
{
	auto_close int fd = rooted_openat(&l->root, path, O_RDONLY | O_NONBLOCK);
	struct stat st;
	int r;

	if (fd == -ENOENT)
		return fd;
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return err_set(err, ERR_INVALID, "load '%s': '%s' is no file", l->name, path);
	r = io_read_all(fd, IMAGE_DOCUMENT_MAX, ret);
	return r < 0 ? err_sys(err, r, "load '%s': read '%s'", l->name, path) : 0;
}

/* A file into the blob store; want: its digest when it is known. */
static int take_blob(struct loading *l, const char *path, const char *want,
		     char ret_digest[static STORE_DIGEST_MAX], uint64_t *ret_size, struct err *err)
{
	auto_blob_writer struct blob_writer w = BLOB_WRITER_INIT;
	auto_free unsigned char *buf = xmalloc(256 << 10);
	auto_close int fd = -EBADF;
	struct stat st;
	ssize_t n;
	int r;

	if (want && digest_is_valid(want) && blob_stat(l->store, want, ret_size) == 0) {
		(void)snprintf(ret_digest, STORE_DIGEST_MAX, "%s", want);
		return 0;
	}
	fd = rooted_openat(&l->root, path, O_RDONLY | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return err_set(err, ERR_INVALID, "load '%s': '%s' is missing or no file", l->name,
			       path);
	r = blob_writer_open(&w, l->store, err);
	if (r < 0)
		return r;
	while ((n = RETRY_EINTR(read(fd, buf, 256 << 10))) > 0) {
		r = blob_writer_add(&w, buf, (size_t)n);
		if (r < 0)
			return err_sys(err, r, "load '%s': write blob", l->name);
	}
	if (n < 0)
		return err_sys(err, -errno, "load '%s': read '%s'", l->name, path);
	*ret_size = w.size;
	r = blob_writer_commit(&w, ret_digest, err);
	if (r == 0 && want && !str_eq(want, ret_digest))
		r = err_set(err, ERR_CORRUPT, "load '%s': '%s' has digest '%s'", l->name, path,
			    ret_digest);
	return r;
}

/* Record the image, with the names it may have. */
static int add(struct loading *l, const char *manifest, const char *type,
	       const struct strvec *names, struct err *err)
{
	struct image_new new = { .manifest_digest = manifest, .manifest_type = type };
	auto_free char *id = NULL;
	int r = image_add(l->store, &new, &id, err);

	if (r < 0)
		return err_wrap(err, r, "load '%s'", l->name);
	for (size_t i = 0; r == 0 && i < names->n; i++) {
		r = image_tag(l->store, id, names->v[i], err);
		if (r == 0)
			strvec_add(&l->loaded->names, names->v[i]);
	}
	if (names->n == 0)
		strvec_addf(&l->loaded->names, "sha256:%s", id);
	strvec_add(&l->loaded->ids, id);
	l->found = true;
	return r;
}

/* --- docker-archive: manifest.json is a list --- */

struct docker_entry {
	char *config;
	char **tags;
	size_t n_tags;
	char **layers;
	size_t n_layers;
	struct json_extra extra;
};
JSON_DESC_STATIC(docker_entry_desc, struct docker_entry,
		 F_STRING(struct docker_entry, config, "Config", JSON_REQUIRED),
		 F_STRINGS(struct docker_entry, tags, "RepoTags", 0),
		 F_STRINGS(struct docker_entry, layers, "Layers", 0),
		 F_EXTRA(struct docker_entry, extra));

static int docker_names(const struct docker_entry *entry, struct strvec *ret, struct err *err)
{
	for (size_t i = 0; i < entry->n_tags; i++) {
		auto_reference struct reference ref = { 0 };
		auto_free char *full = NULL;
		int r = reference_parse(&ref, entry->tags[i], err);

		if (r < 0)
			return r;
		/* What docker leaves out. */
		full = ref.domain ? NULL : xasprintf("docker.io/%s", entry->tags[i]);
		if (full) {
			reference_done(&ref);
			r = reference_parse(&ref, full, err);
			if (r < 0)
				return r;
		}
		reference_tag_latest(&ref);
		strvec_add_take(ret, reference_format(&ref));
	}
	return 0;
}

/* By its first bytes. */
static const char *docker_layer_type(struct loading *l, const char *digest)
{
	auto_close int fd = blob_open(l->store, digest, NULL);
	unsigned char magic[4] = { 0 };

	if (fd >= 0 && read(fd, magic, sizeof(magic)) == sizeof(magic) && magic[0] == 0x1f &&
	    magic[1] == 0x8b)
		return DOCKER_LAYER_GZIP_TYPE;
	return magic[0] == 0x28 && magic[1] == 0xb5 ? OCI_LAYER_ZSTD_TYPE : DOCKER_LAYER_TAR_TYPE;
}

static void set_descriptor(struct image_descriptor *d, const char *type, const char *digest,
			   uint64_t size)
{
	d->media_type = xstrdup(type);
	d->digest = xstrdup(digest);
	d->size = (int64_t)size;
}

static int docker_manifest(struct loading *l, const struct docker_entry *entry,
			   struct image_manifest *m, struct err *err)
{
	char digest[STORE_DIGEST_MAX];
	uint64_t size = 0;
	int r = take_blob(l, entry->config, NULL, digest, &size, err);

	if (r < 0)
		return r;
	m->schema_version = 2;
	m->media_type = xstrdup(DOCKER_MANIFEST_TYPE);
	set_descriptor(&m->config, DOCKER_CONFIG_TYPE, digest, size);
	m->layers = xcalloc(1, sizeof(*m->layers));
	for (size_t i = 0; i < entry->n_layers; i++) {
		r = take_blob(l, entry->layers[i], NULL, digest, &size, err);
		if (r < 0)
			return r;
		if (i == 0)
			replace_ptr(m->layers, NULL);
		set_descriptor(array_push(m->layers, m->n_layers), docker_layer_type(l, digest),
			       digest, size);
	}
	return 0;
}

static int load_docker_entry(struct loading *l, const struct docker_entry *entry, struct err *err)
{
	auto_image_manifest struct image_manifest m = { 0 };
	auto_strvec struct strvec names = STRVEC_INIT;
	auto_free char *text = NULL;
	char digest[STORE_DIGEST_MAX];
	int r = docker_names(entry, &names, err);

	if (r < 0 || (l->only && !strvec_contains(&names, l->only)))
		return r;
	r = docker_manifest(l, entry, &m, err);
	if (r < 0)
		return r;
	text = json_encode(&image_manifest_desc, &m, JSON_COMPACT);
	r = blob_write(l->store, text, strlen(text), digest, err);
	return r < 0 ? r : add(l, digest, DOCKER_MANIFEST_TYPE, &names, err);
}

static int load_docker(struct loading *l, struct json_object *list, struct err *err)
{
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		struct docker_entry entry = { 0 };
		int r = json_decode_value(&docker_entry_desc, &entry,
					  json_object_array_get_idx(list, i), "manifest.json", err);

		if (r < 0)
			return r;
		r = load_docker_entry(l, &entry, err);
		json_done(&docker_entry_desc, &entry);
		if (r < 0)
			return r;
	}
	return 0;
}

/* --- dir and OCI: a manifest whose blobs are files --- */

/* Where a blob lies: by its hex digits, or in blobs/sha256. */
static char *blob_file(const char *digest, bool oci)
{
	const char *hex = digest_hex(digest);

	return oci ? xasprintf("blobs/sha256/%s", hex) : xstrdup(hex);
}

static int take_described(struct loading *l, const struct image_descriptor *d, bool oci,
			  struct err *err)
{
	auto_free char *path = NULL;
	char digest[STORE_DIGEST_MAX];
	uint64_t size;

	if (!digest_is_valid(d->digest))
		return err_set(err, ERR_INVALID, "load '%s': '%s' is not a sha256 digest", l->name,
			       d->digest);
	path = blob_file(d->digest, oci);
	return take_blob(l, path, d->digest, digest, &size, err);
}

static int load_manifest(struct loading *l, const struct strbuf *text, bool oci,
			 const struct strvec *names, struct err *err)
{
	auto_image_manifest struct image_manifest m = { 0 };
	char digest[STORE_DIGEST_MAX];
	const char *type;
	int r = manifest_type_of(text->buf, text->len, &type, err);

	if (r == 0)
		r = json_decode(&image_manifest_desc, &m, text->buf, text->len, "manifest", err);
	if (r == 0)
		r = take_described(l, &m.config, oci, err);
	for (size_t i = 0; r == 0 && i < m.n_layers; i++)
		r = take_described(l, &m.layers[i], oci, err);
	if (r == 0)
		r = blob_write(l->store, text->buf, text->len, digest, err);
	return r < 0 ? r : add(l, digest, type, names, err);
}

static int load_dir(struct loading *l, const struct strbuf *manifest, struct err *err)
{
	struct strvec none = STRVEC_INIT;

	return load_manifest(l, manifest, false, &none, err);
}

/* A short name as docker means it; caller owns. */
static int docker_name(const char *text, char **ret, struct err *err)
{
	auto_reference struct reference ref = { 0 };
	auto_free char *bare = NULL;
	int r = reference_parse(&ref, text, err);

	if (r < 0)
		return r;
	reference_tag_latest(&ref);
	bare = reference_format(&ref);
	*ret = ref.domain ? take_ptr(bare) :
			    xasprintf("docker.io/%s%s", strchr(bare, '/') ? "" : "library/", bare);
	return 0;
}

/* As podman: in a directory a short name is a word for that layout, but for who asks for it. */
static int oci_dir_name(const struct loading *l, const char *name, struct strvec *ret,
			struct err *err)
{
	auto_reference struct reference ref = { 0 };
	char *full;
	int r = reference_parse(&ref, name, err);

	if (r < 0 || (!ref.domain && !l->only))
		return r;
	r = docker_name(name, &full, err);
	if (r == 0)
		strvec_add_take(ret, full);
	return r;
}

/* What the index calls it, as a full name; nothing when it is only a word for this layout. */
static int oci_names(const struct loading *l, const struct image_descriptor *d, struct strvec *ret,
		     struct err *err)
{
	const char *name = json_string_map_get(&d->annotations, CONTAINERD_NAME);
	char *full;
	int r;

	if (!name)
		name = json_string_map_get(&d->annotations, REF_NAME);
	if (str_is_empty(name))
		return 0;
	if (l->is_dir)
		return oci_dir_name(l, name, ret, err);
	r = reference_normalize_local(name, &full, err);
	if (r == 0)
		strvec_add_take(ret, full);
	return r;
}

static int load_index(struct loading *l, const struct strbuf *text, unsigned int depth,
		      const struct strvec *inherited, struct err *err);

static int load_described(struct loading *l, const struct image_descriptor *d, unsigned int depth,
			  const struct strvec *names, struct err *err)
{
	auto_strbuf struct strbuf text = STRBUF_INIT;
	auto_free char *path = NULL;
	char digest[STORE_DIGEST_MAX];
	const char *type;
	int r;

	if (!digest_is_valid(d->digest))
		return err_set(err, ERR_INVALID, "load '%s': '%s' is not a sha256 digest", l->name,
			       d->digest);
	path = blob_file(d->digest, true);
	r = read_file(l, path, &text, err);
	if (r == -ENOENT)
		return err_set(err, ERR_INVALID, "load '%s': '%s' is missing", l->name, path);
	if (r < 0)
		return r;
	digest_of(text.buf, text.len, digest);
	if (!str_eq(digest, d->digest))
		return err_set(err, ERR_CORRUPT, "load '%s': '%s' has digest '%s'", l->name, path,
			       digest);
	r = manifest_type_of(text.buf, text.len, &type, err);
	if (r < 0)
		return r;
	if (str_eq(type, OCI_INDEX_TYPE) || str_eq(type, DOCKER_LIST_TYPE))
		return load_index(l, &text, depth + 1, names, err);
	return load_manifest(l, &text, true, names, err);
}

/* Of an inner index, the one image for this machine; of the outermost, all. */
static int load_index(struct loading *l, const struct strbuf *text, unsigned int depth,
		      const struct strvec *inherited, struct err *err)
{
	auto_image_index struct image_index index = { 0 };
	int r = json_decode(&image_index_desc, &index, text->buf, text->len, "index.json", err);

	if (r == 0 && depth > INDEX_DEPTH_MAX)
		r = err_set(err, ERR_INVALID, "load '%s': lists are nested too deep", l->name);
	if (r == 0 && depth > 0) {
		const char *variant;
		const char *arch = platform_architecture(&variant);
		const struct image_descriptor *d = index_choose(&index, "linux", arch, variant);

		return d ? load_described(l, d, depth, inherited, err) :
			   err_set(err, ERR_NOT_FOUND, "load '%s': no image for linux/%s", l->name,
				   arch);
	}
	for (size_t i = 0; r == 0 && i < index.n_manifests; i++) {
		auto_strvec struct strvec names = STRVEC_INIT;
		const struct image_descriptor *d = &index.manifests[i];

		r = oci_names(l, d, &names, err);
		if (r < 0 ||
		    (l->only && !str_eq(json_string_map_get(&d->annotations, REF_NAME), l->only)))
			continue;
		r = load_described(l, d, depth, &names, err);
	}
	return r;
}

/* --- all kinds --- */

static int check_policy(const struct loading *l, const char *archive, const char *dir,
			struct err *err)
{
	if (l->judged)
		return 0;
	return policy_check(l->policy, l->is_dir ? dir : archive, l->is_dir ? l->path : NULL,
			    l->only, err);
}

static int load_root(struct loading *l, struct err *err)
{
	auto_strbuf struct strbuf text = STRBUF_INIT;
	struct strvec none = STRVEC_INIT;
	int r = read_file(l, "manifest.json", &text, err);

	if (r == 0) {
		struct json_object *value = json_tokener_parse(text.buf);
		bool is_docker = json_object_is_type(value, json_type_array);

		r = is_docker ? check_policy(l, "docker-archive", "docker-archive", err) :
				check_policy(l, "dir", "dir", err);
		if (r == 0)
			r = is_docker ? load_docker(l, value, err) : load_dir(l, &text, err);
		json_object_put(value);
	} else if (r == -ENOENT) {
		r = read_file(l, "index.json", &text, err);
		if (r == -ENOENT)
			return err_set(err, ERR_INVALID,
				       "load '%s': " NO_IMAGES ": neither an archive of images nor "
				       "a layout (no manifest.json, no index.json)",
				       l->name);
		if (r == 0)
			r = check_policy(l, "oci-archive", "oci", err);
		if (r == 0)
			r = load_index(l, &text, 0, &none, err);
	}
	if (r == 0 && !l->found)
		r = l->only ? err_set(err, ERR_NOT_FOUND, "load '%s': it has no image '%s'",
				      l->name, l->only) :
			      err_set(err, ERR_INVALID, "load '%s': it has no image", l->name);
	return r;
}

static int unpack_archive(struct loading *l, int fd, struct store_staging *staging, struct err *err)
{
	auto_tar_reader struct tar_reader *reader = NULL;
	struct unpack_options options = { 0 };
	int r = store_staging_make(l->store, staging, err);

	if (r == 0)
		r = tar_reader_open(&reader, fd, l->name, err);
	if (r < 0)
		return err_wrap(err, r,
				err->kind == ERR_CORRUPT ? "load '%s': " NO_IMAGES : "load '%s'",
				l->name);
	r = rooted_open(&l->root, AT_FDCWD, staging->path);
	if (r < 0)
		return err_sys(err, r, "open '%s'", staging->path);
	r = unpack(reader, &l->root, &options, NULL, err);
	return r < 0 ? err_wrap(err, r, "load '%s'", l->name) : 0;
}

static int load_fd(struct loading *l, int fd, struct err *err)
{
	auto_store_staging struct store_staging staging = STORE_STAGING_INIT;
	struct stat st;
	int r;

	if (fstat(fd, &st) < 0)
		return err_sys(err, -errno, "load '%s'", l->name);
	r = store_content_hold(l->store, err);
	if (r < 0)
		return r;
	l->is_dir = S_ISDIR(st.st_mode);
	if (l->is_dir) {
		int copy = fd_dup(fd);

		rooted_from_fd(&l->root, copy);
		r = copy < 0 ? err_sys(err, copy, "load '%s'", l->name) : 0;
	} else {
		r = unpack_archive(l, fd, &staging, err);
	}
	if (r == 0)
		r = load_root(l, err);
	rooted_close(&l->root);
	/* Before the lock goes: garbage collection must not see what it cannot lock. */
	store_staging_drop(&staging);
	store_content_release(l->store);
	return r;
}

int layout_load(struct store *store, int fd, const char *name, const char *path,
		struct layout_loaded *ret, struct err *err)
{
	struct loading l = {
		.store = store, .root = ROOTED_INIT, .name = name, .path = path, .loaded = ret
	};

	return load_fd(&l, fd, err);
}

/* What skopeo has copied, and judged. */
static int load_judged(struct store *store, int fd, const char *name, struct layout_loaded *ret,
		       struct err *err)
{
	struct loading l = {
		.store = store, .root = ROOTED_INIT, .name = name, .judged = true, .loaded = ret
	};

	return load_fd(&l, fd, err);
}

/* --- pull from a transport --- */

/* What only skopeo can read is copied into a directory first. */
static int pull_by_skopeo(struct store *store, const char *what, const struct pull_options *options,
			  struct layout_loaded *loaded, struct err *err)
{
	auto_store_staging struct store_staging staging = STORE_STAGING_INIT;
	auto_strvec struct strvec args = STRVEC_INIT;
	struct skopeo_options skopeo = options->skopeo;
	struct skopeo_call call = { .subcommand = "copy", .side = SKOPEO_SOURCE, .args = &args };
	auto_free char *path = NULL;
	int r = store_content_hold(store, err);

	if (r < 0)
		return r;
	r = store_staging_make(store, &staging, err);
	if (r == 0) {
		path = xasprintf("%s/image", staging.path);
		strvec_add(&args, what);
		strvec_addf(&args, "dir:%s", path);
		skopeo.show_progress = !options->quiet;
		r = skopeo_run(&skopeo, &call, err);
	}
	if (r == 0) {
		auto_close int fd = fd_open_at(AT_FDCWD, path, O_RDONLY | O_DIRECTORY, 0);

		r = fd < 0 ? err_sys(err, fd, "open '%s'", path) :
			     load_judged(store, fd, what, loaded, err);
	}
	store_staging_drop(&staging);
	store_content_release(store);
	return r;
}

/* "PATH[:REF]" of archives and layouts. */
static int pull_from_path(struct store *store, const char *what, const char *details,
			  const struct pull_options *options, struct layout_loaded *loaded,
			  struct err *err)
{
	struct loading l = { .store = store, .root = ROOTED_INIT, .name = what, .loaded = loaded };
	const char *colon = strchr(details, ':');
	auto_free char *path = colon ? xstrndup(details, (size_t)(colon - details)) :
				       xstrdup(details);
	auto_free char *only = NULL;
	auto_close int fd = -EBADF;

	if (colon && str_has_prefix(what, "docker-archive:")) {
		int r = docker_name(colon + 1, &only, err);

		if (r < 0)
			return r;
	} else if (colon) {
		only = xstrdup(colon + 1);
	}
	l.only = only;
	l.path = path;
	l.policy = options->skopeo.signature_policy;
	fd = fd_open_at(AT_FDCWD, path, O_RDONLY, 0);
	if (fd < 0)
		return err_sys(err, fd, "open '%s'", path);
	return load_fd(&l, fd, err);
}

int layout_pull(struct store *store, const char *what, const struct pull_options *options,
		char **ret_id, char **ret_name, struct err *err)
{
	auto_layout_loaded struct layout_loaded loaded = { 0 };
	const char *details;
	const char *transport = transport_of(what, &details);
	int r;

	if (str_eq(transport, "containers-storage") || str_eq(transport, "docker-daemon"))
		r = pull_by_skopeo(store, what, options, &loaded, err);
	else
		r = pull_from_path(store, what, details, options, &loaded, err);
	if (r < 0)
		return r;
	/* From another engine's storage it keeps its name. */
	if (str_eq(transport, "containers-storage") || str_eq(transport, "docker-daemon")) {
		const char *name = str_skip_prefix(details, "[") ? strchr(details, ']') + 1 :
								   details;
		char *full;

		if (reference_normalize_local(name, &full, NULL) == 0) {
			r = image_tag(store, loaded.ids.v[0], full, err);
			if (ret_name)
				*ret_name = full;
			else
				free(full);
		}
	} else if (ret_name && loaded.names.n && !str_has_prefix(loaded.names.v[0], "sha256:")) {
		*ret_name = xstrdup(loaded.names.v[0]);
	}
	if (r == 0)
		*ret_id = xstrdup(loaded.ids.v[0]);
	return r;
}
