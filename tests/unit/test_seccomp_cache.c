/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/seccomp/cache.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/alloc.h"
#include "core/fs.h"
#include "core/io.h"

static char dir[] = "/tmp/floe-test-XXXXXX";
static int root_fd;

static char *call_names[] = { (char[]){ "mkdir" } };
static struct oci_seccomp_syscall entry = {
	.names = call_names,
	.n_names = 1,
	.action = (char[]){ "SCMP_ACT_ERRNO" },
};
static struct oci_seccomp profile = {
	.default_action = (char[]){ "SCMP_ACT_ALLOW" },
	.syscalls = &entry,
	.n_syscalls = 1,
};

static int set_up(void **state UNUSED)
{
	assert_non_null(mkdtemp(dir));
	assert_int_equal(chdir(dir), 0);
	root_fd = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	return root_fd < 0;
}

static int tear_down(void **state UNUSED)
{
	close(root_fd);
	assert_int_equal(chdir("/"), 0);
	return fs_remove_tree(-1, dir);
}

static int clear(void **state UNUSED)
{
	return fs_remove_tree(root_fd, ".cache");
}

static char *entry_path(void)
{
	auto_free char *name = seccomp_cache_name(&profile);

	return xasprintf(".cache/seccomp/%s", name);
}

/* The filter as the cache gives it must be what compiling gives. */
static void get_and_compare(void)
{
	struct seccomp_filter got = SECCOMP_FILTER_INIT;
	struct seccomp_filter want = SECCOMP_FILTER_INIT;
	struct err err = ERR_INIT;

	assert_int_equal(seccomp_filter_compile(&want, &profile, &err), 0);
	assert_int_equal(seccomp_filter_get(&got, &profile, root_fd, &err), 0);
	assert_int_equal(got.n_insns, want.n_insns);
	assert_memory_equal(got.insns, want.insns, want.n_insns * sizeof(*want.insns));
	assert_int_equal(got.flags, want.flags);
	assert_int_equal(got.optional_flags, want.optional_flags);
	assert_int_equal(got.notifies, want.notifies);
	seccomp_filter_done(&got);
	seccomp_filter_done(&want);
}

static ino_t inode_of(const char *path)
{
	struct stat st;

	assert_int_equal(lstat(path, &st), 0);
	return st.st_ino;
}

