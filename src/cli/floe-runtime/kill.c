/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/floe-runtime/commands.h"

#include <signal.h>

#include "kernel/signals.h"

struct options {
	bool all;
	bool regex;
};

static int run(const struct cli_invocation *inv, struct err *err)
{
	const struct options *cli = inv->options;
	struct kill_options opts = { .id = inv->args[0], .signal = SIGTERM, .all = cli->all };
	auto_strvec struct strvec ids = STRVEC_INIT;
	struct runtime *rt;
	int r;

	/* An empty one is none, as in runc: `kill ID "$signal"` of a script. */
	if (inv->n_args > 1 && *inv->args[1])
		opts.signal = signals_from_string(inv->args[1]);
	if (opts.signal < 0)
		return err_set(err, ERR_USAGE,
			       "unknown signal '%s': expected a name such as TERM or a number",
			       inv->args[1]);
	r = command_open_root(inv, false, &rt, err);
	if (r < 0)
		return r;
	if (!cli->regex)
		return container_kill(rt, &opts, err);
	r = command_match_ids(rt, inv->args[0], &ids, err);
	for (size_t i = 0; r == 0 && i < ids.n; i++) {
		opts.id = ids.v[i];
		r = container_kill(rt, &opts, err);
	}
	return r;
}

static const struct cli_option rows[] = {
	OPT_FLAG(struct options, all, "all", 'a',
		 "signal all processes of the container; no error when there is none"),
	OPT_FLAG(struct options, regex, "regex", 'r',
		 "signal all containers whose id matches the extended regular expression"),
};

const struct cli_command kill_command = {
	.name = "kill",
	.arguments = "CONTAINER-ID [SIGNAL]",
	.summary = "send a signal to the process of a container",
	.description = "The signal is a name, with or without SIG, or a number; TERM by default. "
		       "Options stand before the id.",
	CLI_OPTIONS(struct options, rows),
	.min_args = 1,
	.max_args = 2,
	.flags = CLI_STOP_AT_ARGUMENT,
	.argument_source = CONTAINER_IDS,
	.run = run,
};
