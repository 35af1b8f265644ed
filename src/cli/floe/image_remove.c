/* SPDX-License-Identifier: Apache-2.0 */
/* rmi, image rm, image prune */
#include "cli/floe/image_remove.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/floe/confirm.h"
#include "cli/floe/image_filter.h"
#include "cli/floe/report.h"
#include "core/alloc.h"
#include "core/proc.h"
#include "core/log.h"
#include "core/str.h"
#include "storage/rootfs.h"

struct options {
	bool all;
	bool force;
	bool ignore;
	bool no_prune;
};

/* "image-ID": an image that is mounted by itself. */
static int is_mounted(struct store *store, const char *id, struct err *err)
{
	auto_free char *mount = xasprintf("image-%s", id);
	int64_t count = 0;
	int r = rootfs_exists(store, mount, err);

	if (r <= 0)
		return r;
	r = rootfs_mount_count(store, mount, &count, err);
	return r < 0 ? r : count > 0;
}

/* By a floe of its own for each: it knows how to take a container apart. */
static int remove_containers(const struct cli_invocation *inv, const struct strvec *ids,
			     struct err *err)
{
	const struct floe_context *context = inv->context;
	auto_strvec struct strvec argv = STRVEC_INIT;
	struct proc_spawn_opts spawn = { .stdio = { -1, -1, STDERR_FILENO } };
	auto_proc struct proc proc = PROC_INIT;
	int status;
	int r;

	if (ids->n == 0)
		return 0;
	strvec_add(&argv, floe_engine(inv)->self);
	strvec_add_all(&argv, context->global_args.v, context->global_args.n);
	strvec_add(&argv, "rm");
	strvec_add(&argv, "--force");
	strvec_add_all(&argv, ids->v, ids->n);
	spawn.argv = argv.v;
	r = proc_spawn(&proc, &spawn);
	if (r == 0)
		r = proc_wait(&proc, -1, &status);
	if (r < 0)
		return err_sys(err, r, "remove containers: execute '%s'", argv.v[0]);
	return status == 0 ? 0 : err_set(err, ERR_REMOTE, "remove containers: floe rm failed");
}

static int check_use(const struct cli_invocation *inv, struct store *store,
		     const struct image *image, bool force, struct err *err)
{
	auto_strvec struct strvec users = STRVEC_INIT;
	int r = image_containers(inv, image->id, &users, err);

	if (r == 0 && users.n && !force)
		return err_set(
			err, ERR_STATE,
			"image used by %s: image is in use by a container: consider removing "
			"the container, or use --force",
			users.v[0]);
	if (r == 0)
		r = remove_containers(inv, &users, err);
	if (r == 0 && !force) {
		r = is_mounted(store, image->id, err);
		if (r > 0)
			return err_set(
				err, ERR_STATE,
				"image '%.12s' is mounted: run 'floe image unmount %.12s' first, "
				"or use --force",
				image->id, image->id);
	}
	return r;
}

/* The image with all its names; what was done is appended as lines. Garbage stays until
 * store_collect(). ERR_STATE when it is used, and force was not given. */
static int remove_image(const struct cli_invocation *inv, struct store *store,
			const struct image *image, bool force, struct strbuf *out, struct err *err)
{
	auto_free char *mount = xasprintf("image-%s", image->id);
	int r = check_use(inv, store, image, force, err);

	if (r == 0)
		r = rootfs_remove(store, mount, err);
	if (r == 0)
		r = image_delete(store, image->id, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < image->names.n; i++) {
		strbuf_addf(out, "Untagged: %s\n", image->names.v[i]);
		image_event(inv, "untag", image->id, image->names.v[i]);
	}
	strbuf_addf(out, "Deleted: %s\n", image->id);
	image_event(inv, "remove", image->id, image->names.n ? image->names.v[0] : "");
	return 0;
}

static int more_than_one_tag(const struct image *image, struct err *err)
{
	auto_free char *names = strvec_join(&image->names, " ");

	return err_set(err, ERR_INVALID,
		       "unable to delete image \"%s\" by ID with more than one tag ([%s]): please "
		       "force removal",
		       image->id, names);
}

