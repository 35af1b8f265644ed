/* SPDX-License-Identifier: Apache-2.0 */
/* Which files a container's users and groups stand in. */
#include <fcntl.h>
#include <stdlib.h>

#include "core/alloc.h"
#include "core/fs.h"
#include "core/path.h"
#include "core/str.h"
#include "engine/users.h"

/* The host's path of what the user has mounted at /etc/NAME, or on all of /etc; NULL: nothing. */
static char *mounted(const struct container_config *c, const char *name)
{
	auto_free char *path = path_join("/etc", name);
	const struct container_mount *m = container_config_mount(c, path);

	if (m && str_eq(m->type, "bind") && m->source)
		return xstrdup(m->source);
	m = m ? NULL : container_config_mount(c, "/etc");
	if (!m || !str_eq(m->type, "bind") || !m->source)
		return NULL;
	return path_join(m->source, name);
}

/* What we have written for it, and bound over the tree's. */
static char *generated(const struct container *c, const char *name)
{
	auto_free char *path = path_join(c->run_dir, name);

	return fs_exists(AT_FDCWD, path) ? take_ptr(path) : NULL;
}

int container_users_lookup(const struct container *c, const struct rooted *root, bool running,
			   const char *user, struct spec_user *ret, struct err *err)
{
	auto_free char *passwd = mounted(&c->config, "passwd");
	auto_free char *group = mounted(&c->config, "group");
	struct users_files files = { .host_users = c->config.host_users,
				     .n_host_users = c->config.n_host_users };

	if (running && !passwd)
		passwd = generated(c, "passwd");
	if (running && !group)
		group = generated(c, "group");
	files.passwd = passwd;
	files.group = group;
	return users_lookup(root, &files, user, c->config.groups, c->config.n_groups, ret, err);
}
