/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/checkpoint/preflight.h"

#include "runtime/checkpoint/preflight_check.h"
#include "runtime/checkpoint/preflight_collect.h"
#include "runtime/checkpoint/request.h"
#include "runtime/container.h"

/* An error of a checkpoint has room for a few sentences. */
#define EXPLAIN_MAX 3

/*
 * Inspect a running or paused container whose configuration is loaded. What may go away at any time
 * (processes, descriptors) is no error when it does. The caller owns *ret.
 */
static int inspect(struct preflight_report *ret, const struct container *c,
		   const struct checkpoint_options *opts, struct err *err)
{
	auto_preflight_snapshot struct preflight_snapshot s = PREFLIGHT_SNAPSHOT_INIT;
	int r = checkpoint_options_check(opts, err);

	if (r == 0)
		r = preflight_collect(&s, c, opts, err);
	if (r == 0)
		preflight_judge(ret, &s);
	return r;
}

int container_preflight(struct runtime *rt, const char *id, const struct checkpoint_options *opts,
			struct preflight_report *ret, struct err *err)
{
	auto_container struct container c = CONTAINER_INIT;
	int r = container_open(&c, rt, id, false, err);

	if (r == 0)
		r = container_require(&c, 1U << CONTAINER_RUNNING | 1U << CONTAINER_PAUSED,
				      "inspect", err);
	if (r == 0)
		r = container_load_spec(&c, err);
	if (r == 0)
		r = inspect(ret, &c, opts, err);
	return r < 0 ? err_wrap(err, r, "preflight of container '%s'", id) : 0;
}

bool preflight_explain(const struct container *c, const struct checkpoint_options *opts,
		       struct err *err)
{
	auto_preflight_report struct preflight_report report = PREFLIGHT_REPORT_INIT;

	if (inspect(&report, c, opts, NULL) < 0)
		return false;
	for (size_t i = 0; i < report.n_blockers && i < EXPLAIN_MAX; i++) {
		auto_strbuf struct strbuf text = STRBUF_INIT;

		preflight_finding_to_text(&report.blockers[i], &text);
		err_append(err, "; %s%s", i ? "" : "an inspection finds: ", text.buf);
	}
	if (report.n_blockers > EXPLAIN_MAX)
		err_append(err, "; and %zu more, see `checkpoint --dry-run`",
			   report.n_blockers - EXPLAIN_MAX);
	return report.n_blockers > 0;
}
