/* SPDX-License-Identifier: Apache-2.0 */
/* Files that get their names when they are whole, and links in their places. */
#include "archive/output.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/alloc.h"
#include "core/fd.h"
#include "core/io.h"
#include "core/str.h"
#include "in_child.h"
#include "output_fixture.h"

/* 0 or a negative errno. */
static int put(const char *path, const char *text)
{
	auto_output struct output output = OUTPUT_INIT;
	struct err err;
	int r = output_open_file(&output, path, 0644, &err);

	if (r == 0)
		r = io_write_all(output.fd, text, strlen(text));
	if (r == 0)
		r = output_commit(&output, false, &err);
	return r;
}

static bool is_link(const char *path)
{
	return type_of(path) == S_IFLNK;
}

/* before: what the file holds that the link leads to; NULL: there is none yet. */
static void put_through_link(const char *before)
{
	assert_int_equal(mkdir("elsewhere", 0755), 0);
	if (before)
		assert_int_equal(put("elsewhere/target", before), 0);
	assert_int_equal(symlink("elsewhere/target", "link"), 0);
	assert_int_equal(put("link", "after"), 0);
	assert_true(is_link("link"));
	assert_true(holds("elsewhere/target", "after"));
	assert_int_equal(unlink("link"), 0);
	assert_int_equal(unlink("elsewhere/target"), 0);
	assert_int_equal(rmdir("elsewhere"), 0);
}

static void test_link_stands_for_its_target(void **state UNUSED)
{
	put_through_link("long before");
}

static void test_link_to_nothing_gets_its_target(void **state UNUSED)
{
	put_through_link(NULL);
}

/* 0 when the output was opened, and given up. */
static int give_up(const char *path)
{
	auto_output struct output output = OUTPUT_INIT;
	struct err err;

	return output_open_file(&output, path, 0644, &err);
}

static void test_output_that_fails_leaves_nothing(void **state UNUSED)
{
	assert_int_equal(symlink("target", "link"), 0);
	assert_int_equal(give_up("link"), 0);
	assert_true(is_link("link"));
	assert_int_equal(access("target", F_OK), -1);
	/* What was there before stays. */
	assert_int_equal(put("target", ""), 0);
	assert_int_equal(give_up("link"), 0);
	assert_int_equal(unlink("target"), 0);
	assert_int_equal(unlink("link"), 0);
}

/* Whether the kernel keeps us from a stranger's pipe in a directory for all. */
static bool protects_pipes(void)
{
	auto_free char *value = io_read_line_at(AT_FDCWD, "/proc/sys/fs/protected_fifos");

	return value && !str_eq(value, "0");
}

static void test_pipe_of_a_stranger(void **state UNUSED)
{
	auto_close int reader = -EBADF;

	assert_int_equal(mkdir("shared", 0755), 0);
	assert_int_equal(chmod("shared", 01777), 0);
	assert_int_equal(mkfifo("shared/pipe", 0666), 0);
	/* With a reader nothing waits. */
	reader = fd_open_at(AT_FDCWD, "shared/pipe", O_RDWR, 0);
	assert_true(reader >= 0);
	assert_int_equal(put("shared/pipe", "text"), 0);
	if (geteuid() == 0 && protects_pipes()) {
		assert_int_equal(chown("shared/pipe", 4711, 4711), 0);
		assert_int_equal(put("shared/pipe", "text"), -EACCES);
	}
	assert_int_equal(unlink("shared/pipe"), 0);
	assert_int_equal(rmdir("shared"), 0);
}

/* As /dev/stdout, whose file need have no name any more. */
static void test_file_without_name(void **state UNUSED)
{
	auto_close int fd = fd_open_at(AT_FDCWD, "unnamed", O_RDWR | O_CREAT, 0600);
	char text[16] = "";

	assert_true(fd >= 0);
	assert_int_equal(write(fd, "long before", 11), 11);
	assert_int_equal(unlink("unnamed"), 0);
	assert_int_equal(symlink(fd_path(fd).text, "stdout"), 0);
	assert_int_equal(put("stdout", "after"), 0);
	assert_true(is_link("stdout"));
	assert_int_equal(pread(fd, text, sizeof(text), 0), 5);
	assert_string_equal(text, "after");
	assert_int_equal(unlink("stdout"), 0);
}

/*
 * A link that the kernel does not follow is not followed by another way. fs.protected_symlinks, which guards against a
 * stranger's, is the machine's to set; this flag does the same to a mount of ours.
 */
static int link_on_nosymfollow(void)
{
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return 1;
	if (mkdir("mount", 0755) < 0 || mount("tmpfs", "mount", "tmpfs", 0, "size=64k") < 0)
		return 2;
	if (put("victim", "precious") < 0 || symlink("../victim", "mount/link") < 0 ||
	    symlink("../made", "mount/dangling") < 0)
		return 3;
	if (mount(NULL, "mount", NULL, MS_REMOUNT | MS_BIND | MS_NOSYMFOLLOW, NULL) < 0)
		return 4;
	/* Kernels before 5.10 do not know the flag. */
	if (access("mount/link", F_OK) == 0)
		return 0;
	if (put("mount/link", "stolen") != -ELOOP || put("mount/dangling", "stolen") != -ELOOP)
		return 5;
	if (!holds("victim", "precious") || !is_link("mount/link") || !is_link("mount/dangling") ||
	    access("made", F_OK) == 0)
		return 6;
	return 0;
}

static void test_link_that_the_kernel_refuses(void **state UNUSED)
{
	run_as_root(link_on_nosymfollow);
	assert_int_equal(rmdir("mount"), 0);
	assert_int_equal(unlink("victim"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_link_stands_for_its_target),
		cmocka_unit_test(test_link_to_nothing_gets_its_target),
		cmocka_unit_test(test_output_that_fails_leaves_nothing),
		cmocka_unit_test(test_pipe_of_a_stranger),
		cmocka_unit_test(test_file_without_name),
		cmocka_unit_test(test_link_that_the_kernel_refuses),
	};

	return run_output_tests(tests);
}
