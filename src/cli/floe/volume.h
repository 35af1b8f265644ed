/* SPDX-License-Identifier: Apache-2.0 */
/* What others need of the commands for volumes. */
#pragma once

#include "cli/floe/commands.h"

/* volume_content.c */
extern const struct cli_command volume_export_command;
extern const struct cli_command volume_import_command;
extern const struct cli_command volume_mount_command;
extern const struct cli_command volume_unmount_command;

/* Remove those that no container uses and that the filters hold for; their names are appended as lines.
 * One that cannot be removed is reported. */
int volume_prune(struct engine *e, const struct strvec *filters, struct strbuf *out,
		 struct err *err);
