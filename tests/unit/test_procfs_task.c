/* SPDX-License-Identifier: Apache-2.0 */
/* procfs_task, procfs_fdinfo and procfs_maps. */
#include "kernel/procfs_task.h"

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
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "kernel/procfs_fdinfo.h"
#include "kernel/procfs_maps.h"

static void test_fdinfo_file(void **state UNUSED)
{
	static const char text[] = "pos:\t10\nflags:\t02100002\nmnt_id:\t31\nino:\t77\n"
				   "lock:\t1: FLOCK  ADVISORY  WRITE 42 fe:00:77 0 EOF\n"
				   "lock:\t2: POSIX  ADVISORY  READ 42 fe:00:77 0 5\n";
	auto_procfs_fdinfo struct procfs_fdinfo info = PROCFS_FDINFO_INIT;

	assert_int_equal(procfs_fdinfo_parse(&info, text), 0);
	assert_int_equal(info.flags, 02100002);
	assert_int_equal(info.mnt_id, 31);
	assert_int_equal(info.n_locks, 2);
	assert_string_equal(info.lock, "FLOCK ADVISORY WRITE");
	assert_int_equal(info.n_watches, 0);
	assert_int_equal(info.pid, -1);
	assert_null(info.tun_device);
}

static void test_fdinfo_watches(void **state UNUSED)
{
	static const char text[] =
		"pos:\t0\nflags:\t00\nmnt_id:\t15\n"
		"inotify wd:2 ino:a75dc1 sdev:5a mask:fff ignored_mask:0 fhandle-bytes:8 "
		"fhandle-type:1 f_handle:c15da700ca2b1be4\n"
		"inotify wd:1 ino:1 sdev:1600003 mask:fff ignored_mask:0 \n";
	auto_procfs_fdinfo struct procfs_fdinfo info = PROCFS_FDINFO_INIT;
	const struct procfs_watch *w;

	assert_int_equal(procfs_fdinfo_parse(&info, text), 0);
	assert_int_equal(info.n_watches, 2);
	w = &info.watches[0];
	assert_false(w->of_mount || w->of_file_system);
	assert_int_equal(w->major, 0);
	assert_int_equal(w->minor, 0x5a);
	assert_int_equal(w->ino, 0xa75dc1);
	assert_int_equal(w->handle_type, 1);
	assert_int_equal(w->handle_len, 8);
	assert_memory_equal(w->handle, "\xc1\x5d\xa7\x00\xca\x2b\x1b\xe4", 8);
	w = &info.watches[1];
	assert_int_equal(w->major, 0x16);
	assert_int_equal(w->minor, 3);
	assert_int_equal(w->handle_len, 0);
}

static void test_fdinfo_marks(void **state UNUSED)
{
	static const char text[] =
		"pos:\t0\nflags:\t02\nmnt_id:\t15\nino:\t3\n"
		"fanotify flags:0 event-flags:0\n"
		"fanotify mnt_id:1c mflags:0 mask:20 ignored_mask:0\n"
		"fanotify sdev:1600003 mflags:0 mask:20 ignored_mask:0\n"
		"fanotify ino:9 sdev:5a mflags:0 mask:20 ignored_mask:0 fhandle-bytes:4 "
		"fhandle-type:fe f_handle:01020304\n";
	auto_procfs_fdinfo struct procfs_fdinfo info = PROCFS_FDINFO_INIT;

	assert_int_equal(procfs_fdinfo_parse(&info, text), 0);
	assert_int_equal(info.n_watches, 3);
	assert_true(info.watches[0].of_mount);
	assert_int_equal(info.watches[0].mnt_id, 0x1c);
	assert_true(info.watches[1].of_file_system);
	assert_int_equal(info.watches[1].major, 0x16);
	assert_int_equal(info.watches[2].ino, 9);
	assert_int_equal(info.watches[2].handle_len, 4);
}

