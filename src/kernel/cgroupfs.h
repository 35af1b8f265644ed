/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the cgroup hierarchies of this machine are mounted. Found once per run with few reads: on a
 * v2 host one statfs(2), else one read of mountinfo.
 */
#pragma once

#include "core/auto.h"
#include "core/macro.h"
#include "kernel/mountinfo.h"
#include "kernel/procfs.h"

enum cgroupfs_mode {
	CGROUPFS_NONE, /* nothing mounted */
	CGROUPFS_V1, /* v1 hierarchies only */
	CGROUPFS_HYBRID, /* v1 hierarchies and a v2 tree beside them */
	CGROUPFS_V2, /* the v2 tree at /sys/fs/cgroup */
};

struct cgroupfs_hierarchy {
	char *controllers; /* "cpu,cpuacct", "name=systemd"; "" for the v2 tree */
	char *mount_point; /* with the prefix of tests in front */
	char *root; /* cgroup that the mount shows, "/" as a rule; NULL: not looked up yet */
	bool unified;
};

struct cgroupfs {
	enum cgroupfs_mode mode;
	struct cgroupfs_hierarchy *v; /* v1 ones in mount order, the v2 tree last */
	size_t n;
	char *prefix; /* NULL, or of tests */
};

#define CGROUPFS_INIT                                                                              \
	{                                                                                          \
		0                                                                                  \
	}

/*
 * prefix: NULL, or for tests a directory below which proc/self/mountinfo and all mount points are
 * looked up. Negative errno when mountinfo cannot be read; that nothing is mounted is no error.
 */
int cgroupfs_open(struct cgroupfs *ret, const char *prefix);
void cgroupfs_close(struct cgroupfs *fs);
/* The same from a mount list (the pure part). A hierarchy that is mounted several times counts once:
 * below /sys/fs/cgroup if it is there, showing the whole hierarchy if one does, else the first. */
void cgroupfs_from_mountinfo(struct cgroupfs *ret, const struct mountinfo *mounts,
			     const char *prefix);

/* The hierarchy of a controller ("memory", "name=systemd", "" for the v2 tree), by v1 lists; the v2
 * tree only for "". NULL when there is none. */
struct cgroupfs_hierarchy *cgroupfs_find(const struct cgroupfs *fs, const char *controller);

/*
 * Own cgroup of a process as path below the hierarchy's mount point ("/" at least); the caller owns
 * it. cgroups is the process's (procfs_read_cgroups()). Where the mount shows only a part that the
 * process is not in (it came from outside our cgroup namespace), the answer is "/". NULL when the
 * process is in no such hierarchy.
 */
char *cgroupfs_own_path(const struct cgroupfs *fs, struct cgroupfs_hierarchy *hierarchy,
			const struct procfs_cgroups *cgroups);

const char *cgroupfs_mode_to_string(enum cgroupfs_mode mode);

DEFINE_AUTO_VAL(cgroupfs, struct cgroupfs, cgroupfs_close)
#define auto_cgroupfs auto_cleanup(cgroupfs_cleanup_val)
