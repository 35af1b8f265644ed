/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/check.h"

#include <stdlib.h>

#include "core/alloc.h"
#include "core/clock.h"
#include "core/fd.h"
#include "core/str.h"
#include "engine/image_use.h"

#define CONTENT_TIMEOUT_MS 60000
/* Long enough for what another command does between two steps. */
#define SECOND_LOOK_MS 1000

void check_init(struct check *ret, struct engine *e, bool quick)
{
	*ret = (struct check){ .engine = e, .quick = quick };
}

static void drop_findings(struct check *check)
{
	for (size_t i = 0; i < check->n; i++) {
		free(check->v[i].what);
		free(check->v[i].id);
	}
	free(check->v);
	check->v = NULL;
	check->n = 0;
}

void check_done(struct check *check)
{
	drop_findings(check);
}

void check_add(struct check *check, const struct check_kind *kind, const char *what, const char *id)
{
	*array_push(check->v, check->n) =
		(struct check_finding){ kind, xstrdup(what), xstrdup(id) };
}

static int look(struct check *check, struct err *err)
{
	auto_close int lock =
		store_lock(check->store, "content", LOCK_MODE_EXCLUSIVE, CONTENT_TIMEOUT_MS, err);
	int r = lock < 0 ? lock : check_store(check, err);

	return r < 0 ? r : check_containers(check, err);
}

static bool has(const struct check *check, const struct check_finding *f)
{
	for (size_t i = 0; i < check->n; i++)
		if (check->v[i].kind == f->kind && str_eq(check->v[i].id, f->id))
			return true;
	return false;
}

/* Those of the first look that the second has too, once each. */
static void keep_common(struct check *check, const struct check *first)
{
	struct check common = *check;

	common.v = NULL;
	common.n = 0;
	for (size_t i = 0; i < check->n; i++)
		if (has(first, &check->v[i]) && !has(&common, &check->v[i]))
			check_add(&common, check->v[i].kind, check->v[i].what, check->v[i].id);
	drop_findings(check);
	*check = common;
}

int check_run(struct check *check, struct err *err)
{
	auto_check struct check first = { 0 };
	int r = engine_store(check->engine, &check->store, err);

	drop_findings(check);
	if (r == 0)
		r = look(check, err);
	if (r < 0 || check->n == 0)
		return r;
	first = *check;
	check->v = NULL;
	check->n = 0;
	clock_sleep_ms(SECOND_LOOK_MS);
	r = look(check, err);
	if (r == 0)
		keep_common(check, &first);
	return r;
}

int check_repair(struct check *check, const struct check_finding *f, bool force, struct err *err)
{
	int r = f->kind->repair ? f->kind->repair(check, f->id, force, err) :
				  err_set(err, ERR_UNSUPPORTED, "there is no way back");

	return r < 0 ? err_wrap(err, r, "repair %s '%s'", f->what, f->id) : 0;
}
