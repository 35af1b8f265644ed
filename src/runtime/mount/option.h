/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The options of one mount (mounts[].options) taken apart: flags that are set, flags that are
 * explicitly cleared, propagation, recursive attributes, the runtimes' extensions, and what is left
 * for the file system itself. Pure; names come from kernel/mountflags.h.
 */
#pragma once

#include <stdint.h>

#include "core/auto.h"
#include "core/err.h"
#include "core/strvec.h"
#include "spec/runtime_linux.h"

enum mount_idmap_kind {
	MOUNT_IDMAP_NONE,
	MOUNT_IDMAP, /* the mount itself */
	MOUNT_IDMAP_RECURSIVE, /* and the mounts below it */
};

/* One triplet of crun's `idmap=uids=A-B-N#...;gids=...`. */
struct mount_idmap_range {
	uint32_t inside; /* id as the backing file system stores it */
	uint32_t outside; /* id on the host; with `relative`: in the container's user namespace */
	uint32_t size;
	bool relative; /* was written "@A-B-N" */
};

struct mount_options {
	unsigned long set; /* MS_*, without propagation; MS_BIND, MS_REC and MS_REMOUNT included */
	unsigned long cleared; /* MS_* that an option asked to be off; disjoint from set */
	unsigned long
		*propagation; /* MS_SHARED and so on, maybe | MS_REC: one change each, in order */
	size_t n_propagation;
	uint64_t rec_set; /* MOUNT_ATTR_*: recursive attributes to set and to clear */
	uint64_t rec_clear;
	bool tmpcopyup;
	bool copy_symlink;
	bool src_nofollow;
	bool dest_nofollow;
	enum mount_idmap_kind idmap;
	struct mount_idmap_range *idmap_uids; /* only from "idmap=..." */
	size_t n_idmap_uids;
	struct mount_idmap_range *idmap_gids;
	size_t n_idmap_gids;
	struct strvec data; /* "size=64k", one each, for the file system */
};

#define MOUNT_OPTIONS_INIT                                                                         \
	{                                                                                          \
		0                                                                                  \
	}

/* Fills *ret (owned by the caller, also empty after failure). ERR_INVALID names the option. */
int mount_options_parse(struct mount_options *ret, char *const *options, size_t n, struct err *err);
void mount_options_done(struct mount_options *o);

DEFINE_AUTO_VAL(mount_options, struct mount_options, mount_options_done)
#define auto_mount_options auto_cleanup(mount_options_cleanup_val)
