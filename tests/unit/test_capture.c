/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/capture.h"
#include "core/strvec.h"

static int run(struct capture *capture, const char *script, struct err *err)
{
	auto_strvec struct strvec argv = STRVEC_INIT;
	int r;

	strvec_add(&argv, "/bin/sh");
	strvec_add(&argv, "-c");
	strvec_add(&argv, script);
	capture->argv = argv.v;
	r = capture_run(capture, err);
	capture->argv = NULL;
	return r;
}

static void test_streams(void **state)
{
	auto_capture struct capture capture = CAPTURE_INIT;

	(void)state;
	capture.input = "from us";
	assert_int_equal(run(&capture, "cat; echo trouble >&2; exit 3", NULL), 3);
	assert_string_equal(capture.output.buf, "from us");
	assert_string_equal(capture.messages.buf, "trouble\n");
}

static void test_no_input(void **state)
{
	auto_capture struct capture capture = CAPTURE_INIT;

	(void)state;
	assert_int_equal(run(&capture, "cat", NULL), 0);
	assert_string_equal(capture.output.buf, "");
}

static void test_signal(void **state)
{
	auto_capture struct capture capture = CAPTURE_INIT;

	(void)state;
	assert_int_equal(run(&capture, "kill -TERM $$", NULL), 128 + 15);
}

/* More than a pipe holds, on both streams, one after the other. */
static void test_much(void **state)
{
	auto_capture struct capture capture = CAPTURE_INIT;

	(void)state;
	assert_int_equal(
		run(&capture, "head -c 300000 /dev/zero >&2; head -c 300000 /dev/zero", NULL), 0);
	assert_int_equal(capture.output.len, 300000);
	assert_int_equal(capture.messages.len, 300000);
}

static void test_too_much(void **state)
{
	auto_capture struct capture capture = CAPTURE_INIT;
	struct err err = ERR_INIT;

	(void)state;
	capture.output_max = 100;
	assert_int_equal(run(&capture, "head -c 101 /dev/zero", &err), -EFBIG);
	assert_non_null(strstr(err.msg, "read the output of '/bin/sh'"));
}

static void test_timeout(void **state)
{
	auto_capture struct capture capture = CAPTURE_INIT;
	struct err err = ERR_INIT;

	(void)state;
	capture.timeout_ms = 50;
	assert_true(run(&capture, "exec sleep 60", &err) < 0);
	assert_int_equal(err.kind, ERR_TIMEOUT);
}

static void test_missing(void **state)
{
	char program[] = "/nowhere/program";
	auto_capture struct capture capture = CAPTURE_INIT;
	struct err err = ERR_INIT;

	(void)state;
	capture.argv = (char *[]){ program, NULL };
	assert_int_equal(capture_run(&capture, &err), -ENOENT);
	assert_string_equal(err.msg, "execute '/nowhere/program': no such file or directory");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_streams),	 cmocka_unit_test(test_no_input),
		cmocka_unit_test(test_signal),	 cmocka_unit_test(test_much),
		cmocka_unit_test(test_too_much), cmocka_unit_test(test_timeout),
		cmocka_unit_test(test_missing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
