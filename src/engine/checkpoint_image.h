/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checkpoints as images, as podman has them: one layer that holds the members of an archive, and annotations of the
 * manifest that say what it is. Such an image goes through registries like any other.
 */
#pragma once

#include "engine/container.h"

/* An image of the uncompressed archive at path. ret_id: owned by the caller. */
int checkpoint_image_create(const struct container *c, const char *path, const char *name,
			    char **ret_id, struct err *err);
/*
 * "dir:PATH" of the archive in this image, for struct restore_import; owned by the caller. ERR_NOT_FOUND when there is
 * no such image, ERR_INVALID "image is not a checkpoint: ID" when it is another one.
 */
int checkpoint_image_find(struct engine *e, const char *image, char **ret, struct err *err);
