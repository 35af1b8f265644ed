/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/log_file.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/clock.h"
#include "core/fd.h"
#include "core/path.h"
#include "core/str.h"
#include "core/strbuf.h"
#include "engine/filter.h"

#define CHUNK 65536

char *log_file_path(const struct container *c)
{
	if (!str_eq(c->config.log_driver, "k8s-file") && !str_eq(c->config.log_driver, "json-file"))
		return NULL;
	return c->config.log_path ? xstrdup(c->config.log_path) :
				    path_join(c->static_dir, "ctr.log");
}

/* "TIME STREAM F ": of the line that begins there, whether it ends what was written as one. */
static bool ends_line(int fd, off_t at)
{
	char head[128];
	ssize_t n = pread(fd, head, sizeof(head) - 1, at);
	const char *flag;

	head[n < 0 ? 0 : n] = '\0';
	head[strcspn(head, "\n")] = '\0';
	flag = strchr(head, ' ');
	flag = flag ? strchr(flag + 1, ' ') : NULL;
	return flag && flag[1] != 'P';
}

struct tail {
	int64_t wanted;
	int64_t lines;
	off_t begin;
	bool any;
};

/* One more from the end. The newest counts in any case, for its rest may still be coming; true when there are enough. */
static bool count_line(struct tail *t, int fd, off_t at)
{
	if (!t->any || ends_line(fd, at))
		t->lines++;
	t->any = true;
	if (t->lines > t->wanted)
		return true;
	t->begin = at;
	return false;
}

/* Where the last n lines begin: found from the end, since logs are long. Parts of a line count with it. */
static int seek_tail(int fd, int64_t n, struct err *err)
{
	off_t end = lseek(fd, 0, SEEK_END);
	off_t at = end;
	struct tail tail = { .wanted = n, .begin = end };
	bool enough = n == 0;
	char chunk[CHUNK];

	while (at > 0 && !enough) {
		size_t size = (size_t)MIN(at, (off_t)sizeof(chunk));
		ssize_t got;

		at -= (off_t)size;
		got = pread(fd, chunk, size, at);
		if (got < (ssize_t)size)
			return err_sys(err, got < 0 ? -errno : -EIO, "read log");
		for (size_t i = size; i > 0 && !enough; i--)
			if (chunk[i - 1] == '\n' && at + (off_t)i < end)
				enough = count_line(&tail, fd, at + (off_t)i);
	}
	if (!enough && end > 0)
		(void)count_line(&tail, fd, 0);
	return lseek(fd, tail.begin, SEEK_SET) < 0 ? err_sys(err, -errno, "read log") : 0;
}

/* "2006-01-02T15:04:05.000000000+01:00 stdout F text" */
static bool parse_line(char *text, size_t len, struct log_line *ret)
{
	char *stream = memchr(text, ' ', len);
	char *flag = stream ? strchr(stream + 1, ' ') : NULL;
	char *rest = flag ? strchr(flag + 1, ' ') : NULL;

	if (!rest)
		return false;
	*stream = *flag = *rest = '\0';
	*ret = (struct log_line){
		.time = text,
		.is_stderr = str_eq(stream + 1, "stderr"),
		.partial = flag[1] == 'P',
		.text = rest + 1,
		.len = len - (size_t)(rest + 1 - text),
	};
	return true;
}

struct log_file {
	struct container *c;
	const struct log_read_options *options;
	struct log_listener listener;
	struct strbuf pending; /* a line that has no end yet */
	char *path;
	int fd;
};

static int deliver(struct log_file *f, char *text, size_t len, struct err *err)
{
	struct log_line line;
	int64_t at = 0;

	if (!parse_line(text, len, &line))
		return 0;
	if (f->options->since_ns || f->options->until_ns) {
		if (filter_parse_time(line.time, &at) < 0)
			return 0;
		if (at < f->options->since_ns ||
		    (f->options->until_ns && at > f->options->until_ns))
			return 0;
	}
	return f->listener.each(f->listener.context, &line, err);
}

/* All that is there now. */
static int drain(struct log_file *f, struct err *err)
{
	char chunk[CHUNK];
	ssize_t n;
	int ret = 0;

	while (ret == 0 && (n = RETRY_EINTR(read(f->fd, chunk, sizeof(chunk)))) != 0) {
		size_t from = 0;

		if (n < 0)
			return err_sys(err, -errno, "read log");
		for (size_t i = 0; ret == 0 && i < (size_t)n; i++) {
			if (chunk[i] != '\n')
				continue;
			strbuf_add(&f->pending, chunk + from, i - from);
			ret = deliver(f, f->pending.buf, f->pending.len, err);
			strbuf_clear(&f->pending);
			from = i + 1;
		}
		strbuf_add(&f->pending, chunk + from, (size_t)n - from);
	}
	return ret;
}

/* conmon begins a new file when the old one is full. */
static bool reopen_when_rotated(const char *path, int *fd)
{
	struct stat now;
	struct stat have;
	int next;

	if (stat(path, &now) < 0 || fstat(*fd, &have) < 0)
		return false;
	if (now.st_ino == have.st_ino && now.st_size >= lseek(*fd, 0, SEEK_CUR))
		return false;
	next = fd_open_at(AT_FDCWD, path, O_RDONLY, 0);
	if (next < 0)
		return false;
	close_fd(fd);
	*fd = next;
	return true;
}

bool log_is_alive(struct container *c)
{
	container_sync(c);
	if (container_is_alive(c) || c->status.phase == PHASE_INITIALIZED)
		return true;
	/* Another process may have written that down, or started it again. */
	return container_reload(c, NULL) == 0 && container_is_alive(c);
}

bool log_is_over(const struct log_read_options *options)
{
	return options->until_ns && (int64_t)clock_now_realtime_ns() > options->until_ns;
}

int log_file_more(struct log_file *f, struct err *err)
{
	bool alive;
	bool rotated;

	if (f->fd < 0)
		return 0;
	do {
		int r;

		alive = !log_is_over(f->options) && log_is_alive(f->c);
		r = drain(f, err);
		if (r < 0)
			return r;
		rotated = reopen_when_rotated(f->path, &f->fd);
	} while (rotated);
	return alive;
}

static int begin(struct log_file *f, struct err *err)
{
	int r;

	f->fd = fd_open_at(AT_FDCWD, f->path, O_RDONLY, 0);
	/* One that was never started has said nothing. */
	if (f->fd == -ENOENT)
		return 0;
	if (f->fd < 0)
		return err_sys(err, f->fd, "open log '%s'", f->path);
	r = f->options->tail >= 0 ? seek_tail(f->fd, f->options->tail, err) : 0;
	return r < 0 ? r : drain(f, err);
}

int log_file_open(struct container *c, const struct log_read_options *options,
		  const struct log_listener *listener, struct log_file **ret, struct err *err)
{
	auto_free char *path = log_file_path(c);
	struct log_file *f;
	int r;

	if (!path)
		return err_set(err, ERR_UNSUPPORTED,
			       "this container is using the '%s' log driver, cannot read logs",
			       c->config.log_driver);
	f = xcalloc(1, sizeof(*f));
	*f = (struct log_file){
		.c = c,
		.options = options,
		.listener = *listener,
		.pending = STRBUF_INIT,
		.path = take_ptr(path),
		.fd = -EBADF,
	};
	r = begin(f, err);
	if (r < 0)
		log_file_close(f);
	else
		*ret = f;
	return r;
}

void log_file_close(struct log_file *f)
{
	if (!f)
		return;
	strbuf_done(&f->pending);
	free(f->path);
	close_fd(&f->fd);
	free(f);
}
