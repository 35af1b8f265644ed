/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the log of a container whose log driver is journald. */
#pragma once

#include "engine/log_file.h"

/* As log_file_read(). */
int log_journal_read(struct container *c, const struct log_read_options *options,
		     int (*each)(void *context, const struct log_line *line, struct err *err),
		     void *context, struct err *err);