/* An image whose configuration is gone can be removed; its parents stay. */
static void find_parent(struct store *store, const struct image *image, char **ret_id)
{
	struct err err = ERR_INIT;

	if (image_parent(store, image, ret_id, &err) < 0)
		log_warning("Failed to determine parent of image: %s, ignoring the error", err.msg);
}

/* Steps that were kept for this image alone, and have no name: they go with it. */
static int remove_parents(const struct cli_invocation *inv, struct store *store, char *parent_id,
			  struct strbuf *out, struct err *err)
{
	auto_free char *id = parent_id;

	while (id) {
		auto_image struct image image = { 0 };
		auto_strvec struct strvec users = STRVEC_INIT;
		auto_free char *next = NULL;
		int r = image_load(store, id, &image, err);

		if (r == 0)
			r = image_containers(inv, image.id, &users, err);
		if (r == 0)
			r = image_has_children(store, &image, err);
		if (r != 0 || image.names.n || users.n)
			return MIN(r, 0);
		find_parent(store, &image, &next);
		r = remove_image(inv, store, &image, false, out, err);
		if (r < 0)
			return r;
		replace_ptr(id, take_ptr(next));
	}
	return 0;
}

/* Named by one of several names: that goes. Otherwise the image goes. */
static int remove_one(const struct cli_invocation *inv, struct store *store, const char *what,
		      struct strbuf *out, struct err *err)
{
	const struct options *o = inv->options;
	auto_image struct image image = { 0 };
	auto_free char *name = NULL;
	auto_free char *parent = NULL;
	int r = image_find(store, what, &image, &name, err);

	if (r < 0)
		return r;
	if (name && image.names.n > 1 && strvec_contains(&image.names, name)) {
		r = image_untag(store, image.id, name, err);
		if (r == 0) {
			strbuf_addf(out, "Untagged: %s\n", name);
			image_event(inv, "untag", image.id, name);
		}
		return r;
	}
	if (!name && image.names.n > 1 && !o->force)
		return more_than_one_tag(&image, err);
	if (!o->no_prune)
		find_parent(store, &image, &parent);
	r = remove_image(inv, store, &image, o->force, out, err);
	return r < 0 ? r : remove_parents(inv, store, take_ptr(parent), out, err);
}

/* Tell of one that stays. As podman: 1 when it is not there, 2 when it is in use. */
static void note_failure(const struct err *err, int *code)
{
	report_error(err);
	*code = err->kind == ERR_NOT_FOUND ? MAX(*code, 1) :
		err->kind == ERR_STATE	   ? MAX(*code, 2) :
					     FLOE_EXIT_ERROR;
}

/* Those that fail are told of, the others go. */
static int remove_all(const struct cli_invocation *inv, struct store *store, struct strbuf *out,
		      int *code, struct err *err)
{
	const struct options *o = inv->options;
	auto_images struct images images = { 0 };
	int r = images_list(store, &images, err);

	for (size_t i = 0; r == 0 && i < images.n; i++) {
		struct err one = ERR_INIT;

		if (remove_image(inv, store, &images.v[i], o->force, out, &one) < 0)
			note_failure(&one, code);
	}
	return r;
}

static int run(const struct cli_invocation *inv, struct err *err)
{
	const struct options *o = inv->options;
	auto_store struct store store = STORE_INIT;
	auto_strbuf struct strbuf out = STRBUF_INIT;
	int code = 0;
	int r;

	if (!o->all && inv->n_args == 0)
		return err_set(err, ERR_USAGE, "rmi: name an image, or give --all");
	if (o->all && inv->n_args)
		return err_set(err, ERR_USAGE, "rmi: give --all or names, not both");
	r = image_store_open(inv, &store, err);
	if (r == 0 && o->all)
		r = remove_all(inv, &store, &out, &code, err);
	for (size_t i = 0; r == 0 && i < inv->n_args; i++) {
		struct err one = ERR_INIT;

		if (remove_one(inv, &store, inv->args[i], &out, &one) == 0)
			continue;
		if (one.kind == ERR_NOT_FOUND && (o->ignore || o->force))
			continue;
		note_failure(&one, &code);
	}
	if (r == 0)
		r = store_collect(&store, NULL, err);
	if (r == 0)
		r = cli_print(out.buf, err);
	return r < 0 ? r : code;
}

