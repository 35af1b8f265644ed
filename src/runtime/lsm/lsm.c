/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/lsm/lsm.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/auto.h"
#include "core/io.h"
#include "core/str.h"
#include "kernel/proc_root.h"

#define UNCONFINED "unconfined"

bool lsm_apparmor_is_enabled(void)
{
	static int enabled = -1;

	if (enabled < 0) {
		auto_free char *line =
			io_read_line_at(AT_FDCWD, "/sys/module/apparmor/parameters/enabled");

		enabled = line && line[0] == 'Y';
	}
	return enabled;
}

static bool probe_selinux(void)
{
	auto_free char *label = NULL;
	struct statfs fs;

	/* A read-only selinuxfs is how container engines tell programs inside that it is not theirs. */
	if (statfs("/sys/fs/selinux", &fs) < 0 || fs.f_type != (typeof(fs.f_type))SELINUX_MAGIC ||
	    (fs.f_flags & ST_RDONLY))
		return false;
	/* Before a policy is loaded everything runs as "kernel". */
	label = io_read_line_at(AT_FDCWD, "/proc/thread-self/attr/current");
	return label && strcmp(label, "kernel") != 0;
}

bool lsm_selinux_is_enabled(void)
{
	static int enabled = -1;

	if (enabled < 0)
		enabled = probe_selinux();
	return enabled;
}

static int check_selinux(const char *field, const char *label, struct err *err)
{
	if (str_is_empty(label))
		return 0;
	if (!lsm_selinux_is_enabled())
		return err_set(err, ERR_UNSUPPORTED,
			       "%s: selinux label is specified in config, but selinux is disabled "
			       "or not supported",
			       field);
	/* It is put between quotes in mount data. */
	if (label[strcspn(label, "\"\n")])
		return err_set(err, ERR_INVALID, "%s: '%s' is not a label", field, label);
	return 0;
}

int lsm_check(const char *apparmor_profile, const char *selinux_label, const char *mount_label,
	      struct err *err)
{
	int r;

	/* Without AppArmor everything is unconfined. */
	if (!str_is_empty(apparmor_profile) && strcmp(apparmor_profile, UNCONFINED) != 0 &&
	    !lsm_apparmor_is_enabled())
		return err_set(err, ERR_UNSUPPORTED,
			       "process.apparmorProfile: profile '%s' is specified in config, but "
			       "apparmor is not enabled on this system",
			       apparmor_profile);
	r = check_selinux("process.selinuxLabel", selinux_label, err);
	return r < 0 ? r : check_selinux("linux.mountLabel", mount_label, err);
}

static int write_attribute(int proc_fd, const char *name, const char *text)
{
	char path[64];
	int r = proc_root_check(proc_fd);

	if (r < 0)
		return r;
	(void)snprintf(path, sizeof(path), "thread-self/attr/%s", name);
	return proc_root_write(proc_fd, path, text);
}

static int explain(int r, const char *what, const char *label, struct err *err)
{
	if (r == -EXDEV || r == -ELOOP)
		return err_set(err, ERR_DENIED,
			       "%s '%s': refused, the container's /proc is not a procfs or "
			       "something is mounted over its attr files",
			       what, label);
	return r < 0 ? err_sys(err, r, "%s '%s'", what, label) : 0;
}

static int write_apparmor_exec(int proc_fd, const char *profile)
{
	auto_free char *text = xasprintf("exec %s", profile);
	/* Its own file (Linux 5.8), which is there also when another module has the common one. */
	int r = write_attribute(proc_fd, "apparmor/exec", text);

	return r == -ENOENT ? write_attribute(proc_fd, "exec", text) : r;
}

static int explain_apparmor(int r, const char *profile, struct err *err)
{
	r = explain(r, "apply apparmor profile", profile, err);
	if (r == -ENOENT)
		err_append(err, " (profile not loaded); load it with apparmor_parser");
	return r;
}

int lsm_set_apparmor_exec(int proc_fd, const char *profile, struct err *err)
{
	if (str_is_empty(profile) ||
	    (strcmp(profile, UNCONFINED) == 0 && !lsm_apparmor_is_enabled()))
		return 0;
	return explain_apparmor(write_apparmor_exec(proc_fd, profile), profile, err);
}

int lsm_try_apparmor_exec(int proc_fd, const char *profile, struct err *err)
{
	int status;
	pid_t pid;

	if (str_is_empty(profile) || !lsm_apparmor_is_enabled())
		return 0;
	pid = fork();
	if (pid < 0)
		return err_sys(err, -errno, "fork");
	if (pid == 0)
		_exit(-write_apparmor_exec(proc_fd, profile));
	if (RETRY_EINTR(waitpid(pid, &status, 0)) != pid || !WIFEXITED(status))
		return err_set(err, ERR_INTERNAL, "try apparmor profile '%s': no answer", profile);
	return explain_apparmor(-WEXITSTATUS(status), profile, err);
}

int lsm_set_selinux_exec(int proc_fd, const char *label, struct err *err)
{
	if (str_is_empty(label))
		return 0;
	return explain(write_attribute(proc_fd, "exec", label), "apply selinux label", label, err);
}

int lsm_set_selinux_key(int proc_fd, const char *label, struct err *err)
{
	if (!lsm_selinux_is_enabled())
		return 0;
	label = label ? label : "";
	return explain(write_attribute(proc_fd, "keycreate", label),
		       "set selinux label of keyrings", label, err);
}
