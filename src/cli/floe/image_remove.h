/* SPDX-License-Identifier: Apache-2.0 */
/* Removing images that nobody needs, for `image prune` and `system prune`. */
#pragma once

#include "cli/floe/image_common.h"

/* Dangling ones, or all that no container uses; their ids are appended as lines. */
int image_prune(const struct cli_invocation *inv, struct store *store, bool all,
		const struct strvec *filters, struct strbuf *out, struct err *err);
