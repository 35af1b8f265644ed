/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/floe/confirm.h"

#include <stdio.h>

#include "cli/cli.h"
#include "core/alloc.h"

int confirm(const char *warning, struct err *err)
{
	auto_free char *text = xasprintf("%s\nAre you sure you want to continue? [y/N] ", warning);
	char line[16];
	int r = cli_print(text, err);

	if (r < 0)
		return r;
	if (!fgets(line, sizeof(line), stdin))
		return err_set(err, ERR_USAGE,
			       "ask whether to continue: the input has ended, nothing is removed; "
			       "use --force to go on without being asked");
	return *line == 'y' || *line == 'Y';
}
