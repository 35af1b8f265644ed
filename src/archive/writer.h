/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes a checkpoint archive (podman's layout, contracts of the members in members.h) in one pass, to
 * a file, a pipe, or as a plain directory.
 *
 * Theory of operation. The tar is cut into chunks. A chunk is filled by the caller's thread with headers
 * and small data; ranges of large files are only noted. Worker threads, one for each processor, read
 * those ranges, compress the chunk, and the caller's thread writes finished chunks in their order,
 * whenever it needs room for the next one. A few chunks are in memory at a time, whatever the size.
 *
 * With zstd each chunk is a frame of its own, the content of a large member begins a new frame, and behind the last
 * frame stands a seek table in a skippable frame (the "zstd seekable format"), from which
 * archive/reader.h reaches any member without decompressing what is before it. For everybody else it is
 * an ordinary .tar.zst. With gzip each chunk is a member of its own whose header says how long it is (an
 * extra field, RFC 1952 2.3.1.1). Holes and runs that are not allocated are not read; a file that is
 * not compressed gets them as holes.
 *
 * Put the metadata (config.dump, spec.dump, network.status, ...) first: who reads from a pipe decides by
 * it.
 *
 * Memory may be compressed while CRIU still writes it (archive_writer_follow()).
 *
 * One thread at a time uses a writer. Between open and close there are worker threads, so that a child
 * must be made by proc_spawn().
 */
#pragma once

#include <stdint.h>

#include "archive/tree.h"
#include "core/auto.h"
#include "core/err.h"
#include "core/macro.h"

enum archive_codec {
	ARCHIVE_CODEC_ZSTD, /* the default */
	ARCHIVE_CODEC_GZIP,
	ARCHIVE_CODEC_NONE,
};

/* "none", "gzip", "zstd", in any case. -EINVAL. */
int archive_codec_from_string(const char *name, enum archive_codec *ret);

struct archive_writer_options {
	enum archive_codec codec; /* ignored for a directory */
	int level; /* 0: 1, which is the fastest that compresses */
	unsigned int threads; /* 0: as many as there are processors for us, at most 16 */
	bool no_sync; /* do not wait for the disk at the end */
};

/* What it cost, for statistics. */
struct archive_writer_result {
	uint64_t tar_bytes; /* before compression */
	uint64_t archive_bytes; /* written; with a directory the files' sizes */
	uint64_t n_members;
};

struct archive_writer;

/*
 * target is "-" (stdout), "dir:PATH" (made if it is missing, mode 0700; must be empty), or a file's path. The
 * file is written under a temporary name beside it, mode 0600 before any data, and gets its name by
 * archive_writer_commit(): an existing file is replaced then, and not before. A target that exists and is no
 * regular file (a fifo, /dev/null, /dev/fd/3) is opened and written as it is; a pipe whose reader has gone is
 * -EPIPE, without a SIGPIPE. options NULL: all defaults.
 */
int archive_writer_open(struct archive_writer **ret, const char *target,
			const struct archive_writer_options *options, struct err *err);

/*
 * CRIU writes memory images (pages-*.img) into dir_fd, which are to be added when it is done: have the first large one compressed
 * meanwhile, before anything else is added (ahead.h). It is added as if nothing had been. Only saves time, where that can be: with
 * zstd or gzip, to a regular file, on more than one processor, privileged; false: here it cannot. dir_fd is borrowed until
 * archive_writer_follow_end(), after which the images are what they are going to be.
 */
bool archive_writer_follow(struct archive_writer *w, int dir_fd);
void archive_writer_follow_end(struct archive_writer *w);
/* Bytes of memory that have been compressed so. */
uint64_t archive_writer_followed(const struct archive_writer *w);

/*
 * Members, in the order of the calls. Names are relative ("checkpoint/core-1.img"); one that the readers'
 * table (members.h) does not know is ERR_INTERNAL, a name that was there before too. After any failure
 * only archive_writer_close() is left.
 */
int archive_writer_add_data(struct archive_writer *w, const char *name, const void *data,
			    size_t len, struct err *err);
/* The regular file dir_fd/path, mode 0600. 0 and nothing is written when there is none. */
int archive_writer_add_file(struct archive_writer *w, int dir_fd, const char *path,
			    const char *name, struct err *err);
/* All entries of tree as members ("checkpoint", "checkpoint/core-1.img", ...), in their order, but small ones and the one that was
 * followed before large ones. tree is borrowed and not
 * needed afterwards. */
int archive_writer_add_tree(struct archive_writer *w, const struct archive_tree *tree,
			    struct err *err);
/* An uncompressed tar of the tree as one member ("rootfs-diff.tar", "volumes/NAME.tar"). Borrowed. */
int archive_writer_add_tar(struct archive_writer *w, const char *name,
			   const struct archive_tree *tree, struct err *err);

/*
 * End the archive, wait for all of it to be written (and synced, for a file), give it its name. ret may be
 * NULL. On failure there is no file of that name but the one that was there before.
 */
int archive_writer_commit(struct archive_writer *w, struct archive_writer_result *ret,
			  struct err *err);
/* After a commit: the archive is not wanted after all, and is removed where it is a file or directory. */
void archive_writer_withdraw(struct archive_writer *w);
/* Stops the threads. Without a commit the temporary file (or what was written into the directory) is
 * removed. NULL is fine. */
void archive_writer_close(struct archive_writer *w);

DEFINE_AUTO_PTR(archive_writer, struct archive_writer, archive_writer_close)
#define auto_archive_writer auto_cleanup(archive_writer_cleanup_ptr)
