/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the log of a container whose log driver is journald. */
#pragma once

#include "engine/log_file.h"

struct log_journal;
/* As log_file_open(), log_file_more() and log_file_close(). The second waits a moment for what comes. */
int log_journal_open(struct container *c, const struct log_read_options *options,
		     const struct log_listener *listener, struct log_journal **ret,
		     struct err *err);
int log_journal_more(struct log_journal *r, struct err *err);
void log_journal_close(struct log_journal *r);
