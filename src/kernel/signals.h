/* SPDX-License-Identifier: Apache-2.0 */
/* Names of signals (signal(7)). */
#pragma once

#include "core/macro.h"

#define SIGNALS_NAME_MAX 16

/* "TERM", "SIGTERM", "sigterm", "15", "0", "SIGRTMIN+3", "RTMAX-1": the number (0 to 64, kernel
 * numbering: SIGRTMIN is the C library's), or -EINVAL. */
int signals_from_string(const char *s);
/* "SIGTERM", "SIGRTMIN+3"; the number in decimal when it has no name. */
void signals_to_string(int sig, char ret[static SIGNALS_NAME_MAX]);
