/* SPDX-License-Identifier: Apache-2.0 */
#include "archive/stream.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive/ahead.h"
#include "archive/codec.h"
#include "archive/ring.h"
#include "core/alloc.h"
#include "core/fd.h"
#include "core/io.h"

/* zstd's fastest level looks back half as far; smaller ones stay in the processor's cache. */
#define CHUNK_ZSTD ((size_t)1 << 20)
#define CHUNK_GZIP ((size_t)1 << 20)
#define CHUNK_PLAIN ((size_t)1 << 20)
/* The disk is told to begin in steps of this size. */
#define SYNC_STEP ((uint64_t)16 << 20)
/* A hole in an archive that is shorter than this is not worth a system call. */
#define HOLE_MIN ((size_t)16 << 10)
#ifndef MADV_POPULATE_READ /* Linux 5.14 */
#define MADV_POPULATE_READ 22
#endif

struct stream_file {
	int fd;
	char *path;
	uint8_t *map; /* or NULL */
	size_t map_size;
	unsigned int refs; /* counted by the caller's thread alone */
};

/* Part of a chunk that is not bytes of ours: a range of a file, or zeroes (file NULL). */
struct range {
	struct stream_file *file;
	uint64_t offset; /* in the file */
	size_t at; /* in the chunk */
	size_t len;
};

struct chunk {
	const struct stream *stream;
	uint8_t *in;
	const uint8_t *data; /* in, or where a file is mapped */
	size_t len;
	struct range *ranges;
	size_t n_ranges;
	struct codec codec;
	int error; /* of reading, below 0 */
	const char *failed; /* the file that could not be read */
};

struct stream {
	int fd;
	char *name;
	struct stream_options options;
	size_t chunk_size;
	struct ring *ring;
	struct chunk *current; /* claimed */
	struct codec_index index;
	struct ahead *ahead; /* frames behind AHEAD_ROOM that are not a part of it yet */
	bool was_ahead; /* there may be something behind the end */
	uint64_t in;
	uint64_t out;
	uint64_t synced;
	bool is_pipe; /* or a socket: writing may raise SIGPIPE */
	bool sparse; /* the output may get holes */
	bool ends_in_hole;
};

/* --- files --- */

struct stream_file *stream_file_new(int fd, const char *path)
{
	struct stream_file *file = xcalloc(1, sizeof(*file));

	file->fd = fd;
	file->path = xstrdup(path);
	file->refs = 1;
	return file;
}

void stream_file_map(struct stream_file *file, uint64_t size)
{
	void *map = mmap(NULL, size, PROT_READ, MAP_SHARED, file->fd, 0);

	if (map == MAP_FAILED)
		return;
	/* Used once: the kernel need not note of each page that it was used. */
	(void)madvise(map, size, MADV_SEQUENTIAL);
	file->map = map;
	file->map_size = size;
}

void stream_file_release(struct stream_file *file)
{
	if (!file || --file->refs > 0)
		return;
	if (file->map)
		(void)munmap(file->map, file->map_size);
	close_fd(&file->fd);
	free(file->path);
	free(file);
}

/* --- in the workers --- */

static int read_range(const struct range *range, uint8_t *to)
{
	int r = io_pread_exact(range->file->fd, to, range->len, range->offset);

	return r == 0 ? -ENODATA : MIN(r, 0);
}

/*
 * A chunk that is part of a mapped file and nothing else is not copied. What cannot be read shows here, as it does not
 * when the memory is used.
 */
static bool use_map(struct chunk *c)
{
	const struct range *range = &c->ranges[0];
	size_t before;

	if (c->n_ranges != 1 || range->len != c->len || !range->file || !range->file->map)
		return false;
	before = range->offset % (size_t)sysconf(_SC_PAGESIZE);
	if (madvise(range->file->map + range->offset - before, before + range->len,
		    MADV_POPULATE_READ) < 0)
		return false;
	c->data = range->file->map + range->offset;
	return true;
}

