/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What CRIU's error messages mean. CRIU tells where it stopped; these rules tell why that is so and
 * what lifts it. The texts are those of CRIU 3.15 to 4.2.
 */
#pragma once

#include <stddef.h>

#include "core/macro.h"

struct criu_log_rule {
	const char *pattern; /* POSIX extended regular expression for a stripped line */
	const char *cause; /* one sentence without a full stop; $1 to $4 are the groups */
	const char *option; /* option of CRIU that lifts it ("tcp-established"); NULL: none */
	const char *remedy; /* something else to do, after or instead of it; NULL: nothing */
};

/* The first rule that fits a line is its meaning. */
extern const struct criu_log_rule criu_log_rules[];
extern const size_t criu_log_n_rules;
