/* SPDX-License-Identifier: Apache-2.0 */
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "cli/floe/commands.h"
#include "cli/floe/view.h"
#include "cli/gotemplate.h"
#include "cli/human.h"
#include "core/alloc.h"
#include "core/clock.h"
#include "core/str.h"
#include "engine/disk_usage.h"
#include "engine/filter.h"
#include "engine/records.h"

#define TABLE                                                                                      \
	"table "                                                                                   \
	"{{.ID}}\t{{.Image}}\t{{.Command}}\t{{.CreatedHuman}}\t{{.Status}}\t{{.Ports}}\t{{.Names}" \
	"}"

#define NAMESPACES_TABLE                                                                           \
	"table "                                                                                   \
	"{{.ID}}\t{{.Names}}\t{{.Pid}}\t{{.CGROUPNS}}\t{{.IPC}}\t{{.MNT}}\t{{.NET}}\t{{.PIDNS}}\t" \
	"{{.USERNS}}\t{{.UTS}}"

struct options {
	bool all, latest, no_trunc, no_heading, quiet, size, sync, ns, external;
	struct opt_i64 last;
	uint32_t watch; /* seconds; 0: once */
	struct strvec filters;
	const char *format;
	const char *sort;
};

struct row {
	struct container container;
	uint64_t written; /* bytes; these two with --size or --sort size */
	uint64_t total;
};

struct rows {
	struct engine *engine;
	const struct options *o;
	struct row *v;
	size_t n;
};

static bool filters_status(const struct strvec *filters)
{
	for (size_t i = 0; i < filters->n; i++)
		if (str_has_prefix(filters->v[i], "status=") ||
		    str_has_prefix(filters->v[i], "exited="))
			return true;
	return false;
}

static int add_row(void *context, struct container_config *config, struct container_status *status,
		   struct err *err)
{
	struct rows *rows = context;
	const struct options *o = rows->o;
	struct container c;
	int r;

	container_from(&c, rows->engine, config, status);
	container_sync_loaded(&c);
	r = filter_matches(rows->engine, &o->filters, &c, err);
	if (r > 0 && (o->all || o->latest || o->last.set || filters_status(&o->filters) ||
		      (container_is_alive(&c) && c.status.phase != PHASE_PAUSED)))
		*array_push(rows->v, rows->n) = (struct row){ .container = c };
	else
		container_close(&c);
	return r < 0 ? r : 0;
}

static int64_t runtime_of(const struct container *c)
{
	return c->config.created_ns;
}

/* As podman: with the image's, so that those of --rootfs, which have none, come first. */
static int compare_sizes(const struct row *a, const struct row *b)
{
	return a->total < b->total ? -1 : a->total > b->total;
}

static int compare(const void *a, const void *b, void *key)
{
	const struct container *x = &((const struct row *)a)->container;
	const struct container *y = &((const struct row *)b)->container;
	const char *word = key;

	if (str_eq(word, "size"))
		return compare_sizes(a, b);
	if (str_eq(word, "names") || str_eq(word, "name"))
		return strcmp(x->config.name, y->config.name);
	if (str_eq(word, "id"))
		return strcmp(x->config.id, y->config.id);
	if (str_eq(word, "image"))
		return strcmp(x->config.image_name ? x->config.image_name : "",
			      y->config.image_name ? y->config.image_name : "");
	if (str_eq(word, "status"))
		return strcmp(container_phase_to_string(x->status.phase),
			      container_phase_to_string(y->status.phase));
	if (str_eq(word, "command"))
		return strcmp(x->config.n_command ? x->config.command[0] : "",
			      y->config.n_command ? y->config.command[0] : "");
	/* The newest first, as podman; "created": the oldest first. */
	if (runtime_of(x) == runtime_of(y))
		return 0;
	return (runtime_of(x) < runtime_of(y) ? -1 : 1) *
	       (str_eq(word, "created") || str_eq(word, "runningfor") ? 1 : -1);
}

static void sort_rows(struct rows *rows)
{
	auto_free char *key = xstrdup(rows->o->sort ? rows->o->sort : "created");

	if (rows->n > 0)
		qsort_r(rows->v, rows->n, sizeof(*rows->v), compare, key);
}

static int check_sort(const char *key, struct err *err)
{
	static const char *const keys[] = { "command", "created",    "id",   "image", "names",
					    "name",    "runningfor", "size", "status" };

	for (size_t i = 0; !key || i < ARRAY_SIZE(keys); i++)
		if (!key || str_eq(key, keys[i]))
			return 0;
	return err_set(
		err, ERR_USAGE,
		"invalid option for --sort '%s': it must be one of command, created, id, image, "
		"names, runningfor, size, status",
		key);
}

