/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/alloc.h"
#include "core/fd.h"
#include "core/fs.h"
#include "core/program.h"
#include "core/strvec.h"

#define NAME "floe-test-program"

static void make(const char *dir, const char *name, mode_t mode)
{
	auto_free char *path = xasprintf("%s/%s", dir, name);
	auto_close int fd = fd_open_at(AT_FDCWD, path, O_WRONLY | O_CREAT, mode);

	assert_true(fd >= 0);
}

static void is(const char *expected_dir, char *found)
{
	auto_free char *expected = expected_dir ? xasprintf("%s/" NAME, expected_dir) : NULL;

	if (expected)
		assert_string_equal(found, expected);
	else
		assert_null(found);
	free(found);
}

static void test_find(void **state UNUSED)
{
	char dir[] = "/tmp/floe-program-XXXXXX";
	auto_free char *one = NULL;
	auto_free char *two = NULL;
	auto_free char *path = NULL;

	assert_non_null(mkdtemp(dir));
	one = xasprintf("%s/one", dir);
	two = xasprintf("%s/two", dir);
	assert_int_equal(mkdir(one, 0700), 0);
	assert_int_equal(mkdir(two, 0700), 0);
	make(one, NAME, 0600);
	make(two, NAME, 0700);
	/* One that may not be executed is none, nor is one that depends on where we are. */
	path = xasprintf(".:%s:%s", one, two);
	assert_int_equal(setenv("PATH", path, 1), 0);
	is(two, program_on_path(NAME));
	is(two, program_find(NAME));
	assert_int_equal(chdir(two), 0);
	assert_int_equal(setenv("PATH", ".:", 1), 0);
	is(NULL, program_on_path(NAME));
	is(NULL, program_find(NAME));
	is(two, program_in((const char *const[]){ one, two }, 2, NAME));
	is(NULL, program_in((const char *const[]){ one, two }, 1, NAME));
	assert_int_equal(chdir("/"), 0);
	assert_int_equal(fs_remove_tree(AT_FDCWD, dir), 0);
}

static void test_usual(void **state UNUSED)
{
	char *sh;

	assert_int_equal(setenv("PATH", "/nonexistent", 1), 0);
	assert_null(program_on_path("sh"));
	sh = program_find("sh");
	assert_non_null(sh);
	free(sh);
	assert_int_equal(unsetenv("PATH"), 0);
	sh = program_on_path("sh");
	assert_non_null(sh);
	free(sh);
}

static void test_list(void **state UNUSED)
{
	char dir[] = "/tmp/floe-list-XXXXXX";
	auto_strvec struct strvec paths = STRVEC_INIT;
	auto_free char *first = NULL;

	assert_non_null(mkdtemp(dir));
	make(dir, "b.conf", 0600);
	make(dir, "a.conf", 0600);
	make(dir, "a.other", 0600);
	strvec_add(&paths, "before");
	assert_int_equal(fs_list_paths(dir, ".conf", &paths), 0);
	assert_int_equal(paths.n, 3);
	first = xasprintf("%s/a.conf", dir);
	assert_string_equal(paths.v[1], first);
	assert_int_equal(fs_list_paths(dir, "", &paths), 0);
	assert_int_equal(paths.n, 6);
	assert_int_equal(fs_remove_tree(AT_FDCWD, dir), 0);
	assert_int_equal(fs_list_paths(dir, "", &paths), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_usual),
		cmocka_unit_test(test_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
