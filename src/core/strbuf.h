/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A growing string. `buf` is always a valid, NUL-terminated string (a static empty one at first);
 * `len` does not count the NUL. The struct owns its memory.
 */
#pragma once

#include <stdarg.h>

#include "core/auto.h"
#include "core/macro.h"

struct strbuf {
	char *buf;
	size_t len;
	size_t capacity; /* 0: buf is the static empty string */
};

extern char strbuf_empty[1];
#define STRBUF_INIT                                                                                \
	{                                                                                          \
		.buf = strbuf_empty                                                                \
	}

void strbuf_done(struct strbuf *sb);
/* Forget the content, keep the memory. */
void strbuf_clear(struct strbuf *sb);
/* The content as malloc'ed string, which the caller owns; the buffer is empty afterwards. */
char *strbuf_take(struct strbuf *sb);

void strbuf_add(struct strbuf *sb, const void *data, size_t len);
void strbuf_adds(struct strbuf *sb, const char *s);
void strbuf_addc(struct strbuf *sb, char c);
void strbuf_addf(struct strbuf *sb, const char *fmt, ...) PRINTF_LIKE(2, 3);
void strbuf_vaddf(struct strbuf *sb, const char *fmt, va_list ap) PRINTF_LIKE(2, 0);
/* Cut to len bytes; len must not exceed the current length. */
void strbuf_truncate(struct strbuf *sb, size_t len);
/* Room for `more` further bytes at buf + len; to be counted by strbuf_advance(). */
char *strbuf_reserve(struct strbuf *sb, size_t more);
void strbuf_advance(struct strbuf *sb, size_t len);

DEFINE_AUTO_VAL(strbuf, struct strbuf, strbuf_done)
#define auto_strbuf auto_cleanup(strbuf_cleanup_val)
