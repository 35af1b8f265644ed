/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The beginning of a file that somebody else is still writing, compressed meanwhile.
 *
 * Theory of operation. The tar's header of a member says how long it is, so that CRIU's memory cannot be archived before CRIU is
 * done. But a member's content may begin with a compressed piece of its own: pieces can be made while the file grows, and be put to
 * where they will be in the archive, behind room that is kept for all that comes before. What remains of that room becomes a piece
 * without content: a frame that decoders of zstd skip, an empty member of gzip.
 *
 * One thread follows the first file pages-*.img that becomes large, one chunk at a time, and leaves it for another one that has
 * become twice as large: of many processes it is the largest that counts. The container is frozen meanwhile,
 * so that whoever writes the file must not notice: the thread gets a processor that nobody else wants (SCHED_IDLE), and reads
 * the pages from where they are. It is given back its creator's priority when it is waited for; where that is not
 * permitted there is no thread.
 *
 * The file may only be appended to, and what is below its size must be final, as it is with CRIU (page-xfer.c: splice(2) of
 * whole pages to the end; only the images of a parent are ever punched).
 */
#pragma once

#include <stdint.h>
#include <sys/stat.h>

#include "archive/codec.h"

/* What is kept in front: documents and small images of some hundred processes. A hole, where it is not used. */
#define AHEAD_ROOM ((uint64_t)512 << 10)
/* A file is followed when it is as large as this: far more than the room. */
#define AHEAD_MIN ((uint64_t)16 << 20)

struct ahead;

struct ahead_options {
	int fd; /* the archive, empty so far; borrowed */
	enum archive_codec codec; /* not ARCHIVE_CODEC_NONE */
	int level;
	size_t chunk_size; /* a multiple of the size of a page */
	bool sync; /* have the disk begin to write at once */
};

/* Follow what is written in dir_fd (borrowed until ahead_end()). NULL when there can be no such thread. */
struct ahead *ahead_start(int dir_fd, const struct ahead_options *options);
/* Bytes of the file that are in the archive so far. */
uint64_t ahead_done(const struct ahead *ahead);
/* No more: afterwards nothing is written any more, and the functions below may be used. More than once is fine. */
void ahead_end(struct ahead *ahead);
/* How much of the beginning of this file is in the archive; 0 when it is not the file that was followed, or is shorter now. */
uint64_t ahead_content(const struct ahead *ahead, const struct stat *st);
/* The frames; the first one is AHEAD_ROOM into the archive, and offsets count from there. */
const struct codec_index *ahead_index(const struct ahead *ahead);
/* Bytes of all of them. */
uint64_t ahead_frames(const struct ahead *ahead);
/* NULL is fine. */
void ahead_free(struct ahead *ahead);
