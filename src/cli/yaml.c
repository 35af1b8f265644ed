/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/yaml.h"

#include <ctype.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/json_table.h"
#include "core/str.h"
#include "core/strvec.h"

/* Whether a plain scalar would be read as something else: a number, a word, a mark of YAML's. */
static bool needs_quotes(const char *s)
{
	static const char *const words[] = { "true", "false", "null", "yes", "no",  "on",
					     "off",  "y",     "n",    "~",   ".nan" };
	char *end;

	if (!*s || isspace((unsigned char)*s) || isspace((unsigned char)s[strlen(s) - 1]))
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strcasecmp(s, words[i]) == 0)
			return true;
	(void)strtod(s, &end);
	return !*end || strchr("!&*-?:[]{},#|>@`\"'%", *s) || strstr(s, ": ") || strstr(s, " #") ||
	       s[strlen(s) - 1] == ':';
}

static void add_block(const char *s, int depth, struct strbuf *out)
{
	strbuf_adds(out, s[strlen(s) - 1] == '\n' ? "|" : "|-");
	while (*s) {
		size_t len = strcspn(s, "\n");

		strbuf_addf(out, "\n%*s%.*s", len ? depth * 2 : 0, "", (int)len, s);
		s += len + (s[len] == '\n');
	}
}

static void add_string(const char *s, int depth, struct strbuf *out)
{
	if (strchr(s, '\n')) {
		add_block(s, depth, out);
	} else if (needs_quotes(s)) {
		char quote = strchr(s, ':') || strchr(s, '"') ? '\'' : '"';

		strbuf_addc(out, quote);
		for (; *s; s++)
			strbuf_addf(out, *s == '\'' && quote == '\'' ? "''" : "%c", *s);
		strbuf_addc(out, quote);
	} else {
		strbuf_adds(out, s);
	}
}

static bool is_empty(struct json_object *value)
{
	return json_object_is_type(value, json_type_array) ? json_object_array_length(value) == 0 :
							     json_object_object_length(value) == 0;
}

static bool is_block(struct json_object *value)
{
	return (json_object_is_type(value, json_type_object) ||
		json_object_is_type(value, json_type_array)) &&
	       !is_empty(value);
}

static void add_scalar(struct json_object *value, int depth, struct strbuf *out)
{
	if (json_object_is_type(value, json_type_string))
		add_string(json_object_get_string(value), depth, out);
	else if (json_object_is_type(value, json_type_object))
		strbuf_adds(out, "{}");
	else if (json_object_is_type(value, json_type_array))
		strbuf_adds(out, "[]");
	else
		strbuf_adds(out, value ? json_object_get_string(value) : "null");
	strbuf_addc(out, '\n');
}

static void add(struct json_object *value, int depth, struct strbuf *out);

static void add_object(struct json_object *value, int depth, struct strbuf *out)
{
	auto_strvec struct strvec keys = STRVEC_INIT;

	json_value_keys(value, &keys);
	for (size_t i = 0; i < keys.n; i++) {
		struct json_object *of = json_object_object_get(value, keys.v[i]);

		strbuf_addf(out, "%*s%s:", depth * 2, "", keys.v[i]);
		if (is_block(of)) {
			strbuf_addc(out, '\n');
			/* A list stands below its key without a further step. */
			add(of, depth + !json_object_is_type(of, json_type_array), out);
		} else {
			strbuf_addc(out, ' ');
			add_scalar(of, depth + 1, out);
		}
	}
}

static void add(struct json_object *value, int depth, struct strbuf *out)
{
	if (json_object_is_type(value, json_type_object)) {
		add_object(value, depth, out);
		return;
	}
	for (size_t i = 0; i < json_object_array_length(value); i++) {
		struct json_object *of = json_object_array_get_idx(value, i);

		strbuf_addf(out, "%*s-%s", depth * 2, "", is_block(of) ? "\n" : " ");
		if (is_block(of))
			add(of, depth + 1, out);
		else
			add_scalar(of, depth + 1, out);
	}
}

void yaml_add(struct json_object *value, struct strbuf *out)
{
	if (is_block(value))
		add(value, 0, out);
	else
		add_scalar(value, 0, out);
}
