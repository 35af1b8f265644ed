/* SPDX-License-Identifier: Apache-2.0 */
#include "core/io.h"

#include <errno.h>
#include <fcntl.h>
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

/* Nobody reads, and the program goes on; also where the signal is blocked and waits for its turn already. */
static void test_write_pipe(void **state UNUSED)
{
	auto_close int read_end = -EBADF;
	auto_close int write_end = -EBADF;
	int fds[2];
	char c;

	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	read_end = fds[0];
	write_end = fds[1];
	assert_int_equal(io_write_pipe(write_end, "x", 1), 0);
	assert_int_equal(read(read_end, &c, 1), 1);
	close_fd(&read_end);
	assert_int_equal(io_write_pipe(write_end, "x", 1), -EPIPE);
	assert_int_equal(io_write_pipe(write_end, "x", 1), -EPIPE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pread_exact),
		cmocka_unit_test(test_write_pipe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
