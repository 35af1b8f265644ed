/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/cpu_list.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void test_within(void **state UNUSED)
{
	assert_int_equal(cpu_list_is_within("0", "0-1"), 1);
	assert_int_equal(cpu_list_is_within("0-1", "0-1"), 1);
	assert_int_equal(cpu_list_is_within("1,0,0", "0-1"), 1);
	assert_int_equal(cpu_list_is_within("0-5", "3-5,0-2"), 1);
	assert_int_equal(cpu_list_is_within("2", "0-1"), 0);
	assert_int_equal(cpu_list_is_within("0-99", "0-1"), 0);
	assert_int_equal(cpu_list_is_within("0-3", "0-1,3"), 0);
	assert_int_equal(cpu_list_is_within("0,2", "0-1,3"), 0);
}

static void test_no_list(void **state UNUSED)
{
	static const char *const wrong[] = {
		"",   "x",  "0,",   ",0", "1-0", " 0",
		"0-", "-1", "0--1", "0x", "0 1", "99999999999999999999"
	};

	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_int_equal(cpu_list_is_within(wrong[i], "0-1"), -EINVAL);
	assert_int_equal(cpu_list_is_within("0", "x"), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_within),
		cmocka_unit_test(test_no_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
