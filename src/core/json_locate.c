/* SPDX-License-Identifier: Apache-2.0 */
#include "core/json_locate.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "core/alloc.h"
#include "core/auto.h"
#include "core/utf8.h"

/* The rest of a text that is being read. */
struct cursor {
	const char *p;
	const char *end;
};

static bool is_plain_key(const char *key)
{
	if (!isalpha((unsigned char)*key) && *key != '_')
		return false;
	for (; *key; key++)
		if (!isalnum((unsigned char)*key) && *key != '_')
			return false;
	return true;
}

void json_step_format(const struct json_step *step, struct strbuf *sb)
{
	if (!step)
		return;
	json_step_format(step->parent, sb);
	if (!step->key)
		strbuf_addf(sb, "[%zu]", step->index);
	else if (is_plain_key(step->key))
		strbuf_addf(sb, "%s%s", step->parent ? "." : "", step->key);
	else
		strbuf_addf(sb, "[\"%s\"]", step->key);
}

size_t json_line_of_offset(const char *text, size_t len, size_t offset)
{
	size_t line = 1;

	for (size_t i = 0; i < MIN(offset, len); i++)
		line += text[i] == '\n';
	return line;
}

/*
 * The tokens.
 */

static int token_error(const struct cursor *whole, const char *at, const char *name,
		       const char *what, struct err *err)
{
	size_t len = (size_t)(whole->end - whole->p);
	size_t line = json_line_of_offset(whole->p, len, (size_t)(at - whole->p));

	return err_set(err, ERR_INVALID, "%s:%zu: %s", name, line, what);
}

static const char *skip_space(const char *p, const char *end)
{
	while (p < end && (*p == ' ' || *p == '\n' || *p == '\t' || *p == '\r'))
		p++;
	return p;
}

/* p is behind the opening quote. Return: behind the closing one, or NULL and *ret_what. */
static const char *check_string(const char *p, const char *end, bool *ret_nul,
				const char **ret_what)
{
	while (p < end) {
		unsigned char c = (unsigned char)*p;

		if (c == '"')
			return p + 1;
		if (c < 0x20) {
			*ret_what = "control character in a string (write it as \\n or \\u000a)";
			return NULL;
		}
		if (c == '\\') {
			if (end - p >= 6 && memcmp(p, "\\u0000", 6) == 0)
				*ret_nul = true;
			p += end - p >= 2 ? 2 : 1;
		} else if (c < 0x80) {
			p++;
		} else {
			size_t n = utf8_sequence(p, (size_t)(end - p));

			if (n == 0) {
				*ret_what = "text is not valid UTF-8";
				return NULL;
			}
			p += n;
		}
	}
	*ret_what = "string without an end";
	return NULL;
}

static const char *skip_digits(const char *p, const char *end)
{
	while (p < end && *p >= '0' && *p <= '9')
		p++;
	return p;
}

/* Whether the decimal digits from p to end are more than the limit, which has as many digits as
 * any 64-bit number of that sign can have. */
static bool is_above(const char *p, const char *end, const char *limit)
{
	size_t n = (size_t)(end - p);
	size_t max = strlen(limit);

	return n > max || (n == max && memcmp(p, limit, n) > 0);
}

/* Return: behind the number, or NULL and *ret_what. */
static const char *check_number(const char *p, const char *end, const char **ret_what)
{
	bool is_negative = *p == '-';
	const char *digits = p + is_negative;
	const char *q = skip_digits(digits, end);
	const char *fraction = q;

	*ret_what = "malformed number";
	if (q == digits || (*digits == '0' && q - digits > 1))
		return NULL;
	if (q < end && *q == '.') {
		const char *from = ++q;

		q = skip_digits(q, end);
		if (q == from)
			return NULL;
	}
	if (q < end && (*q == 'e' || *q == 'E')) {
		const char *from;

		q++;
		if (q < end && (*q == '+' || *q == '-'))
			q++;
		from = q;
		q = skip_digits(q, end);
		if (q == from)
			return NULL;
	}
	*ret_what = "number does not fit in 64 bits";
	if (q == fraction &&
	    is_above(digits, q, is_negative ? "9223372036854775808" : "18446744073709551615"))
		return NULL;
	return q;
}

