/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of CPUs and of memory nodes as the kernel writes them: "0-3,8". */
#pragma once

#include "core/macro.h"

/* 1: every number of `list` is in `available`; 0: one of them is not; -EINVAL: one of the two is no such list. */
int cpu_list_is_within(const char *list, const char *available);
