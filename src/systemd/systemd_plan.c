/* SPDX-License-Identifier: Apache-2.0 */
#include "systemd/systemd_plan.h"

#include <stdlib.h>

#include "core/alloc.h"

void systemd_plan_done(struct systemd_plan *plan)
{
	for (size_t i = 0; i < plan->n; i++) {
		free(plan->v[i].name);
		systemd_value_done(&plan->v[i].value);
	}
	free(plan->v);
	*plan = (struct systemd_plan)SYSTEMD_PLAN_INIT;
}

void systemd_plan_format(const struct systemd_plan *plan, struct strbuf *sb)
{
	for (size_t i = 0; i < plan->n; i++) {
		strbuf_addf(sb, "%s ", plan->v[i].name);
		systemd_value_format(&plan->v[i].value, sb);
		strbuf_addc(sb, '\n');
	}
}

void systemd_plan_add(struct systemd_plan *plan, const char *name, struct systemd_value value)
{
	*array_push(plan->v, plan->n) =
		(struct systemd_property){ .name = xstrdup(name), .value = value };
}
