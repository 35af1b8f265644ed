/* SPDX-License-Identifier: Apache-2.0 */
/* floe network: ls, inspect, exists, and the filters. */
#include "cli/floe/network.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "cli/floe/report.h"
#include "cli/floe/view.h"
#include "cli/gotemplate.h"
#include "core/alloc.h"
#include "core/parse.h"
#include "core/json_auto.h"
#include "core/str.h"
#include "engine/filter.h"
#include "engine/network_users.h"

/* ---- filters ---- */

static bool has_label(const struct network *n, const char *label)
{
	const char *equals = strchr(label, '=');
	auto_free char *key = equals ? xstrndup(label, (size_t)(equals - label)) : xstrdup(label);
	const char *value = json_string_map_get(&n->labels, key);

	return value && (!equals || str_eq(value, equals + 1));
}

struct filtered_network {
	const struct network *network;
	const char *default_name;
	bool is_used;
};

/* The default network is never left over. */
static int dangling_matches(const struct filtered_network *of, const char *value, struct err *err)
{
	bool wanted;

	if (parse_bool(value, &wanted) < 0)
		return err_set(err, ERR_INVALID,
			       "invalid dangling filter value \"%s\"; use true or false", value);
	return wanted == (!of->is_used && !str_eq(of->network->name, of->default_name));
}

static int matches_one(const char *filter, void *context, struct err *err)
{
	const struct filtered_network *of = context;
	const struct network *n = of->network;
	const char *value = filter + strcspn(filter, "=") + 1;
	auto_free char *key = xstrndup(filter, strcspn(filter, "="));
	int64_t until;
	int64_t created;

	if (str_eq(key, "name"))
		return filter_regex(value, n->name, err);
	if (str_eq(key, "id"))
		return str_has_prefix(n->id, value);
	if (str_eq(key, "driver"))
		return str_eq(n->driver, value);
	if (str_eq(key, "label"))
		return has_label(n, value);
	if (str_eq(key, "label!"))
		return !has_label(n, value);
	if (str_eq(key, "dangling"))
		return dangling_matches(of, value, err);
	if (str_eq(key, "until") && filter_parse_time(value, &until) == 0)
		return n->created && filter_parse_time(n->created, &created) == 0 &&
		       created < until;
	return err_set(
		err, ERR_INVALID,
		"invalid filter '%s': expected name, id, driver, label, label!, dangling or until "
		"with a value",
		filter);
}

int network_filters_match(const struct strvec *filters, const struct network_dir *dir,
			  const struct network *n, bool is_used, struct err *err)
{
	struct filtered_network of = { n, network_default_name(dir), is_used };

	return filter_all(filters, matches_one, &of, err);
}

/* ---- ls ---- */

struct ls_options {
	const char *format;
	struct strvec filters;
	bool quiet;
	bool no_trunc;
	bool no_heading;
};

/* What a network has not is empty to templates, and left out of its document. */
static void add_empty(struct json_object *network)
{
	static const char *const lists[] = { "subnets", "routes", "network_dns_servers" };
	static const char *const maps[] = { "labels", "options", "ipam_options", "containers" };
	struct json_object *empty = json_object_new_object();

	for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
		(void)json_object_object_add(empty, lists[i], json_object_new_array());
	for (size_t i = 0; i < ARRAY_SIZE(maps); i++)
		(void)json_object_object_add(empty, maps[i], json_object_new_object());
	/* The default network is no file that had a date. */
	view_add_time(empty, "created", 0);
	gotemplate_add_empty(network, empty);
}

static struct json_object *labels_text(const struct network *n)
{
	auto_strbuf struct strbuf sb = STRBUF_INIT;

	for (size_t i = 0; i < n->labels.n; i++)
		strbuf_addf(&sb, "%s%s=%s", i ? "," : "", n->labels.v[i].key, n->labels.v[i].value);
	return json_object_new_string(sb.buf);
}

