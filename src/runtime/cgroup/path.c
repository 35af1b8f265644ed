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

static bool has_parent_reference(const char *path)
{
	auto_strvec struct strvec parts = STRVEC_INIT;

	strvec_split(&parts, path, '/', false);
	return strvec_contains(&parts, "..");
}

static int check(const char *path, struct err *err)
{
	if (has_parent_reference(path))
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

char *cgroup_path_expand_slice(const char *slice)
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
	for (size_t i = 0; i <= stem; i++)
		if (slice[i] == '-' || i == stem)
			strbuf_addf(&path, "/%.*s.slice", (int)i, slice);
	return strbuf_take(&path);
}

static int not_a_triple(const char *cgroups_path, struct err *err)
{
	return err_set(err, ERR_INVALID,
		       "expected cgroupsPath to be of format \"slice:prefix:name\" for systemd "
		       "cgroups, got '%s' instead",
		       cgroups_path);
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

int cgroup_path_parse_systemd(const char *cgroups_path, const char *id, bool rootless,
			      struct cgroup_systemd_name *ret, struct err *err)
{
	const char *default_slice = rootless ? "user.slice" : "system.slice";
	auto_strvec struct strvec parts = STRVEC_INIT;
	auto_free char *slice_path = NULL;
	const char *name;
	bool is_slice;
	int r;

	if (str_is_empty(cgroups_path)) {
		strvec_add(&parts, default_slice);
		strvec_add(&parts, "floe");
		strvec_add(&parts, id);
	} else {
		r = split_triple(cgroups_path, default_slice, &parts, err);
		if (r < 0)
			return r;
	}
	slice_path = cgroup_path_expand_slice(parts.v[0]);
	if (!slice_path)
		return err_set(err, ERR_INVALID, "invalid cgroupsPath: '%s' is no name of a slice",
			       parts.v[0]);
	name = parts.v[2];
	is_slice = str_has_suffix(name, ".slice");
	*ret = (struct cgroup_systemd_name){ .slice = xstrdup(parts.v[0]), .is_slice = is_slice };
	if (is_slice)
		ret->unit = xstrdup(name);
	else if (*parts.v[1])
		ret->unit = xasprintf("%s-%s.scope", parts.v[1], name);
	else
		ret->unit = xasprintf("%s.scope", name);
	ret->path = path_join(slice_path, ret->unit);
	return 0;
}

void cgroup_systemd_name_done(struct cgroup_systemd_name *name)
{
	free(name->unit);
	free(name->slice);
	free(name->path);
	*name = (struct cgroup_systemd_name){ 0 };
}