static const char *check_literal(const char *p, const char *end, const char **ret_what)
{
	static const char *const literals[] = { "true", "false", "null" };

	for (size_t i = 0; i < ARRAY_SIZE(literals); i++) {
		size_t n = strlen(literals[i]);

		if ((size_t)(end - p) >= n && memcmp(p, literals[i], n) == 0)
			return p + n;
	}
	*ret_what = "unexpected character";
	return NULL;
}

/* Where json-c is lenient with commas: one must stand between two values. */
static bool is_stray_comma(char before, char c)
{
	return (c == ',' && (!before || strchr("{[,:", before))) ||
	       (before == ',' && (c == '}' || c == ']'));
}

/* One token at p. Return: behind it, or NULL and *ret_what. */
static const char *check_token(const char *p, const char *end, bool *ret_nul, const char **ret_what)
{
	if (*p && strchr("{}[],:", *p))
		return p + 1;
	if (*p == '"')
		return check_string(p + 1, end, ret_nul, ret_what);
	if (*p == '-' || (*p >= '0' && *p <= '9'))
		return check_number(p, end, ret_what);
	return check_literal(p, end, ret_what);
}

int json_check_tokens(const char *text, size_t len, const char *name, size_t *ret_n_keys,
		      struct err *err)
{
	const struct cursor whole = { text, text + len };
	const char *p = skip_space(text, whole.end);
	size_t n_keys = 0;
	size_t n_values = 0;
	char before = '\0';

	while (p < whole.end) {
		const char *what = NULL;
		bool has_nul = false;
		const char *next = check_token(p, whole.end, &has_nul, &what);

		if (!next)
			return token_error(&whole, p, name, what, err);
		if (is_stray_comma(before, *p))
			return token_error(&whole, p, name, "misplaced comma", err);
		n_keys += *p == ':';
		n_values += *p == '{' || *p == '[' || *p == ',';
		if (n_values > JSON_VALUES_MAX)
			return token_error(&whole, p, name, "more than 1048576 values", err);
		next = skip_space(next, whole.end);
		if (has_nul && next < whole.end && *next == ':')
			return token_error(&whole, p, name, "key contains a NUL character", err);
		before = *p;
		p = next;
	}
	*ret_n_keys = n_keys;
	return 0;
}

/*
 * Walking a well-formed text.
 */

static void cursor_skip_space(struct cursor *c)
{
	c->p = skip_space(c->p, c->end);
}

static bool cursor_take(struct cursor *c, char want)
{
	cursor_skip_space(c);
	if (c->p >= c->end || *c->p != want)
		return false;
	c->p++;
	return true;
}

/* At an opening quote. Return: the string as in the text, with its quotes, which the caller owns;
 * NULL when there is none. */
static char *cursor_take_literal(struct cursor *c)
{
	const char *from;

	if (!cursor_take(c, '"'))
		return NULL;
	from = c->p - 1;
	while (c->p < c->end && *c->p != '"')
		c->p += *c->p == '\\' && c->end - c->p >= 2 ? 2 : 1;
	if (c->p >= c->end)
		return NULL;
	c->p++;
	return xstrndup(from, (size_t)(c->p - from));
}

/* The string behind a literal with quotes and escapes. */
static char *unescape(char *literal)
{
	size_t n = strlen(literal);
	struct json_object *value;
	char *s;

	if (!memchr(literal, '\\', n))
		return xstrndup(literal + 1, n - 2);
	value = json_tokener_parse(literal);
	s = xstrdup(value ? json_object_get_string(value) : "");
	json_object_put(value);
	return s;
}

static char *cursor_take_key(struct cursor *c)
{
	auto_free char *literal = cursor_take_literal(c);
	char *key;

	if (!literal)
		return NULL;
	key = unescape(literal);
	if (cursor_take(c, ':'))
		return key;
	free(key);
	return NULL;
}

/* Skip one value without recursion: count brackets, jump over strings. */
static bool cursor_skip_value(struct cursor *c)
{
	size_t depth = 0;

	cursor_skip_space(c);
	for (; c->p < c->end; c->p++) {
		if (*c->p == '"') {
			free(cursor_take_literal(c));
			c->p--;
		} else if (*c->p == '{' || *c->p == '[') {
			depth++;
		} else if (*c->p == '}' || *c->p == ']') {
			if (depth == 0)
				return true;
			depth--;
		} else if (*c->p == ',' && depth == 0) {
			return true;
		}
	}
	return depth == 0;
}

