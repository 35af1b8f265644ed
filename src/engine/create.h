/* SPDX-License-Identifier: Apache-2.0 */
/* A new container's record. */
#pragma once

#include "engine/container.h"

/*
 * Complete a configuration (id, name, defaults, ids of containers that it names, anonymous volumes, what the
 * image says), check it, and write the record. has_entrypoint: the user gave one, maybe an empty one. *config is taken over, on failure too. ERR_EXISTS for a
 * name that is taken; ERR_INVALID, ERR_NOT_FOUND.
 */
int container_create(struct container *ret, struct engine *e, struct container_config *config,
		     bool has_entrypoint, struct err *err);

/* [a-zA-Z0-9][a-zA-Z0-9_.-]* */
bool container_name_is_valid(const char *name);
/* adjective_surname; n chooses. Caller owns. */
char *container_random_name(uint64_t n);
