/* SPDX-License-Identifier: Apache-2.0 */
/* What checkpoint and restore measured, as podman's --print-stats has it. */
#pragma once

#include <stdint.h>

#include "core/err.h"
#include "criu/stats.h"
#include "engine/checkpoint.h"

struct json_object;

struct checkpoint_stats {
	struct json_object *containers; /* owned */
	uint64_t begin_ns;
};

void checkpoint_stats_begin(struct checkpoint_stats *stats);
/* With what podman does not have: how long files of a container that runs on were copied ("snapshot_duration", µs), and
 * how much ("snapshot_bytes"). */
void checkpoint_stats_add_dump(struct checkpoint_stats *stats, const char *id,
			       const struct checkpoint_result *result);
void checkpoint_stats_add_restore(struct checkpoint_stats *stats, const char *id,
				  uint64_t runtime_us, const struct criu_stats *criu);
/* key: of the whole duration. Prints, and releases. */
int checkpoint_stats_print(struct checkpoint_stats *stats, const char *key, struct err *err);
