/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Id maps of user namespaces (user_namespaces(7)): which id outside stands for which id inside. The
 * same algebra serves users and groups. Pure; errors are negative errnos.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "core/auto.h"
#include "core/macro.h"
#include "core/strbuf.h"

/* `size` ids from `inside` on stand for those from `outside` on. */
struct idmap_range {
	uint32_t inside;
	uint32_t outside;
	uint32_t size;
};

struct idmap {
	struct idmap_range *v; /* owned */
	size_t n;
};

#define IDMAP_INIT                                                                                 \
	{                                                                                          \
		0                                                                                  \
	}
#define IDMAP_RANGES_MAX 340 /* of the kernel since 4.15 */

void idmap_done(struct idmap *map);
void idmap_add(struct idmap *map, uint32_t inside, uint32_t outside, uint32_t size);
/* 0; -EINVAL: a range is empty or reaches beyond the last id; -EEXIST: two ranges overlap, inside or
 * outside; -E2BIG: more than IDMAP_RANGES_MAX. An empty map is valid (it maps nothing). */
int idmap_check(const struct idmap *map);

/* -ENOENT when the id is not mapped. */
int idmap_to_outside(const struct idmap *map, uint32_t inside, uint32_t *ret_outside);
int idmap_to_inside(const struct idmap *map, uint32_t outside, uint32_t *ret_inside);
/* Whether all of `size` ids from `outside` on are mapped. */
bool idmap_covers_outside(const struct idmap *map, uint32_t outside, uint32_t size);
/* Lines as /proc/PID/uid_map takes them. */
void idmap_format(const struct idmap *map, struct strbuf *sb);
/* The content of a uid_map or gid_map. -EINVAL for anything else. */
int idmap_parse(struct idmap *ret, const char *text);

DEFINE_AUTO_VAL(idmap, struct idmap, idmap_done)
#define auto_idmap auto_cleanup(idmap_cleanup_val)
