/* SPDX-License-Identifier: Apache-2.0 */
/* floe checkpoint inspect: what is in checkpoint archives. */
#include <json-c/json.h>

#include "archive/inspect.h"
#include "cli/floe/commands.h"
#include "core/alloc.h"
#include "core/json_auto.h"

enum format { FORMAT_TREE, FORMAT_JSON };

struct options {
	int format;
	uint32_t pid;
	bool all;
	bool files;
	bool metadata;
	bool mounts;
	bool ps_tree;
	bool ps_tree_cmd;
	bool ps_tree_env;
	bool sockets;
	bool stats;
};

/* What is asked for; without any such option what fits on a screen. */
static unsigned int flags_of(const struct options *o)
{
	unsigned int flags = 0;

	if (o->all)
		return ARCHIVE_INSPECT_ALL;
	flags |= o->files ? ARCHIVE_INSPECT_FILES | ARCHIVE_INSPECT_PS_TREE : 0;
	flags |= o->sockets ? ARCHIVE_INSPECT_SOCKETS | ARCHIVE_INSPECT_PS_TREE : 0;
	flags |= o->metadata ? ARCHIVE_INSPECT_METADATA : 0;
	flags |= o->mounts ? ARCHIVE_INSPECT_MOUNTS : 0;
	flags |= o->stats ? ARCHIVE_INSPECT_STATS : 0;
	flags |= o->ps_tree || o->pid ? ARCHIVE_INSPECT_PS_TREE : 0;
	flags |= o->ps_tree_cmd ? ARCHIVE_INSPECT_PS_TREE_CMD | ARCHIVE_INSPECT_PS_TREE : 0;
	flags |= o->ps_tree_env ? ARCHIVE_INSPECT_PS_TREE_ENV | ARCHIVE_INSPECT_PS_TREE : 0;
	return flags ? flags :
		       ARCHIVE_INSPECT_STATS | ARCHIVE_INSPECT_MOUNTS | ARCHIVE_INSPECT_PS_TREE |
			       ARCHIVE_INSPECT_PS_TREE_CMD;
}

static int inspect_one(const struct options *o, const char *path, struct json_object *list,
		       struct err *err)
{
	auto_archive_reader struct archive_reader *reader = NULL;
	auto_archive_report struct archive_report *report = NULL;
	auto_free char *tree = NULL;
	int r = archive_reader_open(&reader, path, NULL, err);

	if (r == 0)
		r = archive_inspect(&report, reader, flags_of(o), err);
	if (r == 0 && o->pid)
		r = archive_report_select(report, o->pid, err);
	if (r < 0)
		return err_wrap(err, r, "inspect '%s'", path);
	if (o->format == FORMAT_JSON) {
		(void)json_object_array_add(list, archive_report_to_json(report));
		return 0;
	}
	tree = archive_report_to_tree(report, path);
	return cli_print(tree, err);
}

static int run(const struct cli_invocation *inv, struct err *err)
{
	const struct options *o = inv->options;
	auto_json struct json_object *list = json_object_new_array();
	auto_free char *text = NULL;
	int r = 0;

	for (size_t i = 0; r == 0 && i < inv->n_args; i++)
		r = inspect_one(o, inv->args[i], list, err);
	if (r < 0 || o->format != FORMAT_JSON)
		return r;
	text = json_value_to_text(list, JSON_INDENT2);
	return cli_print_line(text, err);
}

static const struct cli_choice formats[] = { { "tree", FORMAT_TREE },
					     { "json", FORMAT_JSON },
					     { NULL, 0 } };

#define T struct options
static const struct cli_option rows[] = {
	OPT_ENUM(T, format, "format", 0, "FORMAT", formats, "how to print it (default: tree)"),
	OPT_FLAG(T, all, "all", 0, "everything below"),
	OPT_FLAG(T, stats, "stats", 0, "CRIU's statistics of the checkpoint"),
	OPT_FLAG(T, metadata, "metadata", 0, "pod, namespace and annotations"),
	OPT_FLAG(T, mounts, "mounts", 0, "the mounts"),
	OPT_FLAG(T, ps_tree, "ps-tree", 0, "the processes by their names"),
	OPT_FLAG(T, ps_tree_cmd, "ps-tree-cmd", 0, "the processes with their arguments"),
	OPT_FLAG(T, ps_tree_env, "ps-tree-env", 0, "the processes with their environments"),
	OPT_U32(T, pid, "pid", 'p', "PID", "only this process and those below it"),
	OPT_FLAG(T, files, "files", 0, "the processes with their open files"),
	OPT_FLAG(T, sockets, "sockets", 0, "the processes with their sockets"),
};
#undef T

const struct cli_command floe_checkpoint_inspect_command = {
	.name = "inspect",
	.arguments = "ARCHIVE...",
	.summary = "show what is in checkpoint archives",
	.description = "Reads archives that floe, podman, CRI-O or containerd made, without "
		       "unpacking them; "
		       "'-' is standard input, a directory is one that 'dir:' made. Without an "
		       "option that "
		       "names something, statistics, mounts and processes are shown.",
	CLI_OPTIONS(struct options, rows),
	.min_args = 1,
	.max_args = CLI_ARGS_ANY,
	.run = run,
	.error_code = FLOE_EXIT_ERROR,
};
