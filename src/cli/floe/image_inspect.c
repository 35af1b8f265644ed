/* SPDX-License-Identifier: Apache-2.0 */
/* image inspect */
#include "cli/floe/image_inspect.h"

#include <json-c/json.h>
#include <string.h>

#include "cli/floe/report.h"
#include "core/alloc.h"
#include "core/clock.h"
#include "core/json_table.h"
#include "core/str.h"
#include "storage/layer.h"

static struct json_object *graph_driver(struct store *store, const struct layers *layers)
{
	struct json_object *o = json_object_new_object();
	struct json_object *data = json_object_new_object();
	auto_strbuf struct strbuf lower = STRBUF_INIT;

	for (size_t i = layers->n; i-- > 0;) {
		auto_free char *path = layer_diff_path(store, layers->v[i].chain_id);

		if (i + 1 == layers->n)
			view_add(data, "UpperDir", path);
		else
			strbuf_addf(&lower, "%s%s", lower.len ? ":" : "", path);
	}
	if (lower.len)
		view_add(data, "LowerDir", lower.buf);
	view_add(o, "Name", store_driver_to_string(store->driver));
	json_object_object_add(o, "Data", data);
	return o;
}

static struct json_object *history_json(const struct image_config *config)
{
	struct json_object *array = json_object_new_array();

	for (size_t i = 0; i < config->n_history; i++) {
		const struct image_history *h = &config->history[i];
		struct json_object *o = json_object_new_object();

		if (h->created)
			view_add(o, "created", h->created);
		if (h->created_by)
			view_add(o, "created_by", h->created_by);
		if (h->author)
			view_add(o, "author", h->author);
		if (h->comment)
			view_add(o, "comment", h->comment);
		if (h->empty_layer)
			json_object_object_add(o, "empty_layer", json_object_new_boolean(true));
		json_object_array_add(array, o);
	}
	return array;
}

/* The process as the image's configuration has it. */
static struct json_object *process_json(const struct image_config *config)
{
	struct json_object *o = json_encode_value(&image_process_desc, &config->config);

	gotemplate_add_empty(
		o, json_tokener_parse("{\"User\": \"\", \"ExposedPorts\": {}, \"Env\": [], "
				      "\"Entrypoint\": [], \"Cmd\": [], \"Volumes\": {}, "
				      "\"WorkingDir\": \"\", \"Labels\": {}, \"StopSignal\": "
				      "\"\", \"ArgsEscaped\": false}"));
	return o;
}

static void add_config(struct json_object *o, const struct image_config *config)
{
	struct json_object *rootfs = json_object_new_object();

	json_object_object_add(o, "Config", process_json(config));
	view_add(o, "Version", "");
	view_add(o, "Author", config->author);
	view_add(o, "Architecture", config->architecture);
	view_add(o, "Os", config->os);
	if (config->variant)
		view_add(o, "Variant", config->variant);
	view_add(rootfs, "Type", config->rootfs.type);
	json_object_object_add(rootfs, "Layers",
			       view_strings(config->rootfs.diff_ids, config->rootfs.n_diff_ids));
	json_object_object_add(o, "RootFS", rootfs);
	json_object_object_add(o, "Labels", view_map(&config->config.labels));
	view_add(o, "User", config->config.user);
	json_object_object_add(o, "History", history_json(config));
}

int image_inspect_json(struct store *store, const char *name, struct json_object **ret,
		       struct err *err)
{
	auto_image struct image image = { 0 };
	auto_image_config struct image_config config = { 0 };
	auto_image_manifest struct image_manifest manifest = { 0 };
	auto_layers struct layers layers = { 0 };
	auto_strvec struct strvec names = STRVEC_INIT;
	auto_free char *parent = NULL;
	char created[CLOCK_TEXT_MAX];
	const char *comment = "";
	struct json_object *o;
	int r = image_find(store, name, &image, NULL, err);

	if (r == 0)
		r = image_config_load(store, image.id, &config, err);
	if (r == 0)
		r = image_manifest_load(store, &image, &manifest, err);
	if (r == 0)
		r = layers_load(store, image.top, &layers, err);
	if (r == 0)
		r = image_parent(store, &image, &parent, err);
	if (r < 0)
		return r;
	if (config.n_history && config.history[config.n_history - 1].comment)
		comment = config.history[config.n_history - 1].comment;
	clock_format_utc(image.created_ns, -1, created);
	o = json_object_new_object();
	view_add(o, "Id", image.id);
	view_add(o, "Digest", image.manifest_digest);
	json_object_object_add(o, "RepoTags", view_strings(image.names.v, image.names.n));
	json_object_object_add(o, "RepoDigests", view_strings(image.digests.v, image.digests.n));
	view_add(o, "Parent", parent);
	view_add(o, "Comment", comment);
	view_add(o, "Created", created);
	add_config(o, &config);
	json_object_object_add(o, "Size", json_object_new_uint64(image.size));
	json_object_object_add(o, "VirtualSize", json_object_new_uint64(image.size));
	json_object_object_add(o, "GraphDriver", graph_driver(store, &layers));
	json_object_object_add(o, "Annotations", view_map(&manifest.annotations));
	view_add(o, "ManifestType", image.manifest_type);
	(void)image_names_history(store, image.id, &names, NULL);
	json_object_object_add(o, "NamesHistory", view_strings(names.v, names.n));
	*ret = o;
	return 0;
}

struct options {
	const char *format;
};

static int run(const struct cli_invocation *inv, struct err *err)
{
	const struct options *o = inv->options;
	auto_store struct store store = STORE_INIT;
	auto_strbuf struct strbuf out = STRBUF_INIT;
	struct json_object *all = NULL;
	bool failed = false;
	int r = image_store_open(inv, &store, err);

	if (r < 0)
		return r;
	all = json_object_new_array();
	for (size_t i = 0; i < inv->n_args; i++) {
		struct json_object *one = NULL;
		struct err reason = ERR_INIT;

		if (image_inspect_json(&store, inv->args[i], &one, &reason) < 0) {
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

static const struct cli_option rows[] = {
	OPT_STRING(struct options, format, "format", 'f', "FORMAT",
		   "json, or a Go template for each image"),
};

const struct cli_command floe_image_inspect_command = {
	.name = "inspect",
	.arguments = "IMAGE...",
	.summary = "show everything that is known of images",
	CLI_OPTIONS(struct options, rows),
	.min_args = 1,
	.max_args = CLI_ARGS_ANY,
	.argument_source = FLOE_IMAGES,
	.run = run,
	.error_code = FLOE_EXIT_ERROR,
};
