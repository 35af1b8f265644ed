/* SPDX-License-Identifier: Apache-2.0 */
/* From a struct by its table to a json-c value, and from a value to text. */
#include "core/json_table.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "core/alloc.h"
#include "core/strbuf.h"
#include "core/utf8.h"

static struct json_object *checked(struct json_object *value)
{
	if (!value) {
		(void)fputs("floe: out of memory\n", stderr);
		abort();
	}
	return value;
}

static struct json_object *new_string(const char *s)
{
	return checked(json_object_new_string(s));
}

/* The shortest text that reads back as the same number; json-c's own has 17 digits always. */
static struct json_object *new_double(double v)
{
	char text[32];

	if (!isfinite(v))
		return NULL;
	for (int digits = 15; digits <= 17; digits++) {
		(void)snprintf(text, sizeof(text), "%.*g", digits, v);
		if (strtod(text, NULL) == v)
			break;
	}
	return checked(json_object_new_double_s(v, text));
}

/*
 * Lists and maps. NULL (in C) means: leave the key out. A list that is there though empty was there
 * in the document, or was put there on purpose.
 */

static struct json_object *new_list(const void *list, size_t n, bool always)
{
	return list || n || always ? checked(json_object_new_array_ext((int)MAX(n, (size_t)1))) :
				     NULL;
}

static struct json_object *encode_strings(char *const *v, size_t n, bool always)
{
	struct json_object *list = new_list(v, n, always);

	for (size_t i = 0; i < n; i++)
		json_object_array_add(list, new_string(v[i]));
	return list;
}

static struct json_object *encode_u32s(const uint32_t *v, size_t n, bool always)
{
	struct json_object *list = new_list(v, n, always);

	for (size_t i = 0; i < n; i++)
		json_object_array_add(list, checked(json_object_new_uint64(v[i])));
	return list;
}

static struct json_object *encode_string_map(const struct json_string_map *map, bool always)
{
	struct json_object *object;

	if (!map->v && !always)
		return NULL;
	object = checked(json_object_new_object());
	for (size_t i = 0; i < map->n; i++)
		json_object_object_add(object, map->v[i].key, new_string(map->v[i].value));
	return object;
}

static struct json_object *encode_objects(const struct json_desc *desc, const void *v, size_t n,
					  bool always)
{
	struct json_object *list = new_list(v, n, always);

	for (size_t i = 0; i < n; i++)
		json_object_array_add(list,
				      json_encode_value(desc, (const char *)v + i * desc->size));
	return list;
}

static struct json_object *encode_object_map(const struct json_desc *desc, const void *v, size_t n,
					     bool always)
{
	struct json_object *object;

	if (!v && !always)
		return NULL;
	object = checked(json_object_new_object());
	for (size_t i = 0; i < n; i++) {
		const char *element = (const char *)v + i * desc->size;
		const char *key = *(char *const *)(const void *)element;

		json_object_object_add(object, key, json_encode_value(desc, element));
	}
	return object;
}

/* An object that is always there in the struct: left out when nothing of it would be written. */
static struct json_object *encode_inline(const struct json_desc *desc, const void *at, bool always)
{
	struct json_object *object = json_encode_value(desc, at);

	if (always || json_object_object_length(object) > 0)
		return object;
	json_object_put(object);
	return NULL;
}

static struct json_object *encode_enum(const struct json_enum_name *names, int value)
{
	for (; names->name; names++)
		if (names->value == value)
			return new_string(names->name);
	return NULL;
}

/*
 * Objects.
 */

#define VALUE_(type) (*(type const *)at)
/* Zero is left out unless the row says always. */
#define WHOLE_(type, make) (VALUE_(type) || always ? checked(make(VALUE_(type))) : NULL)
#define OPT_(type, make) (VALUE_(type).set ? make(VALUE_(type).v) : NULL)

static struct json_object *encode_member(const struct json_field *field, const void *base)
{
	const void *at = (const char *)base + field->offset;
	const void *pointer = NULL;
	bool always = field->flags & JSON_ALWAYS;
	size_t n = 0;

