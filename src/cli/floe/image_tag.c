/* SPDX-License-Identifier: Apache-2.0 */
/* tag, untag, image exists */
#include <string.h>

#include "cli/floe/image_common.h"
#include "core/alloc.h"
#include "core/str.h"
#include "image/reference.h"

static int run_tag(const struct cli_invocation *inv, struct err *err)
{
	auto_store struct store store = STORE_INIT;
	auto_image struct image image = { 0 };
	auto_strvec struct strvec names = STRVEC_INIT;
	int r = 0;

	/* All or none: a wrong name must not leave half of them. */
	for (size_t i = 1; r == 0 && i < inv->n_args; i++) {
		char *name;

		r = reference_normalize_local(inv->args[i], &name, err);
		if (r == 0)
			strvec_add_take(&names, name);
	}
	if (r == 0)
		r = image_store_open(inv, &store, err);
	if (r == 0)
		r = image_find(&store, inv->args[0], &image, NULL, err);
	for (size_t i = 0; r == 0 && i < names.n; i++) {
		r = image_tag(&store, image.id, names.v[i], err);
		if (r == 0)
			image_event(inv, "tag", image.id, names.v[i]);
	}
	return r;
}

const struct cli_command floe_tag_command = {
	.name = "tag",
	.arguments = "IMAGE NAME...",
	.summary = "give an image more names",
	.min_args = 2,
	.max_args = CLI_ARGS_ANY,
	.argument_source = FLOE_IMAGES,
	.run = run_tag,
	.error_code = FLOE_EXIT_ERROR,
};

/* The image's own name that the user means. */
static int own_name(const struct image *image, const char *what, char **ret, struct err *err)
{
	auto_reference struct reference ref = { 0 };
	auto_free char *text = NULL;
	int r = reference_parse(&ref, what, err);

	if (r < 0)
		return r;
	reference_tag_latest(&ref);
	text = reference_format(&ref);
	for (size_t i = 0; i < image->names.n; i++) {
		const char *name = image->names.v[i];
		size_t n = strlen(name);
		size_t m = strlen(text);

		if (str_eq(name, text) || (!ref.domain && n > m && name[n - m - 1] == '/' &&
					   str_eq(name + n - m, text))) {
			*ret = xstrdup(name);
			return 0;
		}
	}
	return err_set(err, ERR_NOT_FOUND, "%s: tag not known", what);
}

static int run_untag(const struct cli_invocation *inv, struct err *err)
{
	auto_store struct store store = STORE_INIT;
	auto_image struct image image = { 0 };
	auto_strvec struct strvec names = STRVEC_INIT;
	int r = image_store_open(inv, &store, err);

	if (r == 0)
		r = image_find(&store, inv->args[0], &image, NULL, err);
	if (r == 0 && inv->n_args == 1)
		strvec_add_all(&names, image.names.v, image.names.n);
	for (size_t i = 1; r == 0 && i < inv->n_args; i++) {
		char *name;

		r = own_name(&image, inv->args[i], &name, err);
		if (r == 0)
			strvec_add_take(&names, name);
	}
	for (size_t i = 0; r == 0 && i < names.n; i++) {
		r = image_untag(&store, image.id, names.v[i], err);
		if (r == 0)
			image_event(inv, "untag", image.id, names.v[i]);
	}
	return r;
}

const struct cli_command floe_untag_command = {
	.name = "untag",
	.arguments = "IMAGE [NAME...]",
	.summary = "take names away from an image",
	.description = "Without NAME all of them. The image stays.",
	.min_args = 1,
	.max_args = CLI_ARGS_ANY,
	.argument_source = FLOE_IMAGES,
	.run = run_untag,
	.error_code = FLOE_EXIT_ERROR,
};

/* 0: there is one, 1: there is none. */
static int run_exists(const struct cli_invocation *inv, struct err *err)
{
	auto_store struct store store = STORE_INIT;
	auto_image struct image image = { 0 };
	int r = image_store_open(inv, &store, err);

	if (r < 0)
		return r;
	r = image_find(&store, inv->args[0], &image, NULL, err);
	if (r < 0 && err->kind == ERR_NOT_FOUND) {
		err_clear(err);
		return 1;
	}
	return r;
}

const struct cli_command floe_image_exists_command = {
	.name = "exists",
	.arguments = "IMAGE",
	.summary = "tell by the exit code whether an image is here",
	.min_args = 1,
	.max_args = 1,
	.argument_source = FLOE_IMAGES,
	.run = run_exists,
	.error_code = FLOE_EXIT_ERROR,
};
