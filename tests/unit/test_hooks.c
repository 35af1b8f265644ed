/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/hooks.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/alloc.h"
#include "core/auto.h"
#include "core/clock.h"
#include "core/fs.h"
#include "core/io.h"
#include "core/log.h"
#include "kernel/syscalls.h"

static char dir[] = "/tmp/floe-test-XXXXXX";

static int set_up(void **state UNUSED)
{
	assert_non_null(mkdtemp(dir));
	return chdir(dir);
}

static int tear_down(void **state UNUSED)
{
	assert_int_equal(chdir("/"), 0);
	return fs_remove_tree(-1, dir);
}

/* One hook that runs a shell script. */
struct shell_hook {
	struct oci_hook hook;
	char *args[3];
};

static const struct oci_hook *shell(struct shell_hook *ret, const char *script)
{
	ret->args[0] = (char *)(uintptr_t) "sh";
	ret->args[1] = (char *)(uintptr_t) "-c";
	ret->args[2] = (char *)(uintptr_t)script;
	ret->hook = (struct oci_hook){
		.path = (char *)(uintptr_t) "/bin/sh",
		.args = ret->args,
		.n_args = 3,
	};
	return &ret->hook;
}

static int run(const char *script, const char *state, struct err *err)
{
	struct shell_hook hook;
	const struct hooks_options opts = {
		.name = "createRuntime",
		.hooks = shell(&hook, script),
		.n_hooks = 1,
		.state = state,
	};

	return hooks_run(&opts, err);
}

static void check_file(const char *name, const char *want)
{
	auto_strbuf struct strbuf text = STRBUF_INIT;

	assert_int_equal(io_read_file_at(-100 /* AT_FDCWD */, name, 1U << 22, &text), 0);
	assert_string_equal(text.buf, want);
}

static void test_state_on_stdin(void **state UNUSED)
{
	struct err err = ERR_INIT;

	assert_int_equal(run("cat > got", "{\"id\":\"a\"}", &err), 0);
	check_file("got", "{\"id\":\"a\"}");
	/* Also by name, which a socket would not allow. */
	assert_int_equal(run("cat /dev/stdin > got", "{}", &err), 0);
	check_file("got", "{}");
	assert_int_equal(run("cat > got", NULL, &err), 0);
	check_file("got", "");
}

static void test_large_state(void **state UNUSED)
{
	auto_free char *large = xmalloc(300001);
	struct err err = ERR_INIT;

	(void)memset(large, 'x', 300000);
	large[300000] = '\0';
	assert_int_equal(run("cat > got", large, &err), 0);
	check_file("got", large);
	/* A hook that does not read it, or ends first, must neither block nor kill us. */
	assert_int_equal(run("exec <&-; sleep 0.05", large, &err), 0);
	assert_int_equal(run("true", large, &err), 0);
	/* One that writes as much as it reads must not deadlock. */
	assert_int_equal(run("cat; cat got >&2", large, &err), 0);
}

static void test_failure(void **state UNUSED)
{
	struct err err = ERR_INIT;

	assert_int_equal(run("exit 3", "{}", &err), -EREMOTEIO);
	assert_string_equal(err.msg, "error running createRuntime hook #0: exit status 3");
	assert_int_equal(run("echo one; echo two >&2; exit 1", "{}", &err), -EREMOTEIO);
	assert_string_equal(err.msg, "error running createRuntime hook #0: exit status 1, "
				     "stdout: one, stderr: two");
	assert_int_equal(run("kill -9 $$", "{}", &err), -EREMOTEIO);
	assert_string_equal(err.msg, "error running createRuntime hook #0: signal: killed");
}

static void test_long_output_keeps_its_end(void **state UNUSED)
{
	struct err err = ERR_INIT;

	assert_int_equal(run("i=0; while [ $i -lt 9000 ]; do echo line $i >&2; i=$((i+1)); done; "
			     "echo THE END >&2; exit 1",
			     "{}", &err),
			 -EREMOTEIO);
	assert_non_null(strstr(err.msg, "stderr: ..."));
	assert_non_null(strstr(err.msg, "line 8999\nTHE END"));
	assert_true(strlen(err.msg) < 500);
}

static void test_missing_program(void **state UNUSED)
{
	struct oci_hook hooks[] = {
		{ .path = (char *)(uintptr_t) "/bin/true" },
		{ .path = (char *)(uintptr_t) "/nonexistent/hook" },
	};
	const struct hooks_options opts = { .name = "prestart", .hooks = hooks, .n_hooks = 2 };
	struct err err = ERR_INIT;

	assert_int_equal(hooks_run(&opts, &err), -ENOENT);
	assert_string_equal(err.msg, "error running prestart hook #1: exec /nonexistent/hook: "
				     "no such file or directory");
}

