/* SPDX-License-Identifier: Apache-2.0 */
#include "image/push.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "core/alloc.h"
#include "core/fs.h"
#include "core/io.h"
#include "core/str.h"
#include "image/layout.h"
#include "image/recompress.h"
#include "image/reference.h"
#include "image/transport.h"
#include "storage/blob.h"

/* What leaves the store was admitted when it came. */
#define POLICY "{\"default\":[{\"type\":\"insecureAcceptAnything\"}]}\n"

struct push {
	struct store *store;
	const struct image *image;
	const struct push_options *options;
	char *destination; /* for skopeo */
	char *repository; /* of a registry; NULL: another transport */
	struct skopeo_options skopeo;
};

static void push_done(struct push *p)
{
	free(p->destination);
	free(p->repository);
}
DEFINE_AUTO_VAL(push, struct push, push_done)

static int set_destination(struct push *p, const char *destination, struct reference *ref,
			   struct err *err)
{
	const char *rest;
	auto_free char *full = NULL;
	int r;

	if (transport_of(destination, &rest)) {
		p->destination = xstrdup(destination);
		return 0;
	}
	r = reference_parse(ref, rest, err);
	if (r < 0)
		return r;
	/* As docker has it: what names no registry goes to the one. */
	if (!ref->domain) {
		full = xasprintf("docker.io/%s", rest);
		reference_done(ref);
		r = reference_parse(ref, full, err);
		if (r < 0)
			return r;
	}
	reference_tag_latest(ref);
	if (ref->digest)
		return err_set(err, ERR_INVALID, "push to '%s': a destination cannot have a digest",
			       rest);
	replace_ptr(full, reference_format(ref));
	p->destination = xasprintf("docker://%s", full);
	p->repository = reference_repository(ref);
	p->skopeo.creds_registry = ref->domain;
	return 0;
}

static int manifest_format(const struct push_options *o, const char **ret, struct err *err)
{
	const char *format = o->format && str_eq(o->format, "docker") ? "v2s2" : o->format;

	if (format && !str_eq(format, "oci") && !str_eq(format, "v2s2") && !str_eq(format, "v2s1"))
		return err_set(err, ERR_USAGE,
			       "option '--format': '%s' is not one of oci, v2s2, v2s1", o->format);
	*ret = format;
	return 0;
}

/* Of a copy of the image as it is, or of one whose layers are what they shall be. */
static void add_options(struct strvec *args, const struct push *p, const char *format,
			bool is_recompressed)
{
	const struct push_options *o = p->options;
	/* skopeo refuses them for all else; podman passes over them. */
	bool is_dir = str_has_prefix(p->destination, "dir:");

	if (is_dir && o->compress)
		strvec_add(args, "--dest-compress");
	if (is_dir && o->decompress)
		strvec_add(args, "--dest-decompress");
	if (is_recompressed) {
		/* Or skopeo takes what it knows to be the same inside from the registry, in whatever compression. */
		strvec_add(args, "--preserve-digests");
	} else {
		if (format)
			strvec_addf(args, "--format=%s", format);
		if (o->compression_format)
			strvec_addf(args, "--dest-compress-format=%s", o->compression_format);
		if (o->compression_level)
			strvec_addf(args, "--dest-compress-level=%s", o->compression_level);
	}
	if (o->remove_signatures)
		strvec_add(args, "--remove-signatures");
	if (o->sign_by)
		strvec_addf(args, "--sign-by=%s", o->sign_by);
}

static bool is_compressed_there(const struct push *p)
{
	return p->repository || str_has_prefix(p->destination, "oci:") ||
	       str_has_prefix(p->destination, "oci-archive:");
}

