/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/gotemplate_internal.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "core/json_table.h"
#include "core/str.h"

struct call {
	const char *name;
	struct json_object **args;
	size_t n;
	struct err *err;
};

static struct json_object *new_text(const struct strbuf *sb)
{
	return json_object_new_string_len(sb->buf, (int)sb->len);
}

struct json_object *gt_no_value(void)
{
	static struct json_object *value;

	if (!value)
		value = json_object_new_string("<no value>");
	return value;
}

bool gt_is_true(struct json_object *value)
{
	if (value == gt_no_value())
		return false;
	switch (json_object_get_type(value)) {
	case json_type_boolean:
		return json_object_get_boolean(value);
	case json_type_int:
		return json_object_get_int64(value) != 0;
	case json_type_double:
		return json_object_get_double(value) != 0;
	case json_type_string:
		return json_object_get_string_len(value) > 0;
	case json_type_array:
		return json_object_array_length(value) > 0;
	case json_type_object:
		return json_object_object_length(value) > 0;
	case json_type_null:
	default:
		return false;
	}
}

/* --- printing --- */

/*
 * What is behind our documents in podman are Go's structs and maps, and %v prints the two differently: in lists there are structs, and
 * members without content of their own are those of a set (ExposedPorts, Volumes).
 */
static void print_struct(struct json_object *value, struct strbuf *out)
{
	const char *separator = "";

	strbuf_addc(out, '{');
	json_object_object_foreach(value, key, member)
	{
		(void)key;
		strbuf_adds(out, separator);
		gt_print(member, out);
		separator = " ";
	}
	strbuf_addc(out, '}');
}

static bool is_empty_object(struct json_object *value)
{
	return json_object_is_type(value, json_type_object) &&
	       json_object_object_length(value) == 0;
}

static void print_object(struct json_object *value, struct strbuf *out)
{
	auto_strvec struct strvec keys = STRVEC_INIT;

	gt_keys(value, &keys);
	strbuf_adds(out, "map[");
	for (size_t i = 0; i < keys.n; i++) {
		struct json_object *member = json_object_object_get(value, keys.v[i]);

		strbuf_addf(out, "%s%s:", i ? " " : "", keys.v[i]);
		if (!member)
			strbuf_adds(out, "[]"); /* of a port that is only exposed */
		else if (is_empty_object(member))
			strbuf_adds(out, "{}");
		else
			gt_print(member, out);
	}
	strbuf_addc(out, ']');
}

static void print_array(struct json_object *value, struct strbuf *out)
{
	size_t n = json_object_array_length(value);

	strbuf_addc(out, '[');
	for (size_t i = 0; i < n; i++) {
		struct json_object *element = json_object_array_get_idx(value, i);

		if (i)
			strbuf_addc(out, ' ');
		if (json_object_is_type(element, json_type_object))
			print_struct(element, out);
		else
			gt_print(element, out);
	}
	strbuf_addc(out, ']');
}

/* As few digits as tell it from all others, as Go. */
static void print_double(double value, struct strbuf *out)
{
	char text[40];

	for (int digits = 1; digits <= 17; digits++) {
		(void)snprintf(text, sizeof(text), "%.*g", digits, value);
		if (strtod(text, NULL) == value)
			break;
	}
	strbuf_adds(out, text);
}

void gt_print(struct json_object *value, struct strbuf *out)
{
	switch (json_object_get_type(value)) {
	case json_type_null:
		strbuf_adds(out, "<nil>");
		break;
	case json_type_string:
		if (gt_is_time(value)) {
			gt_time_print(value, out);
			break;
		}
		strbuf_add(out, json_object_get_string(value),
			   (size_t)json_object_get_string_len(value));
		break;
	case json_type_double:
		print_double(json_object_get_double(value), out);
		break;
	case json_type_array:
		print_array(value, out);
		break;
	case json_type_object:
		print_object(value, out);
		break;
	case json_type_boolean:
	case json_type_int:
	default:
		strbuf_adds(out, json_object_to_json_string(value));
	}
}

static int wrong(const struct call *c, const char *what)
{
	return err_set(c->err, ERR_USAGE, "execute template: function '%s': %s", c->name, what);
}

static int need(const struct call *c, size_t n)
{
	return c->n == n ? 0 : wrong(c, "wrong number of arguments");
}

/* --- logic and comparison --- */

