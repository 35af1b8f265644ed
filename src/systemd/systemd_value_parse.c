/* SPDX-License-Identifier: Apache-2.0 */
/* GVariant text (GLib's "GVariant Text Format") to D-Bus values, by recursive descent. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "core/alloc.h"
#include "core/parse.h"
#include "core/str.h"
#include "systemd/systemd_value.h"

#define DEPTH_MAX 16
#define SIGNATURE_MAX 255 /* D-Bus specification */

struct parser {
	const char *text;
	const char *at;
	int depth;
	struct err *err;
};

#define fail(p, ...) fail_at((p), (p)->at, __VA_ARGS__)

static int fail_at(const struct parser *p, const char *at, const char *expected)
{
	return err_set(p->err, ERR_INVALID, "%s at character %zu of \"%s\"", expected,
		       (size_t)(at - p->text) + 1, p->text);
}

static void skip_space(struct parser *p)
{
	p->at += strspn(p->at, " \t\n\r");
}

/* --- types --------------------------------------------------------------------------------- */

static const char basic_types[] = "bynqiuxtdsog";

static bool is_basic(char c)
{
	return c && strchr(basic_types, c);
}

/* Length of the complete type at s, 0 when there is none. */
static size_t type_length(const char *s, int depth)
{
	size_t len = 1;
	size_t part;

	if (depth > DEPTH_MAX)
		return 0;
	if (is_basic(*s) || *s == 'v')
		return 1;
	if (*s == 'a' && s[1] == '{') {
		part = is_basic(s[2]) ? type_length(s + 3, depth + 1) : 0;
		return part > 0 && s[3 + part] == '}' ? part + 4 : 0;
	}
	if (*s == 'a') {
		part = type_length(s + 1, depth + 1);
		return part > 0 ? part + 1 : 0;
	}
	if (*s != '(')
		return 0;
	do {
		part = type_length(s + len, depth + 1);
		if (part == 0)
			return 0;
		len += part;
	} while (s[len] != ')');
	return len + 1;
}

static const struct {
	const char *word;
	const char *type;
} type_words[] = {
	{ "boolean", "b" }, { "byte", "y" },   { "int16", "n" },      { "uint16", "q" },
	{ "int32", "i" },   { "uint32", "u" }, { "int64", "x" },      { "uint64", "t" },
	{ "double", "d" },  { "string", "s" }, { "objectpath", "o" }, { "signature", "g" },
};

/* --- numbers ------------------------------------------------------------------------------- */

static int parse_double(struct parser *p, const char *token, struct systemd_value *ret)
{
	char *end;

	errno = 0;
	ret->d = strtod(token, &end);
	if (end == token || *end || errno == ERANGE)
		return fail(p, "expected a number");
	return 0;
}

/* Magnitude in C notation: 0x.., 0.., or decimal. */
static int parse_magnitude(const char *token, uint64_t *ret)
{
	if (token[0] == '0' && (token[1] == 'x' || token[1] == 'X'))
		return parse_u64_base(token + 2, 16, ret);
	if (token[0] == '0' && token[1])
		return parse_u64_base(token + 1, 8, ret);
	return parse_u64(token, ret);
}

static int parse_integer(struct parser *p, const char *token, struct systemd_value *ret)
{
	static const struct {
		char type;
		uint64_t max;
		uint64_t max_negative;
	} ranges[] = {
		{ 'y', UINT8_MAX, 0 },	{ 'n', INT16_MAX, (uint64_t)INT16_MAX + 1 },
		{ 'q', UINT16_MAX, 0 }, { 'i', INT32_MAX, (uint64_t)INT32_MAX + 1 },
		{ 'u', UINT32_MAX, 0 }, { 'x', INT64_MAX, (uint64_t)INT64_MAX + 1 },
		{ 't', UINT64_MAX, 0 },
	};
	bool negative = token[0] == '-';
	uint64_t magnitude;

	if (parse_magnitude(token + (negative || token[0] == '+'), &magnitude) < 0)
		return fail(p, "expected an integer");
	for (size_t i = 0; i < ARRAY_SIZE(ranges); i++) {
		if (ranges[i].type != ret->signature[0])
			continue;
		if (magnitude > (negative ? ranges[i].max_negative : ranges[i].max))
			return fail(p, "number out of its type's range");
		ret->u = magnitude;
		ret->i = negative ? (int64_t)(0 - magnitude) : (int64_t)magnitude;
		return 0;
	}
	return fail(p, "unexpected number");
}

