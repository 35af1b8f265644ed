/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/alloc.h"
#include "core/fd.h"
#include "core/io.h"
#include "core/str.h"
#include "in_child.h"
#include "kernel/fuse_dir.h"
#include "kernel/syscalls.h"

#define SIZE (((uint64_t)3 << 20) + 100)
#define BAD_AT ((uint64_t)2 << 20)

/* A byte tells where it stands. */
static uint8_t byte_at(uint64_t offset)
{
	return (uint8_t)(offset * 2654435761U >> 13);
}

struct made_up {
	uint8_t buffer[1 << 20];
	bool is_bad;
	atomic_int n_closed;
};

static int read_made_up(void *context, uint64_t offset, size_t len, const uint8_t **ret)
{
	struct made_up *made_up = context;

	if (made_up->is_bad && offset + len > BAD_AT)
		return -EIO;
	if (len > sizeof(made_up->buffer))
		return -EINVAL;
	for (size_t i = 0; i < len; i++)
		made_up->buffer[i] = byte_at(offset + i);
	*ret = made_up->buffer;
	return 0;
}

static void close_made_up(void *context)
{
	struct made_up *made_up = context;

	made_up->n_closed++;
}

static const struct fuse_dir_ops ops = { .read = read_made_up, .closed = close_made_up };

/* --- in another process, since this one must not use its own directory --- */

#define EXPECT(condition)                                                                          \
	do {                                                                                       \
		if (!(condition))                                                                  \
			return __LINE__ % 250 + 1;                                                 \
	} while (0)

static bool is_right(int fd, uint64_t offset, size_t len)
{
	auto_free uint8_t *data = xmalloc(len);

	if (io_pread_exact(fd, data, len, offset) != 1)
		return false;
	for (size_t i = 0; i < len; i++)
		if (data[i] != byte_at(offset + i))
			return false;
	return true;
}

static int read_names(int dir)
{
	auto_closedir DIR *list = fdopendir(fd_dup(dir));
	const struct dirent *entry;
	int n = 0;

	while (list && (entry = readdir(list)))
		n += str_has_prefix(entry->d_name, "pages-") || str_eq(entry->d_name, "file");
	return n;
}

static int look(const char *path)
{
	auto_close int dir = fd_open_at(AT_FDCWD, path, O_RDONLY | O_DIRECTORY, 0);
	auto_close int good = fd_open_at(dir, "pages-1.img", O_RDONLY, 0);
	auto_close int bad = fd_open_at(dir, "pages-2.img", O_RDONLY, 0);
	auto_strbuf struct strbuf text = STRBUF_INIT;
	struct stat st;
	char c;

	EXPECT(dir >= 0 && good >= 0 && bad >= 0);
	EXPECT(read_names(dir) == 3);
	EXPECT(fstat(good, &st) == 0 && S_ISREG(st.st_mode) && (uint64_t)st.st_size == SIZE);
	EXPECT(io_read_file_at(dir, "file", 1000, &text) == 0 && str_eq(text.buf, "content"));
	EXPECT(fd_open_at(dir, "absent", O_RDONLY, 0) == -ENOENT);
	EXPECT(fd_open_at(dir, "new", O_WRONLY | O_CREAT, 0600) < 0);
	EXPECT(mkdirat(dir, "new", 0700) < 0 && errno == EROFS);
	EXPECT(unlinkat(dir, "pages-1.img", 0) < 0 && errno == EROFS);
	EXPECT(fd_open_at(dir, "pages-1.img", O_WRONLY, 0) == -EROFS);
	/* In one go, at any place, across what one request asks for, up to the end and beyond it. */
	EXPECT(is_right(good, 0, (size_t)SIZE));
	EXPECT(is_right(good, 12345, 2 << 20));
	EXPECT(is_right(good, SIZE - 1, 1));
	EXPECT(pread(good, &c, 1, (off_t)SIZE) == 0);
	/* What cannot be read is an error, also behind what can. */
	EXPECT(is_right(bad, 0, (size_t)BAD_AT));
	errno = 0;
	EXPECT(pread(bad, &c, 1, (off_t)BAD_AT) < 0 && errno == EIO);
	return 0;
}

