/* SPDX-License-Identifier: Apache-2.0 */
/* image mount, image unmount, image diff */
#include <string.h>

#include "cli/floe/image_common.h"
#include "core/alloc.h"
#include "core/json_table.h"
#include "core/str.h"
#include "storage/rootfs.h"

/* An image that is mounted by itself is a root file system of this id. */
#define PREFIX "image-"

struct options {
	bool all;
	bool force;
	const char *format;
};

static int mount_image(struct store *store, const struct image *image, char **ret_path,
		       struct err *err)
{
	auto_free char *id = xasprintf(PREFIX "%s", image->id);
	struct rootfs_options options = { .top = image->top, .read_only = true };
	int r = rootfs_exists(store, id, err);

	if (r == 0)
		r = rootfs_create(store, id, &options, err);
	/* Somebody else may have made it meanwhile. */
	if (r == -EEXIST) {
		err_clear(err);
		r = 0;
	}
	return r < 0 ? r : rootfs_mount(store, id, ret_path, err);
}

static const char *display_name(const struct image *image)
{
	return image->names.n > 0 ? image->names.v[0] : image->id;
}

static int list_mounted(struct store *store, const char *format, struct strbuf *out,
			struct err *err)
{
	auto_strvec struct strvec ids = STRVEC_INIT;
	struct json_object *array = json_object_new_array();
	int r = rootfs_ids(store, PREFIX, &ids, err);

	for (size_t i = 0; r == 0 && i < ids.n; i++) {
		auto_image struct image image = { 0 };
		auto_free char *path = rootfs_path(store, ids.v[i]);
		struct json_object *o;
		int64_t count = 0;

		r = rootfs_mount_count(store, ids.v[i], &count, err);
		if (r < 0 || count == 0 ||
		    image_load(store, ids.v[i] + strlen(PREFIX), &image, NULL) < 0)
			continue;
		o = json_object_new_object();
		view_add(o, "id", image.id);
		json_object_object_add(o, "Repositories",
				       view_strings(image.names.v, image.names.n));
		view_add(o, "mountpoint", path);
		json_object_array_add(array, o);
		if (!format)
			strbuf_addf(out, "%s  %s\n", display_name(&image), path);
	}
	if (r == 0 && format) {
		auto_free char *text = json_value_to_text(array, JSON_INDENT4);

		strbuf_addf(out, "%s\n", text);
	}
	json_object_put(array);
	return r;
}

/* The images that the arguments or --all mean. */
static int chosen(const struct cli_invocation *inv, struct store *store, bool all,
		  struct images *ret, struct err *err)
{
	int r = 0;

	if (all)
		return images_list(store, ret, err);
	for (size_t i = 0; r == 0 && i < inv->n_args; i++)
		r = image_find(store, inv->args[i], array_push(ret->v, ret->n), NULL, err);
	return r;
}

static int run_mount(const struct cli_invocation *inv, struct err *err)
{
	const struct options *o = inv->options;
	auto_store struct store store = STORE_INIT;
	auto_images struct images images = { 0 };
	auto_strbuf struct strbuf out = STRBUF_INIT;
	int r = image_json_format_check(o->format, err);

	if (r == 0)
		r = image_store_open(inv, &store, err);
	if (r == 0 && inv->n_args == 0 && !o->all)
		r = list_mounted(&store, o->format, &out, err);
	else if (r == 0)
		r = chosen(inv, &store, o->all, &images, err);
	for (size_t i = 0; r == 0 && i < images.n; i++) {
		auto_free char *path = NULL;

		r = mount_image(&store, &images.v[i], &path, err);
		if (r < 0)
			break;
		if (inv->n_args == 1)
			strbuf_addf(&out, "%s\n", path);
		else
			strbuf_addf(&out, "%s  %s\n",
				    o->all ? display_name(&images.v[i]) : inv->args[i], path);
		image_event(inv, "mount", images.v[i].id, "");
	}
	return r < 0 ? r : cli_print(out.buf, err);
}

#define T struct options
static const struct cli_option mount_rows[] = {
	OPT_FLAG(T, all, "all", 'a', "mount all images"),
	OPT_STRING(T, format, "format", 0, "FORMAT", "json: list what is mounted in this form"),
};

const struct cli_command floe_image_mount_command = {
	.name = "mount",
	.arguments = "[IMAGE...]",
	.summary = "mount images read-only and print where",
	.description = "Without IMAGE those that are mounted are listed.",
	CLI_OPTIONS(T, mount_rows),
	.max_args = CLI_ARGS_ANY,
	.argument_source = FLOE_IMAGES,
	.run = run_mount,
	.error_code = FLOE_EXIT_ERROR,
};

