/* SPDX-License-Identifier: Apache-2.0 */
/* Errors for the user. */
#pragma once

#include "core/err.h"

/* "Error: TEXT" on standard error, as podman has it: for one of several things that went wrong while the command goes
 * on, and for what main() ends with. */
void report_error(const struct err *err);
