/* SPDX-License-Identifier: Apache-2.0 */
#include "systemd/systemd_value.h"

#include <inttypes.h>

#include "core/alloc.h"
#include "core/str.h"

#define USEC_PER_SEC 1000000U

void systemd_value_done(struct systemd_value *value)
{
	for (size_t i = 0; i < value->n; i++)
		systemd_value_done(&value->child[i]);
	free(value->child);
	free(value->signature);
	free(value->s);
	*value = (struct systemd_value)SYSTEMD_VALUE_INIT;
}

/* --- making -------------------------------------------------------------------------------- */

struct systemd_value systemd_value_bool(bool b)
{
	return (struct systemd_value){ .signature = xstrdup("b"), .u = b };
}

struct systemd_value systemd_value_u64(uint64_t u)
{
	return (struct systemd_value){ .signature = xstrdup("t"), .u = u };
}

struct systemd_value systemd_value_string(const char *s)
{
	return (struct systemd_value){ .signature = xstrdup("s"), .s = xstrdup(s) };
}

struct systemd_value systemd_value_array(const char *element_signature)
{
	return (struct systemd_value){ .signature = xasprintf("a%s", element_signature) };
}

void systemd_value_push(struct systemd_value *array, struct systemd_value element)
{
	*array_push(array->child, array->n) = element;
}

struct systemd_value systemd_value_fds(int fd)
{
	struct systemd_value array = systemd_value_array("h");

	systemd_value_push(&array, (struct systemd_value){ .signature = xstrdup("h"), .i = fd });
	return array;
}

struct systemd_value systemd_value_u32s(uint32_t u)
{
	struct systemd_value array = systemd_value_array("u");

	systemd_value_push(&array, (struct systemd_value){ .signature = xstrdup("u"), .u = u });
	return array;
}

struct systemd_value systemd_value_string_pair(const char *a, const char *b)
{
	struct systemd_value pair = { .signature = xstrdup("(ss)") };

	systemd_value_push(&pair, systemd_value_string(a));
	systemd_value_push(&pair, systemd_value_string(b));
	return pair;
}

struct systemd_value systemd_value_bytes(const uint8_t *bytes, size_t n)
{
	struct systemd_value array = systemd_value_array("y");

	for (size_t i = 0; i < n; i++)
		systemd_value_push(
			&array, (struct systemd_value){ .signature = xstrdup("y"), .u = bytes[i] });
	return array;
}

/* --- writing ------------------------------------------------------------------------------- */

static void format_string(const char *s, struct strbuf *sb)
{
	strbuf_addc(sb, '\'');
	for (; *s; s++) {
		if (*s == '\'' || *s == '\\')
			strbuf_addc(sb, '\\');
		if (*s == '\n')
			strbuf_adds(sb, "\\n");
		else
			strbuf_addc(sb, *s);
	}
	strbuf_addc(sb, '\'');
}

static void format_children(const struct systemd_value *v, const char *separator,
			    struct strbuf *sb);

static void format_content(const struct systemd_value *v, struct strbuf *sb)
{
	switch (v->signature[0]) {
	case 'b':
		strbuf_adds(sb, v->u ? "true" : "false");
		break;
	case 'n':
	case 'i':
	case 'x':
	case 'h':
		strbuf_addf(sb, "%" PRId64, v->i);
		break;
	case 'd':
		strbuf_addf(sb, "%.17g", v->d);
		break;
	case 's':
	case 'o':
	case 'g':
		format_string(v->s, sb);
		break;
	case 'a':
		strbuf_addc(sb, '[');
		format_children(v, ", ", sb);
		strbuf_addc(sb, ']');
		break;
	case '(':
		strbuf_addc(sb, '(');
		format_children(v, ", ", sb);
		strbuf_addc(sb, ')');
		break;
	case '{':
		format_children(v, ": ", sb);
		break;
	case 'v':
		strbuf_addc(sb, '<');
		systemd_value_format(&v->child[0], sb);
		strbuf_addc(sb, '>');
		break;
	default:
		strbuf_addf(sb, "%" PRIu64, v->u);
		break;
	}
}

static void format_children(const struct systemd_value *v, const char *separator, struct strbuf *sb)
{
	for (size_t i = 0; i < v->n; i++) {
		if (i > 0)
			strbuf_adds(sb, separator);
		format_content(&v->child[i], sb);
	}
}

void systemd_value_format(const struct systemd_value *value, struct strbuf *sb)
{
	strbuf_adds(sb, value->signature);
	strbuf_addc(sb, ' ');
	format_content(value, sb);
}

/* --- seconds ------------------------------------------------------------------------------- */

static int usec_from_double(double sec, uint64_t *ret)
{
	double usec = sec * USEC_PER_SEC;

	/* 2^64; false for NaN too. */
	if (!(usec >= 0 && usec < 18446744073709551616.0))
		return -ERANGE;
	*ret = (uint64_t)usec;
	return 0;
}

int systemd_value_to_usec(struct systemd_value *value)
{
	uint64_t usec = 0;
	int r = 0;

	switch (value->signature[0]) {
	case 'y':
	case 'q':
	case 'u':
	case 't':
		if (__builtin_mul_overflow(value->u, (uint64_t)USEC_PER_SEC, &usec))
			r = -ERANGE;
		break;
	case 'n':
	case 'i':
	case 'x':
		if (value->i < 0 ||
		    __builtin_mul_overflow((uint64_t)value->i, (uint64_t)USEC_PER_SEC, &usec))
			r = -ERANGE;
		break;
	case 'd':
		r = usec_from_double(value->d, &usec);
		break;
	default:
		return -EINVAL;
	}
	if (r < 0)
		return r;
	systemd_value_done(value);
	*value = systemd_value_u64(usec);
	return 0;
}
