/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/table.h"

#include <string.h>

#include "core/alloc.h"

void cli_text_table_add(struct cli_text_table *table, const char *cell)
{
	strvec_add(&table->cells, cell);
}

/* Characters of UTF-8 text: all bytes but continuations. */
static size_t width_of(const char *s)
{
	size_t n = 0;

	for (; *s; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

static size_t column_width(const struct cli_text_table *table, size_t column, size_t min_width,
			   size_t padding)
{
	size_t width = min_width;

	for (size_t i = column; i < table->cells.n; i += table->n_columns)
		width = MAX(width, width_of(table->cells.v[i]) + padding);
	return width;
}

void cli_text_table_format(const struct cli_text_table *table, size_t min_width, size_t padding,
			   struct strbuf *sb)
{
	auto_free size_t *widths = xcalloc(table->n_columns, sizeof(*widths));

	for (size_t i = 0; i < table->n_columns; i++)
		widths[i] = column_width(table, i, min_width, padding);
	for (size_t i = 0; i < table->cells.n; i++) {
		const char *cell = table->cells.v[i];
		size_t column = i % table->n_columns;
		bool last = column + 1 == table->n_columns;
		size_t rest = last ? 0 : widths[column] - width_of(cell);

		strbuf_adds(sb, cell);
		memset(strbuf_reserve(sb, rest), ' ', rest);
		strbuf_advance(sb, rest);
		if (last)
			strbuf_addc(sb, '\n');
	}
}

void cli_text_table_done(struct cli_text_table *table)
{
	strvec_done(&table->cells);
}
