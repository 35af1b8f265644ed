/* SPDX-License-Identifier: Apache-2.0 */
/* --filter of images and image prune. */
#pragma once

#include "cli/floe/image_common.h"

struct image_filter_context {
	const struct cli_invocation *inv;
	struct store *store;
};

/* 1 or 0. Filters of one key are alternatives (labels: all must hold), different keys must all hold.
 * ERR_USAGE for one that there is none of, ERR_INVALID for a wrong value. config is the image's. */
int image_filter_matches(const struct image_filter_context *c, const struct strvec *filters,
			 const struct image *image, const struct image_config *config,
			 struct err *err);
/* Whether there are such filters, whatever they would say. ERR_USAGE. */
int image_filter_check(const struct strvec *filters, struct err *err);
