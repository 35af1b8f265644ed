/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/floe-runtime/commands.h"

/* Wrapped, so that the rows fit the larger structs of run and restore as well. */
struct options {
	struct create_options create;
};

static int run(const struct cli_invocation *inv, struct err *err)
{
	struct create_options opts = ((const struct options *)inv->options)->create;
	struct runtime *rt;
	int r = command_protect_program(inv, err);

	if (r == 0)
		r = command_open_root(inv, true, &rt, err);
	if (r < 0)
		return r;
	opts.id = inv->args[0];
	return container_create(rt, &opts, err);
}

static const struct cli_option rows[] = {
	CREATE_COMMON_ROWS(struct options, create),
	CREATE_ONLY_ROWS(struct options, create),
	/* Callers of crun pass it. */
	OPT_FLAG_F(struct options, create.no_subreaper, "no-subreaper", 0,
		   "of no effect: create is never a subreaper", CLI_HIDDEN),
};

const struct cli_command create_command = {
	.name = "create",
	.arguments = "CONTAINER-ID",
	.summary = "create a container",
	.description =
		"Everything is set up as the bundle's config.json says; the process itself waits "
		"for 'floe-runtime start'. The id may have letters, digits and _ + . - and must "
		"be unused.",
	CLI_OPTIONS(struct options, rows),
	.min_args = 1,
	.max_args = 1,
	.run = run,
};
