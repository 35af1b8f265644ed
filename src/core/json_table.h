/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON documents by table. One table per struct gives decode, encode and free; the rows are checked
 * at compile time, so a row whose kind does not fit its member does not build.
 *
 * Text goes through json-c (64-bit unsigned values stay exact). Unknown keys are ignored when the
 * struct has no extra member, and kept intact, in order, when it has one (JSON_EXTRA). A key that
 * differs from a known one in its letters' case alone counts as that one, unless that one is there
 * too: so does the reader of runc, and "readOnly" must not silently be writable. Errors name
 * file, line and path: `config.json:41: mounts[3].options[1]: expected string, got number`.
 *
 * Input is bounded: JSON_TEXT_MAX bytes, 2^20 values, depth 64. A null value counts as an absent
 * key; a null element of a list is an error. Reading is strict: valid UTF-8, no key twice in one
 * object, no text behind the document, integers exact and in range (1.0 and 1e3 are no integers),
 * no NUL in strings.
 *
 * Lists and maps that are there but empty have a pointer that is not NULL and a count of 0, and are
 * written again as [] and {}. Their memory is as array_push() wants it; lists of strings have a
 * NULL behind the last, so that they serve as argv.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/macro.h"
#include "core/strvec.h"

#define JSON_TEXT_MAX (16U << 20)

/* Optional values: absent is not zero. */
struct opt_bool {
	bool set;
	bool v;
};
struct opt_i64 {
	bool set;
	int64_t v;
};
struct opt_u64 {
	bool set;
	uint64_t v;
};
struct opt_u32 {
	bool set;
	uint32_t v;
};
struct opt_double {
	bool set;
	double v;
};

/* An object whose values are strings, in document order. */
struct json_string_map {
	struct json_string_pair {
		char *key;
		char *value;
	} * v;
	size_t n;
};

const char *json_string_map_get(const struct json_string_map *map, const char *key);
/* Copies; replaces the value of a key that is there. */
void json_string_map_set(struct json_string_map *map, const char *key, const char *value);
/* "KEY=VALUE", or "KEY" with an empty value. */
void json_string_map_set_pair(struct json_string_map *map, const char *pair);
/* Set all pairs of another one. */
void json_string_map_set_all(struct json_string_map *map, const struct json_string_map *from);
void json_string_map_done(struct json_string_map *map);

/*
 * Append a copy of s to a list of strings of such a struct, and keep the NULL behind the last. (Not
 * strvec_add(): its arrays are too short for array_push().)
 */
void json_strings_add(char ***list, size_t *n, const char *s);
void json_strings_add_all(char ***list, size_t *n, char *const *v, size_t n_v);
/* Free such a list; it is empty then. */
void json_strings_clear(char ***list, size_t *n);

/* Members of an object that its table does not name: a json-c object, owned; NULL when none. */
struct json_object;
struct json_extra {
	struct json_object *object;
};

enum json_kind {
	JSON_KIND_BOOL,
	JSON_KIND_OPT_BOOL,
	JSON_KIND_INT, /* int, range-checked */
	JSON_KIND_I64,
	JSON_KIND_U64,
	JSON_KIND_U32,
	JSON_KIND_OPT_I64,
	JSON_KIND_OPT_U64,
	JSON_KIND_OPT_U32,
	JSON_KIND_OPT_DOUBLE,
	JSON_KIND_STRING, /* char *; NULL: absent */
	JSON_KIND_STRINGS, /* char **x; size_t n_x; */
	JSON_KIND_STRING_MAP, /* struct json_string_map */
	JSON_KIND_ENUM, /* int with a name table; 0: absent */
	JSON_KIND_OBJECT, /* struct foo x; always there */
	JSON_KIND_OBJECT_PTR, /* struct foo *x; NULL: absent */
	JSON_KIND_OBJECTS, /* struct foo *x; size_t n_x; */
	JSON_KIND_OBJECT_MAP, /* {"key": {...}}: struct foo *x; size_t n_x; first member of foo is char *key */
	JSON_KIND_U32S, /* uint32_t *x; size_t n_x; */
	JSON_KIND_RAW, /* struct json_object *x, any value, owned */
	JSON_KIND_EXTRA, /* struct json_extra */
};

