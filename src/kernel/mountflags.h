/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mount options as the kernel's flags: the words of mount(8) and of the runtime-spec, MS_* of
 * mount(2), MOUNT_ATTR_* of fsmount(2) and mount_setattr(2), ST_* of statfs(2). Pure.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/mount.h>

#include "kernel/syscalls.h"

/* A word that sets or clears a flag: "nosuid" sets MS_NOSUID, "suid" clears it. */
struct mountflag_word {
	const char *name;
	uint64_t flag; /* MS_* or MOUNT_ATTR_*; 0: the word means nothing ("defaults") */
	bool clear;
};

struct mountflag_table {
	const struct mountflag_word *v;
	size_t n;
};

extern const struct mountflag_table mountflags_plain; /* "ro": MS_RDONLY */
extern const struct mountflag_table mountflags_propagation; /* "rslave": MS_SLAVE | MS_REC */
extern const struct mountflag_table mountflags_recursive; /* "rro": MOUNT_ATTR_RDONLY */

/* NULL when name is none of the table's words. */
const struct mountflag_word *mountflags_find(const struct mountflag_table *table, const char *name);

/* The flags that choose when access times are written; at most one of them makes sense. */
#define MOUNTFLAGS_ATIME ((unsigned long)(MS_NOATIME | MS_RELATIME | MS_STRICTATIME))
/* The flags that belong to a mount and not to its superblock. MS_RDONLY is both. */
#define MOUNTFLAGS_OF_MOUNT                                                                        \
	((unsigned long)(MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NODIRATIME |            \
			 MS_NOSYMFOLLOW) |                                                         \
	 MOUNTFLAGS_ATIME)
/* All MOUNT_ATTR_* that are on or off; the access times are a field (MOUNT_ATTR__ATIME). */
#define MOUNTFLAGS_ATTR_BITS                                                                       \
	((uint64_t)(MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC | \
		    MOUNT_ATTR_NODIRATIME | MOUNT_ATTR_NOSYMFOLLOW))

/* The mount's part of MS_* flags as MOUNT_ATTR_*; relative access times are 0. */
uint64_t mountflags_to_attr(unsigned long flags);
unsigned long mountflags_from_attr(uint64_t attr);
/* f_flags of statfs(2) as MOUNT_ATTR_*, of the mount that the descriptor is on. */
uint64_t mountflags_attr_from_statfs(unsigned long st_flags);

/* Parameters of a superblock for fsconfig(2): MS_RDONLY "ro". Ends with NULL. MS_SILENT (about the
 * kernel's log) and MS_I_VERSION have none. */
struct mountflag_parameter {
	unsigned long flag;
	const char *name;
};
extern const struct mountflag_parameter mountflags_superblock[];

/* "nosuid,nodev", in a fixed order, for messages and tests; "-" for none. The caller owns it. */
char *mountflags_to_text(unsigned long flags);
char *mountflags_attr_to_text(uint64_t attr);
