/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is in a checkpoint archive, without unpacking it: who was frozen, when, by whom, how much. Reads
 * the documents and CRIU's small images; of the memory only the pages that hold command lines and
 * environments, where they are wanted.
 */
#pragma once

#include "archive/reader.h"
#include "core/auto.h"
#include "core/json_table.h"

enum archive_inspect_flags {
	ARCHIVE_INSPECT_STATS = 1 << 0,
	ARCHIVE_INSPECT_METADATA = 1 << 1,
	ARCHIVE_INSPECT_MOUNTS = 1 << 2,
	ARCHIVE_INSPECT_PS_TREE = 1 << 3,
	ARCHIVE_INSPECT_PS_TREE_CMD = 1 << 4, /* with command lines */
	ARCHIVE_INSPECT_PS_TREE_ENV = 1 << 5, /* with environments */
	ARCHIVE_INSPECT_FILES = 1 << 6,
	ARCHIVE_INSPECT_SOCKETS = 1 << 7,
	ARCHIVE_INSPECT_ALL = (1 << 8) - 1,
};

struct archive_report;

/* Read the whole of reader, from its beginning. The caller frees *ret. */
int archive_inspect(struct archive_report **ret, struct archive_reader *reader, unsigned int flags,
		    struct err *err);
void archive_report_free(struct archive_report *report);
/* Of the processes leave only the one with this pid and those below it. ERR_NOT_FOUND. */
int archive_report_select(struct archive_report *report, uint32_t pid, struct err *err);
/* One object, with checkpointctl's keys; the caller owns it (json_object_put). */
struct json_object *archive_report_to_json(const struct archive_report *report) MUST_CHECK;
/* checkpointctl's tree, with a title line; the caller owns it. */
char *archive_report_to_tree(const struct archive_report *report, const char *title) MUST_CHECK;

DEFINE_AUTO_PTR(archive_report, struct archive_report, archive_report_free)
#define auto_archive_report auto_cleanup(archive_report_cleanup_ptr)
