/* SPDX-License-Identifier: Apache-2.0 */
#include "core/parse.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <strings.h>
#include <string.h>

int parse_u64_base(const char *s, int base, uint64_t *ret)
{
	unsigned long long v;
	char *end;

	/* strtoull takes spaces and signs; a value of ours has neither. */
	if (!isxdigit((unsigned char)s[0]))
		return -EINVAL;
	errno = 0;
	v = strtoull(s, &end, base);
	if (end == s || *end)
		return -EINVAL;
	if (errno == ERANGE)
		return -ERANGE;
	*ret = v;
	return 0;
}

int parse_u64(const char *s, uint64_t *ret)
{
	return parse_u64_base(s, 10, ret);
}

int parse_u32(const char *s, uint32_t *ret)
{
	uint64_t v;
	int r = parse_u64(s, &v);

	if (r < 0)
		return r;
	if (v > UINT32_MAX)
		return -ERANGE;
	*ret = (uint32_t)v;
	return 0;
}

int parse_i64(const char *s, int64_t *ret)
{
	bool negative = s[0] == '-';
	uint64_t v;
	int r = parse_u64(s + negative, &v);

	if (r < 0)
		return r;
	if (v > (uint64_t)INT64_MAX + negative)
		return -ERANGE;
	*ret = negative ? (int64_t)(0 - v) : (int64_t)v;
	return 0;
}

int parse_bool(const char *s, bool *ret)
{
	static const struct {
		const char *text;
		bool v;
	} words[] = {
		{ "true", true }, { "yes", true },    { "on", true },  { "1", true },
		{ "t", true },	  { "false", false }, { "no", false }, { "off", false },
		{ "0", false },	  { "f", false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (strcasecmp(s, words[i].text) == 0) {
			*ret = words[i].v;
			return 0;
		}
	}
	return -EINVAL;
}

/* Digits with an optional fraction; *end points behind them. */
static int parse_decimal(const char *s, double *ret, const char **end)
{
	char *e;

	if (!isdigit((unsigned char)s[0]) && s[0] != '.')
		return -EINVAL;
	if (s[0] == '0' && (s[1] == 'x' || s[1] == 'X'))
		return -EINVAL;
	*ret = strtod(s, &e);
	if (e == s)
		return -EINVAL;
	*end = e;
	return 0;
}

static int parse_size_base(const char *s, unsigned int base, uint64_t *ret_bytes)
{
	static const char units[] = "kmgtp";
	const char *end;
	const char *unit;
	double v;
	int r = parse_u64(s, ret_bytes);

	if (r == 0 || r == -ERANGE)
		return r;
	r = parse_decimal(s, &v, &end);
	if (r < 0)
		return r;
	if (*end == ' ')
		end++;
	unit = *end ? strchr(units, tolower((unsigned char)*end)) : NULL;
	if (unit) {
		for (const char *u = units; u <= unit; u++)
			v *= base;
		end++;
		if (tolower((unsigned char)*end) == 'i' && tolower((unsigned char)end[1]) == 'b')
			end++;
	}
	if (tolower((unsigned char)*end) == 'b')
		end++;
	if (*end)
		return -EINVAL;
	if (v >= 18446744073709551616.0)
		return -ERANGE;
	*ret_bytes = (uint64_t)v;
	return 0;
}

int parse_size(const char *s, uint64_t *ret_bytes)
{
	return parse_size_base(s, 1024, ret_bytes);
}

int parse_size_decimal(const char *s, uint64_t *ret_bytes)
{
	return parse_size_base(s, 1000, ret_bytes);
}

int parse_duration(const char *s, uint64_t *ret_ns)
{
	static const struct {
		const char *unit;
		double ns;
	} units[] = { { "ns", 1 },  { "us", 1e3 }, { "ms", 1e6 },
		      { "s", 1e9 }, { "m", 60e9 }, { "h", 3600e9 } };
	double total = 0;

	if (strcmp(s, "0") == 0) {
		*ret_ns = 0;
		return 0;
	}
	if (!*s)
		return -EINVAL;
	while (*s) {
		size_t len;
		size_t i;
		double v;
		int r = parse_decimal(s, &v, &s);

		if (r < 0)
			return r;
		len = strcspn(s, "0123456789.");
		for (i = 0; i < ARRAY_SIZE(units); i++)
			if (strlen(units[i].unit) == len && strncmp(s, units[i].unit, len) == 0)
				break;
		if (i == ARRAY_SIZE(units))
			return -EINVAL;
		total += v * units[i].ns;
		s += len;
	}
	if (total >= 9223372036854775808.0)
		return -ERANGE;
	*ret_ns = (uint64_t)total;
	return 0;
}

bool parse_is_name(const char *s)
{
	if (!isalnum((unsigned char)*s))
		return false;
	for (; *s; s++)
		if (!isalnum((unsigned char)*s) && !strchr("_.-", *s))
			return false;
	return true;
}
