/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Networks in CNI's files, as podman 4 writes and reads them: a list of plugins, bridge, macvlan or ipvlan first, with its labels and
 * options below "args". What such a file has beyond that stays in the file, and is what the plugins get.
 */
#pragma once

#include "network/cni.h"
#include "network/config.h"

/* All of the directory; what cannot be read is left out with a warning. -errno. */
int cni_list_load(struct network_list *list, const char *dir);
/* What a list says, in our terms; the caller owns what is in it. created: seconds since the epoch. */
void cni_list_to_network(const struct cni_network *cni, int64_t created, struct network *ret);
/* The text of a file, which the caller owns. ERR_UNSUPPORTED: CNI has no word for what the network is. */
int cni_list_from_network(const struct network *network, const struct network_dir *dir, char **ret,
			  struct err *err);
/* Write its file, which must not exist (ERR_EXISTS). */
int cni_list_save(const struct network *network, const struct network_dir *dir, struct err *err);
/* Remove the file that has a network of this name, whatever the file is called, and a bridge that is left of it. */
int cni_list_remove(const char *name, const char *dir, struct err *err);
