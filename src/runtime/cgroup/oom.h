/* SPDX-License-Identifier: Apache-2.0 */
/* What the kernel has killed in a memory cgroup because that, or one above, or the machine was full. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/*
 * The number of processes, by the file "memory.events" of version 2 (is_v2), by "memory.oom_control" of version 1 (since Linux
 * 4.13), in the cgroup's directory. -errno; -ENODATA when the kernel does not count.
 */
int cgroup_oom_kills(int dir_fd, bool is_v2, uint64_t *ret);

/*
 * Whether processes of the cgroup of version 1 in this directory wait for memory, since memory.oom_control
 * has its killer off ("oom_kill_disable 1"). Not where it cannot be read.
 */
bool cgroup_oom_waits(int dir_fd);
