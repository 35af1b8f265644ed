/* SPDX-License-Identifier: Apache-2.0 */
/* A table of text for people: columns as wide as their widest cell, as Go's tabwriter lays it out. */
#pragma once

#include "core/auto.h"
#include "core/strbuf.h"
#include "core/strvec.h"

struct cli_text_table {
	size_t n_columns; /* set by the caller */
	struct strvec cells; /* row by row */
};

/* Append a copy of the text as the next cell. */
void cli_text_table_add(struct cli_text_table *table, const char *cell);
/* A column is at least min_width wide, with `padding` spaces behind its widest cell; the last one is
 * not padded. Width is counted in characters. */
void cli_text_table_format(const struct cli_text_table *table, size_t min_width, size_t padding,
			   struct strbuf *sb);
void cli_text_table_done(struct cli_text_table *table);

DEFINE_AUTO_VAL(cli_text_table, struct cli_text_table, cli_text_table_done)
#define auto_cli_text_table auto_cleanup(cli_text_table_cleanup_val)
