/* SPDX-License-Identifier: Apache-2.0 */
/* Outputs whose path a user has named. */
#include "core/fs.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/fd.h"
#include "output_fixture.h"

static void put(const char *path, const char *text)
{
	assert_int_equal(fs_write_output(path, text, strlen(text), 0644), 0);
}

static void test_file_is_replaced(void **state UNUSED)
{
	put("file", "first text");
	assert_int_equal(link("file", "other"), 0);
	put("file", "second");
	assert_true(holds("file", "second"));
	assert_true(holds("other", "first text"));
	fs_remove_output("file");
	assert_int_equal(type_of("file"), 0);
	assert_int_equal(unlink("other"), 0);
}

static void test_link_stays(void **state UNUSED)
{
	assert_int_equal(symlink("target", "link"), 0);
	put("link", "what is long");
	assert_int_equal(type_of("link"), S_IFLNK);
	put("link", "short");
	assert_int_equal(type_of("link"), S_IFLNK);
	assert_true(holds("target", "short"));
	fs_remove_output("link");
	assert_int_equal(type_of("link"), S_IFLNK);
	assert_int_equal(unlink("link"), 0);
	assert_int_equal(unlink("target"), 0);
}

/* As /dev/stdout, whose file need have no name any more. */
static void test_link_to_descriptor(void **state UNUSED)
{
	auto_close int fd = fd_open_at(AT_FDCWD, "unnamed", O_RDWR | O_CREAT, 0600);
	char text[8] = "";

	assert_true(fd >= 0);
	assert_int_equal(symlink(fd_path(fd).text, "stdout"), 0);
	put("stdout", "one");
	assert_int_equal(type_of("stdout"), S_IFLNK);
	assert_true(holds("unnamed", "one"));
	assert_int_equal(unlink("unnamed"), 0);
	put("stdout", "two");
	assert_int_equal(type_of("stdout"), S_IFLNK);
	assert_int_equal(pread(fd, text, sizeof(text), 0), 3);
	assert_string_equal(text, "two");
	assert_int_equal(unlink("stdout"), 0);
}

static void test_pipe_stays(void **state UNUSED)
{
	auto_close int fd = -EBADF;
	char text[8] = "";

	assert_int_equal(mkfifo("pipe", 0600), 0);
	fd = fd_open_at(AT_FDCWD, "pipe", O_RDWR, 0);
	assert_true(fd >= 0);
	put("pipe", "7");
	assert_int_equal(type_of("pipe"), S_IFIFO);
	assert_int_equal(read(fd, text, sizeof(text)), 1);
	fs_remove_output("pipe");
	assert_int_equal(unlink("pipe"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_file_is_replaced),
		cmocka_unit_test(test_link_stays),
		cmocka_unit_test(test_link_to_descriptor),
		cmocka_unit_test(test_pipe_stays),
	};

	return run_output_tests(tests);
}
