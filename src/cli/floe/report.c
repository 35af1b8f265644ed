/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/floe/report.h"

#include <string.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/io.h"

void report_error(const struct err *err)
{
	auto_free char *line = xasprintf("Error: %s\n", err->msg);

	(void)io_write_all(STDERR_FILENO, line, strlen(line));
}
