/* SPDX-License-Identifier: Apache-2.0 */
/* Commands about whether there is a container, and how it is called: rm, cleanup, exists, rename. */
#include <stdlib.h>
#include <unistd.h>

#include "cli/floe/targets.h"
#include "core/alloc.h"
#include "core/fd.h"
#include "engine/cleanup.h"
#include "engine/create.h"
#include "engine/event.h"
#include "engine/exec_session.h"
#include "engine/network_later.h"
#include "engine/records.h"
#include "engine/start.h"
#include "engine/stop.h"

/* --- rm --------------------------------------------------------------------------------------------- */

struct rm_options {
	struct targets targets;
	struct opt_i64 time;
	bool force;
	bool volumes;
	bool depend;
};

/* Who stops it holds its lock: to wait for that, and to remove it then, is more than was asked for. */
static int refuse_stopping(struct container *c, struct err *err)
{
	if (c->status.phase == PHASE_STOPPING)
		return container_refuse_removal(c, err);
	return container_lock(c, err);
}

static int rm_one(struct container *c, void *context, struct err *err)
{
	const struct rm_options *o = context;
	auto_strvec struct strvec dependents = STRVEC_INIT;
	const struct remove_options options = {
		.force = o->force,
		.volumes = o->volumes,
		.depend = o->depend,
		.dependents = &dependents,
		.timeout_s = o->time.set ? (int)o->time.v : (int)c->config.stop_timeout,
	};
	int r = o->force ? 0 : refuse_stopping(c, err);

	if (r == 0)
		r = container_remove(c, &options, err);
	for (size_t i = 0; i < dependents.n; i++)
		(void)cli_print_line(dependents.v[i], NULL);
	return r;
}

static int run_rm(const struct cli_invocation *inv, struct err *err)
{
	struct rm_options o = *(const struct rm_options *)inv->options;

	o.targets.lock = o.force;
	o.targets.error_code = targets_remove_code;
	o.targets.damaged = o.force;
	/* In whatever order they come, those that others need among them. */
	o.depend = o.depend || o.targets.all;
	/* As podman: --force does not mind what is not there. */
	o.targets.ignore = o.targets.ignore || o.force || o.targets.all;
	return targets_each(inv, &o.targets, rm_one, &o, err);
}

#define T struct rm_options
static const struct cli_option rm_rows[] = {
	OPT_FLAG(T, force, "force", 'f', "also those that run; no error for those not there"),
	OPT_FLAG(T, volumes, "volumes", 'v', "their anonymous volumes too"),
	OPT_FLAG(T, depend, "depend", 0, "those that depend on them too"),
	OPT_I64(T, time, "time", 't', "SECONDS", "how long to wait before they are killed"),
	ALL_ROW(T),
	LATEST_ROW(T),
	FILTER_ROW(T),
	CIDFILE_ROW(T),
	IGNORE_ROW(T),
};
#undef T

const struct cli_command floe_rm_command = {
	.name = "rm",
	.arguments = "[CONTAINER...]",
	.summary = "remove containers",
	CLI_OPTIONS(struct rm_options, rm_rows),
	.min_args = 0,
	.max_args = CLI_ARGS_ANY,
	.argument_source = FLOE_CONTAINERS,
	.run = run_rm,
	.error_code = FLOE_EXIT_ERROR,
};

/* --- cleanup: what conmon calls in the end ---------------------------------------------------------- */

struct cleanup_options {
	struct targets targets;
	bool remove;
	bool remove_image;
	bool stopped_only;
	const char *exec;
};

/* Who attended was killed between the end of all else and that of the network. */
static bool is_cut_short(const struct container *c)
{
	return c->status.phase == PHASE_EXITED && c->status.netns;
}

static int cleanup_one(struct container *c, void *context, struct err *err)
{
	const struct cleanup_options *o = context;
	int r;

	if (o->exec)
		return exec_session_end(c, o->exec, true, err);
	if (container_is_alive(c) ||
	    (o->stopped_only && c->status.phase != PHASE_STOPPED && !is_cut_short(c)))
		return o->stopped_only ? 1 : o->remove ? container_cleanup(c, err) : 0;
	r = container_cleanup(c, err);
	if (r == 0)
		r = container_restart_by_policy(c, err);
	/* One that ended by a checkpoint is to go on from there. */
	if (r == 0 && (o->remove || c->config.auto_remove) && !c->status.checkpointed &&
	    c->status.phase == PHASE_EXITED) {
		c->config.auto_remove_image = c->config.auto_remove_image || o->remove_image;
		r = container_remove(c, &(struct remove_options){ .volumes = true }, err);
	}
	return r < 0 ? r : 0;
}

