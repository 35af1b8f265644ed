/* SPDX-License-Identifier: Apache-2.0 */
/* Documents and what the structs own; json_decode.c and json_encode.c do the members. */
#include "core/json_table.h"

#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "core/alloc.h"
#include "core/auto.h"
#include "core/io.h"
#include "core/json_decode.h"
#include "core/json_locate.h"
#include "core/strbuf.h"

#define JSON_DEPTH_MAX 64

/*
 * Documents.
 */

static int as_bad_message(struct err *err)
{
	if (err)
		err->code = -EBADMSG;
	return -EBADMSG;
}

static int syntax_error(const struct json_source *d, enum json_tokener_error code, size_t end)
{
	size_t line = json_line_of_offset(d->text, d->len, end);

	if (code == json_tokener_continue || code == json_tokener_error_parse_eof)
		return err_set(d->err, ERR_INVALID, "%s:%zu: document ends too early", d->name,
			       line);
	if (code == json_tokener_error_depth)
		return err_set(d->err, ERR_INVALID, "%s:%zu: nested deeper than %d levels", d->name,
			       line, JSON_DEPTH_MAX);
	return err_set(d->err, ERR_INVALID, "%s:%zu: %s", d->name, line,
		       json_tokener_error_desc(code));
}

/* *ret is owned by the caller, also on failure. */
static int parse_with(const struct json_source *d, struct json_tokener *tokener,
		      struct json_object **ret)
{
	enum json_tokener_error code;
	size_t n_keys = 0;
	size_t end;
	int r = json_check_tokens(d->text, d->len, d->name, &n_keys, d->err);

	if (r < 0)
		return r;
	*ret = json_tokener_parse_ex(tokener, d->text, (int)d->len);
	code = json_tokener_get_error(tokener);
	end = json_tokener_get_parse_end(tokener);
	/* json-c waits for more: the NUL tells it that this was all. */
	if (code == json_tokener_continue) {
		*ret = json_tokener_parse_ex(tokener, "", 1);
		code = json_tokener_get_error(tokener);
	}
	if (code != json_tokener_success)
		return syntax_error(d, code, end);
	while (end < d->len && strchr(" \t\r\n", d->text[end]))
		end++;
	if (end < d->len)
		return err_set(d->err, ERR_INVALID, "%s:%zu: text behind the end of the document",
			       d->name, json_line_of_offset(d->text, d->len, end));
	return json_check_duplicates(d->text, d->len, d->name, *ret, n_keys, d->err);
}

static int parse_document(const struct json_source *d, struct json_object **ret)
{
	struct json_tokener *tokener;
	int r;

	if (d->len > JSON_TEXT_MAX)
		return err_set(d->err, ERR_INVALID, "%s: document is larger than %u bytes", d->name,
			       JSON_TEXT_MAX);
	tokener = json_tokener_new_ex(JSON_DEPTH_MAX);
	if (!tokener)
		return err_sys(d->err, -ENOMEM, "%s: parse", d->name);
	/* No flags: what its strict mode would refuse, json_check_tokens() has refused. */
	r = parse_with(d, tokener, ret);
	json_tokener_free(tokener);
	return r;
}

static int decode_document(const struct json_source *d, const struct json_desc *desc, void *ret,
			   struct json_object *value)
{
	int r;

	memset(ret, 0, desc->size);
	r = json_decode_root(d, desc, ret, value);
	if (r < 0)
		json_done(desc, ret);
	return r;
}

int json_decode(const struct json_desc *desc, void *ret, const char *text, size_t len,
		const char *name, struct err *err)
{
	const struct json_source d = { .name = name, .text = text, .len = len, .err = err };
	struct json_object *value = NULL;
	int r = parse_document(&d, &value);

	if (r < 0)
		r = as_bad_message(err);
	else
		r = decode_document(&d, desc, ret, value);
	json_object_put(value);
	return r;
}

int json_decode_value(const struct json_desc *desc, void *ret, struct json_object *value,
		      const char *name, struct err *err)
{
	const struct json_source d = { .name = name, .err = err };

	return decode_document(&d, desc, ret, value);
}

int json_decode_file(const struct json_desc *desc, void *ret, int dir_fd, const char *path,
		     struct err *err)
{
	auto_strbuf struct strbuf text = STRBUF_INIT;
	int r = io_read_file_at(dir_fd, path, JSON_TEXT_MAX, &text);

	if (r == -EFBIG) {
		(void)err_set(err, ERR_INVALID, "%s: document is larger than %u bytes", path,
			      JSON_TEXT_MAX);
		return as_bad_message(err);
	}
	if (r == -EINVAL)
		return err_set(err, ERR_INVALID, "read '%s': not a regular file", path);
	if (r < 0)
		return err_sys(err, r, "read '%s'", path);
	return json_decode(desc, ret, text.buf, text.len, path, err);
}

