/* SPDX-License-Identifier: Apache-2.0 */
/* system check: is what is on disk what the records say, and the way back. */
#include <string.h>

#include "cli/floe/report.h"
#include "cli/floe/system.h"
#include "core/alloc.h"
#include "core/strbuf.h"
#include "engine/check.h"

struct options {
	bool force;
	bool quick;
	bool repair;
};

/* What a repair brings to light is for the next run. */
static int repair_all(struct check *check, bool force, struct strbuf *out, size_t *ret_left,
		      struct err *err)
{
	*ret_left = 0;
	for (size_t i = 0; i < check->n; i++) {
		const struct check_finding *f = &check->v[i];
		struct err one = ERR_INIT;

		if (check_repair(check, f, force, &one) < 0) {
			report_error(&one);
			(*ret_left)++;
			continue;
		}
		strbuf_addf(out, "repaired %s %s\n", f->what, f->id);
	}
	return cli_print(out->buf, err);
}

static int run(const struct cli_invocation *inv, struct err *err)
{
	const struct options *o = inv->options;
	auto_strbuf struct strbuf found = STRBUF_INIT;
	auto_strbuf struct strbuf repaired = STRBUF_INIT;
	auto_check struct check check = { 0 };
	size_t left;
	int r;

	check_init(&check, floe_engine(inv), o->quick);
	r = check_run(&check, err);
	if (r < 0 || check.n == 0)
		return r;
	for (size_t i = 0; i < check.n; i++)
		strbuf_addf(&found, "%s %s %s\n", check.v[i].what, check.v[i].id,
			    check.v[i].kind->name);
	r = cli_print(found.buf, err);
	if (r < 0)
		return r;
	left = check.n;
	if (o->repair || o->force)
		r = repair_all(&check, o->force, &repaired, &left, err);
	if (r == 0 && left > 0)
		r = err_set(err, ERR_CORRUPT, "damage detected in '%s'%s", floe_engine(inv)->root,
			    o->repair || o->force ? "" :
						    "; 'floe system check --repair' repairs it");
	return r;
}

static const struct cli_option rows[] = {
	OPT_FLAG(struct options, force, "force", 'f',
		 "repair, and remove images and containers that cannot be repaired"),
	OPT_FLAG(struct options, quick, "quick", 'q', "do not read contents"),
	OPT_FLAG(struct options, repair, "repair", 'r', "repair what can be without a loss"),
};

const struct cli_command floe_system_check_command = {
	.name = "check",
	.summary = "compare what is on disk with the records, and repair it",
	.description =
		"Prints what is wrong, one object a line. The exit code is 125 when something "
		"is wrong and stays so.",
	CLI_OPTIONS(struct options, rows),
	.min_args = 0,
	.max_args = 0,
	.run = run,
	.error_code = FLOE_EXIT_ERROR,
};
