/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/floe-runtime/commands.h"

#include "core/str.h"

static int run(const struct cli_invocation *inv, struct err *err)
{
	const char *action = inv->args[0];
	struct runtime *rt;
	int r;

	if (!str_eq(action, "add") && !str_eq(action, "remove"))
		return err_set(err, ERR_USAGE, "mounts '%s': expected 'add' or 'remove'", action);
	r = command_open_root(inv, false, &rt, err);
	if (r < 0)
		return r;
	return str_eq(action, "add") ? container_add_mounts(rt, inv->args[1], inv->args[2], err) :
				       container_remove_mounts(rt, inv->args[1], inv->args[2], err);
}

/* crun's. */
const struct cli_command mounts_command = {
	.name = "mounts",
	.arguments = "add|remove CONTAINER-ID FILE",
	.summary = "add mounts to a container that exists, or remove them",
	.description =
		"FILE is a JSON document with the member mounts, as in config.json. Of those to "
		"be removed the destinations count.",
	.min_args = 3,
	.max_args = 3,
	.run = run,
};
