/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/floe-runtime/commands.h"

struct options {
	bool force;
	bool regex;
};

static int run(const struct cli_invocation *inv, struct err *err)
{
	const struct options *opts = inv->options;
	auto_strvec struct strvec ids = STRVEC_INIT;
	struct runtime *rt;
	int r = command_open_root(inv, false, &rt, err);

	if (r < 0)
		return r;
	if (!opts->regex)
		return container_delete(rt, inv->args[0], opts->force, err);
	r = command_match_ids(rt, inv->args[0], &ids, err);
	for (size_t i = 0; r == 0 && i < ids.n; i++)
		r = container_delete(rt, ids.v[i], opts->force, err);
	return r;
}

static const struct cli_option rows[] = {
	OPT_FLAG(struct options, force, "force", 'f',
		 "kill a container that runs; no error when there is none"),
	OPT_FLAG(struct options, regex, "regex", 'r',
		 "delete all containers whose id matches the extended regular expression"),
};

const struct cli_command delete_command = {
	.name = "delete",
	.arguments = "CONTAINER-ID",
	.summary = "remove a container that has ended, and what it holds",
	.description = "A container that was created but not started is killed.",
	CLI_OPTIONS(struct options, rows),
	.min_args = 1,
	.max_args = 1,
	.argument_source = CONTAINER_IDS,
	.run = run,
};
