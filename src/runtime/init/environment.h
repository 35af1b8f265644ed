/* SPDX-License-Identifier: Apache-2.0 */
/* The environment of the container's process, as runc builds it. */
#pragma once

#include <stdint.h>

#include "core/err.h"
#include "core/strvec.h"

/*
 * env (n entries, "NAME=value"), then extra (NULL: none; LISTEN_FDS=... and the like), where the last
 * of several entries with one name wins and keeps its place. An empty HOME counts as none. ERR_INVALID
 * for an entry without "=" or with an empty name. *ret is empty or initialised by the caller; entries
 * are added to it.
 */
int environment_build(struct strvec *ret, char *const *env, size_t n, const struct strvec *extra,
		      struct err *err);
/*
 * Add HOME when env has none: the home directory of uid in /etc/passwd of the calling process's root
 * (so: after pivot_root), read without the C library's name services, whose configuration and modules
 * would be the image's; "/" when it has no entry.
 */
void environment_add_home(struct strvec *env, uint32_t uid);
/* The value of a variable; NULL when it is not there. */
const char *environment_get(const struct strvec *env, const char *name);
