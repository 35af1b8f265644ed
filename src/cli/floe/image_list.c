/* SPDX-License-Identifier: Apache-2.0 */
/* images, image ls */
#include <stdlib.h>
#include <string.h>

#include "cli/floe/image_filter.h"
#include "cli/human.h"
#include "core/alloc.h"
#include "core/clock.h"
#include "core/str.h"

#define NONE "<none>"

enum sort_key { SORT_CREATED, SORT_ID, SORT_REPOSITORY, SORT_SIZE, SORT_TAG };

struct options {
	bool all;
	bool digests;
	struct strvec filters;
	const char *format;
	bool history;
	bool no_heading;
	bool no_trunc;
	bool quiet;
	enum sort_key sort;
};

/* One line: an image by one of its names. */
struct row {
	const struct image *image;
	char *repository;
	char *tag;
};

struct rows {
	struct row *v;
	size_t n;
};

struct listing {
	const struct cli_invocation *inv;
	const struct options *options;
	struct store store;
	struct images images;
	struct image_config *configs; /* of the images; loaded with them */
	bool *shown;
	struct strvec references; /* of the filters; see names_shown() */
};

static void listing_done(struct listing *l)
{
	for (size_t i = 0; i < l->images.n; i++)
		if (l->configs)
			image_config_done(&l->configs[i]);
	free(l->configs);
	free(l->shown);
	strvec_done(&l->references);
	images_done(&l->images);
	store_close(&l->store);
}
DEFINE_AUTO_VAL(listing, struct listing, listing_done)

static void rows_done(struct rows *rows)
{
	for (size_t i = 0; i < rows->n; i++) {
		free(rows->v[i].repository);
		free(rows->v[i].tag);
	}
	free(rows->v);
}
DEFINE_AUTO_VAL(rows, struct rows, rows_done)

static int choose(struct listing *l, struct err *err)
{
	struct image_filter_context context = { l->inv, &l->store };
	auto_strvec struct strvec filters = STRVEC_INIT;
	int r = images_list(&l->store, &l->images, err);

	if (r < 0)
		return r;
	strvec_add_all(&filters, l->options->filters.v, l->options->filters.n);
	if (l->inv->n_args)
		strvec_addf(&filters, "reference=%s", l->inv->args[0]);
	for (size_t i = 0; i < filters.n; i++) {
		const char *reference = str_skip_prefix(filters.v[i], "reference=");

		if (reference)
			strvec_add(&l->references, reference);
	}
	l->configs = xcalloc(l->images.n + 1, sizeof(*l->configs));
	l->shown = xcalloc(l->images.n + 1, sizeof(*l->shown));
	for (size_t i = 0; r >= 0 && i < l->images.n; i++) {
		const struct image *image = &l->images.v[i];

		r = image_config_load(&l->store, image->id, &l->configs[i], err);
		if (r == 0)
			r = image_filter_matches(&context, &filters, image, &l->configs[i], err);
		if (r > 0 && image->names.n == 0 && !l->options->all && filters.n == 0) {
			/* Steps on the way to another image are shown with --all only. */
			r = image_has_children(&l->store, image, err);
			if (r >= 0)
				r = !r;
		}
		l->shown[i] = r > 0;
	}
	return MIN(r, 0);
}

/* Who asked for a whole name gets the image by that name alone, as podman has it; a pattern, a short
 * name and an id ask for the image, by all its names. */
static void names_shown(const struct listing *l, const struct image *image, struct strvec *ret)
{
	for (size_t i = 0; i < image->names.n; i++)
		if (strvec_contains(&l->references, image->names.v[i]))
			strvec_add(ret, image->names.v[i]);
	if (ret->n == 0)
		strvec_add_all(ret, image->names.v, image->names.n);
}

static void add_row(struct rows *rows, const struct image *image, const char *repository,
		    const char *tag)
{
	struct row *row = array_push(rows->v, rows->n);

	row->image = image;
	row->repository = xstrdup(repository);
	row->tag = xstrdup(tag);
}

static void make_rows(const struct listing *l, struct rows *rows)
{
	for (size_t i = 0; i < l->images.n; i++) {
		const struct image *image = &l->images.v[i];
		auto_strvec struct strvec names = STRVEC_INIT;

		if (!l->shown[i])
			continue;
		names_shown(l, image, &names);
		for (size_t k = 0; k < names.n; k++) {
			auto_free char *name = xstrdup(names.v[k]);
			char *colon = strrchr(name, ':');

			if (colon)
				*colon = '\0';
			add_row(rows, image, name, colon ? colon + 1 : NONE);
		}
		if (image->names.n == 0 && image->digests.n) {
			auto_free char *repository = xstrdup(image->digests.v[0]);

			repository[strcspn(repository, "@")] = '\0';
			add_row(rows, image, repository, NONE);
		} else if (image->names.n == 0) {
			add_row(rows, image, NONE, NONE);
		}
	}
}

