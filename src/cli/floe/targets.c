/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/floe/targets.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/floe/report.h"
#include "core/alloc.h"
#include "core/io.h"
#include "core/log.h"
#include "core/str.h"
#include "engine/records.h"

static void print_done(const struct targets *t, const char *name, const struct container *c)
{
	if (!t->quiet)
		(void)cli_print_line(t->print_id ? c->config.id : name, NULL);
}

static int collect_all(struct engine *e, const struct targets *t, struct strvec *names,
		       struct err *err)
{
	auto_strvec struct strvec ids = STRVEC_INIT;
	int r = record_ids(e, &ids, err);

	for (size_t i = 0; r == 0 && i < ids.n; i++) {
		auto_container struct container c = CONTAINER_INIT;
		struct err gone = ERR_INIT;
		int matches;

		if (container_open_id(&c, e, ids.v[i], &gone) < 0) {
			if (t->damaged && t->filters.n == 0 && gone.kind != ERR_NOT_FOUND)
				strvec_add(names, ids.v[i]);
			continue;
		}
		matches = filter_matches(e, &t->filters, &c, err);
		if (matches < 0)
			return matches;
		if (matches == 0 || (t->wanted && !t->wanted(&c)))
			continue;
		strvec_add(names, ids.v[i]);
		if (t->latest) {
			/* The newest is the last one. */
			while (names->n > 1)
				strvec_remove(names, 0);
		}
	}
	for (size_t i = 0; t->newest_first && i < names->n / 2; i++) {
		char *first = names->v[i];

		names->v[i] = names->v[names->n - 1 - i];
		names->v[names->n - 1 - i] = first;
	}
	return r;
}

/* Only those of the names that the filters are true of; names without a container stay, and are told of. */
static int sift(struct engine *e, const struct targets *t, struct strvec *names, struct err *err)
{
	for (size_t i = 0; t->filters.n > 0 && i < names->n;) {
		auto_container struct container c = CONTAINER_INIT;
		struct err gone = ERR_INIT;
		int matches = 1;

		if (container_open(&c, e, names->v[i], &gone) == 0)
			matches = filter_matches(e, &t->filters, &c, err);
		if (matches < 0)
			return matches;
		if (matches)
			i++;
		else
			strvec_remove(names, i);
	}
	return 0;
}

static int check_choice(const struct targets *t, bool named, struct err *err)
{
	if (t->all && t->latest)
		return err_set(err, ERR_USAGE, "--all and --latest cannot be used together");
	if (!named)
		return 0;
	if (t->latest)
		return err_set(err, ERR_USAGE, "--latest and containers cannot be used together");
	if (t->all && t->filter_arguments)
		return err_set(err, ERR_USAGE,
			       "either start all containers or the container(s) provided in the "
			       "arguments");
	if (t->all)
		return err_set(err, ERR_USAGE, "no arguments are needed with --all");
	/* Whose names are given and who matches are different sets: which one is meant? */
	if (t->filters.n > 0 && !t->filter_arguments)
		return err_set(err, ERR_USAGE, "--filter takes no arguments");
	return 0;
}

static int collect(const struct cli_invocation *inv, const struct targets *t, struct strvec *names,
		   struct err *err)
{
	int r;

	if (t->cidfiles.n > 0 && (t->all || t->latest))
		return err_set(err, ERR_USAGE,
			       "--all, --latest, and --cidfile cannot be used together");
	for (size_t i = 0; i < inv->n_args; i++)
		strvec_add(names, inv->args[i]);
	for (size_t i = 0; i < t->cidfiles.n; i++) {
		char *line = io_read_line_at(AT_FDCWD, t->cidfiles.v[i]);

		if (!line && !(t->ignore && errno == ENOENT))
			return err_sys(err, -errno, "reading CIDFile: open %s", t->cidfiles.v[i]);
		if (line)
			strvec_add_take(names, line);
	}
	r = check_choice(t, names->n > 0, err);
	if (r < 0)
		return r;
	if (names->n > 0)
		return sift(floe_engine(inv), t, names, err);
	if (t->all || t->latest || t->filters.n > 0)
		return collect_all(floe_engine(inv), t, names, err);
	if (t->cidfiles.n == 0)
		return err_set(err, ERR_USAGE,
			       "you must provide at least one name or id; see 'floe %s --help'",
			       inv->command->name);
	return 0;
}

