/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CRIU finds what an inotify or fanotify watch is on by the file handle that the kernel tells, or, where
 * the file system cannot open by handle (overlay, proc, sysfs), by walking some directories of its own
 * choice and those it is told (irmap-scan-path), comparing inode numbers. Both are done here the same
 * way; what is in none of those directories is searched for from the root on, so that CRIU can be told.
 */
#pragma once

#include <sys/types.h>

#include "core/rooted.h"
#include "core/strvec.h"
#include "kernel/mountinfo.h"
#include "kernel/procfs_fdinfo.h"

/* Of the container's init. All borrowed. */
struct watch_view {
	const struct rooted *root;
	const struct mountinfo *mounts;
	const struct strvec *scan_paths; /* of CRIU's configuration; NULL: none */
};

enum watch_place {
	WATCH_BY_HANDLE,
	WATCH_BY_CRIU, /* in a directory that CRIU walks */
	WATCH_BY_PATH, /* elsewhere: CRIU finds it when it is told */
	WATCH_LOST,
};

/* Of a watch on a file. *ret_fs_type is borrowed from the mounts (NULL: on none of them); *ret_path is
 * the caller's: an absolute path, where it was searched for and found, or NULL. */
enum watch_place watch_search(const struct watch_view *view, const struct procfs_watch *w,
			      const char **ret_fs_type, char **ret_path);

struct cgroup;

/*
 * The paths that CRIU is to be told, for the processes of the cgroup: none where it finds them all by
 * itself, or else all of them, so that it walks no directory at length. What cannot be looked at is passed
 * over: CRIU will say what it misses. Adds to *ret.
 */
void watch_paths_collect(struct strvec *ret, pid_t init, struct cgroup *cg);
