/* SPDX-License-Identifier: Apache-2.0 */
/* What CRIU measured, from stats-dump and stats-restore in its work directory. */
#pragma once

#include <stdint.h>

#include "core/err.h"
#include "core/macro.h"

#define CRIU_STATS_DUMP "stats-dump"
#define CRIU_STATS_RESTORE "stats-restore"

/* Times are microseconds. Members that a CRIU does not write are 0. */
struct criu_stats {
	struct {
		uint32_t freezing_time; /* until all tasks stood still */
		uint32_t frozen_time; /* from then until they ran again or were killed */
		uint32_t memdump_time;
		uint32_t memwrite_time;
		uint64_t pages_scanned;
		uint64_t pages_skipped_parent;
		uint64_t pages_written;
		uint64_t pages_lazy;
	} dump;
	struct {
		uint32_t forking_time;
		uint32_t restore_time;
		uint64_t pages_compared;
		uint64_t pages_skipped_cow;
		uint64_t pages_restored;
	} restore;
};

/* Read dir_fd/name. ERR_NOT_FOUND when CRIU has not written it, ERR_CORRUPT. */
int criu_stats_load(struct criu_stats *ret, int dir_fd, const char *name, struct err *err);
/* The same from the file's content. */
int criu_stats_decode(struct criu_stats *ret, const void *data, size_t len, const char *name,
		      struct err *err);
