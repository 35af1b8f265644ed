/* SPDX-License-Identifier: Apache-2.0 */
/* What systemd is told about a unit: properties with their D-Bus types, in order. Pure. */
#pragma once

#include "core/auto.h"
#include "core/strbuf.h"
#include "systemd/systemd_value.h"

struct systemd_property {
	char *name; /* owned */
	struct systemd_value value;
};

struct systemd_plan {
	struct systemd_property *v;
	size_t n;
};

#define SYSTEMD_PLAN_INIT                                                                          \
	{                                                                                          \
		0                                                                                  \
	}

void systemd_plan_done(struct systemd_plan *plan);
/* A line for each property: "MemoryMax t 67108864". */
void systemd_plan_format(const struct systemd_plan *plan, struct strbuf *sb);
/* Append a property; the value becomes the plan's. */
void systemd_plan_add(struct systemd_plan *plan, const char *name, struct systemd_value value);

DEFINE_AUTO_VAL(systemd_plan, struct systemd_plan, systemd_plan_done)
#define auto_systemd_plan auto_cleanup(systemd_plan_cleanup_val)
