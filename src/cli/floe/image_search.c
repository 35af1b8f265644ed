/* SPDX-License-Identifier: Apache-2.0 */
/* search: images of registries, and the tags of one. */
#include <string.h>

#include "cli/floe/image_common.h"
#include "core/alloc.h"
#include "core/parse.h"
#include "core/str.h"
#include "image/pull.h"
#include "image/search.h"

#define LIMIT_DEFAULT 25
#define DESCRIPTION_MAX 44

struct options {
	struct skopeo_options skopeo;
	const char *format;
	struct opt_u64 limit;
	bool list_tags;
	bool no_trunc;
	bool compatible;
	struct strvec filters;
};

/* What --filter asks for; a registry's catalogue says nothing of these, so that nothing is known to be official there. */
struct filter {
	struct opt_bool official, automated;
	uint64_t stars;
};

/* KEY[=true|false] */
static int flag_filter(const char *text, const char *value, struct opt_bool *ret, struct err *err)
{
	*ret = (struct opt_bool){ true, true };
	if (value && parse_bool(value, &ret->v) < 0)
		return err_set(err, ERR_USAGE, "filter '%s': expected true or false", text);
	return 0;
}

static int parse_filter(const char *text, struct filter *ret, struct err *err)
{
	auto_free char *key = xstrndup(text, strcspn(text, "="));
	const char *value = str_skip_prefix(text + strlen(key), "=");

	if (str_eq(key, "is-official"))
		return flag_filter(text, value, &ret->official, err);
	if (str_eq(key, "is-automated"))
		return flag_filter(text, value, &ret->automated, err);
	if (!str_eq(key, "stars"))
		return err_set(err, ERR_USAGE, "invalid filter type \"%s\"", text);
	if (!value || parse_u64(value, &ret->stars) < 0)
		return err_set(err, ERR_USAGE,
			       "incorrect value type for stars filter: '%s': expected a number",
			       text);
	return 0;
}

static bool filter_matches(const struct filter *f, const struct search_result *result)
{
	return (!f->official.set || f->official.v == result->official) &&
	       (!f->automated.set || f->automated.v == result->automated) &&
	       result->stars >= (int64_t)MIN(f->stars, (uint64_t)INT64_MAX);
}

static int print_rows(const char *format, const char *otherwise, struct json_object *rows,
		      struct err *err)
{
	auto_strbuf struct strbuf out = STRBUF_INIT;
	struct gotemplate_list list = { .format = format ? format : otherwise, .rows = rows };
	int r = gotemplate_format_list(&list, &out, err);

	return r < 0 ? r : cli_print(out.buf, err);
}

static int list_tags(const struct options *o, const char *name, size_t limit,
		     struct json_object *rows, struct err *err)
{
	auto_strvec struct strvec tags = STRVEC_INIT;
	auto_free char *base = NULL;
	int r = image_list_tags(name, &o->skopeo, &base, &tags, err);

	for (size_t i = 0; r == 0 && i < tags.n && i < limit; i++) {
		struct json_object *row = json_object_new_object();

		view_add(row, "Name", base);
		view_add(row, "Tag", tags.v[i]);
		json_object_array_add(rows, row);
	}
	return r;
}

static void add_result(const struct search_result *result, bool no_trunc, struct json_object *rows)
{
	struct json_object *row = json_object_new_object();
	const char *text = result->description ? result->description : "";
	auto_free char *shown = no_trunc || strlen(text) <= DESCRIPTION_MAX ?
					xstrdup(text) :
					xasprintf("%.*s...", DESCRIPTION_MAX - 3, text);

	view_add(row, "Index", result->registry);
	view_add(row, "Name", result->name);
	view_add(row, "Description", shown);
	json_object_object_add(row, "Stars", json_object_new_int64(result->stars));
	view_add(row, "Official", result->official ? "[OK]" : "");
	view_add(row, "Automated", result->automated ? "[OK]" : "");
	json_object_array_add(rows, row);
}

