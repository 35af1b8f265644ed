/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What CRIU leaves of its network lock when it is killed: a table of nftables, "CRIU-" and something, in the container's
 * network namespace. CRIU takes it away itself whenever it fails by itself.
 */
#pragma once

#include <sys/types.h>

#include "core/strvec.h"

struct lock_rest {
	pid_t pid; /* in that network namespace; 0: nothing was noted */
	struct strvec before; /* locks of others: a pod's containers share a network */
};

#define LOCK_REST_INIT                                                                             \
	{                                                                                          \
		0                                                                                  \
	}

/* Before CRIU locks: note which tables there are. */
void lock_rest_note(struct lock_rest *rest, pid_t pid);
/* After CRIU has failed: remove those that came since. What cannot be removed is a warning. */
void lock_rest_remove(const struct lock_rest *rest);
void lock_rest_done(struct lock_rest *rest);
