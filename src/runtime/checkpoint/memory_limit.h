/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A restore under a limit of memory that is too low. CRIU is in the container's cgroup as well: it is killed, or a process that it
 * has begun, and neither it nor its log know why.
 */
#pragma once

#include "core/err.h"
#include "criu/image_check.h"
#include "runtime/cgroup/backend.h"
#include "spec/runtime_spec.h"

/*
 * That the limit is not certainly too low, before anything is made: the largest process alone has more memory to itself than that and
 * the swap that the container may have of this machine's. (Of what several processes have, some may be the same pages.) resources:
 * NULL for none. ERR_INVALID, or images that cannot be read.
 */
int memory_limit_check(const struct oci_resources *resources, const struct criu_images_info *info,
		       int images_fd, struct err *err);
/* How many processes of the container's cgroup the kernel has killed for want of memory; 0 where that cannot be told. */
uint64_t memory_limit_kills(const struct cgroup *cg);
/*
 * The restore returned r. When it failed and there are more kills than before, put that in front of the error. resources: NULL for
 * none. Returns r's code.
 */
int memory_limit_explain(const struct cgroup *cg, uint64_t kills_before,
			 const struct oci_resources *resources, int r, struct err *err);
