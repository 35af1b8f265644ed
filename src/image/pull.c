/* SPDX-License-Identifier: Apache-2.0 */
#include "image/pull.h"

#include <string.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/fs.h"
#include "core/io.h"
#include "core/log.h"
#include "core/str.h"
#include "image/layout.h"
#include "image/policy.h"
#include "image/reference.h"
#include "image/registries.h"
#include "image/transport.h"
#include "storage/blob.h"

#define TAGS_MAX ((size_t)16 << 20)

struct pull {
	struct store *store;
	const struct pull_options *options;
	struct skopeo_options skopeo; /* with the registry of the credentials */
	struct reference ref; /* what is pulled, full */
	char *repository;
	char *name; /* to record; NULL when it was asked for by digest */
	struct strbuf text; /* the manifest of the image itself */
	char top_digest
		[STORE_DIGEST_MAX]; /* of what the name stands for: the list, or the manifest */
	char digest[STORE_DIGEST_MAX];
	const char *type;
	struct image_manifest manifest;
};

static void pull_done(struct pull *p)
{
	reference_done(&p->ref);
	free(p->repository);
	free(p->name);
	strbuf_done(&p->text);
	image_manifest_done(&p->manifest);
}
DEFINE_AUTO_VAL(pull, struct pull, pull_done)

