/* SPDX-License-Identifier: Apache-2.0 */
#include "core/strbuf.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "core/alloc.h"

char strbuf_empty[1];

void strbuf_done(struct strbuf *sb)
{
	if (sb->capacity)
		free(sb->buf);
	*sb = (struct strbuf)STRBUF_INIT;
}

void strbuf_clear(struct strbuf *sb)
{
	strbuf_truncate(sb, 0);
}

char *strbuf_take(struct strbuf *sb)
{
	char *s = sb->capacity ? sb->buf : xstrdup("");

	*sb = (struct strbuf)STRBUF_INIT;
	return s;
}

char *strbuf_reserve(struct strbuf *sb, size_t more)
{
	size_t need = sb->len + more + 1;

	assert(need > more);
	if (need > sb->capacity) {
		size_t capacity = MAX(need, sb->capacity * 2);

		capacity = MAX(capacity, (size_t)64);
		sb->buf = xrealloc(sb->capacity ? sb->buf : NULL, capacity, 1);
		sb->capacity = capacity;
		sb->buf[sb->len] = '\0';
	}
	return sb->buf + sb->len;
}

void strbuf_advance(struct strbuf *sb, size_t len)
{
	assert(len == 0 || sb->len + len < sb->capacity);
	sb->len += len;
	if (sb->capacity)
		sb->buf[sb->len] = '\0';
}

void strbuf_add(struct strbuf *sb, const void *data, size_t len)
{
	if (len == 0)
		return;
	memcpy(strbuf_reserve(sb, len), data, len);
	strbuf_advance(sb, len);
}

void strbuf_adds(struct strbuf *sb, const char *s)
{
	strbuf_add(sb, s, strlen(s));
}

void strbuf_addc(struct strbuf *sb, char c)
{
	strbuf_add(sb, &c, 1);
}

void strbuf_vaddf(struct strbuf *sb, const char *fmt, va_list ap)
{
	va_list again;
	int len;

	va_copy(again, ap);
	len = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	assert(len >= 0);
	(void)vsnprintf(strbuf_reserve(sb, (size_t)len), (size_t)len + 1, fmt, ap);
	strbuf_advance(sb, (size_t)len);
}

void strbuf_addf(struct strbuf *sb, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	strbuf_vaddf(sb, fmt, ap);
	va_end(ap);
}

void strbuf_truncate(struct strbuf *sb, size_t len)
{
	assert(len <= sb->len);
	sb->len = len;
	if (sb->capacity)
		sb->buf[len] = '\0';
}
