/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Long operations as tables of stages: { "create cgroup", run, undo }. The runner goes through them
 * in order; when one fails, the undo functions of that one and of those before it run, newest first.
 * It traces each stage with its elapsed time at debug level, and each boundary is a fault point.
 */
#pragma once

#include "core/err.h"

struct stage {
	const char *name; /* "create cgroup": what is being done, for traces and fault points */
	int (*run)(void *context, struct err *err);
	/* Cannot fail, and must accept a stage that was done in part or not at all; NULL: nothing. */
	void (*undo)(void *context);
};

/* operation: "create", for traces. The error of the failing stage is returned as it is. */
int stages_run(const char *operation, const struct stage *stages, size_t n, void *context,
	       struct err *err);
