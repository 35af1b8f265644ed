/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/floe-runtime/commands.h"

static int run(const struct cli_invocation *inv, struct err *err)
{
	struct runtime *rt;
	int r = command_open_root(inv, false, &rt, err);

	return r < 0 ? r : container_resume(rt, inv->args[0], err);
}

const struct cli_command resume_command = {
	.name = "resume",
	.arguments = "CONTAINER-ID",
	.summary = "let a paused container go on",
	.description = "The container must be in the state 'paused'.",
	.min_args = 1,
	.max_args = 1,
	.argument_source = CONTAINER_IDS,
	.run = run,
};