enum json_flags {
	JSON_REQUIRED = 1 << 0,
	/* Encode even when empty or zero: 0, false, "", [] and {}. Not for opt_ structs, enums and
	 * pointers to objects, which say themselves whether they are there. */
	JSON_ALWAYS = 1 << 1,
	/* Decode only: an older spelling of another key, which wins where both are there and whose row
	 * for the same member stands before this one. */
	JSON_DECODE_ONLY = 1 << 2,
};

struct json_enum_name {
	const char *name;
	int value;
};

struct json_desc;

struct json_field {
	const char *key;
	enum json_kind kind;
	unsigned int flags;
	size_t offset;
	size_t n_offset; /* of n_<member>, for lists */
	const struct json_desc *desc; /* of objects */
	const struct json_enum_name *names; /* of enums; ends with name NULL */
};

struct json_desc {
	size_t size;
	const struct json_field *fields;
	size_t n_fields;
};

/* Compile-time check of a member's type; the value is the member's offset. */
#define JSON_OFFSET_(type, member, want)                                                           \
	(offsetof(type, member) +                                                                  \
	 0 * sizeof(char[__builtin_types_compatible_p(typeof(((type *)0)->member), want) ? 1 :     \
											   -1]))

#define JSON_ROW_(type, member, ctype, key_, kind_, flags_)                                        \
	{                                                                                          \
		.key = (key_), .kind = (kind_), .flags = (flags_),                                 \
		.offset = JSON_OFFSET_(type, member, ctype),                                       \
	}

#define F_BOOL(t, m, key, fl) JSON_ROW_(t, m, bool, key, JSON_KIND_BOOL, fl)
#define F_OPT_BOOL(t, m, key, fl) JSON_ROW_(t, m, struct opt_bool, key, JSON_KIND_OPT_BOOL, fl)
#define F_INT(t, m, key, fl) JSON_ROW_(t, m, int, key, JSON_KIND_INT, fl)
#define F_I64(t, m, key, fl) JSON_ROW_(t, m, int64_t, key, JSON_KIND_I64, fl)
#define F_U64(t, m, key, fl) JSON_ROW_(t, m, uint64_t, key, JSON_KIND_U64, fl)
#define F_U32(t, m, key, fl) JSON_ROW_(t, m, uint32_t, key, JSON_KIND_U32, fl)
#define F_OPT_I64(t, m, key, fl) JSON_ROW_(t, m, struct opt_i64, key, JSON_KIND_OPT_I64, fl)
#define F_OPT_U64(t, m, key, fl) JSON_ROW_(t, m, struct opt_u64, key, JSON_KIND_OPT_U64, fl)
#define F_OPT_U32(t, m, key, fl) JSON_ROW_(t, m, struct opt_u32, key, JSON_KIND_OPT_U32, fl)
#define F_OPT_DOUBLE(t, m, key, fl)                                                                \
	JSON_ROW_(t, m, struct opt_double, key, JSON_KIND_OPT_DOUBLE, fl)
#define F_STRING(t, m, key, fl) JSON_ROW_(t, m, char *, key, JSON_KIND_STRING, fl)
#define F_STRING_MAP(t, m, key, fl)                                                                \
	JSON_ROW_(t, m, struct json_string_map, key, JSON_KIND_STRING_MAP, fl)
#define F_RAW(t, m, key, fl) JSON_ROW_(t, m, struct json_object *, key, JSON_KIND_RAW, fl)
#define F_EXTRA(t, m) JSON_ROW_(t, m, struct json_extra, NULL, JSON_KIND_EXTRA, 0)

