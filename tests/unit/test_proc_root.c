/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/proc_root.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "kernel/syscalls.h"
#include "in_child.h"

static void test_only_a_procfs_root(void **state UNUSED)
{
	int fd = proc_root_open("/proc");

	assert_true(fd >= 0);
	assert_int_equal(proc_root_check(fd), 0);
	close(fd);
	assert_int_equal(proc_root_open("/tmp"), -EXDEV);
	assert_int_equal(proc_root_open("/proc/self"), -ENOTDIR); /* a symlink */
	assert_int_equal(proc_root_open("/proc/sys"), -EXDEV);
	assert_int_equal(proc_root_open("/proc/version"), -ENOTDIR);
	assert_int_equal(proc_root_open("/nonexistent"), -ENOENT);
}

static void check_paths(void)
{
	int proc_fd = proc_root_open("/proc");
	char text[64] = "";
	int fd;

	assert_true(proc_fd >= 0);
	fd = proc_root_openat(proc_fd, "sys/kernel/ostype", O_RDONLY);
	assert_true(fd >= 0);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	assert_int_equal(read(fd, text, sizeof(text)), 6);
	assert_string_equal(text, "Linux\n");
	close(fd);
	fd = proc_root_openat(proc_fd, "self/comm", O_RDONLY);
	assert_true(fd >= 0);
	close(fd);
	fd = proc_root_openat(proc_fd, "thread-self/attr", O_PATH);
	assert_true(fd >= 0);
	close(fd);
	fd = proc_root_openat(proc_fd, "version", O_RDONLY);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(proc_root_openat(proc_fd, "self/root/etc", O_PATH), -ELOOP);
	assert_int_equal(proc_root_openat(proc_fd, "self/exe", O_PATH), -ELOOP);
	assert_int_equal(proc_root_openat(proc_fd, "mounts", O_RDONLY), -ELOOP);
	assert_int_equal(proc_root_openat(proc_fd, "sys/../version", O_RDONLY), -EINVAL);
	assert_int_equal(proc_root_openat(proc_fd, "../etc/passwd", O_RDONLY), -EINVAL);
	assert_int_equal(proc_root_openat(proc_fd, "/proc/version", O_RDONLY), -EINVAL);
	assert_int_equal(proc_root_openat(proc_fd, "sys//kernel", O_PATH), -EINVAL);
	assert_int_equal(proc_root_openat(proc_fd, "sys/", O_PATH), -EINVAL);
	assert_int_equal(proc_root_openat(proc_fd, "", O_PATH), -EINVAL);
	assert_int_equal(proc_root_openat(proc_fd, "sys/nonexistent", O_PATH), -ENOENT);
	close(proc_fd);
}

static void test_paths(void **state UNUSED)
{
	check_paths();
}

/* What an image or a mount could have put in the way. */
static int with_mounts(void)
{
	int proc_fd;

	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_PRIVATE | MS_REC, NULL) < 0)
		return 1;
	if (mount("/dev/null", "/proc/sys/kernel/ostype", NULL, MS_BIND, NULL) < 0 ||
	    mount("/proc/version", "/proc/cpuinfo", NULL, MS_BIND, NULL) < 0 ||
	    mount("/proc/sys/net", "/proc/sys/fs", NULL, MS_BIND, NULL) < 0 ||
	    mount("tmpfs", "/proc/irq", "tmpfs", 0, NULL) < 0)
		return 2;
	proc_fd = proc_root_open("/proc");
	if (proc_fd < 0)
		return 3;
	if (proc_root_openat(proc_fd, "sys/kernel/ostype", O_RDONLY) != -EXDEV)
		return 4;
	/* Another file of the same procfs: not another device, but another mount. */
	if (proc_root_openat(proc_fd, "cpuinfo", O_RDONLY) != -EXDEV)
		return 5;
	if (proc_root_openat(proc_fd, "sys/fs/core", O_PATH) != -EXDEV)
		return 6;
	if (proc_root_write(proc_fd, "sys/kernel/ostype", "x") != -EXDEV)
		return 7;
	if (mount("tmpfs", "/proc", "tmpfs", 0, NULL) < 0)
		return 8;
	if (proc_root_open("/proc") != -EXDEV)
		return 9;
	return 0;
}

static int with_mounts_and_no_openat2(void)
{
	kernel_features_disable(KERNEL_OPENAT2);
	return with_mounts();
}

static void test_mounts_in_the_way(void **state UNUSED)
{
	run_as_root(with_mounts);
	run_as_root(with_mounts_and_no_openat2);
}

static void test_without_openat2(void **state UNUSED)
{
	kernel_features_disable(KERNEL_OPENAT2);
	check_paths();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_only_a_procfs_root), cmocka_unit_test(test_paths),
		cmocka_unit_test(test_mounts_in_the_way),
		cmocka_unit_test(test_without_openat2), /* last: it stays switched off */
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
