/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A value with its D-Bus type, as properties of units have it: built here, or read from the text of
 * an annotation (GVariant text format, as gdbus and busctl users know it). Pure.
 *
 * Text: true, 42, -1, 0x10, 2.5, 'text', "text", b'bytes', [a, b], {k: v}, (a, b), <variant>; the type
 * stands in front where it is not the default (integers are int32), by name or by signature:
 * "uint64 5", "@t 5", "@as []". The elements of an array take their type from the first. The maybe
 * types and handles have no place in a property.
 */
#pragma once

#include <stdint.h>

#include "core/auto.h"
#include "core/err.h"
#include "core/strbuf.h"

struct systemd_value {
	char *signature; /* one complete type: "t", "as", "a(ss)"; owned */
	uint64_t u; /* b y q u t */
	int64_t i; /* n i x; of h the descriptor, which is not owned */
	double d; /* d */
	char *s; /* s o g; owned */
	struct systemd_value *child; /* of arrays, structs, dict entries; one of v; owned */
	size_t n;
};

#define SYSTEMD_VALUE_INIT                                                                         \
	{                                                                                          \
		0                                                                                  \
	}

struct systemd_value systemd_value_bool(bool b);
struct systemd_value systemd_value_u64(uint64_t u);
struct systemd_value systemd_value_string(const char *s);
/* "ah" with one descriptor, "au" with one number. */
struct systemd_value systemd_value_fds(int fd);
struct systemd_value systemd_value_u32s(uint32_t u);
/* An array without elements yet. */
struct systemd_value systemd_value_array(const char *element_signature);
/* The value becomes a part of the array; its type must be that of the elements. */
void systemd_value_push(struct systemd_value *array, struct systemd_value element);
/* (ss) */
struct systemd_value systemd_value_string_pair(const char *a, const char *b);
/* "ay" */
struct systemd_value systemd_value_bytes(const uint8_t *bytes, size_t n);

/* ERR_INVALID tells what was expected at which character. */
int systemd_value_parse(struct systemd_value *ret, const char *text, struct err *err);
/* "t 5", "a(ss) [('a', 'b')]" */
void systemd_value_format(const struct systemd_value *value, struct strbuf *sb);
/* A number of seconds becomes one of microseconds with type t. -EINVAL: no number; -ERANGE: it is
 * negative or too large. */
int systemd_value_to_usec(struct systemd_value *value);
void systemd_value_done(struct systemd_value *value);

DEFINE_AUTO_VAL(systemd_value, struct systemd_value, systemd_value_done)
#define auto_systemd_value auto_cleanup(systemd_value_cleanup_val)
