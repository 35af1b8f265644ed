/* SPDX-License-Identifier: Apache-2.0 */
/*
 * linux.intelRdt: a group in the kernel's resctrl file system (Documentation/arch/x86/resctrl.rst) that
 * allots cache and memory bandwidth to the container, and one that measures what it uses.
 *
 *   closID absent   a group with the container's id, made and removed with it
 *   closID given    that group; made when it is missing and there is something to write into it, and
 *                   never removed. One that is there must have the allotment that is asked for.
 *   "/"             the default group
 */
#pragma once

#include <sys/types.h>

#include "core/err.h"
#include "core/strvec.h"
#include "spec/runtime_linux.h"

struct resctrl_plan {
	char *group; /* its directory; NULL: no intelRdt */
	char *monitor; /* directory of the monitoring group; NULL: none */
	struct strvec schemata; /* lines, in order of writing: "L3:0=f;1=f" */
	bool is_own; /* the group is the container's */
	const char *prefix; /* borrowed; NULL but in tests */
};

#define RESCTRL_PLAN_INIT                                                                          \
	{                                                                                          \
		0                                                                                  \
	}

/*
 * Where resctrl is mounted, by /proc/self/mountinfo, and what is to be done there; rdt NULL: nothing.
 * ERR_UNSUPPORTED when it is not mounted. prefix: NULL, or for tests a directory with
 * proc/self/mountinfo, below which all paths are taken and missing files of groups are made.
 */
int resctrl_plan_make(struct resctrl_plan *ret, const struct oci_intel_rdt *rdt, const char *id,
		      const char *prefix, struct err *err);
void resctrl_plan_done(struct resctrl_plan *plan);

/*
 * Make the groups and put the (single-threaded) process into them. *ret_made is the directory that
 * resctrl_remove() takes when the container ends; NULL when there is none; owned by the caller. On
 * failure nothing is left.
 */
int resctrl_enter(const struct resctrl_plan *plan, pid_t pid, char **ret_made, struct err *err);
/* Put another process of a container into its groups (exec). Groups that are gone are passed over. */
int resctrl_join(const struct resctrl_plan *plan, pid_t pid, struct err *err);
/*
 * Other schemata for a group that is there (update), also for one that others made: it is asked for.
 * *ret_old (may be NULL) is what undoes it, for resctrl_restore(); owned by the caller. On failure the
 * group is as it was.
 */
int resctrl_rewrite(const struct resctrl_plan *plan, char **ret_old, struct err *err);
int resctrl_restore(const struct resctrl_plan *plan, const char *old, struct err *err);
/* What resctrl_enter() would have made, for a container whose record was never written; borrowed, NULL
 * when there is nothing. */
const char *resctrl_plan_made(const struct resctrl_plan *plan);
/* Also 0 when it is gone. */
int resctrl_remove(const char *path, struct err *err);

DEFINE_AUTO_VAL(resctrl_plan, struct resctrl_plan, resctrl_plan_done)
#define auto_resctrl_plan auto_cleanup(resctrl_plan_cleanup_val)
