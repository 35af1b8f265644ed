/* SPDX-License-Identifier: Apache-2.0 */
/* What can be seen without a security module; with one, the tests in the VM look. */
#include "runtime/lsm/lsm.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/auto.h"
#include "core/fs.h"
#include "core/io.h"
#include "kernel/proc_root.h"
#include "kernel/syscalls.h"
#include "in_child.h"

static void test_check(void **state UNUSED)
{
	struct err err = ERR_INIT;

	assert_int_equal(lsm_check(NULL, NULL, NULL, &err), 0);
	assert_int_equal(lsm_check("", "", "", &err), 0);
	assert_int_equal(lsm_check("unconfined", NULL, NULL, &err), 0);
	if (!lsm_apparmor_is_enabled()) {
		assert_int_equal(lsm_check("floe", NULL, NULL, &err), -EOPNOTSUPP);
		assert_string_equal(err.msg, "process.apparmorProfile: profile 'floe' is specified "
					     "in config, but apparmor is not enabled on this "
					     "system");
	}
	if (!lsm_selinux_is_enabled()) {
		assert_int_equal(lsm_check(NULL, "a:b:c", NULL, &err), -EOPNOTSUPP);
		assert_string_equal(err.msg, "process.selinuxLabel: selinux label is specified in "
					     "config, but selinux is disabled or not supported");
		assert_int_equal(lsm_check(NULL, NULL, "a:b:c", &err), -EOPNOTSUPP);
		assert_int_equal(lsm_set_selinux_key(-1, "a:b:c", &err), 0);
	}
}

/*
 * CVE-2019-16884 and its kin: a file of the image in the place of attr/exec swallows the label, and
 * the program would run unconfined.
 */
static int swallowed(void)
{
	auto_strbuf struct strbuf text = STRBUF_INIT;
	char file[] = "/tmp/floe-test-XXXXXX";
	char own[64];
	struct err err = ERR_INIT;
	int fd = mkostemp(file, O_CLOEXEC);
	int proc_fd;

	if (fd < 0 || unlink(file) < 0 || unshare(CLONE_NEWNS) < 0 ||
	    mount(NULL, "/", NULL, MS_PRIVATE | MS_REC, NULL) < 0)
		return 1;
	/* A directory with files of those names over attr. */
	(void)snprintf(own, sizeof(own), "/proc/%d/task/%d/attr", getpid(), getpid());
	if (mount("tmpfs", own, "tmpfs", 0, NULL) < 0 || chdir(own) < 0 ||
	    fs_write_atomic(AT_FDCWD, "exec", "", 0, 0666, FS_VOLATILE) < 0)
		return 2;
	proc_fd = proc_root_open("/proc");
	if (proc_fd < 0)
		return 3;
	if (lsm_set_apparmor_exec(proc_fd, "floe", &err) != -EPERM ||
	    !strstr(err.msg, "apply apparmor profile 'floe': refused"))
		return 4;
	if (lsm_set_selinux_exec(proc_fd, "a:b:c", &err) != -EPERM ||
	    !strstr(err.msg, "apply selinux label 'a:b:c': refused"))
		return 5;
	if (io_read_file_at(AT_FDCWD, "exec", 64, &text) < 0 || text.len != 0)
		return 6;
	/* A whole procfs that is none. */
	close(proc_fd);
	proc_fd = open("/tmp", O_PATH | O_DIRECTORY);
	if (lsm_set_apparmor_exec(proc_fd, "floe", &err) != -EPERM)
		return 7;
	return 0;
}

static int swallowed_without_openat2(void)
{
	kernel_features_disable(KERNEL_OPENAT2);
	return swallowed();
}

static void test_swallowed(void **state UNUSED)
{
	run_as_root(swallowed);
	run_as_root(swallowed_without_openat2);
}

/* The write itself reaches the kernel: without a module it says that there is none. */
static void test_no_module(void **state UNUSED)
{
	int proc_fd = proc_root_open("/proc");
	struct err err = ERR_INIT;

	assert_true(proc_fd >= 0);
	assert_int_equal(lsm_set_apparmor_exec(proc_fd, NULL, &err), 0);
	assert_int_equal(lsm_set_selinux_exec(proc_fd, "", &err), 0);
	if (!lsm_apparmor_is_enabled() && !lsm_selinux_is_enabled()) {
		assert_int_equal(lsm_set_apparmor_exec(proc_fd, "floe", &err), -EINVAL);
		assert_string_equal(err.msg, "apply apparmor profile 'floe': invalid argument");
	}
	close(proc_fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_check),
		cmocka_unit_test(test_swallowed),
		cmocka_unit_test(test_no_module),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