/* document: consumed. */
static struct json_object *for_templates(struct json_object *document)
{
	struct json_object *row = json_object_new_object();

	add_empty(document);
	gotemplate_embed(row, "Network", document);
	return row;
}

/* For json the network's own document, which podman's methods stand around for templates. */
static struct json_object *make_row(const struct network *n, bool is_truncated, bool is_json)
{
	struct json_object *document = json_encode_value(&network_desc, n);
	auto_free char *id = is_truncated ? xstrndup(n->id, 12) : xstrdup(n->id);
	struct json_object *row;

	if (is_json)
		return document;
	row = for_templates(document);
	view_add(row, "ID", id);
	(void)json_object_object_add(row, "Labels", labels_text(n));
	return row;
}

static int list_rows(const struct cli_invocation *inv, const struct ls_options *o,
		     struct json_object *rows, struct err *err)
{
	auto_network_list struct network_list list = NETWORK_LIST_INIT;
	auto_network_users struct network_users users = NETWORK_USERS_INIT;
	int r = network_list_load(&list, &floe_engine(inv)->network_dir, err);

	if (r == 0 && o->filters.n)
		r = network_users_load(&users, floe_engine(inv), err);
	for (size_t i = 0; r >= 0 && i < list.n; i++) {
		r = network_filters_match(&o->filters, &floe_engine(inv)->network_dir, &list.v[i],
					  network_is_used(&users, list.v[i].name), err);
		if (r > 0)
			(void)json_object_array_add(rows, make_row(&list.v[i], !o->no_trunc,
								   str_eq(o->format, "json")));
	}
	return r < 0 ? r : 0;
}

static int run_ls(const struct cli_invocation *inv, struct err *err)
{
	const struct ls_options *o = inv->options;
	auto_json struct json_object *rows = json_object_new_array();
	auto_json struct json_object *headings =
		json_tokener_parse("{\"ID\": \"NETWORK ID\", \"name\": \"NAME\", \"driver\": "
				   "\"DRIVER\"}");
	auto_strbuf struct strbuf text = STRBUF_INIT;
	struct gotemplate_list list = {
		.format = o->format ? o->format :
			  o->quiet  ? "{{.Name}}" :
				      "table {{.ID}}\t{{.Name}}\t{{.Driver}}",
		.rows = rows,
		.headings = headings,
		.no_heading = o->no_heading,
	};
	int r = list_rows(inv, o, rows, err);

	if (r == 0)
		r = gotemplate_format_list(&list, &text, err);
	return r < 0 ? r : cli_print(text.buf, err);
}

#define T struct ls_options
static const struct cli_option ls_rows[] = {
	OPT_STRING(T, format, "format", 0, "json|TEMPLATE", "how to print it"),
	OPT_STRVEC(T, filters, "filter", 'f', "KEY=VALUE", "those that this is true of"),
	OPT_FLAG(T, quiet, "quiet", 'q', "names only"),
	OPT_FLAG(T, no_trunc, "no-trunc", 0, "whole ids"),
	OPT_FLAG(T, no_heading, "noheading", 'n', "no headings"),
};
#undef T

const struct cli_command floe_network_ls_command = {
	.name = "ls",
	.alias = "list",
	.summary = "list networks",
	CLI_OPTIONS(struct ls_options, ls_rows),
	.run = run_ls,
	.error_code = FLOE_EXIT_ERROR,
};

/* ---- inspect ---- */

struct inspect_options {
	const char *format;
};

static struct json_object *interfaces_of(const struct network_user *user)
{
	auto_free char *text = network_status_format(&user->status);
	auto_json struct json_object *status = json_tokener_parse(text);
	struct json_object *network;
	struct json_object *interfaces;

	if (status && json_object_object_get_ex(status, user->network, &network) &&
	    json_object_object_get_ex(network, "interfaces", &interfaces))
		return json_object_get(interfaces);
	return json_object_new_object();
}

