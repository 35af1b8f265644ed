/* SPDX-License-Identifier: Apache-2.0 */
/* New images: from an archive (import), and from what a container wrote (commit). */
#pragma once

#include "image/image.h"

/*
 * One of Dockerfile's instructions, as --change gives it: CMD, ENTRYPOINT, ENV, EXPOSE, LABEL, ONBUILD,
 * STOPSIGNAL, USER, VOLUME, WORKDIR. `KEY=VALUE` and `KEY VALUE` both. ERR_USAGE.
 */
int image_change_apply(struct image_process *config, const char *change, struct err *err);

enum image_format { IMAGE_OCI, IMAGE_DOCKER };

/* An archive of a root file system as an image of one layer. fd is read to its end. */
struct image_import_options {
	const char *const *changes;
	size_t n_changes;
	const char *message;
	const char *name; /* full; NULL: none */
	const char *os; /* NULL: linux */
	const char *arch; /* NULL: this machine's */
	const char *variant;
	const char *source; /* what it is, for history and errors */
	const struct json_string_map *annotations; /* of the manifest; NULL: none */
};
int image_import(struct store *store, int fd, const struct image_import_options *options,
		 char **ret_id, struct err *err);

/* What the root file system `rootfs_id` has that its layers have not, as a layer on top of base. */
struct image_commit_options {
	const struct image *base; /* NULL: --rootfs */
	const char *rootfs_id;
	const struct image_process
		*config; /* the container's, which the new image gets; NULL: base's */
	const char *const *changes;
	size_t n_changes;
	const char *author;
	const char *message;
	const char *created_by;
	const char *name;
	enum image_format format;
	bool squash;
};
int image_commit(struct store *store, const struct image_commit_options *options, char **ret_id,
		 struct err *err);
