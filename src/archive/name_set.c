/* SPDX-License-Identifier: Apache-2.0 */
#include "archive/name_set.h"

#include "core/alloc.h"
#include "core/str.h"

/* FNV-1a. Who chooses names that collide gets a slow search among at most as many names as are allowed. */
static size_t hash(const char *name)
{
	uint64_t h = 0xcbf29ce484222325ULL;

	for (; *name; name++)
		h = (h ^ (uint8_t)*name) * 0x100000001b3ULL;
	return (size_t)(h ^ h >> 32);
}

static size_t find(char *const *table, size_t n, const char *name)
{
	size_t i = hash(name) & (n - 1);

	while (table[i] && !str_eq(table[i], name))
		i = (i + 1) & (n - 1);
	return i;
}

static void grow(struct name_set *set)
{
	size_t n = set->n_table ? set->n_table * 2 : 64;
	char **table = xcalloc(n, sizeof(*table));

	for (size_t i = 0; i < set->n_table; i++)
		if (set->table[i])
			table[find(table, n, set->table[i])] = set->table[i];
	free(set->table);
	set->table = table;
	set->n_table = n;
}

bool name_set_add(struct name_set *set, const char *name)
{
	size_t i;

	if (set->n * 2 >= set->n_table)
		grow(set);
	i = find(set->table, set->n_table, name);
	if (set->table[i])
		return false;
	set->table[i] = xstrdup(name);
	set->n++;
	return true;
}

void name_set_done(struct name_set *set)
{
	for (size_t i = 0; i < set->n_table; i++)
		free(set->table[i]);
	free(set->table);
	*set = (struct name_set){ 0 };
}
