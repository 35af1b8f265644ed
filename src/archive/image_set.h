/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CRIU's small images, as they come out of an archive in any order, and what they say about the processes. The
 * images are a stranger's: whatever does not fit together is left out.
 */
#pragma once

#include <stdint.h>

#include "archive/report.h"
#include "core/err.h"

/* Bytes of small images together, processes, and how deep they may be nested. */
#define IMAGE_SET_BYTES_MAX ((uint64_t)512 << 20)
#define IMAGE_SET_PROCESSES_MAX 65536U
#define IMAGE_SET_DEPTH_MAX 256

struct image_data {
	char *name; /* "core-1.img" */
	char *data;
	size_t len;
};

/* Bytes of a process' memory that are wanted: its arguments, its environment. */
struct wanted {
	uint64_t offset; /* in pages-ID.img */
	uint32_t len;
	char *to; /* borrowed: where they belong */
};

/* What has been read of the memory of a process. */
struct memory {
	uint32_t pid;
	char *args; /* NUL behind each */
	size_t args_len;
	char *env;
	size_t env_len;
};

struct process {
	uint32_t pid;
	uint32_t ppid;
	uint32_t state; /* TASK_ALIVE and so on */
	char *comm;
	uint32_t files_id;
	uint32_t fs_id;
};

struct image_set {
	struct image_data *v;
	size_t n;
	uint64_t bytes;
	bool sorted;
	struct process *processes;
	size_t n_processes;
	struct memory *memories;
	size_t n_memories;
};

/* Whether an image of this name is one that is kept. */
bool image_set_want(const char *name);
/* data is taken over. */
void image_set_add(struct image_set *images, const char *name, char *data, size_t len);
const struct image_data *image_set_find(struct image_set *images, const char *fmt, ...)
	PRINTF_LIKE(2, 3);
void image_set_done(struct image_set *images);

/* pstree.img and core-*.img: who there is. ERR_CORRUPT without them. */
int image_set_load_processes(struct image_set *images, struct err *err);
/*
 * What is wanted of pages-PAGES_ID.img, sorted by offset; the caller owns the array. 0: nothing, or mm-*.img and
 * pagemap-*.img are not there (yet).
 */
size_t image_set_wanted(struct image_set *images, uint32_t pages_id, struct wanted **ret);

struct report_process *image_set_process_tree(const struct image_set *images, unsigned int flags,
					      struct err *err) MUST_CHECK;
void image_set_files(struct image_set *images, struct archive_report *report);
void image_set_sockets(struct image_set *images, struct archive_report *report);
