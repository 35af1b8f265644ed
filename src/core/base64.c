/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base64.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

static int value_of(char c)
{
	static const char alphabet[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *place = c ? strchr(alphabet, c) : NULL;

	return place ? (int)(place - alphabet) : -1;
}

/* n characters of a group stand for n - 1 bytes; what is left over must be 0. */
static int add_group(unsigned int bits, int n, struct strbuf *ret)
{
	unsigned int all = bits << (6 * (4 - n));

	if (n == 1 || (all & ((1U << (8 * (4 - n))) - 1)))
		return -EINVAL;
	for (int i = 0; i < n - 1; i++)
		strbuf_addc(ret, (char)(all >> (16 - 8 * i) & 0xff));
	return 0;
}

int base64_decode(const char *text, struct strbuf *ret)
{
	unsigned int bits = 0;
	int n = 0;
	int r;

	for (; *text && *text != '='; text++) {
		int value = value_of(*text);

		if (isspace((unsigned char)*text))
			continue;
		if (value < 0)
			return -EINVAL;
		bits = bits << 6 | (unsigned int)value;
		if (++n < 4)
			continue;
		r = add_group(bits, 4, ret);
		if (r < 0)
			return r;
		bits = 0;
		n = 0;
	}
	text += strspn(text, "=");
	text += strspn(text, " \t\r\n");
	if (*text)
		return -EINVAL;
	return n ? add_group(bits, n, ret) : 0;
}

void base64_encode(const void *data, size_t len, struct strbuf *ret)
{
	static const char alphabet[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const unsigned char *p = data;

	for (size_t i = 0; i < len; i += 3) {
		size_t n = MIN(len - i, (size_t)3);
		unsigned int v = (unsigned int)p[i] << 16;

		if (n > 1)
			v |= (unsigned int)p[i + 1] << 8;
		if (n > 2)
			v |= p[i + 2];
		strbuf_addc(ret, alphabet[v >> 18]);
		strbuf_addc(ret, alphabet[v >> 12 & 63]);
		strbuf_addc(ret, n > 1 ? alphabet[v >> 6 & 63] : '=');
		strbuf_addc(ret, n > 2 ? alphabet[v & 63] : '=');
	}
}
