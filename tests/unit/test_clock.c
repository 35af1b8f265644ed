/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "core/clock.h"

static void check_seconds(uint64_t seconds)
{
	time_t t = (time_t)seconds;
	char want[CLOCK_TEXT_MAX];
	char got[CLOCK_TEXT_MAX];
	struct tm tm;

	assert_non_null(gmtime_r(&t, &tm));
	assert_true(strftime(want, sizeof(want), "%Y-%m-%dT%H:%M:%SZ", &tm) > 0);
	clock_format_utc(seconds * NSEC_PER_SEC, 0, got);
	assert_string_equal(got, want);
}

/* Every day that a count of nanoseconds reaches, some of them in their last second. */
static void test_dates(void **state)
{
	(void)state;
	for (uint64_t day = 0; day < UINT64_MAX / NSEC_PER_SEC / 86400; day++)
		check_seconds(day * 86400 + (day * 7919) % 86400);
	check_seconds(951868799); /* 2000-02-29T23:59:59 */
	check_seconds(4107542399); /* 2100-02-28T23:59:59, no leap year */
	check_seconds(4107542400);
}

static void test_fractions(void **state)
{
	uint64_t t = 951868799 * NSEC_PER_SEC + 120034000;
	char got[CLOCK_TEXT_MAX];

	(void)state;
	clock_format_utc(t, -1, got);
	assert_string_equal(got, "2000-02-29T23:59:59.120034Z");
	clock_format_utc(t, 9, got);
	assert_string_equal(got, "2000-02-29T23:59:59.120034000Z");
	clock_format_utc(951868799 * NSEC_PER_SEC, -1, got);
	assert_string_equal(got, "2000-02-29T23:59:59Z");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dates),
		cmocka_unit_test(test_fractions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
