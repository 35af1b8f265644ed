/* SPDX-License-Identifier: Apache-2.0 */
/* Names that have been met. */
#pragma once

#include "core/auto.h"
#include "core/macro.h"

struct name_set {
	char **table; /* open addressing; owned */
	size_t n_table; /* a power of two, or 0 */
	size_t n;
};

/* Keep a copy of name; false when it is there already. */
bool name_set_add(struct name_set *set, const char *name);
void name_set_done(struct name_set *set);
