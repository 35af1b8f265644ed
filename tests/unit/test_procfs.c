/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/procfs.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/fs.h"

static void test_stat_parse(void **state UNUSED)
{
	static const char text[] =
		"42 (a) R 1 (b) x) S 7 42 41 34816 42 4194560 100 0 0 0 1 2 0 0 20 0 1 0 987654321 "
		"1000 200 18446744073709551615\n";
	static const char *const bad[] = {
		"",
		"42",
		"42 (a",
		"42 (a)",
		"(a) S 1 1 1",
		"42 (a) S 1 1",
		"x (a) S 1 1 1",
		"42 (a) S 7 42 41 34816 42 4194560 100 0 0 0 1 2 0 0 20 0 1 0 x 1\n",
	};
	struct procfs_stat stat;

	assert_int_equal(procfs_stat_parse(&stat, text), 0);
	assert_int_equal(stat.pid, 42);
	assert_string_equal(stat.comm, "a) R 1 (b) x");
	assert_int_equal(stat.state, 'S');
	assert_int_equal(stat.ppid, 7);
	assert_int_equal(stat.pgrp, 42);
	assert_int_equal(stat.session, 41);
	assert_int_equal(stat.start_time, 987654321);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_true(procfs_stat_parse(&stat, bad[i]) < 0);
}

static void test_alive(void **state UNUSED)
{
	auto_procfs struct procfs proc = PROCFS_INIT;
	struct procfs_stat stat;
	siginfo_t info;
	pid_t pid = fork();

	if (pid == 0) {
		pause();
		_exit(0);
	}
	assert_int_equal(procfs_open(&proc, NULL), 0);
	assert_int_equal(procfs_read_stat(&proc, pid, &stat), 0);
	assert_int_equal(stat.pid, pid);
	assert_int_equal(stat.ppid, getpid());
	assert_true(procfs_process_is_alive(&proc, pid, stat.start_time));
	assert_true(procfs_process_is_alive(&proc, pid, 0));
	assert_false(procfs_process_is_alive(&proc, pid, stat.start_time + 1));
	assert_false(procfs_process_is_alive(&proc, 0, 0));
	assert_int_equal(kill(pid, SIGKILL), 0);
	/* A zombie has its number still, and is dead. */
	assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	assert_false(procfs_process_is_alive(&proc, pid, stat.start_time));
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_false(procfs_process_is_alive(&proc, pid, stat.start_time));
}

static void test_status(void **state UNUSED)
{
	auto_procfs struct procfs proc = PROCFS_INIT;
	auto_free char *pid = NULL;
	char expected[16];

	assert_int_equal(procfs_open(&proc, NULL), 0);
	(void)snprintf(expected, sizeof(expected), "%d", (int)getpid());
	pid = procfs_status_field(&proc, 0, "Pid");
	assert_string_equal(pid, expected);
	assert_null(procfs_status_field(&proc, 0, "Pi"));
	assert_int_equal(errno, ENODATA);
}

static void test_cgroups(void **state UNUSED)
{
	static const char text[] = "5:cpu,cpuacct:/a:b\n1:name=systemd:/user.slice\n0::/c\n";
	auto_procfs_cgroups struct procfs_cgroups cgroups = PROCFS_CGROUPS_INIT;
	struct procfs_cgroups none = PROCFS_CGROUPS_INIT;

	assert_int_equal(procfs_cgroups_parse(&cgroups, text, strlen(text)), 0);
	assert_int_equal(cgroups.n, 3);
	assert_string_equal(procfs_cgroups_find(&cgroups, "cpuacct")->path, "/a:b");
	assert_string_equal(procfs_cgroups_find(&cgroups, "name=systemd")->path, "/user.slice");
	assert_string_equal(procfs_cgroups_find(&cgroups, "")->path, "/c");
	assert_null(procfs_cgroups_find(&cgroups, "memory"));
	assert_true(procfs_cgroups_parse(&none, "5:cpu\n", 6) < 0);
	assert_true(procfs_cgroups_parse(&none, "x:cpu:/\n", 8) < 0);
	assert_true(procfs_cgroups_parse(&none, "5:cpu:a\n", 8) < 0);
}

/* A directory in the place of procfs is only taken when a test asks for it. */
static void test_prefix(void **state UNUSED)
{
	auto_procfs struct procfs proc = PROCFS_INIT;
	char dir[] = "/tmp/floe-test-XXXXXX";
	char path[64];

	assert_non_null(mkdtemp(dir));
	assert_int_equal(procfs_open(&proc, dir), -ENOENT);
	(void)snprintf(path, sizeof(path), "%s/proc/7", dir);
	assert_int_equal(fs_mkdir_all(AT_FDCWD, path, 0755, 0755), 0);
	assert_int_equal(procfs_open(&proc, dir), 0);
	assert_false(procfs_process_is_alive(&proc, 7, 0));
	assert_int_equal(fs_remove_tree(AT_FDCWD, dir), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stat_parse), cmocka_unit_test(test_alive),
		cmocka_unit_test(test_status),	   cmocka_unit_test(test_cgroups),
		cmocka_unit_test(test_prefix),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
