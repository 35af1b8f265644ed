/* SPDX-License-Identifier: Apache-2.0 */
#include "systemd/scope.h"

#include "core/fd.h"
#include "kernel/syscalls.h"

/* Scopes by pidfd: what systemd-run itself does from this version on. */
#define VERSION_PIDFDS 255

int systemd_scope_add_process(const struct sdbus *bus, struct systemd_plan *properties, pid_t pid,
			      int *ret_fd, struct err *err)
{
	int fd = sdbus_version(bus) >= VERSION_PIDFDS ? sys_pidfd_open(pid) : -ENOSYS;

	if (fd >= 0) {
		*ret_fd = fd;
		systemd_plan_add(properties, "PIDFDs", systemd_value_fds(fd));
		return 0;
	}
	if (!sdbus_shares_pids(bus))
		return err_set(
			err, ERR_UNSUPPORTED,
			"make a scope: systemd is outside of this pid namespace, and takes no "
			"descriptors of processes (systemd %d, Linux 5.3); let cgroupfs manage the "
			"cgroups",
			VERSION_PIDFDS);
	systemd_plan_add(properties, "PIDs", systemd_value_u32s((uint32_t)pid));
	return 0;
}

int systemd_scope_start(struct sdbus *bus, const char *unit, const char *slice,
			const char *description, pid_t pid, struct err *err)
{
	auto_systemd_plan struct systemd_plan properties = SYSTEMD_PLAN_INIT;
	auto_close int pidfd = -EBADF;
	int r;

	systemd_plan_add(&properties, "Description", systemd_value_string(description));
	systemd_plan_add(&properties, "Slice", systemd_value_string(slice));
	systemd_plan_add(&properties, "Delegate", systemd_value_bool(true));
	systemd_plan_add(&properties, "DefaultDependencies", systemd_value_bool(false));
	/* Where the process ends before it is in there, the scope has failed, and would stay for someone to see (systemd 236). */
	systemd_plan_add(&properties, "CollectMode", systemd_value_string("inactive-or-failed"));
	r = systemd_scope_add_process(bus, &properties, pid, &pidfd, err);
	if (r == 0)
		r = sdbus_start_unit(bus, unit, &properties, err);
	if (r == 0)
		r = sdbus_wait_job(bus, unit, err);
	return r;
}
