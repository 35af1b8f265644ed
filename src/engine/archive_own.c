/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/archive_own.h"

#include <json-c/json.h>
#include <string.h>

#include "core/alloc.h"
#include "core/path.h"
#include "core/str.h"
#include "engine/environment.h"
#include "engine/userns.h"

#define DEFAULTS_KEY "floeDefaults"
#define USERNS_KEY "floeAutoUserns"

static const char *const lists[ARCHIVE_OWN_LIST_MAX_] = {
	[ARCHIVE_OWN_ENV] = "env",
	[ARCHIVE_OWN_ULIMITS] = "ulimits",
	[ARCHIVE_OWN_DEVICES] = "devices",
};

static struct json_object *default_variables(const struct container_config *g,
					     const struct oci_process *p)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < p->n_env; i++) {
		auto_free char *name = xstrndup(p->env[i], strcspn(p->env[i], "="));

		if (!environment_has(g->env, g->n_env, name))
			json_object_array_add(list, json_object_new_string(name));
	}
	return list;
}

static bool has_ulimit(const struct container_config *g, const char *name)
{
	for (size_t i = 0; i < g->n_ulimits; i++)
		if (str_eq(g->ulimits[i].name, name))
			return true;
	return false;
}

static struct json_object *default_ulimits(const struct container_config *g,
					   const struct oci_process *p)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < p->n_rlimits; i++)
		if (!has_ulimit(g, p->rlimits[i].type))
			json_object_array_add(list, json_object_new_string(p->rlimits[i].type));
	return list;
}

/* What was asked for may be a directory with all that is in it. */
static bool has_device(const struct container_config *g, const char *path)
{
	for (size_t i = 0; i < g->n_devices; i++)
		if (str_eq(g->devices[i].path, path) || path_is_below(path, g->devices[i].path))
			return true;
	return false;
}

static struct json_object *default_devices(const struct container_config *g,
					   const struct oci_linux *l)
{
	struct json_object *list = json_object_new_array();

	/* A privileged one has all of the host's. */
	for (size_t i = 0; !g->privileged && i < l->n_devices; i++)
		if (!has_device(g, l->devices[i].path))
			json_object_array_add(list, json_object_new_string(l->devices[i].path));
	return list;
}

void archive_own_format(const struct container_config *g, const struct runtime_spec *spec,
			struct json_object *to)
{
	struct json_object *defaults = json_object_new_object();

	if (spec->process) {
		json_object_object_add(defaults, lists[ARCHIVE_OWN_ENV],
				       default_variables(g, spec->process));
		json_object_object_add(defaults, lists[ARCHIVE_OWN_ULIMITS],
				       default_ulimits(g, spec->process));
	}
	if (spec->linux_)
		json_object_object_add(defaults, lists[ARCHIVE_OWN_DEVICES],
				       default_devices(g, spec->linux_));
	json_object_object_add(to, DEFAULTS_KEY, defaults);
	if (userns_is_auto(g))
		json_object_object_add(to, USERNS_KEY, json_object_new_boolean(true));
}

/* NULL where there is none of that type. */
static struct json_object *member(struct json_object *o, const char *key, json_type type)
{
	struct json_object *v = NULL;

	if (!json_object_is_type(o, json_type_object))
		return NULL;
	(void)json_object_object_get_ex(o, key, &v);
	return json_object_is_type(v, type) ? v : NULL;
}

bool archive_own_is_default(const struct archive_config *a, enum archive_own_list list,
			    const char *name)
{
	struct json_object *defaults = member(a->extra.object, DEFAULTS_KEY, json_type_object);
	struct json_object *names = member(defaults, lists[list], json_type_array);
	size_t n = names ? json_object_array_length(names) : 0;

	for (size_t i = 0; i < n; i++)
		if (str_eq(json_object_get_string(json_object_array_get_idx(names, i)), name))
			return true;
	return false;
}

bool archive_own_is_auto_userns(const struct archive_config *a)
{
	return json_object_get_boolean(member(a->extra.object, USERNS_KEY, json_type_boolean)) ||
	       json_object_get_boolean(member(a->id_mappings, "AutoUserNs", json_type_boolean));
}
