/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A list of strings that it owns. `v` is NULL-terminated as soon as it holds anything, so that it
 * can serve as argv or envp; an empty list has v == NULL or v[0] == NULL.
 */
#pragma once

#include "core/auto.h"
#include "core/macro.h"

struct strvec {
	char **v;
	size_t n;
};

#define STRVEC_INIT                                                                                \
	{                                                                                          \
		0                                                                                  \
	}

void strvec_done(struct strvec *sv);
/* Append a copy of s. */
void strvec_add(struct strvec *sv, const char *s);
/* Append s itself: the list owns it from now on. */
void strvec_add_take(struct strvec *sv, char *s);
void strvec_addf(struct strvec *sv, const char *fmt, ...) PRINTF_LIKE(2, 3);
void strvec_add_all(struct strvec *sv, char *const *v, size_t n);
/* Remove element i; the others keep their order. */
void strvec_remove(struct strvec *sv, size_t i);
/* By the bytes of the strings. */
void strvec_sort(struct strvec *sv);
bool strvec_contains(const struct strvec *sv, const char *s);
/* Split s at each occurrence of sep; empty parts are kept only when keep_empty. */
void strvec_split(struct strvec *sv, const char *s, char sep, bool keep_empty);
/* The elements with sep between them; the caller owns the string. */
char *strvec_join(const struct strvec *sv, const char *sep);

DEFINE_AUTO_VAL(strvec, struct strvec, strvec_done)
#define auto_strvec auto_cleanup(strvec_cleanup_val)