static int fn_and(const struct call *c, struct json_object **ret)
{
	size_t i = 0;

	if (c->n == 0)
		return wrong(c, "wrong number of arguments");
	while (i + 1 < c->n && gt_is_true(c->args[i]))
		i++;
	*ret = json_object_get(c->args[i]);
	return 0;
}

static int fn_or(const struct call *c, struct json_object **ret)
{
	size_t i = 0;

	if (c->n == 0)
		return wrong(c, "wrong number of arguments");
	while (i + 1 < c->n && !gt_is_true(c->args[i]))
		i++;
	*ret = json_object_get(c->args[i]);
	return 0;
}

static int fn_not(const struct call *c, struct json_object **ret)
{
	int r = need(c, 1);

	if (r == 0)
		*ret = json_object_new_boolean(!gt_is_true(c->args[0]));
	return r;
}

/* -1, 0, 1 in *ret. */
static int compare(const struct call *c, struct json_object *a, struct json_object *b, int *ret)
{
	if (gt_is_number(a) && gt_is_number(b)) {
		double x = json_object_get_double(a);
		double y = json_object_get_double(b);

		*ret = x < y ? -1 : x > y;
	} else if (json_object_is_type(a, json_type_string) &&
		   json_object_is_type(b, json_type_string)) {
		int d = strcmp(json_object_get_string(a), json_object_get_string(b));

		*ret = d < 0 ? -1 : d > 0;
	} else if (json_object_get_type(a) == json_object_get_type(b)) {
		*ret = !json_object_equal(a, b);
	} else if (!a || !b) {
		*ret = 1;
	} else {
		return wrong(c, "incompatible types for comparison");
	}
	return 0;
}

static int fn_eq(const struct call *c, struct json_object **ret)
{
	bool equal = false;

	if (c->n < 2)
		return wrong(c, "wrong number of arguments");
	for (size_t i = 1; i < c->n && !equal; i++) {
		int d;
		int r = compare(c, c->args[0], c->args[i], &d);

		if (r < 0)
			return r;
		equal = d == 0;
	}
	*ret = json_object_new_boolean(equal);
	return 0;
}

static int fn_compare(const struct call *c, struct json_object **ret)
{
	int d = 0;
	int r = need(c, 2);
	bool yes;

	if (r == 0)
		r = compare(c, c->args[0], c->args[1], &d);
	if (r < 0)
		return r;
	if (str_eq(c->name, "ne"))
		yes = d != 0;
	else if (str_eq(c->name, "lt"))
		yes = d < 0;
	else if (str_eq(c->name, "le"))
		yes = d <= 0;
	else if (str_eq(c->name, "gt"))
		yes = d > 0;
	else
		yes = d >= 0;
	*ret = json_object_new_boolean(yes);
	return 0;
}

/* --- parts --- */

static int fn_len(const struct call *c, struct json_object **ret)
{
	int r = need(c, 1);
	auto_strvec struct strvec keys = STRVEC_INIT;
	int64_t n;

	if (r < 0)
		return r;
	switch (json_object_get_type(c->args[0])) {
	case json_type_string:
		n = json_object_get_string_len(c->args[0]);
		break;
	case json_type_array:
		n = (int64_t)json_object_array_length(c->args[0]);
		break;
	case json_type_object:
		gt_keys(c->args[0], &keys);
		n = (int64_t)keys.n;
		break;
	case json_type_null:
		n = 0;
		break;
	case json_type_boolean:
	case json_type_int:
	case json_type_double:
	default:
		return wrong(c, "its argument has no length");
	}
	*ret = json_object_new_int64(n);
	return 0;
}

static int index_one(const struct call *c, struct json_object *value, struct json_object *key,
		     struct json_object **ret)
{
	if (json_object_is_type(value, json_type_object)) {
		if (!json_object_is_type(key, json_type_string))
			return wrong(c, "the index of a map must be a string");
		if (!json_object_object_get_ex(value, json_object_get_string(key), ret))
			*ret = gt_no_value();
		return 0;
	}
	if (json_object_is_type(value, json_type_array)) {
		int64_t i = json_object_get_int64(key);

		if (!json_object_is_type(key, json_type_int))
			return wrong(c, "the index of a list must be a number");
		if (i < 0 || (uint64_t)i >= json_object_array_length(value))
			return wrong(c, "index out of range");
		*ret = json_object_array_get_idx(value, (size_t)i);
		return 0;
	}
	if (!value || value == gt_no_value()) {
		*ret = gt_no_value();
		return 0;
	}
	return wrong(c, "its argument has no elements");
}

