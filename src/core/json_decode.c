/* SPDX-License-Identifier: Apache-2.0 */
#include "core/json_decode.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <json-c/json.h>

#include "core/alloc.h"
#include "core/auto.h"
#include "core/json_locate.h"
#include "core/str.h"
#include "core/strbuf.h"

static int decode_object(const struct json_source *d, const struct json_desc *desc, void *base,
			 struct json_object *value, const struct json_step *step);

/*
 * Errors.
 */

PRINTF_LIKE(3, 4)
static int source_error(const struct json_source *d, const struct json_step *step, const char *fmt,
			...)
{
	auto_strbuf struct strbuf text = STRBUF_INIT;
	size_t line = json_line_of_step(d->text, d->len, step);
	va_list ap;

	strbuf_adds(&text, d->name);
	if (line)
		strbuf_addf(&text, ":%zu", line);
	strbuf_adds(&text, ": ");
	if (step) {
		json_step_format(step, &text);
		strbuf_adds(&text, ": ");
	}
	va_start(ap, fmt);
	strbuf_vaddf(&text, fmt, ap);
	va_end(ap);
	(void)err_set(d->err, ERR_INVALID, "%s", text.buf);
	if (d->err)
		d->err->code = -EBADMSG;
	return -EBADMSG;
}

static const char *type_name(struct json_object *value)
{
	switch (json_object_get_type(value)) {
	case json_type_boolean:
		return "boolean";
	case json_type_int:
	case json_type_double:
		return "number";
	case json_type_string:
		return "string";
	case json_type_array:
		return "list";
	case json_type_object:
		return "object";
	case json_type_null:
		break;
	}
	return "null";
}

static int type_error(const struct json_source *d, const struct json_step *step, const char *want,
		      struct json_object *value)
{
	return source_error(d, step, "expected %s, got %s", want, type_name(value));
}

/*
 * Single values.
 */

/* An integer of JSON: sign and 64 bits of magnitude. */
struct whole {
	bool is_negative;
	int64_t i; /* when negative */
	uint64_t u;
};

static int decode_whole(const struct json_source *d, struct json_object *value, struct whole *ret,
			const struct json_step *step)
{
	if (json_object_is_type(value, json_type_double))
		return source_error(d, step, "expected integer, got number %s",
				    json_object_to_json_string_ext(value, JSON_C_TO_STRING_PLAIN));
	if (!json_object_is_type(value, json_type_int))
		return type_error(d, step, "integer", value);
	ret->i = json_object_get_int64(value);
	ret->is_negative = ret->i < 0;
	ret->u = ret->is_negative ? 0 : json_object_get_uint64(value);
	return 0;
}

static int range_error(const struct json_source *d, const struct json_step *step,
		       struct json_object *value, const char *range)
{
	return source_error(d, step, "expected integer from %s, got %s", range,
			    json_object_to_json_string_ext(value, JSON_C_TO_STRING_PLAIN));
}

static int decode_i64(const struct json_source *d, struct json_object *value, int64_t *ret,
		      const struct json_step *step)
{
	struct whole w = { 0 };
	int r = decode_whole(d, value, &w, step);

	if (r < 0)
		return r;
	if (!w.is_negative && w.u > INT64_MAX)
		return range_error(d, step, value, "-9223372036854775808 to 9223372036854775807");
	*ret = w.i;
	return 0;
}

static int decode_u64(const struct json_source *d, struct json_object *value, uint64_t *ret,
		      const struct json_step *step)
{
	struct whole w = { 0 };
	int r = decode_whole(d, value, &w, step);

	if (r < 0)
		return r;
	if (w.is_negative)
		return range_error(d, step, value, "0 to 18446744073709551615");
	*ret = w.u;
	return 0;
}

static int decode_int(const struct json_source *d, struct json_object *value, int *ret,
		      const struct json_step *step)
{
	struct whole w = { 0 };
	int r = decode_whole(d, value, &w, step);

	if (r < 0)
		return r;
	if (w.is_negative ? w.i < INT_MIN : w.u > INT_MAX)
		return range_error(d, step, value, "-2147483648 to 2147483647");
	*ret = (int)w.i;
	return 0;
}

static int decode_u32(const struct json_source *d, struct json_object *value, uint32_t *ret,
		      const struct json_step *step)
{
	struct whole w = { 0 };
	int r = decode_whole(d, value, &w, step);

	if (r < 0)
		return r;
	if (w.is_negative || w.u > UINT32_MAX)
		return range_error(d, step, value, "0 to 4294967295");
	*ret = (uint32_t)w.u;
	return 0;
}

