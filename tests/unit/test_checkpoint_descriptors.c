/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/checkpoint/descriptors.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/io.h"

static char directory[] = "/tmp/floe-test-descriptors.XXXXXX";
static int dir_fd = -EBADF;

static int set_up(void **state UNUSED)
{
	if (!mkdtemp(directory))
		return -1;
	dir_fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return dir_fd < 0 ? -1 : 0;
}

static int tear_down(void **state UNUSED)
{
	(void)unlinkat(dir_fd, DESCRIPTORS_FILE, 0);
	(void)close(dir_fd);
	return rmdir(directory);
}

static int parse(const char *text, struct descriptors *d, struct err *err)
{
	return descriptors_parse(d, text, strlen(text), err);
}

static void test_parse(void **state UNUSED)
{
	auto_descriptors struct descriptors d = DESCRIPTORS_INIT;
	struct err err = ERR_INIT;

	/* As Go writes it, and as a person would. */
	assert_int_equal(parse("[\"/dev/null\",\"pipe:[12]\",\"/dev/pts/\\u0030\"]", &d, &err), 0);
	assert_string_equal(d.v[0], "/dev/null");
	assert_string_equal(d.v[1], "pipe:[12]");
	assert_string_equal(d.v[2], "/dev/pts/0");
	descriptors_done(&d);
	assert_int_equal(parse("[ \"a\",\n\"b\", \"c\" ]\n", &d, &err), 0);
	assert_string_equal(d.v[2], "c");
}

static void test_malformed(void **state UNUSED)
{
	static const struct {
		const char *text;
		const char *message;
	} cases[] = {
		{ "", "unexpected end" },
		{ "[\"a\",\"b\"", "unexpected end" },
		{ "[\"a\",\"b\"]", "expected a list of 3 strings" },
		{ "[\"a\",\"b\",\"c\",\"d\"]", "expected a list of 3 strings" },
		{ "{\"a\":1}", "expected a list of 3 strings" },
		{ "null", "descriptors.json" },
		{ "[\"a\",\"b\",3]", "[2]: expected a string" },
		{ "[\"a\",null,\"c\"]", "[1]: expected a string" },
		{ "[\"a\",\"b\",\"c\\u0000d\"]", "[2]: expected a string" },
		{ "['a','b','c']", "descriptors.json" },
		{ "[\"a\",\"b\",\"c\"] x", "descriptors.json" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct descriptors d = DESCRIPTORS_INIT;
		struct err err = ERR_INIT;

		assert_true(parse(cases[i].text, &d, &err) < 0);
		assert_int_equal(err.kind, ERR_CORRUPT);
		if (!strstr(err.msg, cases[i].message))
			fail_msg("%s: %s", cases[i].text, err.msg);
	}
}

static void test_file(void **state UNUSED)
{
	const struct descriptors d = { { (char[]){ "/dev/null" }, (char[]){ "pipe:[1]" },
					 (char[]){ "a\"b" } } };
	auto_descriptors struct descriptors again = DESCRIPTORS_INIT;
	auto_strbuf struct strbuf text = STRBUF_INIT;
	struct err err = ERR_INIT;
	struct stat st;

	assert_true(descriptors_load(&again, dir_fd, &err) < 0);
	assert_non_null(strstr(err.msg, "'descriptors.json' is missing"));
	assert_int_equal(descriptors_save(&d, dir_fd, &err), 0);
	assert_int_equal(fstatat(dir_fd, DESCRIPTORS_FILE, &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(io_read_file_at(dir_fd, DESCRIPTORS_FILE, 1000, &text), 0);
	assert_string_equal(text.buf, "[\"/dev/null\",\"pipe:[1]\",\"a\\\"b\"]");
	assert_int_equal(descriptors_load(&again, dir_fd, &err), 0);
	assert_string_equal(again.v[2], "a\"b");
}

static void test_pipes(void **state UNUSED)
{
	const struct descriptors d = { { (char[]){ "pipe:[1]" }, (char[]){ "/dev/pts/0" },
					 (char[]){ "pipe:[1]" } } };
	auto_criu_message CriuReq *req = criu_message_new(CRIU_REQ_TYPE__RESTORE, true);

	descriptors_add_to_restore(&d, req->opts);
	assert_int_equal(req->opts->n_inherit_fd, 2);
	assert_string_equal(req->opts->inherit_fd[0]->key, "pipe:[1]");
	assert_int_equal(req->opts->inherit_fd[0]->fd, 0);
	assert_int_equal(req->opts->inherit_fd[1]->fd, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_file),
		cmocka_unit_test(test_pipes),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