static int fn_index(const struct call *c, struct json_object **ret)
{
	struct json_object *value;

	if (c->n == 0)
		return wrong(c, "wrong number of arguments");
	value = c->args[0];
	for (size_t i = 1; i < c->n; i++) {
		int r = index_one(c, value, c->args[i], &value);

		if (r < 0)
			return r;
	}
	*ret = json_object_get(value);
	return 0;
}

static int fn_slice(const struct call *c, struct json_object **ret)
{
	bool text = c->n && json_object_is_type(c->args[0], json_type_string);
	int64_t len;
	int64_t from;
	int64_t to;

	if (c->n < 1 || c->n > 3 || (!text && !json_object_is_type(c->args[0], json_type_array)))
		return wrong(c, "wants a string or a list, and at most two numbers");
	len = text ? json_object_get_string_len(c->args[0]) :
		     (int64_t)json_object_array_length(c->args[0]);
	from = c->n > 1 ? json_object_get_int64(c->args[1]) : 0;
	to = c->n > 2 ? json_object_get_int64(c->args[2]) : len;
	if (from < 0 || to > len || from > to)
		return wrong(c, "index out of range");
	if (text) {
		*ret = json_object_new_string_len(json_object_get_string(c->args[0]) + from,
						  (int)(to - from));
		return 0;
	}
	*ret = json_object_new_array();
	for (int64_t i = from; i < to; i++)
		json_object_array_add(
			*ret, json_object_get(json_object_array_get_idx(c->args[0], (size_t)i)));
	return 0;
}

/* --- text --- */

static int fn_json(const struct call *c, struct json_object **ret)
{
	auto_free char *text = NULL;
	int r = need(c, 1);

	if (r < 0)
		return r;
	text = gt_json_text(c->args[0] == gt_no_value() ? NULL : c->args[0], JSON_COMPACT);
	*ret = json_object_new_string(text);
	return 0;
}

static int fn_case(const struct call *c, struct json_object **ret)
{
	auto_strbuf struct strbuf sb = STRBUF_INIT;
	bool start = true;
	int r = need(c, 1);

	if (r < 0)
		return r;
	gt_print(c->args[0], &sb);
	for (char *p = sb.buf; *p; p++) {
		unsigned char ch = (unsigned char)*p;

		if (str_eq(c->name, "lower"))
			*p = (char)tolower(ch);
		else if (str_eq(c->name, "upper") || start)
			*p = (char)toupper(ch);
		start = !isalnum(ch);
	}
	*ret = new_text(&sb);
	return 0;
}

static int fn_join(const struct call *c, struct json_object **ret)
{
	auto_strbuf struct strbuf sb = STRBUF_INIT;
	struct json_object *list;
	const char *separator;
	int r = need(c, 2);

	if (r < 0)
		return r;
	list = c->args[0];
	separator = json_object_get_string(c->args[1]);
	if (list && !json_object_is_type(list, json_type_array))
		return wrong(c, "its first argument is no list");
	for (size_t i = 0; list && i < json_object_array_length(list); i++) {
		if (i)
			strbuf_adds(&sb, separator ? separator : "");
		gt_print(json_object_array_get_idx(list, i), &sb);
	}
	*ret = new_text(&sb);
	return 0;
}

static int fn_split(const struct call *c, struct json_object **ret)
{
	const char *text;
	const char *separator;
	const char *next;
	int r = need(c, 2);

	if (r < 0)
		return r;
	text = json_object_get_string(c->args[0]);
	separator = json_object_get_string(c->args[1]);
	if (!text || !separator)
		return wrong(c, "wants two strings");
	*ret = json_object_new_array();
	while (*separator && (next = strstr(text, separator))) {
		json_object_array_add(*ret, json_object_new_string_len(text, (int)(next - text)));
		text = next + strlen(separator);
	}
	json_object_array_add(*ret, json_object_new_string(text));
	return 0;
}

static int fn_truncate(const struct call *c, struct json_object **ret)
{
	const char *text;
	int64_t max;
	int r = need(c, 2);

	if (r < 0)
		return r;
	text = json_object_get_string(c->args[0]);
	max = json_object_get_int64(c->args[1]);
	if (!text || max < 0)
		return wrong(c, "wants a string and a number");
	*ret = json_object_new_string_len(text, (int)MIN((size_t)max, strlen(text)));
	return 0;
}

