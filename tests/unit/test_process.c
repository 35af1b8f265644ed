/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/init/process.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/io.h"
#include "runtime/keyring.h"

#define USER 4711
#define GROUP 4712

static const struct process_facts no_facts = { 0 };

/* ---- the plan ---- */

static void test_plan_defaults(void **state UNUSED)
{
	struct oci_process process = { .cwd = (char[]){ "/" } };
	auto_strvec struct strvec warnings = STRVEC_INIT;
	struct process_plan plan;

	assert_int_equal(process_plan_make(&plan, &process, NULL, &warnings, NULL), 0);
	assert_int_equal(plan.umask, 022);
	assert_false(plan.has_caps);
	assert_false(plan.oom_score_adj.set);
	assert_int_equal(plan.n_rlimits, 0);
	assert_int_equal(warnings.n, 0);
	process.user.umask = (struct opt_u32){ true, 0 };
	assert_int_equal(process_plan_make(&plan, &process, NULL, &warnings, NULL), 0);
	assert_int_equal(plan.umask, 0);
	process.user.umask.v = 01000;
	assert_int_equal(process_plan_make(&plan, &process, NULL, &warnings, NULL), -EINVAL);
}

static void test_plan_caps(void **state UNUSED)
{
	char *some[] = { (char[]){ "CAP_CHOWN" }, (char[]){ "CAP_KILL" }, (char[]){ "CAP_NEW" },
			 (char[]){ "kill" } };
	struct oci_capabilities caps = { .bounding = some,
					 .n_bounding = 4,
					 .permitted = some,
					 .n_permitted = 2,
					 .effective = some,
					 .n_effective = 1,
					 .ambient = some + 2,
					 .n_ambient = 1 };
	struct oci_process process = { .capabilities = &caps };
	auto_strvec struct strvec warnings = STRVEC_INIT;
	struct process_plan plan;
	struct err err = ERR_INIT;

	assert_int_equal(process_plan_make(&plan, &process, NULL, &warnings, &err), 0);
	assert_true(plan.has_caps);
	assert_int_equal(plan.caps.bounding, CAPS_BIT(0) | CAPS_BIT(5));
	assert_int_equal(plan.caps.effective, CAPS_BIT(0));
	assert_int_equal(plan.caps.permitted, CAPS_BIT(0) | CAPS_BIT(5));
	assert_int_equal(plan.caps.inheritable, 0);
	assert_int_equal(plan.caps.ambient, 0);
	assert_int_equal(warnings.n, 1);
	assert_string_equal(warnings.v[0],
			    "ignoring unknown or unavailable capabilities: [CAP_NEW kill]");
	caps.n_permitted = 1;
	caps.n_effective = 2;
	assert_int_equal(process_plan_make(&plan, &process, NULL, NULL, &err), -EINVAL);
	assert_string_equal(err.msg, "process.capabilities.effective: CAP_KILL is not among "
				     "process.capabilities.permitted");
}

static void check_rlimits(const struct oci_rlimit *limits, size_t n, const char *message)
{
	struct oci_process process = { .rlimits = (struct oci_rlimit *)(uintptr_t)limits,
				       .n_rlimits = n };
	struct process_plan plan;
	struct err err = ERR_INIT;

	assert_int_equal(process_plan_make(&plan, &process, NULL, NULL, &err),
			 message ? -EINVAL : 0);
	if (message)
		assert_string_equal(err.msg, message);
}

static void test_plan_rlimits(void **state UNUSED)
{
	struct oci_rlimit limits[] = {
		{ (char[]){ "RLIMIT_NOFILE" }, 10, UINT64_MAX },
		{ (char[]){ "RLIMIT_CORE" }, 0, 0 },
	};

	check_rlimits(limits, 2, NULL);
	limits[1].type = (char[]){ "RLIMIT_NOFILE" };
	check_rlimits(limits, 2, "process.rlimits[1].type: 'RLIMIT_NOFILE' is there twice");
	limits[1].type = (char[]){ "CORE" };
	check_rlimits(limits, 2, "process.rlimits[1].type: unknown limit 'CORE'");
	limits[0].hard = 9;
	check_rlimits(limits, 1,
		      "process.rlimits[0]: RLIMIT_NOFILE: soft limit 10 is above hard limit 9");
}

/* ---- applied, in children ---- */

static void run_as_root(int (*fn)(void))
{
	int status;
	pid_t pid;

	if (geteuid() != 0)
		skip();
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(fn());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (status)
		print_error("child: %s %d\n", WIFEXITED(status) ? "exit" : "status",
			    WIFEXITED(status) ? WEXITSTATUS(status) : status);
	assert_int_equal(status, 0);
}

