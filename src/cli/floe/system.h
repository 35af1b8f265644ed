/* SPDX-License-Identifier: Apache-2.0 */
/* The commands of `floe system`, one file each. */
#pragma once

#include "cli/floe/commands.h"

extern const struct cli_command floe_system_check_command;
extern const struct cli_command floe_system_df_command;
extern const struct cli_command floe_system_command;
