/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/cgroup/path.h"

#include "core/alloc.h"
#include "core/auto.h"
#include "core/path.h"
#include "core/str.h"
#include "core/strbuf.h"
#include "core/strvec.h"

bool cgroup_path_needs_own(const char *cgroups_path)
{
	return str_is_empty(cgroups_path) || cgroups_path[0] != '/';
}

static int check(const char *path, struct err *err)
{
	if (path_has_dotdot(path))
		return err_set(err, ERR_INVALID,
			       "invalid cgroupsPath '%s': it must not contain '..'", path);
	if (strchr(path, '\n'))
		return err_set(err, ERR_INVALID,
			       "invalid cgroupsPath: it must not contain a newline");
	return 0;
}

int cgroup_path_resolve(const char *cgroups_path, const char *id, const char *own, bool is_v2,
			char **ret, struct err *err)
{
	const char *given = str_is_empty(cgroups_path) ? id : cgroups_path;
	auto_free char *base = NULL;
	auto_free char *path = NULL;
	int r;

	r = check(given, err);
	if (r < 0)
		return r;
	if (cgroup_path_needs_own(cgroups_path))
		base = is_v2 ? path_dirname(own) : xstrdup(own);
	else
		base = xstrdup("/");
	path = path_join(base, given);
	if (str_eq(path, "/"))
		return err_set(err, ERR_INVALID,
			       "invalid cgroupsPath '%s': it is the root of the hierarchy, and a "
			       "container needs a cgroup of its own",
			       given);
	*ret = take_ptr(path);
	return 0;
}

/*
 * systemd puts "_" before a unit whose name would be a file of the kernel's in the directory above
 * (cg_escape() there): "cpu.scope", "tasks".
 */
static bool needs_escape(const char *unit)
{
	static const char *const controllers[] = {
		"cgroup.", "cpu.",  "cpuacct.", "cpuset.",	 "io.",		 "blkio.",
		"memory.", "pids.", "devices.", "bpf-firewall.", "bpf-devices.", "bpf-foreign.",
	};

	if (unit[0] == '_' || unit[0] == '.')
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(controllers); i++)
		if (str_has_prefix(unit, controllers[i]))
			return true;
	return false;
}

static void add_unit(struct strbuf *path, const char *unit)
{
	strbuf_addf(path, "/%s%s", needs_escape(unit) ? "_" : "", unit);
}

char *cgroup_path_to_unit(const char *path)
{
	auto_strvec struct strvec parts = STRVEC_INIT;

	strvec_split(&parts, path, '/', false);
	for (size_t i = parts.n; i-- > 0;) {
		const char *part = parts.v[i];

		if (str_has_suffix(part, ".scope") || str_has_suffix(part, ".slice"))
			return xstrdup(part + (part[0] == '_'));
	}
	return NULL;
}

/* "a-b.slice" to "/a.slice/a-b.slice", "-.slice" to "/"; NULL when it is no slice name. */
static char *expand_slice(const char *slice)
{
	size_t stem = strlen(slice);
	auto_strbuf struct strbuf path = STRBUF_INIT;

	if (!str_has_suffix(slice, ".slice") || strchr(slice, '/'))
		return NULL;
	stem -= strlen(".slice");
	if (stem == 1 && slice[0] == '-')
		return xstrdup("/");
	if (stem == 0 || slice[0] == '-' || slice[stem - 1] == '-' || strstr(slice, "--"))
		return NULL;
	for (size_t i = 0; i <= stem; i++) {
		if (slice[i] == '-' || i == stem) {
			auto_free char *unit = xasprintf("%.*s.slice", (int)i, slice);

			add_unit(&path, unit);
		}
	}
	return strbuf_take(&path);
}

static int not_a_triple(const char *cgroups_path, struct err *err)
{
	return err_set(err, ERR_INVALID,
		       "expected cgroupsPath to be of format \"slice:prefix:name\" for systemd "
		       "cgroups, got '%s' instead",
		       cgroups_path);
}

/* The id as a part of a unit's name, where '+' is not allowed (systemd.unit(5), string escaping). */
static char *escape_id(const char *id)
{
	auto_strbuf struct strbuf sb = STRBUF_INIT;

	for (; *id; id++) {
		if (*id == '+')
			strbuf_adds(&sb, "\\x2b");
		else
			strbuf_addc(&sb, *id);
	}
	return strbuf_take(&sb);
}

/* Take the parts; the empty slice becomes the default one. */
static int split_triple(const char *cgroups_path, const char *default_slice, struct strvec *parts,
			struct err *err)
{
	strvec_split(parts, cgroups_path, ':', true);
	if (parts->n != 3 || !*parts->v[2] || strchr(cgroups_path, '/'))
		return not_a_triple(cgroups_path, err);
	if (!*parts->v[0])
		replace_ptr(parts->v[0], xstrdup(default_slice));
	return 0;
}

/* Fill *ret from slice, prefix and name. */
static int name_unit(const struct strvec *parts, struct cgroup_systemd_name *ret, struct err *err)
{
	const char *slice = parts->v[0];
	const char *prefix = parts->v[1];
	const char *name = parts->v[2];
	bool is_slice = str_has_suffix(name, ".slice");
	/* A slice is where its name says, whatever its parent here. */
	auto_free char *parent = expand_slice(slice);
	auto_free char *own = is_slice ? expand_slice(name) : NULL;
	auto_strbuf struct strbuf path = STRBUF_INIT;
	auto_free char *unit = NULL;

	if (!parent || (is_slice && (!own || str_eq(own, "/"))))
		return err_set(err, ERR_INVALID,
			       "invalid cgroupsPath: '%s' is no name of a slice%s",
			       parent ? name : slice, parent ? " that a container can have" : "");
	if (is_slice)
		unit = xstrdup(name);
	else if (*prefix)
		unit = xasprintf("%s-%s.scope", prefix, name);
	else
		unit = xasprintf("%s.scope", name);
	if (is_slice) {
		strbuf_adds(&path, own);
	} else {
		strbuf_adds(&path, str_eq(parent, "/") ? "" : parent);
		add_unit(&path, unit);
	}
	*ret = (struct cgroup_systemd_name){
		.unit = take_ptr(unit),
		.slice = xstrdup(slice),
		.path = strbuf_take(&path),
		.is_slice = is_slice,
	};
	return 0;
}

int cgroup_path_parse_systemd(const char *cgroups_path, const char *id, bool rootless,
			      struct cgroup_systemd_name *ret, struct err *err)
{
	const char *default_slice = rootless ? "user.slice" : "system.slice";
	auto_strvec struct strvec parts = STRVEC_INIT;
	int r;

	if (str_is_empty(cgroups_path)) {
		strvec_add(&parts, default_slice);
		strvec_add(&parts, "floe");
		strvec_add_take(&parts, escape_id(id));
	} else {
		r = split_triple(cgroups_path, default_slice, &parts, err);
		if (r < 0)
			return r;
	}
	return name_unit(&parts, ret, err);
}

void cgroup_systemd_name_done(struct cgroup_systemd_name *name)
{
	free(name->unit);
	free(name->slice);
	free(name->path);
	*name = (struct cgroup_systemd_name){ 0 };
}
