/* SPDX-License-Identifier: Apache-2.0 */
/* Commands that move a container from one state to the next: start, init, stop, restart, kill, pause, unpause. */
#include <signal.h>
#include <stdlib.h>

#include "cli/floe/foreground.h"
#include "cli/floe/targets.h"
#include "core/log.h"
#include "engine/containers_conf.h"
#include "engine/cleanup.h"
#include "engine/event.h"
#include "engine/runtime_exec.h"
#include "engine/start.h"
#include "engine/stop.h"

/* --- start ------------------------------------------------------------------------------------------ */

struct start_options {
	struct targets targets;
	bool attach;
	bool interactive;
	struct opt_bool sig_proxy;
	const char *detach_keys;
};

static bool is_paused(const struct container *c)
{
	return c->status.phase == PHASE_PAUSED;
}

/* As podman: one with --rm that cannot be started does not stay. */
static int removed_if_failed(struct container *c, int r)
{
	const struct remove_options options = { .force = true, .volumes = true };
	struct err err = ERR_INIT;

	if (r < 0 && c->config.auto_remove && !container_is_alive(c) &&
	    container_remove(c, &options, &err) < 0 && err.kind != ERR_NOT_FOUND)
		log_warning("%s", err.msg);
	return r;
}

static int start_one(struct container *c, void *context UNUSED, struct err *err)
{
	int r;

	if (is_paused(c))
		return err_set(
			err, ERR_STATE,
			"unable to start container \"%s\": container %s must be in Created or "
			"Stopped state to be started: container state improper; 'floe "
			"unpause' lets it go on",
			c->config.id, c->config.id);
	if (container_is_alive(c))
		return 0;
	r = container_start_dependencies(c, err);
	if (r < 0 || container_is_alive(c))
		return r;
	r = c->status.phase == PHASE_STOPPED ? container_cleanup(c, err) : 0;
	if (r == 0 && c->status.phase != PHASE_INITIALIZED)
		r = container_init(c, err);
	return removed_if_failed(c, r < 0 ? r : container_start(c, err));
}

static bool can_start(const struct container *c)
{
	return !container_is_alive(c);
}

static int start_attached(const struct cli_invocation *inv, const struct start_options *cli,
			  struct err *err)
{
	auto_container struct container c = CONTAINER_INIT;
	const struct foreground_options f = {
		.with_stdin = cli->interactive,
		.with_stdout = true,
		.with_stderr = true,
		.sig_proxy = !cli->sig_proxy.set || cli->sig_proxy.v,
		.detach_keys = cli->detach_keys ? cli->detach_keys :
						  floe_engine(inv)->conf->engine.detach_keys,
	};
	int r;

	if (cli->targets.all && inv->n_args)
		return err_set(err, ERR_USAGE,
			       "either start all containers or the container(s) provided in the "
			       "arguments");
	if (inv->n_args + (cli->targets.latest ? 1U : 0U) != 1)
		return err_set(err, ERR_USAGE,
			       "you cannot start and attach multiple containers at "
			       "once");
	r = targets_one(inv, cli->targets.latest, true, &c, err);
	if (r == 0 && !container_is_alive(&c))
		r = container_start_dependencies(&c, err);
	if (r < 0)
		return r;
	if (container_is_alive(&c))
		return foreground_attach(&c, &f, err);
	r = c.status.phase == PHASE_STOPPED || c.status.phase == PHASE_INITIALIZED ?
		    container_cleanup(&c, err) :
		    0;
	/* 125 also for a command that is not there, as podman has it. */
	return removed_if_failed(&c, r < 0 ? r : foreground_run(&c, &f, err));
}

static int run_start(const struct cli_invocation *inv, struct err *err)
{
	const struct start_options *cli = inv->options;
	struct targets t = cli->targets;

	t.lock = true;
	t.wanted = can_start;
	t.filter_arguments = true;
	if (cli->sig_proxy.set && cli->sig_proxy.v && !cli->attach)
		return err_set(err, ERR_USAGE,
			       "you cannot use sig-proxy without --attach: invalid argument");
	if (cli->attach)
		return start_attached(inv, cli, err);
	return targets_each(inv, &t, start_one, NULL, err);
}

#define T struct start_options
static const struct cli_option start_rows[] = {
	OPT_FLAG(T, attach, "attach", 'a', "attach to its output and wait for its end"),
	OPT_FLAG(T, interactive, "interactive", 'i', "with --attach, attach to its input too"),
	OPT_OPTBOOL(T, sig_proxy, "sig-proxy", 0, "pass signals on (default: true)"),
	OPT_STRING(T, detach_keys, "detach-keys", 0, "KEYS", "keys that detach"),
	OPT_FLAG(T, targets.all, "all", 0, "every container that does not run"),
	LATEST_ROW(T),
	FILTER_ROW(T),
};
#undef T