/* As CRIU does with auto-dedup. */
static int punch(const char *path)
{
	static const char *const names[] = { "pages-1.img", "file" };
	const int hole = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
	auto_close int dir = fd_open_at(AT_FDCWD, path, O_RDONLY | O_DIRECTORY, 0);
	struct stat st;
	char c;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		auto_close int fd = fd_open_at(dir, names[i], O_RDWR, 0);

		EXPECT(fd >= 0);
		EXPECT(pread(fd, &c, 1, 0) == 1);
		EXPECT(fallocate(fd, hole, 0, 4096) == 0);
		EXPECT(fallocate(fd, 0, 0, 4096) < 0 && errno == EROFS);
		EXPECT(pwrite(fd, "x", 1, 0) < 0 && errno == EROFS);
		EXPECT(ftruncate(fd, 1) < 0 && errno == EROFS);
		if (i == 0)
			EXPECT(is_right(fd, 0, (size_t)SIZE));
		else
			EXPECT(pread(fd, &c, 1, 0) == 1 && c == 'c');
		EXPECT(fstat(fd, &st) == 0 && (uint64_t)st.st_size == (i == 0 ? SIZE : 7));
	}
	return 0;
}

static int with_child(const char *path, int (*fn)(const char *path))
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(fn(path));
	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

static struct fuse_dir *make(struct made_up *good, struct made_up *bad)
{
	struct fuse_dir *dir = NULL;
	char name[] = "/tmp/floe-fuse.XXXXXX";
	int fd;

	/* compat: a container engine may keep /dev/fuse or mounts from us. */
	if (geteuid() != 0 || fuse_dir_new(&dir) < 0)
		skip();
	fd = mkostemp(name, O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(io_write_all(fd, "content", 7), 0);
	(void)unlink(name);
	assert_int_equal(fuse_dir_add_file(dir, "file", fd), 0);
	fuse_dir_add(dir, "pages-1.img", SIZE, &ops, good);
	fuse_dir_add(dir, "pages-2.img", SIZE, &ops, bad);
	assert_int_equal(fuse_dir_start(dir, 2), 0);
	return dir;
}

static char *path_of(const struct fuse_dir *dir)
{
	return xasprintf("/proc/%d/fd/%d", getpid(), fuse_dir_fd(dir));
}

static void test_reading(void **state UNUSED)
{
	static struct made_up good;
	static struct made_up bad = { .is_bad = true };
	struct fuse_dir *dir = make(&good, &bad);
	auto_free char *path = path_of(dir);

	assert_int_equal(with_child(path, look), 0);
	/* Two readers at a time. */
	assert_int_equal(with_child(path, look), 0);
	assert_int_equal(with_child(path, punch), 0);
	/* The kernel tells of a closed file when the one who closed it has long gone on. */
	for (int i = 0; i < 1000 && good.n_closed < 3; i++)
		(void)usleep(10000);
	assert_int_equal(good.n_closed, 3);
	fuse_dir_free(dir);
}

/* A reader that is still there when the directory goes: it gets an error, and does not wait. */
static void test_end(void **state UNUSED)
{
	static struct made_up good;
	static struct made_up bad;
	struct fuse_dir *dir = make(&good, &bad);
	auto_free char *path = path_of(dir);
	int to_child[2];
	int from_child[2];
	int status;
	char c = 0;
	pid_t pid;

	assert_int_equal(pipe2(to_child, O_CLOEXEC), 0);
	assert_int_equal(pipe2(from_child, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		int fd;

		/* A copy of the connection would keep it alive. */
		(void)fd_close_from(3, (int[]){ to_child[0], from_child[1] }, 2);
		fd = fd_open_at(AT_FDCWD, path, O_RDONLY | O_DIRECTORY, 0);
		fd = fd_open_at(fd, "pages-1.img", O_RDONLY, 0);
		if (!is_right(fd, 0, 4096) || write(from_child[1], "x", 1) != 1 ||
		    read(to_child[0], &c, 1) != 1)
			_exit(1);
		errno = 0;
		_exit(pread(fd, &c, 1, 0) < 0 && (errno == ENOTCONN || errno == ECONNABORTED) ? 0 :
												2);
	}
	assert_int_equal(read(from_child[0], &c, 1), 1);
	fuse_dir_free(dir);
	assert_int_equal(write(to_child[1], "x", 1), 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	for (int i = 0; i < 2; i++) {
		(void)close(to_child[i]);
		(void)close(from_child[i]);
	}
}

static void test_unused(void **state UNUSED)
{
	struct fuse_dir *dir = NULL;

	if (geteuid() != 0 || fuse_dir_new(&dir) < 0)
		skip();
	fuse_dir_free(dir);
	fuse_dir_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reading),
		cmocka_unit_test(test_end),
		cmocka_unit_test(test_unused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
