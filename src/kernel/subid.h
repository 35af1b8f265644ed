/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who may map which ids into a user namespace, and how the maps are written.
 *
 * The kernel lets a process with CAP_SETUID (CAP_SETGID) in the parent namespace write any map;
 * another may only map its own effective id, and its group only once setgroups(2) is denied for good
 * (user_namespaces(7)). Everything else is delegated to newuidmap and newgidmap, which are privileged
 * and allow what /etc/subuid and /etc/subgid give to the user.
 */
#pragma once

#include <sys/types.h>

#include "core/err.h"
#include "kernel/idmap.h"

/*
 * Add the ranges that a file of the form of /etc/subuid (subuid(5)) gives to a user, named by name
 * (may be NULL) or number: `outside` and `size` are set, `inside` counts up from 0. Malformed lines
 * are skipped, as newuidmap skips them. -ENOENT when there is no such file.
 */
int subid_load(struct idmap *ret, const char *path, const char *name, uid_t uid);

/*
 * Write uid_map and gid_map of process pid, a child of ours that waits in its new user namespace; and
 * "deny" to its setgroups where that is needed. Runs newuidmap and newgidmap where we may not write
 * the map; ERR_NOT_FOUND when they are not on PATH, and their message is in the error when they
 * refuse.
 */
int subid_write_maps(pid_t pid, const struct idmap *uids, const struct idmap *gids,
		     struct err *err);

/* How a map would be written; for tests and messages. */
enum subid_way {
	SUBID_DIRECT, /* we have the capability */
	SUBID_OWN_ID, /* the one id that is ours */
	SUBID_HELPER, /* newuidmap, newgidmap */
};
enum subid_way subid_choose(const struct idmap *map, uint32_t own_id, bool has_capability);
