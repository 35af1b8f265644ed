/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/floe/targets.h"
#include "core/alloc.h"
#include "core/clock.h"
#include "core/io.h"
#include "core/parse.h"
#include "core/str.h"
#include "engine/stop.h"

struct wait_options {
	struct targets targets;
	struct strvec conditions;
	const char *interval;
	bool first;
};

static bool condition_holds(const struct container *c, const char *word)
{
	if (str_eq(word, "stopped"))
		return c->status.phase == PHASE_STOPPED || c->status.phase == PHASE_EXITED;
	return c->status.phase == container_phase_from_string(word);
}

static bool any_condition_holds(const struct container *c, const struct strvec *conditions)
{
	if (conditions->n == 0)
		return condition_holds(c, "stopped") || c->status.phase == PHASE_CREATED;
	for (size_t i = 0; i < conditions->n; i++)
		if (condition_holds(c, conditions->v[i]))
			return true;
	return false;
}

struct wait_context {
	const struct wait_options *o;
	uint64_t interval_ms;
};

static int wait_one(struct container *c, void *context, struct err *err)
{
	const struct wait_context *w = context;
	auto_close int attend = container_attend(c);
	auto_free char *line = NULL;
	int code;

	while (!any_condition_holds(c, &w->o->conditions)) {
		int r;

		if (w->o->conditions.n == 0)
			(void)container_wait_exit(c, (int)w->interval_ms);
		else
			clock_sleep_ms(w->interval_ms);
		code = c->status.exit_code;
		r = container_reload(c, err);
		if (r == -ENOENT) {
			/* Removed as it ended: what was seen last is the answer. */
			err_clear(err);
			c->status.exit_code = code;
			break;
		}
		if (r < 0)
			return r;
	}
	code = c->status.exit_code;
	line = xasprintf("%d\n", code);
	(void)io_write_all(STDOUT_FILENO, line, strlen(line));
	return 1;
}

/* --ignore: a code for each name, so that the lines are of the arguments. */
static void print_missing(void)
{
	(void)io_write_all(STDOUT_FILENO, "-1\n", 3);
}

static int run_wait(const struct cli_invocation *inv, struct err *err)
{
	const struct wait_options *o = inv->options;
	struct wait_context w = { .o = o, .interval_ms = 250 };
	struct targets targets;
	uint64_t ns;

	if (o->interval && parse_u64(o->interval, &w.interval_ms) < 0) {
		if (parse_duration(o->interval, &ns) < 0)
			return err_set(err, ERR_USAGE,
				       "interval '%s': expected a time such as "
				       "250ms",
				       o->interval);
		w.interval_ms = MAX(ns / NSEC_PER_MSEC, (uint64_t)1);
	}
	for (size_t i = 0; i < o->conditions.n; i++)
		if (!container_phase_from_string(o->conditions.v[i]))
			return err_set(err, ERR_USAGE, "condition '%s': not supported",
				       o->conditions.v[i]);
	targets = o->targets;
	targets.missing = print_missing;
	return targets_each(inv, &targets, wait_one, &w, err);
}

#define T struct wait_options
static const struct cli_option wait_rows[] = {
	OPT_STRVEC(T, conditions, "condition", 0, "STATE", "what to wait for (default: stopped)"),
	OPT_STRING(T, interval, "interval", 'i', "TIME", "how often to look (default: 250ms)"),
	OPT_FLAG(T, targets.ignore, "ignore", 0, "no error for those that do not exist"),
	LATEST_ROW(T),
	FILTER_ROW(T),
};
#undef T

const struct cli_command floe_wait_command = {
	.name = "wait",
	.arguments = "[CONTAINER...]",
	.summary = "wait for the end of containers and print their exit codes",
	CLI_OPTIONS(struct wait_options, wait_rows),
	.min_args = 0,
	.max_args = CLI_ARGS_ANY,
	.argument_source = FLOE_CONTAINERS,
	.run = run_wait,
	.error_code = FLOE_EXIT_ERROR,
};