static void test_fdinfo_other(void **state UNUSED)
{
	static const char *const bad[] = {
		"flags:\t9\n",		 "flags:\tx\n", "mnt_id:\t\n", "mnt_id:\t99999999999\n",
		"inotify wd:1 mask:2\n",
	};
	auto_procfs_fdinfo struct procfs_fdinfo info = PROCFS_FDINFO_INIT;

	assert_int_equal(procfs_fdinfo_parse(&info, "flags:\t02000002\nPid:\t42\nNSpid:\t42\t1\n"),
			 0);
	assert_int_equal(info.pid, 42);
	procfs_fdinfo_done(&info);
	assert_int_equal(procfs_fdinfo_parse(&info, "flags:\t02\niff:\ttun7\n"), 0);
	assert_string_equal(info.tun_device, "tun7");
	procfs_fdinfo_done(&info);
	assert_int_equal(procfs_fdinfo_parse(&info, "iff:\t\n"), 0);
	assert_null(info.tun_device);
	/* A handle longer than its text, or than any handle, is none. */
	assert_int_equal(procfs_fdinfo_parse(&info, "inotify wd:1 ino:1 sdev:1 fhandle-bytes:8 "
						    "fhandle-type:1 f_handle:0102\n"
						    "inotify wd:2 ino:1 sdev:1 fhandle-bytes:fffff "
						    "fhandle-type:1 f_handle:0102\n"),
			 0);
	assert_int_equal(info.watches[0].handle_len, 0);
	assert_int_equal(info.watches[1].handle_len, 0);
	procfs_fdinfo_done(&info);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(procfs_fdinfo_parse(&info, bad[i]), -EBADMSG);
}

/* What the kernel writes is understood. */
static void test_fdinfo_real(void **state UNUSED)
{
	char name[] = "/tmp/floe-test-fdinfo-XXXXXX";
	int fd = mkostemp(name, O_CLOEXEC);
	int inotify = inotify_init1(IN_CLOEXEC);
	auto_procfs struct procfs proc = PROCFS_INIT;
	auto_procfs_task struct procfs_task task = PROCFS_TASK_INIT;
	auto_procfs_fdinfo struct procfs_fdinfo info = PROCFS_FDINFO_INIT;
	char path[32];

	assert_true(fd >= 0 && inotify >= 0);
	assert_int_equal(flock(fd, LOCK_SH), 0);
	assert_true(inotify_add_watch(inotify, name, IN_OPEN) > 0);
	assert_int_equal(procfs_open(&proc, NULL), 0);
	assert_int_equal(procfs_task_open(&task, &proc, getpid()), 0);
	(void)snprintf(path, sizeof(path), "fdinfo/%d", fd);
	assert_int_equal(procfs_fdinfo_read(&info, task.fd, path), 0);
	assert_int_equal(info.flags & O_ACCMODE, O_RDWR);
	assert_true(info.mnt_id > 0);
	assert_string_equal(info.lock, "FLOCK ADVISORY READ");
	procfs_fdinfo_done(&info);
	(void)snprintf(path, sizeof(path), "fdinfo/%d", inotify);
	assert_int_equal(procfs_fdinfo_read(&info, task.fd, path), 0);
	assert_int_equal(info.n_watches, 1);
	assert_true(info.watches[0].ino > 0);
	assert_int_equal(unlink(name), 0);
	close(fd);
	close(inotify);
}

static void test_maps(void **state UNUSED)
{
	char text[] =
		"00400000-00401000 r-xp 00001000 fe:00 1234                       /usr/bin/a b\n"
		"7f00-7f01 rw-s 00000000 00:01 0 \n"
		"7ffe0000-7fff0000 rw-p 00000000 00:00 0                          [stack]\n";
	char *cursor = text;
	struct procfs_mapping m;

	assert_int_equal(procfs_maps_next(&cursor, &m), 1);
	assert_true(m.start == 0x400000 && m.end == 0x401000 && m.offset == 0x1000);
	assert_true(m.readable && !m.writable && m.executable && !m.shared);
	assert_int_equal(m.major, 0xfe);
	assert_int_equal(m.minor, 0);
	assert_int_equal(m.ino, 1234);
	assert_string_equal(m.path, "/usr/bin/a b");
	assert_int_equal(procfs_maps_next(&cursor, &m), 1);
	assert_true(m.shared && m.writable);
	assert_string_equal(m.path, "");
	assert_int_equal(procfs_maps_next(&cursor, &m), 1);
	assert_string_equal(m.path, "[stack]");
	assert_int_equal(procfs_maps_next(&cursor, &m), 0);
}

