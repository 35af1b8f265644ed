/* SPDX-License-Identifier: Apache-2.0 */
/* From the mounts that a user asks for to those of the runtime: volumes filled, images mounted, options completed. */
#pragma once

#include "core/rooted.h"
#include "engine/container.h"
#include "engine/specgen.h"

/* facts->mounts, with their sources found or made. */
int mounts_prepare(struct container *c, const struct rooted *root, struct spec_facts *facts,
		   struct err *err);
/* The volumes alone, filled by what the image has in their places and given to the user, before they are first mounted. */
int mounts_fill_volumes(struct container *c, const struct rooted *root,
			const struct spec_user *user, struct err *err);
/*
 * Take back what was made for the container alone: images mounted for it, and what it wrote into overlays unless it goes on from
 * a checkpoint.
 */
int mounts_clean_up(struct container *c, struct err *err);
/* That as well. */
int mounts_remove_overlays(const struct container *c, struct err *err);