static int decode_double(const struct json_source *d, struct json_object *value, double *ret,
			 const struct json_step *step)
{
	if (!json_object_is_type(value, json_type_double) &&
	    !json_object_is_type(value, json_type_int))
		return type_error(d, step, "number", value);
	*ret = json_object_get_double(value);
	return 0;
}

static int decode_bool(const struct json_source *d, struct json_object *value, bool *ret,
		       const struct json_step *step)
{
	if (!json_object_is_type(value, json_type_boolean))
		return type_error(d, step, "boolean", value);
	*ret = json_object_get_boolean(value);
	return 0;
}

static int decode_string(const struct json_source *d, struct json_object *value, char **ret,
			 const struct json_step *step)
{
	const char *s;

	if (!json_object_is_type(value, json_type_string))
		return type_error(d, step, "string", value);
	s = json_object_get_string(value);
	if (strlen(s) != (size_t)json_object_get_string_len(value))
		return source_error(d, step, "string contains a NUL character");
	*ret = xstrdup(s);
	return 0;
}

static int decode_enum(const struct json_source *d, const struct json_enum_name *names,
		       struct json_object *value, int *ret, const struct json_step *step)
{
	auto_strbuf struct strbuf accepted = STRBUF_INIT;
	const char *s;

	if (!json_object_is_type(value, json_type_string))
		return type_error(d, step, "string", value);
	s = json_object_get_string(value);
	for (; names->name; names++) {
		if (strcmp(names->name, s) == 0) {
			*ret = names->value;
			return 0;
		}
		strbuf_addf(&accepted, "%s'%s'", accepted.len ? ", " : "", names->name);
	}
	return source_error(d, step, "unknown value '%s', expected one of %s", s, accepted.buf);
}

/*
 * Lists and maps. The count is set before the elements are filled, so that json_done() frees what a
 * failure leaves; capacities are those that array_push() counts on.
 */

size_t json_list_capacity(size_t n)
{
	size_t capacity = 1;

	while (capacity < n)
		capacity *= 2;
	return capacity;
}

static int decode_strings(const struct json_source *d, struct json_object *value, char ***ret,
			  size_t *ret_n, const struct json_step *step)
{
	struct json_step element = { .parent = step };
	size_t n;

	if (!json_object_is_type(value, json_type_array))
		return type_error(d, step, "list of strings", value);
	n = json_object_array_length(value);
	/* Room for a NULL behind the last, so that the list can serve as argv. */
	*ret = xcalloc(MAX(json_list_capacity(n), n + 1), sizeof(**ret));
	*ret_n = n;
	for (size_t i = 0; i < n; i++) {
		int r;

		element.index = i;
		r = decode_string(d, json_object_array_get_idx(value, i), &(*ret)[i], &element);
		if (r < 0)
			return r;
	}
	return 0;
}

static int decode_u32s(const struct json_source *d, struct json_object *value, uint32_t **ret,
		       size_t *ret_n, const struct json_step *step)
{
	struct json_step element = { .parent = step };
	size_t n;

	if (!json_object_is_type(value, json_type_array))
		return type_error(d, step, "list of integers", value);
	n = json_object_array_length(value);
	*ret = xcalloc(json_list_capacity(n), sizeof(**ret));
	*ret_n = n;
	for (size_t i = 0; i < n; i++) {
		int r;

		element.index = i;
		r = decode_u32(d, json_object_array_get_idx(value, i), &(*ret)[i], &element);
		if (r < 0)
			return r;
	}
	return 0;
}

static int decode_string_map(const struct json_source *d, struct json_object *value,
			     struct json_string_map *ret, const struct json_step *step)
{
	struct json_step element = { .parent = step };

	if (!json_object_is_type(value, json_type_object))
		return type_error(d, step, "object with strings", value);
	ret->v = xcalloc(json_list_capacity((size_t)json_object_object_length(value)),
			 sizeof(*ret->v));
	json_object_object_foreach(value, key, member)
	{
		struct json_string_pair *pair = &ret->v[ret->n++];
		int r;

		element.key = key;
		pair->key = xstrdup(key);
		r = decode_string(d, member, &pair->value, &element);
		if (r < 0)
			return r;
	}
	return 0;
}

