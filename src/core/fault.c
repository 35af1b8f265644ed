/* SPDX-License-Identifier: Apache-2.0 */
#include "core/fault.h"

#ifdef FLOE_FAULT_POINTS

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/auto.h"
#include "core/str.h"

int fault_point(const char *operation, const char *place, struct err *err)
{
	const char *wanted = getenv("FLOE_FAULT");
	auto_free char *here = NULL;
	const char *rest;

	if (!wanted)
		return 0;
	here = xasprintf("%s:%s", operation, place);
	rest = str_skip_prefix(wanted, here);
	if (!rest || (*rest && *rest != '='))
		return 0;
	if (strcmp(rest, "=kill") == 0)
		(void)kill(getpid(), SIGKILL);
	return err_set(err, ERR_INTERNAL, "fault injected at '%s'", here);
}

bool fault_feature_is_disabled(const char *name)
{
	const char *list = getenv("FLOE_TEST_DISABLE");
	size_t len = strlen(name);

	while (list && *list) {
		size_t n = strcspn(list, ",");

		if (n == len && memcmp(list, name, n) == 0)
			return true;
		list += n;
		list += *list == ',';
	}
	return false;
}

#else

/* ISO C forbids an empty translation unit. */
extern int fault_points_are_off;

#endif