static void test_maps_bad(void **state UNUSED)
{
	static const char *const bad[] = {
		"x",
		"1-2 rwxp 0 0:0",
		"1-2 rwx 0 0:0 0",
		"1 rwxp 0 0:0 0",
		"1-2 rwxp 0 00 0",
		"1-2 rwxp g 0:0 0",
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		char text[64];
		char *cursor = text;
		struct procfs_mapping m;

		(void)snprintf(text, sizeof(text), "%s\n", bad[i]);
		assert_int_equal(procfs_maps_next(&cursor, &m), -EBADMSG);
	}
}

static void test_memory(void **state UNUSED)
{
	static const char text[] = "00400000-7ffea36ce000 ---p 00000000 00:00 0    [rollup]\n"
				   "Rss:                 772 kB\n"
				   "Anonymous:            56 kB\n"
				   "AnonHugePages:         1 kB\n"
				   "Private_Hugetlb:    2048 kB\n"
				   "Swap:                  4 kB\n"
				   "SwapPss:               1 kB\n";
	struct procfs_memory memory;

	assert_int_equal(procfs_memory_parse(&memory, text), 0);
	assert_int_equal(memory.anonymous, 56 * 1024);
	assert_int_equal(memory.private_hugetlb, 2048 * 1024);
	assert_int_equal(memory.swap, 4 * 1024);
	assert_int_equal(procfs_memory_parse(&memory, "Anonymous:  5 kB\n"), 0);
	assert_int_equal(memory.swap, 0);
	assert_int_equal(procfs_memory_parse(&memory, ""), -ENODATA);
	assert_int_equal(procfs_memory_parse(&memory, "Anonymous:  x kB\n"), -ENODATA);
}

static bool has_number(const struct procfs_numbers *numbers, int number)
{
	for (size_t i = 0; i < numbers->n; i++)
		if (numbers->v[i] == number)
			return true;
	return false;
}

static void test_task(void **state UNUSED)
{
	auto_procfs struct procfs proc = PROCFS_INIT;
	auto_procfs_task struct procfs_task self = PROCFS_TASK_INIT;
	auto_procfs_task struct procfs_task task = PROCFS_TASK_INIT;
	auto_procfs_numbers struct procfs_numbers numbers = PROCFS_NUMBERS_INIT;
	auto_procfs_numbers struct procfs_numbers children = PROCFS_NUMBERS_INIT;
	struct procfs_stat stat;
	uint64_t ns = 0;
	auto_free char *root = NULL;
	pid_t child = fork();

	if (child == 0) {
		for (;;)
			(void)pause();
	}
	assert_true(child > 0);
	assert_int_equal(procfs_open(&proc, NULL), 0);
	assert_int_equal(procfs_task_open(&self, &proc, getpid()), 0);
	assert_int_equal(procfs_task_open(&task, &proc, child), 0);
	assert_int_equal(procfs_task_read_stat(&task, &stat), 0);
	assert_int_equal(stat.ppid, getpid());
	assert_int_equal(procfs_task_namespace(&task, "pid", &ns), 0);
	assert_true(ns > 0);
	assert_int_equal(procfs_task_namespace(&task, "none", &ns), -ENOENT);
	root = procfs_task_readlink(&task, "root");
	assert_non_null(root);
	assert_int_equal(procfs_task_list(&task, "fd", &numbers), 0);
	assert_true(has_number(&numbers, 1));
	assert_int_equal(procfs_task_children(&self, &children), 0);
	assert_true(has_number(&children, child));

	/* Gone for good, whoever has the number next. */
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitpid(child, NULL, 0), child);
	assert_true(procfs_task_is_gone(procfs_task_read_stat(&task, &stat)));
	assert_true(procfs_task_is_gone(procfs_task_list(&task, "fd", &numbers)));
	assert_null(procfs_task_readlink(&task, "root"));
	assert_true(procfs_task_open(&task, &proc, child) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fdinfo_file),  cmocka_unit_test(test_fdinfo_watches),
		cmocka_unit_test(test_fdinfo_marks), cmocka_unit_test(test_fdinfo_other),
		cmocka_unit_test(test_fdinfo_real),  cmocka_unit_test(test_maps),
		cmocka_unit_test(test_maps_bad),     cmocka_unit_test(test_memory),
		cmocka_unit_test(test_task),
	};

	return cmocka_run_group_tests_name("procfs_task", tests, NULL, NULL);
}
