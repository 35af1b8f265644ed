/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <sys/types.h>

#include "core/err.h"
#include "systemd/sdbus.h"
#include "systemd/systemd_plan.h"

/*
 * The process that a scope is made around, as a property of it. By descriptor where systemd takes one: a number may mean
 * another process there, in another pid namespace or a moment later. *ret_fd, which is the caller's then, stays open for
 * the call that starts the unit. ERR_UNSUPPORTED: systemd has other numbers for processes and takes no descriptors.
 */
int systemd_scope_add_process(const struct sdbus *bus, struct systemd_plan *properties, pid_t pid,
			      int *ret_fd, struct err *err);
/*
 * Have systemd make the scope `unit` in `slice` around a process, with a cgroup that is the process's to divide, and wait
 * until it is there. It goes when its last process does. ERR_EXISTS: there is one of this name.
 */
int systemd_scope_start(struct sdbus *bus, const char *unit, const char *slice,
			const char *description, pid_t pid, struct err *err);
