/* SPDX-License-Identifier: Apache-2.0 */
/* inspect: of containers, of images that no container has the name of, then of volumes and of networks. */
#include <string.h>

#include "cli/floe/image_inspect.h"
#include "cli/floe/network.h"
#include "cli/floe/report.h"
#include "cli/floe/targets.h"
#include "cli/floe/view.h"
#include "core/json_table.h"
#include "core/str.h"
#include "engine/container.h"
#include "engine/image_use.h"
#include "engine/volume.h"

enum kind { KIND_ALL, KIND_CONTAINER, KIND_IMAGE, KIND_VOLUME, KIND_NETWORK };

struct options {
	const char *format;
	enum kind type;
	bool latest;
	bool size;
};

/* 1: *ret is its document, 0: there is none of that name. */
static int inspect_container(const struct cli_invocation *inv, const char *name,
			     struct json_object **ret, struct err *err)
{
	const struct options *o = inv->options;
	auto_container struct container c = CONTAINER_INIT;
	int r = container_open(&c, floe_engine(inv), name, err);

	if (r < 0) {
		if (err->kind != ERR_NOT_FOUND)
			return r;
		err_clear(err);
		return 0;
	}
	container_sync_loaded(&c);
	r = view_inspect(&c, o->size, ret, err);
	return r < 0 ? r : 1;
}

static int inspect_volume(const struct cli_invocation *inv, const char *name,
			  struct json_object **ret, struct err *err)
{
	auto_volume struct volume v = { 0 };
	int r = volume_load(floe_engine(inv), name, &v, err);

	if (r == 0)
		*ret = view_volume(&v);
	return r;
}

/* *ret_known: there is such an image, so that what is wrong is wrong with it. */
static int inspect_image(const struct cli_invocation *inv, const char *name,
			 struct json_object **ret, bool *ret_known, struct err *err)
{
	auto_image struct image image = { 0 };
	struct err other = ERR_INIT;
	struct store *store;
	int r = engine_store(floe_engine(inv), &store, err);

	*ret_known = false;
	if (r < 0)
		return r;
	r = image_inspect_json(store, name, ret, err);
	*ret_known = r == 0 || image_find(store, name, &image, NULL, &other) == 0;
	return r;
}

static int inspect_one(const struct cli_invocation *inv, const char *name, struct json_object **ret,
		       struct err *err)
{
	const struct options *o = inv->options;
	bool known;
	int r = o->type != KIND_ALL && o->type != KIND_CONTAINER ?
			0 :
			inspect_container(inv, name, ret, err);

	if (r != 0)
		return MIN(r, 0);
	if (o->type == KIND_VOLUME)
		return inspect_volume(inv, name, ret, err);
	if (o->type == KIND_NETWORK)
		return network_inspect_json(floe_engine(inv), name, ret, err);
	if (o->type == KIND_CONTAINER)
		return err_set(err, ERR_NOT_FOUND,
			       "no container with name or ID \"%s\" found: no such container",
			       name);
	/* Only now: containers can be looked at also where the store cannot be opened. */
	r = inspect_image(inv, name, ret, &known, err);
	if (r < 0 && !known && o->type == KIND_ALL &&
	    (err->kind == ERR_NOT_FOUND || err->kind == ERR_INVALID)) {
		err_clear(err);
		r = inspect_volume(inv, name, ret, err);
	}
	if (r < 0 && !known && o->type == KIND_ALL && err->kind == ERR_NOT_FOUND) {
		err_clear(err);
		r = network_inspect_json(floe_engine(inv), name, ret, err);
	}
	if (r < 0 && !known && o->type == KIND_ALL && err->kind == ERR_NOT_FOUND)
		return err_set(err, ERR_NOT_FOUND,
			       "no such object: \"%s\": no container with name or ID \"%s\" found, "
			       "and no such image, volume or network",
			       name, name);
	return r;
}

static int add_latest(const struct cli_invocation *inv, struct json_object *all, struct err *err)
{
	const struct options *o = inv->options;
	auto_container struct container c = CONTAINER_INIT;
	struct cli_invocation none = *inv;
	struct json_object *one;
	int r;

	none.n_args = 0;
	r = targets_one(&none, true, false, &c, err);
	if (r == 0)
		r = view_inspect(&c, o->size, &one, err);
	if (r == 0)
		json_object_array_add(all, one);
	return r;
}

static int run(const struct cli_invocation *inv, struct err *err)
{
	const struct options *o = inv->options;
	auto_strbuf struct strbuf out = STRBUF_INIT;
	struct json_object *all;
	bool failed = false;
	int r;

	if (inv->n_args + o->latest == 0)
		return err_set(err, ERR_USAGE,
			       "no names or ids specified; give a name, or --latest");
	if (o->latest && inv->n_args > 0)
		return err_set(err, ERR_USAGE, "--latest and arguments cannot be used together");
	if (o->size && o->type != KIND_ALL && o->type != KIND_CONTAINER)
		return err_set(err, ERR_USAGE, "size is not supported for type \"%s\"",
			       o->type == KIND_IMAGE  ? "image" :
			       o->type == KIND_VOLUME ? "volume" :
							"network");
	all = json_object_new_array();
	if (o->latest) {
		r = add_latest(inv, all, err);
		if (r < 0) {
			json_object_put(all);
			return r;
		}
	}
	for (size_t i = 0; i < inv->n_args; i++) {
		struct json_object *one = NULL;
		struct err reason = ERR_INIT;

		if (inspect_one(inv, inv->args[i], &one, &reason) < 0) {
			report_error(&reason);
			failed = true;
			continue;
		}
		json_object_array_add(all, one);
	}
	r = gotemplate_format_inspected(o->format, all, &out, err);
	json_object_put(all);
	if (r == 0)
		r = cli_print(out.buf, err);
	return r < 0 ? r : failed ? FLOE_EXIT_ERROR : 0;
}

static const struct cli_choice types[] = {
	{ "all", KIND_ALL },	     { "container", KIND_CONTAINER }, { "image", KIND_IMAGE },
	{ "network", KIND_NETWORK }, { "volume", KIND_VOLUME },	      { NULL, 0 },
};

#define T struct options
static const struct cli_option rows[] = {
	OPT_STRING(T, format, "format", 'f', "FORMAT", "json, or a Go template for each object"),
	OPT_FLAG(T, latest, "latest", 'l', "the newest container"),
	OPT_FLAG(T, size, "size", 's', "of containers: with what they take of the disk"),
	OPT_ENUM(T, type, "type", 't', "TYPE", types, "what to look for (default: all)"),
};
#undef T

const struct cli_command floe_inspect_command = {
	.name = "inspect",
	.arguments = "[NAME...]",
	.summary = "show everything that is known of containers, images, volumes and networks",
	CLI_OPTIONS(struct options, rows),
	.max_args = CLI_ARGS_ANY,
	.argument_source = FLOE_CONTAINERS,
	.run = run,
	.error_code = FLOE_EXIT_ERROR,
};
