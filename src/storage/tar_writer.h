/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writing of tar archives (POSIX pax, SCHILY.xattr): layers, exports, copies. Files are read through
 * descriptors that do not follow symlinks, so that a running container can do nothing to us but
 * change its own archive. Sockets are left out, as tar cannot hold them.
 */
#pragma once

#include "core/err.h"
#include "core/auto.h"
#include "core/macro.h"
#include "kernel/idmap.h"

struct tar_writer;

/* Called with what is written, in order. Return: 0 or -errno. */
typedef int tar_sink(void *context, const void *data, size_t len);

int tar_writer_open(struct tar_writer **ret, tar_sink *sink, void *context, struct err *err);
/* From now on files are of whoever their owner is inside (a borrowed pair of maps; ids without one stay as they are). */
void tar_writer_map_ids(struct tar_writer *w, const struct idmap *uids, const struct idmap *gids);
/* The object dir_fd/name (name "" with a descriptor of the object: "."), as `path` in the archive;
 * not what is below it. A second name of an inode becomes a link to the first. */
int tar_writer_add(struct tar_writer *w, int dir_fd, const char *name, const char *path,
		   struct err *err);
/* The same with everything below it; `one_fs`: mount points are left empty. */
int tar_writer_add_tree(struct tar_writer *w, int dir_fd, const char *name, const char *path,
			bool one_fs, struct err *err);
/* An empty file `.wh.NAME` for the path, which the layer hides. */
int tar_writer_whiteout(struct tar_writer *w, const char *path, struct err *err);
/* An empty or small file that is nowhere on disk. */
int tar_writer_add_data(struct tar_writer *w, const char *path, const void *data, size_t len,
			struct err *err);
/* The header of a file of `size` bytes that follow by tar_writer_data(). */
int tar_writer_begin(struct tar_writer *w, const char *path, uint64_t size, struct err *err);
int tar_writer_data(struct tar_writer *w, const void *data, size_t len, struct err *err);
/* The archive's end. */
int tar_writer_finish(struct tar_writer *w, struct err *err);
void tar_writer_close(struct tar_writer *w);

/* A sink that writes to the descriptor *(int *)context. */
int tar_sink_fd(void *context, const void *data, size_t len);

DEFINE_AUTO_PTR(tar_writer, struct tar_writer, tar_writer_close)
#define auto_tar_writer auto_cleanup(tar_writer_cleanup_ptr)