/* -n and -l: the newest ones. */
static void cut_rows(struct rows *rows)
{
	int64_t n = rows->o->latest ? 1 : rows->o->last.set ? rows->o->last.v : -1;

	if (n < 0)
		return;
	while ((int64_t)rows->n > n) {
		size_t oldest = 0;

		for (size_t i = 1; i < rows->n; i++)
			if (runtime_of(&rows->v[i].container) <
			    runtime_of(&rows->v[oldest].container))
				oldest = i;
		container_close(&rows->v[oldest].container);
		rows->v[oldest] = rows->v[--rows->n];
	}
}

static int measure_rows(struct rows *rows, struct err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < rows->n; i++) {
		struct row *row = &rows->v[i];

		r = disk_usage_container(&row->container, &row->written, &row->total, err);
		/* One that is being removed has nothing any more. */
		if (r < 0 && err->kind == ERR_NOT_FOUND) {
			err_clear(err);
			r = 0;
		}
	}
	return r;
}

static void add_size(const struct row *measured, struct json_object *row, bool as_json)
{
	if (as_json) {
		struct json_object *size = json_object_new_object();

		view_add_i64(size, "rootFsSize", (int64_t)measured->total);
		view_add_i64(size, "rwSize", (int64_t)measured->written);
		json_object_object_add(row, "Size", size);
	} else {
		auto_free char *written = human_size(measured->written, 3, "");
		auto_free char *total = human_size(measured->total, 3, "");
		auto_free char *text = xasprintf("%s (virtual %s)", written, total);

		view_add(row, "Size", text);
	}
}

static struct json_object *headings(void)
{
	struct json_object *o = json_object_new_object();

	view_add(o, "ID", "CONTAINER ID");
	view_add(o, "CreatedHuman", "CREATED");
	view_add(o, "RunningFor", "CREATED");
	view_add(o, "ImageID", "IMAGE ID");
	view_add(o, "Pid", "PID");
	return o;
}

/* They are read from /proc, which few ask for. */
static bool names_namespaces(const char *format)
{
	static const char *const words[] = { "NS", "IPC", "MNT", "NET", "UTS", "Namespaces" };

	for (size_t i = 0; format && i < ARRAY_SIZE(words); i++)
		if (strstr(format, words[i]))
			return true;
	return false;
}

static bool needs_sizes(const struct options *o)
{
	return o->size || (o->sort && str_eq(o->sort, "size"));
}

/* Whether a part of the configuration is enough to choose the rows, to sort and to show them. */
static bool is_brief(const struct options *o)
{
	return o->filters.n == 0 && !o->format && !o->ns && !needs_sizes(o);
}

static struct json_object *row_of(const struct container *c, const struct options *o)
{
	if (is_brief(o))
		return view_ps_brief(c, o->no_trunc);
	return str_eq(o->format, "json") ? view_ps_json(c) : view_ps(c, o->no_trunc);
}

static int print_rows(const struct rows *rows, struct strbuf *out, struct err *err)
{
	const struct options *o = rows->o;
	bool as_json = str_eq(o->format, "json");
	struct gotemplate_list list = {
		.format = o->format ? o->format :
			  o->ns	    ? NAMESPACES_TABLE :
			  o->size   ? TABLE "\t{{.Size}}" :
				      TABLE,
		.rows = json_object_new_array(),
		.headings = headings(),
		.no_heading = o->no_heading,
	};
	int r;

	for (size_t i = 0; i < rows->n; i++) {
		const struct container *c = &rows->v[i].container;
		struct json_object *row = row_of(c, o);

		if (o->ns || names_namespaces(o->format))
			view_add_namespaces(row, c, as_json);
		if (o->size)
			add_size(&rows->v[i], row, as_json);
		json_object_array_add(list.rows, row);
	}
	r = gotemplate_format_list(&list, out, err);
	json_object_put(list.rows);
	json_object_put(list.headings);
	return r;
}

