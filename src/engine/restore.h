/* SPDX-License-Identifier: Apache-2.0 */
/* A container goes on from its checkpoint. The container is locked. */
#pragma once

#include "criu/stats.h"
#include "engine/container.h"

struct restore_options {
	bool keep; /* checkpoint, logs and statistics stay */
	bool tcp_established;
	bool tcp_close;
	bool file_locks;
	bool ignore_static_ip; /* any address will do */
	bool ignore_static_mac;
};

struct restore_result {
	uint64_t runtime_us; /* wall time of the runtime's part, conmon's start included */
	struct criu_stats stats; /* zeroes where CRIU wrote none */
};

/*
 * From the checkpoint in its static directory. On failure nothing of the attempt is left but the checkpoint.
 * ERR_STATE when it runs; ERR_NOT_FOUND when there is no complete checkpoint.
 */
int container_restore(struct container *c, const struct restore_options *options,
		      struct restore_result *ret, struct err *err);
