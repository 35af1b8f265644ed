/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/floe/image_filter.h"

#include <fnmatch.h>
#include <string.h>

#include "core/alloc.h"
#include "core/parse.h"
#include "core/str.h"
#include "engine/filter.h"
#include "image/reference.h"

struct candidate {
	const struct image_filter_context *c;
	const struct image *image;
	const struct image_config *config;
	const char *value;
	struct err *err;
};

static int wrong_value(const struct candidate *c, const char *key)
{
	return err_set(c->err, ERR_INVALID, "filter '%s=%s': the value is wrong", key, c->value);
}

static int by_label(const struct candidate *c)
{
	const char *equals = strchr(c->value, '=');
	auto_free char *key = equals ? xstrndup(c->value, (size_t)(equals - c->value)) :
				       xstrdup(c->value);
	const char *have = json_string_map_get(&c->config->config.labels, key);

	return have && (!equals || str_eq(have, equals + 1));
}

static int by_not_label(const struct candidate *c)
{
	return !by_label(c);
}

static int by_dangling(const struct candidate *c)
{
	bool wanted;

	if (parse_bool(c->value, &wanted) < 0)
		return wrong_value(c, "dangling");
	return (c->image->names.n == 0) == wanted;
}

static int by_readonly(const struct candidate *c)
{
	bool wanted;

	if (parse_bool(c->value, &wanted) < 0)
		return wrong_value(c, "readonly");
	return c->image->read_only == wanted;
}

/* podman's lists of images for several platforms, of which there are none here. */
static int by_manifest(const struct candidate *c)
{
	bool wanted;

	if (parse_bool(c->value, &wanted) < 0)
		return wrong_value(c, "manifest");
	return !wanted;
}

static int by_id(const struct candidate *c)
{
	const char *hex = str_skip_prefix(c->value, "sha256:");

	return str_has_prefix(c->image->id, hex ? hex : c->value);
}

static int by_digest(const struct candidate *c)
{
	if (str_has_prefix(c->image->manifest_digest, c->value))
		return 1;
	for (size_t i = 0; i < c->image->digests.n; i++) {
		const char *at = strchr(c->image->digests.v[i], '@');

		if (at && str_has_prefix(at + 1, c->value))
			return 1;
	}
	return 0;
}

static bool name_matches(const char *pattern, const char *name)
{
	auto_free char *repository = xstrndup(
		name, strrchr(name, ':') ? (size_t)(strrchr(name, ':') - name) : strlen(name));
	const char *base = strrchr(repository, '/');
	const char *full_base = strrchr(name, '/');

	/* With and without the tag, and by the last part alone. */
	return fnmatch(pattern, name, 0) == 0 || fnmatch(pattern, repository, 0) == 0 ||
	       (base && fnmatch(pattern, base + 1, 0) == 0) ||
	       (full_base && fnmatch(pattern, full_base + 1, 0) == 0);
}

static int by_reference(const struct candidate *c)
{
	auto_image struct image found = { 0 };

	for (size_t i = 0; i < c->image->names.n; i++) {
		const char *name = c->image->names.v[i];
		const char *rest = strchr(name, '/');

		if (name_matches(c->value, name) || (rest && name_matches(c->value, rest + 1)))
			return 1;
	}
	if (strpbrk(c->value, "*?["))
		return 0;
	return image_find(c->c->store, c->value, &found, NULL, NULL) == 0 &&
	       str_eq(found.id, c->image->id);
}

static int compare_created(const struct candidate *c, bool before)
{
	auto_image struct image other = { 0 };
	int r = image_find(c->c->store, c->value, &other, NULL, c->err);

	if (r < 0)
		return r;
	return before ? c->image->created_ns < other.created_ns :
			c->image->created_ns > other.created_ns;
}

static int by_before(const struct candidate *c)
{
	return compare_created(c, true);
}

static int by_since(const struct candidate *c)
{
	return compare_created(c, false);
}

static int by_until(const struct candidate *c)
{
	int64_t ns;

	if (filter_parse_time(c->value, &ns) < 0)
		return wrong_value(c, "until");
	return (int64_t)c->image->created_ns < ns;
}

static int by_containers(const struct candidate *c)
{
	auto_strvec struct strvec ids = STRVEC_INIT;
	bool wanted;
	int r;

	if (parse_bool(c->value, &wanted) < 0)
		return wrong_value(c, "containers");
	r = image_containers(c->c->inv, c->image->id, &ids, c->err);
	return r < 0 ? r : (ids.n > 0) == wanted;
}

static int by_intermediate(const struct candidate *c)
{
	bool wanted;
	int r;

	if (parse_bool(c->value, &wanted) < 0)
		return wrong_value(c, "intermediate");
	r = c->image->names.n ? 0 : image_has_children(c->c->store, c->image, c->err);
	return r < 0 ? r : (r > 0) == wanted;
}

static const struct filter {
	const char *key;
	int (*matches)(const struct candidate *c);
	bool all; /* every value must hold, not one of them */
} filters[] = {
	{ "label", by_label, true },
	{ "label!", by_not_label, true },
	{ "dangling", by_dangling, 0 },
	{ "readonly", by_readonly, 0 },
	{ "id", by_id, 0 },
	{ "digest", by_digest, 0 },
	{ "reference", by_reference, 0 },
	{ "before", by_before, 0 },
	{ "since", by_since, 0 },
	{ "after", by_since, 0 },
	{ "until", by_until, 0 },
	{ "containers", by_containers, 0 },
	{ "intermediate", by_intermediate, 0 },
	{ "manifest", by_manifest, 0 },
};

/* The filter of "KEY=VALUE", "label!=VALUE". */
static const struct filter *find(const char *text, const char **ret_value)
{
	const char *equals = strchr(text, '=');

	for (size_t i = 0; equals && i < ARRAY_SIZE(filters); i++)
		if (strlen(filters[i].key) == (size_t)(equals - text) &&
		    str_has_prefix(text, filters[i].key)) {
			*ret_value = equals + 1;
			return &filters[i];
		}
	return NULL;
}

static int no_such(const char *text, struct err *err)
{
	return err_set(
		err, ERR_USAGE,
		"filter '%s': not one of label=, label!=, dangling=, reference=, id=, digest=, "
		"before=, since=, until=, containers=, intermediate=, manifest=, readonly=",
		text);
}

int image_filter_check(const struct strvec *texts, struct err *err)
{
	const char *value;

	for (size_t i = 0; i < texts->n; i++)
		if (!find(texts->v[i], &value))
			return no_such(texts->v[i], err);
	return 0;
}

int image_filter_matches(const struct image_filter_context *context, const struct strvec *texts,
			 const struct image *image, const struct image_config *config,
			 struct err *err)
{
	bool tried[ARRAY_SIZE(filters)] = { false };
	bool held[ARRAY_SIZE(filters)] = { false };

	for (size_t i = 0; i < texts->n; i++) {
		struct candidate c = { context, image, config, NULL, err };
		const struct filter *filter = find(texts->v[i], &c.value);
		size_t k;
		int r;

		if (!filter)
			return no_such(texts->v[i], err);
		k = (size_t)(filter - filters);
		r = filter->matches(&c);
		if (r < 0)
			return r;
		if (filter->all && r == 0)
			return 0;
		tried[k] = true;
		held[k] |= r > 0;
	}
	for (size_t k = 0; k < ARRAY_SIZE(filters); k++)
		if (tried[k] && !held[k])
			return 0;
	return 1;
}