static int show(const struct err *err, int code)
{
	(void)fprintf(stderr, "%s\n", err->msg);
	return code;
}

static const uint32_t gids[] = { 7, 8 };

static struct process_plan user_plan(void)
{
	return (struct process_plan){
		.uid = USER,
		.gid = GROUP,
		.gids = gids,
		.n_gids = 2,
		.cwd = "/",
		.has_caps = true,
		.caps = { .bounding = CAPS_BIT(10) | CAPS_BIT(5) },
	};
}

static int check_user(void)
{
	uid_t r, e, s;
	gid_t rg, eg, sg;
	gid_t got[4];

	if (getresuid(&r, &e, &s) < 0 || r != USER || e != USER || s != USER)
		return 20;
	if (getresgid(&rg, &eg, &sg) < 0 || rg != GROUP || eg != GROUP || sg != GROUP)
		return 21;
	if (getgroups(4, got) != 2 || got[0] != 7 || got[1] != 8)
		return 22;
	return 0;
}

static int plain_user(void)
{
	struct process_plan plan = user_plan();
	struct err err = ERR_INIT;
	struct caps_sets now;
	int r;

	if (process_take_identity(&plan, &no_facts, &err) < 0)
		return show(&err, 1);
	r = check_user();
	if (r)
		return r;
	if (caps_get(&now) < 0 || now.effective || now.permitted || now.inheritable)
		return 2;
	if (prctl(PR_CAPBSET_READ, 10, 0, 0, 0) != 1 || prctl(PR_CAPBSET_READ, 21, 0, 0, 0) != 0)
		return 3;
	if (prctl(PR_GET_KEEPCAPS, 0, 0, 0, 0) != 0)
		return 4;
	return setuid(0) < 0 ? 0 : 5;
}

static int user_with_ambient(void)
{
	struct process_plan plan = user_plan();
	struct err err = ERR_INIT;
	struct caps_sets now;

	/* CAP_NET_BIND_SERVICE through and through, CAP_KILL permitted only. */
	plan.caps.permitted = plan.caps.bounding;
	plan.caps.effective = CAPS_BIT(10);
	plan.caps.inheritable = CAPS_BIT(10);
	plan.caps.ambient = CAPS_BIT(10) | CAPS_BIT(5);
	if (process_take_identity(&plan, &no_facts, &err) < 0)
		return show(&err, 1);
	if (caps_get(&now) < 0 || now.effective != CAPS_BIT(10) ||
	    now.permitted != plan.caps.permitted || now.inheritable != CAPS_BIT(10))
		return 2;
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, 10, 0, 0) != 1 ||
	    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, 5, 0, 0) != 0)
		return 3;
	return check_user();
}

/* What we do not hold (an outer container's engine took it) is left out, not an error. */
static int caps_not_held(void)
{
	struct process_plan plan = user_plan();
	struct err err = ERR_INIT;
	struct caps_sets now;

	if (caps_get(&now) < 0)
		return 1;
	now.permitted &= ~CAPS_BIT(5);
	now.effective &= ~CAPS_BIT(5);
	if (caps_drop_bounding(~CAPS_BIT(5)) < 0 || caps_set(&now) < 0)
		return 2;
	plan.uid = plan.gid = 0;
	plan.caps.effective = plan.caps.permitted = plan.caps.inheritable = plan.caps.bounding;
	if (process_take_identity(&plan, &no_facts, &err) < 0)
		return show(&err, 3);
	if (caps_get(&now) < 0 || now.effective != CAPS_BIT(10) || now.permitted != CAPS_BIT(10))
		return 4;
	return 0;
}

/* Without a capabilities object nothing is touched: root keeps all, another user has none. */
static int no_caps_block(void)
{
	struct process_plan plan = user_plan();
	struct err err = ERR_INIT;
	struct caps_sets before;
	struct caps_sets now;

	plan.has_caps = false;
	plan.uid = 0;
	if (caps_get(&before) < 0 || process_take_identity(&plan, &no_facts, &err) < 0)
		return show(&err, 1);
	if (caps_get(&now) < 0 || now.permitted != before.permitted)
		return 2;
	if (prctl(PR_CAPBSET_READ, 21, 0, 0, 0) != 1)
		return 3;
	plan.uid = USER;
	if (process_take_identity(&plan, &no_facts, &err) < 0)
		return show(&err, 4);
	return caps_get(&now) == 0 && now.permitted == 0 && now.effective == 0 ? 0 : 5;
}