static int decode_objects(const struct json_source *d, const struct json_desc *desc,
			  struct json_object *value, void **ret, size_t *ret_n,
			  const struct json_step *step)
{
	struct json_step element = { .parent = step };
	size_t n;

	if (!json_object_is_type(value, json_type_array))
		return type_error(d, step, "list of objects", value);
	n = json_object_array_length(value);
	*ret = xcalloc(json_list_capacity(n), desc->size);
	*ret_n = n;
	for (size_t i = 0; i < n; i++) {
		int r;

		element.index = i;
		r = decode_object(d, desc, (char *)*ret + i * desc->size,
				  json_object_array_get_idx(value, i), &element);
		if (r < 0)
			return r;
	}
	return 0;
}

static int decode_object_map(const struct json_source *d, const struct json_desc *desc,
			     struct json_object *value, void **ret, size_t *ret_n,
			     const struct json_step *step)
{
	struct json_step element = { .parent = step };
	char *at;

	if (!json_object_is_type(value, json_type_object))
		return type_error(d, step, "object with objects", value);
	*ret_n = (size_t)json_object_object_length(value);
	*ret = at = xcalloc(json_list_capacity(*ret_n), desc->size);
	json_object_object_foreach(value, key, member)
	{
		int r;

		element.key = key;
		*(char **)(void *)at = xstrdup(key);
		r = decode_object(d, desc, at, member, &element);
		if (r < 0)
			return r;
		at += desc->size;
	}
	return 0;
}

static int decode_object_ptr(const struct json_source *d, const struct json_desc *desc,
			     struct json_object *value, void **ret, const struct json_step *step)
{
	*ret = xcalloc(1, desc->size);
	return decode_object(d, desc, *ret, value, step);
}

/*
 * Objects.
 */

/* The opt_ structs begin with the flag; the cast is checked by the row's macro. */
#define DECODE_OPT_(type, fn)                                                                      \
	({                                                                                         \
		type *opt_ = at;                                                                   \
		opt_->set = true;                                                                  \
		fn(d, value, &opt_->v, step);                                                      \
	})

static int decode_member(const struct json_source *d, const struct json_field *field, void *base,
			 struct json_object *value, const struct json_step *step)
{
	void *at = (char *)base + field->offset;
	size_t *n = (void *)((char *)base + field->n_offset);

	switch (field->kind) {
	case JSON_KIND_BOOL:
		return decode_bool(d, value, at, step);
	case JSON_KIND_OPT_BOOL:
		return DECODE_OPT_(struct opt_bool, decode_bool);
	case JSON_KIND_INT:
		return decode_int(d, value, at, step);
	case JSON_KIND_I64:
		return decode_i64(d, value, at, step);
	case JSON_KIND_U64:
		return decode_u64(d, value, at, step);
	case JSON_KIND_U32:
		return decode_u32(d, value, at, step);
	case JSON_KIND_OPT_I64:
		return DECODE_OPT_(struct opt_i64, decode_i64);
	case JSON_KIND_OPT_U64:
		return DECODE_OPT_(struct opt_u64, decode_u64);
	case JSON_KIND_OPT_U32:
		return DECODE_OPT_(struct opt_u32, decode_u32);
	case JSON_KIND_OPT_DOUBLE:
		return DECODE_OPT_(struct opt_double, decode_double);
	case JSON_KIND_STRING:
		return decode_string(d, value, at, step);
	case JSON_KIND_STRINGS:
		return decode_strings(d, value, at, n, step);
	case JSON_KIND_STRING_MAP:
		return decode_string_map(d, value, at, step);
	case JSON_KIND_ENUM:
		return decode_enum(d, field->names, value, at, step);
	case JSON_KIND_OBJECT:
		return decode_object(d, field->desc, at, value, step);
	case JSON_KIND_OBJECT_PTR:
		return decode_object_ptr(d, field->desc, value, at, step);
	case JSON_KIND_OBJECTS:
		return decode_objects(d, field->desc, value, at, n, step);
	case JSON_KIND_OBJECT_MAP:
		return decode_object_map(d, field->desc, value, at, n, step);
	case JSON_KIND_U32S:
		return decode_u32s(d, value, at, n, step);
	case JSON_KIND_RAW:
		*(struct json_object **)at = json_object_get(value);
		return 0;
	case JSON_KIND_EXTRA:
		break;
	}
	return 0;
}

/* As strcasecmp(3); most names differ in their first letter, and every absent field is compared with all. */
static bool same_name(const char *a, const char *b)
{
	return ((a[0] ^ b[0]) & ~0x20) == 0 && strcasecmp(a, b) == 0;
}

