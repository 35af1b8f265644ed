/* SPDX-License-Identifier: Apache-2.0 */
/* Questions before much is taken away. */
#pragma once

#include "core/err.h"

/*
 * Print the warning on standard output, ask whether to go on, and read the answer: 1 for y, 0 for anything else. ERR_USAGE when
 * there is none, as in a script without --force.
 */
int confirm(const char *warning, struct err *err);
