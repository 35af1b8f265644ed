/* SPDX-License-Identifier: Apache-2.0 */
/* From a json-c value into a struct by its table; what surrounds it is in json_table.c. */
#pragma once

#include "core/json_table.h"

/* Where a value comes from, for errors. */
struct json_source {
	const char *name;
	const char *text; /* NULL: the value was parsed elsewhere, lines are not known */
	size_t len;
	struct err *err;
};

/* *ret is zeroed by the caller; on failure (-EBADMSG) it owns what was decoded before. */
int json_decode_root(const struct json_source *source, const struct json_desc *desc, void *ret,
		     struct json_object *value);
/* Elements to allocate for a list of n, as array_push() counts on: a power of two. */
size_t json_list_capacity(size_t n);
