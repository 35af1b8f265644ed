/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Images: records over content. The id of an image is the digest of its configuration (64 hex
 * digits); names and repository digests point to it. Adding an image is one transaction, made when
 * all its content is there and verified; removing one is a transaction too, and garbage collection
 * does the rest.
 */
#pragma once

#include <stdint.h>

#include "spec/image_spec.h"
#include "storage/store.h"

struct image {
	char *id; /* 64 hex digits */
	char *manifest_digest; /* "sha256:..." */
	char *manifest_type; /* media type */
	char *top; /* chain id of its highest layer; NULL: an image without layers */
	uint64_t created_ns; /* as its configuration says; 0: unknown */
	uint64_t added_ns; /* when it came here */
	uint64_t size; /* bytes of its unpacked layers */
	struct strvec
		names; /* "docker.io/library/alpine:latest", newest first, as podman has them */
	struct strvec digests; /* "docker.io/library/alpine@sha256:..." */
	bool read_only; /* always false; podman's additional stores have such */
};

struct images {
	struct image *v; /* newest first */
	size_t n;
};

void image_done(struct image *image);
void images_done(struct images *images);
DEFINE_AUTO_VAL(image, struct image, image_done)
DEFINE_AUTO_VAL(images, struct images, images_done)
#define auto_image auto_cleanup(image_cleanup_val)
#define auto_images auto_cleanup(images_cleanup_val)

/* Tables of this module; call once after store_open(). */
int images_open(struct store *store, struct err *err);

int images_list(struct store *store, struct images *ret, struct err *err);
/* The image with this very id. ERR_NOT_FOUND. */
int image_load(struct store *store, const char *id, struct image *ret, struct err *err);
/*
 * What the user means: an id or a unique prefix of one ("sha256:" before it allowed), a name, full or
 * short, with tag or digest. ret_name (may be NULL): the full name that matched, or NULL when it was
 * an id; the caller owns it. ERR_NOT_FOUND `NAME: image not known`; ERR_INVALID when ambiguous.
 */
int image_find(struct store *store, const char *what, struct image *ret, char **ret_name,
	       struct err *err);
/* Its configuration and its manifest, digests checked. */
int image_config_load(struct store *store, const char *id, struct image_config *ret,
		      struct err *err);
int image_manifest_load(struct store *store, const struct image *image, struct image_manifest *ret,
			struct err *err);

/* What a new record says. */
struct image_new {
	const char *manifest_digest; /* its blob is there, and those it names */
	const char *manifest_type;
	const char *name; /* full name to give it; NULL: none. Taken from the image that has it. */
	const char *const *digests; /* "repo@sha256:..." */
	size_t n_digests;
	/* Told what is being unpacked; NULL: nobody. */
	void (*progress)(void *context, const char *digest, const char *what);
	void *progress_context;
};
/*
 * Verify what the manifest names, unpack the layers, write the record. Already there: names and
 * digests are added. ret_id: its id, owned by the caller. The caller holds the content lock.
 */
int image_add(struct store *store, const struct image_new *new, char **ret_id, struct err *err);

/* full: a normalized name. The name moves when another image has it. */
int image_tag(struct store *store, const char *id, const char *full, struct err *err);
/* Every name that it has had, oldest first. */
int image_names_history(struct store *store, const char *id, struct strvec *ret, struct err *err);
/* Take a name away; the image stays. ERR_NOT_FOUND when it has no such name. */
int image_untag(struct store *store, const char *id, const char *full, struct err *err);
/* The record with all names. Who uses it is for the caller to check. No garbage collection. */
int image_delete(struct store *store, const char *id, struct err *err);

/* The nearest image (by layers and history) that this one was made from; NULL: none. Caller owns. */
int image_parent(struct store *store, const struct image *image, char **ret_id, struct err *err);
/* Whether another image has this one's layers below its own. */
int image_has_children(struct store *store, const struct image *image, struct err *err);

/* RFC 3339 to nanoseconds; 0 when it is no time. */
uint64_t image_time_parse(const char *text);
