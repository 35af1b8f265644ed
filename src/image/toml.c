/* SPDX-License-Identifier: Apache-2.0 */
#include "image/toml.h"

#include <ctype.h>
#include <json-c/json.h>
#include <string.h>

#include "core/alloc.h"
#include "core/parse.h"
#include "core/str.h"

#define NESTING_MAX 16

struct parser {
	const char *p;
	const char *name;
	unsigned int line;
	struct err *err;
};

static int fail(struct parser *ps, const char *what)
{
	return err_set(ps->err, ERR_INVALID, "%s:%u: %s", ps->name, ps->line, what);
}

static void skip_blanks(struct parser *ps)
{
	ps->p += strspn(ps->p, " \t\r");
}

/* Blanks, newlines and comments. */
static void skip_space(struct parser *ps)
{
	for (;;) {
		skip_blanks(ps);
		if (*ps->p == '#')
			ps->p += strcspn(ps->p, "\n");
		if (*ps->p != '\n')
			return;
		ps->line++;
		ps->p++;
	}
}

static int end_of_line(struct parser *ps)
{
	skip_blanks(ps);
	if (*ps->p == '#')
		ps->p += strcspn(ps->p, "\n");
	return *ps->p == '\n' || *ps->p == '\0' ? 0 : fail(ps, "something behind the value");
}

static int read_escape(struct parser *ps, struct strbuf *ret)
{
	static const char from[] = "btnfr\"\\/";
	static const char to[] = "\b\t\n\f\r\"\\/";
	const char *found = *ps->p ? strchr(from, *ps->p) : NULL;

	if (!found)
		return fail(ps, "unknown escape in a string");
	strbuf_addc(ret, to[found - from]);
	ps->p++;
	return 0;
}

static int read_string(struct parser *ps, struct strbuf *ret)
{
	char quote = *ps->p;
	bool multi = ps->p[1] == quote && ps->p[2] == quote;
	char end[4] = { quote, multi ? quote : '\0', multi ? quote : '\0', '\0' };

	ps->p += multi ? 3 : 1;
	if (multi && *ps->p == '\n') {
		ps->line++;
		ps->p++;
	}
	while (!str_has_prefix(ps->p, end)) {
		if (!*ps->p || (*ps->p == '\n' && !multi))
			return fail(ps, "a string does not end");
		if (*ps->p == '\n')
			ps->line++;
		if (*ps->p == '\\' && quote == '"') {
			int r;

			ps->p++;
			r = read_escape(ps, ret);
			if (r < 0)
				return r;
			continue;
		}
		strbuf_addc(ret, *ps->p++);
	}
	ps->p += strlen(end);
	return 0;
}

static bool is_bare(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '-';
}

/* One key, dotted or quoted. */
static int read_key(struct parser *ps, struct strbuf *ret)
{
	for (;;) {
		skip_blanks(ps);
		if (*ps->p == '"' || *ps->p == '\'') {
			int r = read_string(ps, ret);

			if (r < 0)
				return r;
		} else {
			if (!is_bare(*ps->p))
				return fail(ps, "expected a key");
			while (is_bare(*ps->p))
				strbuf_addc(ret, *ps->p++);
		}
		skip_blanks(ps);
		if (*ps->p != '.')
			return 0;
		strbuf_addc(ret, *ps->p++);
	}
}

static int read_value(struct parser *ps, struct toml_value *ret, struct strbuf *text,
		      unsigned int depth);

/* Its json goes on to the caller, unless that is to be dropped too. */
static void value_done(struct toml_value *value, bool with_json)
{
	strvec_done(&value->list);
	if (with_json)
		json_object_put(value->json);
}

static int read_list(struct parser *ps, struct toml_value *ret, unsigned int depth)
{
	ps->p++;
	ret->kind = TOML_LIST;
	ret->json = json_object_new_array();
	for (;;) {
		auto_strbuf struct strbuf text = STRBUF_INIT;
		struct toml_value element = { 0 };
		int r;

		skip_space(ps);
		if (*ps->p == ']') {
			ps->p++;
			return 0;
		}
		r = read_value(ps, &element, &text, depth + 1);
		value_done(&element, r < 0);
		if (r < 0)
			return r;
		strvec_add(&ret->list, text.buf);
		json_object_array_add(ret->json, element.json);
		skip_space(ps);
		if (*ps->p == ',')
			ps->p++;
		else if (*ps->p != ']')
			return fail(ps, "expected ',' or ']' in a list");
	}
}

/* {a = 1, b = "x"} */
static int read_inline_table(struct parser *ps, struct toml_value *ret, unsigned int depth)
{
	ps->p++;
	ret->kind = TOML_OTHER;
	ret->json = json_object_new_object();
	for (;;) {
		auto_strbuf struct strbuf key = STRBUF_INIT;
		auto_strbuf struct strbuf text = STRBUF_INIT;
		struct toml_value value = { 0 };
		int r;

		skip_space(ps);
		if (*ps->p == '}') {
			ps->p++;
			return 0;
		}
		r = read_key(ps, &key);
		if (r == 0 && *ps->p++ != '=')
			r = fail(ps, "expected '=' behind a key");
		if (r == 0)
			r = read_value(ps, &value, &text, depth + 1);
		value_done(&value, r < 0);
		if (r < 0)
			return r;
		json_object_object_add(ret->json, key.buf, value.json);
		skip_space(ps);
		if (*ps->p == ',')
			ps->p++;
		else if (*ps->p != '}')
			return fail(ps, "expected ',' or '}' in a table");
	}
}

