/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/floe-runtime/commands.h"

static int run(const struct cli_invocation *inv, struct err *err)
{
	struct runtime *rt;
	int r = command_open_root(inv, false, &rt, err);

	return r < 0 ? r : container_pause(rt, inv->args[0], err);
}

const struct cli_command pause_command = {
	.name = "pause",
	.arguments = "CONTAINER-ID",
	.summary = "freeze all processes of a container",
	.description = "Its memory stays where it is; 'floe-runtime resume' lets it go on.",
	.min_args = 1,
	.max_args = 1,
	.argument_source = CONTAINER_IDS,
	.run = run,
};
