/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What objects have for templates. Two keys that no document has hold what is beyond an object's own fields:
 * the document that it stands around, and the empty values of what the document leaves out.
 */
#include "cli/gotemplate_internal.h"

#include <ctype.h>
#include <string.h>

#include "core/alloc.h"
#include "core/json_auto.h"
#include "core/json_table.h"
#include "core/str.h"

#define DOCUMENT "\001" /* and the name of Go's struct behind it */
#define EMPTY "\002"

static bool is_hidden(const char *key)
{
	return *key == *DOCUMENT || *key == *EMPTY;
}

void gotemplate_embed(struct json_object *row, const char *name, struct json_object *document)
{
	auto_free char *key = xasprintf("%s%s", DOCUMENT, name);

	json_object_object_add(row, key, document);
}

void gotemplate_add_empty(struct json_object *object, struct json_object *empty)
{
	json_object_object_add(object, EMPTY, empty);
}

/* Borrowed, and the name of its struct; NULL. */
static struct json_object *get_document(struct json_object *object, const char **ret_name)
{
	json_object_object_foreach(object, key, value)
	{
		if (*key == *DOCUMENT) {
			*ret_name = key + 1;
			return value;
		}
	}
	return NULL;
}

/* In any case, and .DNSEnabled is "dns_enabled": documents' keys are not always those of Go's fields. */
static bool is_same_name(const char *key, const char *name)
{
	for (; *key; key++) {
		if (*key == '_' && *name != '_')
			continue;
		if (tolower((unsigned char)*key) != tolower((unsigned char)*name))
			return false;
		name++;
	}
	return !*name;
}

static bool get_any_case(struct json_object *object, const char *name, struct json_object **ret)
{
	json_object_object_foreach(object, key, value)
	{
		if (!is_hidden(key) && is_same_name(key, name)) {
			*ret = value;
			return true;
		}
	}
	return false;
}

bool gt_get_member(struct json_object *object, const char *name, struct json_object **ret)
{
	struct json_object *document;
	struct json_object *empty = NULL;
	const char *struct_name;

	if (!json_object_is_type(object, json_type_object))
		return false;
	if (json_object_object_get_ex(object, name, ret))
		return true;
	document = get_document(object, &struct_name);
	if (document && str_eq(name, struct_name)) {
		*ret = document;
		return true;
	}
	if ((document && json_object_object_get_ex(document, name, ret)) ||
	    get_any_case(object, name, ret) || (document && gt_get_member(document, name, ret)))
		return true;
	if (json_object_object_get_ex(object, EMPTY, &empty) && gt_get_member(empty, name, ret))
		return true;
	/* Of a mount, podman's structs have these beside the documents' names. */
	if (str_eq(name, "Src"))
		return gt_get_member(object, "Source", ret);
	if (str_eq(name, "Dst"))
		return gt_get_member(object, "Destination", ret);
	return false;
}

void gt_keys(struct json_object *object, struct strvec *ret)
{
	auto_strvec struct strvec all = STRVEC_INIT;

	json_value_keys(object, &all);
	for (size_t i = 0; i < all.n; i++)
		if (!is_hidden(all.v[i]))
			strvec_add(ret, all.v[i]);
}

/* --- json --- */

static struct json_object *copy_visible(struct json_object *value);

static struct json_object *copy_object(struct json_object *object)
{
	const char *name;
	struct json_object *document = get_document(object, &name);
	struct json_object *copy;

	if (document)
		return copy_visible(document);
	copy = json_object_new_object();
	json_object_object_foreach(object, key, value)
	{
		if (!is_hidden(key))
			json_object_object_add(copy, key, copy_visible(value));
	}
	return copy;
}

/* Documents are read with a limit on their depth. */
static struct json_object *copy_visible(struct json_object *value)
{
	struct json_object *copy;

	if (json_object_is_type(value, json_type_object))
		return copy_object(value);
	if (!json_object_is_type(value, json_type_array))
		return json_object_get(value);
	copy = json_object_new_array();
	for (size_t i = 0; i < json_object_array_length(value); i++)
		json_object_array_add(copy, copy_visible(json_object_array_get_idx(value, i)));
	return copy;
}

char *gt_json_text(struct json_object *value, enum json_style style)
{
	auto_json struct json_object *copy = copy_visible(value);

	return json_value_to_text(copy, style);
}
