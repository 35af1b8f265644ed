/* SPDX-License-Identifier: Apache-2.0 */
/* Names of resource limits (getrlimit(2)). */
#pragma once

#include <stddef.h>

#include "core/macro.h"

#define RLIMITS_MAX 16

/* Number of "RLIMIT_NOFILE"; -EINVAL when there is no such name. */
int rlimits_from_name(const char *name);
/* NULL for an unknown number. Static. */
const char *rlimits_to_name(int resource);
