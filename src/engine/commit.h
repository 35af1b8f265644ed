/* SPDX-License-Identifier: Apache-2.0 */
/* What an image that is made of a container starts with. Pure. */
#pragma once

#include "engine/config.h"
#include "spec/image_spec.h"

/*
 * What the container is started with, over what its image starts with, which p is before: environment, command, entrypoint,
 * user, directory, stop signal, labels, exposed and published ports; with with_volumes, what is mounted becomes the image's volumes.
 */
void commit_process(struct image_process *p, const struct container_config *config,
		    bool with_volumes);

/* What `over` says in place of what p says: variables, labels, ports and volumes one by one, all else whole. Takes what it needs
 * out of `over`. */
void commit_overlay(struct image_process *p, struct image_process *over);