static bool is_fraction(const char *token)
{
	bool is_hex = strstr(token, "0x") || strstr(token, "0X");

	return !is_hex && strpbrk(token, ".eEnf"); /* also inf and nan */
}

static int parse_number(struct parser *p, const char *want, struct systemd_value *ret)
{
	size_t len = strspn(p->at, "0123456789abcdefABCDEFxX+-.in");
	auto_free char *token = xstrndup(p->at, len);
	int r;

	ret->signature = xstrdup(want ? want : is_fraction(token) ? "d" : "i");
	r = str_eq(ret->signature, "d") ? parse_double(p, token, ret) :
					  parse_integer(p, token, ret);
	p->at += len;
	return r;
}

/* --- strings ------------------------------------------------------------------------------- */

static void add_utf8(struct strbuf *sb, uint32_t c)
{
	if (c < 0x80) {
		strbuf_addc(sb, (char)c);
	} else if (c < 0x800) {
		strbuf_addc(sb, (char)(0xc0 | c >> 6));
		strbuf_addc(sb, (char)(0x80 | (c & 0x3f)));
	} else if (c < 0x10000) {
		strbuf_addc(sb, (char)(0xe0 | c >> 12));
		strbuf_addc(sb, (char)(0x80 | (c >> 6 & 0x3f)));
		strbuf_addc(sb, (char)(0x80 | (c & 0x3f)));
	} else {
		strbuf_addc(sb, (char)(0xf0 | c >> 18));
		strbuf_addc(sb, (char)(0x80 | (c >> 12 & 0x3f)));
		strbuf_addc(sb, (char)(0x80 | (c >> 6 & 0x3f)));
		strbuf_addc(sb, (char)(0x80 | (c & 0x3f)));
	}
}

/* "uXXXX", "UXXXXXXXX" */
static int parse_code_point(struct parser *p, struct strbuf *sb)
{
	size_t digits = *p->at == 'u' ? 4 : 8;
	auto_free char *hex = xstrndup(p->at + 1, digits);
	uint64_t c;

	if (strlen(hex) != digits || parse_u64_base(hex, 16, &c) < 0 || c == 0 || c > 0x10ffff ||
	    (c >= 0xd800 && c < 0xe000))
		return fail(p, "expected the number of a character");
	add_utf8(sb, (uint32_t)c);
	p->at += 1 + digits;
	return 0;
}

static int parse_escape(struct parser *p, struct strbuf *sb)
{
	static const char names[] = "abfnrtv";
	static const char values[] = "\a\b\f\n\r\t\v";
	char c = *p->at;
	const char *name = c ? strchr(names, c) : NULL;

	if (!c)
		return fail(p, "expected the end of the string");
	if (c == 'u' || c == 'U')
		return parse_code_point(p, sb);
	strbuf_addc(sb, name ? values[name - names] : c);
	p->at++;
	return 0;
}

static int parse_quoted(struct parser *p, struct strbuf *sb)
{
	char quote = *p->at++;

	while (*p->at != quote) {
		if (!*p->at)
			return fail(p, "expected the end of the string");
		if (*p->at == '\\') {
			int r;

			p->at++;
			r = parse_escape(p, sb);
			if (r < 0)
				return r;
			continue;
		}
		strbuf_addc(sb, *p->at++);
	}
	p->at++;
	return 0;
}

static int parse_string(struct parser *p, const char *want, struct systemd_value *ret)
{
	auto_strbuf struct strbuf sb = STRBUF_INIT;
	int r;

	if (want && !str_eq(want, "s") && !str_eq(want, "o") && !str_eq(want, "g"))
		return fail(p, "unexpected string");
	r = parse_quoted(p, &sb);
	if (r < 0)
		return r;
	ret->signature = xstrdup(want ? want : "s");
	ret->s = strbuf_take(&sb);
	return 0;
}

