/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What systemd is told about a container's unit, as a list of properties with their D-Bus types. Pure.
 *
 * Limits come from the same plan of cgroup files that the runtime itself writes (plan.h): each file
 * that systemd has a property for becomes that property, whether linux.resources or its unified map
 * asked for it. systemd must know them, because it writes the files anew whenever it changes something
 * about the unit; what it has no property for is only written by the runtime.
 */
#pragma once

#include "core/json_table.h"
#include "runtime/cgroup/device_rules.h"
#include "runtime/cgroup/path.h"
#include "runtime/cgroup/plan.h"
#include "systemd/systemd_plan.h"

struct systemd_plan_facts {
	unsigned int version; /* of systemd */
	bool is_v2;
	bool for_update; /* of a unit that is there: some properties can only be given at its start */
};

/* Description, place, delegation, accounting. */
void systemd_plan_add_unit(struct systemd_plan *plan, const struct cgroup_systemd_name *name,
			   const char *id, const struct systemd_plan_facts *facts);
/*
 * The limits of a plan that cgroup_plan_round_quota() has been through. A value that is not understood
 * or that systemd would refuse is left out: the kernel will say what is wrong with it.
 */
void systemd_plan_add_limits(struct systemd_plan *plan, const struct cgroup_plan *limits,
			     const struct systemd_plan_facts *facts);
/* DevicePolicy and DeviceAllow. Rules that they cannot express are left to the kernel's filter, which
 * the runtime sets in any case: then systemd is told to allow everything. */
void systemd_plan_add_devices(struct systemd_plan *plan, const struct device_rules *rules,
			      const struct systemd_plan_facts *facts);
/* The annotations org.systemd.property.NAME; ERR_INVALID names the annotation. NAMESec with a number
 * becomes NAMEUSec, as in unit files. */
int systemd_plan_add_annotations(struct systemd_plan *plan,
				 const struct json_string_map *annotations, struct err *err);

/*
 * systemd keeps a quota as percentage of a processor, and a whole one in the unit's file. Round the
 * quotas of a plan up to whole percents, so that the cgroup's file and the property agree.
 */
void cgroup_plan_round_quota(struct cgroup_plan *limits);
