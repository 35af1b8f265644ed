/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What CRIU may leave out for this container. Its defaults are right for any process tree and cost for
 * each; where the caller has no wish and the container's state makes a step pointless, it is dropped:
 *
 *	step                         dropped when
 *	locking the network          no TCP socket, or no interface but loopback and nothing but listening
 *	                             sockets: there are no packets to keep away
 *	locking by iptables          CRIU and the kernel know nftables: one transaction in the place of four
 *	                             programs, and nothing else need be installed
 *	walking cgroup hierarchies   the container has no cgroups below its own and no cgroup namespace:
 *	                             the runtime makes and limits its cgroup itself
 *	the v1 freezer               a process is stopped (SIGSTOP): it could not be traced while frozen,
 *	                             and CRIU would wait for ever
 */
#pragma once

#include "runtime/cgroup/backend.h"
#include "runtime/checkpoint/options.h"
#include "runtime/container.h"

struct checkpoint_tuning {
	enum checkpoint_network_lock network_lock;
	enum checkpoint_cgroups_mode cgroups_mode;
	bool use_freezer;
	bool may_freeze_early; /* before CRIU does: what it finds frozen it restores frozen */
};

/* Looks at the running container; what cannot be found out leaves CRIU's default. criu_path: NULL when
 * it is not known. */
void checkpoint_tuning_make(struct checkpoint_tuning *ret, const struct container *c,
			    struct cgroup *cg, const struct checkpoint_options *opts,
			    const char *criu_path, int criu_version);