const struct cli_command floe_start_command = {
	.name = "start",
	.arguments = "[CONTAINER...]",
	.summary = "start containers",
	CLI_OPTIONS(struct start_options, start_rows),
	.min_args = 0,
	.max_args = CLI_ARGS_ANY,
	.argument_source = FLOE_ENDED,
	.run = run_start,
	.error_code = FLOE_EXIT_ERROR,
};

/* --- init ------------------------------------------------------------------------------------------- */

struct plain_options {
	struct targets targets;
};

static int init_one(struct container *c, void *context UNUSED, struct err *err)
{
	int r;

	if (c->status.phase == PHASE_INITIALIZED)
		return 0;
	r = container_start_dependencies(c, err);
	if (r < 0 || c->status.phase == PHASE_INITIALIZED)
		return r;
	r = c->status.phase == PHASE_STOPPED ? container_cleanup(c, err) : 0;
	if (r == 0)
		r = container_init(c, err);
	return r < 0 ? r : container_save(c, err);
}

static int run_init(const struct cli_invocation *inv, struct err *err)
{
	struct targets t = ((const struct plain_options *)inv->options)->targets;

	t.lock = true;
	t.wanted = can_start;
	return targets_each(inv, &t, init_one, NULL, err);
}

static const struct cli_option plain_rows[] = {
	ALL_ROW(struct plain_options),
	LATEST_ROW(struct plain_options),
};

const struct cli_command floe_init_command = {
	.name = "init",
	.arguments = "[CONTAINER...]",
	.summary = "have containers created by the runtime, without starting them",
	CLI_OPTIONS(struct plain_options, plain_rows),
	.min_args = 0,
	.max_args = CLI_ARGS_ANY,
	.argument_source = FLOE_CONTAINERS,
	.run = run_init,
	.error_code = FLOE_EXIT_ERROR,
};

/* --- stop, restart ---------------------------------------------------------------------------------- */

struct stop_options {
	struct targets targets;
	struct opt_i64 time;
	bool running;
};

static uint32_t stop_seconds(const struct container *c, const struct stop_options *o)
{
	if (!o->time.set)
		return c->config.stop_timeout;
	/* Negative: for ever, as good as. */
	return o->time.v < 0 || o->time.v > INT32_MAX / 1000 ? INT32_MAX / 1000 :
							       (uint32_t)o->time.v;
}

static int stop_one(struct container *c, void *context, struct err *err)
{
	const struct stop_options *o = context;
	bool was_alive = container_is_alive(c);
	int r = is_paused(c) ?
			err_set(err, ERR_STATE,
				"container %s is running or paused, refusing to clean up: "
				"container state improper; 'floe unpause' it first, or remove it "
				"with 'floe rm --force'",
				c->config.id) :
			container_stop(c, stop_seconds(c, o), err);

	if (r == 0 && was_alive && c->config.auto_remove)
		r = container_remove(c, &(struct remove_options){ .volumes = true }, err);
	return r;
}

static bool is_alive(const struct container *c)
{
	return container_is_alive(c);
}

static int run_stop(const struct cli_invocation *inv, struct err *err)
{
	struct stop_options o = *(const struct stop_options *)inv->options;

	/* Also those that do not run: podman names each. */
	o.targets.lock = true;
	return targets_each(inv, &o.targets, stop_one, &o, err);
}

#define T struct stop_options
static const struct cli_option stop_rows[] = {
	OPT_I64(T, time, "time", 't', "SECONDS",
		"how long to wait before it is killed (default: its own)"),
	OPT_I64_F(T, time, "timeout", 0, "SECONDS", "the same", CLI_HIDDEN),
	ALL_ROW(T),
	LATEST_ROW(T),
	FILTER_ROW(T),
	CIDFILE_ROW(T),
	IGNORE_ROW(T),
};

const struct cli_command floe_stop_command = {
	.name = "stop",
	.arguments = "[CONTAINER...]",
	.summary = "stop containers",
	.description =
		"Each gets its stop signal, and SIGKILL when it has not ended in its time. Linux "
		"does "
		"not give a first process a signal that it does not handle yet: one that has just "
		"begun gets it again once it does.",
	CLI_OPTIONS(T, stop_rows),
	.min_args = 0,
	.max_args = CLI_ARGS_ANY,
	.argument_source = FLOE_RUNNING,
	.run = run_stop,
	.error_code = FLOE_EXIT_ERROR,
};

static int restart_one(struct container *c, void *context, struct err *err)
{
	const struct stop_options *o = context;
	int r = is_paused(c) ?
			err_set(err, ERR_STATE,
				"unable to restart a container in a paused or unknown state: "
				"container state improper; 'floe unpause' it first") :
			container_stop(c, stop_seconds(c, o), err);

	if (r == 0)
		r = start_one(c, NULL, err);
	if (r == 0)
		event_container(c, "restart");
	return r;
}

static int run_restart(const struct cli_invocation *inv, struct err *err)
{
	struct stop_options o = *(const struct stop_options *)inv->options;

	o.targets.lock = true;
	if (o.running) {
		o.targets.all = true;
		o.targets.wanted = is_alive;
	}
	return targets_each(inv, &o.targets, restart_one, &o, err);
}

