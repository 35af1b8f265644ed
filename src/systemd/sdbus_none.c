/* SPDX-License-Identifier: Apache-2.0 */
/* In the place of sdbus.c where libsystemd's headers are missing at build. */
#include "systemd/sdbus.h"

bool sdbus_is_built(void)
{
	return false;
}

int sdbus_open(struct sdbus **ret UNUSED, bool user UNUSED, struct err *err)
{
	return err_set(
		err, ERR_UNSUPPORTED,
		"the systemd cgroup driver is not in this build of floe-runtime; build it with "
		"libsystemd's headers, or use the cgroupfs driver (leave out --systemd-cgroup; "
		"engines: cgroup manager 'cgroupfs')");
}

void sdbus_close(struct sdbus *bus UNUSED)
{
}

void sdbus_release_in_child(struct sdbus *bus UNUSED)
{
}

unsigned int sdbus_version(const struct sdbus *bus UNUSED)
{
	return 0;
}

const char *sdbus_control_group(const struct sdbus *bus UNUSED)
{
	return "";
}

bool sdbus_shares_pids(const struct sdbus *bus UNUSED)
{
	return false;
}

/* None of the following is reached: there is no struct sdbus. */

static int unreachable_call(struct err *err)
{
	return err_set(err, ERR_INTERNAL, "a call to systemd in a build without it");
}

int sdbus_start_unit(struct sdbus *bus UNUSED, const char *unit UNUSED,
		     const struct systemd_plan *properties UNUSED, struct err *err)
{
	return unreachable_call(err);
}

int sdbus_wait_job(struct sdbus *bus UNUSED, const char *unit UNUSED, struct err *err)
{
	return unreachable_call(err);
}

int sdbus_stop_unit(struct sdbus *bus UNUSED, const char *unit UNUSED, struct err *err)
{
	return unreachable_call(err);
}

void sdbus_reset_failed(struct sdbus *bus UNUSED, const char *unit UNUSED)
{
}

int sdbus_set_properties(struct sdbus *bus UNUSED, const char *unit UNUSED,
			 const struct systemd_plan *properties UNUSED, struct err *err)
{
	return unreachable_call(err);
}

int sdbus_attach_process(struct sdbus *bus UNUSED, const char *unit UNUSED,
			 const char *subgroup UNUSED, pid_t pid UNUSED, struct err *err)
{
	return unreachable_call(err);
}
