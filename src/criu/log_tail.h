/* SPDX-License-Identifier: Apache-2.0 */
/* Reading CRIU's log (dump.log, restore.log) after a failure. */
#pragma once

#include "core/macro.h"

/*
 * What a line of the log says, without the time stamp, the process number, "Error (file.c:123): " or
 * "Warn  (...): ", and the end of line. The caller owns it.
 */
char *criu_log_strip(const char *line) MUST_CHECK;

/* Whether an error line is one of those that CRIU writes also when it goes on and succeeds. */
bool criu_log_is_noise(const char *line);