static void test_identity(void **state UNUSED)
{
	run_as_root(plain_user);
	run_as_root(user_with_ambient);
	run_as_root(caps_not_held);
	run_as_root(no_caps_block);
}

/* ---- user namespaces ---- */

static int write_file(const char *path, const char *text)
{
	return io_write_file_at(AT_FDCWD, path, text);
}

static int in_user_namespace(void)
{
	struct process_facts facts = { .in_user_namespace = true };
	struct process_plan plan = { .cwd = "/" };
	struct err err = ERR_INIT;

	if (setresgid(USER, USER, USER) < 0 || setresuid(USER, USER, USER) < 0 ||
	    prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) < 0)
		return 1;
	if (unshare(CLONE_NEWUSER) < 0)
		return 0; /* not allowed here: nothing to see */
	if (write_file("/proc/self/setgroups", "deny") < 0 ||
	    write_file("/proc/self/uid_map", "0 4711 1") < 0 ||
	    write_file("/proc/self/gid_map", "0 4711 1") < 0)
		return 2;
	if (process_switch_user(&plan, &facts, &err) < 0)
		return show(&err, 3);
	plan.gids = gids;
	plan.n_gids = 1;
	if (process_switch_user(&plan, &facts, &err) != -EPERM ||
	    strcmp(err.msg, "cannot set any additional groups in a rootless container") != 0)
		return show(&err, 4);
	facts.keep_groups = true;
	plan.uid = 5;
	if (process_switch_user(&plan, &facts, &err) != -EINVAL ||
	    strcmp(err.msg, "set uid 5: invalid argument; the user namespace does not map it") != 0)
		return show(&err, 5);
	return 0;
}

static void test_user_namespace(void **state UNUSED)
{
	run_as_root(in_user_namespace);
}

/* ---- the current directory ---- */

static char dir[] = "/tmp/floe-test-XXXXXX"; /* made by the parent, closed to others */

static int cwd_of_the_user(void)
{
	struct process_plan plan = user_plan();
	struct err err = ERR_INIT;
	int r;

	/* root may enter a closed directory; the container's user stays in it. */
	plan.cwd = dir;
	r = process_take_identity(&plan, &no_facts, &err) < 0 ? show(&err, 2) : 0;
	if (r == 0 && access(".", X_OK) == 0)
		r = 3;
	return r;
}

static int cwd_missing(void)
{
	struct process_plan plan = user_plan();
	struct err err = ERR_INIT;

	plan.cwd = "/nonexistent/dir";
	if (process_take_identity(&plan, &no_facts, &err) != -ENOENT ||
	    strcmp(err.msg, "chdir to cwd (\"/nonexistent/dir\") set in config.json failed: "
			    "no such file or directory") != 0)
		return show(&err, 1);
	return geteuid() == 0 ? 0 : 2;
}

/* CVE-2024-21626: a descriptor of the host as way out of the container's root. */
static int cwd_outside(void)
{
	struct process_plan plan = user_plan();
	struct err err = ERR_INIT;
	char leaked[32];
	int fd = open("/", O_PATH | O_DIRECTORY);
	int r = 0;

	if (fd < 0 || unshare(CLONE_NEWNS) < 0 ||
	    mount(NULL, "/", NULL, MS_PRIVATE | MS_REC, NULL) < 0)
		return 1;
	if (mount("tmpfs", dir, "tmpfs", 0, NULL) < 0 || chdir(dir) < 0 ||
	    mkdir("proc", 0755) < 0 || mount("/proc", "proc", NULL, MS_BIND | MS_REC, NULL) < 0 ||
	    chroot(".") < 0 || chdir("/") < 0)
		return 2;
	(void)snprintf(leaked, sizeof(leaked), "/proc/self/fd/%d", fd);
	plan.cwd = leaked;
	if (process_take_identity(&plan, &no_facts, &err) != -EPERM ||
	    !strstr(err.msg, "possible container breakout detected"))
		r = show(&err, 3);
	if (r == 0 && (chdir("/") < 0 || process_check_cwd(&err) < 0))
		r = show(&err, 4);
	return r;
}

static int cwd_deleted(void)
{
	struct err err = ERR_INIT;

	if (chdir(dir) < 0 || rmdir(dir) < 0)
		return 1;
	return process_check_cwd(&err) == -EPERM ? 0 : 2;
}

