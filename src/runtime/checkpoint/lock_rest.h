/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What CRIU leaves of its network lock when it is killed. CRIU takes it away itself whenever it fails by itself.
 *
 * By nftables it is a table, "CRIU-" and something, in the container's network namespace. By iptables it is, in a network
 * namespace of the container's own, a chain CRIU with the jumps to it; in the host's two rules for each connection, which
 * let pass what has CRIU's mark. The programs that CRIU starts to set these may still be at it when CRIU is gone.
 */
#pragma once

#include <sys/types.h>

#include "core/strvec.h"
#include "kernel/iptables.h"

struct lock_rest {
	pid_t pid; /* in that network namespace; 0: nothing was noted */
	bool by_nftables; /* there may be a table */
	bool by_iptables; /* there may be rules */
	struct strvec before; /* locks of others: a pod's containers share a network */
	struct strvec rules[IPTABLES_FAMILY_COUNT_]; /* the same of iptables */
};

#define LOCK_REST_INIT                                                                             \
	{                                                                                          \
		0                                                                                  \
	}

/* Before CRIU locks: note which tables there are, and when it will use iptables, which rules. */
void lock_rest_note(struct lock_rest *rest, pid_t pid, bool by_iptables);
/* After CRIU has failed and its helpers have ended (criu_helpers_end()): remove those that came since. What cannot be
 * removed is a warning. */
void lock_rest_remove(const struct lock_rest *rest);
void lock_rest_done(struct lock_rest *rest);

/* Add to *ret the lines of iptables-save that are CRIU's: ":CRIU - [0:0]", "-A INPUT -j CRIU", ... */
void lock_rest_find_rules(struct strvec *ret, const struct strvec *saved);
/* What iptables-restore undoes these lines by, but for as many as were there before; NULL when there is nothing to undo. The
 * caller owns it. */
char *lock_rest_undo(const struct strvec *before, const struct strvec *now);