/* Move from the beginning of a value to the beginning of its member or element. */
static bool cursor_enter(struct cursor *c, const struct json_step *step)
{
	if (!cursor_take(c, step->key ? '{' : '['))
		return false;
	for (size_t i = 0;; i++) {
		if (step->key) {
			auto_free char *key = cursor_take_key(c);

			if (!key)
				return false;
			if (strcmp(key, step->key) == 0)
				break;
		} else if (i == step->index) {
			break;
		}
		if (!cursor_skip_value(c) || !cursor_take(c, ','))
			return false;
	}
	cursor_skip_space(c);
	return true;
}

static bool cursor_find(struct cursor *c, const struct json_step *step)
{
	if (!step) {
		cursor_skip_space(c);
		return true;
	}
	return cursor_find(c, step->parent) && cursor_enter(c, step);
}

size_t json_line_of_step(const char *text, size_t len, const struct json_step *step)
{
	struct cursor c = { text, text + len };

	if (!text || !cursor_find(&c, step))
		return 0;
	return json_line_of_offset(text, len, (size_t)(c.p - text));
}

/*
 * Keys that are there twice.
 */

static size_t count_keys(struct json_object *value)
{
	size_t n = 0;

	if (json_object_is_type(value, json_type_object)) {
		json_object_object_foreach(value, key, member)
		{
			(void)key;
			n += 1 + count_keys(member);
		}
	} else if (json_object_is_type(value, json_type_array)) {
		for (size_t i = 0; i < json_object_array_length(value); i++)
			n += count_keys(json_object_array_get_idx(value, i));
	}
	return n;
}

struct duplicate_search {
	struct cursor whole;
	struct cursor c;
	const char *name;
	struct err *err;
};

static int search_value(struct duplicate_search *search, const struct json_step *step);

static int duplicate_error(struct duplicate_search *search, const struct json_step *step,
			   const char *at)
{
	auto_strbuf struct strbuf path = STRBUF_INIT;
	auto_free char *what = NULL;

	json_step_format(step, &path);
	what = xasprintf("%s: key is there twice in one object", path.buf);
	return token_error(&search->whole, at, search->name, what, search->err);
}

static int search_members(struct duplicate_search *search, const struct json_step *step,
			  struct json_object *seen)
{
	do {
		const char *at = (cursor_skip_space(&search->c), search->c.p);
		auto_free char *key = cursor_take_key(&search->c);
		struct json_step member = { .parent = step, .key = key };
		int r;

		if (!key)
			return 0;
		if (json_object_object_get_ex(seen, key, NULL))
			return duplicate_error(search, &member, at);
		json_object_object_add(seen, key, NULL);
		r = search_value(search, &member);
		if (r < 0)
			return r;
	} while (cursor_take(&search->c, ','));
	(void)cursor_take(&search->c, '}');
	return 0;
}

static int search_elements(struct duplicate_search *search, const struct json_step *step)
{
	struct json_step element = { .parent = step };

	if (cursor_take(&search->c, ']'))
		return 0;
	do {
		int r = search_value(search, &element);

		if (r < 0)
			return r;
		element.index++;
	} while (cursor_take(&search->c, ','));
	(void)cursor_take(&search->c, ']');
	return 0;
}

/* As deep as the document, which json-c has bounded. */
static int search_value(struct duplicate_search *search, const struct json_step *step)
{
	struct json_object *seen;
	int r;

	if (cursor_take(&search->c, '['))
		return search_elements(search, step);
	if (!cursor_take(&search->c, '{'))
		return cursor_skip_value(&search->c) ? 0 : -EINVAL;
	if (cursor_take(&search->c, '}'))
		return 0;
	seen = json_object_new_object();
	r = search_members(search, step, seen);
	json_object_put(seen);
	return r;
}

int json_check_duplicates(const char *text, size_t len, const char *name, struct json_object *value,
			  size_t n_keys, struct err *err)
{
	const struct cursor whole = { text, text + len };
	struct duplicate_search search = { .whole = whole, .c = whole, .name = name, .err = err };
	int r;

	if (count_keys(value) == n_keys)
		return 0;
	r = search_value(&search, NULL);
	if (r < 0)
		return r;
	return err_set(err, ERR_INVALID, "%s: an object has a key twice", name);
}
