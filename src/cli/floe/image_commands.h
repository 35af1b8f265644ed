/* SPDX-License-Identifier: Apache-2.0 */
/* The commands for images, and for the root file systems of containers. */
#pragma once

#include "cli/cli.h"

extern const struct cli_command floe_commit_command;
extern const struct cli_command floe_cp_command;
extern const struct cli_command floe_diff_command;
extern const struct cli_command floe_export_command;
extern const struct cli_command floe_inspect_command;
extern const struct cli_command floe_mount_command;
extern const struct cli_command floe_unmount_command;
extern const struct cli_command floe_history_command;
extern const struct cli_command floe_image_command;
extern const struct cli_command floe_image_diff_command;
extern const struct cli_command floe_image_exists_command;
extern const struct cli_command floe_image_inspect_command;
extern const struct cli_command floe_image_ls_command;
extern const struct cli_command floe_image_mount_command;
extern const struct cli_command floe_image_prune_command;
extern const struct cli_command floe_image_rm_command;
extern const struct cli_command floe_image_tree_command;
extern const struct cli_command floe_image_unmount_command;
extern const struct cli_command floe_images_command;
extern const struct cli_command floe_import_command;
extern const struct cli_command floe_load_command;
extern const struct cli_command floe_login_command;
extern const struct cli_command floe_logout_command;
extern const struct cli_command floe_pull_command;
extern const struct cli_command floe_push_command;
extern const struct cli_command floe_rmi_command;
extern const struct cli_command floe_search_command;
extern const struct cli_command floe_save_command;
extern const struct cli_command floe_tag_command;
extern const struct cli_command floe_untag_command;