static int run_unmount(const struct cli_invocation *inv, struct err *err)
{
	const struct options *o = inv->options;
	auto_store struct store store = STORE_INIT;
	auto_images struct images images = { 0 };
	auto_strbuf struct strbuf out = STRBUF_INIT;
	int r;

	if (inv->n_args == 0 && !o->all)
		return err_set(err, ERR_USAGE,
			       "image name or ID must be specified, or --all; see 'floe image "
			       "unmount --help'");
	r = image_store_open(inv, &store, err);
	if (r == 0)
		r = chosen(inv, &store, o->all, &images, err);
	for (size_t i = 0; r == 0 && i < images.n; i++) {
		auto_free char *id = xasprintf(PREFIX "%s", images.v[i].id);
		int64_t count = 0;

		r = rootfs_exists(&store, id, err);
		if (r > 0)
			r = rootfs_mount_count(&store, id, &count, err);
		if (r < 0)
			break;
		/* As it was wanted. */
		if (count == 0)
			continue;
		r = rootfs_unmount(&store, id, o->force, err);
		if (r == 0 && (count == 1 || o->force))
			r = rootfs_remove(&store, id, err);
		strbuf_addf(&out, "%s\n", images.v[i].id);
		image_event(inv, "unmount", images.v[i].id, "");
	}
	return r < 0 ? r : cli_print(out.buf, err);
}

static const struct cli_option unmount_rows[] = {
	OPT_FLAG(T, all, "all", 'a', "unmount all images"),
	OPT_FLAG(T, force, "force", 'f', "unmount however often it is mounted"),
};

const struct cli_command floe_image_unmount_command = {
	.name = "unmount",
	.alias = "umount",
	.arguments = "[IMAGE...]",
	.summary = "undo image mount",
	CLI_OPTIONS(T, unmount_rows),
	.max_args = CLI_ARGS_ANY,
	.argument_source = FLOE_IMAGES,
	.run = run_unmount,
	.error_code = FLOE_EXIT_ERROR,
};

/* --- diff --- */

static void changes_json(const struct rootfs_changes *changes, struct strbuf *out)
{
	static const char *const keys[] = { "changed", "added", "deleted" };
	struct json_object *o = json_object_new_object();
	struct json_object *lists[3] = { NULL };
	auto_free char *text = NULL;

	for (size_t i = 0; i < changes->n; i++) {
		enum rootfs_change_kind kind = changes->v[i].kind;

		if (!lists[kind])
			lists[kind] = json_object_new_array();
		json_object_array_add(lists[kind], json_object_new_string(changes->v[i].path));
	}
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (lists[i])
			json_object_object_add(o, keys[i], lists[i]);
	text = json_value_to_text(o, JSON_INDENT4);
	strbuf_addf(out, "%s\n", text);
	json_object_put(o);
}

int image_changes_print(const struct rootfs_changes *changes, bool json, struct err *err)
{
	auto_strbuf struct strbuf out = STRBUF_INIT;

	if (json)
		changes_json(changes, &out);
	for (size_t i = 0; !json && i < changes->n; i++)
		strbuf_addf(&out, "%c %s\n", rootfs_change_letter(changes->v[i].kind),
			    changes->v[i].path);
	return cli_print(out.buf, err);
}

static int run_diff(const struct cli_invocation *inv, struct err *err)
{
	const struct options *o = inv->options;
	auto_store struct store store = STORE_INIT;
	auto_image struct image image = { 0 };
	auto_image struct image other = { 0 };
	auto_rootfs_changes struct rootfs_changes changes = { 0 };
	int r = image_json_format_check(o->format, err);

	if (r == 0)
		r = image_store_open(inv, &store, err);
	if (r == 0)
		r = image_find(&store, inv->args[0], &image, NULL, err);
	if (r == 0 && inv->n_args > 1)
		r = image_find(&store, inv->args[1], &other, NULL, err);
	if (r == 0 && inv->n_args > 1)
		r = trees_diff(&store, &(struct diff_side){ .chain_id = image.top },
			       &(struct diff_side){ .chain_id = other.top }, &changes, err);
	else if (r == 0 && image.top)
		r = layer_diff(&store, image.top, &changes, err);
	return r < 0 ? r : image_changes_print(&changes, o->format != NULL, err);
}

static const struct cli_option diff_rows[] = {
	OPT_STRING(T, format, "format", 0, "FORMAT", "json"),
};

const struct cli_command floe_image_diff_command = {
	.name = "diff",
	.arguments = "IMAGE [IMAGE]",
	.summary = "show what the last layer of an image changed, or how it differs from another",
	.description = "A added, C changed, D deleted.",
	CLI_OPTIONS(T, diff_rows),
	.min_args = 1,
	.max_args = 2,
	.argument_source = FLOE_IMAGES,
	.run = run_diff,
	.error_code = FLOE_EXIT_ERROR,
};
#undef T
