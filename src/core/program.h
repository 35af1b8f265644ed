/* SPDX-License-Identifier: Apache-2.0 */
/* Which file a program's name means. Results are owned by the caller; NULL: there is none. */
#pragma once

#include <stddef.h>

/* In the first of the directories that has it. */
char *program_in(const char *const *dirs, size_t n, const char *name);
/* On PATH, whose relative directories do not count; without one, in those that programs are in. */
char *program_on_path(const char *name);
/* On PATH, or in a directory that distributions have such programs in: sbin is on no user's PATH. */
char *program_find(const char *name);
