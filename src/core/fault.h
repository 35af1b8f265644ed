/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fault points for tests: in builds with -Dfault_points=true the environment variable FLOE_FAULT
 * names a place ("create:create cgroup") and what happens there: "...=error" (the default) or
 * "...=kill" (SIGKILL to ourselves). In other builds nothing is compiled in.
 *
 * Likewise FLOE_TEST_DISABLE names features of the kernel ("openat2,pidfd") that such a build acts
 * as if it did not have, so that the fall-backs can be tested end to end; their names are those of
 * kernel/syscalls.c.
 */
#pragma once

#include "core/err.h"

#ifdef FLOE_FAULT_POINTS
int fault_point(const char *operation, const char *place, struct err *err);
bool fault_feature_is_disabled(const char *name);
#else
static inline int fault_point(const char *operation UNUSED, const char *place UNUSED,
			      struct err *err UNUSED)
{
	return 0;
}

static inline bool fault_feature_is_disabled(const char *name UNUSED)
{
	return false;
}
#endif
