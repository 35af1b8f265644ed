/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Images in files and directories: archives of `docker save` and `podman save` (docker-archive), OCI
 * layouts in a tar or a directory (oci-archive, oci), and skopeo's dir transport. Read by us, since
 * the configuration of an image, and with it its id, must stay as it is.
 */
#pragma once

#include "image/image.h"
#include "image/pull.h"

struct layout_loaded {
	struct strvec ids; /* one for each image */
	struct strvec names; /* of all of them; "sha256:ID" of those without a name */
};
void layout_loaded_done(struct layout_loaded *loaded);

/* Everything in the archive that fd reads (may be compressed), or the directory fd, if the policy lets it. name: for errors. path:
 * where it lies, for the policy; NULL: nowhere. */
int layout_load(struct store *store, int fd, const char *name, const char *path,
		struct layout_loaded *ret, struct err *err);
/* `TRANSPORT:details` other than docker://. */
int layout_pull(struct store *store, const char *what, const struct pull_options *options,
		char **ret_id, char **ret_name, struct err *err);

/* The image as a `dir:` layout in the directory at path, which exists: manifest, and symlinks to the
 * blobs. For skopeo to copy from. */
int layout_stage(struct store *store, const struct image *image, const char *path, struct err *err);

struct layout_save_image {
	const struct image *image;
	struct strvec names; /* "repo:tag" */
};
/* A docker-archive of the images to fd: layers uncompressed, shared ones once. */
int layout_save_docker(struct store *store, const struct layout_save_image *images, size_t n,
		       int fd, struct err *err);

/* An OCI layout of one image: a tar to fd, or with dir_fd (not negative) the files in that empty
 * directory. Docker's manifests become OCI's, the configuration stays as it is, and so the id. */
int layout_save_oci(struct store *store, const struct layout_save_image *image, int fd, int dir_fd,
		    struct err *err);

DEFINE_AUTO_VAL(layout_loaded, struct layout_loaded, layout_loaded_done)
#define auto_layout_loaded auto_cleanup(layout_loaded_cleanup_val)
