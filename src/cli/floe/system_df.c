/* SPDX-License-Identifier: Apache-2.0 */
/* system df: what takes how much of the disk. */
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "cli/floe/commands.h"
#include "cli/floe/system.h"
#include "cli/floe/view.h"
#include "cli/gotemplate.h"
#include "cli/human.h"
#include "core/alloc.h"
#include "core/str.h"
#include "engine/disk_usage.h"

struct options {
	const char *format;
	bool verbose;
};

/* --- the summary ------------------------------------------------------------------------------------ */

struct sum {
	const char *type;
	size_t total;
	size_t active;
	uint64_t size;
	uint64_t reclaimable;
};

static struct sum sum_images(const struct disk_usage *u)
{
	struct sum s = { .type = "Images", .total = u->images.n, .size = u->layers };

	for (size_t i = 0; i < u->images.n; i++) {
		s.active += u->image[i].containers > 0;
		if (u->image[i].containers == 0)
			s.reclaimable += u->image[i].unique;
	}
	return s;
}

static struct sum sum_containers(const struct disk_usage *u)
{
	struct sum s = { .type = "Containers", .total = u->n_containers };

	for (size_t i = 0; i < u->n_containers; i++) {
		const struct usage_container *c = &u->containers[i];
		bool alive = container_is_alive(&c->container);

		s.active += alive;
		s.size += c->written;
		s.reclaimable += alive ? 0 : c->written;
	}
	return s;
}

static struct sum sum_volumes(const struct disk_usage *u)
{
	struct sum s = { .type = "Local Volumes", .total = u->volumes.n };

	for (size_t i = 0; i < u->volumes.n; i++) {
		s.active += u->volume[i].containers > 0;
		s.size += u->volume[i].size;
		s.reclaimable += u->volume[i].containers > 0 ? 0 : u->volume[i].size;
	}
	return s;
}

static struct json_object *sum_row(const struct sum *s)
{
	struct json_object *o = json_object_new_object();
	auto_free char *size = human_size(s->size, 4, "");
	auto_free char *reclaimable = human_size(s->reclaimable, 4, "");
	unsigned int percent =
		s->size > 0 ?
			(unsigned int)(100.0 * (double)s->reclaimable / (double)s->size + 0.5) :
			0;
	auto_free char *text = xasprintf("%s (%u%%)", reclaimable, percent);

	view_add(o, "Type", s->type);
	view_add_i64(o, "Total", (int64_t)s->total);
	view_add_i64(o, "Active", (int64_t)s->active);
	view_add_i64(o, "RawSize", (int64_t)s->size);
	view_add_i64(o, "RawReclaimable", (int64_t)s->reclaimable);
	view_add_i64(o, "TotalCount", (int64_t)s->total);
	view_add(o, "Size", size);
	view_add(o, "Reclaimable", text);
	return o;
}

static int print_summary(const struct disk_usage *u, const char *format, struct strbuf *out,
			 struct err *err)
{
	const struct sum sums[] = { sum_images(u), sum_containers(u), sum_volumes(u) };
	struct gotemplate_list list = {
		.format = format ? format :
				   "table {{.Type}}\t{{.Total}}\t{{.Active}}\t{{.Size}}\t"
				   "{{.Reclaimable}}",
		.rows = json_object_new_array(),
	};
	int r;

	for (size_t i = 0; i < ARRAY_SIZE(sums); i++)
		json_object_array_add(list.rows, sum_row(&sums[i]));
	r = gotemplate_format_list(&list, out, err);
	json_object_put(list.rows);
	return r;
}

/* --- one by one ------------------------------------------------------------------------------------- */

static void add_size(struct json_object *o, const char *key, uint64_t bytes)
{
	auto_free char *text = human_size(bytes, 4, "");

	view_add(o, key, text);
}

/* "REPOSITORY:TAG" of its first name. */
static void add_name(struct json_object *o, const struct image *image)
{
	const char *name = image->names.n > 0 ? image->names.v[0] : "<none>:<none>";
	const char *colon = strrchr(name, ':');
	auto_free char *repository = xstrndup(name, (size_t)(colon ? colon - name : 0));

	view_add(o, "Repository", colon ? repository : name);
	view_add(o, "Tag", colon ? colon + 1 : "<none>");
}

static struct json_object *image_rows(const struct disk_usage *u)
{
	struct json_object *rows = json_object_new_array();

	for (size_t i = 0; i < u->images.n; i++) {
		const struct image *image = &u->images.v[i];
		struct json_object *o = json_object_new_object();
		auto_free char *id = xasprintf("%.12s", image->id);
		auto_free char *created = human_since(image->created_ns);

		add_name(o, image);
		view_add(o, "ImageID", id);
		view_add(o, "Created", created);
		add_size(o, "Size", u->image[i].shared + u->image[i].unique);
		add_size(o, "SharedSize", u->image[i].shared);
		add_size(o, "UniqueSize", u->image[i].unique);
		view_add_i64(o, "Containers", (int64_t)u->image[i].containers);
		json_object_array_add(rows, o);
	}
	return rows;
}

