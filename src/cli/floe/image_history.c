/* SPDX-License-Identifier: Apache-2.0 */
/* history, image tree */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/floe/image_common.h"
#include "cli/human.h"
#include "core/alloc.h"
#include "core/clock.h"
#include "core/json_table.h"
#include "core/str.h"
#include "storage/layer.h"

#define CREATED_BY_WIDTH 45

struct options {
	const char *format;
	struct opt_bool human;
	bool no_trunc;
	bool quiet;
};

static char *cut(const char *text, bool no_trunc)
{
	if (!text)
		return xstrdup("");
	if (no_trunc || strlen(text) <= CREATED_BY_WIDTH)
		return xstrdup(text);
	return xasprintf("%.*s...", CREATED_BY_WIDTH - 3, text);
}

/* Where the user is, as in podman and docker; "2022-06-15T14:38:38-04:00". */
static char *local_time(uint64_t realtime_ns)
{
	time_t seconds = (time_t)(realtime_ns / NSEC_PER_SEC);
	struct tm tm;
	char text[CLOCK_TEXT_MAX];
	long minutes;

	if (!localtime_r(&seconds, &tm) || strftime(text, sizeof(text), "%FT%T", &tm) == 0)
		return xstrdup("");
	minutes = labs(tm.tm_gmtoff / 60);
	if (tm.tm_gmtoff == 0)
		return xasprintf("%sZ", text);
	return xasprintf("%s%c%02ld:%02ld", text, tm.tm_gmtoff < 0 ? '-' : '+', minutes / 60,
			 minutes % 60);
}

static struct json_object *step_raw(const struct image *image, const struct image_history *h,
				    bool newest, uint64_t size)
{
	struct json_object *row = json_object_new_object();

	view_add(row, "id", newest ? image->id : "<missing>");
	view_add(row, "created", h->created);
	view_add(row, "CreatedBy", h->created_by);
	json_object_object_add(row, "size", json_object_new_uint64(size));
	view_add(row, "comment", h->comment);
	if (newest && image->names.n)
		json_object_object_add(row, "tags", view_strings(image->names.v, image->names.n));
	return row;
}

/* One step; the newest one is the image itself. */
static struct json_object *step_json(const struct options *o, const struct image *image,
				     const struct image_history *h, bool newest, uint64_t size)
{
	struct json_object *row = json_object_new_object();
	bool human = !o->human.set || o->human.v;
	uint64_t created_ns = image_time_parse(h->created);
	auto_free char *since = human_ago(created_ns);
	auto_free char *size_text = human ? human_size(size, 3, "") :
					    xasprintf("%llu", (unsigned long long)size);
	auto_free char *by = cut(h->created_by, o->no_trunc);
	auto_free char *id = !newest	 ? xstrdup("<missing>") :
			     o->no_trunc ? xstrdup(image->id) :
					   xasprintf("%.*s", SHORT_ID_LEN, image->id);
	auto_free char *local = local_time(created_ns);
	char at[CLOCK_TEXT_MAX];

	clock_format_utc(created_ns, 0, at);
	view_add(row, "ID", id);
	json_object_object_add(row, "Created", gotemplate_plain_text(human ? since : at));
	view_add(row, "CreatedSince", since);
	json_object_object_add(row, "CreatedAt", gotemplate_plain_text(local));
	view_add(row, "CreatedBy", by);
	view_add(row, "Size", size_text);
	view_add(row, "Comment", h->comment);
	json_object_object_add(row, "Tags",
			       newest ? view_strings(image->names.v, image->names.n) :
					json_object_new_array());
	gotemplate_embed(row, "ImageHistoryLayer", step_raw(image, h, newest, size));
	return row;
}

/* Newest first; each step that made a layer has its size. */
static struct json_object *steps(const struct options *o, const struct image *image,
				 const struct image_config *config, const struct layers *layers)
{
	struct json_object *array = json_object_new_array();
	size_t layer = layers->n;

	for (size_t i = config->n_history; i-- > 0;) {
		const struct image_history *h = &config->history[i];
		bool newest = i + 1 == config->n_history;
		uint64_t size = 0;

		if (!h->empty_layer && layer > 0)
			size = layers->v[--layer].size;
		json_object_array_add(array, str_eq(o->format, "json") ?
						     step_raw(image, h, newest, size) :
						     step_json(o, image, h, newest, size));
	}
	return array;
}

static int run_history(const struct cli_invocation *inv, struct err *err)
{
	const struct options *o = inv->options;
	auto_store struct store store = STORE_INIT;
	auto_image struct image image = { 0 };
	auto_image_config struct image_config config = { 0 };
	auto_layers struct layers layers = { 0 };
	auto_strbuf struct strbuf out = STRBUF_INIT;
	struct gotemplate_list list = { .format = o->format };
	int r = image_store_open(inv, &store, err);

	if (r == 0)
		r = image_find(&store, inv->args[0], &image, NULL, err);
	if (r == 0)
		r = image_config_load(&store, image.id, &config, err);
	if (r == 0)
		r = layers_load(&store, image.top, &layers, err);
	if (r < 0)
		return r;
	if (o->quiet)
		list.format = "{{.ID}}";
	else if (!o->format)
		list.format =
			"table {{.ID}}\t{{.Created}}\t{{.CreatedBy}}\t{{.Size}}\t{{.Comment}}";
	list.rows = steps(o, &image, &config, &layers);
	r = gotemplate_format_list(&list, &out, err);
	json_object_put(list.rows);
	return r < 0 ? r : cli_print(out.buf, err);
}

