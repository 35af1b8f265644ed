/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/floe-runtime/checkpoint_stats.h"

#include <string.h>

#include "core/auto.h"
#include "core/fd.h"
#include "core/io.h"
#include "core/json_table.h"
#include "criu/stats.h"

struct dump_stats {
	uint32_t freezing_time;
	uint32_t frozen_time;
	uint32_t memdump_time;
	uint32_t memwrite_time;
	uint64_t pages_scanned;
	uint64_t pages_skipped_parent;
	uint64_t pages_written;
	uint64_t pages_lazy;
};

#define T struct dump_stats
JSON_DESC_STATIC(dump_stats_desc, T, F_U32(T, freezing_time, "freezing_time", JSON_ALWAYS),
		 F_U32(T, frozen_time, "frozen_time", JSON_ALWAYS),
		 F_U32(T, memdump_time, "memdump_time", JSON_ALWAYS),
		 F_U32(T, memwrite_time, "memwrite_time", JSON_ALWAYS),
		 F_U64(T, pages_scanned, "pages_scanned", JSON_ALWAYS),
		 F_U64(T, pages_skipped_parent, "pages_skipped_parent", JSON_ALWAYS),
		 F_U64(T, pages_written, "pages_written", JSON_ALWAYS),
		 F_U64(T, pages_lazy, "pages_lazy", JSON_ALWAYS));
#undef T

int checkpoint_print_stats(const struct checkpoint_options *opts, struct err *err)
{
	const char *path = opts->work_path  ? opts->work_path :
			   opts->image_path ? opts->image_path :
					      CHECKPOINT_DEFAULT_DIRECTORY;
	auto_close int dir_fd = fd_open_at(AT_FDCWD, path, O_PATH | O_DIRECTORY, 0);
	auto_free char *text = NULL;
	struct dump_stats stats;
	struct criu_stats all;
	int r;

	if (dir_fd < 0)
		return err_sys(err, dir_fd, "open '%s'", path);
	r = criu_stats_load(&all, dir_fd, CRIU_STATS_DUMP, err);
	if (r < 0)
		return r;
	stats = (struct dump_stats){
		.freezing_time = all.dump.freezing_time,
		.frozen_time = all.dump.frozen_time,
		.memdump_time = all.dump.memdump_time,
		.memwrite_time = all.dump.memwrite_time,
		.pages_scanned = all.dump.pages_scanned,
		.pages_skipped_parent = all.dump.pages_skipped_parent,
		.pages_written = all.dump.pages_written,
		.pages_lazy = all.dump.pages_lazy,
	};
	text = json_encode(&dump_stats_desc, &stats, JSON_COMPACT);
	r = io_write_all(STDOUT_FILENO, text, strlen(text));
	if (r == 0)
		r = io_write_all(STDOUT_FILENO, "\n", 1);
	return r < 0 ? err_sys(err, r, "write to stdout") : 0;
}