/* Of those that are gone but for their network. The exit command knows which one it is about. */
static int finish_networks(const struct cli_invocation *inv, bool is_exit_command, struct err *err)
{
	int r = 0;

	if (!is_exit_command)
		return network_later_finish_all(floe_engine(inv), err);
	for (size_t i = 0; r == 0 && i < inv->n_args; i++) {
		network_later_linger(floe_engine(inv), inv->args[i]);
		r = network_later_finish(floe_engine(inv), inv->args[i], err);
	}
	return r;
}

static int run_cleanup(const struct cli_invocation *inv, struct err *err)
{
	struct cleanup_options o = *(const struct cleanup_options *)inv->options;
	int r;
	int r2;

	if (o.exec && o.targets.all)
		return err_set(err, ERR_USAGE, "--all and --exec cannot be set together");
	if (o.exec && o.remove_image)
		return err_set(err, ERR_USAGE, "--exec and --rmi cannot be set together");
	/* conmon has become this process, with the sockets that hold published ports; nothing of ours is open yet. */
	(void)fd_close_from(STDERR_FILENO + 1, NULL, 0);
	if (o.remove_image && !o.remove)
		return err_set(err, ERR_USAGE, "the --rmi option does not work without --rm");
	o.targets.lock = true;
	/* As podman: what has gone already, or runs again, needs nothing. */
	o.targets.ignore = true;
	if (o.stopped_only)
		for (size_t i = 0; i < inv->n_args; i++)
			container_attend_wait(floe_engine(inv), inv->args[i]);
	r = targets_each(inv, &o.targets, cleanup_one, &o, err);
	if (r < 0 || o.exec)
		return r;
	r2 = finish_networks(inv, o.stopped_only, err);
	return r2 < 0 ? r2 : r;
}

#define T struct cleanup_options
static const struct cli_option cleanup_rows[] = {
	OPT_FLAG(T, remove, "rm", 0, "remove them afterwards"),
	OPT_FLAG(T, remove_image, "rmi", 0, "and their images, unless somebody else uses them"),
	OPT_STRING(T, exec, "exec", 0, "SESSION", "the exec session of this id only"),
	OPT_FLAG(T, stopped_only, "stopped-only", 0, "leave those alone that run or are gone"),
	ALL_ROW(T),
	LATEST_ROW(T),
};
#undef T

const struct cli_command floe_cleanup_command = {
	.name = "cleanup",
	.arguments = "[CONTAINER...]",
	.summary = "take mounts and files of ended containers back",
	CLI_OPTIONS(struct cleanup_options, cleanup_rows),
	.min_args = 0,
	.max_args = CLI_ARGS_ANY,
	.argument_source = FLOE_CONTAINERS,
	.run = run_cleanup,
	.error_code = FLOE_EXIT_ERROR,
};

/* --- exists, rename --------------------------------------------------------------------------------- */

struct exists_options {
	bool external;
};

static int run_exists(const struct cli_invocation *inv, struct err *err)
{
	auto_free char *id = NULL;
	int r = record_find(floe_engine(inv), inv->args[0], &id, err);

	if (r == -ENOENT) {
		err_clear(err);
		return 1;
	}
	return r;
}

static const struct cli_option exists_rows[] = {
	OPT_FLAG(struct exists_options, external, "external", 0,
		 "also those of other programs, of which floe sees none"),
};

const struct cli_command floe_exists_command = {
	.name = "exists",
	.arguments = "CONTAINER",
	.summary = "tell by the exit code whether a container is there (0) or not (1)",
	CLI_OPTIONS(struct exists_options, exists_rows),
	.min_args = 1,
	.max_args = 1,
	.argument_source = FLOE_CONTAINERS,
	.run = run_exists,
	.error_code = FLOE_EXIT_ERROR,
};

static int run_rename(const struct cli_invocation *inv, struct err *err)
{
	auto_container struct container c = CONTAINER_INIT;
	/* As of run --name. */
	const char *name = inv->args[1] + (inv->args[1][0] == '/');
	int r;

	if (!container_name_is_valid(name))
		return err_set(
			err, ERR_INVALID,
			"names must match [a-zA-Z0-9][a-zA-Z0-9_.-]*: '%s': invalid argument",
			inv->args[1]);
	r = container_open_locked(&c, floe_engine(inv), inv->args[0], err);
	if (r < 0)
		return r;
	replace_ptr(c.config.name, xstrdup(name));
	r = record_save_config(c.engine, &c.config, err);
	if (r == 0)
		event_container(&c, "rename");
	return r;
}

const struct cli_command floe_rename_command = {
	.name = "rename",
	.arguments = "CONTAINER NAME",
	.summary = "give a container another name",
	.min_args = 2,
	.max_args = 2,
	.argument_source = FLOE_CONTAINERS,
	.run = run_rename,
	.error_code = FLOE_EXIT_ERROR,
};
