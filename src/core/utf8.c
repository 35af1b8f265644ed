/* SPDX-License-Identifier: Apache-2.0 */
#include "core/utf8.h"

#include <string.h>

#include "core/strbuf.h"

static int is_in(unsigned char c, unsigned char low, unsigned char high)
{
	return c >= low && c <= high;
}

size_t utf8_sequence(const char *s, size_t n)
{
	const unsigned char *p = (const unsigned char *)s;
	unsigned char low = 0x80;
	unsigned char high = 0xbf;
	size_t len;

	if (n == 0)
		return 0;
	if (p[0] < 0x80)
		return 1;
	if (is_in(p[0], 0xc2, 0xdf))
		len = 2;
	else if (is_in(p[0], 0xe0, 0xef))
		len = 3;
	else if (is_in(p[0], 0xf0, 0xf4))
		len = 4;
	else
		return 0;
	if (n < len)
		return 0;
	/* The second byte alone tells overlong forms, surrogates and too large values. */
	if (p[0] == 0xe0)
		low = 0xa0;
	else if (p[0] == 0xed)
		high = 0x9f;
	else if (p[0] == 0xf0)
		low = 0x90;
	else if (p[0] == 0xf4)
		high = 0x8f;
	if (!is_in(p[1], low, high))
		return 0;
	for (size_t i = 2; i < len; i++)
		if (!is_in(p[i], 0x80, 0xbf))
			return 0;
	return len;
}

static int is_control(const char *s, size_t len)
{
	unsigned char c = (unsigned char)*s;

	/* U+0080 to U+009F are controls as well, U+009B the same as ESC [. */
	return len == 1 ? c < 0x20 || c == 0x7f :
			  len == 2 && c == 0xc2 && (unsigned char)s[1] < 0xa0;
}

char *utf8_printable(const char *s)
{
	struct strbuf sb = STRBUF_INIT;
	size_t left = strlen(s);

	while (left > 0) {
		size_t len = utf8_sequence(s, left);

		if (len > 0 && !is_control(s, len)) {
			strbuf_add(&sb, s, len);
		} else if (*s == '\n' || *s == '\t') {
			strbuf_adds(&sb, *s == '\n' ? "\\n" : "\\t");
		} else {
			len = len > 0 ? len : 1;
			for (size_t i = 0; i < len; i++)
				strbuf_addf(&sb, "\\x%02x", (unsigned char)s[i]);
		}
		s += len;
		left -= len;
	}
	return strbuf_take(&sb);
}
