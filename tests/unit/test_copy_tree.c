/* SPDX-License-Identifier: Apache-2.0 */
/* What a copied file keeps. */
#include "engine/copy_tree.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/alloc.h"
#include "core/fd.h"
#include "core/fs.h"

#define CAPABILITY "security.capability"

/* Version 2 (linux/capability.h): cap_net_raw, permitted and effective. */
static const uint8_t net_raw[20] = { 1, 0, 0, 2, 0, 32 };
static const char template[] = "/tmp/floe-test-copy-XXXXXX";
static char base[sizeof(template)];
static int base_fd = -EBADF;

static int set_up(void **state UNUSED)
{
	memcpy(base, template, sizeof(base));
	base_fd = mkdtemp(base) ? fd_open_at(AT_FDCWD, base, O_RDONLY | O_DIRECTORY, 0) : -1;
	if (base_fd < 0 || mkdirat(base_fd, "from", 0755) < 0 || mkdirat(base_fd, "to", 0755) < 0)
		return -1;
	return 0;
}

static int tear_down(void **state UNUSED)
{
	close_fd(&base_fd);
	return fs_remove_tree(AT_FDCWD, base);
}

static void copy(void)
{
	auto_close int from = fd_open_at(base_fd, "from", O_PATH | O_DIRECTORY, 0);
	auto_close int to = fd_open_at(base_fd, "to", O_PATH | O_DIRECTORY, 0);

	assert_true(from >= 0 && to >= 0);
	assert_int_equal(copy_tree(from, to), 0);
}

static void test_capabilities(void **state UNUSED)
{
	auto_close int fd = fd_open_at(base_fd, "from/ping", O_WRONLY | O_CREAT, 0600);
	auto_free char *copied = xasprintf("%s/to/ping", base);
	auto_free char *again = xasprintf("%s/to/again", base);
	uint8_t value[sizeof(net_raw)] = { 0 };
	struct stat st;
	struct stat link_st;

	assert_true(fd >= 0);
	if (geteuid() != 0)
		skip();
	assert_int_equal(fchown(fd, 12, 34), 0);
	assert_int_equal(fchmod(fd, 04755), 0);
	/* Not every file system has attributes. */
	if (fsetxattr(fd, CAPABILITY, net_raw, sizeof(net_raw), 0) < 0)
		skip();
	assert_int_equal(linkat(base_fd, "from/ping", base_fd, "from/again", 0), 0);
	copy();
	assert_int_equal(stat(copied, &st), 0);
	assert_int_equal(st.st_mode & 07777, 04755);
	assert_int_equal(st.st_uid, 12);
	assert_int_equal(st.st_gid, 34);
	assert_int_equal(getxattr(copied, CAPABILITY, value, sizeof(value)), sizeof(value));
	assert_memory_equal(value, net_raw, sizeof(value));
	assert_int_equal(stat(again, &link_st), 0);
	assert_true(fs_is_same_file(&st, &link_st));
}

static void test_pipe(void **state UNUSED)
{
	struct stat st;
	mode_t mask;

	assert_int_equal(mkfifoat(base_fd, "from/pipe", 0600), 0);
	assert_int_equal(fchmodat(base_fd, "from/pipe", 0666, 0), 0);
	mask = umask(077);
	copy();
	(void)umask(mask);
	assert_int_equal(fstatat(base_fd, "to/pipe", &st, AT_SYMLINK_NOFOLLOW), 0);
	assert_int_equal(st.st_mode, S_IFIFO | 0666);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_capabilities, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_pipe, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