/* pad TEXT BEFORE AFTER; padded is the same with both sides given once. */
static int fn_pad(const struct call *c, struct json_object **ret)
{
	auto_strbuf struct strbuf sb = STRBUF_INIT;

	if (c->n < 2 || c->n > 3)
		return wrong(c, "wrong number of arguments");
	gt_add_spaces(&sb, json_object_get_int64(c->args[1]));
	gt_print(c->args[0], &sb);
	gt_add_spaces(&sb, json_object_get_int64(c->args[c->n - 1]));
	*ret = new_text(&sb);
	return 0;
}

static int fn_print(const struct call *c, struct json_object **ret)
{
	auto_strbuf struct strbuf sb = STRBUF_INIT;
	bool line = str_eq(c->name, "println");

	for (size_t i = 0; i < c->n; i++) {
		/* Go's Print has spaces between operands when neither is a string. */
		if (i && (line || (!json_object_is_type(c->args[i], json_type_string) &&
				   !json_object_is_type(c->args[i - 1], json_type_string))))
			strbuf_addc(&sb, ' ');
		gt_print(c->args[i], &sb);
	}
	if (line)
		strbuf_addc(&sb, '\n');
	*ret = new_text(&sb);
	return 0;
}

static int fn_escape(const struct call *c, struct json_object **ret)
{
	auto_strbuf struct strbuf text = STRBUF_INIT;
	auto_strbuf struct strbuf sb = STRBUF_INIT;

	for (size_t i = 0; i < c->n; i++)
		gt_print(c->args[i], &text);
	for (const char *p = text.buf; *p; p++) {
		if (str_eq(c->name, "html") && strchr("<>&'\"", *p))
			strbuf_addf(&sb, "&%s;",
				    *p == '<'  ? "lt" :
				    *p == '>'  ? "gt" :
				    *p == '&'  ? "amp" :
				    *p == '\'' ? "#39" :
						 "#34");
		else if (str_eq(c->name, "js") && strchr("\\'\"", *p))
			strbuf_addf(&sb, "\\%c", *p);
		else if (str_eq(c->name, "js") && strchr("<>&=", *p))
			strbuf_addf(&sb, "\\u%04X", *p);
		else if (str_eq(c->name, "urlquery") && *p == ' ')
			strbuf_addc(&sb, '+');
		else if (str_eq(c->name, "urlquery") && !isalnum((unsigned char)*p) &&
			 !strchr("-_.~", *p))
			strbuf_addf(&sb, "%%%02X", (unsigned char)*p);
		else
			strbuf_addc(&sb, *p);
	}
	*ret = new_text(&sb);
	return 0;
}

static int fn_printf(const struct call *c, struct json_object **ret)
{
	auto_strbuf struct strbuf out = STRBUF_INIT;
	const char *what = NULL;

	if (c->n == 0 || !json_object_is_type(c->args[0], json_type_string))
		return wrong(c, "wants a format");
	if (gt_printf(json_object_get_string(c->args[0]), c->args + 1, c->n - 1, &out, &what) < 0)
		return wrong(c, what);
	*ret = new_text(&out);
	return 0;
}

/* --- the table --- */

static const struct function {
	const char *name;
	int (*run)(const struct call *c, struct json_object **ret);
} functions[] = {
	{ "and", fn_and },	     { "or", fn_or },
	{ "not", fn_not },	     { "eq", fn_eq },
	{ "ne", fn_compare },	     { "lt", fn_compare },
	{ "le", fn_compare },	     { "gt", fn_compare },
	{ "ge", fn_compare },	     { "len", fn_len },
	{ "index", fn_index },	     { "slice", fn_slice },
	{ "json", fn_json },	     { "lower", fn_case },
	{ "upper", fn_case },	     { "title", fn_case },
	{ "join", fn_join },	     { "split", fn_split },
	{ "truncate", fn_truncate }, { "pad", fn_pad },
	{ "padded", fn_pad },	     { "print", fn_print },
	{ "println", fn_print },     { "printf", fn_printf },
	{ "html", fn_escape },	     { "js", fn_escape },
	{ "urlquery", fn_escape },
};

static const struct function *find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(functions); i++)
		if (str_eq(functions[i].name, name))
			return &functions[i];
	return NULL;
}

bool gt_function_exists(const char *name)
{
	return find(name) != NULL;
}

int gt_call(const char *name, struct json_object **args, size_t n, struct json_object **ret,
	    struct err *err)
{
	const struct function *function = find(name);
	struct call c = { name, args, n, err };

	/* Parsing lets no other names through. */
	if (!function)
		return wrong(&c, "no such function");
	return function->run(&c, ret);
}
