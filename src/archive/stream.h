/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A stream of bytes on its way to a descriptor, compressed chunk by chunk by worker threads (writer.h
 * tells how). Offsets and order are those of the calls.
 */
#pragma once

#include <sys/stat.h>

#include "archive/writer.h"

struct stream;

struct stream_options {
	enum archive_codec codec;
	int level; /* not 0 */
	unsigned int threads;
	bool early_sync; /* have the disk begin to write at once */
	const char *name; /* for errors; copied */
};

/* fd is borrowed. */
struct stream *stream_new(int fd, const struct stream_options *options) MUST_CHECK;
/* Stops the threads, wherever they are. NULL is fine. */
void stream_free(struct stream *s);

int stream_bytes(struct stream *s, const void *data, size_t len, struct err *err);
int stream_zeroes(struct stream *s, uint64_t len, struct err *err);

/* A file whose ranges are read by the workers. */
struct stream_file;
/* Takes fd over. path is for errors. */
struct stream_file *stream_file_new(int fd, const char *path) MUST_CHECK;
/* Have the workers take the first size bytes from memory, without a copy: only for a file that stays as long as it is
 * (SIGBUS, mmap(2)). Where that cannot be it is read. */
void stream_file_map(struct stream_file *file, uint64_t size);
/* The caller has no more ranges of it. */
void stream_file_release(struct stream_file *file);
int stream_range(struct stream *s, struct stream_file *file, uint64_t offset, uint64_t len,
		 struct err *err);

/*
 * Have the memory images that somebody writes in dir_fd (borrowed) compressed meanwhile (ahead.h), before anything has been
 * given: whether that can be.
 */
bool stream_follow(struct stream *s, int dir_fd);
/* Whoever writes is done. */
void stream_follow_end(struct stream *s);
uint64_t stream_followed(const struct stream *s);
/* Of this file; only after the end. */
uint64_t stream_followed_of(const struct stream *s, const struct stat *st);
/* The content of this file comes next: how much of its beginning is in the stream now, by stream_follow(). */
int stream_take_ahead(struct stream *s, const struct stat *st, uint64_t *ret, struct err *err);

/* Begin a new chunk with what comes next, unless the current one is empty. */
int stream_cut(struct stream *s, struct err *err);
/* Bytes of a chunk. */
size_t stream_chunk_size(const struct stream *s);
/* Write all that there is, and what belongs behind it. */
int stream_finish(struct stream *s, struct err *err);
/* Bytes given, and bytes written. */
uint64_t stream_bytes_in(const struct stream *s);
uint64_t stream_bytes_out(const struct stream *s);
