/* SPDX-License-Identifier: Apache-2.0 */
/* Questions about C strings; nothing here allocates. */
#pragma once

#include <string.h>

#include "core/macro.h"

/* Both may be NULL; NULL equals only NULL. */
static inline bool str_eq(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

/* Whether s is one of the words, which a NULL ends. */
static inline bool str_is_one_of(const char *s, const char *const *words)
{
	while (*words && !str_eq(s, *words))
		words++;
	return *words != NULL;
}

static inline bool str_is_empty(const char *s)
{
	return !s || !*s;
}

/* The rest of s after prefix, or NULL when s does not begin with it. */
static inline const char *str_skip_prefix(const char *s, const char *prefix)
{
	size_t n = strlen(prefix);

	return strncmp(s, prefix, n) == 0 ? s + n : NULL;
}

static inline bool str_has_prefix(const char *s, const char *prefix)
{
	return str_skip_prefix(s, prefix) != NULL;
}

static inline bool str_has_suffix(const char *s, const char *suffix)
{
	size_t n = strlen(s);
	size_t m = strlen(suffix);

	return n >= m && strcmp(s + n - m, suffix) == 0;
}
