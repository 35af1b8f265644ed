/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The part of TOML 1.0 that containers' configuration files use: tables, arrays of tables, strings
 * (basic, literal, multi-line), integers, booleans, arrays, also over several lines, dotted and quoted
 * keys, inline tables.
 */
#pragma once

struct json_object;

#include "core/err.h"
#include "core/strbuf.h"
#include "core/strvec.h"

enum toml_kind { TOML_STRING, TOML_BOOL, TOML_INTEGER, TOML_LIST, TOML_OTHER };

struct toml_value {
	enum toml_kind kind;
	const char *text; /* of a string; as written for the others */
	bool boolean;
	int64_t integer;
	struct strvec list; /* strings of an array, others as written */
	struct json_object *json; /* any of them, also an inline table */
};

/*
 * Called for each table header with key NULL, and for each key. table: "" or "a.b"; is_new_table: a
 * header was just read. Everything is borrowed. Return: 0, or -EINVAL for a value of the wrong type.
 */
typedef int toml_callback(void *context, const char *table, bool is_new_table, const char *key,
			  const struct toml_value *value);

/* text: NUL-terminated. ERR_INVALID `FILE:LINE: ...`. */
int toml_read(const char *text, const char *name, toml_callback *callback, void *context,
	      struct err *err);

/* The whole document as one object, "a.b" being an object in an object. The caller owns *ret. ERR_INVALID
 * as toml_read(). */
int toml_to_json(const char *text, const char *name, struct json_object **ret, struct err *err);