#define JSON_LIST_ROW_(t, m, ctype, key_, kind_, flags_, desc_)                                    \
	{                                                                                          \
		.key = (key_), .kind = (kind_), .flags = (flags_),                                 \
		.offset = JSON_OFFSET_(t, m, ctype), .n_offset = JSON_OFFSET_(t, n_##m, size_t),   \
		.desc = (desc_),                                                                   \
	}
#define F_STRINGS(t, m, key, fl) JSON_LIST_ROW_(t, m, char **, key, JSON_KIND_STRINGS, fl, NULL)
#define F_U32S(t, m, key, fl) JSON_LIST_ROW_(t, m, uint32_t *, key, JSON_KIND_U32S, fl, NULL)
#define F_OBJECTS(t, m, elem, key, fl, d)                                                          \
	JSON_LIST_ROW_(t, m, elem *, key, JSON_KIND_OBJECTS, fl, &(d))
#define F_OBJECT_MAP(t, m, elem, key, fl, d)                                                       \
	JSON_LIST_ROW_(t, m, elem *, key, JSON_KIND_OBJECT_MAP, fl, &(d))
#define F_OBJECT(t, m, elem, key_, fl, d)                                                          \
	{                                                                                          \
		.key = (key_), .kind = JSON_KIND_OBJECT, .flags = (fl),                            \
		.offset = JSON_OFFSET_(t, m, elem), .desc = &(d),                                  \
	}
#define F_OBJECT_PTR(t, m, elem, key_, fl, d)                                                      \
	{                                                                                          \
		.key = (key_), .kind = JSON_KIND_OBJECT_PTR, .flags = (fl),                        \
		.offset = JSON_OFFSET_(t, m, elem *), .desc = &(d),                                \
	}
/* m is an enum or int with the size of int. */
#define F_ENUM(t, m, key_, fl, names_)                                                             \
	{                                                                                          \
		.key = (key_), .kind = JSON_KIND_ENUM, .flags = (fl),                              \
		.offset = offsetof(t, m) +                                                         \
			  0 * sizeof(char[sizeof(((t *)0)->m) == sizeof(int) ? 1 : -1]),           \
		.names = (names_),                                                                 \
	}

/* The table of a struct; JSON_DESC_STATIC for one that only its own file uses. */
#define JSON_DESC(name, type, ...) JSON_DESC_(, name, type, __VA_ARGS__)
#define JSON_DESC_STATIC(name, type, ...) JSON_DESC_(static, name, type, __VA_ARGS__)
#define JSON_DESC_(linkage, name, type, ...)                                                       \
	static const struct json_field name##_fields[] = { __VA_ARGS__ };                          \
	linkage const struct json_desc name = {                                                    \
		.size = sizeof(type),                                                              \
		.fields = name##_fields,                                                           \
		.n_fields = ARRAY_SIZE(name##_fields),                                             \
	}

/*
 * Decode text (len bytes, need not be NUL-terminated) into *ret, which the caller gives zeroed or
 * uninitialised; on failure nothing is owned by it. `name` is the file's name for errors.
 * Return: 0; -EBADMSG (ERR_INVALID) for malformed text or a wrong type, message with line and path.
 */
int json_decode(const struct json_desc *desc, void *ret, const char *text, size_t len,
		const char *name, struct err *err);
/* The same from a json-c value that was parsed elsewhere; no line numbers in errors. */
int json_decode_value(const struct json_desc *desc, void *ret, struct json_object *value,
		      const char *name, struct err *err);
/* Read the file at dir_fd/path (regular, at most JSON_TEXT_MAX bytes) and decode it. */
int json_decode_file(const struct json_desc *desc, void *ret, int dir_fd, const char *path,
		     struct err *err);

enum json_style {
	JSON_COMPACT, /* one line, no spaces: {"a":1} */
	JSON_INDENT2,
	JSON_INDENT4,
	JSON_TABS,
};

/*
 * The caller owns the string. Members are in the table's order, then those of extra; slashes are not
 * escaped; no newline at the end; bytes that are not UTF-8 become U+FFFD, JSON having no others.
 */
char *json_encode(const struct json_desc *desc, const void *object, enum json_style style);
/* A new json-c value that the caller owns (json_object_put). */
struct json_object *json_encode_value(const struct json_desc *desc, const void *object);
/* The text of a json-c value in one of our styles; the caller owns it. */
char *json_value_to_text(struct json_object *value, enum json_style style);
/* The keys of a json-c object, sorted. */
void json_value_keys(struct json_object *object, struct strvec *ret);

/* Free what the members own and zero the struct; object may be NULL or zeroed. */
void json_done(const struct json_desc *desc, void *object);
