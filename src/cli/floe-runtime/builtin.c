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

static int fail_mounts(const struct cli_invocation *inv UNUSED, struct err *err)
{
	return err_set(err, ERR_UNSUPPORTED,
		       "mounts: changing the mounts of a container that exists is not supported; "
		       "delete it and create it with the mounts in its config.json");
}

/* crun's; hidden, since it can only say no. */
const struct cli_command mounts_command = {
	.name = "mounts",
	.arguments = "add|remove CONTAINER-ID FILE",
	.summary = "not supported: change the mounts of a container",
	.min_args = 0,
	.max_args = CLI_ARGS_ANY,
	.flags = CLI_HIDDEN_COMMAND,
	.run = fail_mounts,
};
