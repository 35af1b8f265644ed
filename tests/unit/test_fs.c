/* SPDX-License-Identifier: Apache-2.0 */
#include "core/fs.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "core/fd.h"
#include "core/strvec.h"

/* After this many entries the disk fails. */
static size_t entries_left = SIZE_MAX;

/* In place of the C library's, whatever that calls the one with offsets of 64 bits. */
struct dirent *readdir(DIR *dir)
{
	struct dirent *(*real)(DIR * dir) = dlsym(RTLD_NEXT, "readdir64");

	if (entries_left == 0) {
		errno = EIO;
		return NULL;
	}
	entries_left--;
	return real(dir);
}

static size_t count_descriptors(void)
{
	auto_strvec struct strvec names = STRVEC_INIT;

	assert_int_equal(fs_list(AT_FDCWD, "/proc/self/fd", &names), 0);
	return names.n;
}

static void test_list(void **state UNUSED)
{
	char path[] = "/tmp/floe-test-fs-XXXXXX";
	auto_strvec struct strvec names = STRVEC_INIT;
	auto_strvec struct strvec some = STRVEC_INIT;
	auto_close int dir_fd = -EBADF;
	size_t n = count_descriptors();

	assert_non_null(mkdtemp(path));
	dir_fd = fd_open_at(AT_FDCWD, path, O_PATH | O_DIRECTORY, 0);
	assert_true(dir_fd >= 0);
	assert_int_equal(mkdirat(dir_fd, "b", 0700), 0);
	assert_int_equal(mkdirat(dir_fd, "B", 0700), 0);
	assert_int_equal(mkdirat(dir_fd, ".a", 0700), 0);
	assert_int_equal(fs_list(dir_fd, ".", &names), 0);
	assert_int_equal(names.n, 3);
	assert_string_equal(names.v[0], ".a");
	assert_string_equal(names.v[1], "B");
	assert_string_equal(names.v[2], "b");
	/* Some of the names are not all of them. */
	entries_left = 2;
	assert_int_equal(fs_list(dir_fd, ".", &some), -EIO);
	entries_left = SIZE_MAX;
	assert_int_equal(fs_list(dir_fd, "nosuch", &some), -ENOENT);
	close_fd(&dir_fd);
	assert_int_equal(count_descriptors(), n);
	assert_int_equal(fs_remove_tree(AT_FDCWD, path), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