/*
 * The row's key in the object: the value, or NULL when it is absent or null. A key in other letters
 * counts where the right one is missing: runc takes "readOnly" for "readonly", and who wrote that
 * must not get the opposite of it without a word.
 */
static struct json_object *find_member(struct json_object *object, const char **key,
				       size_t *n_present)
{
	struct json_object *member = NULL;

	if (json_object_object_get_ex(object, *key, &member)) {
		(*n_present)++;
		return member;
	}
	json_object_object_foreach(object, name, value)
	{
		if (same_name(name, *key)) {
			(*n_present)++;
			*key = name;
			return value;
		}
	}
	return NULL;
}

/* Whether an older spelling's row stands behind its present key, which wins then. */
static bool is_shadowed(const struct json_desc *desc, const struct json_field *field,
			struct json_object *object)
{
	for (size_t i = 0; i < desc->n_fields; i++) {
		const struct json_field *other = &desc->fields[i];

		if (other == field)
			return false;
		if (other->offset == field->offset && other->kind == field->kind &&
		    json_object_object_get(object, other->key))
			return true;
	}
	return false;
}

static bool is_known(const struct json_desc *desc, const char *key)
{
	for (size_t i = 0; i < desc->n_fields; i++)
		if (desc->fields[i].key && same_name(desc->fields[i].key, key))
			return true;
	return false;
}

static void decode_extra(const struct json_desc *desc, struct json_extra *extra,
			 struct json_object *object)
{
	extra->object = json_object_new_object();
	json_object_object_foreach(object, key, member)
	{
		if (!is_known(desc, key))
			json_object_object_add(extra->object, key, json_object_get(member));
	}
}

/*
 * Whether the object has no keys but the table's, each in its letters and in the table's order, as what
 * json_encode() has written: one walk over both finds all of them, without a search for every absent one.
 */
static bool is_in_order(const struct json_desc *desc, struct json_object *object)
{
	size_t i = 0;

	json_object_object_foreach(object, key, member)
	{
		(void)member;
		while (i < desc->n_fields &&
		       !(desc->fields[i].key && str_eq(desc->fields[i].key, key)))
			i++;
		if (i++ == desc->n_fields)
			return false;
	}
	return true;
}

/* The members of an object that is_in_order(), one after the other. */
struct walk {
	struct json_object_iterator at;
	struct json_object_iterator end;
};

static struct json_object *walk_member(struct walk *walk, const char *key)
{
	struct json_object *member = NULL;

	if (!json_object_iter_equal(&walk->at, &walk->end) &&
	    str_eq(json_object_iter_peek_name(&walk->at), key)) {
		member = json_object_iter_peek_value(&walk->at);
		json_object_iter_next(&walk->at);
	}
	return member;
}

static int decode_object(const struct json_source *d, const struct json_desc *desc, void *base,
			 struct json_object *object, const struct json_step *step)
{
	struct json_extra *extra = NULL;
	struct walk walk;
	bool in_order;
	size_t n_present = 0;

	if (!json_object_is_type(object, json_type_object))
		return type_error(d, step, "object", object);
	in_order = is_in_order(desc, object);
	walk = (struct walk){ json_object_iter_begin(object), json_object_iter_end(object) };
	for (size_t i = 0; i < desc->n_fields; i++) {
		const struct json_field *field = &desc->fields[i];
		struct json_step member_step = { .parent = step, .key = field->key };
		struct json_object *member;
		int r;

		if (field->kind == JSON_KIND_EXTRA) {
			extra = (void *)((char *)base + field->offset);
			continue;
		}
		member = in_order ? walk_member(&walk, field->key) :
				    find_member(object, &member_step.key, &n_present);
		if (!member && (field->flags & JSON_REQUIRED))
			return source_error(d, step, "required key '%s' is missing", field->key);
		if (!member)
			continue;
		if ((field->flags & JSON_DECODE_ONLY) && is_shadowed(desc, field, object))
			continue;
		r = decode_member(d, field, base, member, &member_step);
		if (r < 0)
			return r;
	}
	if (extra && !in_order && (size_t)json_object_object_length(object) > n_present)
		decode_extra(desc, extra, object);
	return 0;
}

int json_decode_root(const struct json_source *source, const struct json_desc *desc, void *ret,
		     struct json_object *value)
{
	return decode_object(source, desc, ret, value, NULL);
}
