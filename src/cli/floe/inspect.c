/* SPDX-License-Identifier: Apache-2.0 */
#include <json-c/json.h>
#include <string.h>

#include "cli/floe/commands.h"
#include "cli/floe/targets.h"
#include "cli/floe/view.h"
#include "cli/gotemplate.h"
#include "core/str.h"

struct options {
	struct targets targets;
	const char *format;
	bool size;
};

struct context {
	struct json_object *list;
	bool size;
};

static int inspect_one(struct container *c, void *context, struct err *err)
{
	struct context *x = context;
	struct json_object *one;
	int r = view_inspect(c, x->size, &one, err);

	if (r < 0)
		return r;
	json_object_array_add(x->list, one);
	return 1;
}

static int run(const struct cli_invocation *inv, struct err *err)
{
	const struct options *o = inv->options;
	struct context x = { .list = json_object_new_array(), .size = o->size };
	auto_strbuf struct strbuf out = STRBUF_INIT;
	struct targets targets = o->targets;
	int code;
	int r;

	targets.each_alone = true;
	code = targets_each(inv, &targets, inspect_one, &x, err);
	r = code < 0 ? code : 0;
	if (r == 0)
		r = gotemplate_format_inspected(o->format, x.list, &out, err);
	json_object_put(x.list);
	if (r == 0)
		r = cli_print(out.buf, err);
	return r < 0 ? r : code;
}

#define T struct options
static const struct cli_option rows[] = {
	OPT_STRING(T, format, "format", 'f', "json|TEMPLATE", "form of the output"),
	OPT_FLAG(T, targets.latest, "latest", 'l', "the newest container"),
	OPT_FLAG(T, size, "size", 's', "with what it takes of the disk"),
};
#undef T

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
