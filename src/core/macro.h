/* SPDX-License-Identifier: Apache-2.0 */
/* Small macros that every file may use; nothing here knows any domain. */
#pragma once

#include <stddef.h>
#include <stdbool.h>
#include <stdint.h>

#define ARRAY_SIZE(a)                                                                              \
	(sizeof(a) / sizeof((a)[0]) +                                                              \
	 sizeof(char[1 - 2 * !!__builtin_types_compatible_p(typeof(a), typeof(&(a)[0]))]) - 1)

#define MIN(a, b)                                                                                  \
	({                                                                                         \
		__auto_type min_a_ = (a);                                                          \
		__auto_type min_b_ = (b);                                                          \
		min_a_ < min_b_ ? min_a_ : min_b_;                                                 \
	})

#define MAX(a, b)                                                                                  \
	({                                                                                         \
		__auto_type max_a_ = (a);                                                          \
		__auto_type max_b_ = (b);                                                          \
		max_a_ > max_b_ ? max_a_ : max_b_;                                                 \
	})

#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))
#define MUST_CHECK __attribute__((warn_unused_result))
#define UNUSED __attribute__((unused))
#define NORETURN __attribute__((noreturn))

/* Repeat a system call that a signal interrupted; for calls that return -1 and set errno. */
#define RETRY_EINTR(call)                                                                          \
	({                                                                                         \
		typeof(call) retry_r_;                                                             \
		do {                                                                               \
			retry_r_ = (call);                                                         \
		} while (retry_r_ == -1 && errno == EINTR);                                        \
		retry_r_;                                                                          \
	})
