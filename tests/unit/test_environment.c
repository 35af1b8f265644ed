/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/init/environment.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/fs.h"
#include "core/io.h"
#include "core/strbuf.h"

static void check_build(const char *in, const char *extra, const char *want)
{
	auto_strvec struct strvec env = STRVEC_INIT;
	auto_strvec struct strvec more = STRVEC_INIT;
	auto_strvec struct strvec out = STRVEC_INIT;
	auto_free char *got = NULL;
	struct err err = ERR_INIT;

	strvec_split(&env, in, '|', true);
	if (extra)
		strvec_split(&more, extra, '|', false);
	assert_int_equal(environment_build(&out, env.v, env.n, extra ? &more : NULL, &err), 0);
	got = strvec_join(&out, "|");
	assert_string_equal(got, want);
}

static void test_build(void **state UNUSED)
{
	check_build("A=1|B=2", NULL, "A=1|B=2");
	check_build("A=1|B=2|A=3", NULL, "B=2|A=3");
	check_build("A=1|A=1|A=1", NULL, "A=1");
	check_build("AB=1|A=2|A==3|AB=", NULL, "A==3|AB=");
	check_build("PATH=/bin|X=a=b=c", "LISTEN_FDS=2|PATH=/x", "X=a=b=c|LISTEN_FDS=2|PATH=/x");
	/* An empty HOME is none, also when it hides one that is not. */
	check_build("HOME=|A=1", NULL, "A=1");
	check_build("HOME=/a|HOME=", NULL, "");
	check_build("HOME=|HOME=/a", NULL, "HOME=/a");
}

static void test_bad_entries(void **state UNUSED)
{
	char *no_equals[] = { (char[]){ "A=1" }, (char[]){ "NONSENSE" } };
	char *no_name[] = { (char[]){ "=1" } };
	auto_strvec struct strvec out = STRVEC_INIT;
	struct err err = ERR_INIT;

	assert_int_equal(environment_build(&out, no_equals, 2, NULL, &err), -EINVAL);
	assert_string_equal(err.msg,
			    "invalid environment variable 'NONSENSE': there is no '=' in it");
	assert_int_equal(environment_build(&out, no_name, 1, NULL, &err), -EINVAL);
	assert_string_equal(err.msg, "invalid environment variable '=1': its name is empty");
	assert_int_equal(out.n, 0);
}

static void test_many(void **state UNUSED)
{
	auto_strvec struct strvec env = STRVEC_INIT;
	auto_strvec struct strvec out = STRVEC_INIT;

	for (int i = 0; i < 20000; i++)
		strvec_addf(&env, "VARIABLE_%d=%d", i % 5000, i);
	assert_int_equal(environment_build(&out, env.v, env.n, NULL, NULL), 0);
	assert_int_equal(out.n, 5000);
	assert_string_equal(environment_get(&out, "VARIABLE_17"), "15017");
}

static void test_get(void **state UNUSED)
{
	auto_strvec struct strvec env = STRVEC_INIT;

	assert_null(environment_get(&env, "A"));
	strvec_add(&env, "AB=1");
	strvec_add(&env, "A=2");
	assert_string_equal(environment_get(&env, "A"), "2");
	assert_null(environment_get(&env, ""));
}

static const char passwd[] = "# comment\n"
			     "root:x:0:0:root:/root:/bin/sh\n"
			     "broken:x:12\n"
			     "long:x:7:7:a:/seven:/bin/sh:more:fields\n"
			     "empty:x:8:8:::\n"
			     "www:x:33:33:www:/var/www:/bin/sh\n"
			     "other:x:33:33:www:/elsewhere:/bin/sh\n"
			     "last:x:99:99::/last:"; /* no newline at the end */

/* HOME of uid in a root that has (or has not) that passwd, as exit status. */
static int home_is(const char *dir, uint32_t uid, const char *want)
{
	auto_strvec struct strvec env = STRVEC_INIT;
	const char *home;

	if (chroot(dir) < 0)
		return 1;
	strvec_add(&env, "A=1");
	environment_add_home(&env, uid);
	home = environment_get(&env, "HOME");
	if (!home || strcmp(home, want) != 0) {
		(void)fprintf(stderr, "uid %u: HOME is %s, not %s\n", uid, home, want);
		return 2;
	}
	/* One that is there stays. */
	environment_add_home(&env, 4711);
	return env.n == 2 ? 0 : 3;
}

static void check_home(const char *dir, uint32_t uid, const char *want)
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(home_is(dir, uid, want));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void test_home(void **state UNUSED)
{
	char dir[] = "/tmp/floe-test-XXXXXX";
	char path[64];
	char file[64];

	if (geteuid() != 0)
		skip();
	assert_non_null(mkdtemp(dir));
	check_home(dir, 0, "/");
	(void)snprintf(path, sizeof(path), "%s/etc", dir);
	(void)snprintf(file, sizeof(file), "%s/etc/passwd", dir);
	assert_int_equal(mkdir(path, 0755), 0);
	assert_int_equal(fs_write_atomic(-1, file, passwd, sizeof(passwd) - 1, 0644, FS_VOLATILE),
			 0);
	check_home(dir, 0, "/root");
	check_home(dir, 7, "/seven");
	check_home(dir, 8, "/");
	check_home(dir, 12, "/");
	check_home(dir, 33, "/var/www");
	check_home(dir, 99, "/last");
	check_home(dir, 100, "/");
	/* A fifo in its place must not block. */
	assert_int_equal(unlink(file), 0);
	assert_int_equal(mkfifo(file, 0644), 0);
	check_home(dir, 0, "/");
	assert_int_equal(fs_remove_tree(-1, dir), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_build), cmocka_unit_test(test_bad_entries),
		cmocka_unit_test(test_many),  cmocka_unit_test(test_get),
		cmocka_unit_test(test_home),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
