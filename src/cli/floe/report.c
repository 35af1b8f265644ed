/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/floe/report.h"

#include <string.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/io.h"
#include "core/utf8.h"

void report_error(const struct err *err)
{
	/* What the user typed is in it, and what others wrote: a name shall not set the terminal's colours. */
	auto_free char *text = utf8_printable(err->msg);
	auto_free char *line = xasprintf("Error: %s\n", text);

	(void)io_write_all(STDERR_FILENO, line, strlen(line));
}
