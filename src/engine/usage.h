/* SPDX-License-Identifier: Apache-2.0 */
/* What a running container uses, read from its cgroup, whatever the runtime is. */
#pragma once

#include <sys/types.h>

#include "engine/container.h"

struct usage {
	uint64_t cpu_ns;
	uint64_t cpu_system_ns; /* of it, inside the kernel */
	uint64_t memory; /* bytes, without the file cache that can be dropped */
	uint64_t memory_limit; /* the machine's memory when there is none */
	uint64_t pids;
	uint64_t net_in;
	uint64_t net_out;
	uint64_t block_in;
	uint64_t block_out;
	uint64_t started_ns; /* realtime */
};

int usage_read(const struct container *c, struct usage *ret, struct err *err);
/* All processes of its cgroup; *ret is the caller's. */
int usage_pids(const struct container *c, pid_t **ret, size_t *ret_n, struct err *err);
