/* SPDX-License-Identifier: Apache-2.0 */
#include <json-c/json.h>
#include <unistd.h>

#include "cli/floe/checkpoint_stats.h"
#include "cli/floe/targets.h"
#include "engine/checkpoint.h"

struct options {
	struct targets targets;
	struct checkpoint_options checkpoint;
	bool print_stats;
};

struct context {
	const struct options *o;
	struct checkpoint_stats stats;
};

static int checkpoint_one(struct container *c, void *context, struct err *err)
{
	struct context *x = context;
	struct checkpoint_result result;
	int r = container_checkpoint(c, &x->o->checkpoint, &result, err);

	if (r == 0 && x->o->print_stats)
		checkpoint_stats_add_dump(&x->stats, c->config.id, result.runtime_us,
					  &result.stats);
	return r;
}

static bool runs(const struct container *c)
{
	return c->status.phase == PHASE_RUNNING;
}

static int check(const struct options *o, struct err *err)
{
	const struct checkpoint_options *k = &o->checkpoint;

	if (geteuid() != 0)
		return err_set(err, ERR_DENIED, "checkpointing a container requires root");
	if (k->with_previous && k->pre_checkpoint)
		return err_set(err, ERR_USAGE,
			       "--with-previous can not be used with --pre-checkpoint");
	return k->with_previous || k->pre_checkpoint ? checkpoint_need_memory_tracking(err) : 0;
}

static int run(const struct cli_invocation *inv, struct err *err)
{
	const struct options *o = inv->options;
	struct targets t = o->targets;
	struct context x = { .o = o };
	int code;
	int r = check(o, err);

	if (r < 0)
		return r;
	t.lock = true;
	t.wanted = runs;
	t.quiet = o->print_stats;
	checkpoint_stats_begin(&x.stats);
	code = targets_each(inv, &t, checkpoint_one, &x, err);
	if (code >= 0 && o->print_stats)
		r = checkpoint_stats_print(&x.stats, "podman_checkpoint_duration", err);
	(void)json_object_put(x.stats.containers);
	return r < 0 ? r : code;
}

#define T struct options
static const struct cli_option rows[] = {
	OPT_FLAG(T, checkpoint.keep, "keep", 'k', "keep CRIU's log and statistics"),
	OPT_FLAG(T, checkpoint.leave_running, "leave-running", 'R',
		 "let the containers go on afterwards"),
	OPT_FLAG(T, checkpoint.tcp_established, "tcp-established", 0,
		 "keep TCP connections that are established"),
	OPT_FLAG(T, checkpoint.file_locks, "file-locks", 0, "keep locks on files"),
	OPT_FLAG(T, checkpoint.pre_checkpoint, "pre-checkpoint", 'P',
		 "write the memory only, while the container runs on"),
	OPT_FLAG(T, checkpoint.with_previous, "with-previous", 0,
		 "write only the memory that has changed since the last pre-checkpoint"),
	OPT_FLAG(T, print_stats, "print-stats", 0,
		 "print times (in microseconds) and page counts as JSON instead of the names"),
	OPT_FLAG(T, targets.all, "all", 'a', "every container that runs"),
	OPT_FLAG(T, targets.latest, "latest", 'l', "the newest container"),
};
#undef T

const struct cli_command floe_checkpoint_command = {
	.name = "checkpoint",
	.arguments = "[CONTAINER...]",
	.summary = "freeze running containers, with memory, files and connections",
	.description =
		"The processes are written to disk by CRIU and end; 'floe restore' lets them go on "
		"where they were. When it fails the container runs on, and an earlier checkpoint "
		"stays as it was.",
	CLI_OPTIONS(struct options, rows),
	.min_args = 0,
	.max_args = CLI_ARGS_ANY,
	.argument_source = FLOE_CONTAINERS,
	.run = run,
	.error_code = FLOE_EXIT_ERROR,
};
