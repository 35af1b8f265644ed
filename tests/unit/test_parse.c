/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/auto.h"
#include "core/parse.h"
#include "core/random.h"

static void test_name(void **state)
{
	static const char *const good[] = { "a", "7", "web", "Web_1.x-y", "0..--__" };
	static const char *const bad[] = { "",	  "-a",	 ".a",	 "_a", "a/b",
					   "a b", "a\n", "../a", "ü",  "a:b" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		assert_true(parse_is_name(good[i]));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(parse_is_name(bad[i]));
}

static void test_numbers(void **state)
{
	uint32_t small = 5;
	uint64_t big;
	int64_t number;

	(void)state;
	assert_int_equal(parse_u32("4294967295", &small), 0);
	assert_int_equal(small, UINT32_MAX);
	assert_int_equal(parse_u32("4294967296", &small), -ERANGE);
	assert_int_equal(parse_u64("18446744073709551615", &big), 0);
	assert_true(big == UINT64_MAX);
	assert_int_equal(parse_u64("18446744073709551616", &big), -ERANGE);
	assert_int_equal(parse_i64("-9223372036854775808", &number), 0);
	assert_true(number == INT64_MIN);
	assert_int_equal(parse_u64("", &big), -EINVAL);
	assert_int_equal(parse_u64(" 1", &big), -EINVAL);
	assert_int_equal(parse_u64("+1", &big), -EINVAL);
	assert_int_equal(parse_u64("-1", &big), -EINVAL);
	assert_int_equal(parse_u64("1x", &big), -EINVAL);
}

static void test_size(void **state)
{
	uint64_t bytes;

	(void)state;
	assert_int_equal(parse_size("100", &bytes), 0);
	assert_int_equal(bytes, 100);
	assert_int_equal(parse_size("512m", &bytes), 0);
	assert_int_equal(bytes, 512U << 20);
	assert_int_equal(parse_size("1.5GiB", &bytes), 0);
	assert_int_equal(bytes, 1536U << 20);
	assert_int_equal(parse_size("64kb", &bytes), 0);
	assert_int_equal(bytes, 64U << 10);
	assert_true(parse_size("m", &bytes) < 0);
	assert_true(parse_size("-1k", &bytes) < 0);
	assert_true(parse_size("99999999999p", &bytes) < 0);
}

static void test_duration(void **state)
{
	uint64_t ns;

	(void)state;
	assert_int_equal(parse_duration("1h2m3.5s", &ns), 0);
	assert_true(ns == 3723500000000ULL);
	assert_int_equal(parse_duration("100ms", &ns), 0);
	assert_int_equal(ns, 100000000);
	assert_int_equal(parse_duration("0", &ns), 0);
	assert_int_equal(ns, 0);
	assert_true(parse_duration("5", &ns) < 0);
	assert_true(parse_duration("-5s", &ns) < 0);
}

static void test_random(void **state)
{
	auto_free char *one = random_hex(64);
	auto_free char *other = random_hex(64);
	auto_free char *odd = random_hex(25);

	(void)state;
	assert_int_equal(strspn(one, "0123456789abcdef"), 64);
	assert_int_equal(strlen(one), 64);
	assert_string_not_equal(one, other);
	assert_int_equal(strlen(odd), 25);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_name),   cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_size),   cmocka_unit_test(test_duration),
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
