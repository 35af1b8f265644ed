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
#define FOLLOW_MS 50

char *log_file_path(const struct container *c)
{
	if (!str_eq(c->config.log_driver, "k8s-file") && !str_eq(c->config.log_driver, "json-file"))
		return NULL;
	return c->config.log_path ? xstrdup(c->config.log_path) :
				    path_join(c->static_dir, "ctr.log");
}

/* Where the last n whole lines begin: found from the end, since logs are long. Parts of a line count with it. */
static int seek_tail(int fd, int64_t n, struct err *err)
{
	off_t end = lseek(fd, 0, SEEK_END);
	off_t at = end;
	off_t begin = end;
	char chunk[CHUNK];

	int64_t lines = 0;

	while (at > 0 && lines <= n) {
		size_t size = (size_t)MIN(at, (off_t)sizeof(chunk));
		ssize_t got;

		at -= (off_t)size;
		got = pread(fd, chunk, size, at);
		if (got < (ssize_t)size)
			return err_sys(err, got < 0 ? -errno : -EIO, "read log");
		for (size_t i = size; i > 0 && lines <= n; i--) {
			if (chunk[i - 1] != '\n')
				continue;
			if (at + (off_t)i == end)
				lines = 0;
			lines++;
			if (lines <= n)
				continue;
			begin = at + (off_t)i;
		}
	}
	if (lines <= n)
		begin = 0;
	return lseek(fd, n == 0 ? end : begin, SEEK_SET) < 0 ? err_sys(err, -errno, "read log") : 0;
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

struct reader {
	const struct log_read_options *options;
	int (*each)(void *context, const struct log_line *line, struct err *err);
	void *context;
	struct strbuf pending; /* a line that has no end yet */
};

static int deliver(struct reader *r, char *text, size_t len, struct err *err)
{
	struct log_line line;
	int64_t at = 0;

	if (!parse_line(text, len, &line))
		return 0;
	if (r->options->since_ns || r->options->until_ns) {
		if (filter_parse_time(line.time, &at) < 0)
			return 0;
		if (at < r->options->since_ns ||
		    (r->options->until_ns && at > r->options->until_ns))
			return 0;
	}
	return r->each(r->context, &line, err);
}

/* All that is there now. */
static int drain(struct reader *r, int fd, struct err *err)
{
	char chunk[CHUNK];
	ssize_t n;
	int ret = 0;

	while (ret == 0 && (n = RETRY_EINTR(read(fd, chunk, sizeof(chunk)))) != 0) {
		size_t from = 0;

		if (n < 0)
			return err_sys(err, -errno, "read log");
		for (size_t i = 0; ret == 0 && i < (size_t)n; i++) {
			if (chunk[i] != '\n')
				continue;
			strbuf_add(&r->pending, chunk + from, i - from);
			ret = deliver(r, r->pending.buf, r->pending.len, err);
			strbuf_clear(&r->pending);
			from = i + 1;
		}
		strbuf_add(&r->pending, chunk + from, (size_t)n - from);
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

static int follow(struct container *c, struct reader *r, const char *path, int *fd, struct err *err)
{
	bool alive = true;
	bool rotated = false;
	int ret = 0;

	while (ret == 0 && (alive || rotated)) {
		alive = log_is_alive(c);
		ret = drain(r, *fd, err);
		rotated = ret == 0 && reopen_when_rotated(path, fd);
		if (alive && !rotated)
			clock_sleep_ms(FOLLOW_MS);
	}
	return ret;
}

int log_file_read(struct container *c, const struct log_read_options *options,
		  int (*each)(void *context, const struct log_line *line, struct err *err),
		  void *context, struct err *err)
{
	struct reader reader = {
		.options = options, .each = each, .context = context, .pending = STRBUF_INIT
	};
	auto_free char *path = log_file_path(c);
	auto_close int fd = -EBADF;
	int r;

	if (!path)
		return err_set(err, ERR_UNSUPPORTED,
			       "this container is using the '%s' log driver, cannot read logs",
			       c->config.log_driver);
	fd = fd_open_at(AT_FDCWD, path, O_RDONLY, 0);
	/* One that was never started has said nothing. */
	if (fd == -ENOENT && !options->follow)
		return 0;
	if (fd < 0)
		return fd == -ENOENT ? 0 : err_sys(err, fd, "open log '%s'", path);
	r = options->tail >= 0 ? seek_tail(fd, options->tail, err) : 0;
	if (r == 0)
		r = drain(&reader, fd, err);
	if (r == 0 && options->follow)
		r = follow(c, &reader, path, &fd, err);
	strbuf_done(&reader.pending);
	return r;
}
