/* SPDX-License-Identifier: Apache-2.0 */
/*
 * User namespaces of containers: which ids outside stand for those inside, chosen once when the container is created, so
 * that what it has written keeps its owners.
 *
 *	--userns=auto		a range of its own out of those that /etc/subuid and /etc/subgid give to "containers"
 *	--userns=container:ID	that container's
 *	--uidmap, --gidmap	as given; one of them stands for both
 */
#pragma once

#include "core/rooted.h"
#include "engine/container.h"
#include "kernel/idmap.h"

#define USERNS_AUTO_USER "containers"

/*
 * Complete config->uid_maps and gid_maps. image_top: chain id of the image's layers, whose users say how many ids
 * "auto" takes; NULL: none. *ret_lock keeps others from taking the same range, until the record is written; the
 * caller closes it. ERR_INVALID, ERR_UNSUPPORTED, ERR_NOT_FOUND.
 */
int userns_resolve(struct engine *e, struct container_config *config, const char *image_top,
		   int *ret_lock, struct err *err);
/* That lock, for a container that brings its ids along: a descriptor of the caller's, or a negative errno. */
int userns_lock(const struct engine *e, struct err *err);
/* Whether it has ids for itself alone. */
bool userns_is_auto(const struct container_config *config);
/*
 * Ids that another container of the store has as well, where one of the two is to have its own for itself alone.
 * *ret_name: that container's, owned; NULL: there is none.
 */
int userns_find_overlap(struct engine *e, const struct container_config *config,
			struct container_idmap *ret_with, char **ret_name, struct err *err);
/* The same maps for the kernel layer; idmap_done() is the caller's. Empty without a user namespace. */
void userns_maps(const struct container_config *config, struct idmap *ret_uids,
		 struct idmap *ret_gids);
/* What an id inside is outside; the same without a user namespace. -ENOENT. */
int userns_outside(const struct container_config *config, bool is_group, uint32_t id,
		   uint32_t *ret);
int userns_owner_outside(const struct container_config *config, uint32_t uid, uint32_t gid,
			 uint32_t *ret_uid, uint32_t *ret_gid);
/* Give an open file (also of O_PATH) to root of the container; without a user namespace it stays whose it is. -ERANGE: root is not mapped. */
int userns_own_by_root(const struct container_config *config, int fd);
/* Whether a new user namespace is made for it. */
bool userns_is_own(const struct container_config *config);
/* Root of the container may read the path on the way to these directories: their parents below the engine's places
 * become searchable for everybody. */
int userns_make_accessible(const struct engine *e, const char *const *paths, size_t n,
			   struct err *err);
