/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/idmap.h"

#include <errno.h>
#include <string.h>

#include "core/alloc.h"
#include "core/parse.h"

void idmap_done(struct idmap *map)
{
	free(map->v);
	*map = (struct idmap)IDMAP_INIT;
}

void idmap_add(struct idmap *map, uint32_t inside, uint32_t outside, uint32_t size)
{
	*array_push(map->v, map->n) = (struct idmap_range){ inside, outside, size };
}

/* Whether the ids [a, a + n) and [b, b + m) have one in common; no overflow in 64 bits. */
static bool overlaps(uint64_t a, uint64_t n, uint64_t b, uint64_t m)
{
	return a < b + m && b < a + n;
}

/* The last id, (uint32_t)-1, means "none" in system calls, and no range may hold it. */
static bool is_range(const struct idmap_range *r)
{
	return r->size > 0 && (uint64_t)r->inside + r->size <= UINT32_MAX &&
	       (uint64_t)r->outside + r->size <= UINT32_MAX;
}

int idmap_check(const struct idmap *map)
{
	if (map->n > IDMAP_RANGES_MAX)
		return -E2BIG;
	for (size_t i = 0; i < map->n; i++) {
		const struct idmap_range *a = &map->v[i];

		if (!is_range(a))
			return -EINVAL;
		for (size_t j = 0; j < i; j++) {
			const struct idmap_range *b = &map->v[j];

			if (overlaps(a->inside, a->size, b->inside, b->size) ||
			    overlaps(a->outside, a->size, b->outside, b->size))
				return -EEXIST;
		}
	}
	return 0;
}

int idmap_to_outside(const struct idmap *map, uint32_t inside, uint32_t *ret_outside)
{
	for (size_t i = 0; i < map->n; i++) {
		const struct idmap_range *r = &map->v[i];

		if (inside >= r->inside && inside - r->inside < r->size) {
			*ret_outside = r->outside + (inside - r->inside);
			return 0;
		}
	}
	return -ENOENT;
}

int idmap_to_inside(const struct idmap *map, uint32_t outside, uint32_t *ret_inside)
{
	for (size_t i = 0; i < map->n; i++) {
		const struct idmap_range *r = &map->v[i];

		if (outside >= r->outside && outside - r->outside < r->size) {
			*ret_inside = r->inside + (outside - r->outside);
			return 0;
		}
	}
	return -ENOENT;
}

bool idmap_covers_outside(const struct idmap *map, uint32_t outside, uint32_t size)
{
	uint64_t next = outside;
	uint64_t end = next + size;

	while (next < end) {
		uint64_t before = next;

		for (size_t i = 0; i < map->n; i++) {
			const struct idmap_range *r = &map->v[i];

			if (next >= r->outside && next - r->outside < r->size)
				next = (uint64_t)r->outside + r->size;
		}
		if (next == before)
			return false;
	}
	return true;
}

void idmap_format(const struct idmap *map, struct strbuf *sb)
{
	for (size_t i = 0; i < map->n; i++)
		strbuf_addf(sb, "%u %u %u\n", map->v[i].inside, map->v[i].outside, map->v[i].size);
}

static int parse_line(char *line, uint32_t ret[static 3])
{
	for (size_t i = 0; i < 3; i++) {
		char *word;

		do {
			word = strsep(&line, " \t");
		} while (word && !*word);
		if (!word || parse_u32(word, &ret[i]) < 0)
			return -EINVAL;
	}
	return line && line[strspn(line, " \t")] ? -EINVAL : 0;
}

int idmap_parse(struct idmap *ret, const char *text)
{
	auto_idmap struct idmap map = IDMAP_INIT;
	auto_free char *copy = xstrdup(text);
	char *rest = copy;
	char *line;

	while ((line = strsep(&rest, "\n"))) {
		uint32_t v[3];

		if (!*line && !rest)
			break;
		if (map.n == IDMAP_RANGES_MAX || parse_line(line, v) < 0)
			return -EINVAL;
		idmap_add(&map, v[0], v[1], v[2]);
	}
	*ret = map;
	map = (struct idmap)IDMAP_INIT;
	return 0;
}
