/* SPDX-License-Identifier: Apache-2.0 */
#include "core/io.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/auto.h"

static void test_pread_exact(void **state UNUSED)
{
	auto_close int fd = io_memory_file("test", "0123456789");
	char text[5] = "";

	assert_true(fd >= 0);
	assert_int_equal(io_pread_exact(fd, text, 4, 6), 1);
	assert_string_equal(text, "6789");
	assert_int_equal(io_pread_exact(fd, text, 4, 7), 0);
	assert_int_equal(io_pread_exact(fd, text, 1, 10), 0);
	assert_int_equal(io_pread_exact(fd, text, 0, 11), 1);
	assert_int_equal(io_pread_exact(-1, text, 1, 0), -EBADF);
	/* Its own offset has not moved. */
	assert_int_equal(io_read_exact(fd, text, 1), 1);
	assert_int_equal(text[0], '0');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pread_exact),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
