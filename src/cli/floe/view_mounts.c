/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/floe/view_mounts.h"

#include "cli/floe/view.h"
#include "core/alloc.h"
#include "core/str.h"
#include "engine/mount_defaults.h"

/* "RW", "Propagation" and "Mode" have what is theirs of the options, "Options" has the others. */
static void add_options(struct json_object *o, const struct container_mount *given)
{
	static const char *const propagation[] = { "private",	 "rprivate",	"shared",
						   "rshared",	 "slave",	"rslave",
						   "unbindable", "runbindable", NULL };
	static const char *const label[] = { "z", "Z", NULL };
	struct json_object *others = json_object_new_array();
	struct container_mount m = { .type = given->type };
	const char *mode = "";
	const char *how = "";
	bool is_writable = true;

	json_strings_add_all(&m.options, &m.n_options, given->options, given->n_options);
	mount_defaults_add(&m);
	for (size_t i = 0; i < m.n_options; i++) {
		const char *option = m.options[i];

		if (str_is_one_of(option, propagation))
			how = option;
		else if (str_is_one_of(option, label))
			mode = option;
		else if (str_eq(option, "ro") || str_eq(option, "rw"))
			is_writable = str_eq(option, "rw");
		else
			json_object_array_add(others, json_object_new_string(option));
	}
	view_add(o, "Mode", mode);
	json_object_object_add(o, "Options", others);
	view_add_bool(o, "RW", is_writable);
	view_add(o, "Propagation", how);
	json_strings_clear(&m.options, &m.n_options);
}

static struct json_object *view_mount(const struct container *c, const struct container_mount *m)
{
	struct json_object *o = json_object_new_object();

	view_add(o, "Type", m->type);
	if (str_eq(m->type, "volume")) {
		auto_free char *source = xasprintf("%s/%s/_data", c->engine->volumepath, m->source);

		view_add(o, "Name", m->source);
		view_add(o, "Source", source);
	} else {
		view_add(o, "Source", m->source);
	}
	view_add(o, "Destination", m->destination);
	if (str_eq(m->type, "volume"))
		view_add(o, "Driver", "local");
	add_options(o, m);
	if (m->subpath)
		view_add(o, "SubPath", m->subpath);
	return o;
}

struct json_object *view_mounts(const struct container *c)
{
	struct json_object *list = json_object_new_array();

	/* tmpfs are in HostConfig.Tmpfs, and nowhere else. */
	for (size_t i = 0; i < c->config.n_mounts; i++)
		if (!str_eq(c->config.mounts[i].type, "tmpfs"))
			json_object_array_add(list, view_mount(c, &c->config.mounts[i]));
	return list;
}
