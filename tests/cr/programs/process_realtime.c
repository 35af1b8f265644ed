/* SPDX-License-Identifier: Apache-2.0 */
#include <sched.h>

#include "test.h"

static void run(void)
{
	struct sched_param parameters = { .sched_priority = 3 };

	if (sched_setscheduler(0, SCHED_RR, &parameters) < 0)
		skip("real-time scheduling is not allowed here: %s", strerror(errno));
	wait_for_restore();
	check(sched_getscheduler(0) == SCHED_RR, "the policy is %d", sched_getscheduler(0));
	must(sched_getparam(0, &parameters));
	check(parameters.sched_priority == 3, "the priority is %d", parameters.sched_priority);
}
PROGRAM(process_realtime, run, .subject = "real-time scheduling")
