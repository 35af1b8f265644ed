/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A look at a directory of images before CRIU gets it. CRIU 4.2 takes damage badly: without
 * pstree.img it crashes, and with pages-*.img cut short it retries for ever while its log fills the
 * disk. So what can be checked without reading the memory itself is checked here: that the images
 * that every restore needs are there, that those of CRIU's own format end where an entry ends, and
 * that the memory files are as long as the page maps say.
 */
#pragma once

#include "core/err.h"
#include "core/macro.h"

struct criu_images_info {
	size_t n_tasks;
	size_t n_threads; /* of all tasks, their leaders included */
	uint64_t memory_bytes; /* in the memory files */
	/* What the process that has most has to itself, also in the images of pre-dumps; 0 for no process. */
	uint64_t largest_bytes;
	uint32_t largest_pid;
	bool has_parent; /* part of the memory is in the image of a pre-dump */
	/* Part of it was left to a page server. CRIU 4.2 that is not told to look there (lazy_pages) tries for
	 * ever to read it from the image, while its log fills the disk. */
	bool is_elsewhere;
};

/*
 * Return: 0 and *ret (which may be NULL); ERR_CORRUPT with the file and what is wrong with it: an
 * empty directory, an image of a pre-dump, a file that is missing, cut short or not CRIU's.
 */
int criu_images_check(int dir_fd, struct criu_images_info *ret, struct err *err);

/* The number of the memory file (pages-N.img) that this page map is of. */
int criu_images_pages_id(int dir_fd, const char *pagemap, uint32_t *ret, struct err *err);

/* How much of a process's memory may be in huge pages, which no limit of memory counts. */
int criu_images_huge_bytes(int dir_fd, uint32_t pid, uint64_t *ret, struct err *err);

/* Whether the images hold cgroups that a restore is to make. A dump with cgroup mode "ignore" left
 * them out, and its restore need not look for any. True when it cannot be told. */
bool criu_images_have_cgroups(int dir_fd);

/* Whether a TCP connection was established. */
bool criu_images_have_connections(int dir_fd);

/* Whether a process held a file lock. CRIU restores without a word about it where it is not told to take them again. */
bool criu_images_have_file_locks(int dir_fd);
