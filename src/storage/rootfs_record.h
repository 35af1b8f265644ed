/* SPDX-License-Identifier: Apache-2.0 */
/* The record of a root file system, within this folder. */
#pragma once

#include "kernel/idmap.h"
#include "storage/rootfs.h"

struct rootfs_record {
	char *chain_id; /* NULL: no layers */
	bool read_only;
	int64_t mounts; /* during boot_id */
	char *boot_id;
	struct idmap uids; /* none: the ids are the host's */
	struct idmap gids;
};

/* ERR_NOT_FOUND. */
int rootfs_record_load(struct store *store, const char *id, struct rootfs_record *ret,
		       struct err *err);
void rootfs_record_done(struct rootfs_record *record);

DEFINE_AUTO_VAL(rootfs_record, struct rootfs_record, rootfs_record_done)
#define auto_rootfs_record auto_cleanup(rootfs_record_cleanup_val)
