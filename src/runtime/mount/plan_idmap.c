/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/mount/plan_idmap.h"

#include "core/alloc.h"
#include "core/macro.h"
#include "runtime/namespace/userns.h"

static int add_ranges(struct oci_id_mapping **list, size_t *n,
		      const struct mount_idmap_range *ranges, size_t n_ranges,
		      const struct oci_id_mapping *maps, size_t n_maps, struct err *err)
{
	for (size_t i = 0; i < n_ranges; i++) {
		const struct mount_idmap_range *range = &ranges[i];
		struct oci_id_mapping *m = array_push(*list, *n);

		m->container_id = range->inside;
		m->host_id = range->outside;
		m->size = range->size;
		if (range->relative &&
		    userns_to_host(maps, n_maps, range->outside, range->size, &m->host_id) < 0)
			return err_set(err, ERR_INVALID,
				       "option 'idmap': ids %u to %u ('@') are not within one range"
				       " of the container's user namespace",
				       range->outside, range->outside + (range->size - 1));
	}
	return 0;
}

static void copy_mappings(struct oci_id_mapping **list, size_t *n,
			  const struct oci_id_mapping *maps, size_t n_maps)
{
	if (n_maps)
		*list = xmemdup(maps, n_maps * sizeof(*maps));
	*n = n_maps;
}

static int check(const struct mount_op *op, const struct oci_mount *mount,
		 const struct mount_options *o, const struct mount_facts *facts, struct err *err)
{
	if (op->kind != MOUNT_OP_BIND)
		return err_set(err, ERR_INVALID, "only a bind mount can be id-mapped");
	if (facts->is_rootless)
		return err_set(err, ERR_UNSUPPORTED,
			       "id-mapped mounts are not possible without root privileges");
	if (!mount->n_uid_mappings != !mount->n_gid_mappings)
		return err_set(err, ERR_INVALID,
			       "uidMappings and gidMappings belong together; %s is missing",
			       mount->n_uid_mappings ? "gidMappings" : "uidMappings");
	if (o->n_idmap_uids && mount->n_uid_mappings)
		return err_set(
			err, ERR_INVALID,
			"mappings are given twice, in the option 'idmap' and in uidMappings");
	if (!mount->n_uid_mappings && !o->n_idmap_uids && !facts->has_user_ns)
		return err_set(err, ERR_INVALID,
			       "the id-mapped mount has no mappings: give it uidMappings and"
			       " gidMappings, or the container a user namespace");
	return 0;
}

int plan_idmap(struct mount_op *op, const struct oci_mount *mount, const struct mount_options *o,
	       const struct runtime_spec *spec, const struct mount_facts *facts, struct err *err)
{
	const struct oci_linux *linux_ = spec->linux_;
	int r;

	op->idmap = o->idmap;
	if (op->idmap == MOUNT_IDMAP_NONE && (mount->n_uid_mappings || mount->n_gid_mappings))
		op->idmap = MOUNT_IDMAP;
	if (op->idmap == MOUNT_IDMAP_NONE)
		return 0;
	r = check(op, mount, o, facts, err);
	if (r < 0)
		return r;
	copy_mappings(&op->uid_mappings, &op->n_uid_mappings, mount->uid_mappings,
		      mount->n_uid_mappings);
	copy_mappings(&op->gid_mappings, &op->n_gid_mappings, mount->gid_mappings,
		      mount->n_gid_mappings);
	r = add_ranges(&op->uid_mappings, &op->n_uid_mappings, o->idmap_uids, o->n_idmap_uids,
		       linux_ ? linux_->uid_mappings : NULL, linux_ ? linux_->n_uid_mappings : 0,
		       err);
	if (r < 0)
		return r;
	return add_ranges(&op->gid_mappings, &op->n_gid_mappings, o->idmap_gids, o->n_idmap_gids,
			  linux_ ? linux_->gid_mappings : NULL, linux_ ? linux_->n_gid_mappings : 0,
			  err);
}