	if (field->n_offset) {
		pointer = VALUE_(void *);
		n = *(const size_t *)(const void *)((const char *)base + field->n_offset);
	}
	switch (field->kind) {
	case JSON_KIND_BOOL:
		return WHOLE_(bool, json_object_new_boolean);
	case JSON_KIND_OPT_BOOL:
		return OPT_(struct opt_bool, json_object_new_boolean);
	case JSON_KIND_INT:
		return WHOLE_(int, json_object_new_int64);
	case JSON_KIND_I64:
		return WHOLE_(int64_t, json_object_new_int64);
	case JSON_KIND_U64:
		return WHOLE_(uint64_t, json_object_new_uint64);
	case JSON_KIND_U32:
		return WHOLE_(uint32_t, json_object_new_uint64);
	case JSON_KIND_OPT_I64:
		return OPT_(struct opt_i64, json_object_new_int64);
	case JSON_KIND_OPT_U64:
		return OPT_(struct opt_u64, json_object_new_uint64);
	case JSON_KIND_OPT_U32:
		return OPT_(struct opt_u32, json_object_new_uint64);
	case JSON_KIND_OPT_DOUBLE:
		return OPT_(struct opt_double, new_double);
	case JSON_KIND_STRING:
		if (VALUE_(char *))
			return new_string(VALUE_(char *));
		return always ? new_string("") : NULL;
	case JSON_KIND_STRINGS:
		return encode_strings(pointer, n, always);
	case JSON_KIND_STRING_MAP:
		return encode_string_map(at, always);
	case JSON_KIND_ENUM:
		return encode_enum(field->names, VALUE_(int));
	case JSON_KIND_OBJECT:
		return encode_inline(field->desc, at, always);
	case JSON_KIND_OBJECT_PTR:
		return VALUE_(void *) ? json_encode_value(field->desc, VALUE_(void *)) : NULL;
	case JSON_KIND_OBJECTS:
		return encode_objects(field->desc, pointer, n, always);
	case JSON_KIND_OBJECT_MAP:
		return encode_object_map(field->desc, pointer, n, always);
	case JSON_KIND_U32S:
		return encode_u32s(pointer, n, always);
	case JSON_KIND_RAW:
		return json_object_get(VALUE_(struct json_object *));
	case JSON_KIND_EXTRA:
		break;
	}
	return NULL;
}

static void add_extra(struct json_object *object, struct json_object *extra)
{
	if (!extra)
		return;
	json_object_object_foreach(extra, key, member)
	{
		json_object_object_add(object, key, json_object_get(member));
	}
}

struct json_object *json_encode_value(const struct json_desc *desc, const void *object)
{
	struct json_object *value = checked(json_object_new_object());

	for (size_t i = 0; i < desc->n_fields; i++) {
		const struct json_field *field = &desc->fields[i];
		struct json_object *member;

		if (field->kind == JSON_KIND_EXTRA) {
			const struct json_extra *extra =
				(const void *)((const char *)object + field->offset);

			add_extra(value, extra->object);
			continue;
		}
		if (field->flags & JSON_DECODE_ONLY)
			continue;
		member = encode_member(field, object);
		if (member)
			json_object_object_add_ex(value, field->key, member,
						  JSON_C_OBJECT_ADD_CONSTANT_KEY);
	}
	return value;
}

/*
 * Text. json-c's own writer cannot indent by four, and puts spaces where Go's does not; the
 * documents are compared with those of the field's runtimes.
 */

struct writer {
	struct strbuf *sb;
	const char *indent; /* of one level; NULL: everything on one line */
};

static void write_newline(const struct writer *w, unsigned int depth)
{
	if (!w->indent)
		return;
	strbuf_addc(w->sb, '\n');
	while (depth--)
		strbuf_adds(w->sb, w->indent);
}