/*
 * Free.
 */

static void objects_done(const struct json_desc *desc, void *list, size_t n, bool is_map)
{
	for (size_t i = 0; i < n; i++) {
		char *element = (char *)list + i * desc->size;

		if (is_map)
			free(*(char **)(void *)element);
		json_done(desc, element);
	}
	free(list);
}

static void member_done(const struct json_field *field, void *base)
{
	void *at = (char *)base + field->offset;
	void **pointer = at;
	size_t n = field->n_offset ? *(size_t *)(void *)((char *)base + field->n_offset) : 0;

	switch (field->kind) {
	case JSON_KIND_STRING:
	case JSON_KIND_U32S:
		free(*pointer);
		break;
	case JSON_KIND_STRINGS:
		for (size_t i = 0; i < n; i++)
			free(((char **)*pointer)[i]);
		free(*pointer);
		break;
	case JSON_KIND_STRING_MAP:
		json_string_map_done(at);
		break;
	case JSON_KIND_OBJECT:
		json_done(field->desc, at);
		break;
	case JSON_KIND_OBJECT_PTR:
		json_done(field->desc, *pointer);
		free(*pointer);
		break;
	case JSON_KIND_OBJECTS:
	case JSON_KIND_OBJECT_MAP:
		objects_done(field->desc, *pointer, n, field->kind == JSON_KIND_OBJECT_MAP);
		break;
	case JSON_KIND_RAW:
	case JSON_KIND_EXTRA: /* the struct is one such pointer */
		json_object_put(*pointer);
		break;
	case JSON_KIND_BOOL:
	case JSON_KIND_OPT_BOOL:
	case JSON_KIND_INT:
	case JSON_KIND_I64:
	case JSON_KIND_U64:
	case JSON_KIND_U32:
	case JSON_KIND_OPT_I64:
	case JSON_KIND_OPT_U64:
	case JSON_KIND_OPT_U32:
	case JSON_KIND_OPT_DOUBLE:
	case JSON_KIND_ENUM:
		break;
	}
}

void json_done(const struct json_desc *desc, void *object)
{
	if (!object)
		return;
	for (size_t i = 0; i < desc->n_fields; i++)
		if (!(desc->fields[i].flags & JSON_DECODE_ONLY))
			member_done(&desc->fields[i], object);
	memset(object, 0, desc->size);
}

/*
 * Lists and maps of strings.
 */

void json_strings_add(char ***list, size_t *n, const char *s)
{
	char *copy = xstrdup(s);

	*list = xrealloc(*list, MAX(json_list_capacity(*n + 1), *n + 2), sizeof(**list));
	(*list)[(*n)++] = copy;
	(*list)[*n] = NULL;
}

void json_strings_add_all(char ***list, size_t *n, char *const *v, size_t n_v)
{
	for (size_t i = 0; i < n_v; i++)
		json_strings_add(list, n, v[i]);
}

void json_strings_clear(char ***list, size_t *n)
{
	for (size_t i = 0; i < *n; i++)
		free((*list)[i]);
	free(*list);
	*list = NULL;
	*n = 0;
}

const char *json_string_map_get(const struct json_string_map *map, const char *key)
{
	for (size_t i = 0; i < map->n; i++)
		if (strcmp(map->v[i].key, key) == 0)
			return map->v[i].value;
	return NULL;
}

void json_string_map_set(struct json_string_map *map, const char *key, const char *value)
{
	struct json_string_pair *pair;

	for (size_t i = 0; i < map->n; i++) {
		if (strcmp(map->v[i].key, key) == 0) {
			/* value may be a part of what it replaces. */
			replace_ptr(map->v[i].value, xstrdup(value));
			return;
		}
	}
	pair = array_push(map->v, map->n);
	pair->key = xstrdup(key);
	pair->value = xstrdup(value);
}

void json_string_map_set_pair(struct json_string_map *map, const char *pair)
{
	const char *equals = strchr(pair, '=');
	auto_free char *key = equals ? xstrndup(pair, (size_t)(equals - pair)) : xstrdup(pair);

	json_string_map_set(map, key, equals ? equals + 1 : "");
}

void json_string_map_set_all(struct json_string_map *map, const struct json_string_map *from)
{
	for (size_t i = 0; i < from->n; i++)
		json_string_map_set(map, from->v[i].key, from->v[i].value);
}

void json_string_map_done(struct json_string_map *map)
{
	for (size_t i = 0; i < map->n; i++) {
		free(map->v[i].key);
		free(map->v[i].value);
	}
	free(map->v);
	*map = (struct json_string_map){ 0 };
}
