/* SPDX-License-Identifier: Apache-2.0 */
/* What the engine wants of images: to find one, and to begin a container's configuration with its. */
#pragma once

#include "engine/create.h"
#include "image/image.h"

/* What the store is opened with; ret_preferred is the caller's, and lives as long as ret. */
int engine_store_options(struct engine *e, struct store_options *ret, char **ret_preferred,
			 struct err *err);
/* The store of layers and images, open; the same one every time. */
int engine_store(struct engine *e, struct store **ret, struct err *err);
void engine_store_close(struct engine *e);

/*
 * Find config->image_name and fill what the configuration leaves open: environment, command, user and so on, and
 * a volume for each that the image declares. ret_top: chain id of its layers, owned by the caller; NULL for none.
 * ERR_NOT_FOUND.
 */
int image_use(struct engine *e, struct container_config *config, const struct create_params *params,
	      char **ret_top, struct err *err);
/* Ids of the containers made from this image. */
int image_users(struct engine *e, const char *image_id, struct strvec *ret, struct err *err);