static void test_kept_and_used(void **state UNUSED)
{
	auto_free char *path = entry_path();
	struct stat st;
	ino_t inode;

	get_and_compare();
	assert_int_equal(stat(".cache/seccomp", &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	inode = st.st_ino;
	get_and_compare();
	assert_int_equal(inode_of(path), inode);
}

/* Change the entry with fn; it must be compiled again, rightly, and replaced. */
static void check_replaced(void (*fn)(const char *path))
{
	auto_free char *path = entry_path();
	struct stat st;
	ino_t inode;

	assert_int_equal(fs_remove_tree(root_fd, ".cache"), 0);
	get_and_compare();
	inode = inode_of(path);
	fn(path);
	get_and_compare();
	assert_int_equal(lstat(path, &st), 0);
	assert_true(S_ISREG(st.st_mode) && st.st_nlink == 1 && (st.st_mode & 07777) == 0600);
	assert_true(st.st_ino != inode);
	get_and_compare();
}

static void flip_last_byte(const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	struct stat st;
	char byte;

	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(pread(fd, &byte, 1, st.st_size - 2), 1);
	byte ^= 1;
	assert_int_equal(pwrite(fd, &byte, 1, st.st_size - 2), 1);
	close(fd);
}

static void flip_key_byte(const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);

	assert_int_equal(pwrite(fd, "S", 1, 24), 1); /* "seccomp filter ..." */
	close(fd);
}

static void cut(const char *path)
{
	assert_int_equal(truncate(path, 200), 0);
}

static void empty(const char *path)
{
	assert_int_equal(truncate(path, 0), 0);
}

static void lengthen(const char *path)
{
	assert_int_equal(truncate(path, 1 << 20), 0);
}

static void open_to_all(const char *path)
{
	assert_int_equal(chmod(path, 0644), 0);
}

static void give_away(const char *path)
{
	assert_int_equal(chown(path, 4711, 4711), 0);
}

static void second_link(const char *path)
{
	(void)unlink("other");
	assert_int_equal(link(path, "other"), 0);
}

static void make_symlink(const char *path)
{
	assert_int_equal(rename(path, "other"), 0);
	assert_int_equal(symlink("../../other", path), 0);
}

static void make_fifo(const char *path)
{
	/* Not unlinked: another file could get its inode number, which is to be seen to change. */
	assert_int_equal(rename(path, "other"), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
}

static void test_damaged_or_foreign(void **state UNUSED)
{
	check_replaced(flip_last_byte);
	check_replaced(flip_key_byte);
	check_replaced(cut);
	check_replaced(empty);
	check_replaced(lengthen);
	check_replaced(open_to_all);
	check_replaced(second_link);
	check_replaced(make_symlink);
	check_replaced(make_fifo);
	if (geteuid() == 0)
		check_replaced(give_away);
}

/* Another profile's filter under our name: as if the hashes were the same. */
static void test_collision(void **state UNUSED)
{
	auto_free char *path = entry_path();
	auto_free char *other = NULL;

	call_names[0][0] = 'r'; /* rkdir: unknown, so that the filter allows all */
	other = entry_path();
	get_and_compare();
	assert_string_not_equal(path, other);
	assert_int_equal(rename(other, path), 0);
	call_names[0][0] = 'm';
	get_and_compare();
}

static void test_private_directory_only(void **state UNUSED)
{
	auto_free char *path = entry_path();

	assert_int_equal(mkdir(".cache", 0700), 0);
	assert_int_equal(mkdir(".cache/seccomp", 0777), 0);
	assert_int_equal(chmod(".cache/seccomp", 0777), 0);
	get_and_compare();
	assert_false(fs_exists(root_fd, path));
	assert_int_equal(rmdir(".cache/seccomp"), 0);
	assert_int_equal(symlink("/tmp", ".cache/seccomp"), 0);
	get_and_compare();
	assert_false(fs_exists(root_fd, path));
}

static size_t count(void)
{
	DIR *d = opendir(".cache/seccomp");
	size_t n = 0;

	while (d && readdir(d))
		n++;
	closedir(d);
	return n - 2;
}

static void test_bounded(void **state UNUSED)
{
	auto_free char *first = NULL;

	for (int i = 0; i < SECCOMP_CACHE_ENTRIES + 10; i++) {
		auto_free char *path = NULL;

		entry.errno_ret = (struct opt_u32){ true, (uint32_t)i + 1 };
		path = entry_path();
		get_and_compare();
		assert_true(fs_exists(root_fd, path));
		if (i == 0) {
			const struct timespec old[2] = { { 1, 0 }, { 1, 0 } };

			first = take_ptr(path);
			assert_int_equal(utimensat(-100, first, old, 0), 0);
		}
		assert_true(count() <= SECCOMP_CACHE_ENTRIES);
	}
	assert_int_equal(count(), SECCOMP_CACHE_ENTRIES);
	assert_false(fs_exists(root_fd, first));
	entry.errno_ret.set = false;
}

static void test_no_cache(void **state UNUSED)
{
	struct seccomp_filter got = SECCOMP_FILTER_INIT;

	assert_int_equal(seccomp_filter_get(&got, &profile, -1, NULL), 0);
	assert_true(got.n_insns > 0);
	seccomp_filter_done(&got);
	assert_false(fs_exists(root_fd, ".cache"));
	/* Somewhere we cannot write. */
	if (geteuid() != 0) {
		assert_int_equal(chmod(".", 0500), 0);
		get_and_compare();
		assert_int_equal(chmod(".", 0700), 0);
	}
}

/* What is no part of the program is not in the key, and is always the profile's own. */
static void test_flags_are_not_cached(void **state UNUSED)
{
	auto_free char *with = NULL;
	auto_free char *without = entry_path();
	char *flags[] = { (char[]){ "SECCOMP_FILTER_FLAG_LOG" } };

	get_and_compare();
	profile.flags = flags;
	profile.n_flags = 1;
	with = entry_path();
	assert_string_equal(with, without);
	get_and_compare();
	profile.flags = NULL;
	profile.n_flags = 0;
	entry.action = (char[]){ "SCMP_ACT_BAD" };
	assert_int_equal(seccomp_filter_get(&(struct seccomp_filter){ 0 }, &profile, root_fd, NULL),
			 -EINVAL);
	entry.action = (char[]){ "SCMP_ACT_ERRNO" };
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_kept_and_used, clear),
		cmocka_unit_test_teardown(test_damaged_or_foreign, clear),
		cmocka_unit_test_teardown(test_collision, clear),
		cmocka_unit_test_teardown(test_private_directory_only, clear),
		cmocka_unit_test_teardown(test_bounded, clear),
		cmocka_unit_test_teardown(test_no_cache, clear),
		cmocka_unit_test_teardown(test_flags_are_not_cached, clear),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
