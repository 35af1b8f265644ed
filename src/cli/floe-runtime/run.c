/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/floe-runtime/commands.h"

struct options {
	struct create_options create;
};

static int run(const struct cli_invocation *inv, struct err *err)
{
	struct create_options opts = ((const struct options *)inv->options)->create;
	struct runtime *rt;
	int exit_code = 0;
	int r = command_protect_program(inv, err);

	if (r == 0)
		r = command_open_root(inv, true, &rt, err);
	if (r < 0)
		return r;
	opts.id = inv->args[0];
	r = container_run(rt, &opts, &exit_code, err);
	return r < 0 ? r : exit_code;
}

static const struct cli_option rows[] = {
	CREATE_COMMON_ROWS(struct options, create),
	CREATE_ONLY_ROWS(struct options, create),
	CREATE_WAIT_ROWS(struct options, create),
	OPT_FLAG(struct options, create.keep, "keep", 0,
		 "keep the container after its process has ended"),
};

const struct cli_command run_command = {
	.name = "run",
	.arguments = "CONTAINER-ID",
	.summary = "create a container and start it",
	.description =
		"Unless --detach is given, floe-runtime stays until the process ends, forwards "
		"signals to it, exits with its exit code (128 and the signal's number when it was "
		"killed) and deletes the container.",
	CLI_OPTIONS(struct options, rows),
	.min_args = 1,
	.max_args = 1,
	.run = run,
};