/* ret: whether there is a directory "recompressed" beside "image" now. */
static int recompress_layers(struct push *p, const struct store_staging *staging,
			     const char *policy, const char *format, bool *ret, struct err *err)
{
	auto_image_manifest struct image_manifest manifest = { 0 };
	struct recompress_how how = { .format = p->options->compression_format,
				      .level = p->options->compression_level,
				      .manifest = format,
				      .policy = policy };
	int r = recompress_check(&how, err);

	if (r < 0 || !p->options->recompress || !is_compressed_there(p))
		return r;
	r = image_manifest_load(p->store, p->image, &manifest, err);
	if (r < 0 || !recompress_is_needed(&manifest, &how))
		return r;
	*ret = true;
	return recompress(staging->path, &manifest, &how, err);
}

static int record_digest(struct push *p, const char *file, struct err *err)
{
	auto_strbuf struct strbuf text = STRBUF_INIT;
	auto_free char *full = NULL;
	int r = io_read_file_at(AT_FDCWD, file, STORE_DIGEST_MAX, &text);

	while (text.len && text.buf[text.len - 1] == '\n')
		strbuf_truncate(&text, text.len - 1);
	if (r < 0 || !digest_is_valid(text.buf))
		return err_set(err, ERR_REMOTE, "push image: skopeo told no digest");
	if (p->options->digest_file) {
		r = fs_write_output(p->options->digest_file, text.buf, text.len, 0644);
		if (r < 0)
			return err_sys(err, r, "write '%s'", p->options->digest_file);
	}
	if (!p->repository)
		return 0;
	full = xasprintf("%s@%s", p->repository, text.buf);
	return db_exec(p->store->db, err,
		       "INSERT OR IGNORE INTO image_digests(digest, image_id) VALUES(?, ?)", "ss",
		       full, p->image->id);
}

static int copy(struct push *p, const struct store_staging *staging, const char *format,
		struct err *err)
{
	auto_strvec struct strvec args = STRVEC_INIT;
	auto_free char *source = xasprintf("%s/image", staging->path);
	auto_free char *policy = xasprintf("%s/policy.json", staging->path);
	auto_free char *digest_file = xasprintf("%s/digest", staging->path);
	struct skopeo_call call = {
		.subcommand = "copy", .side = SKOPEO_DESTINATION, .args = &args, .policy = policy
	};
	bool is_recompressed = false;
	int r;

	if (mkdir(source, 0700) < 0)
		return err_sys(err, -errno, "make directory '%s'", source);
	r = layout_stage(p->store, p->image, source, err);
	if (r < 0)
		return r;
	r = fs_write_atomic(staging->dir_fd, "policy.json", POLICY, strlen(POLICY), 0600,
			    FS_VOLATILE);
	if (r < 0)
		return err_sys(err, r, "write '%s'", policy);
	r = recompress_layers(p, staging, policy, format, &is_recompressed, err);
	if (r < 0)
		return err_wrap(err, r, "push image '%s'", p->destination);
	add_options(&args, p, format, is_recompressed);
	strvec_addf(&args, "--digestfile=%s", digest_file);
	strvec_addf(&args, "dir:%s/%s", staging->path, is_recompressed ? "recompressed" : "image");
	strvec_add(&args, p->destination);
	r = skopeo_run(&p->skopeo, &call, err);
	if (r < 0)
		return err_wrap(err, r, "push image '%s'", p->destination);
	return record_digest(p, digest_file, err);
}

int image_push(struct store *store, const struct image *image, const char *destination,
	       const struct push_options *options, struct err *err)
{
	auto_cleanup(push_cleanup_val) struct push p = {
		.store = store, .image = image, .options = options, .skopeo = options->skopeo
	};
	auto_store_staging struct store_staging staging = STORE_STAGING_INIT;
	auto_reference struct reference ref = { 0 };
	const char *format = NULL;
	int r = set_destination(&p, destination, &ref, err);

	if (r == 0)
		r = manifest_format(options, &format, err);
	if (r < 0)
		return r;
	p.skopeo.show_progress = !options->quiet;
	r = store_content_hold(store, err);
	if (r < 0)
		return r;
	r = store_staging_make(store, &staging, err);
	if (r == 0)
		r = copy(&p, &staging, format, err);
	store_staging_drop(&staging);
	store_content_release(store);
	return r;
}
