/* SPDX-License-Identifier: Apache-2.0 */
/* What others need of the commands for volumes. */
#pragma once

#include "cli/floe/commands.h"

/* Remove those that no container uses and that the filters hold for; their names are appended as lines.
 * One that cannot be removed is reported. */
int volume_prune(struct engine *e, const struct strvec *filters, struct strbuf *out,
		 struct err *err);
