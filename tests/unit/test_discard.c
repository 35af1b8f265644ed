/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/alloc.h"
#include "core/fd.h"
#include "core/fs.h"
#include "engine/discard.h"

static void make_file(const char *dir, const char *name, off_t size)
{
	auto_free char *path = xasprintf("%s/%s", dir, name);
	auto_close int fd = fd_open_at(AT_FDCWD, path, O_RDWR | O_CREAT | O_EXCL, 0600);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, size), 0);
}

static int set_up(void **state)
{
	char *path = xasprintf("/tmp/floe-discard.XXXXXX");

	assert_non_null(mkdtemp(path));
	make_file(path, "pages-1.img", (off_t)1 << 30);
	make_file(path, "pages-2.img", (off_t)80 << 20);
	make_file(path, "core-1.img", 1000);
	*state = path;
	return 0;
}

static int tear_down(void **state)
{
	char *path = *state;

	assert_int_equal(fs_remove_tree(AT_FDCWD, path), 0);
	free(path);
	return 0;
}

/* Only what is large is held; after its end none of our descriptors is left. */
static void test_large_files(void **state)
{
	const char *path = *state;
	struct discard d = { 0 };
	int before = dup(0);

	(void)close(before);
	discard_hold(&d, "/nowhere");
	assert_int_equal(d.n, 0);
	discard_hold(&d, path);
	assert_int_equal(d.n, 2);
	assert_int_equal(fs_remove_tree(AT_FDCWD, path), 0);
	assert_false(fs_exists(AT_FDCWD, path));
	discard_release(&d);
	assert_int_equal(d.n, 0);
	/* The lowest that is free is free again. */
	assert_int_equal(dup(0), before);
	(void)close(before);
}

/* Nobody waits for what else was open here. */
static void test_locks(void **state)
{
	const char *path = *state;
	auto_free char *name = xasprintf("%s/core-1.img", path);
	struct discard d = { 0 };
	int ours = fd_open_at(AT_FDCWD, name, O_RDWR, 0);
	auto_close int other = fd_open_at(AT_FDCWD, name, O_RDWR, 0);

	assert_int_equal(flock(ours, LOCK_EX), 0);
	discard_hold(&d, path);
	discard_release(&d);
	(void)close(ours);
	assert_int_equal(flock(other, LOCK_EX), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_large_files, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_locks, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
