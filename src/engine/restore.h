/* SPDX-License-Identifier: Apache-2.0 */
/* A container goes on from its checkpoint. The container is locked. */
#pragma once

#include "criu/stats.h"
#include "core/rooted.h"
#include "engine/container.h"
#include "spec/runtime_spec.h"

struct restore_options {
	bool keep; /* checkpoint, logs and statistics stay */
	bool tcp_established;
	bool tcp_close;
	bool file_locks;
	bool ignore_static_ip; /* any address will do */
	bool ignore_static_mac;
	const int *
		shm_fd; /* a directory, in place of the checkpoint's copy of /dev/shm; NULL: that */
};

struct restore_result {
	uint64_t runtime_us; /* wall time of the runtime's part, conmon's start included */
	struct criu_stats stats; /* zeroes where CRIU wrote none */
};

/* What an archive brings along, for engine/restore_import.h. */
struct restore_source {
	struct runtime_spec *spec; /* changed */
	/* As of struct prepare_restore: also puts CRIU's images into the static directory. */
	int (*fill)(void *context, struct container *c, const struct rooted *root, struct err *err);
	/* The directory that CRIU's images are read from, after that; NULL, or returning NULL: the static directory's. */
	const char *(*images)(void *context);
	void *context;
	const char *hostname; /* to have from now on; NULL: as it was */
};

/* The last step of an import: c->config.networks are what is asked for. */
int container_restore_from(struct container *c, const struct restore_source *source,
			   const struct restore_options *options, struct restore_result *ret,
			   struct err *err);

/*
 * From the checkpoint in its static directory. On failure nothing of the attempt is left but the checkpoint.
 * ERR_STATE when it runs; ERR_NOT_FOUND when there is no complete checkpoint.
 */
int container_restore(struct container *c, const struct restore_options *options,
		      struct restore_result *ret, struct err *err);