int targets_remove_code(const struct err *err)
{
	return err->kind == ERR_NOT_FOUND ? 1 : err->kind == ERR_STATE ? 2 : FLOE_EXIT_ERROR;
}

/* Of two failures; different ones are a failure in general. */
static int worse(int code, int other)
{
	return code == 0 || code == other ? other : FLOE_EXIT_ERROR;
}

/* With several names, as podman: nothing is done when one of them means no container. */
static int find_all(struct engine *e, const struct targets *t, const struct strvec *names,
		    struct err *err)
{
	int r = 0;

	if (t->ignore || t->all || t->each_alone)
		return 0;
	for (size_t i = 0; r == 0 && names->n > 1 && i < names->n; i++) {
		auto_container struct container c = CONTAINER_INIT;

		r = container_open(&c, e, names->v[i], err);
	}
	return r;
}

int targets_each(const struct cli_invocation *inv, const struct targets *t,
		 int (*each)(struct container *c, void *context, struct err *err), void *context,
		 struct err *err)
{
	struct engine *e = floe_engine(inv);
	auto_strvec struct strvec names = STRVEC_INIT;
	int code = 0;
	int r = collect(inv, t, &names, err);

	if (r == 0) {
		r = find_all(e, t, &names, err);
		if (r < 0 && t->error_code) {
			report_error(err);
			code = t->error_code(err);
			err_clear(err);
			return code;
		}
	}
	for (size_t i = 0; r == 0 && i < names.n; i++) {
		auto_container struct container c = CONTAINER_INIT;
		struct err one = ERR_INIT;
		const char *name = names.v[i];
		int r2 = t->lock ? container_open_locked(&c, e, name, &one) :
				   container_open(&c, e, name, &one);

		if (r2 == -ENOENT && (t->ignore || t->all))
			continue;
		if (r2 < 0 && t->damaged && one.kind != ERR_NOT_FOUND) {
			log_warning("%s", one.msg);
			err_clear(&one);
			r2 = container_open_damaged(&c, e, name, &one);
		}
		if (r2 == 0)
			r2 = each(&c, context, &one);
		if (r2 < 0) {
			report_error(&one);
			code = worse(code, t->error_code ? t->error_code(&one) : FLOE_EXIT_ERROR);
		} else if (r2 == 0) {
			print_done(t, name, &c);
		}
	}
	return r < 0 ? r : code;
}

void target_list_done(struct target_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		if (!list->v[i].is_missing)
			container_close(&list->v[i].container);
	free(list->v);
	*list = (struct target_list){ 0 };
}

int targets_open(const struct cli_invocation *inv, const struct targets *t, struct target_list *ret,
		 struct err *err)
{
	auto_target_list struct target_list list = { 0 };
	auto_strvec struct strvec names = STRVEC_INIT;
	int r = collect(inv, t, &names, err);

	for (size_t i = 0; r == 0 && i < names.n; i++) {
		struct target *one = array_push(list.v, list.n);

		one->container = (struct container)CONTAINER_INIT;
		r = container_open(&one->container, floe_engine(inv), names.v[i], err);
		one->is_missing = r < 0;
		if (r == -ENOENT && t->ignore) {
			err_clear(err);
			r = 0;
		}
	}
	if (r < 0)
		return r;
	*ret = list;
	list = (struct target_list){ 0 };
	return 0;
}

int targets_cidfile(const struct cli_invocation *inv, const char *path, struct container *ret,
		    struct err *err)
{
	auto_free char *id = io_read_line_at(AT_FDCWD, path);

	if (!id)
		return err_sys(err, -errno, "reading CIDFile: open %s", path);
	return container_open(ret, floe_engine(inv), id, err);
}

int targets_one(const struct cli_invocation *inv, bool latest, bool lock, struct container *ret,
		struct err *err)
{
	struct engine *e = floe_engine(inv);
	auto_strvec struct strvec ids = STRVEC_INIT;
	int r;

	if (!latest)
		return lock ? container_open_locked(ret, e, inv->args[0], err) :
			      container_open(ret, e, inv->args[0], err);
	r = record_ids(e, &ids, err);
	if (r == 0 && ids.n == 0)
		r = err_set(err, ERR_NOT_FOUND, "there is no container");
	if (r < 0)
		return r;
	return lock ? container_open_locked(ret, e, ids.v[ids.n - 1], err) :
		      container_open_id(ret, e, ids.v[ids.n - 1], err);
}
