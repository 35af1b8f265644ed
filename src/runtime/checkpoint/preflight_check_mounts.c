/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The mounts, as CRIU goes through them: a mount that is external (the configuration knows it) is
 * left alone; another must be a file system that CRIU makes anew, or a part of one that is there
 * whole; and one that receives mounts must receive them from one that is there.
 */
#include "runtime/checkpoint/preflight_check.h"

#include "core/alloc.h"
#include "core/path.h"
#include "core/str.h"

/* One mount in its namespace. */
struct view {
	const struct preflight_snapshot *s;
	struct preflight_report *report;
	const char *check;
	const struct mountinfo *mounts;
	const struct mountinfo_entry *root; /* NULL: not found */
	const struct mountinfo_entry *m;
};

typedef void (*look_fn)(const struct view *v);

static bool is_root(const struct mountinfo *mounts, const struct mountinfo_entry *m)
{
	return str_eq(m->mount_point, "/") && !mountinfo_find_id(mounts, m->parent_id);
}

static const struct mountinfo_entry *root_of(const struct mountinfo *mounts)
{
	for (size_t i = 0; i < mounts->n; i++)
		if (is_root(mounts, &mounts->v[i]))
			return &mounts->v[i];
	return NULL;
}

/* Mounts that CRIU has to make again. */
static void for_each_mount(const struct preflight_snapshot *s, struct preflight_report *report,
			   const char *check, look_fn look)
{
	for (size_t i = 0; i < s->n_mount_namespaces; i++) {
		struct view v = {
			.s = s,
			.report = report,
			.check = check,
			.mounts = &s->mount_namespaces[i].mounts,
			.root = root_of(&s->mount_namespaces[i].mounts),
		};

		for (size_t k = 0; k < v.mounts->n; k++) {
			v.m = &v.mounts->v[k];
			if (v.m != v.root && !preflight_is_external(s, v.m->mount_point))
				look(&v);
		}
	}
}

static void add(const struct view *v, char *message, enum preflight_option option,
		char *criu_option, const char *remedy)
{
	preflight_add(v->report, v->s, v->check,
		      (struct preflight_item){ .path = v->m->mount_point,
					       .message = message,
					       .option = option,
					       .criu_option = criu_option,
					       .remedy = remedy });
}

/* In a cgroup namespace, mounts of cgroup file systems show a root that CRIU ignores. */
static bool shows_whole(const struct mountinfo_entry *m)
{
	return str_eq(m->root, "/") || str_has_prefix(m->fs_type, "cgroup");
}

static bool is_made_by_criu(const struct preflight_snapshot *s, const char *type)
{
	static const char *const types[] = {
		"proc",	   "sysfs",  "devtmpfs", "binfmt_misc", "tmpfs",   "devpts",
		"simfs",   "pstore", "mqueue",	 "securityfs",	"fusectl", "debugfs",
		"tracefs", "cgroup", "cgroup2",	 "aufs",	"autofs",
	};

	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (strcmp(types[i], type) == 0)
			return true;
	return strvec_contains(&s->options.file_systems, type) ||
	       strvec_contains(&s->options.file_systems, "all");
}

static void look_at_type(const struct view *v)
{
	if (!shows_whole(v->m) || is_made_by_criu(v->s, v->m->fs_type))
		return;
	add(v,
	    xasprintf("the mount at '%s' is of type %s, which CRIU does not make again",
		      v->m->mount_point, v->m->fs_type),
	    PREFLIGHT_NO_OPTION, NULL,
	    "mount it on the host and add it to mounts in config.json as a bind, or unmount it");
}

static void check_type(const struct preflight_snapshot *s, struct preflight_report *report,
		       const char *check)
{
	for_each_mount(s, report, check, look_at_type);
}

static bool has_source(const struct view *v)
{
	for (size_t i = 0; i < v->mounts->n; i++) {
		const struct mountinfo_entry *o = &v->mounts->v[i];

		if (o == v->m || o->major != v->m->major || o->minor != v->m->minor)
			continue;
		if (str_eq(o->root, "/"))
			return true;
		if (path_is_below(v->m->root, o->root) &&
		    (o == v->root || preflight_is_external(v->s, o->mount_point)))
			return true;
	}
	return false;
}

static void look_at_source(const struct view *v)
{
	if (shows_whole(v->m) || has_source(v))
		return;
	add(v,
	    xasprintf("the mount at '%s' shows '%s' of a file system (%s) that the container does "
		      "not "
		      "have, and config.json does not know it",
		      v->m->mount_point, v->m->root, v->m->fs_type),
	    PREFLIGHT_NO_OPTION, NULL, "add it to mounts in config.json, or unmount it");
}

static void check_source(const struct preflight_snapshot *s, struct preflight_report *report,
			 const char *check)
{
	for_each_mount(s, report, check, look_at_source);
}

static bool has_master(const struct view *v)
{
	if (v->root && v->root->master == v->m->master)
		return true;
	for (size_t i = 0; i < v->mounts->n; i++)
		if (&v->mounts->v[i] != v->m && v->mounts->v[i].shared == v->m->master)
			return true;
	return false;
}

static void look_at_master(const struct view *v)
{
	if (v->m->master == 0 || has_master(v))
		return;
	add(v,
	    xasprintf("the mount at '%s' gets its mounts from one outside of the container",
		      v->m->mount_point),
	    PREFLIGHT_NO_OPTION, NULL,
	    "give the mount that it came with the option rprivate in config.json");
}

static void check_propagation(const struct preflight_snapshot *s, struct preflight_report *report,
			      const char *check)
{
	for_each_mount(s, report, check, look_at_master);
}

/* CRIU makes message queues and crash dumps not again, and says so by failing. */
static void check_content(const struct preflight_snapshot *s, struct preflight_report *report,
			  const char *check)
{
	for (size_t i = 0; i < s->n_mount_states; i++) {
		const struct mountinfo_entry *m = s->mount_states[i].mount;

		if (!s->mount_states[i].has_content)
			continue;
		preflight_add(
			report, s, check,
			(struct preflight_item){
				.path = m->mount_point,
				.message = xasprintf("there are %s in '%s', which CRIU cannot keep",
						     str_eq(m->fs_type, "mqueue") ?
							     "POSIX message queues" :
							     "files",
						     m->mount_point),
				.remedy = "remove them before the checkpoint (mq_unlink(3))" });
	}
}

const struct preflight_check preflight_mount_checks[] = {
	{ "mount-type", check_type },
	{ "mount-outside", check_source },
	{ "mount-propagation", check_propagation },
	{ "mount-content", check_content },
	{ NULL, NULL },
};
