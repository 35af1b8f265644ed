/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A procfs that is certainly one. Inside a container, /proc is what the container's mounts and its
 * image made of it: a write to /proc/self/attr/exec or /proc/sys/... by name may end in a file of the
 * image, or in another file of the real procfs (CVE-2019-16884, CVE-2025-52881). Here the root is
 * checked to be the root of a procfs, and nothing below it is opened across a mount point, a magic
 * link or "..".
 *
 * openat2(2) does that in one call (Linux 5.6). Without it a walk does the same, component by
 * component, comparing mount ids (statx(2), Linux 5.8) and device numbers.
 *
 * Results are descriptors or 0; errors are negative errnos. -EXDEV: something is mounted in the way.
 */
#pragma once

#include "core/auto.h"
#include "core/macro.h"

/* Open the root of a procfs: O_PATH | O_DIRECTORY, close-on-exec, the last component not followed.
 * -EXDEV when path is no procfs root. path is of the calling process's root ("/proc"). */
int proc_root_open(const char *path);
/* Check a descriptor from elsewhere (a detached mount, a handle that was inherited). */
int proc_root_check(int proc_fd);
/* Open `path` (relative: "sys/net/ipv4/ip_forward", "thread-self/attr/exec"). flags as of open(2),
 * O_CLOEXEC is added; the links "self" and "thread-self" are followed as the first component only. */
int proc_root_openat(int proc_fd, const char *path, int flags);
/* Write text with one write(2) to an existing file below; short is -EIO. */
int proc_root_write(int proc_fd, const char *path, const char *text);
