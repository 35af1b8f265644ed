/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base64.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "core/macro.h"

static void test_values(void **state UNUSED)
{
	static const struct {
		const char *text;
		const char *bytes;
		size_t len;
	} good[] = {
		{ "", "", 0 },
		{ "Zg==", "f", 1 },
		{ "Zm8=", "fo", 2 },
		{ "Zm9v", "foo", 3 },
		{ "Zm9vYg==", "foob", 4 },
		{ "Zm9vYg", "foob", 4 },
		{ "Zm9v\nYmFy\n", "foobar", 6 },
		{ "AAD/+/8=", "\0\0\377\373\377", 5 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		auto_strbuf struct strbuf sb = STRBUF_INIT;

		assert_int_equal(base64_decode(good[i].text, &sb), 0);
		assert_int_equal(sb.len, good[i].len);
		assert_memory_equal(sb.buf, good[i].bytes, good[i].len);
	}
}

static void test_refused(void **state UNUSED)
{
	static const char *const bad[] = { "Z",	   "Zm9vY",    "Zh==", "Zm9=",
					   "Zm-v", "Zg==Zg==", "=x",   "Zm9v!" };

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		auto_strbuf struct strbuf sb = STRBUF_INIT;

		assert_int_equal(base64_decode(bad[i], &sb), -EINVAL);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
