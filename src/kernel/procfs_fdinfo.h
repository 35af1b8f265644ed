/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /proc/PID/fdinfo/FD (proc_pid_fdinfo(5)): what the kernel tells about an open file beyond what
 * stat(2) of it says. Lines of kinds that nobody here needs are passed over.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "core/auto.h"
#include "core/macro.h"

#define PROCFS_HANDLE_MAX 128 /* MAX_HANDLE_SZ */

/* One watch of an inotify or mark of a fanotify descriptor. */
struct procfs_watch {
	bool of_mount; /* a mark on a mount; only mnt_id is valid */
	bool of_file_system; /* a mark on a whole file system; only the device is valid */
	int mnt_id;
	unsigned int major;
	unsigned int minor;
	uint64_t ino;
	/* For open_by_handle_at(2); length 0 where the file system has no handles. */
	unsigned int handle_type;
	size_t handle_len;
	unsigned char handle[PROCFS_HANDLE_MAX];
};

struct procfs_fdinfo {
	unsigned int flags; /* O_... of open(2), O_CLOEXEC among them */
	int mnt_id; /* -1: not told */
	char *lock; /* the first lock as "FLOCK ADVISORY WRITE"; NULL: none; owned */
	size_t n_locks;
	struct procfs_watch *watches; /* owned */
	size_t n_watches;
	pid_t pid; /* of a pidfd, as the procfs shows it; 0: outside of its namespace, -1: ended, or
		      * no pidfd */
	char *tun_device; /* interface that a tun descriptor is attached to; NULL; owned */
};

#define PROCFS_FDINFO_INIT                                                                         \
	{                                                                                          \
		.mnt_id = -1, .pid = -1                                                            \
	}

/* Text must end with a NUL; it is not changed. -EBADMSG: not such a file. The caller owns *ret. */
int procfs_fdinfo_parse(struct procfs_fdinfo *ret, const char *text);
/* Read dir_fd/path and parse it. */
int procfs_fdinfo_read(struct procfs_fdinfo *ret, int dir_fd, const char *path);
void procfs_fdinfo_done(struct procfs_fdinfo *info);

DEFINE_AUTO_VAL(procfs_fdinfo, struct procfs_fdinfo, procfs_fdinfo_done)
#define auto_procfs_fdinfo auto_cleanup(procfs_fdinfo_cleanup_val)
