/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/namespace/userns.h"

#include "kernel/subid.h"

static void fill(struct idmap *ret, const struct oci_id_mapping *map, size_t n)
{
	for (size_t i = 0; i < n; i++)
		idmap_add(ret, map[i].container_id, map[i].host_id, map[i].size);
}

int userns_write_maps(pid_t pid, const struct oci_linux *linux_, struct err *err)
{
	auto_idmap struct idmap uids = IDMAP_INIT;
	auto_idmap struct idmap gids = IDMAP_INIT;

	fill(&uids, linux_->uid_mappings, linux_->n_uid_mappings);
	fill(&gids, linux_->gid_mappings, linux_->n_gid_mappings);
	return subid_write_maps(pid, &uids, &gids, err);
}
