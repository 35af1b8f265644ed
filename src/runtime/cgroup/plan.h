/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Resource limits as an ordered list of writes to cgroup files, computed without looking at the
 * system (plan_v1.h, plan_v2.h). backend.c carries a plan out.
 *
 * The writes of one controller stand together: a write that the kernel refuses with EINVAL because
 * another value must change first is done again after the last one of its group.
 */
#pragma once

#include <stdint.h>

#include "core/auto.h"
#include "core/err.h"
#include "core/strbuf.h"
#include "spec/runtime_linux.h"

enum cgroup_write_flags {
	CGROUP_WRITE_OPTIONAL = 1 << 0, /* skipped where the file or the controller is missing */
	CGROUP_WRITE_DEFER = 1 << 1, /* EINVAL: again at the end of the controller's group */
};

struct cgroup_write {
	const char *controller; /* "memory"; of the v2 unified map "" */
	const char *limit; /* what asked for it, for messages: "memory.limit" */
	char *file; /* owned, like value and the other two */
	char *value; /* one write(2) */
	unsigned int flags;
	char *fallback_file; /* instead, where file does not exist; or NULL */
	char *fallback_value; /* NULL: value */
};

struct cgroup_plan {
	struct cgroup_write *v;
	size_t n;
	/* memory.checkBeforeUpdate: refuse to go below what is in use; 0: nothing to compare. */
	int64_t check_memory;
	int64_t check_memory_and_swap;
};

#define CGROUP_PLAN_INIT                                                                           \
	{                                                                                          \
		0                                                                                  \
	}

void cgroup_plan_done(struct cgroup_plan *plan);

/* Append one write; value is formatted. The result is valid until the next one. */
struct cgroup_write *cgroup_plan_add(struct cgroup_plan *plan, const char *controller,
				     const char *limit, const char *file, const char *value_fmt,
				     ...) PRINTF_LIKE(5, 6);
/* One line per write, as the golden files have it. */
void cgroup_plan_format(const struct cgroup_plan *plan, struct strbuf *sb);

/* The rdma part, which v1 and v2 share. */
void cgroup_plan_add_rdma(struct cgroup_plan *plan, const struct oci_resources *res);
/* Checks that v1 and v2 share; each ERR_INVALID names the field. */
int cgroup_plan_check_resources(const struct oci_resources *res, struct err *err);
/* Warn about memory.kernel, which kernels ignore since 5.16, and the specification since 1.0.2. */
void cgroup_plan_warn_ignored(const struct oci_resources *res);

/* Optional numbers where the runtimes of this field take 0 as "not given". */
static inline bool cgroup_wants_i64(const struct opt_i64 *v)
{
	return v->set && v->v != 0;
}

static inline bool cgroup_wants_u64(const struct opt_u64 *v)
{
	return v->set && v->v != 0;
}

static inline bool cgroup_wants_u32(const struct opt_u32 *v)
{
	return v->set && v->v != 0;
}

DEFINE_AUTO_VAL(cgroup_plan, struct cgroup_plan, cgroup_plan_done)
#define auto_cgroup_plan auto_cleanup(cgroup_plan_cleanup_val)
