/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of variables, "NAME=VALUE" each, as containers have them. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* What PATH is where nobody says. */
#define ENVIRONMENT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* NAME=VALUE in place of what the list says of NAME. */
void environment_set(char ***env, size_t *n, const char *entry);
/* name may be an entry too; nothing when the list does not have it. */
void environment_unset(char **env, size_t *n, const char *name);
/* name: up to its "=", if there is one. */
bool environment_has(char *const *env, size_t n, const char *name);
/* The text with $NAME and ${NAME} replaced by what the list says, nothing for what it does not have; caller
 * owns. */
char *environment_expand(const char *text, char *const *env, size_t n);