#define T struct options
static const struct cli_option rows[] = {
	OPT_FLAG(T, all, "all", 'a', "remove every image"),
	OPT_FLAG(T, force, "force", 'f', "remove containers that use it, and all of its names"),
	OPT_FLAG(T, ignore, "ignore", 'i', "no error for those that are not here"),
	OPT_FLAG(T, no_prune, "no-prune", 0, "keep parents that have no name"),
};
#undef T

#define RMI_COMMAND(name_, alias_)                                                                 \
	{                                                                                          \
		.name = name_, .alias = alias_, .arguments = "IMAGE...",                           \
		.summary = "remove images",                                                        \
		.description = "An image with several names loses the one that is given.",         \
		CLI_OPTIONS(struct options, rows), .max_args = CLI_ARGS_ANY,                       \
		.argument_source = FLOE_IMAGES, .run = run, .error_code = FLOE_EXIT_ERROR,         \
	}
const struct cli_command floe_rmi_command = RMI_COMMAND("rmi", NULL);
const struct cli_command floe_image_rm_command = RMI_COMMAND("rm", "remove");

/* --- prune --- */

struct prune_options {
	bool build_cache;
	bool external;
	bool all;
	bool force;
	struct strvec filters;
};

int image_prune(const struct cli_invocation *inv, struct store *store, bool all,
		const struct strvec *filters, struct strbuf *out, struct err *err)
{
	struct image_filter_context context = { inv, store };
	auto_images struct images images = { 0 };
	int r = images_list(store, &images, err);

	for (size_t i = 0; r >= 0 && i < images.n; i++) {
		auto_image_config struct image_config config = { 0 };
		auto_strvec struct strvec users = STRVEC_INIT;
		auto_strbuf struct strbuf dropped = STRBUF_INIT;
		const struct image *image = &images.v[i];

		if (image->names.n && !all)
			continue;
		r = image_containers(inv, image->id, &users, err);
		if (r < 0 || users.n)
			continue;
		/* One whose configuration is gone has no labels. */
		(void)image_config_load(store, image->id, &config, NULL);
		r = image_filter_matches(&context, filters, image, &config, err);
		if (r <= 0)
			continue;
		/* What others stand on is no waste as long as these are here. */
		if (!all && image_has_children(store, image, NULL) > 0)
			continue;
		if (remove_image(inv, store, image, false, &dropped, NULL) == 0)
			strbuf_addf(out, "%s\n", image->id);
	}
	return MIN(r, 0);
}

static int run_prune(const struct cli_invocation *inv, struct err *err)
{
	const struct prune_options *o = inv->options;
	auto_store struct store store = STORE_INIT;
	auto_strbuf struct strbuf out = STRBUF_INIT;
	int r = image_filter_check(&o->filters, err);

	if (r == 0)
		r = image_store_open(inv, &store, err);
	if (r == 0)
		r = o->force ?
			    1 :
			    confirm(o->all ? "WARNING! This command removes all images without "
					     "at least one container associated with them." :
					     "WARNING! This command removes all dangling images.",
				    err);
	if (r <= 0)
		return r;
	r = image_prune(inv, &store, o->all, &o->filters, &out, err);
	if (r == 0)
		r = store_collect(&store, NULL, err);
	return r < 0 ? r : cli_print(out.buf, err);
}

#define T struct prune_options
static const struct cli_option prune_rows[] = {
	OPT_FLAG(T, all, "all", 'a', "remove all images that no container uses, named or not"),
	OPT_FLAG(T, force, "force", 'f', "do not ask"),
	OPT_FLAG(T, build_cache, "build-cache", 0, "what builds have kept; floe does not build"),
	OPT_FLAG(T, external, "external", 0,
		 "also what containers of other programs use; there are none here"),
	OPT_STRVEC(T, filters, "filter", 0, "KEY=VALUE", "remove those that this is true of"),
};
#undef T

const struct cli_command floe_image_prune_command = {
	.name = "prune",
	.summary = "remove images that nobody uses",
	CLI_OPTIONS(struct prune_options, prune_rows),
	.run = run_prune,
	.error_code = FLOE_EXIT_ERROR,
};
