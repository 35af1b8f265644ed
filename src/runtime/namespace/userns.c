/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/namespace/userns.h"

#include <errno.h>

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

int userns_write_maps(pid_t pid, const struct oci_linux *linux_, struct err *err)
{
	auto_idmap struct idmap uids = IDMAP_INIT;
	auto_idmap struct idmap gids = IDMAP_INIT;

	fill(&uids, linux_->uid_mappings, linux_->n_uid_mappings);
	fill(&gids, linux_->gid_mappings, linux_->n_gid_mappings);
	return subid_write_maps(pid, &uids, &gids, err);
}
