/* SPDX-License-Identifier: Apache-2.0 */
/* /proc/PID/maps (proc_pid_maps(5)), line by line, and the sums of /proc/PID/smaps_rollup. */
#pragma once

#include <stdint.h>

#include "core/macro.h"

struct procfs_mapping {
	uint64_t start;
	uint64_t end;
	bool readable;
	bool writable;
	bool executable;
	bool shared;
	uint64_t offset;
	unsigned int major;
	unsigned int minor;
	uint64_t ino; /* 0: no file */
	/* As the kernel writes it: "/lib/x.so", "/data/f (deleted)", "[heap]", "anon_inode:[io_uring]",
	 * "" for none; newlines are \012. Points into the text. */
	const char *path;
};

/*
 * Cut the next line off *cursor, which is changed and moves on. 1: a mapping, 0: the end; -EBADMSG:
 * not such a line.
 */
int procfs_maps_next(char **cursor, struct procfs_mapping *ret);

/* Sums over all mappings of a process, in bytes. */
struct procfs_memory {
	uint64_t anonymous; /* private pages that are no longer (or never were) a file's */
	uint64_t swap;
	uint64_t private_hugetlb;
};

/* -ENODATA when the text has no such lines (a process without memory has none). */
int procfs_memory_parse(struct procfs_memory *ret, const char *smaps_rollup);
