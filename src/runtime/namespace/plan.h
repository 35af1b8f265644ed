/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which namespaces a container gets: which are created, which are joined by path. Pure, but for
 * namespace_plan_open(), which opens the paths and checks that they are what they should be.
 */
#pragma once

#include <stdint.h>

#include "core/auto.h"
#include "core/err.h"
#include "spec/runtime_spec.h"

enum namespace_kind {
	NAMESPACE_USER,
	NAMESPACE_MOUNT,
	NAMESPACE_PID,
	NAMESPACE_NETWORK,
	NAMESPACE_IPC,
	NAMESPACE_UTS,
	NAMESPACE_CGROUP,
	NAMESPACE_TIME,
	NAMESPACE_KIND_COUNT_
};

struct namespace_kind_info {
	const char *type; /* "network", as in the configuration */
	const char *proc_name; /* "net", as below /proc/PID/ns */
	unsigned int flag; /* CLONE_NEWNET */
};

extern const struct namespace_kind_info namespace_kinds[NAMESPACE_KIND_COUNT_];
/* -EINVAL for an unknown type. */
int namespace_kind_from_type(const char *type);

struct namespace_plan {
	unsigned int create; /* mask of 1 << kind */
	unsigned int join; /* mask of 1 << kind */
	const char *paths[NAMESPACE_KIND_COUNT_]; /* borrowed from the spec */
	int fds[NAMESPACE_KIND_COUNT_]; /* of joined ones once opened; owned */
	bool has_time_offsets;
	bool is_joined; /* the calling process is in all that are joined */
	bool network_follows; /* created, and brought to init by NETWORK (init/handshake.h) */
};

#define NAMESPACE_PLAN_INIT                                                                        \
	{                                                                                          \
		.fds = { -EBADF, -EBADF, -EBADF, -EBADF, -EBADF, -EBADF, -EBADF, -EBADF }          \
	}

int namespace_plan_make(struct namespace_plan *ret, const struct runtime_spec *spec,
			struct err *err);
/* Open each path; ERR_INVALID when it is not a namespace of that kind (NS_GET_NSTYPE, Linux 4.11). */
int namespace_plan_open(struct namespace_plan *plan, struct err *err);
void namespace_plan_done(struct namespace_plan *plan);

static inline bool namespace_plan_creates(const struct namespace_plan *plan,
					  enum namespace_kind kind)
{
	return plan->create & (1U << kind);
}

static inline bool namespace_plan_joins(const struct namespace_plan *plan, enum namespace_kind kind)
{
	return plan->join & (1U << kind);
}

/* Created or joined: not the runtime's own. */
static inline bool namespace_plan_has(const struct namespace_plan *plan, enum namespace_kind kind)
{
	return (plan->create | plan->join) & (1U << kind);
}

/* CLONE_NEW* flags of a mask of kinds. */
unsigned int namespace_flags(unsigned int kinds);

DEFINE_AUTO_VAL(namespace_plan, struct namespace_plan, namespace_plan_done)
#define auto_namespace_plan auto_cleanup(namespace_plan_cleanup_val)
