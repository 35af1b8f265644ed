/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where CRIU finds its kernel warm, and where nothing of it stays.
 *
 * CRIU is started in a mount namespace of its own that receives the host's mounts but passes none on:
 * a restore that fails leaves the tmpfs on which it was assembling the container's mounts, in /tmp,
 * and where / is shared, as under systemd, the host would get it too.
 *
 * CRIU probes the kernel's features at every start, which takes three quarters of a small dump, unless
 * it finds /run/criu.kdat of an earlier start; and it writes that file only to a tmpfs. Where /run is
 * none, it becomes one in CRIU's mount namespace, with everything of the real one bound into it and
 * with the file that an earlier operation left. After CRIU has probed, the file is copied to
 * <state root>/.cache for the next time. Its name there tells which boot and which CRIU it is of.
 *
 * To walk cgroups of version 2, CRIU mounts the tree without options, in the initial cgroup namespace,
 * and thereby takes those of the machine's one tree away (nsdelegate, memory_recursiveprot;
 * apply_cgroup_root_flags() in kernel/cgroup/cgroup.c). So it is given the tree as it is: the "cgroup
 * yard", a directory with the hierarchies by name, made in CRIU's mount namespace on
 * <state root>/.cache/cgroup-yard.
 *
 * The second thing that is cold: the first perf event of the machine (CRIU sets hardware breakpoints)
 * makes the kernel wait 8 to 16 ms. An event of our own, opened while CRIU is still starting, takes
 * that wait upon itself.
 */
#pragma once

#include "core/auto.h"
#include "criu/client.h"
#include "criu/find.h"

struct criu_home {
	bool is_apart; /* criu gets a mount namespace of its own */
	bool is_private; /* and in that a /run of its own */
	int cache_fd; /* the features file of an earlier operation; -EBADF: none */
	char *cache_name; /* in the state root, for this boot and this criu */
	int root_fd; /* the state root; borrowed */
	char *yard; /* absolute; NULL: CRIU mounts what it needs */
	int perf_fd; /* keeps perf events on */
};

#define CRIU_HOME_INIT                                                                             \
	{                                                                                          \
		.cache_fd = -EBADF, .root_fd = -EBADF, .perf_fd = -EBADF                           \
	}

/* Look at /run, at the cache and at the cgroups. Trouble only means that nothing is warm. root, root_fd:
 * the state root, absolute. */
void criu_home_prepare(struct criu_home *ret, const struct criu_location *criu, const char *root,
		       int root_fd);
/* CRIU stays in the caller's mount namespace. */
void criu_home_give_up(struct criu_home *home);
/* In the process that becomes criu, with privileges: make its mount namespace. 0, or a negative errno. */
int criu_home_enter(const struct criu_home *home);
/* When the request is sent and CRIU is starting. */
void criu_home_warm_up(struct criu_home *home);
/* When CRIU has probed (its first notification): keep the features file of the process criu_pid. */
void criu_home_keep(struct criu_home *home, pid_t criu_pid);
void criu_home_done(struct criu_home *home);