static void write_escape(struct strbuf *sb, char c)
{
	static const char plain[] = "\b\f\n\r\t\"\\";
	static const char letters[] = "bfnrt\"\\";
	const char *at = c ? strchr(plain, c) : NULL;

	if (at)
		strbuf_addf(sb, "\\%c", letters[at - plain]);
	else
		strbuf_addf(sb, "\\u%04x", (unsigned int)(unsigned char)c);
}

/* Runs of ordinary bytes are copied at once; what is not UTF-8 becomes U+FFFD, as Go does, for
 * JSON has no other bytes. */
static void write_string(struct strbuf *sb, const char *s, size_t len)
{
	size_t from = 0;
	size_t i = 0;

	strbuf_addc(sb, '"');
	while (i < len) {
		unsigned char c = (unsigned char)s[i];
		size_t n = c < 0x80 ? 1 : utf8_sequence(s + i, len - i);

		if (n && c >= 0x20 && c != '"' && c != '\\') {
			i += n;
			continue;
		}
		strbuf_add(sb, s + from, i - from);
		if (n)
			write_escape(sb, s[i]);
		else
			strbuf_adds(sb, "\xef\xbf\xbd");
		from = ++i;
	}
	strbuf_add(sb, s + from, len - from);
	strbuf_addc(sb, '"');
}

static void write_value(const struct writer *w, struct json_object *value, unsigned int depth);

static void write_object(const struct writer *w, struct json_object *object, unsigned int depth)
{
	bool first = true;

	if (json_object_object_length(object) == 0) {
		strbuf_adds(w->sb, "{}");
		return;
	}
	strbuf_addc(w->sb, '{');
	json_object_object_foreach(object, key, member)
	{
		if (!first)
			strbuf_addc(w->sb, ',');
		first = false;
		write_newline(w, depth + 1);
		write_string(w->sb, key, strlen(key));
		strbuf_adds(w->sb, w->indent ? ": " : ":");
		write_value(w, member, depth + 1);
	}
	write_newline(w, depth);
	strbuf_addc(w->sb, '}');
}

static void write_list(const struct writer *w, struct json_object *list, unsigned int depth)
{
	size_t n = json_object_array_length(list);

	strbuf_addc(w->sb, '[');
	for (size_t i = 0; i < n; i++) {
		if (i)
			strbuf_addc(w->sb, ',');
		write_newline(w, depth + 1);
		write_value(w, json_object_array_get_idx(list, i), depth + 1);
	}
	if (n)
		write_newline(w, depth);
	strbuf_addc(w->sb, ']');
}

static void write_value(const struct writer *w, struct json_object *value, unsigned int depth)
{
	switch (json_object_get_type(value)) {
	case json_type_object:
		write_object(w, value, depth);
		break;
	case json_type_array:
		write_list(w, value, depth);
		break;
	case json_type_string:
		write_string(w->sb, json_object_get_string(value),
			     (size_t)json_object_get_string_len(value));
		break;
	case json_type_null:
		strbuf_adds(w->sb, "null");
		break;
	case json_type_boolean:
	case json_type_int:
	case json_type_double: /* as it was written, when it was parsed */
		strbuf_adds(w->sb, json_object_to_json_string_ext(value, JSON_C_TO_STRING_PLAIN));
		break;
	}
}

void json_value_keys(struct json_object *object, struct strvec *ret)
{
	json_object_object_foreach(object, key, member)
	{
		(void)member;
		strvec_add(ret, key);
	}
	strvec_sort(ret);
}

char *json_value_to_text(struct json_object *value, enum json_style style)
{
	static const char *const indents[] = {
		[JSON_COMPACT] = NULL,
		[JSON_INDENT2] = "  ",
		[JSON_INDENT4] = "    ",
		[JSON_TABS] = "\t",
	};
	auto_strbuf struct strbuf sb = STRBUF_INIT;
	const struct writer w = { .sb = &sb, .indent = indents[style] };

	write_value(&w, value, 0);
	return strbuf_take(&sb);
}

char *json_encode(const struct json_desc *desc, const void *object, enum json_style style)
{
	struct json_object *value = json_encode_value(desc, object);
	char *text = json_value_to_text(value, style);

	json_object_put(value);
	return text;
}
