/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What json-c does not do with a JSON text: be strict, and find the line of a value. Used by the
 * json_*.c files only. (json-c's own strict mode lets much through, and that of 0.18 refuses every
 * character beyond ASCII: json-c issue 875.)
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/strbuf.h"

struct json_object;

/*
 * A place in a document: the chain of keys and indices from the root, innermost first. The root is
 * NULL. Lives on the stack of the code that walks the document.
 */
struct json_step {
	const struct json_step *parent;
	const char *key; /* NULL: the element `index` of a list */
	size_t index;
};

/* Append "mounts[3].options[1]"; keys that are no identifiers as `annotations["a.b"]`. */
void json_step_format(const struct json_step *step, struct strbuf *sb);

/* Line (from 1) of the byte at offset. */
size_t json_line_of_offset(const char *text, size_t len, size_t offset);
/* Line (from 1) where the value at step begins in a well-formed text; 0 when it is not there. */
size_t json_line_of_step(const char *text, size_t len, const struct json_step *step);

/*
 * Check the tokens of text: well-formed UTF-8, no control characters in strings, no other quotes
 * than ", no comments, no comma too many, no NaN and Infinity, numbers by the grammar of RFC 8259,
 * integers in 64 bits (json-c saturates silently), no NUL in keys (json-c cuts them), not more than
 * JSON_VALUES_MAX values. The rest of the structure is left to json-c. ret_n_keys: how many members
 * all the objects of the text have.
 */
#define JSON_VALUES_MAX (1U << 20)
int json_check_tokens(const char *text, size_t len, const char *name, size_t *ret_n_keys,
		      struct err *err);
/*
 * Refuse objects that have a key twice: json-c keeps the last, other readers the first, and the two
 * would disagree on what a container may do. value is what json-c made of the text, n_keys from
 * json_check_tokens().
 */
int json_check_duplicates(const char *text, size_t len, const char *name, struct json_object *value,
			  size_t n_keys, struct err *err);
