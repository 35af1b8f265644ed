/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/idmap.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void make(struct idmap *ret, const char *text)
{
	assert_int_equal(idmap_parse(ret, text), 0);
}

static void check_text(const struct idmap *map, const char *want)
{
	auto_strbuf struct strbuf text = STRBUF_INIT;

	idmap_format(map, &text);
	assert_string_equal(text.buf, want);
}

static void test_parse_and_format(void **state UNUSED)
{
	auto_idmap struct idmap map = IDMAP_INIT;
	struct idmap none = IDMAP_INIT;

	/* As the kernel writes it. */
	make(&map, "         0       1000          1\n         1     100000      65536\n");
	check_text(&map, "0 1000 1\n1 100000 65536\n");
	assert_int_equal(idmap_parse(&none, ""), 0);
	assert_int_equal(none.n, 0);
	assert_int_equal(idmap_parse(&none, "0 0\n"), -EINVAL);
	assert_int_equal(idmap_parse(&none, "0 0 1 2\n"), -EINVAL);
	assert_int_equal(idmap_parse(&none, "0 x 1\n"), -EINVAL);
	assert_int_equal(idmap_parse(&none, "0 0 4294967296\n"), -EINVAL);
	assert_int_equal(idmap_parse(&none, "\n0 0 1\n"), -EINVAL);
	assert_int_equal(idmap_parse(&none, "0 -1 1\n"), -EINVAL);
	assert_int_equal(idmap_parse(&none, "0 0 1"), 0);
	idmap_done(&none);
}

static void check_check(const char *text, int want)
{
	auto_idmap struct idmap map = IDMAP_INIT;

	make(&map, text);
	assert_int_equal(idmap_check(&map), want);
}

static void test_check(void **state UNUSED)
{
	auto_idmap struct idmap many = IDMAP_INIT;

	check_check("", 0);
	check_check("0 0 4294967295\n", 0);
	check_check("0 1000 1\n1 100000 65536\n", 0);
	check_check("0 0 0\n", -EINVAL);
	check_check("1 0 4294967295\n", -EINVAL);
	check_check("0 1 4294967295\n", -EINVAL);
	check_check("4294967295 0 1\n", -EINVAL);
	check_check("0 1000 10\n9 2000 1\n", -EEXIST);
	check_check("0 1000 10\n10 1009 1\n", -EEXIST);
	check_check("5 5 1\n0 0 10\n", -EEXIST);
	check_check("0 1000 10\n10 1010 10\n", 0);
	for (uint32_t i = 0; i <= IDMAP_RANGES_MAX; i++)
		idmap_add(&many, i, i + 1000, 1);
	assert_int_equal(idmap_check(&many), -E2BIG);
	many.n--;
	assert_int_equal(idmap_check(&many), 0);
}

static void test_translate(void **state UNUSED)
{
	auto_idmap struct idmap map = IDMAP_INIT;
	uint32_t id = 77;

	make(&map, "0 1000 1\n1 100000 65536\n");
	assert_int_equal(idmap_to_outside(&map, 0, &id), 0);
	assert_int_equal(id, 1000);
	assert_int_equal(idmap_to_outside(&map, 65536, &id), 0);
	assert_int_equal(id, 165535);
	assert_int_equal(idmap_to_outside(&map, 65537, &id), -ENOENT);
	assert_int_equal(idmap_to_inside(&map, 1000, &id), 0);
	assert_int_equal(id, 0);
	assert_int_equal(idmap_to_inside(&map, 100001, &id), 0);
	assert_int_equal(id, 2);
	assert_int_equal(idmap_to_inside(&map, 999, &id), -ENOENT);
	assert_int_equal(idmap_to_inside(&map, 1001, &id), -ENOENT);
	assert_int_equal(id, 2);
}

static void test_covers(void **state UNUSED)
{
	auto_idmap struct idmap map = IDMAP_INIT;

	make(&map, "0 1010 10\n10 1000 10\n20 4294967290 4\n");
	assert_true(idmap_covers_outside(&map, 1000, 20));
	assert_true(idmap_covers_outside(&map, 1005, 10));
	assert_true(idmap_covers_outside(&map, 1005, 0));
	assert_false(idmap_covers_outside(&map, 1000, 21));
	assert_false(idmap_covers_outside(&map, 999, 2));
	assert_true(idmap_covers_outside(&map, 4294967290U, 4));
	assert_false(idmap_covers_outside(&map, 4294967290U, 6));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse_and_format),
		cmocka_unit_test(test_check),
		cmocka_unit_test(test_translate),
		cmocka_unit_test(test_covers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
