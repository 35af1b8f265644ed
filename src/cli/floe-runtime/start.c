/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/floe-runtime/commands.h"

static int run(const struct cli_invocation *inv, struct err *err)
{
	struct runtime *rt;
	int r = command_open_root(inv, false, &rt, err);

	return r < 0 ? r : container_start(rt, inv->args[0], err);
}

const struct cli_command start_command = {
	.name = "start",
	.arguments = "CONTAINER-ID",
	.summary = "start the process of a container that was created",
	.description = "The container must be in the state 'created'.",
	.min_args = 1,
	.max_args = 1,
	.argument_source = CONTAINER_IDS,
	.run = run,
};
