/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /proc/PID/mountinfo (proc(5), proc_pid_mountinfo(5)) as a list in the kernel's order. The texts are
 * decoded (octal escapes) and live in one buffer that the list owns; entries borrow from it.
 */
#pragma once

#include "core/auto.h"
#include "core/macro.h"

#define MOUNTINFO_TEXT_MAX ((size_t)64 << 20)

struct mountinfo_entry {
	int id;
	int parent_id;
	unsigned int major;
	unsigned int minor;
	const char *root; /* what of the file system is mounted; "/", or text such as "net:[402]" */
	const char *mount_point; /* relative to the reader's root directory */
	const char *options; /* of this mount: "rw,nosuid" */
	int shared; /* peer group, 0: not shared */
	int master; /* peer group it receives from, 0: not a slave */
	int propagate_from; /* nearest dominant peer group below the reader's root, 0: none */
	bool unbindable;
	const char *fs_type;
	const char *source;
	const char *super_options; /* of the file system: "rw,size=65536k" */
};

struct mountinfo {
	struct mountinfo_entry *v;
	size_t n;
	char *text; /* owned; the entries point into it */
};

#define MOUNTINFO_INIT                                                                             \
	{                                                                                          \
		0                                                                                  \
	}

/* Parse text, which is copied. -EBADMSG when a line is not of that format; nothing is owned then. */
int mountinfo_parse(struct mountinfo *ret, const char *text, size_t len);
/* Read and parse a file: (AT_FDCWD, "/proc/self/mountinfo"), or below a procfs handle's fd. */
int mountinfo_read(struct mountinfo *ret, int dir_fd, const char *path);
void mountinfo_done(struct mountinfo *mounts);

/* The visible mount at exactly this (clean) path: the last one of that name; NULL when there is none. */
const struct mountinfo_entry *mountinfo_find(const struct mountinfo *mounts,
					     const char *mount_point);
/* The mount that path (absolute, clean, without symlinks) is on: the longest mount point that it is
 * at or below, the last one of equals. NULL only when the list lacks "/". */
const struct mountinfo_entry *mountinfo_find_containing(const struct mountinfo *mounts,
							const char *path);
const struct mountinfo_entry *mountinfo_find_id(const struct mountinfo *mounts, int id);
/* Whether no path leads to the mount, because another one covers it or a directory on the way to it. */
bool mountinfo_is_covered(const struct mountinfo *mounts, const struct mountinfo_entry *e);

/* Whether a comma-separated list (options, super_options) has this word. */
bool mountinfo_list_has(const char *list, const char *word);

DEFINE_AUTO_VAL(mountinfo, struct mountinfo, mountinfo_done)
#define auto_mountinfo auto_cleanup(mountinfo_cleanup_val)
