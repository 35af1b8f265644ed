/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/floe-runtime/commands.h"

#include <stdio.h>

#include "core/clock.h"

struct options {
	uint64_t interval_ns;
	bool stats;
};

static const struct options defaults = { .interval_ns = 5 * NSEC_PER_SEC };

static int run(const struct cli_invocation *inv, struct err *err)
{
	const struct options *cli = inv->options;
	uint64_t interval_ms = cli->interval_ns / NSEC_PER_MSEC;
	struct runtime *rt;
	int r;

	if (interval_ms == 0)
		return err_set(err, ERR_USAGE,
			       "invalid value for '--interval': expected at least 1ms");
	r = command_open_root(inv, false, &rt, err);
	return r < 0 ? r : container_events(rt, inv->args[0], interval_ms, cli->stats, stdout, err);
}

static const struct cli_option rows[] = {
	OPT_DURATION(struct options, interval_ns, "interval", 0, "TIME",
		     "time between two reports, such as 500ms (default: 5s)"),
	OPT_FLAG(struct options, stats, "stats", 0, "report the statistics once and end"),
};

const struct cli_command events_command = {
	.name = "events",
	.arguments = "CONTAINER-ID",
	.summary = "report use of resources, and processes killed for want of memory",
	.description = "Each event is one line of JSON. Ends when the container ends.",
	CLI_OPTIONS(struct options, rows),
	.defaults = &defaults,
	.min_args = 1,
	.max_args = 1,
	.argument_source = CONTAINER_IDS,
	.run = run,
};
