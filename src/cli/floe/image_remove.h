/* SPDX-License-Identifier: Apache-2.0 */
/* Removing images, for rmi, prune and system prune. */
#pragma once

#include "cli/floe/image_common.h"

/* The image with all its names; what was done is appended as lines. Garbage stays until
 * store_collect(). ERR_STATE when it is used, and force was not given. */
int image_remove(const struct cli_invocation *inv, struct store *store, const struct image *image,
		 bool force, struct strbuf *out, struct err *err);
/* Dangling ones, or all that no container uses; their ids are appended as lines. */
int image_prune(const struct cli_invocation *inv, struct store *store, bool all,
		const struct strvec *filters, struct strbuf *out, struct err *err);
