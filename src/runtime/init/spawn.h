/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Start the container's init in its namespaces.
 *
 * New namespaces are made by one clone3(2) (a new user namespace first, the kernel sees to that), but
 * for the network: a helper makes it while all else goes on (namespace/network_maker.h), or init itself
 * while the parent makes the cgroups. What is joined by path:
 *
 *   pid, time    by the parent before the clone, since setns(2) moves only children there; the
 *                parent goes back afterwards
 *   user         by an intermediate process: it joins all of them, unshares the new ones and makes
 *                init as its sibling (CLONE_PARENT), so that init is the runtime's child all the same;
 *                pid and time too where the parent could not go back
 *   the others   by init itself, first of all
 *
 * Time offsets are written by the parent into a time namespace that it unshares, since nobody may be
 * in it yet; with a new user namespace, which shall own it, by init, which then enters it. The cgroup namespace comes last: init unshares it when it is in its cgroup.
 */
#pragma once

#include "runtime/launch.h"

/* l->namespaces is opened, l->sync_fd and l->child_sync_fd are there. Sets l->init_pid. */
int init_spawn(struct launch *l, struct err *err);
/* In the child: join by setns(2) what the plan joins and has not been joined on the way here. */
int init_join_namespaces(const struct namespace_plan *plan, struct err *err);
/* In the child, behind its user namespace: a network namespace of its own. */
int init_make_network(struct err *err);
/* In the child: the network namespace that the parent has made. */
int init_enter_network(int fd, struct err *err);
/* In the child, first of all: a time namespace with offsets, where the parent did not make it. */
int init_make_time_namespace(const struct namespace_plan *plan, const struct oci_linux *linux_,
			     struct err *err);