static int compare_rows(const void *a, const void *b, void *context)
{
	const struct row *x = a;
	const struct row *y = b;
	enum sort_key key = *(enum sort_key *)context;
	int d = 0;

	switch (key) {
	case SORT_ID:
		d = strcmp(x->image->id, y->image->id);
		break;
	case SORT_REPOSITORY:
		d = strcmp(x->repository, y->repository);
		break;
	case SORT_SIZE:
		d = x->image->size < y->image->size ? -1 : x->image->size > y->image->size;
		break;
	case SORT_TAG:
		d = strcmp(x->tag, y->tag);
		break;
	case SORT_CREATED:
	default:
		d = x->image->created_ns > y->image->created_ns ?
			    -1 :
			    x->image->created_ns < y->image->created_ns;
	}
	return d ? d : strcmp(x->tag, y->tag);
}

static char *id_text(const struct options *o, const char *id)
{
	return o->no_trunc ? xasprintf("sha256:%s", id) : xasprintf("%.*s", SHORT_ID_LEN, id);
}

static struct json_object *image_json(struct listing *l, size_t i)
{
	const struct image *image = &l->images.v[i];
	const struct image_config *config = &l->configs[i];
	struct json_object *o = json_object_new_object();
	auto_strvec struct strvec containers = STRVEC_INIT;
	auto_strvec struct strvec history = STRVEC_INIT;
	auto_strvec struct strvec names = STRVEC_INIT;
	auto_free char *parent = NULL;
	char at[CLOCK_TEXT_MAX];

	(void)image_containers(l->inv, image->id, &containers, NULL);
	(void)image_parent(&l->store, image, &parent, NULL);
	clock_format_utc(image->created_ns, -1, at);
	view_add(o, "Id", image->id);
	view_add(o, "ParentId", parent);
	json_object_object_add(o, "RepoTags",
			       image->names.n ? view_strings(image->names.v, image->names.n) :
						NULL);
	json_object_object_add(o, "RepoDigests", view_strings(image->digests.v, image->digests.n));
	json_object_object_add(o, "Size", json_object_new_uint64(image->size));
	json_object_object_add(o, "SharedSize", json_object_new_int64(0));
	json_object_object_add(o, "VirtualSize", json_object_new_uint64(image->size));
	json_object_object_add(o, "Labels",
			       config->config.labels.n ? view_map(&config->config.labels) : NULL);
	json_object_object_add(o, "Containers", json_object_new_int64((int64_t)containers.n));
	if (image->names.n == 0)
		json_object_object_add(o, "Dangling", json_object_new_boolean(true));
	json_object_object_add(o, "Arch", json_object_new_string(config->architecture));
	json_object_object_add(o, "Os", json_object_new_string(config->os));
	view_add(o, "Digest", image->manifest_digest);
	(void)image_names_history(&l->store, image->id, &history, NULL);
	json_object_object_add(o, "History", view_strings(history.v, history.n));
	json_object_object_add(o, "Created",
			       json_object_new_uint64(image->created_ns / NSEC_PER_SEC));
	view_add(o, "CreatedAt", at);
	names_shown(l, image, &names);
	json_object_object_add(o, "Names", view_strings(names.v, names.n));
	return o;
}

/* What templates see of one row: podman's methods for its tables, around the image's document. */
static struct json_object *row_json(struct listing *l, const struct row *row)
{
	const struct image *image = row->image;
	struct json_object *o = json_object_new_object();
	struct json_object *document = image_json(l, (size_t)(image - l->images.v));
	struct json_object *empty = json_object_new_object();
	auto_free char *id = id_text(l->options, image->id);
	auto_free char *since = human_ago(image->created_ns);
	auto_free char *at = human_time(image->created_ns, 0);
	auto_free char *size = human_size(image->size, 3, " ");
	auto_strvec struct strvec names = STRVEC_INIT;
	auto_free char *history = NULL;

	(void)image_names_history(&l->store, image->id, &names, NULL);
	history = strvec_join(&names, ", ");
	view_add(document, "repository", row->repository);
	view_add(document, "tag", row->tag);
	(void)json_object_object_del(document, "CreatedAt");
	view_add(o, "ID", id);
	view_add(o, "Repository", row->repository);
	view_add(o, "Tag", row->tag);
	view_add(o, "Created", since);
	view_add(o, "CreatedSince", since);
	view_add(o, "CreatedAt", at);
	view_add(o, "CreatedTime", at);
	view_add(o, "Size", size);
	view_add(o, "History", history);
	gotemplate_embed(o, "ImageSummary", document);
	view_add_bool(empty, "ReadOnly", image->read_only);
	view_add_bool(empty, "IsReadOnly", image->read_only);
	view_add_bool(empty, "Dangling", image->names.n == 0);
	view_add_bool(empty, "IsDangling", image->names.n == 0);
	json_object_object_add(empty, "IsManifestList", NULL);
	gotemplate_add_empty(o, empty);
	return o;
}