static void fill_chunk(struct chunk *c)
{
	c->data = c->in;
	for (size_t i = 0; i < c->n_ranges; i++) {
		const struct range *range = &c->ranges[i];
		int r = 0;

		if (range->file)
			r = read_range(range, c->in + range->at);
		else
			memset(c->in + range->at, 0, range->len);
		if (r < 0) {
			c->error = r;
			c->failed = range->file->path;
			return;
		}
	}
}

static void run_chunk(void *slot)
{
	struct chunk *c = slot;

	if (!use_map(c))
		fill_chunk(c);
	if (c->error == 0)
		c->error = codec_compress(&c->codec, c->stream->options.codec,
					  c->stream->options.level, c->data, c->len);
}

/* --- output --- */

/* A reader that has gone is an error like others, not the end of the program. */
static int write_to_pipe(int fd, struct iovec *parts, size_t n)
{
	static const struct timespec now = { 0, 0 };
	sigset_t pipe_only;
	sigset_t before;
	int r;

	(void)sigemptyset(&pipe_only);
	(void)sigaddset(&pipe_only, SIGPIPE);
	(void)pthread_sigmask(SIG_BLOCK, &pipe_only, &before);
	r = io_writev_all(fd, parts, n);
	if (r == -EPIPE && !sigismember(&before, SIGPIPE))
		(void)sigtimedwait(&pipe_only, NULL, &now);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	return r;
}

static void drop_ahead(struct stream *s)
{
	ahead_free(s->ahead);
	s->ahead = NULL;
}

static int write_parts(struct stream *s, struct iovec *parts, size_t n, struct err *err)
{
	size_t len = 0;
	int r;

	for (size_t i = 0; i < n; i++)
		len += parts[i].iov_len;
	/* The room is too small: what is behind it is written over. */
	if (s->ahead && s->out + len + CODEC_FILLER_MIN > AHEAD_ROOM)
		drop_ahead(s);
	r = s->is_pipe ? write_to_pipe(s->fd, parts, n) : io_writev_all(s->fd, parts, n);
	if (r < 0)
		return err_sys(err, r, "write '%s'", s->name);
	s->out += len;
	s->ends_in_hole = false;
	/* What is not begun now is waited for at the end. Only a hint. */
	if (s->options.early_sync && s->out - s->synced >= SYNC_STEP) {
		(void)sync_file_range(s->fd, (off_t)s->synced, (off_t)(s->out - s->synced),
				      SYNC_FILE_RANGE_WRITE);
		s->synced = s->out;
	}
	return 0;
}

static int write_out(struct stream *s, const void *data, size_t len, struct err *err)
{
	struct iovec part = { (void *)(uintptr_t)data, len };

	return write_parts(s, &part, 1, err);
}

static int write_compressed(struct stream *s, struct chunk *c, struct err *err)
{
	struct iovec parts[STORED_PARTS_MAX];
	size_t n = codec_parts(&c->codec, c->data, c->len, parts);

	return write_parts(s, parts, n, err);
}

static int write_hole(struct stream *s, size_t len, struct err *err)
{
	if (lseek(s->fd, (off_t)len, SEEK_CUR) < 0)
		return err_sys(err, -errno, "write '%s'", s->name);
	s->out += len;
	s->ends_in_hole = true;
	return 0;
}

/* A chunk that is not compressed. */
static int write_plain(struct stream *s, const struct chunk *c, struct err *err)
{
	size_t done = 0;
	int r = 0;

	for (size_t i = 0; r == 0 && s->sparse && i < c->n_ranges; i++) {
		const struct range *range = &c->ranges[i];

		if (range->file || range->len < HOLE_MIN)
			continue;
		r = write_out(s, c->data + done, range->at - done, err);
		if (r == 0)
			r = write_hole(s, range->len, err);
		done = range->at + range->len;
	}
	return r < 0 ? r : write_out(s, c->data + done, c->len - done, err);
}

static void forget_ranges(struct chunk *c)
{
	for (size_t i = 0; i < c->n_ranges; i++)
		stream_file_release(c->ranges[i].file);
	free(c->ranges);
	c->ranges = NULL;
	c->n_ranges = 0;
	c->len = 0;
}