static struct json_object *container_rows(const struct disk_usage *u)
{
	struct json_object *rows = json_object_new_array();

	for (size_t i = 0; i < u->n_containers; i++) {
		const struct container_config *c = &u->containers[i].container.config;
		struct json_object *o = json_object_new_object();
		auto_free char *id = xasprintf("%.12s", c->id);
		auto_free char *image = xasprintf("%.12s", c->image_id ? c->image_id : "");
		auto_free char *created = human_since((uint64_t)c->created_ns);
		auto_strbuf struct strbuf command = STRBUF_INIT;

		for (size_t k = 0; k < c->n_entrypoint; k++)
			strbuf_addf(&command, "%s%s", command.len ? " " : "", c->entrypoint[k]);
		for (size_t k = 0; k < c->n_command; k++)
			strbuf_addf(&command, "%s%s", command.len ? " " : "", c->command[k]);
		view_add(o, "ContainerID", id);
		view_add(o, "Image", image);
		view_add(o, "Command", command.buf);
		view_add_i64(o, "LocalVolumes", (int64_t)u->containers[i].volumes);
		add_size(o, "Size", u->containers[i].written);
		view_add(o, "Created", created);
		view_add(o, "Status",
			 container_phase_to_string(u->containers[i].container.status.phase));
		view_add(o, "Names", c->name);
		json_object_array_add(rows, o);
	}
	return rows;
}

static struct json_object *volume_rows(const struct disk_usage *u)
{
	struct json_object *rows = json_object_new_array();

	for (size_t i = 0; i < u->volumes.n; i++) {
		struct json_object *o = json_object_new_object();

		view_add(o, "VolumeName", u->volumes.v[i].name);
		view_add_i64(o, "Links", (int64_t)u->volume[i].containers);
		add_size(o, "Size", u->volume[i].size);
		json_object_array_add(rows, o);
	}
	return rows;
}

static int print_all(const struct disk_usage *u, struct strbuf *out, struct err *err)
{
	const struct {
		const char *title;
		const char *format;
		struct json_object *rows;
	} tables[] = {
		{ "Images space usage:",
		  "table {{.Repository}}\t{{.Tag}}\t{{.ImageID}}\t{{.Created}}\t{{.Size}}\t"
		  "{{.SharedSize}}\t{{.UniqueSize}}\t{{.Containers}}",
		  image_rows(u) },
		{ "Containers space usage:",
		  "table {{.ContainerID}}\t{{.Image}}\t{{.Command}}\t{{.LocalVolumes}}\t{{.Size}}\t"
		  "{{.Created}}\t{{.Status}}\t{{.Names}}",
		  container_rows(u) },
		{ "Local Volumes space usage:", "table {{.VolumeName}}\t{{.Links}}\t{{.Size}}",
		  volume_rows(u) },
	};
	struct json_object *headings = json_object_new_object();
	int r = 0;

	view_add(headings, "ImageID", "IMAGE ID");
	view_add(headings, "ContainerID", "CONTAINER ID");
	for (size_t i = 0; i < ARRAY_SIZE(tables); i++) {
		struct gotemplate_list list = { .format = tables[i].format,
						.rows = tables[i].rows,
						.headings = headings };

		strbuf_addf(out, "%s%s\n\n", i > 0 ? "\n" : "", tables[i].title);
		if (r == 0)
			r = gotemplate_format_list(&list, out, err);
		json_object_put(tables[i].rows);
	}
	json_object_put(headings);
	return r;
}

static int run(const struct cli_invocation *inv, struct err *err)
{
	const struct options *o = inv->options;
	auto_disk_usage struct disk_usage usage = { 0 };
	auto_strbuf struct strbuf out = STRBUF_INIT;
	int r;

	if (o->verbose && o->format)
		return err_set(err, ERR_USAGE, "cannot combine --format and --verbose flags");
	r = disk_usage_load(&usage, floe_engine(inv), err);
	if (r == 0 && o->verbose)
		r = print_all(&usage, &out, err);
	else if (r == 0)
		r = print_summary(&usage, o->format, &out, err);
	return r < 0 ? r : cli_print(out.buf, err);
}

static const struct cli_option rows[] = {
	OPT_STRING(struct options, format, "format", 0, "json|TEMPLATE", "form of the output"),
	OPT_FLAG(struct options, verbose, "verbose", 'v', "each image, container and volume"),
};

const struct cli_command floe_system_df_command = {
	.name = "df",
	.summary = "show what images, containers and volumes take of the disk",
	CLI_OPTIONS(struct options, rows),
	.min_args = 0,
	.max_args = 0,
	.run = run,
	.error_code = FLOE_EXIT_ERROR,
};
