/* SPDX-License-Identifier: Apache-2.0 */
/* --uidmap, --gidmap, --subuidname, --subgidname. */
#include <stdlib.h>

#include "cli/floe/create_options.h"
#include "core/alloc.h"
#include "core/parse.h"
#include "core/str.h"
#include "kernel/subid.h"

/* [@]INSIDE:[@]OUTSIDE[:N]; the @ of users that are not root means the same as none here. */
static int parse_map(const char *option, const char *text, struct container_idmap *ret,
		     struct err *err)
{
	auto_strvec struct strvec parts = STRVEC_INIT;
	uint32_t v[3] = { 0, 0, 1 };
	int r;

	strvec_split(&parts, text, ':', true);
	r = parts.n == 2 || parts.n == 3 ? 0 : -EINVAL;
	for (size_t i = 0; r == 0 && i < parts.n; i++)
		r = parse_u32(parts.v[i] + (i == 1 && parts.v[i][0] == '@'), &v[i]);
	if (r < 0 || v[2] == 0)
		return err_set(err, ERR_INVALID, "--%s '%s': expected INSIDE:OUTSIDE[:N]", option,
			       text);
	*ret = (struct container_idmap){ v[0], v[1], v[2] };
	return 0;
}

static int apply_maps(const char *option, const struct strvec *texts, struct container_idmap **maps,
		      size_t *n, struct err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < texts->n; i++) {
		struct container_idmap map;

		r = parse_map(option, texts->v[i], &map, err);
		if (r < 0)
			break;
		*maps = array_reserve_one(*maps, *n, sizeof(**maps));
		(*maps)[(*n)++] = map;
	}
	return r;
}

static int apply_subid(const char *option, const char *path, const char *name,
		       struct container_idmap **maps, size_t *n, struct err *err)
{
	auto_idmap struct idmap ids = IDMAP_INIT;
	int r = subid_load(&ids, path, name, (uid_t)-1);

	if (r < 0 || ids.n == 0)
		return err_set(err, ERR_NOT_FOUND, "--%s '%s': %s gives it no ids", option, name,
			       path);
	for (size_t i = 0; i < ids.n; i++) {
		*maps = array_reserve_one(*maps, *n, sizeof(**maps));
		(*maps)[(*n)++] = (struct container_idmap){ ids.v[i].inside, ids.v[i].outside,
							    ids.v[i].size };
	}
	return 0;
}

int userns_options_apply(const struct create_options *o, struct container_config *c,
			 struct err *err)
{
	const char *users = o->sub_uid_name ? o->sub_uid_name : o->sub_gid_name;
	const char *groups = o->sub_gid_name ? o->sub_gid_name : o->sub_uid_name;
	int r;

	if (users && o->uid_maps.n + o->gid_maps.n > 0)
		return err_set(err, ERR_INVALID,
			       "--subuidname and --subgidname cannot be used with --uidmap and "
			       "--gidmap");
	r = apply_maps("uidmap", &o->uid_maps, &c->uid_maps, &c->n_uid_maps, err);
	if (r == 0)
		r = apply_maps("gidmap", &o->gid_maps, &c->gid_maps, &c->n_gid_maps, err);
	if (r == 0 && users)
		r = apply_subid("subuidname", "/etc/subuid", users, &c->uid_maps, &c->n_uid_maps,
				err);
	if (r == 0 && groups)
		r = apply_subid("subgidname", "/etc/subgid", groups, &c->gid_maps, &c->n_gid_maps,
				err);
	return r;
}
