/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/os_release.h"

#include <fcntl.h>
#include <string.h>

#include "core/alloc.h"
#include "core/io.h"
#include "core/str.h"
#include "core/strbuf.h"

#define FILE_MAX (64U << 10)

char *os_release_value(const char *key)
{
	auto_strbuf struct strbuf text = STRBUF_INIT;
	char *rest;
	char *line;

	if (io_read_file_at(AT_FDCWD, "/etc/os-release", FILE_MAX, &text) < 0) {
		strbuf_clear(&text);
		(void)io_read_file_at(AT_FDCWD, "/usr/lib/os-release", FILE_MAX, &text);
	}
	rest = text.buf;
	while (rest && (line = strsep(&rest, "\n"))) {
		const char *value = str_skip_prefix(line, key);
		char quote;

		if (!value || *value++ != '=')
			continue;
		quote = *value == '"' || *value == '\'' ? *value : '\0';
		value += quote != '\0';
		return xstrndup(value,
				quote ? strcspn(value, (char[]){ quote, '\0' }) : strlen(value));
	}
	return NULL;
}