/* b'text': its bytes and a zero at the end. */
static int parse_bytes(struct parser *p, const char *want, struct systemd_value *ret)
{
	auto_strbuf struct strbuf sb = STRBUF_INIT;
	int r;

	if (want && !str_eq(want, "ay"))
		return fail(p, "unexpected bytes");
	p->at++;
	r = parse_quoted(p, &sb);
	if (r == 0)
		*ret = systemd_value_bytes((const uint8_t *)sb.buf, sb.len + 1);
	return r;
}

/* --- containers ---------------------------------------------------------------------------- */

static int parse_value(struct parser *p, const char *want, struct systemd_value *ret);

static bool skip(struct parser *p, char c)
{
	skip_space(p);
	if (*p->at != c)
		return false;
	p->at++;
	return true;
}

/* Behind an element: whether another one follows, or an error when neither that nor the end. */
static int expect_more(struct parser *p, char end, bool *ret_more)
{
	*ret_more = skip(p, ',');
	if (*ret_more || skip(p, end))
		return 0;
	return fail(p, "expected ',' or the closing bracket");
}

static int parse_entry(struct parser *p, const char *want, struct systemd_value *ret)
{
	/* "{kv}": a key is of one letter. */
	auto_free char *key = want ? xstrndup(want + 1, 1) : NULL;
	auto_free char *value = want ? xstrndup(want + 2, strlen(want) - 3) : NULL;
	int r = parse_value(p, key, array_push(ret->child, ret->n));

	if (r < 0)
		return r;
	if (!is_basic(ret->child[0].signature[0]))
		return fail(p, "expected a key that is no container");
	if (!skip(p, ':'))
		return fail(p, "expected ':'");
	r = parse_value(p, value, array_push(ret->child, ret->n));
	if (r == 0)
		ret->signature =
			xasprintf("{%s%s}", ret->child[0].signature, ret->child[1].signature);
	return r;
}

/* [..] and {..}: the first element has the type of all. */
static int parse_array(struct parser *p, const char *want, struct systemd_value *ret)
{
	bool is_dict = *p->at == '{';
	char end = is_dict ? '}' : ']';
	auto_free char *element = NULL;
	bool more = true;
	int r;

	if (want && (want[0] != 'a' || (want[1] == '{') != is_dict))
		return fail(p, "unexpected array");
	p->at++;
	if (want)
		element = xstrdup(want + 1);
	if (skip(p, end)) {
		if (!want)
			return fail(p,
				    "expected a type in front, as in \"@as []\", before the end");
		more = false;
	}
	while (more) {
		struct systemd_value *child = array_push(ret->child, ret->n);

		r = is_dict ? parse_entry(p, element, child) : parse_value(p, element, child);
		if (r == 0 && !element)
			element = xstrdup(child->signature);
		if (r == 0)
			r = expect_more(p, end, &more);
		if (r < 0)
			return r;
	}
	ret->signature = xasprintf("a%s", element);
	return 0;
}

static int parse_tuple(struct parser *p, const char *want, struct systemd_value *ret)
{
	auto_strbuf struct strbuf signature = STRBUF_INIT;
	bool more = true;
	int r;

	if (want && *want != '(')
		return fail(p, "unexpected tuple");
	p->at++;
	strbuf_addc(&signature, '(');
	if (want)
		want++;
	while (more) {
		size_t len = want ? type_length(want, 0) : 0;
		auto_free char *type = want ? xstrndup(want, len) : NULL;

		if (want && len == 0)
			return fail(p, "expected the end of the tuple");
		r = parse_value(p, type, array_push(ret->child, ret->n));
		if (r == 0)
			r = expect_more(p, ')', &more);
		if (r < 0)
			return r;
		strbuf_adds(&signature, ret->child[ret->n - 1].signature);
		/* (1,) is a tuple of one. */
		if (more && ret->n == 1 && skip(p, ')'))
			more = false;
		want = want ? want + len : NULL;
	}
	if (want && *want != ')')
		return fail(p, "expected more elements in the tuple before this");
	strbuf_addc(&signature, ')');
	ret->signature = strbuf_take(&signature);
	return 0;
}

