/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/floe/report.h"
#include "cli/floe/targets.h"
#include "core/alloc.h"
#include "core/clock.h"
#include "core/fd.h"
#include "core/io.h"
#include "core/parse.h"
#include "core/str.h"
#include "engine/start.h"
#include "engine/stop.h"

/* A restart takes some times this. */
#define RESTART_MS 5

struct wait_options {
	struct targets targets;
	struct strvec conditions;
	const char *interval;
	bool first;
};

/* One container of the line, until its answer is known. */
struct watched {
	struct container *container; /* NULL: there is none, and that is no error */
	int attend; /* descriptor of container_attend() */
	bool is_known;
	int code;
};

struct watch {
	const struct wait_options *o;
	uint64_t interval_ms;
	struct watched *v;
	size_t n;
};

/* These two are one for users, and so it is with podman. One that never ran counts as ended. */
static bool is_end(const char *word)
{
	return str_eq(word, "stopped") || str_eq(word, "exited");
}

static bool has_ended(const struct container *c)
{
	return container_has_ended(c) || c->status.phase == PHASE_CREATED;
}

/* Only an end has an exit code; for other states podman prints -1. */
static bool answer(const struct container *c, const struct strvec *conditions, int *ret_code)
{
	bool is_met = conditions->n == 0 && has_ended(c);

	*ret_code = c->status.exit_code;
	for (size_t i = 0; i < conditions->n && !is_met; i++) {
		if (is_end(conditions->v[i])) {
			is_met = has_ended(c);
		} else if (c->status.phase == container_phase_from_string(conditions->v[i])) {
			is_met = true;
			*ret_code = -1;
		}
	}
	return is_met;
}

/* 1: its answer is known, 0: not yet. */
static int look_at(const struct watch *w, struct watched *one, struct err *err)
{
	struct container *c = one->container;
	int r;

	if (!answer(c, &w->o->conditions, &one->code)) {
		r = container_reload(c, err);
		if (r < 0 || !answer(c, &w->o->conditions, &one->code))
			return r;
	}
	/* A state that was named is one for a moment, too; the end is not, while the policy goes on. */
	r = w->o->conditions.n == 0 ? container_is_to_restart(c, err) : 0;
	if (r < 0)
		return r;
	if (r > 0)
		clock_sleep_ms(RESTART_MS);
	return r == 0 && answer(c, &w->o->conditions, &one->code);
}

static int look(const struct watch *w, struct watched *one, struct err *err)
{
	int r = look_at(w, one, err);

	if (r != -ENOENT)
		return r;
	/* Removed as it ended. */
	err_clear(err);
	container_sync(one->container);
	one->code = one->container->status.exit_code;
	return 1;
}

static void print_code(int code)
{
	auto_free char *line = xasprintf("%d\n", code);

	(void)io_write_all(STDOUT_FILENO, line, strlen(line));
}

/* Look at all whose answer is not known. Returns one of them; NULL: all are known, or (--exit-first-match) one is. */
static struct watched *look_at_all(const struct watch *w, int *exit_code)
{
	struct watched *pending = NULL;

	for (size_t i = 0; i < w->n; i++) {
		struct watched *one = &w->v[i];
		struct err err = ERR_INIT;
		int r;

		if (one->is_known)
			continue;
		r = look(w, one, &err);
		if (r == 0) {
			pending = one;
			continue;
		}
		one->is_known = true;
		/* Now it may be cleaned up. */
		close_fd(&one->attend);
		if (r < 0) {
			report_error(&err);
			*exit_code = FLOE_EXIT_ERROR;
			one->code = -1;
		}
		if (w->o->first) {
			print_code(one->code);
			return NULL;
		}
	}
	return pending;
}

/* The lines are in the order of the arguments, each as soon as it can be. */
static int watch_run(const struct watch *w)
{
	struct watched *pending;
	size_t printed = 0;
	int exit_code = 0;

	do {
		pending = look_at_all(w, &exit_code);
		while (!w->o->first && printed < w->n && w->v[printed].is_known)
			print_code(w->v[printed++].code);
		if (pending && w->o->conditions.n == 0)
			(void)container_wait_exit(pending->container, (int)w->interval_ms);
		else if (pending)
			clock_sleep_ms(w->interval_ms);
	} while (pending);
	return exit_code;
}

static bool has_policy(const struct container *c)
{
	return !str_is_empty(c->config.restart_policy) && !str_eq(c->config.restart_policy, "no");
}

static void watch_init(struct watch *w, struct target_list *targets)
{
	w->v = xcalloc(targets->n + 1, sizeof(*w->v));
	for (size_t i = 0; i < targets->n; i++) {
		struct target *t = &targets->v[i];
		struct watched *one = &w->v[w->n];

		/* They are none that could be the first. */
		if (t->is_missing && w->o->first)
			continue;
		*one = (struct watched){ .attend = -EBADF, .is_known = t->is_missing, .code = -1 };
		if (!t->is_missing) {
			one->container = &t->container;
			/* One that goes on by its policy is not removed, and cleaned up only when nobody attends. */
			if (!has_policy(one->container))
				one->attend = container_attend(&t->container);
		}
		w->n++;
	}
}

static int check_conditions(const struct wait_options *o, const struct target_list *targets,
			    struct err *err)
{
	for (size_t i = 0; i < o->conditions.n; i++) {
		const char *word = o->conditions.v[i];

		if (str_eq(word, "healthy") || str_eq(word, "unhealthy")) {
			const struct target *t = targets->n > 0 ? &targets->v[0] : NULL;

			return err_set(err, ERR_INVALID,
				       "cannot use condition \"%s\": container %s has no "
				       "healthcheck",
				       word, t && !t->is_missing ? t->container.config.id : "");
		}
		if (!container_phase_from_string(word) && !str_eq(word, "unknown"))
			return err_set(err, ERR_USAGE,
				       "unknown container state: %s: invalid argument", word);
	}
	return 0;
}

static int parse_interval(const char *text, uint64_t *ret_ms, struct err *err)
{
	uint64_t ms = 250;
	uint64_t ns;

	if (text && parse_u64(text, &ms) < 0) {
		if (parse_duration(text, &ns) < 0)
			return err_set(err, ERR_USAGE,
				       "interval '%s': expected a time such as 250ms", text);
		ms = ns / NSEC_PER_MSEC;
	}
	*ret_ms = MIN(MAX(ms, (uint64_t)1), (uint64_t)INT32_MAX);
	return 0;
}

static int run_wait(const struct cli_invocation *inv, struct err *err)
{
	const struct wait_options *o = inv->options;
	auto_target_list struct target_list targets = { 0 };
	struct watch w = { .o = o };
	int r = parse_interval(o->interval, &w.interval_ms, err);

	if (r == 0)
		r = targets_open(inv, &o->targets, &targets, err);
	if (r == 0)
		r = check_conditions(o, &targets, err);
	if (r < 0)
		return r;
	watch_init(&w, &targets);
	/* --exit-first-match of those that are not there. */
	if (w.n == 0 && targets.n > 0)
		print_code(-1);
	else
		r = watch_run(&w);
	for (size_t i = 0; i < w.n; i++)
		close_fd(&w.v[i].attend);
	free(w.v);
	return r;
}

#define T struct wait_options
static const struct cli_option wait_rows[] = {
	OPT_STRVEC_F(T, conditions, "condition", 0, "STATE", "what to wait for (default: stopped)",
		     CLI_LIST),
	OPT_FLAG(T, first, "exit-first-match", 0, "wait for the first of them only"),
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
