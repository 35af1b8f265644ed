/* SPDX-License-Identifier: Apache-2.0 */
/* `floe image`: the commands for images, by their long names. */
#include "cli/floe/commands.h"
#include "cli/floe/image_commands.h"

/* clang-format off */
static const struct cli_command *const image_commands[] = {
	&floe_image_diff_command, &floe_image_exists_command, &floe_history_command,
	&floe_import_command, &floe_image_inspect_command, &floe_load_command,
	&floe_image_ls_command, &floe_image_mount_command, &floe_image_prune_command,
	&floe_pull_command, &floe_push_command, &floe_image_rm_command, &floe_search_command,
	&floe_save_command, &floe_tag_command, &floe_image_tree_command,
	&floe_image_unmount_command, &floe_untag_command,
};
/* clang-format on */

const struct cli_command floe_image_command = {
	.name = "image",
	.summary = "the commands for images, by their long names",
	.subcommands = image_commands,
	.n_subcommands = ARRAY_SIZE(image_commands),
};
