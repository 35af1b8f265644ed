/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program's configuration file: `key = value` lines whose keys are the long names of options that
 * are CLI_CONFIGURABLE. Blank lines and lines that begin with # are skipped; a flag's value is true
 * or false. Anything else is an error with file and line.
 */
#pragma once

#include "cli/cli.h"

/*
 * Read path into the struct of the table. ret_text is what the strings point into; the caller owns
 * it, as long as the struct is used. -ENOENT (with *err filled) when there is no such file;
 * ERR_INVALID `/etc/x.conf:3: unknown key 'y'` for what is wrong in it.
 */
int cli_config_load(const char *path, const struct cli_table *table, char **ret_text,
		    struct err *err);
