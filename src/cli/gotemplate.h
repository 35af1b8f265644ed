/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Go's text/template over JSON values, as far as users of --format need it: fields of any depth,
 * variables, pipelines, if, else if, else, range, with, break, continue, trim markers, comments, and
 * the functions and, or, not, len, index, slice, print, printf, println, html, js, urlquery, eq, ne,
 * lt, le, gt, ge and podman's json, join, lower, upper, title, split, truncate, pad, padded.
 * define, template and block fail by name.
 *
 * A field is looked for by its exact name, then without regard to case (.ID and .Id are the same to
 * users). One that the outermost object lacks is an error; deeper ones are "<no value>".
 *
 * Texts in fields of Go's type for times (.Created, .StartedAt and the like) are RFC 3339 in documents.
 * Templates print them as Go does ("2026-11-23 03:25:11.5 +0000 UTC"), and they have Go's methods: Unix,
 * UnixNano, Year, Month, Weekday, IsZero, Format "2006-01-02" and so on. json prints the document's text.
 */
#pragma once

#include "core/auto.h"
#include "core/err.h"
#include "core/strbuf.h"

struct json_object;
struct gotemplate;

/* ERR_USAGE, one sentence with what is wrong where. */
int gotemplate_parse(struct gotemplate **ret, const char *text, struct err *err);
void gotemplate_free(struct gotemplate *t);
/* Append what the template makes of value (borrowed; may be NULL). ERR_USAGE. */
int gotemplate_run(const struct gotemplate *t, struct json_object *value, struct strbuf *out,
		   struct err *err);

/*
 * podman's rows are structs with methods, around the struct that `{{json .}}` prints. Here too: fields that
 * row lacks are looked for in document (owned by row from now on), json prints document in place of row, and
 * `name` (of Go's embedded struct, as in {{.ListContainer.Command}}) is document itself.
 */
void gotemplate_embed(struct json_object *row, const char *name, struct json_object *document);
/* What templates find where object lacks a field, but json does not print: Go's empty values of fields that
 * documents leave out. Owned by object from now on. */
void gotemplate_add_empty(struct json_object *object, struct json_object *empty);
/* A text that is never taken for a time, whatever its field's name. */
struct json_object *gotemplate_plain_text(const char *text);

/* What --format means to lists. */
struct gotemplate_list {
	const char *format; /* the user's; "json", "table ...", or a template */
	struct json_object *rows; /* array; borrowed */
	struct json_object *headings; /* field -> heading; may be NULL */
	bool no_heading;
};
/*
 * "json": the rows as text. "table TEMPLATE": headings and rows in columns split at tabs. Otherwise the
 * template once for each row, a newline behind each that does not end in one. "\t" and "\n" as two
 * characters mean the one.
 */
int gotemplate_format_list(const struct gotemplate_list *list, struct strbuf *out, struct err *err);
/* What --format means to `inspect`, which has an array of values: NULL and "json" are the whole array as
 * indented text, otherwise the template for each. */
int gotemplate_format_inspected(const char *format, struct json_object *values, struct strbuf *out,
				struct err *err);
/* For one value: "json" as indented text, or the template and a newline. */
int gotemplate_format_value(const char *format, struct json_object *value, struct strbuf *out,
			    struct err *err);

DEFINE_AUTO_PTR(gotemplate, struct gotemplate, gotemplate_free)
#define auto_gotemplate auto_cleanup(gotemplate_cleanup_ptr)