static void check_timeout(const char *script)
{
	struct shell_hook hook;
	struct hooks_options opts = {
		.name = "poststart",
		.hooks = shell(&hook, script),
		.n_hooks = 1,
		.state = "{}",
	};
	struct err err = ERR_INIT;
	uint64_t start = clock_now_monotonic_ns();

	hook.hook.timeout = (struct opt_i64){ true, 1 };
	assert_int_equal(hooks_run(&opts, &err), -ETIMEDOUT);
	assert_int_equal(err.kind, ERR_TIMEOUT);
	assert_string_equal(err.msg, "error running poststart hook #0: hook ran past specified "
				     "timeout of 1.0s, stdout: before");
	assert_true(clock_now_monotonic_ns() - start < 3 * NSEC_PER_SEC);
}

static void test_timeout(void **state UNUSED)
{
	check_timeout("trap '' TERM INT; echo before; exec sleep 30");
}

/* What a hook leaves behind holds its stdout open; that must not hold us. */
static void test_background_process(void **state UNUSED)
{
	struct err err = ERR_INIT;
	uint64_t start = clock_now_monotonic_ns();

	assert_int_equal(run("sleep 2 & exit 0", "{}", &err), 0);
	assert_true(clock_now_monotonic_ns() - start < NSEC_PER_SEC);
}

static void test_environment(void **state UNUSED)
{
	char *env[] = { (char *)(uintptr_t) "A=1" };
	char *default_env[] = { (char *)(uintptr_t) "B=2", NULL };
	struct shell_hook hook;
	struct hooks_options opts = {
		.name = "startContainer",
		.hooks = shell(&hook, "echo $A-$B-$FLOE_TEST_HOOKS > got"),
		.n_hooks = 1,
		.state = "{}",
		.default_env = default_env,
	};
	struct err err = ERR_INIT;

	assert_int_equal(setenv("FLOE_TEST_HOOKS", "mine", 1), 0);
	assert_int_equal(hooks_run(&opts, &err), 0);
	check_file("got", "-2-\n");
	opts.default_env = NULL;
	assert_int_equal(hooks_run(&opts, &err), 0);
	check_file("got", "--mine\n");
	hook.hook.env = env;
	hook.hook.n_env = 1;
	assert_int_equal(hooks_run(&opts, &err), 0);
	check_file("got", "1--\n");
	hook.hook.n_env = 0;
	assert_int_equal(hooks_run(&opts, &err), 0);
	check_file("got", "--\n");
}

static void test_order_and_cwd(void **state UNUSED)
{
	struct shell_hook hooks[3];
	struct oci_hook list[3] = {
		*shell(&hooks[0], "echo one >> got"),
		*shell(&hooks[1], "pwd >> got; exit 1"),
		*shell(&hooks[2], "echo three >> got"),
	};
	struct hooks_options opts = {
		.name = "poststop",
		.hooks = list,
		.n_hooks = 3,
		.state = "{}",
		.cwd = dir,
	};
	auto_free char *want = xasprintf("one\n%s\n", dir);
	auto_free char *want_all = xasprintf("one\n%s\nthree\n", dir);
	const struct log_config quiet = { .level = LOG_LEVEL_ERROR, .fd = 2 };
	struct err err = ERR_INIT;

	assert_int_equal(unlink("got"), 0);
	assert_int_equal(chdir("/"), 0);
	assert_int_equal(hooks_run(&opts, &err), -EREMOTEIO);
	assert_string_equal(err.msg, "error running poststop hook #1: exit status 1");
	assert_int_equal(chdir(dir), 0);
	check_file("got", want);
	assert_int_equal(unlink("got"), 0);
	log_configure(&quiet);
	hooks_run_all(&opts);
	check_file("got", want_all);
}

/* The hook starts with default dispositions and an empty mask, and ours are as before. */
static void test_signals(void **state UNUSED)
{
	struct err err = ERR_INIT;
	sigset_t mask;

	(void)signal(SIGPIPE, SIG_IGN);
	assert_int_equal(run("grep -E 'SigBlk|SigIgn' /proc/self/status > got", "{}", &err), 0);
	check_file("got", "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
	assert_int_equal(sigprocmask(SIG_SETMASK, NULL, &mask), 0);
	assert_int_equal(sigismember(&mask, SIGPIPE), 0);
	(void)signal(SIGPIPE, SIG_DFL);
}

static void test_without_pidfd(void **state UNUSED)
{
	struct err err = ERR_INIT;

	kernel_features_disable(KERNEL_PIDFD);
	assert_int_equal(run("cat > got", "{}", &err), 0);
	check_file("got", "{}");
	assert_int_equal(run("sleep 0.05; echo x; exit 2", "{}", &err), -EREMOTEIO);
	assert_string_equal(err.msg,
			    "error running createRuntime hook #0: exit status 2, stdout: x");
	check_timeout("echo before; exec sleep 30");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_state_on_stdin),
		cmocka_unit_test(test_large_state),
		cmocka_unit_test(test_failure),
		cmocka_unit_test(test_long_output_keeps_its_end),
		cmocka_unit_test(test_missing_program),
		cmocka_unit_test(test_timeout),
		cmocka_unit_test(test_background_process),
		cmocka_unit_test(test_environment),
		cmocka_unit_test(test_order_and_cwd),
		cmocka_unit_test(test_signals),
		cmocka_unit_test(test_without_pidfd), /* last: it stays switched off */
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
