/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/signals.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void test_from_string(void **state UNUSED)
{
	static const struct {
		const char *text;
		int sig;
	} cases[] = {
		{ "TERM", SIGTERM },
		{ "SIGTERM", SIGTERM },
		{ "sigterm", SIGTERM },
		{ "Term", SIGTERM },
		{ "15", 15 },
		{ "0", 0 },
		{ "64", 64 },
		{ "65", -EINVAL },
		{ "-1", -EINVAL },
		{ "", -EINVAL },
		{ "SIG", -EINVAL },
		{ "TERMX", -EINVAL },
		{ "15x", -EINVAL },
		{ " 15", -EINVAL },
		{ "CHLD", SIGCHLD },
		{ "SIGCLD", SIGCHLD },
		{ "SIGPOLL", SIGIO },
		{ "IO", SIGIO },
		{ "ABRT", SIGABRT },
		{ "IOT", SIGABRT },
		{ "STKFLT", SIGSTKFLT },
		{ "SIGWINCH", SIGWINCH },
		{ "PWR", SIGPWR },
		{ "SYS", SIGSYS },
		{ "RTMIN++3", -EINVAL },
		{ "RTMIN-1", -EINVAL },
		{ "RTMAX+1", -EINVAL },
		{ "RTMIN+31", -EINVAL },
		{ "RTMIN+", -EINVAL },
		{ "99999999999", -EINVAL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(signals_from_string(cases[i].text), cases[i].sig);
	assert_int_equal(signals_from_string("SIGRTMIN"), SIGRTMIN);
	assert_int_equal(signals_from_string("RTMIN+3"), SIGRTMIN + 3);
	assert_int_equal(signals_from_string("sigrtmax"), SIGRTMAX);
	assert_int_equal(signals_from_string("SIGRTMAX-2"), SIGRTMAX - 2);
	assert_int_equal(signals_from_string("RTMIN+30"), SIGRTMAX);
}

static void test_round_trip(void **state UNUSED)
{
	char name[SIGNALS_NAME_MAX];

	for (int sig = 0; sig <= 64; sig++) {
		signals_to_string(sig, name);
		assert_int_equal(signals_from_string(name), sig);
	}
	signals_to_string(SIGTERM, name);
	assert_string_equal(name, "SIGTERM");
	signals_to_string(SIGRTMIN + 3, name);
	assert_string_equal(name, "SIGRTMIN+3");
	signals_to_string(-7, name);
	assert_string_equal(name, "-7");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_from_string),
		cmocka_unit_test(test_round_trip),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
