/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fault points for tests: in builds with -Dfault_points=true the environment variable FLOE_FAULT
 * names a place ("create:create cgroup") and what happens there: "...=error" (the default) or
 * "...=kill" (SIGKILL to ourselves). In other builds nothing is compiled in.
 */
#pragma once

#include "core/err.h"

#ifdef FLOE_FAULT_POINTS
int fault_point(const char *operation, const char *place, struct err *err);
#else
static inline int fault_point(const char *operation UNUSED, const char *place UNUSED,
			      struct err *err UNUSED)
{
	return 0;
}
#endif
