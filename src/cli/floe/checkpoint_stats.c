/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/floe/checkpoint_stats.h"

#include <json-c/json.h>

#include "cli/cli.h"
#include "cli/floe/view.h"
#include "core/clock.h"

void checkpoint_stats_begin(struct checkpoint_stats *stats)
{
	stats->containers = json_object_new_array();
	stats->begin_ns = clock_now_monotonic_ns();
}

static struct json_object *add(struct checkpoint_stats *stats, const char *id, const char *key,
			       uint64_t runtime_us, struct json_object *criu)
{
	struct json_object *o = json_object_new_object();

	view_add(o, "Id", id);
	view_add_i64(o, key, (int64_t)runtime_us);
	json_object_object_add(o, "criu_statistics", criu);
	json_object_array_add(stats->containers, o);
	return o;
}

void checkpoint_stats_add_dump(struct checkpoint_stats *stats, const char *id,
			       const struct checkpoint_result *result)
{
	const struct criu_stats *criu = &result->stats;
	struct json_object *o = json_object_new_object();

	view_add_i64(o, "freezing_time", criu->dump.freezing_time);
	view_add_i64(o, "frozen_time", criu->dump.frozen_time);
	view_add_i64(o, "memdump_time", criu->dump.memdump_time);
	view_add_i64(o, "memwrite_time", criu->dump.memwrite_time);
	view_add_i64(o, "pages_scanned", (int64_t)criu->dump.pages_scanned);
	view_add_i64(o, "pages_written", (int64_t)criu->dump.pages_written);
	o = add(stats, id, "runtime_checkpoint_duration", result->runtime_us, o);
	if (result->snapshot_us == 0)
		return;
	view_add_i64(o, "snapshot_duration", (int64_t)result->snapshot_us);
	view_add_i64(o, "snapshot_bytes", (int64_t)result->snapshot_bytes);
}

void checkpoint_stats_add_restore(struct checkpoint_stats *stats, const char *id,
				  uint64_t runtime_us, const struct criu_stats *criu)
{
	struct json_object *o = json_object_new_object();

	view_add_i64(o, "pages_compared", (int64_t)criu->restore.pages_compared);
	view_add_i64(o, "pages_skipped_cow", (int64_t)criu->restore.pages_skipped_cow);
	view_add_i64(o, "forking_time", criu->restore.forking_time);
	view_add_i64(o, "restore_time", criu->restore.restore_time);
	view_add_i64(o, "pages_restored", (int64_t)criu->restore.pages_restored);
	(void)add(stats, id, "runtime_restore_duration", runtime_us, o);
}

int checkpoint_stats_print(struct checkpoint_stats *stats, const char *key, struct err *err)
{
	struct json_object *o = json_object_new_object();
	auto_strbuf struct strbuf sb = STRBUF_INIT;
	auto_free char *text = NULL;

	view_add_i64(o, key, (int64_t)((clock_now_monotonic_ns() - stats->begin_ns) / 1000));
	json_object_object_add(o, "container_statistics", stats->containers);
	stats->containers = NULL;
	text = json_value_to_text(o, JSON_INDENT4);
	(void)json_object_put(o);
	strbuf_addf(&sb, "%s\n", text);
	return cli_print(sb.buf, err);
}
