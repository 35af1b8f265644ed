/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Images from elsewhere. The manifest is fetched first and kept as the registry has it, so that its
 * digest stays; then skopeo copies what is missing of the layers into the blob store. skopeo writes
 * OCI layouts only and converts Docker's manifests and configurations for them; of such an image its
 * layers are taken, and the configuration is fetched as it is. What is copied is named by digest, so
 * that the signature policy is applied to exactly what is recorded.
 */
#pragma once

#include "image/image.h"
#include "image/skopeo.h"

enum pull_policy { PULL_ALWAYS, PULL_MISSING, PULL_NEVER, PULL_NEWER };
/* "always", ...; ERR_USAGE. */
int pull_policy_from_string(const char *text, enum pull_policy *ret, struct err *err);

struct pull_options {
	struct skopeo_options skopeo;
	enum pull_policy policy;
	bool quiet; /* no lines about what is done on stderr */
};

/*
 * `what`: a name, short or full, or TRANSPORT:... (docker, oci, oci-archive, docker-archive, dir,
 * containers-storage, docker-daemon). *ret_id is the caller's; ret_name (may be NULL) the full name
 * that it has now, or NULL. With PULL_MISSING and the like, what is here is not fetched again.
 * ERR_NOT_FOUND (PULL_NEVER), ERR_REMOTE with the registry's words.
 */
int image_pull(struct store *store, const char *what, const struct pull_options *options,
	       char **ret_id, char **ret_name, struct err *err);
/* All tags of a repository. The ids are added to *ret_ids. */
int image_pull_all_tags(struct store *store, const char *repository,
			const struct pull_options *options, struct strvec *ret_ids,
			struct err *err);

/* The tags of a repository, by name or short name; *ret_base is its full name, owned by the caller also on
 * failure. */
int image_list_tags(const char *repository, const struct skopeo_options *options, char **ret_base,
		    struct strvec *ret_tags, struct err *err);

/* The platform that images are chosen for: Go's names of the machine ("amd64", "arm64", "arm" "v7"). */
const char *platform_architecture(const char **ret_variant);
/* The entry of a manifest list that fits; NULL: none. */
const struct image_descriptor *index_choose(const struct image_index *index, const char *os,
					    const char *arch, const char *variant);
/* The media type of a manifest document. ERR_UNSUPPORTED for what cannot be used (schema 1). */
int manifest_type_of(const char *text, size_t len, const char **ret_type, struct err *err);
