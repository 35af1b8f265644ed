/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/namespace/userns.h"

#include <errno.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/log.h"
#include "core/str.h"
#include "core/strbuf.h"
#include "kernel/procfs.h"
#include "kernel/subid.h"

static void fill(struct idmap *ret, const struct oci_id_mapping *map, size_t n)
{
	for (size_t i = 0; i < n; i++)
		idmap_add(ret, map[i].container_id, map[i].host_id, map[i].size);
}

int userns_to_host(const struct oci_id_mapping *maps, size_t n, uint32_t id, uint32_t size,
		   uint32_t *ret)
{
	for (size_t i = 0; i < n; i++) {
		const struct oci_id_mapping *m = &maps[i];

		if (id < m->container_id || id - m->container_id >= m->size)
			continue;
		if (size > m->size - (id - m->container_id))
			return -ERANGE;
		*ret = m->host_id + (id - m->container_id);
		return 0;
	}
	return -ENOENT;
}

bool userns_has_host(const struct oci_id_mapping *maps, size_t n, uint32_t host_id)
{
	for (size_t i = 0; i < n; i++)
		if (host_id >= maps[i].host_id && host_id - maps[i].host_id < maps[i].size)
			return true;
	return false;
}

static int map_own_ids(struct oci_id_mapping **ret, size_t *ret_n, const struct procfs *proc,
		       const char *file, struct err *err)
{
	auto_strbuf struct strbuf text = STRBUF_INIT;
	auto_idmap struct idmap own = IDMAP_INIT;
	int r = procfs_read(proc, getpid(), file, &text);

	if (r == 0)
		r = idmap_parse(&own, text.buf);
	if (r < 0)
		return err_sys(err, r, "read the '%s' of this process", file);
	for (size_t i = 0; i < own.n; i++)
		*array_push(*ret, *ret_n) = (struct oci_id_mapping){
			.container_id = own.v[i].inside,
			.host_id = own.v[i].inside,
			.size = own.v[i].size,
		};
	return 0;
}

static void drop_mappings(struct oci_id_mapping **maps, size_t *n, const char *name)
{
	if (*n > 0)
		log_warning("linux.%s is of no effect: linux.namespaces has none of type user",
			    name);
	free(*maps);
	*maps = NULL;
	*n = 0;
}

int userns_settle_mappings(struct oci_linux *linux_, struct err *err)
{
	const struct oci_namespace *user = oci_linux_namespace(linux_, "user");
	auto_procfs struct procfs proc = PROCFS_INIT;
	int r;

	if (!user) {
		drop_mappings(&linux_->uid_mappings, &linux_->n_uid_mappings, "uidMappings");
		drop_mappings(&linux_->gid_mappings, &linux_->n_gid_mappings, "gidMappings");
		return 0;
	}
	if (!str_is_empty(user->path) || linux_->n_uid_mappings || linux_->n_gid_mappings)
		return 0;
	r = procfs_open(&proc, NULL);
	if (r < 0)
		return err_sys(err, r, "open procfs");
	r = map_own_ids(&linux_->uid_mappings, &linux_->n_uid_mappings, &proc, "uid_map", err);
	return r < 0 ? r :
		       map_own_ids(&linux_->gid_mappings, &linux_->n_gid_mappings, &proc, "gid_map",
				   err);
}

int userns_become_root_or(uid_t uid, gid_t gid)
{
	if (setresgid(0, 0, 0) < 0 && (errno != EINVAL || setresgid(gid, gid, gid) < 0))
		return -errno;
	if (setresuid(0, 0, 0) < 0 && (errno != EINVAL || setresuid(uid, uid, uid) < 0))
		return -errno;
	return 0;
}

int userns_write_maps(pid_t pid, const struct oci_linux *linux_, struct err *err)
{
	auto_idmap struct idmap uids = IDMAP_INIT;
	auto_idmap struct idmap gids = IDMAP_INIT;

	fill(&uids, linux_->uid_mappings, linux_->n_uid_mappings);
	fill(&gids, linux_->gid_mappings, linux_->n_gid_mappings);
	return subid_write_maps(pid, &uids, &gids, err);
}
