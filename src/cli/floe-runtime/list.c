/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/floe-runtime/commands.h"

#include <string.h>

#include "cli/table.h"
#include "core/alloc.h"
#include "runtime/container.h"
#include "runtime/list.h"

enum format { FORMAT_TABLE, FORMAT_JSON };

struct options {
	enum format format;
	bool quiet;
};

static int print_ids(const struct runtime *rt, struct err *err)
{
	auto_strvec struct strvec ids = STRVEC_INIT;
	auto_strbuf struct strbuf sb = STRBUF_INIT;
	int r = container_list_ids(rt, &ids, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < ids.n; i++)
		strbuf_addf(&sb, "%s\n", ids.v[i]);
	return cli_print(sb.buf, err);
}

static void add_json(struct strbuf *sb, const struct container_states *states)
{
	for (size_t i = 0; i < states->n; i++) {
		auto_free char *text =
			json_encode(&container_state_desc, &states->v[i], JSON_COMPACT);

		strbuf_addf(sb, "%s%s", i ? "," : "[", text);
	}
	/* As the field has it: no container is null. */
	strbuf_adds(sb, states->n ? "]\n" : "null\n");
}

static void add_table(struct strbuf *sb, const struct container_states *states)
{
	static const char *const titles[] = { "ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER" };
	auto_cli_text_table struct cli_text_table table = { .n_columns = ARRAY_SIZE(titles) };

	for (size_t i = 0; i < ARRAY_SIZE(titles); i++)
		cli_text_table_add(&table, titles[i]);
	for (size_t i = 0; i < states->n; i++) {
		const struct container_state *s = &states->v[i];
		auto_free char *pid = xasprintf("%d", s->pid);

		cli_text_table_add(&table, s->id);
		cli_text_table_add(&table, pid);
		cli_text_table_add(&table, s->status);
		cli_text_table_add(&table, s->bundle);
		cli_text_table_add(&table, s->created);
		cli_text_table_add(&table, s->owner);
	}
	cli_text_table_format(&table, 12, 3, sb);
}

static int run(const struct cli_invocation *inv, struct err *err)
{
	const struct options *cli = inv->options;
	auto_container_states struct container_states states = { 0 };
	auto_strbuf struct strbuf sb = STRBUF_INIT;
	struct runtime *rt;
	int r = command_open_root(inv, false, &rt, err);

	if (r < 0)
		return r;
	if (cli->quiet)
		return print_ids(rt, err);
	r = container_list_states(rt, &states, err);
	if (r < 0)
		return r;
	if (cli->format == FORMAT_JSON)
		add_json(&sb, &states);
	else
		add_table(&sb, &states);
	return cli_print(sb.buf, err);
}

static const struct cli_choice formats[] = {
	{ "table", FORMAT_TABLE },
	{ "json", FORMAT_JSON },
	{ NULL, 0 },
};

static const struct cli_option rows[] = {
	OPT_ENUM(struct options, format, "format", 'f', "FORMAT", formats, "form of the output"),
	OPT_FLAG(struct options, quiet, "quiet", 'q', "print the ids only"),
};

const struct cli_command list_command = {
	.name = "list",
	.summary = "list the containers of a state root",
	.description = "A container whose state cannot be read is left out with a warning; --quiet "
		       "has its id all the same.",
	CLI_OPTIONS(struct options, rows),
	.min_args = 0,
	.max_args = 0,
	.run = run,
};
