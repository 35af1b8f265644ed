/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CRIU's configuration files: lines "option", "option value", "# comment"; a value may be in double or single quotes, after
 * which the rest of the line is ignored.
 */
#pragma once

#include "core/macro.h"

struct criu_config_line {
	char *name; /* owned, as is the value; "" on a line without an option */
	char *value; /* "" when there is none */
};

#define CRIU_CONFIG_LINE_INIT                                                                      \
	{                                                                                          \
		0                                                                                  \
	}

/* Take the next line off *text into *line, which is zeroed or one of before. False at the end, where *line is done. */
bool criu_config_next(const char **text, struct criu_config_line *line);
/* The last value of that option in the file; NULL when it has none, or there is no such file. The caller owns it. */
char *criu_config_value(const char *path, const char *name);
