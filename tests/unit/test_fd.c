/* SPDX-License-Identifier: Apache-2.0 */
#include "core/fd.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/str.h"

#define FIRST 20
#define LAST 29

/* Descriptors FIRST to LAST, all open and inherited by programs. */
static void open_ten(void)
{
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	assert_true(fd >= 0);
	for (int i = FIRST; i <= LAST; i++)
		assert_int_equal(dup2(fd, i), i);
	(void)close(fd);
}

static void check_only(const int *keep, size_t n)
{
	for (int i = FIRST; i <= LAST; i++) {
		bool kept = false;

		for (size_t j = 0; j < n; j++)
			kept |= keep[j] == i;
		assert_int_equal(fd_is_valid(i), kept);
	}
}

static void test_close_from(void **state UNUSED)
{
	static const int keep[][4] = {
		{ -EBADF, -EBADF, -EBADF, -EBADF },
		{ FIRST, -EBADF, FIRST, 3 },
		{ LAST, FIRST + 1, FIRST + 2, FIRST + 1 },
		{ FIRST + 5, LAST, FIRST, -1 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(keep); i++) {
		open_ten();
		assert_int_equal(fd_close_from(FIRST, keep[i], ARRAY_SIZE(keep[i])), 0);
		check_only(keep[i], ARRAY_SIZE(keep[i]));
	}
	open_ten();
	assert_int_equal(fd_close_from(FIRST, NULL, 0), 0);
	check_only(NULL, 0);
}

static void test_cloexec_from(void **state UNUSED)
{
	open_ten();
	assert_int_equal(fd_cloexec_from(FIRST + 2), 0);
	for (int i = FIRST; i <= LAST; i++)
		assert_int_equal(fcntl(i, F_GETFD), i < FIRST + 2 ? 0 : FD_CLOEXEC);
	assert_int_equal(fd_close_from(FIRST, NULL, 0), 0);
}

/* In builds without fault points these run the usual way a second time. */
static int disable_close_range(void **state UNUSED)
{
	return setenv("FLOE_TEST_DISABLE", "openat2,close_range", 1);
}

static int enable_all(void **state UNUSED)
{
	return unsetenv("FLOE_TEST_DISABLE");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_close_from),
		cmocka_unit_test(test_cloexec_from),
		cmocka_unit_test_setup_teardown(test_close_from, disable_close_range, enable_all),
		cmocka_unit_test_setup_teardown(test_cloexec_from, disable_close_range, enable_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