static const struct cli_option restart_rows[] = {
	OPT_I64(T, time, "time", 't', "SECONDS",
		"how long to wait before it is killed (default: its own)"),
	ALL_ROW(T),
	LATEST_ROW(T),
	FILTER_ROW(T),
	CIDFILE_ROW(T),
	OPT_FLAG(T, running, "running", 0, "every container that runs"),
};
#undef T

const struct cli_command floe_restart_command = {
	.name = "restart",
	.arguments = "[CONTAINER...]",
	.summary = "stop containers and start them again",
	CLI_OPTIONS(struct stop_options, restart_rows),
	.min_args = 0,
	.max_args = CLI_ARGS_ANY,
	.argument_source = FLOE_CONTAINERS,
	.run = run_restart,
	.error_code = FLOE_EXIT_ERROR,
};

/* --- kill ------------------------------------------------------------------------------------------- */

struct kill_options {
	struct targets targets;
	const char *signal;
};

static int kill_one(struct container *c, void *context, struct err *err)
{
	return container_kill(c, *(const int *)context, err);
}

static int run_kill(const struct cli_invocation *inv, struct err *err)
{
	const struct kill_options *o = inv->options;
	struct targets t = o->targets;
	/* As for kill(1), a dash may come first. */
	int number = o->signal ? container_signal(o->signal + (o->signal[0] == '-'), err) : SIGKILL;

	if (number < 0)
		return number;
	t.wanted = is_alive;
	return targets_each(inv, &t, kill_one, &number, err);
}

#define T struct kill_options
static const struct cli_option kill_rows[] = {
	OPT_STRING(T, signal, "signal", 's', "SIGNAL", "what is sent (default: KILL)"),
	ALL_ROW(T),
	LATEST_ROW(T),
	CIDFILE_ROW(T),
};
#undef T

const struct cli_command floe_kill_command = {
	.name = "kill",
	.arguments = "[CONTAINER...]",
	.summary = "send a signal to containers",
	CLI_OPTIONS(struct kill_options, kill_rows),
	.min_args = 0,
	.max_args = CLI_ARGS_ANY,
	.argument_source = FLOE_RUNNING,
	.run = run_kill,
	.error_code = FLOE_EXIT_ERROR,
};

/* --- pause, unpause --------------------------------------------------------------------------------- */

static int change(struct container *c, enum container_event event, const char *word,
		  int (*call)(struct container *c, struct err *err), struct err *err)
{
	enum container_phase next = container_next_phase(c->status.phase, event);
	int r;

	if (!next)
		return container_advance(c, event, err);
	r = call(c, err);
	if (r < 0)
		return r;
	c->status.phase = next;
	event_container(c, word);
	return container_save(c, err);
}

static int pause_one(struct container *c, void *context UNUSED, struct err *err)
{
	return change(c, EVENT_PAUSE, "pause", runtime_pause, err);
}

static int unpause_one(struct container *c, void *context UNUSED, struct err *err)
{
	return change(c, EVENT_UNPAUSE, "unpause", runtime_resume, err);
}

static bool is_running(const struct container *c)
{
	return c->status.phase == PHASE_RUNNING;
}

struct pause_options {
	struct targets targets;
};

static int run_pause(const struct cli_invocation *inv, struct err *err)
{
	struct targets t = ((const struct pause_options *)inv->options)->targets;

	t.lock = true;
	t.wanted = is_running;
	return targets_each(inv, &t, pause_one, NULL, err);
}

static int run_unpause(const struct cli_invocation *inv, struct err *err)
{
	struct targets t = ((const struct pause_options *)inv->options)->targets;

	t.lock = true;
	t.wanted = is_paused;
	return targets_each(inv, &t, unpause_one, NULL, err);
}

static const struct cli_option pause_rows[] = {
	ALL_ROW(struct pause_options),
	LATEST_ROW(struct pause_options),
	FILTER_ROW(struct pause_options),
	CIDFILE_ROW(struct pause_options),
};

const struct cli_command floe_pause_command = {
	.name = "pause",
	.arguments = "[CONTAINER...]",
	.summary = "pause all processes of containers",
	CLI_OPTIONS(struct pause_options, pause_rows),
	.min_args = 0,
	.max_args = CLI_ARGS_ANY,
	.argument_source = FLOE_RUNNING,
	.run = run_pause,
	.error_code = FLOE_EXIT_ERROR,
};

const struct cli_command floe_unpause_command = {
	.name = "unpause",
	.arguments = "[CONTAINER...]",
	.summary = "let paused containers go on",
	CLI_OPTIONS(struct pause_options, pause_rows),
	.min_args = 0,
	.max_args = CLI_ARGS_ANY,
	.argument_source = FLOE_PAUSED,
	.run = run_unpause,
	.error_code = FLOE_EXIT_ERROR,
};