static int parse_variant(struct parser *p, const char *want, struct systemd_value *ret)
{
	int r;

	if (want && !str_eq(want, "v"))
		return fail(p, "unexpected variant");
	p->at++;
	r = parse_value(p, NULL, array_push(ret->child, ret->n));
	if (r == 0 && !skip(p, '>'))
		r = fail(p, "expected '>'");
	ret->signature = xstrdup("v");
	return r;
}

/* --- values -------------------------------------------------------------------------------- */

static int parse_typed(struct parser *p, const char *type, const char *want,
		       struct systemd_value *ret)
{
	if (want && !str_eq(want, type))
		return fail(p, "another type than that of its neighbours, or than was announced, "
			       "before this,");
	return parse_value(p, type, ret);
}

static int parse_signature(struct parser *p, const char *want, struct systemd_value *ret)
{
	size_t len = type_length(p->at + 1, 0);
	auto_free char *type = xstrndup(p->at + 1, len);

	if (len == 0 || len > SIGNATURE_MAX)
		return fail(p, "expected the signature of one D-Bus type");
	p->at += 1 + len;
	return parse_typed(p, type, want, ret);
}

static int parse_word(struct parser *p, const char *want, struct systemd_value *ret)
{
	size_t len = strspn(p->at, "abcdefghijklmnopqrstuvwxyz0123456789");
	auto_free char *word = xstrndup(p->at, len);

	if (str_eq(word, "b") && (p->at[1] == '\'' || p->at[1] == '"'))
		return parse_bytes(p, want, ret);
	if (str_eq(word, "inf") || str_eq(word, "nan"))
		return parse_number(p, want, ret);
	if (str_eq(word, "true") || str_eq(word, "false")) {
		if (want && !str_eq(want, "b"))
			return fail(p, "unexpected boolean");
		p->at += len;
		*ret = systemd_value_bool(str_eq(word, "true"));
		return 0;
	}
	for (size_t i = 0; i < ARRAY_SIZE(type_words); i++) {
		if (!str_eq(word, type_words[i].word))
			continue;
		p->at += len;
		return parse_typed(p, type_words[i].type, want, ret);
	}
	return fail(p, "expected a value");
}

static int parse_one(struct parser *p, const char *want, struct systemd_value *ret)
{
	skip_space(p);
	switch (*p->at) {
	case '@':
		return parse_signature(p, want, ret);
	case '\'':
	case '"':
		return parse_string(p, want, ret);
	case '[':
	case '{':
		return parse_array(p, want, ret);
	case '(':
		return parse_tuple(p, want, ret);
	case '<':
		return parse_variant(p, want, ret);
	default:
		break;
	}
	if (*p->at && strchr("0123456789+-.", *p->at))
		return parse_number(p, want, ret);
	return parse_word(p, want, ret);
}

static int parse_value(struct parser *p, const char *want, struct systemd_value *ret)
{
	auto_systemd_value struct systemd_value value = SYSTEMD_VALUE_INIT;
	int r;

	if (p->depth == DEPTH_MAX)
		return fail(p, "nested too deeply");
	p->depth++;
	r = parse_one(p, want, &value);
	p->depth--;
	if (r < 0)
		return r;
	*ret = value;
	value = (struct systemd_value)SYSTEMD_VALUE_INIT;
	return 0;
}

int systemd_value_parse(struct systemd_value *ret, const char *text, struct err *err)
{
	struct parser p = { .text = text, .at = text, .err = err };
	auto_systemd_value struct systemd_value value = SYSTEMD_VALUE_INIT;
	int r = parse_value(&p, NULL, &value);

	if (r < 0)
		return r;
	skip_space(&p);
	if (*p.at)
		return fail(&p, "expected the end");
	*ret = value;
	value = (struct systemd_value)SYSTEMD_VALUE_INIT;
	return 0;
}
