/* SPDX-License-Identifier: Apache-2.0 */
#include "criu/config_file.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "core/io.h"
#include "core/str.h"

#define CONFIG_MAX ((size_t)1 << 20)

/* The value of an option: up to a blank, or within quotes. */
static char *parse_value(const char *s)
{
	s += strspn(s, " \t");
	if (*s == '"' || *s == '\'') {
		const char quote[] = { *s, '\0' };

		return xstrndup(s + 1, strcspn(s + 1, quote));
	}
	return xstrndup(s, strcspn(s, " \t#"));
}

bool criu_config_next(const char **text, struct criu_config_line *line)
{
	size_t len = strcspn(*text, "\n");
	auto_free char *whole = NULL;
	const char *start;
	size_t name_len;

	free(line->name);
	free(line->value);
	*line = (struct criu_config_line)CRIU_CONFIG_LINE_INIT;
	if (!**text)
		return false;
	whole = xstrndup(*text, len);
	*text += len + ((*text)[len] == '\n');
	start = whole + strspn(whole, " \t");
	name_len = strcspn(start, " \t#");
	line->name = xstrndup(start, name_len);
	line->value = parse_value(start + name_len);
	return true;
}

char *criu_config_value(const char *path, const char *name)
{
	auto_strbuf struct strbuf sb = STRBUF_INIT;
	struct criu_config_line line = CRIU_CONFIG_LINE_INIT;
	const char *text;
	char *value = NULL;

	if (io_read_file_at(AT_FDCWD, path, CONFIG_MAX, &sb) < 0)
		return NULL;
	text = sb.buf;
	while (criu_config_next(&text, &line))
		if (strcmp(line.name, name) == 0 && !str_is_empty(line.value))
			replace_ptr(value, take_ptr(line.value));
	return value;
}