/* Write the oldest chunk. */
static int retire(struct stream *s, struct err *err)
{
	struct chunk *c = ring_wait(s->ring);
	int r;

	if (c->error < 0 && c->failed)
		r = c->error == -ENODATA ?
			    err_set(err, ERR_STATE,
				    "write '%s': '%s' became shorter meanwhile; archive what is "
				    "not being changed",
				    s->name, c->failed) :
			    err_sys(err, c->error, "read '%s'", c->failed);
	else if (c->error < 0)
		r = err_sys(err, c->error, "write '%s': compress", s->name);
	else if (s->options.codec == ARCHIVE_CODEC_NONE)
		r = write_plain(s, c, err);
	else
		r = write_compressed(s, c, err);
	if (r == 0)
		codec_index_add(&s->index, c->codec.len, c->len);
	forget_ranges(c);
	ring_release(s->ring);
	return r;
}

/* --- input --- */

static int claim(struct stream *s, struct err *err)
{
	struct chunk *c;

	if (s->current)
		return 0;
	while (!(c = ring_claim(s->ring))) {
		int r = retire(s, err);

		if (r < 0)
			return r;
	}
	c->stream = s;
	c->error = 0;
	c->failed = NULL;
	if (!c->in)
		c->in = xmalloc(s->chunk_size);
	s->current = c;
	return 0;
}

int stream_cut(struct stream *s, struct err *err UNUSED)
{
	if (s->current && s->current->len > 0) {
		ring_submit(s->ring);
		s->current = NULL;
	}
	return 0;
}

/* Room for up to len bytes, at least one, in the current chunk; 0: *ret_len. */
static int make_room(struct stream *s, uint64_t len, size_t *ret_len, struct err *err)
{
	int r = claim(s, err);

	if (r < 0)
		return r;
	*ret_len = (size_t)MIN(len, (uint64_t)(s->chunk_size - s->current->len));
	return 0;
}

static void advance(struct stream *s, size_t len)
{
	s->current->len += len;
	s->in += len;
	if (s->current->len == s->chunk_size) {
		ring_submit(s->ring);
		s->current = NULL;
	}
}

int stream_bytes(struct stream *s, const void *data, size_t len, struct err *err)
{
	const uint8_t *p = data;

	while (len > 0) {
		size_t n;
		int r = make_room(s, len, &n, err);

		if (r < 0)
			return r;
		memcpy(s->current->in + s->current->len, p, n);
		advance(s, n);
		p += n;
		len -= n;
	}
	return 0;
}

static int add_range(struct stream *s, struct stream_file *file, uint64_t offset, uint64_t len,
		     struct err *err)
{
	while (len > 0) {
		struct range *range;
		size_t n;
		int r = make_room(s, len, &n, err);

		if (r < 0)
			return r;
		range = array_push(s->current->ranges, s->current->n_ranges);
		*range = (struct range){ file, offset, s->current->len, n };
		if (file)
			file->refs++;
		advance(s, n);
		offset += n;
		len -= n;
	}
	return 0;
}

int stream_zeroes(struct stream *s, uint64_t len, struct err *err)
{
	return add_range(s, NULL, 0, len, err);
}

int stream_range(struct stream *s, struct stream_file *file, uint64_t offset, uint64_t len,
		 struct err *err)
{
	return add_range(s, file, offset, len, err);
}

/* --- ahead --- */

bool stream_follow(struct stream *s, int dir_fd)
{
	const struct ahead_options options = {
		.fd = s->fd,
		.codec = s->options.codec,
		.level = s->options.level,
		.chunk_size = s->chunk_size,
		.sync = s->options.early_sync,
	};

	/* A single processor is the writer's. */
	if (s->options.codec == ARCHIVE_CODEC_NONE || !s->sparse || s->in > 0 || s->ahead ||
	    ring_threads(s->options.threads) < 2)
		return false;
	s->ahead = ahead_start(dir_fd, &options);
	s->was_ahead = s->ahead != NULL;
	return s->was_ahead;
}

void stream_follow_end(struct stream *s)
{
	if (s->ahead)
		ahead_end(s->ahead);
}

