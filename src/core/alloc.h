/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Allocation that cannot fail softly: out of memory prints one line and aborts, since every process
 * here is short-lived or supervised. Sizes that come from outside must be bounded by the caller
 * before they get here.
 */
#pragma once

#include <stddef.h>
#include <stdarg.h>

#include "core/macro.h"

void *xcalloc(size_t n, size_t size) MUST_CHECK __attribute__((malloc, alloc_size(1, 2)));
void *xmalloc(size_t size) MUST_CHECK __attribute__((malloc, alloc_size(1)));
void *xrealloc(void *p, size_t n, size_t size) MUST_CHECK __attribute__((alloc_size(2, 3)));
/* NULL gives NULL. */
char *xstrdup(const char *s) MUST_CHECK;
char *xstrndup(const char *s, size_t n) MUST_CHECK;
void *xmemdup(const void *p, size_t size) MUST_CHECK;
char *xasprintf(const char *fmt, ...) PRINTF_LIKE(1, 2) MUST_CHECK;
char *xvasprintf(const char *fmt, va_list ap) PRINTF_LIKE(1, 0) MUST_CHECK;

/*
 * Make room for one more element in an array that is only ever grown by this macro: the capacity is
 * the next power of two of the count, so none need be stored. The new element is zeroed.
 * Value: pointer to the new element; n is already counted up.
 */
#define array_push(array, n)                                                                       \
	({                                                                                         \
		(array) = array_reserve_one((array), (n), sizeof(*(array)));                       \
		&(array)[(n)++];                                                                   \
	})
void *array_reserve_one(void *array, size_t n, size_t size) MUST_CHECK;
