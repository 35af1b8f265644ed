/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/checkpoint/memory_limit.h"

#include <fcntl.h>
#include <inttypes.h>
#include <sys/sysinfo.h>

#include "core/fd.h"
#include "runtime/cgroup/oom.h"

/* In bytes; 0 for none. */
static int64_t limit_of(const struct oci_resources *resources)
{
	const struct oci_memory *m = resources ? resources->memory : NULL;

	return m && m->limit.set && m->limit.v > 0 ? m->limit.v : 0;
}

/* How much swap the container may have of this machine's. Its limit is of memory and swap together. */
static uint64_t swap_of(const struct oci_memory *m)
{
	struct sysinfo info;
	uint64_t swap = sysinfo(&info) == 0 ? (uint64_t)info.totalswap * info.mem_unit : UINT64_MAX;

	if (m->swap.set && m->swap.v > 0)
		swap = MIN(swap, (uint64_t)MAX(m->swap.v - m->limit.v, (int64_t)0));
	return swap;
}

int memory_limit_check(const struct oci_resources *resources, const struct criu_images_info *info,
		       int images_fd, struct err *err)
{
	uint64_t limit = (uint64_t)limit_of(resources);
	uint64_t huge;
	uint64_t all;
	int r;

	if (limit == 0 || info->largest_bytes <= limit)
		return 0;
	if (__builtin_add_overflow(limit, swap_of(resources->memory), &all) ||
	    info->largest_bytes <= all)
		return 0;
	r = criu_images_huge_bytes(images_fd, info->largest_pid, &huge, err);
	if (r < 0 || huge >= info->largest_bytes || info->largest_bytes - huge <= all)
		return r;
	return err_set(err, ERR_INVALID,
		       "process %" PRIu32 " of the checkpoint has %" PRIu64
		       " bytes of memory, and the container's limit is %" PRIu64
		       "; restore it with a higher limit",
		       info->largest_pid, info->largest_bytes - huge, limit);
}

uint64_t memory_limit_kills(const struct cgroup *cg)
{
	const struct cgroup_node *node = cgroup_node_of(cg, "memory");
	auto_close int dir_fd = node ? fd_open_at(AT_FDCWD, node->path, O_PATH | O_DIRECTORY, 0) :
				       -EBADF;
	uint64_t kills = 0;

	if (dir_fd >= 0)
		(void)cgroup_oom_kills(dir_fd, node->unified, &kills);
	return kills;
}

int memory_limit_explain(const struct cgroup *cg, uint64_t kills_before,
			 const struct oci_resources *resources, int r, struct err *err)
{
	int64_t limit = limit_of(resources);

	if (r >= 0 || memory_limit_kills(cg) <= kills_before)
		return r;
	if (limit > 0)
		return err_wrap(err, r,
				"the kernel killed a process for want of memory, of which the "
				"container may have %" PRId64
				" bytes (restore it with a higher limit)",
				limit);
	return err_wrap(err, r,
			"the kernel killed a process for want of memory, though the container has "
			"no limit of its own (look at the cgroups above it, and at what is free)");
}