#define T struct options
static const struct cli_option history_rows[] = {
	OPT_STRING(T, format, "format", 0, "FORMAT", "json, or a Go template for each step"),
	OPT_OPTBOOL(T, human, "human", 'H', "sizes and times for people (default: true)"),
	OPT_FLAG(T, no_trunc, "no-trunc", 0, "show whole ids and instructions"),
	OPT_FLAG(T, quiet, "quiet", 'q', "show ids only"),
};
#undef T

const struct cli_command floe_history_command = {
	.name = "history",
	.arguments = "IMAGE",
	.summary = "show how an image was made",
	CLI_OPTIONS(struct options, history_rows),
	.min_args = 1,
	.max_args = 1,
	.argument_source = FLOE_IMAGES,
	.run = run_history,
	.error_code = FLOE_EXIT_ERROR,
};

/* --- tree --- */

struct tree_options {
	bool whatrequires;
};

/* " Top Layer of: [names]" of the images whose highest layer it is. */
static void add_tops(const struct images *images, const char *chain_id, struct strbuf *out)
{
	for (size_t i = 0; i < images->n; i++) {
		auto_free char *names = NULL;

		if (!str_eq(images->v[i].top, chain_id) || images->v[i].names.n == 0)
			continue;
		names = strvec_join(&images->v[i].names, " ");
		strbuf_addf(out, " Top Layer of: [%s]", names);
	}
}

static void add_layer_line(const struct images *images, const struct layer *layer,
			   const char *indent, bool last, struct strbuf *out)
{
	auto_free char *size = human_size(layer->size, 3, " ");
	const char *hex = strchr(layer->chain_id, ':');

	strbuf_addf(out, "%s%s ID: %.*s Size: %s", indent, last ? "└──" : "├──", SHORT_ID_LEN,
		    hex ? hex + 1 : layer->chain_id, size);
	add_tops(images, layer->chain_id, out);
	strbuf_addc(out, '\n');
}

/* The layers on top of this one, wherever they belong. */
static int add_children(struct store *store, const struct images *images, const char *chain_id,
			const char *indent, unsigned int depth, struct strbuf *out, struct err *err)
{
	auto_strvec struct strvec children = STRVEC_INIT;
	auto_db_stmt struct db_stmt q = DB_STMT_INIT;
	int r = db_query(store->db, &q, err,
			 "SELECT chain_id FROM layers WHERE parent = ? ORDER BY created", "s",
			 chain_id);

	while (r >= 0 && (r = db_step(&q, err)) > 0)
		strvec_add(&children, db_text(&q, 0));
	for (size_t i = 0; r == 0 && depth < IMAGE_LAYERS_MAX && i < children.n; i++) {
		auto_layers struct layers up = { 0 };
		bool last = i + 1 == children.n;
		auto_free char *deeper = xasprintf("%s%s", indent, last ? "    " : "│   ");

		r = layers_load(store, children.v[i], &up, err);
		if (r < 0)
			break;
		add_layer_line(images, &up.v[up.n - 1], indent, last, out);
		r = add_children(store, images, children.v[i], deeper, depth + 1, out, err);
	}
	return r;
}

static int run_tree(const struct cli_invocation *inv, struct err *err)
{
	const struct tree_options *o = inv->options;
	auto_store struct store store = STORE_INIT;
	auto_image struct image image = { 0 };
	auto_images struct images images = { 0 };
	auto_layers struct layers layers = { 0 };
	auto_strbuf struct strbuf out = STRBUF_INIT;
	auto_free char *names = NULL;
	auto_free char *size = NULL;
	int r = image_store_open(inv, &store, err);

	if (r == 0)
		r = image_find(&store, inv->args[0], &image, NULL, err);
	if (r == 0)
		r = images_list(&store, &images, err);
	if (r == 0)
		r = layers_load(&store, image.top, &layers, err);
	if (r < 0)
		return r;
	names = strvec_join(&image.names, " ");
	size = human_size(image.size, 3, " ");
	strbuf_addf(&out, "Image ID: %.*s\nTags:     [%s]\nSize:     %s\n", SHORT_ID_LEN, image.id,
		    names, size);
	if (layers.n == 0)
		strbuf_adds(&out, "No Image Layers\n");
	else if (o->whatrequires)
		r = add_children(&store, &images, layers.v[layers.n - 1].chain_id, "", 0, &out,
				 err);
	else
		strbuf_adds(&out, "Image Layers\n");
	for (size_t i = 0; !o->whatrequires && i < layers.n; i++)
		add_layer_line(&images, &layers.v[i], "", i + 1 == layers.n, &out);
	return r < 0 ? r : cli_print(out.buf, err);
}

static const struct cli_option tree_rows[] = {
	OPT_FLAG(struct tree_options, whatrequires, "whatrequires", 0,
		 "show the layers on top of the image's instead of its own"),
};

const struct cli_command floe_image_tree_command = {
	.name = "tree",
	.arguments = "IMAGE",
	.summary = "show the layers of an image",
	CLI_OPTIONS(struct tree_options, tree_rows),
	.min_args = 1,
	.max_args = 1,
	.argument_source = FLOE_IMAGES,
	.run = run_tree,
	.error_code = FLOE_EXIT_ERROR,
};