static int list(const struct cli_invocation *inv, struct err *err)
{
	const struct options *o = inv->options;
	struct rows rows = { .engine = floe_engine(inv), .o = o };
	auto_strbuf struct strbuf out = STRBUF_INIT;
	bool quiet = o->quiet && !o->format;
	int r = check_sort(o->sort, err);

	/* As podman, whose external ones are never running. */
	if (r == 0 && o->external && (o->latest || o->last.set))
		r = err_set(err, ERR_USAGE, "--external cannot be used with --last or --latest");
	if (r == 0 && o->latest && o->last.set)
		r = err_set(err, ERR_USAGE, "last and latest are mutually exclusive");
	if (r == 0 && o->quiet && (o->size || o->ns))
		r = err_set(err, ERR_USAGE, "quiet conflicts with size and namespace");
	if (r == 0 && o->size && o->ns)
		r = err_set(err, ERR_USAGE, "size and namespace options conflict");
	if (r == 0)
		r = is_brief(o) ? record_each_brief(rows.engine, add_row, &rows, err) :
				  record_each_readable(rows.engine, add_row, &rows, err);
	if (r == 0) {
		cut_rows(&rows);
		if (needs_sizes(o))
			r = measure_rows(&rows, err);
	}
	if (r == 0) {
		sort_rows(&rows);
		/* A format is more than --quiet, as with podman. */
		for (size_t i = 0; quiet && i < rows.n; i++)
			strbuf_addf(&out, "%.*s\n", o->no_trunc ? 64 : 12,
				    rows.v[i].container.config.id);
		if (!quiet)
			r = print_rows(&rows, &out, err);
	}
	for (size_t i = 0; i < rows.n; i++)
		container_close(&rows.v[i].container);
	free(rows.v);
	return r < 0 ? r : cli_print(out.buf, err);
}

static int run(const struct cli_invocation *inv, struct err *err)
{
	const struct options *o = inv->options;
	int r = 0;

	if (o->watch > INT32_MAX / 1000)
		return err_set(err, ERR_USAGE, "--watch %u: too long", o->watch);
	do {
		if (o->watch && cli_print("\033[H\033[2J", err) < 0)
			return -EIO;
		r = list(inv, err);
		if (r >= 0 && o->watch)
			clock_sleep_ms(o->watch * 1000);
	} while (r >= 0 && o->watch);
	return r;
}

#define T struct options
static const struct cli_option rows_[] = {
	OPT_FLAG(T, all, "all", 'a', "those that do not run as well"),
	OPT_STRVEC(T, filters, "filter", 'f', "KEY=VALUE", "those that this is true of"),
	OPT_STRING(T, format, "format", 0, "json|TEMPLATE", "form of the output"),
	OPT_I64(T, last, "last", 'n', "N", "the newest N, running or not"),
	OPT_FLAG(T, latest, "latest", 'l', "the newest one, running or not"),
	OPT_FLAG(T, no_trunc, "no-trunc", 0, "do not shorten ids and commands"),
	OPT_FLAG_F(T, no_trunc, "notruncate", 0, "the same", CLI_HIDDEN),
	OPT_FLAG(T, no_heading, "noheading", 0, "print no headings"),
	OPT_FLAG_F(T, no_heading, "no-heading", 0, "the same", CLI_HIDDEN),
	OPT_FLAG(T, quiet, "quiet", 'q', "print ids only"),
	OPT_FLAG(T, size, "size", 's', "what each has written, and its whole size"),
	OPT_STRING(T, sort, "sort", 0, "KEY",
		   "order by command, created, id, image, names, runningfor, size or status"),
	OPT_FLAG(T, ns, "ns", 0, "the numbers of their namespaces"),
	OPT_FLAG_F(T, ns, "namespace", 0, "the same", CLI_HIDDEN),
	OPT_U32(T, watch, "watch", 'w', "SECONDS", "print it anew every so many seconds"),
	OPT_FLAG(T, external, "external", 0,
		 "those of other programs in the store as well, of which there are none"),
	OPT_FLAG_F(T, external, "storage", 0, "the same", CLI_HIDDEN),
	OPT_FLAG(T, sync, "sync", 0, "look at the processes (as is done anyway)"),
};
#undef T

#define PS_COMMAND(name_, alias_, variable)                                                        \
	const struct cli_command variable = {                                                      \
		.name = (name_),                                                                   \
		.alias = (alias_),                                                                 \
		.summary = "list containers",                                                      \
		CLI_OPTIONS(struct options, rows_),                                                \
		.min_args = 0,                                                                     \
		.max_args = 0,                                                                     \
		.run = run,                                                                        \
		.error_code = FLOE_EXIT_ERROR,                                                     \
	}

PS_COMMAND("ps", NULL, floe_ps_command);
PS_COMMAND("list", "ls", floe_container_list_command);
