/* SPDX-License-Identifier: Apache-2.0 */
/* A running container becomes a directory of images, or an archive. The container is locked. */
#pragma once

#include "criu/stats.h"
#include "engine/checkpoint_export.h"
#include "engine/container.h"

struct checkpoint_options {
	bool keep; /* logs and statistics of CRIU stay */
	bool leave_running;
	bool tcp_established;
	bool file_locks;
	bool pre_checkpoint; /* memory only, while it runs on */
	bool with_previous; /* build upon the last pre-checkpoint */
	const struct checkpoint_export *export; /* NULL: the checkpoint stays here */
};

struct checkpoint_result {
	uint64_t runtime_us; /* wall time of the runtime's part */
	struct criu_stats stats; /* zeroes where CRIU wrote none */
	struct archive_writer_result archive;
	uint64_t snapshot_us; /* of an archive of what runs on: how long it stood still besides */
	uint64_t snapshot_bytes;
};

/*
 * With an archive the container is removed afterwards when it was made with --rm. On failure the container runs on, and the checkpoint that there was before is still good; the message says both.
 * ERR_STATE when it does not run, and for --rm without an archive.
 */
int container_checkpoint(struct container *c, const struct checkpoint_options *options,
			 struct checkpoint_result *ret, struct err *err);

/* Whether CRIU can track memory here, which pre-checkpoints need. ERR_UNSUPPORTED. */
int checkpoint_need_memory_tracking(struct err *err);