uint64_t stream_followed(const struct stream *s)
{
	return s->ahead ? ahead_done(s->ahead) : 0;
}

uint64_t stream_followed_of(const struct stream *s, const struct stat *st)
{
	return s->ahead ? ahead_content(s->ahead, st) : 0;
}

/* From here to behind the frames. */
static int pass_ahead(struct stream *s, struct err *err)
{
	auto_strbuf struct strbuf filler = STRBUF_INIT;
	uint64_t end = AHEAD_ROOM + ahead_frames(s->ahead);
	size_t len = (size_t)(AHEAD_ROOM - s->out);
	int r;

	codec_filler_format(&filler, s->options.codec, len);
	r = io_write_all(s->fd, filler.buf, filler.len);
	if (r == 0 && lseek(s->fd, (off_t)end, SEEK_SET) < 0)
		r = -errno;
	if (r < 0)
		return err_sys(err, r, "write '%s'", s->name);
	codec_index_add(&s->index, len, 0);
	codec_index_append(&s->index, ahead_index(s->ahead));
	s->out = end;
	return 0;
}

int stream_take_ahead(struct stream *s, const struct stat *st, uint64_t *ret, struct err *err)
{
	uint64_t content = stream_followed_of(s, st);
	int r;

	*ret = 0;
	if (content == 0)
		return 0;
	r = stream_cut(s, err);
	while (r == 0 && ring_pending(s->ring) > 0)
		r = retire(s, err);
	if (r < 0 || !s->ahead)
		return r;
	r = pass_ahead(s, err);
	if (r < 0)
		return r;
	s->in += content;
	drop_ahead(s);
	*ret = content;
	return 0;
}

/* --- life cycle --- */

struct stream *stream_new(int fd, const struct stream_options *options)
{
	unsigned int n_threads = ring_threads(options->threads);
	struct stream *s = xcalloc(1, sizeof(*s));
	struct stat st;
	int flags = fcntl(fd, F_GETFL);

	s->fd = fd;
	s->name = xstrdup(options->name);
	s->options = *options;
	s->options.name = s->name;
	s->chunk_size = options->codec == ARCHIVE_CODEC_ZSTD ? CHUNK_ZSTD :
			options->codec == ARCHIVE_CODEC_GZIP ? CHUNK_GZIP :
							       CHUNK_PLAIN;
	s->is_pipe = fstat(fd, &st) == 0 && (S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode));
	/* Beyond its end nothing is there yet, so that what is passed over is a hole. */
	s->sparse = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size == 0 && flags >= 0 &&
		    !(flags & O_APPEND) && lseek(fd, 0, SEEK_CUR) == 0;
	if (!s->sparse)
		s->options.early_sync = false;
	s->ring = ring_new(n_threads, ring_slots(n_threads), sizeof(struct chunk), run_chunk);
	return s;
}

static void chunk_done(void *slot)
{
	struct chunk *c = slot;

	forget_ranges(c);
	codec_done(&c->codec);
	free(c->in);
}

void stream_free(struct stream *s)
{
	if (!s)
		return;
	drop_ahead(s);
	ring_free(s->ring, chunk_done);
	codec_index_done(&s->index);
	free(s->name);
	free(s);
}

size_t stream_chunk_size(const struct stream *s)
{
	return s->chunk_size;
}

int stream_finish(struct stream *s, struct err *err)
{
	auto_strbuf struct strbuf tail = STRBUF_INIT;
	int r = stream_cut(s, err);

	while (r == 0 && ring_pending(s->ring) > 0)
		r = retire(s, err);
	if (r < 0)
		return r;
	drop_ahead(s);
	codec_index_format(&s->index, s->options.codec, &tail);
	if (tail.len > 0)
		r = write_out(s, tail.buf, tail.len, err);
	if (r == 0 && (s->ends_in_hole || s->was_ahead) && ftruncate(s->fd, (off_t)s->out) < 0)
		r = err_sys(err, -errno, "write '%s'", s->name);
	return r;
}

uint64_t stream_bytes_in(const struct stream *s)
{
	return s->in;
}

uint64_t stream_bytes_out(const struct stream *s)
{
	return s->out;
}
