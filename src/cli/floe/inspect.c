/* SPDX-License-Identifier: Apache-2.0 */
#include <json-c/json.h>
#include <string.h>

#include "cli/floe/commands.h"
#include "cli/floe/image_inspect.h"
#include "cli/floe/targets.h"
#include "cli/floe/view.h"
#include "cli/gotemplate.h"
#include "core/str.h"
#include "engine/image_use.h"
#include "engine/volume.h"

struct options {
	struct targets targets;
	const char *format;
	bool size;
};

struct context {
	struct json_object *list;
};

static int inspect_one(struct container *c, void *context, struct err *err UNUSED)
{
	struct context *x = context;

	json_object_array_add(x->list, view_inspect(c));
	return 1;
}

static int print_each(const char *format, struct json_object *list, struct strbuf *out,
		      struct err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < json_object_array_length(list); i++)
		r = gotemplate_format_value(format, json_object_array_get_idx(list, i), out, err);
	return r;
}

/* The whole list as JSON, or each by the template. */
static int print_list(const char *format, struct json_object *list, struct strbuf *out,
		      struct err *err)
{
	auto_free char *text = NULL;

	if (format && !str_eq(format, "json"))
		return print_each(format, list, out, err);
	text = json_value_to_text(list, JSON_INDENT4);
	strbuf_addf(out, "%s\n", text);
	return 0;
}

static int run(const struct cli_invocation *inv, struct err *err)
{
	const struct options *o = inv->options;
	struct context x = { .list = json_object_new_array() };
	auto_strbuf struct strbuf out = STRBUF_INIT;
	int code = targets_each(inv, &o->targets, inspect_one, &x, err);
	int r = code < 0 ? code : 0;

	if (r == 0)
		r = print_list(o->format, x.list, &out, err);
	json_object_put(x.list);
	if (r == 0)
		r = cli_print(out.buf, err);
	return r < 0 ? r : code;
}

#define T struct options
static const struct cli_option rows[] = {
	OPT_STRING(T, format, "format", 'f', "json|TEMPLATE", "form of the output"),
	OPT_FLAG(T, targets.latest, "latest", 'l', "the newest container"),
};
#undef T

/* --- inspect of anything ---------------------------------------------------------------------------- */

struct any_options {
	const char *format;
	const char *type;
	bool latest;
	bool size;
};

/* What the name means, in podman's order: a container, an image, a volume, a network. */
static int any_object(const struct cli_invocation *inv, const char *type, const char *name,
		      struct json_object **ret, struct err *err)
{
	struct engine *e = floe_engine(inv);
	auto_container struct container c = CONTAINER_INIT;
	auto_volume struct volume v = { 0 };
	struct store *store;
	bool all = !type || str_eq(type, "all");
	int r = -ENOENT;

	if (all || str_eq(type, "container")) {
		r = container_open(&c, e, name, err);
		if (r == 0)
			*ret = view_inspect(&c);
	}
	if (r == -ENOENT && (all || str_eq(type, "image"))) {
		err_clear(err);
		r = engine_store(e, &store, err);
		if (r == 0)
			r = image_inspect_json(store, name, ret, err);
	}
	if (r == -ENOENT && (all || str_eq(type, "volume"))) {
		err_clear(err);
		r = volume_load(e, name, &v, err);
		if (r == 0)
			*ret = view_volume(&v);
	}
	if (r == -ENOENT && all)
		return err_set(err, ERR_NOT_FOUND, "no such object: \"%s\"", name);
	return r;
}

static int run_any(const struct cli_invocation *inv, struct err *err)
{
	static const char *const types[] = { "all", "container", "image", "volume" };
	const struct any_options *o = inv->options;
	struct json_object *list = json_object_new_array();
	auto_strbuf struct strbuf out = STRBUF_INIT;
	bool known = !o->type;
	int code = 0;
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		known = known || str_eq(o->type, types[i]);
	if (!known)
		r = err_set(err, ERR_USAGE,
			    "inspect --type '%s': expected all, container, image or "
			    "volume",
			    o->type);
	if (r == 0 && inv->n_args == 0 && !o->latest)
		r = err_set(err, ERR_USAGE, "inspect needs a name or id");
	for (size_t i = 0; r == 0 && i < inv->n_args; i++) {
		struct json_object *object = NULL;
		struct err one = ERR_INIT;

		if (any_object(inv, o->type, inv->args[i], &object, &one) < 0) {
			targets_report(&one);
			code = FLOE_EXIT_ERROR;
		} else {
			json_object_array_add(list, object);
		}
	}
	if (r == 0 && o->latest) {
		auto_container struct container c = CONTAINER_INIT;

		r = targets_one(inv, true, false, &c, err);
		if (r == 0)
			json_object_array_add(list, view_inspect(&c));
	}
	if (r == 0)
		r = print_list(o->format, list, &out, err);
	json_object_put(list);
	if (r == 0)
		r = cli_print(out.buf, err);
	return r < 0 ? r : code;
}

#define T struct any_options
static const struct cli_option any_rows[] = {
	OPT_STRING(T, format, "format", 'f', "json|TEMPLATE", "form of the output"),
	OPT_STRING(T, type, "type", 't', "TYPE", "all, container, image or volume"),
	OPT_FLAG(T, latest, "latest", 'l', "the newest container"),
};
#undef T

const struct cli_command floe_inspect_command = {
	.name = "inspect",
	.arguments = "[NAME...]",
	.summary = "show all there is to know about containers, images or volumes",
	CLI_OPTIONS(struct any_options, any_rows),
	.min_args = 0,
	.max_args = CLI_ARGS_ANY,
	.argument_source = FLOE_CONTAINERS,
	.run = run_any,
	.error_code = FLOE_EXIT_ERROR,
};

const struct cli_command floe_container_inspect_command = {
	.name = "inspect",
	.arguments = "[CONTAINER...]",
	.summary = "show all there is to know about containers",
	CLI_OPTIONS(struct options, rows),
	.min_args = 0,
	.max_args = CLI_ARGS_ANY,
	.argument_source = FLOE_CONTAINERS,
	.run = run,
	.error_code = FLOE_EXIT_ERROR,
};
