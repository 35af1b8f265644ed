/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/environment.h"

#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "core/json_table.h"
#include "core/strbuf.h"

#define NAME_CHARACTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_"

/* Where the list has this name (up to its "="), n when it has not. */
static size_t find(char *const *env, size_t n, const char *name, size_t len)
{
	size_t i = 0;

	while (i < n && (strncmp(env[i], name, len) != 0 || env[i][len] != '='))
		i++;
	return i;
}

bool environment_has(char *const *env, size_t n, const char *name)
{
	return find(env, n, name, strcspn(name, "=")) < n;
}

void environment_unset(char **env, size_t *n, const char *name)
{
	size_t i = find(env, *n, name, strcspn(name, "="));

	if (i == *n)
		return;
	free(env[i]);
	(*n)--;
	memmove(&env[i], &env[i + 1], (*n - i) * sizeof(*env));
	env[*n] = NULL;
}

void environment_set(char ***env, size_t *n, const char *entry)
{
	environment_unset(*env, n, entry);
	json_strings_add(env, n, entry);
}

char *environment_expand(const char *text, char *const *env, size_t n)
{
	auto_strbuf struct strbuf sb = STRBUF_INIT;

	while (*text) {
		const char *name;
		size_t len;
		size_t i;

		if (*text != '$') {
			strbuf_addc(&sb, *text++);
			continue;
		}
		name = text[1] == '{' ? text + 2 : text + 1;
		len = strspn(name, NAME_CHARACTERS);
		i = find(env, n, name, len);
		if (i < n)
			strbuf_adds(&sb, env[i] + len + 1);
		text = name + len;
		if (name[-1] == '{' && *text == '}')
			text++;
	}
	return strbuf_take(&sb);
}
