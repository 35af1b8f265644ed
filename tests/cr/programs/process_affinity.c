/* SPDX-License-Identifier: Apache-2.0 */
#include <sched.h>

#include "test.h"

static void run(void)
{
	cpu_set_t before;
	cpu_set_t set;

	must(sched_getaffinity(0, sizeof(before), &before));
	if (CPU_COUNT(&before) < 2)
		skip("there is one CPU only");
	CPU_ZERO(&set);
	for (size_t i = 0; CPU_COUNT(&set) == 0; i++)
		if (CPU_ISSET(i, &before))
			CPU_SET(i, &set);
	must(sched_setaffinity(0, sizeof(set), &set));
	wait_for_restore();
	must(sched_getaffinity(0, sizeof(before), &before));
	check(CPU_EQUAL(&before, &set), "it may run on %d CPUs again", CPU_COUNT(&before));
}
PROGRAM(process_affinity, run, .subject = "CPU affinity",
	.lost = "all CPUs of the container are allowed again")
