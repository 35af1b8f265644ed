/* SPDX-License-Identifier: Apache-2.0 */
#include "image/reference.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <fcntl.h>

#include "core/alloc.h"
#include "image/image.h"
#include "image/registries.h"

#define D "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void test_parse(void **state UNUSED)
{
	static const struct {
		const char *text;
		const char *repository;
		const char *tag;
		const char *digest;
	} cases[] = {
		{ "alpine", "alpine", NULL, NULL },
		{ "alpine:3", "alpine", "3", NULL },
		{ "a/b", "a/b", NULL, NULL },
		{ "docker.io/alpine", "docker.io/library/alpine", NULL, NULL },
		{ "index.docker.io/x/y:t", "docker.io/x/y", "t", NULL },
		{ "localhost/x", "localhost/x", NULL, NULL },
		{ "127.0.0.1:5000/x:y", "127.0.0.1:5000/x", "y", NULL },
		{ "[::1]:5000/x", "[::1]:5000/x", NULL, NULL },
		{ "r.example/a/b/c:1.0_x-y@" D, "r.example/a/b/c", "1.0_x-y", D },
		{ "a__b-c.d", "a__b-c.d", NULL, NULL },
		{ "a----b", "a----b", NULL, NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		auto_reference struct reference ref = { 0 };
		auto_free char *repository = NULL;
		struct err err = ERR_INIT;

		assert_int_equal(reference_parse(&ref, cases[i].text, &err), 0);
		repository = reference_repository(&ref);
		assert_string_equal(repository, cases[i].repository);
		if (cases[i].tag)
			assert_string_equal(ref.tag, cases[i].tag);
		else
			assert_null(ref.tag);
		if (cases[i].digest)
			assert_string_equal(ref.digest, cases[i].digest);
		else
			assert_null(ref.digest);
	}
}

static void test_invalid(void **state UNUSED)
{
	static const char *const cases[] = {
		"",	    "Upper",	      "a//b", "/a",	    "a/",	   "a:",
		"a:b c",    "a_-b",	      "-a",   "a.",	    "a@sha256:12", "a:..x",
		"r.io:x/a", "a:" D,	      "../a", "a___b",	    "r.io/",	   "a b",
		"a\tb",	    "localhost:/x/y", "a;b",  "http://x/y",
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct reference ref = { 0 };
		struct err err = ERR_INIT;

		if (reference_parse(&ref, cases[i], &err) == 0)
			fail_msg("'%s' was accepted", cases[i]);
		assert_int_equal(err.kind, ERR_INVALID);
		assert_non_null(strstr(err.msg, "parse image name '"));
	}
}

static void test_long_names(void **state UNUSED)
{
	struct reference ref = { 0 };
	struct err err = ERR_INIT;
	char name[400];

	memset(name, 'a', sizeof(name));
	name[255] = '\0';
	assert_int_equal(reference_parse(&ref, name, &err), 0);
	reference_done(&ref);
	name[255] = 'a';
	name[256] = '\0';
	assert_true(reference_parse(&ref, name, &err) < 0);
}

static void test_normalize(void **state UNUSED)
{
	struct err err = ERR_INIT;
	char *name;

	assert_int_equal(reference_normalize_local("web", &name, &err), 0);
	assert_string_equal(name, "localhost/web:latest");
	free(name);
	assert_int_equal(reference_normalize_local("r.example/web:2", &name, &err), 0);
	assert_string_equal(name, "r.example/web:2");
	free(name);
	assert_true(reference_normalize_local("web@" D, &name, &err) < 0);
}

static char *write_conf(const char *text)
{
	char *path = xstrdup("/tmp/floe-registries-XXXXXX");
	int fd = mkostemp(path, O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	(void)close(fd);
	return path;
}

static void test_candidates(void **state UNUSED)
{
	auto_free char *path =
		write_conf("# comment\n"
			   "unqualified-search-registries = [\n \"r.example\", # first\n"
			   " 'docker.io',\n]\n"
			   "short-name-mode=\"permissive\"\n"
			   "[aliases]\n \"web\" = \"q.example/team/web\"\n"
			   "[[registry]]\nprefix = \"r.example\"\ninsecure = true\n");
	auto_registries struct registries r = { 0 };
	auto_strvec struct strvec found = STRVEC_INIT;
	auto_free char *joined = NULL;
	struct err err = ERR_INIT;

	assert_int_equal(registries_load(&r, path, &err), 0);
	assert_int_equal(r.insecure.n, 1);
	assert_int_equal(registries_candidates(&r, "web:2", false, &found, &err), 0);
	assert_int_equal(found.n, 1);
	assert_string_equal(found.v[0], "q.example/team/web:2");
	strvec_done(&found);
	assert_int_equal(registries_candidates(&r, "db", false, &found, &err), 0);
	joined = strvec_join(&found, " ");
	assert_string_equal(joined, "r.example/db:latest docker.io/library/db:latest");
	strvec_done(&found);
	assert_int_equal(registries_candidates(&r, "db", true, &found, &err), 0);
	replace_ptr(joined, strvec_join(&found, " "));
	assert_string_equal(joined,
			    "localhost/db:latest r.example/db:latest docker.io/library/db:latest");
	strvec_done(&found);
	assert_int_equal(registries_candidates(&r, "x.io/db", true, &found, &err), 0);
	assert_string_equal(found.v[0], "x.io/db:latest");
	(void)unlink(path);
}

static void test_bad_conf(void **state UNUSED)
{
	static const char *const bad[] = {
		"unqualified-search-registries = \"x\"\n",
		"a = ",
		"[x",
		"a = \"b",
		"a = [1, 2",
		"= 1",
		"a = b\n",
		"a = 1 2\n",
		"a = {b = 1",
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		auto_free char *path = write_conf(bad[i]);
		auto_registries struct registries r = { 0 };
		struct err err = ERR_INIT;

		if (registries_load(&r, path, &err) == 0)
			fail_msg("accepted: %s", bad[i]);
		assert_non_null(strstr(err.msg, ":1: "));
		(void)unlink(path);
	}
}

static void test_no_registries(void **state UNUSED)
{
	struct registries r = { 0 };
	auto_strvec struct strvec found = STRVEC_INIT;
	struct err err = ERR_INIT;

	assert_true(registries_candidates(&r, "web", false, &found, &err) < 0);
	assert_int_equal(err.kind, ERR_NOT_FOUND);
	assert_non_null(strstr(err.msg, "no unqualified-search registries"));
}

static void test_times(void **state UNUSED)
{
	assert_true(image_time_parse("1970-01-01T00:00:01Z") == 1000000000ULL);
	assert_true(image_time_parse("2026-11-21T19:08:29.123456789Z") == 1795288109123456789ULL);
	assert_true(image_time_parse("2026-11-21T20:08:29.5+01:00") == 1795288109500000000ULL);
	assert_true(image_time_parse("0001-01-01T00:00:00Z") == 0);
	assert_true(image_time_parse("yesterday") == 0);
	assert_true(image_time_parse(NULL) == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),	      cmocka_unit_test(test_invalid),
		cmocka_unit_test(test_long_names),    cmocka_unit_test(test_normalize),
		cmocka_unit_test(test_candidates),    cmocka_unit_test(test_bad_conf),
		cmocka_unit_test(test_no_registries), cmocka_unit_test(test_times),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