static int parse_filters(const struct options *o, struct filter *ret, struct err *err)
{
	int r = 0;

	if (o->list_tags && o->filters.n > 0)
		return err_set(err, ERR_USAGE, "filters are not applicable to list tags result");
	for (size_t i = 0; r == 0 && i < o->filters.n; i++)
		r = parse_filter(o->filters.v[i], ret, err);
	return r;
}

/* "REGISTRY/TERM", or a term to look for in every search registry. */
static int search(const struct options *o, const struct filter *filter, const char *what,
		  size_t limit, struct json_object *rows, struct err *err)
{
	auto_registries struct registries registries = { 0 };
	auto_search_results struct search_results results = { 0 };
	const char *slash = strchr(what, '/');
	auto_free char *first = xstrndup(what, slash ? (size_t)(slash - what) : 0);
	bool has_registry = strpbrk(first, ".:") || str_eq(first, "localhost");
	auto_strvec struct strvec asked = STRVEC_INIT;
	int r = registries_load(&registries, NULL, err);

	if (r < 0)
		return r;
	if (has_registry)
		strvec_add(&asked, first);
	else
		strvec_add_all(&asked, registries.search.v, registries.search.n);
	if (asked.n == 0)
		return err_set(
			err, ERR_NOT_FOUND,
			"search '%s': no registry to search in; name one (REGISTRY/TERM), or set "
			"unqualified-search-registries in registries.conf",
			what);
	for (size_t i = 0; r == 0 && i < asked.n; i++)
		r = image_search(&registries, asked.v[i], has_registry ? slash + 1 : what, limit,
				 o->skopeo.tls_verify, &results, err);
	for (size_t i = 0; r == 0 && i < results.n; i++)
		if (filter_matches(filter, &results.v[i]))
			add_result(&results.v[i], o->no_trunc, rows);
	return r;
}

static const char *default_format(const struct options *o)
{
	if (o->list_tags)
		return "table {{.Name}}\t{{.Tag}}";
	return o->compatible ? "table "
			       "{{.Name}}\t{{.Description}}\t{{.Stars}}\t{{.Official}}\t{{."
			       "Automated}}" :
			       "table {{.Name}}\t{{.Description}}";
}

static int run(const struct cli_invocation *inv, struct err *err)
{
	const struct options *o = inv->options;
	struct json_object *rows = json_object_new_array();
	size_t limit = o->limit.set && o->limit.v > 0 ? (size_t)o->limit.v : LIMIT_DEFAULT;
	struct filter filter = { 0 };
	int r = image_authfile_check(o->skopeo.authfile, err);

	if (r == 0)
		r = parse_filters(o, &filter, err);
	if (r == 0)
		r = o->list_tags ? list_tags(o, inv->args[0], limit, rows, err) :
				   search(o, &filter, inv->args[0], limit, rows, err);
	if (r == 0)
		r = print_rows(o->format, default_format(o), rows, err);
	json_object_put(rows);
	return r;
}

#define T struct options
static const struct cli_option rows[] = {
	OPT_STRING(T, format, "format", 0, "json|TEMPLATE", "form of the output"),
	OPT_FLAG(T, compatible, "compatible", 0, "stars, official and automated as columns too"),
	OPT_STRVEC(T, filters, "filter", 'f', "FILTER",
		   "is-official[=false], is-automated[=false] or stars=N"),
	OPT_U64(T, limit, "limit", 0, "N", "at most so many of each registry (default: 25)"),
	OPT_FLAG(T, list_tags, "list-tags", 0, "the tags of the repository that is named"),
	OPT_FLAG(T, no_trunc, "no-trunc", 0, "whole descriptions"),
	SKOPEO_ROWS(T, ),
};
#undef T

const struct cli_command floe_search_command = {
	.name = "search",
	.arguments = "[REGISTRY/]TERM",
	.summary = "look for images in registries",
	.description = "Credentials are for --list-tags; curl(1) searches, without any.",
	CLI_OPTIONS(struct options, rows),
	.min_args = 1,
	.max_args = 1,
	.run = run,
	.error_code = FLOE_EXIT_ERROR,
};
