/* SPDX-License-Identifier: Apache-2.0 */
/* Which images were made from which: by the layers that one has below those of another. */
#include <string.h>

#include "core/alloc.h"
#include "core/str.h"
#include "image/image.h"

/* Whether the history of a begins with that of b. */
static bool history_begins_with(const struct image_config *a, const struct image_config *b)
{
	if (b->n_history > a->n_history)
		return false;
	for (size_t i = 0; i < b->n_history; i++)
		if (!str_eq(a->history[i].created_by, b->history[i].created_by) ||
		    !str_eq(a->history[i].created, b->history[i].created))
			return false;
	return true;
}

static bool layers_begin_with(const struct image_config *a, const struct image_config *b)
{
	if (b->rootfs.n_diff_ids > a->rootfs.n_diff_ids)
		return false;
	for (size_t i = 0; i < b->rootfs.n_diff_ids; i++)
		if (!str_eq(a->rootfs.diff_ids[i], b->rootfs.diff_ids[i]))
			return false;
	return true;
}

/* Whether child was made from parent: more of the same. */
static bool is_made_from(const struct image_config *child, const struct image_config *parent)
{
	return layers_begin_with(child, parent) && history_begins_with(child, parent) &&
	       child->n_history > parent->n_history;
}

int image_parent(struct store *store, const struct image *image, char **ret_id, struct err *err)
{
	auto_images struct images images = { 0 };
	auto_image_config struct image_config own = { 0 };
	size_t best = 0;
	int r = images_list(store, &images, err);

	*ret_id = NULL;
	if (r == 0)
		r = image_config_load(store, image->id, &own, err);
	for (size_t i = 0; r == 0 && i < images.n; i++) {
		auto_image_config struct image_config other = { 0 };

		if (str_eq(images.v[i].id, image->id) || !images.v[i].top)
			continue;
		/* What cannot be read any more is nobody's parent. */
		if (image_config_load(store, images.v[i].id, &other, NULL) < 0)
			continue;
		if (is_made_from(&own, &other) && other.n_history > best) {
			best = other.n_history;
			replace_ptr(*ret_id, xstrdup(images.v[i].id));
		}
	}
	return r;
}

int image_has_children(struct store *store, const struct image *image, struct err *err)
{
	auto_images struct images images = { 0 };
	auto_image_config struct image_config own = { 0 };
	int r = images_list(store, &images, err);

	if (r == 0)
		r = image_config_load(store, image->id, &own, err);
	for (size_t i = 0; r == 0 && i < images.n; i++) {
		auto_image_config struct image_config other = { 0 };

		if (str_eq(images.v[i].id, image->id) || !image->top)
			continue;
		if (image_config_load(store, images.v[i].id, &other, NULL) == 0 &&
		    is_made_from(&other, &own))
			r = 1;
	}
	return r;
}
