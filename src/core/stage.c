/* SPDX-License-Identifier: Apache-2.0 */
#include "core/stage.h"

#include "core/clock.h"
#include "core/fault.h"
#include "core/log.h"

static int run_one(const char *operation, const struct stage *stage, void *context, struct err *err)
{
	uint64_t start = log_is_enabled(LOG_LEVEL_DEBUG) ? clock_now_monotonic_ns() : 0;
	int r = fault_point(operation, stage->name, err);

	if (r == 0)
		r = stage->run(context, err);
	if (start)
		log_debug("%s: %s: %s after %.3f ms", operation, stage->name,
			  r < 0 ? "failed" : "done",
			  (double)(clock_now_monotonic_ns() - start) / (double)NSEC_PER_MSEC);
	return r;
}

int stages_run(const char *operation, const struct stage *stages, size_t n, void *context,
	       struct err *err)
{
	for (size_t i = 0; i < n; i++) {
		int r = run_one(operation, &stages[i], context, err);

		if (r >= 0)
			continue;
		for (size_t j = i + 1; j-- > 0;) {
			if (!stages[j].undo)
				continue;
			log_debug("%s: undo %s", operation, stages[j].name);
			stages[j].undo(context);
		}
		return r;
	}
	return 0;
}
