/* SPDX-License-Identifier: Apache-2.0 */
/* Limits for the v1 controllers. Pure. */
#pragma once

#include "runtime/cgroup/device_rules.h"
#include "runtime/cgroup/plan.h"

/*
 * Append the writes for all limits of res; not those for devices. ERR_INVALID: a value out of
 * range, unified (which is v2 only).
 */
int cgroup_plan_v1(struct cgroup_plan *plan, const struct oci_resources *res, struct err *err);
/* Append devices.allow and devices.deny writes. ERR_UNSUPPORTED as device_exceptions_from_rules(). */
int cgroup_plan_v1_devices(struct cgroup_plan *plan, const struct device_rules *rules,
			   struct err *err);