static void format_json(struct listing *l, struct strbuf *out)
{
	struct json_object *array = json_object_new_array();
	auto_free char *text = NULL;

	for (size_t i = 0; i < l->images.n; i++)
		if (l->shown[i])
			json_object_array_add(array, image_json(l, i));
	text = json_value_to_text(array, JSON_INDENT4);
	strbuf_addf(out, "%s\n", text);
	json_object_put(array);
}

static void format_ids(const struct listing *l, const struct rows *rows, struct strbuf *out)
{
	auto_strvec struct strvec seen = STRVEC_INIT;

	for (size_t i = 0; i < rows->n; i++) {
		auto_free char *id = id_text(l->options, rows->v[i].image->id);

		if (strvec_contains(&seen, id))
			continue;
		strvec_add(&seen, id);
		strbuf_addf(out, "%s\n", id);
	}
}

static int format_rows(struct listing *l, const struct rows *rows, struct strbuf *out,
		       struct err *err)
{
	const struct options *o = l->options;
	auto_free char *format =
		xasprintf("table {{.Repository}}\t{{.Tag}}%s\t{{.ID}}\t{{.Created}}\t{{.Size}}%s",
			  o->digests ? "\t{{.Digest}}" : "", o->history ? "\t{{.History}}" : "");
	struct gotemplate_list list = {
		.format = o->format ? o->format : format,
		.rows = json_object_new_array(),
		.headings = json_object_new_object(),
		.no_heading = o->no_heading,
	};
	int r;

	for (size_t i = 0; i < rows->n; i++)
		json_object_array_add(list.rows, row_json(l, &rows->v[i]));
	view_add(list.headings, "ID", "IMAGE ID");
	view_add(list.headings, "CreatedSince", "CREATED");
	r = gotemplate_format_list(&list, out, err);
	json_object_put(list.rows);
	json_object_put(list.headings);
	return r;
}

static int run(const struct cli_invocation *inv, struct err *err)
{
	const struct options *o = inv->options;
	auto_cleanup(listing_cleanup_val) struct listing l = { .inv = inv,
							       .options = o,
							       .store = STORE_INIT };
	auto_cleanup(rows_cleanup_val) struct rows rows = { 0 };
	auto_strbuf struct strbuf out = STRBUF_INIT;
	enum sort_key key = o->sort;
	int r;

	if (inv->n_args && o->all)
		return err_set(err, ERR_USAGE, "images: give --all or a name, not both");
	r = image_filter_check(&o->filters, err);
	if (r == 0)
		r = image_store_open(inv, &l.store, err);
	if (r == 0)
		r = choose(&l, err);
	if (r < 0)
		return r;
	make_rows(&l, &rows);
	if (rows.n)
		qsort_r(rows.v, rows.n, sizeof(*rows.v), compare_rows, &key);
	if (str_eq(o->format, "json"))
		format_json(&l, &out);
	else if (o->quiet)
		format_ids(&l, &rows, &out);
	else
		r = format_rows(&l, &rows, &out, err);
	return r < 0 ? r : cli_print(out.buf, err);
}

static const struct cli_choice sort_choices[] = {
	{ "created", SORT_CREATED }, { "id", SORT_ID },	  { "repository", SORT_REPOSITORY },
	{ "size", SORT_SIZE },	     { "tag", SORT_TAG }, { NULL, 0 },
};

#define T struct options
static const struct cli_option rows_[] = {
	OPT_FLAG(T, all, "all", 'a', "show intermediate images too"),
	OPT_FLAG(T, digests, "digests", 0, "show digests"),
	OPT_STRVEC(T, filters, "filter", 'f', "KEY=VALUE", "show those that this is true of"),
	OPT_STRING(T, format, "format", 0, "FORMAT", "json, or a Go template for each image"),
	OPT_FLAG(T, history, "history", 0, "show the names that the image has"),
	OPT_FLAG(T, no_heading, "noheading", 'n', "leave the headings out"),
	OPT_FLAG(T, no_trunc, "no-trunc", 0, "show whole ids"),
	OPT_FLAG(T, quiet, "quiet", 'q', "show ids only"),
	OPT_ENUM(T, sort, "sort", 0, "KEY", sort_choices, "what to sort by"),
};
#undef T

static const struct options defaults = { .sort = SORT_CREATED };

#define IMAGES_COMMAND(name_, alias_)                                                              \
	{                                                                                          \
		.name = name_, .alias = alias_, .arguments = "[IMAGE]", .summary = "list images",  \
		CLI_OPTIONS(struct options, rows_), .defaults = &defaults, .max_args = 1,          \
		.argument_source = FLOE_IMAGES, .run = run, .error_code = FLOE_EXIT_ERROR,         \
	}

const struct cli_command floe_images_command = IMAGES_COMMAND("images", NULL);
const struct cli_command floe_image_ls_command = IMAGES_COMMAND("ls", "list");
