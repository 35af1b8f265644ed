/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/resource.h>

#include "test.h"

static void run(void)
{
	struct rlimit now;
	struct rlimit before[RLIM_NLIMITS];

	for (int i = 0; i < RLIM_NLIMITS; i++) {
		must(getrlimit((__rlimit_resource_t)i, &before[i]));
		if (before[i].rlim_max == RLIM_INFINITY)
			before[i].rlim_cur = before[i].rlim_max = 1000000000 + (rlim_t)i;
		else if (before[i].rlim_max > 100)
			before[i].rlim_cur = before[i].rlim_max - 10;
		must(setrlimit((__rlimit_resource_t)i, &before[i]));
	}
	wait_for_restore();
	for (int i = 0; i < RLIM_NLIMITS; i++) {
		must(getrlimit((__rlimit_resource_t)i, &now));
		check(now.rlim_cur == before[i].rlim_cur && now.rlim_max == before[i].rlim_max,
		      "limit %d is %llu/%llu instead of %llu/%llu", i,
		      (unsigned long long)now.rlim_cur, (unsigned long long)now.rlim_max,
		      (unsigned long long)before[i].rlim_cur,
		      (unsigned long long)before[i].rlim_max);
	}
}
PROGRAM(process_limits, run, .subject = "resource limits")
