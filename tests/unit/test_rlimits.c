/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/rlimits.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>

#include <cmocka.h>

static void test_names(void **state UNUSED)
{
	assert_int_equal(rlimits_from_name("RLIMIT_NOFILE"), RLIMIT_NOFILE);
	assert_int_equal(rlimits_from_name("RLIMIT_CPU"), RLIMIT_CPU);
	assert_int_equal(rlimits_from_name("RLIMIT_RTTIME"), RLIMIT_RTTIME);
	assert_int_equal(rlimits_from_name("NOFILE"), -EINVAL);
	assert_int_equal(rlimits_from_name("rlimit_nofile"), -EINVAL);
	assert_int_equal(rlimits_from_name(""), -EINVAL);
	for (int i = 0; i < RLIMITS_MAX; i++)
		assert_int_equal(rlimits_from_name(rlimits_to_name(i)), i);
	assert_null(rlimits_to_name(-1));
	assert_null(rlimits_to_name(RLIMITS_MAX));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