static void test_cwd(void **state UNUSED)
{
	if (geteuid() != 0)
		skip();
	assert_non_null(mkdtemp(dir));
	run_as_root(cwd_of_the_user);
	run_as_root(cwd_missing);
	run_as_root(cwd_outside);
	run_as_root(cwd_deleted);
	(void)rmdir(dir);
}

/* ---- the rest ---- */

static int own_stdio(void)
{
	struct err err = ERR_INIT;
	struct stat st;
	int ends[2];
	int null_fd = open("/dev/null", O_RDWR);
	int file_fd = memfd_create("stdout", 0);

	if (null_fd < 0 || file_fd < 0 || pipe(ends) < 0)
		return 1;
	if (dup2(null_fd, 0) < 0 || dup2(file_fd, 1) < 0)
		return 2;
	close(2);
	if (process_own_stdio(USER, &err) < 0)
		return 3;
	if (fstat(0, &st) < 0 || st.st_uid != 0)
		return 4;
	if (fstat(1, &st) < 0 || st.st_uid != USER || st.st_gid != 0)
		return 5;
	if (dup2(ends[1], 2) < 0 || process_own_stdio(USER, &err) < 0 || fstat(2, &st) < 0 ||
	    st.st_uid != USER)
		return 6;
	return 0;
}

static void test_own_stdio(void **state UNUSED)
{
	run_as_root(own_stdio);
}

static int limits(void)
{
	struct process_plan plan = {
		.n_rlimits = 2,
		.rlimits = { { RLIMIT_NOFILE, 32, 33 }, { RLIMIT_CORE, 0, 0 } },
		.no_new_privs = true,
		.oom_score_adj = { true, 321 },
	};
	auto_strbuf struct strbuf text = STRBUF_INIT;
	struct err err = ERR_INIT;
	struct rlimit now;

	if (process_set_oom_score_adj(&plan, 0, &err) < 0 ||
	    io_read_file_at(AT_FDCWD, "/proc/self/oom_score_adj", 64, &text) < 0 ||
	    strcmp(text.buf, "321\n") != 0)
		return show(&err, 1);
	plan.oom_score_adj.v = 1001;
	if (process_set_oom_score_adj(&plan, 0, &err) != -EINVAL ||
	    strcmp(err.msg, "set oom_score_adj to 1001: invalid argument") != 0)
		return show(&err, 2);
	if (process_set_no_new_privs(&plan, &err) < 0 ||
	    prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
		return 3;
	if (process_set_rlimits(&plan, getpid(), &err) < 0)
		return show(&err, 4);
	if (getrlimit(RLIMIT_NOFILE, &now) < 0 || now.rlim_cur != 32 || now.rlim_max != 33)
		return 5;
	return 0;
}

static int raise_limit_as_user(void)
{
	struct process_plan plan = { .n_rlimits = 1, .rlimits = { { RLIMIT_NOFILE, 9, 9 } } };
	struct err err = ERR_INIT;

	if (process_set_rlimits(&plan, 0, &err) < 0 || setuid(USER) < 0)
		return 1;
	plan.rlimits[0] = (struct process_rlimit){ RLIMIT_NOFILE, 10, 10 };
	if (process_set_rlimits(&plan, 0, &err) != -EPERM ||
	    strcmp(err.msg, "set RLIMIT_NOFILE to 10:10: operation not permitted") != 0)
		return show(&err, 2);
	return 0;
}

static void test_limits(void **state UNUSED)
{
	run_as_root(limits);
	run_as_root(raise_limit_as_user);
}

static int join_keyring(void)
{
	struct err err = ERR_INIT;
	char text[256] = "";
	long key;

	if (keyring_join_session("test-container", false, &err) < 0)
		return show(&err, 1);
	/* -3: the session keyring; 6: describe. */
	key = syscall(SYS_keyctl, 6, -3, text, sizeof(text) - 1);
	if (key < 0)
		return errno == ENOSYS ? 0 : 2;
	if (!strstr(text, "_ses.test-container"))
		return 3;
	/* Twice, as exec does: the same one. */
	return keyring_join_session("test-container", true, &err) < 0 ? show(&err, 4) : 0;
}

static void test_keyring(void **state UNUSED)
{
	run_as_root(join_keyring);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plan_defaults),  cmocka_unit_test(test_plan_caps),
		cmocka_unit_test(test_plan_rlimits),   cmocka_unit_test(test_identity),
		cmocka_unit_test(test_user_namespace), cmocka_unit_test(test_cwd),
		cmocka_unit_test(test_own_stdio),      cmocka_unit_test(test_limits),
		cmocka_unit_test(test_keyring),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
