/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/mountinfo.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char text[] =
	"21 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw,errors=remount-ro\n"
	"22 21 0:20 / /proc rw,nosuid,nodev,noexec - proc proc rw\n"
	"23 21 0:4 mnt:[4026531840] /run/ns/web rw shared:5 - nsfs nsfs rw\n"
	"24 21 0:30 /a\\040b /mnt/with\\040space\\011tab\\134back ro master:7 propagate_from:2 - "
	"tmpfs none rw,size=4k\n"
	"25 21 0:31 / /mnt rw unbindable - fuse.sshfs  rw\n"
	"26 21 0:32 / /mnt rw shared:8 master:9 someday:1 - overlay overlay rw,lowerdir=/l\\0541\n"
	"27 26 0:33 / /mnt/x rw - tmpfs tmpfs rw\n";

static void load(struct mountinfo *ret)
{
	assert_int_equal(mountinfo_parse(ret, text, strlen(text)), 0);
	assert_int_equal(ret->n, 7);
}

static void test_fields(void **state UNUSED)
{
	auto_mountinfo struct mountinfo m = MOUNTINFO_INIT;
	const struct mountinfo_entry *e;

	load(&m);
	e = &m.v[0];
	assert_int_equal(e->id, 21);
	assert_int_equal(e->parent_id, 1);
	assert_int_equal(e->major, 8);
	assert_int_equal(e->minor, 1);
	assert_int_equal(e->shared, 1);
	assert_int_equal(e->master, 0);
	assert_string_equal(e->options, "rw,relatime");
	assert_string_equal(e->fs_type, "ext4");
	assert_string_equal(e->source, "/dev/sda1");
	assert_string_equal(e->super_options, "rw,errors=remount-ro");
	assert_string_equal(m.v[2].root, "mnt:[4026531840]");
	e = &m.v[3];
	assert_string_equal(e->root, "/a b");
	assert_string_equal(e->mount_point, "/mnt/with space\ttab\\back");
	assert_int_equal(e->master, 7);
	assert_int_equal(e->propagate_from, 2);
	assert_false(e->unbindable);
	assert_true(m.v[4].unbindable);
	assert_string_equal(m.v[4].source, "");
	assert_int_equal(m.v[5].shared, 8);
	assert_int_equal(m.v[5].master, 9);
	assert_string_equal(m.v[5].super_options, "rw,lowerdir=/l,1");
}

static void test_find(void **state UNUSED)
{
	auto_mountinfo struct mountinfo m = MOUNTINFO_INIT;

	load(&m);
	assert_int_equal(mountinfo_find(&m, "/mnt")->id, 26);
	assert_null(mountinfo_find(&m, "/nowhere"));
	assert_int_equal(mountinfo_find_id(&m, 25)->id, 25);
	assert_null(mountinfo_find_id(&m, 1));
	assert_int_equal(mountinfo_find_containing(&m, "/mnt/y/z")->id, 26);
	assert_int_equal(mountinfo_find_containing(&m, "/mnt/x")->id, 27);
	assert_int_equal(mountinfo_find_containing(&m, "/mnt/xx")->id, 26);
	assert_int_equal(mountinfo_find_containing(&m, "/procfoo")->id, 21);
	assert_int_equal(mountinfo_find_containing(&m, "/")->id, 21);
}

static void test_list(void **state UNUSED)
{
	assert_true(mountinfo_list_has("rw,nosuid", "nosuid"));
	assert_true(mountinfo_list_has("rw,nosuid", "rw"));
	assert_false(mountinfo_list_has("rw,nosuid", "nosu"));
	assert_false(mountinfo_list_has("rw,nosuid", "suid"));
	assert_false(mountinfo_list_has("", "rw"));
	assert_false(mountinfo_list_has("rw", ""));
}

static void test_covered(void **state UNUSED)
{
	static const char mounts[] = "21 1 8:1 / / rw - ext4 /dev/sda1 rw\n"
				     "22 21 0:20 / /sys rw - sysfs sysfs rw\n"
				     "23 22 0:21 / /sys/fs/cgroup rw - tmpfs tmpfs rw\n"
				     "24 23 0:22 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n"
				     "25 23 0:23 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n"
				     "26 24 0:24 / /sys/fs/cgroup/unified rw - tmpfs hide rw\n"
				     "27 21 0:25 / /mnt/a/b rw - tmpfs deep rw\n"
				     "28 21 0:26 / /mnt/a rw - tmpfs later rw\n"
				     "29 21 0:27 / /opt rw - tmpfs opt rw\n"
				     "30 29 0:28 / /opt/x rw - tmpfs x rw\n"
				     "31 29 0:29 / /opt rw - tmpfs opt rw\n"
				     "32 31 0:30 / /opt/x rw - tmpfs x rw\n";
	static const int covered[] = { 24, 27, 29, 30 };
	auto_mountinfo struct mountinfo m = MOUNTINFO_INIT;
	size_t next = 0;

	assert_int_equal(mountinfo_parse(&m, mounts, strlen(mounts)), 0);
	for (size_t i = 0; i < m.n; i++) {
		bool expected = next < ARRAY_SIZE(covered) && m.v[i].id == covered[next];

		next += expected;
		if (mountinfo_is_covered(&m, &m.v[i]) != expected)
			fail_msg("mount %d", m.v[i].id);
	}
}

static void test_malformed(void **state UNUSED)
{
	static const char *const lines[] = {
		"21 1 8:1 / / rw",
		"21 1 8:1 / / rw shared:1",
		"21 1 8:1 / / rw - ext4 /dev/sda1",
		"x 1 8:1 / / rw - ext4 /dev/sda1 rw",
		"21 -1 8:1 / / rw - ext4 /dev/sda1 rw",
		"21 1 8 / / rw - ext4 /dev/sda1 rw",
		"21 1 8:1 / / rw shared:x - ext4 /dev/sda1 rw",
		"99999999999 1 8:1 / / rw - ext4 /dev/sda1 rw",
		"\n",
	};
	struct mountinfo m = MOUNTINFO_INIT;

	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		assert_int_equal(mountinfo_parse(&m, lines[i], strlen(lines[i])), -EBADMSG);
	assert_int_equal(mountinfo_parse(&m, "a\0b", 3), -EBADMSG);
	assert_int_equal(mountinfo_parse(&m, "", 0), 0);
	assert_int_equal(m.n, 0);
	mountinfo_done(&m);
}

static void test_own(void **state UNUSED)
{
	auto_mountinfo struct mountinfo m = MOUNTINFO_INIT;

	assert_int_equal(mountinfo_read(&m, AT_FDCWD, "/proc/self/mountinfo"), 0);
	assert_non_null(mountinfo_find(&m, "/"));
	assert_int_equal(mountinfo_read(&m, AT_FDCWD, "/proc/self/none"), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fields), cmocka_unit_test(test_find),
		cmocka_unit_test(test_list),   cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_own),    cmocka_unit_test(test_covered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
