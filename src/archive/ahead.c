/* SPDX-License-Identifier: Apache-2.0 */
#include "archive/ahead.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/auto.h"
#include "core/fd.h"
#include "core/fs.h"
#include "core/io.h"
#include "core/str.h"
#include "core/strvec.h"

#define WAIT_NS (1000 * 1000)
/* Other files are looked for once in so many waits. */
#define LOOK_EVERY 4
/* The disk is told to begin in steps of this size. */
#define SYNC_STEP ((uint64_t)16 << 20)
/* So many chunks are mapped at once: what is done with is unmapped while there is time. */
#define WINDOW 16
#ifndef MADV_POPULATE_READ /* Linux 5.14 */
#define MADV_POPULATE_READ 22
#endif

struct ahead {
	struct ahead_options options;
	int dir_fd;
	pthread_t thread;
	int policy; /* of whoever waits for the thread */
	struct sched_param param;
	bool joined;
	atomic_bool ending;
	atomic_uint_fast64_t done; /* bytes of the file */
	/* of the thread until it is joined */
	int fd; /* the file that is followed */
	struct stat st;
	uint8_t *window; /* NULL, or what is mapped of it */
	uint64_t window_at;
	uint8_t *copy; /* of a chunk that cannot be mapped */
	struct codec codec;
	struct codec_index index;
	uint64_t out; /* bytes of frames */
	uint64_t synced; /* of these */
};

/* --- in the thread --- */

static void unmap(struct ahead *a)
{
	if (a->window)
		(void)munmap(a->window, WINDOW * a->options.chunk_size);
	a->window = NULL;
}

static bool is_pages(const char *name)
{
	return str_has_prefix(name, "pages-") && str_has_suffix(name, ".img");
}

/* Follow this file instead: what has been done is written over. */
static void begin_file(struct ahead *a, const char *name)
{
	int fd = fd_open_at(a->dir_fd, name, O_RDONLY | O_NOFOLLOW, 0);

	if (fd < 0)
		return;
	unmap(a);
	close_fd(&a->fd);
	codec_index_done(&a->index);
	a->done = a->out = a->synced = 0;
	if (fstat(fd, &a->st) < 0)
		close_fd(&fd);
	a->fd = fd;
}

/*
 * Follow the largest file that is worth it: while it is not all that there is of memory, one that is twice as large as what has
 * been done.
 */
static void find_file(struct ahead *a)
{
	auto_strvec struct strvec names = STRVEC_INIT;
	const char *found = NULL;
	uint64_t size = MAX(AHEAD_MIN, 2 * a->done);
	struct stat st;

	(void)fs_list(a->dir_fd, ".", &names);
	for (size_t i = 0; i < names.n; i++) {
		if (!is_pages(names.v[i]) ||
		    fstatat(a->dir_fd, names.v[i], &st, AT_SYMLINK_NOFOLLOW) < 0 ||
		    !S_ISREG(st.st_mode) || (uint64_t)st.st_size < size ||
		    (a->fd >= 0 && fs_is_same_file(&st, &a->st)))
			continue;
		size = (uint64_t)st.st_size;
		found = names.v[i];
	}
	if (found)
		begin_file(a, found);
}

/* A chunk that the file has, from where it is; NULL where that cannot be. */
static const uint8_t *map_chunk(struct ahead *a, uint64_t at)
{
	size_t size = WINDOW * a->options.chunk_size;
	uint8_t *data;

	if (a->window && at >= a->window_at + size)
		unmap(a);
	if (!a->window) {
		/* Beyond the end of the file, too: nothing is used there until there is something. */
		void *map = mmap(NULL, size, PROT_READ, MAP_SHARED, a->fd, (off_t)at);

		if (map == MAP_FAILED)
			return NULL;
		(void)madvise(map, size, MADV_SEQUENTIAL);
		a->window = map;
		a->window_at = at;
	}
	data = a->window + (at - a->window_at);
	return madvise(data, a->options.chunk_size, MADV_POPULATE_READ) < 0 ? NULL : data;
}

static const uint8_t *read_chunk(struct ahead *a, uint64_t at)
{
	if (!a->copy)
		a->copy = xmalloc(a->options.chunk_size);
	return io_pread_exact(a->fd, a->copy, a->options.chunk_size, at) > 0 ? a->copy : NULL;
}

