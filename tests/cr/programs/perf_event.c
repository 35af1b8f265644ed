/* SPDX-License-Identifier: Apache-2.0 */
#include <linux/perf_event.h>
#include <sys/syscall.h>

#include "test.h"

static void run(void)
{
	struct perf_event_attr attributes = { .type = PERF_TYPE_SOFTWARE,
					      .size = sizeof(attributes),
					      .config = PERF_COUNT_SW_TASK_CLOCK,
					      .exclude_kernel = 1 };

	if (syscall(SYS_perf_event_open, &attributes, 0, -1, -1, 0) < 0)
		skip("performance events are not allowed here: %s", strerror(errno));
	wait_for_restore();
}
PROGRAM(perf_event, run, .subject = "performance counters",
	.refused = "of a kind that CRIU cannot keep (anon anon_inode:[perf_event])")
