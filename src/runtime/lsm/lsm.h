/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Security labels: AppArmor profile and SELinux label of the container's process, SELinux label of
 * its mounts.
 *
 * The label of the next execve is written to /proc/thread-self/attr/..., through a procfs that is
 * certainly one and past no mount point: an image that got a file of its own into that place would
 * otherwise run unconfined (CVE-2019-16884, CVE-2025-52881).
 */
#pragma once

#include "core/err.h"

/* /sys/module/apparmor/parameters/enabled says Y. Asked once. */
bool lsm_apparmor_is_enabled(void);
/* selinuxfs is mounted at /sys/fs/selinux and a policy is loaded (as runc's library sees it). Asked
 * once; to be called before the mounts of the container hide it. */
bool lsm_selinux_is_enabled(void);

/*
 * In the parent: refuse labels of a module that is off; each may be NULL or "". ERR_UNSUPPORTED:
 * `apparmor is not enabled on this system: ...`, `selinux label is specified in config, but selinux
 * is disabled or not supported`.
 */
int lsm_check(const char *apparmor_profile, const char *selinux_label, const char *mount_label,
	      struct err *err);

/* In the child: confine the next execve. proc_fd: kernel/proc_root.h. NULL or "": nothing. */
int lsm_set_apparmor_exec(int proc_fd, const char *profile, struct err *err);
/* Whether that would work, found out by a process that ends. Nothing where AppArmor is off. */
int lsm_try_apparmor_exec(int proc_fd, const char *profile, struct err *err);
int lsm_set_selinux_exec(int proc_fd, const char *label, struct err *err);
/* Label of keyrings that the thread makes; around keyring_join_session(). NULL: back to the default.
 * Nothing when SELinux is off. */
int lsm_set_selinux_key(int proc_fd, const char *label, struct err *err);
