/* SPDX-License-Identifier: Apache-2.0 */
#include "core/io.h"

#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sysmacros.h>

#include "core/alloc.h"
#include "core/fd.h"

int io_read_all(int fd, size_t limit, struct strbuf *sb)
{
	size_t total = 0;

	for (;;) {
		/* What is there already, less the terminating zero; else the next step of growth. */
		size_t left = sb->capacity > sb->len ? sb->capacity - sb->len - 1 : 0;
		size_t room = left >= 512 ? left : 4096;
		ssize_t n = RETRY_EINTR(read(fd, strbuf_reserve(sb, room), room));

		if (n < 0)
			return -errno;
		if (n == 0)
			return 0;
		strbuf_advance(sb, (size_t)n);
		total += (size_t)n;
		if (total > limit)
			return -EFBIG;
	}
}

static bool is_null_device(const struct stat *st)
{
	return S_ISCHR(st->st_mode) && st->st_rdev == makedev(1, 3);
}

int io_read_file_at(int dir_fd, const char *path, size_t limit, struct strbuf *sb)
{
	auto_close int fd = fd_open_at(dir_fd, path, O_RDONLY | O_NONBLOCK, 0);
	struct stat st;

	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	if (!S_ISREG(st.st_mode) && !is_null_device(&st))
		return -EINVAL;
	/* One read is enough for most files when the room is there beforehand. */
	if (st.st_size > 0 && (size_t)st.st_size <= limit)
		(void)strbuf_reserve(sb, (size_t)st.st_size + 1);
	return io_read_all(fd, limit, sb);
}

char *io_read_line_at(int dir_fd, const char *path)
{
	auto_strbuf struct strbuf sb = STRBUF_INIT;
	int r = io_read_file_at(dir_fd, path, 65536, &sb);

	if (r < 0) {
		errno = -r;
		return NULL;
	}
	return xstrndup(sb.buf, strcspn(sb.buf, "\n"));
}

int io_read_exact(int fd, void *buf, size_t len)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = RETRY_EINTR(read(fd, (char *)buf + done, len - done));

		if (n < 0)
			return -errno;
		if (n == 0)
			return done ? -EIO : 0;
		done += (size_t)n;
	}
	return 1;
}

int io_pread_exact(int fd, void *buf, size_t len, uint64_t offset)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = RETRY_EINTR(
			pread(fd, (char *)buf + done, len - done, (off_t)(offset + done)));

		if (n <= 0)
			return n < 0 ? -errno : 0;
		done += (size_t)n;
	}
	return 1;
}

int io_write_all(int fd, const void *buf, size_t len)
{
	const char *p = buf;

	while (len > 0) {
		ssize_t n = RETRY_EINTR(write(fd, p, len));

		if (n < 0)
			return -errno;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

int io_write_pipe(int fd, const void *buf, size_t len)
{
	static const struct timespec now = { 0, 0 };
	sigset_t pipe_only;
	sigset_t before;
	int r;

	(void)sigemptyset(&pipe_only);
	(void)sigaddset(&pipe_only, SIGPIPE);
	(void)pthread_sigmask(SIG_BLOCK, &pipe_only, &before);
	r = io_write_all(fd, buf, len);
	if (r == -EPIPE && !sigismember(&before, SIGPIPE))
		(void)sigtimedwait(&pipe_only, NULL, &now);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	return r;
}

/* At an offset, or where the descriptor is (-1). */
static int write_parts(int fd, struct iovec *parts, size_t n, off_t offset)
{
	while (n > 0) {
		ssize_t done = RETRY_EINTR(offset < 0 ? writev(fd, parts, (int)n) :
							pwritev(fd, parts, (int)n, offset));

		if (done < 0)
			return -errno;
		if (offset >= 0)
			offset += done;
		while (n > 0 && (size_t)done >= parts->iov_len) {
			done -= (ssize_t)parts->iov_len;
			parts++;
			n--;
		}
		if (n > 0) {
			parts->iov_base = (char *)parts->iov_base + done;
			parts->iov_len -= (size_t)done;
		}
	}
	return 0;
}

int io_writev_all(int fd, struct iovec *parts, size_t n)
{
	return write_parts(fd, parts, n, -1);
}

int io_pwritev_all(int fd, struct iovec *parts, size_t n, off_t offset)
{
	return write_parts(fd, parts, n, offset);
}

int io_pwrite_all(int fd, const void *buf, size_t len, off_t offset)
{
	const char *p = buf;

	while (len > 0) {
		ssize_t n = RETRY_EINTR(pwrite(fd, p, len, offset));

		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		p += n;
		offset += n;
		len -= (size_t)n;
	}
	return 0;
}

#define SPARSE_BLOCK ((size_t)4096)

static bool is_zero(const char *p, size_t len)
{
	return p[0] == 0 && memcmp(p, p + 1, len - 1) == 0;
}

int io_pwrite_sparse(int fd, const void *buf, size_t len, off_t offset)
{
	const char *p = buf;
	/* Up to where blocks of the file begin there is data. */
	size_t at = MIN((size_t)(-offset & (off_t)(SPARSE_BLOCK - 1)), len);
	size_t start = 0;

	while (start < len) {
		int r;

		while (at < len && !(len - at >= SPARSE_BLOCK && is_zero(p + at, SPARSE_BLOCK)))
			at += MIN(SPARSE_BLOCK, len - at);
		r = io_pwrite_all(fd, p + start, at - start, offset + (off_t)start);
		if (r < 0)
			return r;
		while (len - at >= SPARSE_BLOCK && is_zero(p + at, SPARSE_BLOCK))
			at += SPARSE_BLOCK;
		start = at;
	}
	return 0;
}

int io_write_file_at(int dir_fd, const char *path, const char *s)
{
	auto_close int fd = fd_open_at(dir_fd, path, O_WRONLY, 0);
	size_t len = strlen(s);
	ssize_t n;

	if (fd < 0)
		return fd;
	n = RETRY_EINTR(write(fd, s, len));
	if (n < 0)
		return -errno;
	return (size_t)n == len ? 0 : -EIO;
}

int io_memory_file(const char *name, const char *content)
{
	auto_close int fd = memfd_create(name, MFD_CLOEXEC);
	int r = 0;

	if (fd < 0)
		return -errno;
	if (content)
		r = io_write_all(fd, content, strlen(content));
	if (r == 0 && lseek(fd, 0, SEEK_SET) < 0)
		r = -errno;
	return r < 0 ? r : take_fd(fd);
}
