/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Resolution inside a root, by openat2(2) and by the walk alike, and against somebody who exchanges
 * directories and symlinks all the time.
 */
#include "core/rooted.h"

#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/alloc.h"
#include "core/fd.h"
#include "core/fs.h"
#include "core/io.h"

#define RACE_ROUNDS 3000
#define RACE_ROUNDS_MAX 1000000

static char dir[] = "/tmp/floe-test-XXXXXX";
static int dir_fd = -EBADF;
static struct rooted root = ROOTED_INIT;

/*
 * The tree: "outside" is what nobody may reach from "root".
 */
static void make_file(const char *path, const char *text)
{
	auto_close int fd = openat(dir_fd, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(io_write_all(fd, text, strlen(text)), 0);
}

static void make_dir(const char *path)
{
	assert_int_equal(fs_mkdir_all(dir_fd, path, 0755, 0755), 0);
}

static void make_link(const char *target, const char *path)
{
	assert_int_equal(symlinkat(target, dir_fd, path), 0);
}

static int set_up(void **state UNUSED)
{
	auto_free char *absolute = NULL;

	assert_non_null(mkdtemp(dir));
	dir_fd = fd_open_at(AT_FDCWD, dir, O_RDONLY | O_DIRECTORY, 0);
	assert_true(dir_fd >= 0);
	make_dir("outside/sub");
	make_file("outside/secret", "outside");
	make_dir("root/a/b/c");
	make_dir("root/outside");
	make_file("root/a/b/file", "b");
	make_file("root/top", "top");
	make_link("a/b", "root/to-b");
	make_link("/a/b", "root/to-b-absolute");
	make_link("../../../../outside/secret", "root/up");
	make_link("/../outside/secret", "root/up-absolute");
	make_link("nowhere/at/all", "root/dangling");
	make_link("loop-2", "root/loop-1");
	make_link("loop-1", "root/loop-2");
	make_link("..", "root/a/parent");
	make_link("to-b/file", "root/to-file");
	absolute = xasprintf("%s/outside", dir);
	make_link(absolute, "root/host-path");
	assert_int_equal(rooted_open(&root, dir_fd, "root"), 0);
	return 0;
}

static int tear_down(void **state UNUSED)
{
	rooted_close(&root);
	close_fd(&dir_fd);
	return fs_remove_tree(AT_FDCWD, dir);
}

static int with_walk(void **state UNUSED)
{
	rooted_disable_openat2(true);
	return 0;
}

static int with_openat2(void **state UNUSED)
{
	rooted_disable_openat2(false);
	return 0;
}

/* The content of a file in the root, or its error as text. */
static char *content(const char *path, int flags)
{
	auto_close int fd = rooted_openat(&root, path, O_RDONLY | flags);
	struct strbuf sb = STRBUF_INIT;
	int r;

	if (fd < 0)
		return xstrdup(strerrorname_np(-fd));
	r = io_read_all(fd, 100, &sb);
	if (r < 0) {
		strbuf_done(&sb);
		return xstrdup(strerrorname_np(-r));
	}
	return strbuf_take(&sb);
}

static void test_open(void **state UNUSED)
{
	static const struct {
		const char *path;
		int flags;
		const char *want;
	} cases[] = {
		{ "top", 0, "top" },
		{ "/top", 0, "top" },
		{ "//top", 0, "top" },
		{ "./a/../top", 0, "top" },
		{ "../../top", 0, "top" },
		{ "/../../a/b/file", 0, "b" },
		{ "to-b/file", 0, "b" },
		{ "to-b-absolute/file", 0, "b" },
		{ "to-b/../../top", 0, "top" },
		{ "a/parent/top", 0, "top" },
		{ "a/parent/parent/top", 0, "ENOENT" },
		{ "to-file", 0, "b" },
		{ "to-file", O_NOFOLLOW, "ELOOP" },
		{ "up", 0, "ENOENT" },
		{ "up-absolute", 0, "ENOENT" },
		{ "host-path/secret", 0, "ENOENT" },
		{ "dangling", 0, "ENOENT" },
		{ "loop-1", 0, "ELOOP" },
		{ "loop-1/x", 0, "ELOOP" },
		{ "top/x", 0, "ENOTDIR" },
		{ "top/..", 0, "ENOTDIR" },
		{ "top/", 0, "ENOTDIR" },
		{ "a/b/", 0, "EISDIR" },
		{ "missing/../top", 0, "ENOENT" },
		{ "", 0, "ENOENT" },
		{ "top", O_DIRECTORY, "ENOTDIR" },
		{ "to-b/.", O_NOFOLLOW, "EISDIR" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		auto_free char *got = content(cases[i].path, cases[i].flags);

		if (strcmp(got, cases[i].want) != 0)
			fail_msg("'%s': got %s, want %s", cases[i].path, got, cases[i].want);
	}
}

static void test_flags(void **state UNUSED)
{
	auto_close int link_fd = rooted_openat(&root, "to-file", O_PATH | O_NOFOLLOW);
	auto_close int root_fd = rooted_openat(&root, "/", O_PATH | O_DIRECTORY);
	struct stat st;
	struct stat want;

	assert_int_equal(rooted_openat(&root, "new", O_WRONLY | O_CREAT), -EINVAL);
	assert_int_equal(rooted_openat(&root, "/", O_RDWR | O_TMPFILE), -EINVAL);
	assert_true(link_fd >= 0 && fstat(link_fd, &st) == 0);
	assert_true(S_ISLNK(st.st_mode));
	assert_int_equal(fcntl(link_fd, F_GETFD), FD_CLOEXEC);
	assert_true(root_fd >= 0 && fstat(root_fd, &st) == 0 && fstat(root.fd, &want) == 0);
	assert_int_equal(st.st_ino, want.st_ino);
}

/* Links of procfs that lead anywhere in the system. */
static void test_magic_links(void **state UNUSED)
{
	struct rooted host = ROOTED_INIT;
	auto_free char *path = xasprintf("/proc/self/fd/%d", root.fd);
	auto_close int plain_fd = -EBADF;

	assert_int_equal(rooted_open(&host, AT_FDCWD, "/"), 0);
	plain_fd = rooted_openat(&host, "/proc/self/status", O_RDONLY);
	assert_true(plain_fd >= 0);
	assert_int_equal(rooted_openat(&host, path, O_PATH), -ELOOP);
	assert_int_equal(rooted_openat(&host, "/proc/self/root/etc", O_PATH), -ELOOP);
	assert_int_equal(rooted_openat(&host, "/proc/self/cwd", O_PATH), -ELOOP);
	assert_int_equal(rooted_openat(&host, "/proc/self/ns/mnt", O_PATH), -ELOOP);
	rooted_close(&host);
}

static void test_mkdir_all(void **state UNUSED)
{
	auto_close int fd = rooted_mkdir_all(&root, "/to-b/new/deep", 0750);
	auto_close int same_fd = rooted_mkdir_all(&root, "a/b/new/deep/", 0755);
	struct stat st;
	struct stat same;

	assert_true(fd >= 0 && same_fd >= 0);
	assert_true(fstat(fd, &st) == 0 && fstat(same_fd, &same) == 0);
	assert_int_equal(st.st_ino, same.st_ino);
	assert_int_equal(st.st_mode & 07777, 0750);
	assert_true(fs_exists(dir_fd, "root/a/b/new/deep"));
	assert_int_equal(fs_remove_tree(dir_fd, "root/a/b/new"), 0);

	assert_int_equal(rooted_mkdir_all(&root, "top", 0755), -ENOTDIR);
	assert_int_equal(rooted_mkdir_all(&root, "top/x", 0755), -ENOTDIR);
	assert_int_equal(rooted_mkdir_all(&root, "dangling", 0755), -ENOENT);
	assert_int_equal(rooted_mkdir_all(&root, "dangling/x", 0755), -ENOENT);
	assert_int_equal(rooted_mkdir_all(&root, "missing/../x", 0755), -ENOENT);
	assert_int_equal(fs_remove_tree(dir_fd, "root/missing"), 0);
	assert_int_equal(rooted_mkdir_all(&root, "loop-1/x", 0755), -ELOOP);
	assert_int_equal(rooted_mkdir_all(&root, "", 0755), -ENOENT);
	/* Above the root there is nothing but the root. */
	close_fd(&fd);
	fd = rooted_mkdir_all(&root, "../../outside/new", 0755);
	assert_true(fd >= 0);
	assert_true(fs_exists(dir_fd, "root/outside/new"));
	assert_false(fs_exists(dir_fd, "outside/new"));
	assert_int_equal(fs_remove_tree(dir_fd, "root/outside/new"), 0);
}

static void test_create_file(void **state UNUSED)
{
	auto_close int fd = rooted_create_file(&root, "/to-b/new/file", 0640);
	auto_close int existing_fd = rooted_create_file(&root, "to-file", 0600);
	struct stat st;

	assert_true(fd >= 0 && fstat(fd, &st) == 0);
	assert_true(S_ISREG(st.st_mode));
	assert_int_equal(st.st_mode & 07777, 0640);
	assert_int_equal(st.st_size, 0);
	assert_int_equal(fs_remove_tree(dir_fd, "root/a/b/new"), 0);
	assert_true(existing_fd >= 0 && fstat(existing_fd, &st) == 0);
	assert_int_equal(st.st_size, 1);
	assert_int_equal(rooted_create_file(&root, "dangling", 0644), -ENOENT);
	assert_int_equal(rooted_create_file(&root, "/", 0644) >= 0, 1);
}

static void test_open_parent(void **state UNUSED)
{
	auto_free char *name = NULL;
	auto_close int fd = rooted_open_parent(&root, "/to-b/new//node/", 0755, &name);
	char *none = NULL;

	assert_true(fd >= 0);
	assert_string_equal(name, "node");
	assert_true(fs_exists(dir_fd, "root/a/b/new"));
	assert_int_equal(fs_remove_tree(dir_fd, "root/a/b/new"), 0);
	assert_int_equal(rooted_open_parent(&root, "/", 0755, &none), -EINVAL);
	assert_int_equal(rooted_open_parent(&root, "", 0755, &none), -EINVAL);
	assert_int_equal(rooted_open_parent(&root, "a/..", 0755, &none), -EINVAL);
	assert_int_equal(rooted_open_parent(&root, "a/.", 0755, &none), -EINVAL);
	assert_null(none);
}

static void test_resolve(void **state UNUSED)
{
	static const struct {
		const char *path;
		const char *want; /* NULL: fails */
	} cases[] = {
		{ "/", "/" },
		{ "../..", "/" },
		{ "to-b", "/a/b" },
		{ "to-b-absolute/x/y", "/a/b/x/y" },
		{ "dangling", "/nowhere/at/all" },
		{ "dangling/../x", "/nowhere/at/x" },
		{ "dangling/../../../top", "/top" },
		{ "dangling/../../../to-file", "/a/b/file" },
		{ "up", "/outside/secret" },
		{ "to-file", "/a/b/file" },
		{ "loop-1", NULL },
		{ "top/x", NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		auto_free char *got = rooted_resolve(&root, cases[i].path);

		if (!cases[i].want != !got || (got && strcmp(got, cases[i].want) != 0))
			fail_msg("'%s': got %s, want %s", cases[i].path, got ? got : "an error",
				 cases[i].want ? cases[i].want : "an error");
	}
}

/*
 * The race: "swap" is by turns a directory and a symlink that leads outside.
 */
static atomic_bool stop;

static void *exchange(void *arg)
{
	const char *with = arg;

	while (!atomic_load(&stop))
		(void)renameat2(dir_fd, "root/race/swap", dir_fd, with, RENAME_EXCHANGE);
	return NULL;
}

static void race(const char *link)
{
	struct stat outside;
	struct stat st;
	pthread_t thread;
	int n_inside = 0;

	assert_int_equal(fstatat(dir_fd, "outside/sub", &outside, 0), 0);
	atomic_store(&stop, false);
	assert_int_equal(pthread_create(&thread, NULL, exchange, (void *)(uintptr_t)link), 0);
	/* On a busy machine the other thread may sleep on the wrong side for long. */
	for (int i = 0; i < RACE_ROUNDS || (n_inside == 0 && i < RACE_ROUNDS_MAX); i++) {
		auto_close int fd = rooted_openat(&root, "race/swap/../swap/sub", O_PATH);
		auto_close int made_fd UNUSED = rooted_mkdir_all(&root, "race/swap/made", 0755);

		if (fd < 0)
			continue;
		n_inside++;
		assert_int_equal(fstat(fd, &st), 0);
		assert_int_not_equal(st.st_ino, outside.st_ino);
	}
	atomic_store(&stop, true);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(fstatat(dir_fd, link, &st, AT_SYMLINK_NOFOLLOW), 0);
	if (S_ISDIR(st.st_mode))
		assert_int_equal(renameat2(dir_fd, "root/race/swap", dir_fd, link, RENAME_EXCHANGE),
				 0);
	/* Nothing was made in the wrong place, and the directory was met as well. */
	assert_false(fs_exists(dir_fd, "outside/made"));
	assert_true(n_inside > 0);
}

static void test_race(void **state UNUSED)
{
	auto_free char *outside = xasprintf("%s/outside", dir);

	make_dir("root/race/swap/sub");
	make_link("../../outside", "root/race/link-up");
	make_link(outside, "root/race/link-absolute");
	race("root/race/link-up");
	race("root/race/link-absolute");
	assert_int_equal(fs_remove_tree(dir_fd, "root/race"), 0);
	assert_int_equal(fs_remove_tree(dir_fd, "root/outside"), 0);
	make_dir("root/outside");
}

#define BOTH(test)                                                                                 \
	{ #test " by openat2", test, with_openat2, NULL, NULL },                                   \
	{                                                                                          \
#test " by walk", test, with_walk, NULL, NULL                                      \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(test_open),      BOTH(test_flags),	      BOTH(test_magic_links),
		BOTH(test_mkdir_all), BOTH(test_create_file), BOTH(test_open_parent),
		BOTH(test_resolve),   BOTH(test_race),
	};

	(void)umask(022);
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
