/* SPDX-License-Identifier: Apache-2.0 */
/* Commands that speak of the command line itself. */
#include "cli/floe-runtime/commands.h"

const struct cli_command help_command = {
	.name = "help",
	.alias = "h",
	.arguments = "[COMMAND]",
	.summary = "show the commands, or the options of one",
	.min_args = 0,
	.max_args = CLI_ARGS_ANY,
	.run = cli_run_help,
};

const struct cli_command completion_command = {
	.name = "completion",
	.arguments = "bash|zsh|fish",
	.summary = "print a completion script for a shell",
	.min_args = 1,
	.max_args = 1,
	.flags = CLI_HIDDEN_COMMAND,
	.run = cli_run_completion,
};