/* Those that have an address there now: what is stopped, or only created, has none. */
static struct json_object *containers_of(const struct network_users *users, const char *network)
{
	struct json_object *containers = json_object_new_object();

	for (size_t i = 0; i < users->n; i++) {
		struct json_object *one;

		if (!str_eq(users->v[i].network, network) ||
		    !network_status_find(&users->v[i].status, network))
			continue;
		one = json_object_new_object();
		view_add(one, "name", users->v[i].name);
		(void)json_object_object_add(one, "interfaces", interfaces_of(&users->v[i]));
		(void)json_object_object_add(containers, users->v[i].id, one);
	}
	return containers;
}

static struct json_object *inspected(const struct network *n, const struct network_users *users)
{
	struct json_object *value = json_encode_value(&network_desc, n);

	(void)json_object_object_add(value, "containers", containers_of(users, n->name));
	return value;
}

int network_inspect_json(struct engine *e, const char *name, struct json_object **ret,
			 struct err *err)
{
	auto_network_users struct network_users users = NETWORK_USERS_INIT;
	auto_network struct network n = NETWORK_INIT;
	int r = network_find(&n, &e->network_dir, name, err);

	if (r == 0)
		r = network_users_load(&users, e, err);
	if (r == 0)
		*ret = inspected(&n, &users);
	return r;
}

static int run_inspect(const struct cli_invocation *inv, struct err *err)
{
	const struct inspect_options *o = inv->options;
	auto_json struct json_object *values = json_object_new_array();
	auto_network_users struct network_users users = NETWORK_USERS_INIT;
	auto_strbuf struct strbuf text = STRBUF_INIT;
	bool is_missing = false;
	int r = network_users_load(&users, floe_engine(inv), err);

	for (size_t i = 0; r == 0 && i < inv->n_args; i++) {
		auto_network struct network n = NETWORK_INIT;
		struct err why = ERR_INIT;
		struct json_object *value;

		if (network_find(&n, &floe_engine(inv)->network_dir, inv->args[i], &why) < 0) {
			report_error(&why);
			is_missing = true;
			continue;
		}
		value = inspected(&n, &users);
		if (o->format && !str_eq(o->format, "json"))
			value = for_templates(value);
		(void)json_object_array_add(values, value);
	}
	if (r == 0)
		r = gotemplate_format_inspected(o->format, values, &text, err);
	if (r == 0)
		r = cli_print(text.buf, err);
	return r < 0 ? r : is_missing ? FLOE_EXIT_ERROR : 0;
}

#define T struct inspect_options
static const struct cli_option inspect_rows[] = {
	OPT_STRING(T, format, "format", 'f', "json|TEMPLATE", "how to print it"),
};
#undef T

const struct cli_command floe_network_inspect_command = {
	.name = "inspect",
	.arguments = "NETWORK...",
	.summary = "show networks and who is attached to them",
	CLI_OPTIONS(struct inspect_options, inspect_rows),
	.min_args = 1,
	.max_args = CLI_ARGS_ANY,
	.argument_source = NETWORK_NAMES,
	.run = run_inspect,
	.error_code = FLOE_EXIT_ERROR,
};

/* ---- exists ---- */

static int run_exists(const struct cli_invocation *inv, struct err *err)
{
	auto_network struct network n = NETWORK_INIT;
	struct err why = ERR_INIT;

	if (network_find(&n, &floe_engine(inv)->network_dir, inv->args[0], &why) == 0)
		return 0;
	if (why.kind == ERR_NOT_FOUND)
		return NETWORK_EXIT_MISSING;
	if (err)
		*err = why;
	return why.code;
}

const struct cli_command floe_network_exists_command = {
	.name = "exists",
	.arguments = "NETWORK",
	.summary = "exit status 0 when there is such a network, 1 when not",
	.min_args = 1,
	.max_args = 1,
	.argument_source = NETWORK_NAMES,
	.run = run_exists,
	.error_code = FLOE_EXIT_ERROR,
};
