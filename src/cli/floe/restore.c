/* SPDX-License-Identifier: Apache-2.0 */
#include <json-c/json.h>
#include <unistd.h>

#include "cli/floe/checkpoint_stats.h"
#include "cli/floe/targets.h"
#include "engine/restore.h"

struct options {
	struct targets targets;
	struct restore_options restore;
	bool print_stats;
};

struct context {
	const struct options *o;
	struct checkpoint_stats stats;
};

static int restore_one(struct container *c, void *context, struct err *err)
{
	struct context *x = context;
	struct restore_result result;
	int r = container_restore(c, &x->o->restore, &result, err);

	if (r == 0 && x->o->print_stats)
		checkpoint_stats_add_restore(&x->stats, c->config.id, result.runtime_us,
					     &result.stats);
	return r;
}

static bool is_frozen(const struct container *c)
{
	return c->status.checkpointed && !container_is_alive(c);
}

static int check(const struct cli_invocation *inv, const struct options *o, struct err *err)
{
	if (geteuid() != 0)
		return err_set(err, ERR_DENIED, "restoring a container requires root");
	if ((o->targets.all || o->targets.latest) && inv->n_args > 0)
		return err_set(err, ERR_USAGE,
			       "--all or --latest and containers cannot be used together");
	if (o->restore.tcp_established && o->restore.tcp_close)
		return err_set(err, ERR_USAGE,
			       "--tcp-established and --tcp-close cannot be used together");
	return 0;
}

static int run(const struct cli_invocation *inv, struct err *err)
{
	const struct options *o = inv->options;
	struct targets t = o->targets;
	struct context x = { .o = o };
	int code;
	int r = check(inv, o, err);

	if (r < 0)
		return r;
	t.lock = true;
	t.wanted = is_frozen;
	t.quiet = o->print_stats;
	checkpoint_stats_begin(&x.stats);
	code = targets_each(inv, &t, restore_one, &x, err);
	if (code >= 0 && o->print_stats)
		r = checkpoint_stats_print(&x.stats, "podman_restore_duration", err);
	(void)json_object_put(x.stats.containers);
	return r < 0 ? r : code;
}

#define T struct options
static const struct cli_option rows[] = {
	OPT_FLAG(T, restore.keep, "keep", 'k', "keep the checkpoint, CRIU's logs and statistics"),
	OPT_FLAG(T, restore.tcp_established, "tcp-established", 0,
		 "let TCP connections go on that were established"),
	OPT_FLAG(T, restore.tcp_close, "tcp-close", 0, "close TCP connections instead"),
	OPT_FLAG(T, restore.file_locks, "file-locks", 0, "take the locks on files again"),
	OPT_FLAG(T, restore.ignore_static_ip, "ignore-static-ip", 0,
		 "take any address, not those that the container had"),
	OPT_FLAG(T, restore.ignore_static_mac, "ignore-static-mac", 0,
		 "take any MAC address, not the one that the container had"),
	OPT_FLAG(T, print_stats, "print-stats", 0,
		 "print times (in microseconds) and page counts as JSON instead of the names"),
	OPT_FLAG(T, targets.all, "all", 'a', "every container that was checkpointed"),
	OPT_FLAG(T, targets.latest, "latest", 'l', "the newest container"),
};
#undef T

const struct cli_command floe_restore_command = {
	.name = "restore",
	.arguments = "[CONTAINER...]",
	.summary = "let containers go on from their checkpoints",
	.description = "Containers get the addresses back that they had. When a restore fails, the "
		       "checkpoint stays and nothing else.",
	CLI_OPTIONS(struct options, rows),
	.min_args = 0,
	.max_args = CLI_ARGS_ANY,
	.argument_source = FLOE_CONTAINERS,
	.run = run,
	.error_code = FLOE_EXIT_ERROR,
};
