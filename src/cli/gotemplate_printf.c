/* SPDX-License-Identifier: Apache-2.0 */
/* The verbs of Go's fmt, for what JSON has. */
#include "cli/gotemplate_internal.h"

#include <ctype.h>
#include <stdlib.h>

#include "core/alloc.h"
#include "core/json_table.h"

/* Widths in templates are a user's, and memory is not endless. */
#define GT_WIDTH_MAX 4096

bool gt_is_number(struct json_object *v)
{
	return json_object_is_type(v, json_type_int) || json_object_is_type(v, json_type_double);
}

void gt_add_spaces(struct strbuf *sb, int64_t n)
{
	for (int64_t i = 0; i < MIN(n, GT_WIDTH_MAX); i++)
		strbuf_addc(sb, ' ');
}

struct spec {
	bool minus;
	bool zero;
	bool plus;
	bool sharp;
	bool space;
	int64_t width;
	int64_t precision; /* -1: none */
	char verb;
};

static const char *read_spec(const char *p, struct spec *s)
{
	*s = (struct spec){ .precision = -1 };
	for (; *p && strchr("-0+# ", *p); p++) {
		s->minus |= *p == '-';
		s->zero |= *p == '0';
		s->plus |= *p == '+';
		s->sharp |= *p == '#';
		s->space |= *p == ' ';
	}
	for (; isdigit((unsigned char)*p); p++)
		s->width = MIN(s->width * 10 + (*p - '0'), (int64_t)GT_WIDTH_MAX);
	if (*p == '.')
		for (p++, s->precision = 0; isdigit((unsigned char)*p); p++)
			s->precision = MIN(s->precision * 10 + (*p - '0'), (int64_t)GT_WIDTH_MAX);
	s->verb = *p;
	return *p ? p + 1 : p;
}

static void format_text(const struct spec *s, struct json_object *v, struct strbuf *sb)
{
	if (s->verb == 'q') {
		auto_strbuf struct strbuf text = STRBUF_INIT;
		struct json_object *copy;
		auto_free char *quoted = NULL;

		gt_print(v, &text);
		copy = json_object_new_string_len(text.buf, (int)text.len);
		quoted = json_value_to_text(copy, JSON_COMPACT);
		json_object_put(copy);
		strbuf_adds(sb, quoted);
		return;
	}
	gt_print(v, sb);
	if (s->precision >= 0 && (size_t)s->precision < sb->len)
		strbuf_truncate(sb, (size_t)s->precision);
}

static void format_based(const struct spec *s, int64_t value, struct strbuf *sb)
{
	unsigned long long size = value < 0 ? 0 - (unsigned long long)value :
					      (unsigned long long)value;

	if (value < 0)
		strbuf_addc(sb, '-');
	if (s->sharp)
		strbuf_adds(sb, s->verb == 'x' ? "0x" : s->verb == 'X' ? "0X" : "0");
	strbuf_addf(sb, s->verb == 'x' ? "%llx" : s->verb == 'X' ? "%llX" : "%llo", size);
}

static void format_double(const struct spec *s, double value, struct strbuf *sb)
{
	int precision = s->precision < 0 ? 6 : (int)s->precision;

	if (s->verb == 'f')
		strbuf_addf(sb, "%.*f", precision, value);
	else if (s->verb == 'e')
		strbuf_addf(sb, "%.*e", precision, value);
	else
		strbuf_addf(sb, "%.*g", precision, value);
}

static int format_one(const struct spec *s, struct json_object *v, struct strbuf *sb)
{
	long long i = json_object_get_int64(v);

	switch (s->verb) {
	case 's':
	case 'v':
	case 'q':
		format_text(s, v, sb);
		return 0;
	case 't':
		strbuf_adds(sb, gt_is_true(v) ? "true" : "false");
		return 0;
	case 'd':
		if (!json_object_is_type(v, json_type_int))
			return -EINVAL;
		strbuf_addf(sb, s->plus ? "%+lld" : s->space ? "% lld" : "%lld", i);
		return 0;
	case 'x':
	case 'X':
	case 'o':
		if (!json_object_is_type(v, json_type_int))
			return -EINVAL;
		format_based(s, i, sb);
		return 0;
	case 'f':
	case 'g':
	case 'e':
		if (!gt_is_number(v))
			return -EINVAL;
		format_double(s, json_object_get_double(v), sb);
		return 0;
	default:
		return -EINVAL;
	}
}

static void pad_to(const struct spec *s, const struct strbuf *text, struct strbuf *out)
{
	int64_t missing = s->width - (int64_t)text->len;

	if (!s->minus && missing > 0) {
		if (s->zero)
			for (int64_t i = 0; i < missing; i++)
				strbuf_addc(out, '0');
		else
			gt_add_spaces(out, missing);
	}
	strbuf_adds(out, text->buf);
	if (s->minus)
		gt_add_spaces(out, missing);
}

int gt_printf(const char *format, struct json_object **args, size_t n, struct strbuf *out,
	      const char **ret_wrong)
{
	size_t next = 0;

	for (const char *p = format; *p;) {
		auto_strbuf struct strbuf text = STRBUF_INIT;
		struct spec spec;

		if (*p != '%') {
			strbuf_addc(out, *p++);
			continue;
		}
		p = read_spec(p + 1, &spec);
		if (spec.verb == '%') {
			strbuf_addc(out, '%');
			continue;
		}
		*ret_wrong = "an argument is missing";
		if (next >= n)
			return -EINVAL;
		*ret_wrong = "an argument does not fit the format";
		if (format_one(&spec, args[next++], &text) < 0)
			return -EINVAL;
		pad_to(&spec, &text, out);
	}
	*ret_wrong = "more arguments than the format has";
	return next < n ? -EINVAL : 0;
}
