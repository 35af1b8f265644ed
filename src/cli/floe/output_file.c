/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/floe/output_file.h"

#include <unistd.h>

#include "core/str.h"

int output_file_open(struct output *ret, const char *command, const char *path, struct err *err)
{
	if (path && !str_eq(path, "-") && !str_eq(path, "/dev/stdout"))
		return output_open_file(ret, path, 0666, err);
	if (isatty(STDOUT_FILENO))
		return err_set(err, ERR_USAGE,
			       "%s: stdout is a terminal; use --output FILE or redirect it",
			       command);
	ret->fd = STDOUT_FILENO;
	ret->borrowed = true;
	return 0;
}
