/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/mount_defaults.h"

#include "core/str.h"
#include "engine/specgen.h"

static bool has_any(const struct container_mount *m, const char *const *words)
{
	for (; *words; words++)
		if (specgen_has_option(m->options, m->n_options, *words))
			return true;
	return false;
}

static void add_option(struct container_mount *m, const char *option)
{
	json_strings_add(&m->options, &m->n_options, option);
}

void mount_defaults_add(struct container_mount *m)
{
	static const char *const writable[] = { "ro", "rw", NULL };
	static const char *const propagation[] = { "private",	 "rprivate",	"shared",
						   "rshared",	 "slave",	"rslave",
						   "unbindable", "runbindable", NULL };
	static const char *const bind[] = { "bind", "rbind", "bind-nonrecursive", NULL };
	static const char *const suid[] = { "suid", "nosuid", NULL };
	static const char *const dev[] = { "dev", "nodev", NULL };
	static const char *const copy_up[] = { "tmpcopyup", "notmpcopyup", NULL };
	bool bound = str_eq(m->type, "bind") || str_eq(m->type, "volume") ||
		     str_eq(m->type, "image");

	if (!has_any(m, writable))
		add_option(m, str_eq(m->type, "image") ? "ro" : "rw");
	if (bound || str_eq(m->type, "tmpfs"))
		if (!has_any(m, propagation))
			add_option(m, "rprivate");
	if (str_eq(m->type, "volume") || str_eq(m->type, "tmpfs")) {
		if (!has_any(m, suid))
			add_option(m, "nosuid");
		if (!has_any(m, dev))
			add_option(m, "nodev");
	}
	if (bound) {
		if (specgen_has_option(m->options, m->n_options, "bind-nonrecursive"))
			add_option(m, "bind");
		else if (!has_any(m, bind))
			add_option(m, "rbind");
	}
	if (str_eq(m->type, "tmpfs") && !has_any(m, copy_up))
		add_option(m, "tmpcopyup");
}