static int write_frame(struct ahead *a, const uint8_t *data)
{
	struct iovec parts[STORED_PARTS_MAX];
	size_t n = codec_parts(&a->codec, data, a->options.chunk_size, parts);
	int r = io_pwritev_all(a->options.fd, parts, n, (off_t)(AHEAD_ROOM + a->out));

	if (r < 0)
		return r;
	codec_index_add(&a->index, a->codec.len, a->options.chunk_size);
	a->out += a->codec.len;
	if (a->options.sync && a->out - a->synced >= SYNC_STEP) {
		(void)sync_file_range(a->options.fd, (off_t)(AHEAD_ROOM + a->synced),
				      (off_t)(a->out - a->synced), SYNC_FILE_RANGE_WRITE);
		a->synced = a->out;
	}
	return 0;
}

/* One chunk: 1; 0 when there is none yet; negative errno. */
static int compress_next(struct ahead *a)
{
	size_t size = a->options.chunk_size;
	uint64_t at = a->done;
	const uint8_t *data;
	struct stat st;
	int r;

	if (fstat(a->fd, &st) < 0)
		return -errno;
	if ((uint64_t)st.st_size < at + size)
		return 0;
	data = map_chunk(a, at);
	if (!data)
		data = read_chunk(a, at);
	if (!data)
		return -EIO;
	r = codec_compress(&a->codec, a->options.codec, a->options.level, data, size);
	if (r == 0)
		r = write_frame(a, data);
	if (r < 0)
		return r;
	a->done = at + size;
	return 1;
}

static void *follow(void *context)
{
	static const struct timespec wait = { 0, WAIT_NS };
	struct ahead *a = context;
	unsigned int n_waits = 0;
	int r = 0;

	/* What went wrong is met again, and told, by whoever writes the rest. */
	while (r >= 0 && !a->ending) {
		r = a->fd >= 0 ? compress_next(a) : 0;
		if (r > 0)
			continue;
		if (n_waits++ % LOOK_EVERY == 0)
			find_file(a);
		(void)nanosleep(&wait, NULL);
	}
	unmap(a);
	return NULL;
}

/* --- outside --- */

/*
 * To the lowest priority, when there is a way back from it, for which privileges are needed. Not by the thread itself, which might
 * not run for long in between.
 */
static bool lower(const struct ahead *a)
{
	static const struct sched_param none = { 0 };

	return pthread_setschedparam(a->thread, SCHED_IDLE, &none) == 0 &&
	       pthread_setschedparam(a->thread, a->policy, &a->param) == 0 &&
	       pthread_setschedparam(a->thread, SCHED_IDLE, &none) == 0;
}

static bool start_thread(struct ahead *a)
{
	sigset_t all;
	sigset_t before;
	int r = pthread_getschedparam(pthread_self(), &a->policy, &a->param);

	if (r != 0)
		return false;
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	r = pthread_create(&a->thread, NULL, follow, a);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (r != 0)
		return false;
	a->joined = false;
	return lower(a);
}

struct ahead *ahead_start(int dir_fd, const struct ahead_options *options)
{
	struct ahead *a = xcalloc(1, sizeof(*a));

	a->options = *options;
	a->dir_fd = dir_fd;
	a->fd = -EBADF;
	a->joined = true;
	if (start_thread(a))
		return a;
	ahead_free(a);
	return NULL;
}

uint64_t ahead_done(const struct ahead *a)
{
	return a->done;
}

void ahead_end(struct ahead *a)
{
	if (a->joined)
		return;
	a->ending = true;
	/* Where processors are busy it would never come to its end. */
	(void)pthread_setschedparam(a->thread, a->policy, &a->param);
	(void)pthread_join(a->thread, NULL);
	a->joined = true;
}

uint64_t ahead_content(const struct ahead *a, const struct stat *st)
{
	return a->fd >= 0 && fs_is_same_file(st, &a->st) && (uint64_t)st->st_size >= a->done ?
		       a->done :
		       0;
}

const struct codec_index *ahead_index(const struct ahead *a)
{
	return &a->index;
}

uint64_t ahead_frames(const struct ahead *a)
{
	return a->out;
}

void ahead_free(struct ahead *a)
{
	if (!a)
		return;
	ahead_end(a);
	close_fd(&a->fd);
	free(a->copy);
	codec_done(&a->codec);
	codec_index_done(&a->index);
	free(a);
}
