/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/config_file.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "core/auto.h"
#include "core/io.h"
#include "core/str.h"

#define CONFIG_SIZE_MAX (64U << 10)

/* Cut spaces from both ends, in place. */
static char *trim(char *s)
{
	char *end = s + strlen(s);

	while (end > s && strchr(" \t\r", end[-1]))
		*--end = '\0';
	return s + strspn(s, " \t");
}

static int read_line(const struct cli_table *table, const char *path, unsigned int number,
		     char *line, struct err *err)
{
	const struct cli_option *option;
	char *equals = strchr(line, '=');
	const char *key;
	const char *value;
	int r;

	if (!equals)
		return err_set(err, ERR_INVALID, "%s:%u: expected `key = value`", path, number);
	*equals = '\0';
	key = trim(line);
	value = trim(equals + 1);
	option = cli_option_find(table->rows, table->n, key);
	if (!option || !(option->flags & CLI_CONFIGURABLE))
		return err_set(err, ERR_INVALID, "%s:%u: unknown key '%s'", path, number, key);
	if (!*value)
		return err_set(err, ERR_INVALID, "%s:%u: '%s' has no value", path, number, key);
	r = cli_option_set(option, table->into, value, key, err);
	return r < 0 ? err_wrap(err, r, "%s:%u", path, number) : 0;
}

int cli_config_load(const char *path, const struct cli_table *table, char **ret_text,
		    struct err *err)
{
	auto_strbuf struct strbuf sb = STRBUF_INIT;
	unsigned int number = 0;
	char *line;
	char *rest;
	int r = io_read_file_at(AT_FDCWD, path, CONFIG_SIZE_MAX, &sb);

	if (r < 0)
		return err_sys(err, r, "read configuration '%s'", path);
	if (strlen(sb.buf) != sb.len)
		return err_set(err, ERR_INVALID, "read configuration '%s': it is no text file",
			       path);
	rest = sb.buf;
	while ((line = strsep(&rest, "\n"))) {
		number++;
		line = trim(line);
		if (!*line || *line == '#')
			continue;
		r = read_line(table, path, number, line, err);
		if (r < 0)
			return r;
	}
	*ret_text = strbuf_take(&sb);
	return 0;
}