static int read_plain(struct parser *ps, struct toml_value *ret, struct strbuf *text)
{
	size_t len = strcspn(ps->p, " \t\r\n,]}#");

	if (len == 0)
		return fail(ps, "expected a value");
	strbuf_add(text, ps->p, len);
	ps->p += len;
	ret->kind = TOML_OTHER;
	if (str_eq(text->buf, "true") || str_eq(text->buf, "false")) {
		ret->kind = TOML_BOOL;
		ret->boolean = text->buf[0] == 't';
		ret->json = json_object_new_boolean(ret->boolean);
	} else if (parse_i64(text->buf, &ret->integer) == 0) {
		ret->kind = TOML_INTEGER;
		ret->json = json_object_new_int64(ret->integer);
	} else if (!isdigit((unsigned char)text->buf[0]) && !strchr("+-", text->buf[0])) {
		return fail(ps, "expected a value; strings stand in quotes");
	} else {
		ret->json = json_object_new_string(text->buf);
	}
	return 0;
}

static int read_value(struct parser *ps, struct toml_value *ret, struct strbuf *text,
		      unsigned int depth)
{
	int r;

	if (depth > NESTING_MAX)
		return fail(ps, "values are nested too deep");
	skip_blanks(ps);
	switch (*ps->p) {
	case '"':
	case '\'':
		ret->kind = TOML_STRING;
		r = read_string(ps, text);
		ret->json = json_object_new_string(text->buf);
		break;
	case '[':
		r = read_list(ps, ret, depth);
		break;
	case '{':
		r = read_inline_table(ps, ret, depth);
		break;
	default:
		r = read_plain(ps, ret, text);
	}
	ret->text = text->buf;
	return r;
}

static int read_header(struct parser *ps, struct strbuf *table)
{
	bool array = ps->p[1] == '[';
	int r;

	ps->p += array ? 2 : 1;
	strbuf_clear(table);
	r = read_key(ps, table);
	if (r < 0)
		return r;
	if (!str_has_prefix(ps->p, array ? "]]" : "]"))
		return fail(ps, "a table's name does not end");
	ps->p += array ? 2 : 1;
	return end_of_line(ps);
}

static int read_pair(struct parser *ps, const char *table, toml_callback *callback, void *context)
{
	auto_strbuf struct strbuf key = STRBUF_INIT;
	auto_strbuf struct strbuf text = STRBUF_INIT;
	struct toml_value value = { 0 };
	int r = read_key(ps, &key);

	if (r < 0)
		return r;
	if (*ps->p != '=')
		return fail(ps, "expected '=' behind a key");
	ps->p++;
	r = read_value(ps, &value, &text, 0);
	if (r == 0)
		r = end_of_line(ps);
	if (r == 0 && callback(context, table, false, key.buf, &value) < 0)
		r = err_set(ps->err, ERR_INVALID, "%s:%u: '%s' has a value of the wrong type",
			    ps->name, ps->line, key.buf);
	value_done(&value, true);
	return r;
}

int toml_read(const char *text, const char *name, toml_callback *callback, void *context,
	      struct err *err)
{
	auto_strbuf struct strbuf table = STRBUF_INIT;
	struct parser ps = { .p = text, .name = name, .line = 1, .err = err };

	for (;;) {
		int r;

		skip_space(&ps);
		if (!*ps.p)
			return 0;
		if (*ps.p == '[') {
			r = read_header(&ps, &table);
			if (r == 0)
				r = callback(context, table.buf, true, NULL, NULL);
		} else {
			r = read_pair(&ps, table.buf, callback, context);
		}
		if (r < 0)
			return r;
	}
}

/* --- as one document --- */

/* The object of a table "a.b", made when it is missing; NULL when one of its names is a plain value. */
static struct json_object *table_of(struct json_object *root, const char *table)
{
	auto_strvec struct strvec names = STRVEC_INIT;

	strvec_split(&names, table, '.', false);
	for (size_t i = 0; root && i < names.n; i++) {
		struct json_object *next = NULL;

		if (!json_object_object_get_ex(root, names.v[i], &next)) {
			next = json_object_new_object();
			json_object_object_add(root, names.v[i], next);
		}
		root = json_object_is_type(next, json_type_object) ? next : NULL;
	}
	return root;
}

static int add_to_document(void *context, const char *table, bool is_new_table UNUSED,
			   const char *key, const struct toml_value *value)
{
	struct json_object *o = table_of(context, table);

	if (!o)
		return -EINVAL;
	if (key)
		json_object_object_add(o, key, json_object_get(value->json));
	return 0;
}

int toml_to_json(const char *text, const char *name, struct json_object **ret, struct err *err)
{
	struct json_object *root = json_object_new_object();
	int r = toml_read(text, name, add_to_document, root, err);

	if (r == -EINVAL && err && !err->msg[0])
		r = err_set(err, ERR_INVALID, "%s: a table has the name of a value", name);
	if (r < 0)
		json_object_put(root);
	else
		*ret = root;
	return r;
}