int pull_policy_from_string(const char *text, enum pull_policy *ret, struct err *err)
{
	static const char *const names[] = { "always", "missing", "never", "newer" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (str_eq(text, names[i])) {
			*ret = (enum pull_policy)i;
			return 0;
		}
	if (str_eq(text, "ifnotpresent")) {
		*ret = PULL_MISSING;
		return 0;
	}
	return err_set(err, ERR_USAGE,
		       "unsupported pull policy '%s': not one of always, missing, never, newer",
		       text);
}

static void say(const struct pull_options *options, const char *fmt, ...) PRINTF_LIKE(2, 3);
static void say(const struct pull_options *options, const char *fmt, ...)
{
	auto_strbuf struct strbuf sb = STRBUF_INIT;
	va_list ap;

	if (options->quiet)
		return;
	va_start(ap, fmt);
	strbuf_vaddf(&sb, fmt, ap);
	va_end(ap);
	strbuf_addc(&sb, '\n');
	(void)io_write_all(STDERR_FILENO, sb.buf, sb.len);
}

/* --- documents --- */

static int inspect(struct pull *p, const char *source, bool config, struct strbuf *ret,
		   struct err *err)
{
	auto_strvec struct strvec args = STRVEC_INIT;
	struct skopeo_call call = {
		.subcommand = "inspect", .args = &args, .out = ret, .out_limit = IMAGE_DOCUMENT_MAX
	};

	strvec_add(&args, "--raw");
	if (config)
		strvec_add(&args, "--config");
	strvec_addf(&args, "docker://%s", source);
	return skopeo_run(&p->skopeo, &call, err);
}

static int check_digest(const struct strbuf *text, const char *want, char *ret, struct err *err)
{
	digest_of(text->buf, text->len, ret);
	if (want && !str_eq(ret, want))
		return err_set(err, ERR_CORRUPT,
			       "manifest '%s': the registry sent one with digest '%s'", want, ret);
	return 0;
}

/* The manifest for this machine out of the list in p->text. */
static int choose_instance(struct pull *p, struct err *err)
{
	auto_image_index struct image_index index = { 0 };
	const struct skopeo_options *o = &p->skopeo;
	const char *own_variant;
	const char *own = platform_architecture(&own_variant);
	const char *arch = o->arch ? o->arch : own;
	const char *variant = o->variant ? o->variant : o->arch ? NULL : own_variant;
	const char *os = o->os ? o->os : "linux";
	const struct image_descriptor *chosen;
	auto_free char *source = NULL;
	int r = json_decode(&image_index_desc, &index, p->text.buf, p->text.len, p->top_digest,
			    err);

	if (r < 0)
		return r;
	chosen = index_choose(&index, os, arch, variant);
	if (!chosen)
		return err_set(err, ERR_NOT_FOUND, "choose image: there is none for %s/%s%s%s", os,
			       arch, variant ? "/" : "", variant ? variant : "");
	if (!digest_is_valid(chosen->digest))
		return err_set(err, ERR_INVALID, "manifest list: '%s' is not a sha256 digest",
			       chosen->digest);
	source = xasprintf("%s@%s", p->repository, chosen->digest);
	strbuf_clear(&p->text);
	r = inspect(p, source, false, &p->text, err);
	if (r == 0)
		r = check_digest(&p->text, chosen->digest, p->digest, err);
	if (r == 0)
		r = manifest_type_of(p->text.buf, p->text.len, &p->type, err);
	return r;
}

static bool is_list(const char *type)
{
	return str_eq(type, OCI_INDEX_TYPE) || str_eq(type, DOCKER_LIST_TYPE);
}

static int fetch_manifest(struct pull *p, struct err *err)
{
	/* skopeo refuses a tag beside a digest. */
	auto_free char *source = p->ref.digest ? xasprintf("%s@%s", p->repository, p->ref.digest) :
						 reference_format(&p->ref);
	int r = inspect(p, source, false, &p->text, err);

	if (r == 0)
		r = check_digest(&p->text, p->ref.digest, p->top_digest, err);
	if (r == 0)
		r = manifest_type_of(p->text.buf, p->text.len, &p->type, err);
	if (r < 0)
		return r;
	(void)snprintf(p->digest, sizeof(p->digest), "%s", p->top_digest);
	if (is_list(p->type)) {
		r = choose_instance(p, err);
		if (r == 0 && is_list(p->type))
			r = err_set(err, ERR_UNSUPPORTED, "manifest '%s': a list in a list",
				    p->digest);
	}
	if (r == 0)
		r = json_decode(&image_manifest_desc, &p->manifest, p->text.buf, p->text.len,
				p->digest, err);
	return r;
}

/* --- content --- */

/* 1: this very manifest came from this very repository before. With a policy that asks for anything it is asked again, because
 * it may be another one by now. */
static int is_recorded(struct pull *p, struct err *err)
{
	auto_free char *full = xasprintf("%s@%s", p->repository, p->digest);

	if (!policy_is_open(p->skopeo.signature_policy, "docker"))
		return 0;
	return db_has(p->store->db, err,
		      "SELECT 1 FROM images i JOIN image_digests d ON d.image_id = i.id"
		      " WHERE d.digest = ? AND i.manifest_digest = ?",
		      "ss", full, p->digest);
}

/* A layout of our own for skopeo to write, whose blobs are the store's. What was copied before is
 * not copied again. */
static int copy_content(struct pull *p, struct err *err)
{
	auto_store_staging struct store_staging staging = STORE_STAGING_INIT;
	auto_strvec struct strvec args = STRVEC_INIT;
	struct skopeo_call call = { .subcommand = "copy", .side = SKOPEO_SOURCE, .args = &args };
	int r = store_staging_make(p->store, &staging, err);

	if (r < 0)
		return r;
	strvec_addf(&args, "--dest-shared-blob-dir=%s/blobs", p->store->root);
	strvec_add(&args, "--dest-oci-accept-uncompressed-layers");
	/* An OCI layout has no place for signatures; they have been checked. */
	strvec_add(&args, "--remove-signatures");
	strvec_addf(&args, "docker://%s@%s", p->repository, p->digest);
	strvec_addf(&args, "oci:%s/image:image", staging.path);
	return skopeo_run(&p->skopeo, &call, err);
}

static int fetch_config(struct pull *p, struct err *err)
{
	auto_strbuf struct strbuf text = STRBUF_INIT;
	auto_free char *source = xasprintf("%s@%s", p->repository, p->digest);
	char digest[STORE_DIGEST_MAX];
	int r;

	if (blob_stat(p->store, p->manifest.config.digest, NULL) == 0)
		return 0;
	r = inspect(p, source, true, &text, err);
	if (r < 0)
		return r;
	digest_of(text.buf, text.len, digest);
	if (!str_eq(digest, p->manifest.config.digest))
		return err_set(err, ERR_CORRUPT,
			       "configuration '%s': the registry sent one with digest '%s'",
			       p->manifest.config.digest, digest);
	return blob_write(p->store, text.buf, text.len, digest, err);
}

static int fetch_content(struct pull *p, struct err *err)
{
	char digest[STORE_DIGEST_MAX];
	int r = is_recorded(p, err);

	if (r != 0)
		return MIN(r, 0);
	r = copy_content(p, err);
	if (r == 0)
		r = fetch_config(p, err);
	if (r == 0)
		r = blob_write(p->store, p->text.buf, p->text.len, digest, err);
	for (size_t i = 0; r == 0 && i < p->manifest.n_layers; i++) {
		const struct image_descriptor *layer = &p->manifest.layers[i];

		if (!digest_is_valid(layer->digest) || blob_stat(p->store, layer->digest, NULL) < 0)
			r = err_set(err, ERR_REMOTE, "copy image: layer '%s' did not arrive",
				    layer->digest);
	}
	return r;
}

/* A blob that is damaged on disk would be taken for good again and again. */
static void drop_damaged(struct pull *p)
{
	for (size_t i = 0; i < p->manifest.n_layers; i++) {
		struct err err = ERR_INIT;

		if (blob_verify(p->store, p->manifest.layers[i].digest, true, &err) < 0)
			log_warning("%s", err.msg);
	}
}

static int record(struct pull *p, char **ret_id, struct err *err)
{
	auto_free char *by_top = xasprintf("%s@%s", p->repository, p->top_digest);
	auto_free char *by_own = xasprintf("%s@%s", p->repository, p->digest);
	const char *digests[] = { by_own, by_top };
	struct image_new new = {
		.manifest_digest = p->digest,
		.manifest_type = p->type,
		.name = p->name,
		.digests = digests,
		.n_digests = str_eq(by_top, by_own) ? 1 : 2,
	};
	int r = image_add(p->store, &new, ret_id, err);

	if (r < 0 && (!err || err->kind == ERR_CORRUPT))
		drop_damaged(p);
	return r;
}

static int pull_held(struct pull *p, char **ret_id, struct err *err)
{
	auto_free char *lock_name = NULL;
	auto_close int lock = -EBADF;
	int r = fetch_manifest(p, err);

	if (r < 0)
		return r;
	lock_name = xasprintf("pull-%.32s", digest_hex(p->digest));
	lock = store_lock(p->store, lock_name, LOCK_MODE_EXCLUSIVE, -1, err);
	if (lock < 0)
		return lock;
	r = fetch_content(p, err);
	return r < 0 ? r : record(p, ret_id, err);
}

/* One full name. */
static int pull_name(struct store *store, const char *full, const struct pull_options *options,
		     char **ret_id, char **ret_name, struct err *err)
{
	auto_cleanup(pull_cleanup_val) struct pull p = {
		.store = store, .options = options, .skopeo = options->skopeo, .text = STRBUF_INIT
	};
	int r = reference_parse(&p.ref, full, err);

	if (r < 0)
		return r;
	reference_tag_latest(&p.ref);
	p.repository = reference_repository(&p.ref);
	p.skopeo.creds_registry = p.ref.domain;
	p.skopeo.show_progress = !options->quiet;
	if (!p.ref.digest)
		p.name = reference_format(&p.ref);
	say(options, "Trying to pull %s...", full);
	r = store_content_hold(store, err);
	if (r < 0)
		return r;
	r = pull_held(&p, ret_id, err);
	store_content_release(store);
	if (r == 0 && ret_name)
		*ret_name = take_ptr(p.name);
	return r;
}

/* --- what is here --- */

/* 1: *ret_id is what the name stands for here; 0: there is none. */
static int find_here(struct store *store, const char *what, const struct pull_options *options,
		     char **ret_id, char **ret_name, struct err *err)
{
	auto_image struct image image = { 0 };
	auto_image_config struct image_config config = { 0 };
	const struct skopeo_options *o = &options->skopeo;
	int r = image_find(store, what, &image, ret_name, err);

	if (r < 0) {
		if (err && err->kind != ERR_NOT_FOUND)
			return r;
		err_clear(err);
		return 0;
	}
	/* Of another platform than asked for is not what was asked for. */
	if (o->arch || o->os) {
		r = image_config_load(store, image.id, &config, err);
		if (r < 0)
			return r;
		if ((o->arch && !str_eq(o->arch, config.architecture)) ||
		    (o->os && !str_eq(o->os, config.os)))
			return 0;
	}
	*ret_id = xstrdup(image.id);
	return 1;
}

/* --- several names --- */

static int pull_candidates(struct store *store, const char *what, const struct strvec *names,
			   const struct pull_options *options, char **ret_id, char **ret_name,
			   struct err *err)
{
	auto_strbuf struct strbuf errors = STRBUF_INIT;
	struct err one = ERR_INIT;
	int r = -ENOENT;

	for (size_t i = 0; i < names->n; i++) {
		err_clear(&one);
		r = pull_name(store, names->v[i], options, ret_id, ret_name, &one);
		if (r == 0)
			return 0;
		strbuf_addf(&errors, "%s%s: %s", i ? "; " : "", names->v[i], one.msg);
	}
	(void)r;
	/* skopeo's own sentence names what it is about. */
	return names->n == 1 ?
		       err_set(err, one.kind ? one.kind : ERR_REMOTE, "pull image '%s': %s", what,
			       one.msg) :
		       err_set(err, ERR_REMOTE, "pull image '%s': %zu registries tried: %.800s",
			       what, names->n, errors.buf);
}

int image_pull(struct store *store, const char *what, const struct pull_options *options,
	       char **ret_id, char **ret_name, struct err *err)
{
	auto_registries struct registries registries = { 0 };
	auto_strvec struct strvec names = STRVEC_INIT;
	auto_free char *here = NULL;
	auto_free char *here_name = NULL;
	const char *rest;
	int r;

	if (ret_name)
		*ret_name = NULL;
	if (transport_of(what, &rest))
		return layout_pull(store, what, options, ret_id, ret_name, err);
	if (options->policy != PULL_ALWAYS) {
		r = find_here(store, rest, options, &here, &here_name, err);
		if (r < 0)
			return r;
		if (!here && options->policy == PULL_NEVER)
			return err_set(err, ERR_NOT_FOUND,
				       "%s: image not known; the pull policy is 'never'", rest);
		if (here && options->policy != PULL_NEWER) {
			*ret_id = take_ptr(here);
			if (ret_name)
				*ret_name = take_ptr(here_name);
			return 0;
		}
	}
	r = registries_load(&registries, NULL, err);
	if (r == 0)
		r = registries_candidates(&registries, rest, false, &names, err);
	if (r == 0)
		r = pull_candidates(store, rest, &names, options, ret_id, ret_name, err);
	/* "newer": what is here will do when the registry cannot be asked. */
	if (r < 0 && here && options->policy == PULL_NEWER) {
		log_debug("%s", err ? err->msg : "pull failed");
		err_clear(err);
		*ret_id = take_ptr(here);
		if (ret_name)
			*ret_name = take_ptr(here_name);
		r = 0;
	}
	return r;
}

/* --- all tags --- */

struct tag_list {
	char **tags;
	size_t n_tags;
	struct json_extra extra;
};
JSON_DESC_STATIC(tag_list_desc, struct tag_list, F_STRINGS(struct tag_list, tags, "Tags", 0),
		 F_EXTRA(struct tag_list, extra));

int image_list_tags(const char *repository, const struct skopeo_options *options, char **ret_base,
		    struct strvec *ret_tags, struct err *err)
{
	auto_registries struct registries registries = { 0 };
	auto_strvec struct strvec names = STRVEC_INIT;
	auto_strvec struct strvec args = STRVEC_INIT;
	auto_strbuf struct strbuf text = STRBUF_INIT;
	auto_reference struct reference ref = { 0 };
	struct skopeo_options skopeo = *options;
	struct skopeo_call call = {
		.subcommand = "list-tags", .args = &args, .out = &text, .out_limit = TAGS_MAX
	};
	struct tag_list list = { 0 };
	const char *rest;
	int r;

	if (transport_of(repository, &rest))
		return err_set(err, ERR_USAGE, "list the tags of '%s': only registries have tags",
			       repository);
	r = reference_parse(&ref, rest, err);
	if (r < 0)
		return r;
	if (ref.tag || ref.digest)
		return err_set(err, ERR_USAGE,
			       "list the tags of '%s': give it without tag and digest", repository);
	r = registries_load(&registries, NULL, err);
	if (r == 0)
		r = registries_candidates(&registries, rest, false, &names, err);
	if (r < 0)
		return r;
	reference_done(&ref);
	r = reference_parse(&ref, names.v[0], err);
	if (r < 0)
		return r;
	*ret_base = reference_repository(&ref);
	skopeo.creds_registry = ref.domain;
	strvec_addf(&args, "docker://%s", *ret_base);
	r = skopeo_run(&skopeo, &call, err);
	if (r < 0)
		return err_wrap(err, r, "list the tags of '%s'", *ret_base);
	r = json_decode(&tag_list_desc, &list, text.buf, text.len, "list of tags", err);
	for (size_t i = 0; r == 0 && i < list.n_tags; i++)
		strvec_add(ret_tags, list.tags[i]);
	json_done(&tag_list_desc, &list);
	return r;
}

int image_pull_all_tags(struct store *store, const char *repository,
			const struct pull_options *options, struct strvec *ret_ids, struct err *err)
{
	auto_strvec struct strvec tags = STRVEC_INIT;
	auto_free char *base = NULL;
	int r = image_list_tags(repository, &options->skopeo, &base, &tags, err);

	if (r < 0)
		return err_wrap(err, r, "pull all tags");
	for (size_t i = 0; r == 0 && i < tags.n; i++) {
		auto_free char *full = xasprintf("%s:%s", base, tags.v[i]);
		char *id;

		r = pull_name(store, full, options, &id, NULL, err);
		if (r == 0)
			strvec_add_take(ret_ids, id);
	}
	return r;
}
