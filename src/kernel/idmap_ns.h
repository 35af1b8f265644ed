/* SPDX-License-Identifier: Apache-2.0 */
/* Id maps as the kernel takes them for mounts: as a user namespace that nobody is in. */
#pragma once

#include "core/err.h"
#include "kernel/idmap.h"

/* A user namespace with these maps, held by the descriptor alone. */
int idmap_ns_open(const struct idmap *uids, const struct idmap *gids, struct err *err);
