/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/namespace/plan.h"

#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>

#include "core/fd.h"
#include "core/str.h"
#include "kernel/syscalls.h"

#ifndef NS_GET_NSTYPE
#define NS_GET_NSTYPE _IO(0xb7, 0x3)
#endif

const struct namespace_kind_info namespace_kinds[NAMESPACE_KIND_COUNT_] = {
	[NAMESPACE_USER] = { "user", "user", CLONE_NEWUSER },
	[NAMESPACE_MOUNT] = { "mount", "mnt", CLONE_NEWNS },
	[NAMESPACE_PID] = { "pid", "pid", CLONE_NEWPID },
	[NAMESPACE_NETWORK] = { "network", "net", CLONE_NEWNET },
	[NAMESPACE_IPC] = { "ipc", "ipc", CLONE_NEWIPC },
	[NAMESPACE_UTS] = { "uts", "uts", CLONE_NEWUTS },
	[NAMESPACE_CGROUP] = { "cgroup", "cgroup", CLONE_NEWCGROUP },
	[NAMESPACE_TIME] = { "time", "time", CLONE_NEWTIME },
};

int namespace_kind_from_type(const char *type)
{
	for (int i = 0; i < NAMESPACE_KIND_COUNT_; i++)
		if (str_eq(type, namespace_kinds[i].type))
			return i;
	return -EINVAL;
}

unsigned int namespace_flags(unsigned int kinds)
{
	unsigned int flags = 0;

	for (int i = 0; i < NAMESPACE_KIND_COUNT_; i++)
		if (kinds & (1U << i))
			flags |= namespace_kinds[i].flag;
	return flags;
}

int namespace_plan_make(struct namespace_plan *ret, const struct runtime_spec *spec,
			struct err *err)
{
	const struct oci_linux *linux_ = spec->linux_;

	*ret = (struct namespace_plan)NAMESPACE_PLAN_INIT;
	for (size_t i = 0; linux_ && i < linux_->n_namespaces; i++) {
		const struct oci_namespace *ns = &linux_->namespaces[i];
		int kind = namespace_kind_from_type(ns->type);

		if (kind < 0)
			return err_set(err, ERR_INVALID,
				       "linux.namespaces[%zu]: unknown type '%s'; use pid, "
				       "network, mount, "
				       "ipc, uts, user, cgroup or time",
				       i, ns->type);
		if (ret->create & (1U << kind) || ret->join & (1U << kind))
			return err_set(err, ERR_INVALID,
				       "linux.namespaces[%zu]: type '%s' is there twice", i,
				       ns->type);
		if (str_is_empty(ns->path)) {
			ret->create |= 1U << kind;
		} else {
			ret->join |= 1U << kind;
			ret->paths[kind] = ns->path;
		}
	}
	ret->has_time_offsets = linux_ && linux_->n_time_offsets > 0;
	return 0;
}

int namespace_plan_open(struct namespace_plan *plan, struct err *err)
{
	for (int i = 0; i < NAMESPACE_KIND_COUNT_; i++) {
		int type;

		if (!(plan->join & (1U << i)))
			continue;
		plan->fds[i] = fd_open_at(AT_FDCWD, plan->paths[i], O_RDONLY | O_NONBLOCK, 0);
		if (plan->fds[i] < 0)
			return err_sys(err, plan->fds[i], "open %s namespace '%s'",
				       namespace_kinds[i].type, plan->paths[i]);
		type = ioctl(plan->fds[i], NS_GET_NSTYPE);
		if (type < 0 || (unsigned int)type != namespace_kinds[i].flag)
			return err_set(err, ERR_INVALID, "'%s' is not a %s namespace",
				       plan->paths[i], namespace_kinds[i].type);
	}
	return 0;
}

void namespace_plan_done(struct namespace_plan *plan)
{
	for (int i = 0; i < NAMESPACE_KIND_COUNT_; i++)
		close_fd(&plan->fds[i]);
}
