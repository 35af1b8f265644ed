/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A checkpoint as podman's archive: CRIU's images, what the container changed in its root file system, its
 * volumes, shared memory, log and configuration, written in one pass.
 *
 * What the container could change while it is archived is copied first, while it is frozen
 * (checkpoint_snapshot()); one that has ended changes nothing any more and is read where it is.
 */
#pragma once

#include "archive/writer.h"
#include "engine/container.h"
#include "storage/rootfs.h"

struct checkpoint_export {
	const char *target; /* FILE, "-", "dir:PATH" */
	enum archive_codec codec;
	bool ignore_rootfs;
	bool ignore_volumes;
};

/* What a container was at one moment, beside what it is now. */
struct checkpoint_snapshot {
	struct rootfs_changes changes;
	uint64_t log_bytes; /* of the log, by then */
	uint64_t bytes; /* that were copied, apparent */
	uint64_t us; /* how long that took */
};

void checkpoint_snapshot_done(struct checkpoint_snapshot *snapshot);
DEFINE_AUTO_VAL(checkpoint_snapshot, struct checkpoint_snapshot, checkpoint_snapshot_done)
#define auto_checkpoint_snapshot auto_cleanup(checkpoint_snapshot_cleanup_val)

/*
 * ERR_UNSUPPORTED when the container depends on others, or when it is to end and has files that no archive has; when it runs on
 * the latter is a warning.
 */
int checkpoint_export_check(const struct container *c, const struct checkpoint_export *options,
			    bool ends, struct err *err);
/* Copy what the processes could change from now on: root file system and volumes. The container is frozen. */
int checkpoint_snapshot(const struct container *c, const struct checkpoint_export *options,
			struct checkpoint_snapshot *ret, struct err *err);
/* Remove what was copied. */
void checkpoint_snapshot_drop(const struct container *c);
/*
 * Write the archive. pre: of the pre-checkpoint alone. snapshot: what is archived in place of what runs; NULL: it
 * does not run. The writer is committed.
 */
int checkpoint_export_write(const struct container *c, const struct checkpoint_export *options,
			    const struct checkpoint_snapshot *snapshot, struct archive_writer *w,
			    bool pre, struct archive_writer_result *ret, struct err *err);
