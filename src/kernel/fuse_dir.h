/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A directory whose files this process makes up while they are read: a FUSE file system (linux/fuse.h) that is mounted nowhere.
 *
 * Theory of operation. The mount is detached: it is where its descriptor is, and others reach it as /proc/PID/fd/N of this
 * process, for which they need the rights of ptrace(2). When the process ends, however, the kernel ends the connection: reads that
 * wait and all that follow fail with ENOTCONN, and nothing is left to be unmounted. Threads of ours answer the kernel:
 *
 *	reader                     kernel                      a thread
 *	open, pread         -->    READ file, offset, len -->  content from a descriptor, or from `read`
 *	its pages           <--    one copy               <--  reply with all of it, or an error
 *
 * Content that `read` makes is not cached by the kernel (FOPEN_DIRECT_IO): it goes straight to the reader's pages.
 *
 * Nothing can be changed. A reader may open a file for reading and writing, however, and punch holes into it, as CRIU does that takes
 * out of images what it has loaded (auto-dedup): it succeeds, and the content stays.
 *
 * This process must not open the directory itself: being killed it would wait for an answer of its own threads.
 * Needs fsopen(2) (Linux 5.2), /dev/fuse, and CAP_SYS_ADMIN.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "core/auto.h"
#include "core/macro.h"

struct fuse_dir;

/* Files whose content is made up. Calls for one file come one at a time, from any of the threads. */
struct fuse_dir_ops {
	/* len bytes from offset, all of them below the size: at *ret, valid until the next call for the file. A negative errno is the
	 * reader's. */
	int (*read)(void *context, uint64_t offset, size_t len, const uint8_t **ret);
	/* A reader has closed it. */
	void (*closed)(void *context);
};

/* An empty directory. Negative errno where that cannot be. */
int fuse_dir_new(struct fuse_dir **ret);
/* Stops the threads, waiting for what they are at; readers get ENOTCONN. NULL is fine. */
void fuse_dir_free(struct fuse_dir *dir);
DEFINE_AUTO_PTR(fuse_dir, struct fuse_dir, fuse_dir_free)
#define auto_fuse_dir auto_cleanup(fuse_dir_cleanup_ptr)

/* Before the start. The file fd is, with the size that it has now; fd is taken over, also on failure. */
int fuse_dir_add_file(struct fuse_dir *dir, const char *name, int fd);
/* ops and context are borrowed. */
void fuse_dir_add(struct fuse_dir *dir, const char *name, uint64_t size,
		  const struct fuse_dir_ops *ops, void *context);

/* From now on readers are answered. */
int fuse_dir_start(struct fuse_dir *dir, unsigned int n_threads);
/* Of the mount, for others: /proc/PID/fd/N. */
int fuse_dir_fd(const struct fuse_dir *dir);
