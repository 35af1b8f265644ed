/* SPDX-License-Identifier: Apache-2.0 */
/* linux.intelRdt on a tree that looks like resctrl. */
#include "runtime/resctrl.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/alloc.h"
#include "core/fd.h"
#include "core/fs.h"
#include "core/io.h"
#include "core/path.h"
#include "core/str.h"

#define MOUNTED "20 1 0:20 / /sys/fs/resctrl rw,relatime shared:9 - resctrl resctrl rw\n"

struct fixture {
	char prefix[64];
	struct err err;
};

static void put(const struct fixture *f, const char *path, const char *text)
{
	auto_free char *full = path_join(f->prefix, path);
	auto_free char *dir = path_dirname(full);

	assert_int_equal(fs_mkdir_all(AT_FDCWD, dir, 0755, 0755), 0);
	if (text)
		assert_int_equal(
			fs_write_atomic(AT_FDCWD, full, text, strlen(text), 0644, FS_VOLATILE), 0);
}

static void check_file(const struct fixture *f, const char *path, const char *expected)
{
	auto_free char *full = path_join(f->prefix, path);
	auto_strbuf struct strbuf text = STRBUF_INIT;
	int r = io_read_file_at(AT_FDCWD, full, 4096, &text);

	if (!expected) {
		assert_int_equal(r, -ENOENT);
		return;
	}
	assert_int_equal(r, 0);
	assert_string_equal(text.buf, expected);
}

static bool exists(const struct fixture *f, const char *path)
{
	auto_free char *full = path_join(f->prefix, path);

	return fs_exists(AT_FDCWD, full);
}

static int setup(void **state)
{
	static struct fixture f;

	f = (struct fixture){ .prefix = "/tmp/floe-resctrl.XXXXXX", .err = ERR_INIT };
	if (!mkdtemp(f.prefix))
		return -1;
	put(&f, "/proc/self/mountinfo", "1 0 8:1 / / rw - ext4 /dev/sda1 rw\n" MOUNTED);
	put(&f, "/sys/fs/resctrl/schemata", "    L3:0=fffff;1=fffff\n    MB:0=100;1=100\n");
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	return fs_remove_tree(AT_FDCWD, f->prefix);
}

static int enter(struct fixture *f, const struct oci_intel_rdt *rdt, char **ret_made)
{
	auto_resctrl_plan struct resctrl_plan plan = RESCTRL_PLAN_INIT;
	int r;

	err_clear(&f->err);
	r = resctrl_plan_make(&plan, rdt, "box", f->prefix, &f->err);
	return r < 0 ? r : resctrl_enter(&plan, 4711, ret_made, &f->err);
}

static void check_failure(const struct fixture *f, int r, const char *part)
{
	assert_true(r < 0);
	if (!strstr(f->err.msg, part))
		fail_msg("'%s' not found in: %s", part, f->err.msg);
}

static void test_own_group(void **state)
{
	struct fixture *f = *state;
	static char l3[] = "L3:0=f;1=f0\nMB:0=50";
	static char bandwidth[] = "MB:0=20;1=70";
	static char more[] = "L2:0=f";
	char *schemata[] = { more };
	struct oci_intel_rdt rdt = { .l3_cache_schema = l3,
				     .mem_bw_schema = bandwidth,
				     .schemata = schemata,
				     .n_schemata = 1 };
	auto_free char *made = NULL;
	auto_free char *group = path_join(f->prefix, "/sys/fs/resctrl/box");

	assert_int_equal(enter(f, &rdt, &made), 0);
	assert_string_equal(made, group);
	/* The bandwidth of the cache's schema gives way to the field of its own. */
	check_file(f, "/sys/fs/resctrl/box/schemata", "L3:0=f;1=f0\nMB:0=20;1=70\nL2:0=f\n");
	check_file(f, "/sys/fs/resctrl/box/tasks", "4711\n");
	/* It is there now, which no other container may take for its own. */
	check_failure(f, enter(f, &rdt, &(char *){ NULL }), "make group");
	check_file(f, "/sys/fs/resctrl/box/tasks", "4711\n");
}

static void test_without_schemata(void **state)
{
	struct fixture *f = *state;
	struct oci_intel_rdt rdt = { 0 };
	auto_free char *made = NULL;

	assert_int_equal(enter(f, &rdt, &made), 0);
	check_file(f, "/sys/fs/resctrl/box/schemata", NULL);
	check_file(f, "/sys/fs/resctrl/box/tasks", "4711\n");
}

static void test_named_group(void **state)
{
	struct fixture *f = *state;
	static char name[] = "gold";
	static char l3[] = "L3:0=00f;1=FF";
	struct oci_intel_rdt rdt = { .clos_id = name };
	char *made = NULL;

	/* Nothing to write, and nothing there. */
	check_failure(f, enter(f, &rdt, &made), "there is no group");
	assert_false(exists(f, "/sys/fs/resctrl/gold"));

	rdt.l3_cache_schema = l3;
	assert_int_equal(enter(f, &rdt, &made), 0);
	assert_null(made);
	check_file(f, "/sys/fs/resctrl/gold/schemata", "L3:0=00f;1=FF\n");

	/* The same again, in the kernel's way of writing it. */
	put(f, "/sys/fs/resctrl/gold/schemata", "    L3:0=f;1=ff\n    MB:0=100\n");
	assert_int_equal(enter(f, &rdt, &made), 0);
	check_file(f, "/sys/fs/resctrl/gold/schemata", "    L3:0=f;1=ff\n    MB:0=100\n");
	check_file(f, "/sys/fs/resctrl/gold/tasks", "4711\n4711\n");

	/* Another allotment than the group has. */
	put(f, "/sys/fs/resctrl/gold/schemata", "    L3:0=f;1=f\n");
	check_failure(f, enter(f, &rdt, &made), "has 'L3:0=f;1=f', not 'L3:0=00f;1=FF'");
	put(f, "/sys/fs/resctrl/gold/schemata", "    L3:0=f\n");
	check_failure(f, enter(f, &rdt, &made), "has 'L3:0=f', not");
	put(f, "/sys/fs/resctrl/gold/schemata", "    MB:0=100\n");
	check_failure(f, enter(f, &rdt, &made), "has no schema of 'L3'");
	check_file(f, "/sys/fs/resctrl/gold/tasks", "4711\n4711\n");

	/* Nothing asked for: as it is. */
	rdt.l3_cache_schema = NULL;
	assert_int_equal(enter(f, &rdt, &made), 0);
}

static void test_monitoring(void **state)
{
	struct fixture *f = *state;
	static char root[] = "/";
	struct oci_intel_rdt rdt = { .clos_id = root, .enable_monitoring = true };
	auto_free char *made = NULL;

	put(f, "/sys/fs/resctrl/mon_groups/other/tasks", "");
	assert_int_equal(enter(f, &rdt, &made), 0);
	check_file(f, "/sys/fs/resctrl/tasks", "4711\n");
	check_file(f, "/sys/fs/resctrl/mon_groups/box/tasks", "4711\n");
	assert_true(str_has_suffix(made, "/sys/fs/resctrl/mon_groups/box"));
	/* In the kernel's file system directories go with their files. */
	{
		auto_free char *tasks = path_join(made, "tasks");

		assert_int_equal(unlink(tasks), 0);
	}
	assert_int_equal(resctrl_remove(made, &f->err), 0);
	assert_false(exists(f, "/sys/fs/resctrl/mon_groups/box"));
	assert_int_equal(resctrl_remove(made, &f->err), 0);
	assert_int_equal(resctrl_remove(NULL, &f->err), 0);
}

static void test_refused(void **state)
{
	struct fixture *f = *state;
	static char bad_bandwidth[] = "L3:0=f";
	static char two_lines[] = "MB:0=1\nMB:1=1";
	static char nonsense[] = "nonsense";
	struct oci_intel_rdt rdt = { .mem_bw_schema = bad_bandwidth };
	char *made = NULL;

	check_failure(f, enter(f, &rdt, &made), "memBwSchema");
	rdt.mem_bw_schema = two_lines;
	check_failure(f, enter(f, &rdt, &made), "memBwSchema");
	rdt = (struct oci_intel_rdt){ .l3_cache_schema = nonsense };
	check_failure(f, enter(f, &rdt, &made), "'nonsense' is no schema");
	assert_false(exists(f, "/sys/fs/resctrl/box"));
	put(f, "/proc/self/mountinfo", "1 0 8:1 / / rw - ext4 /dev/sda1 rw\n");
	rdt = (struct oci_intel_rdt){ 0 };
	check_failure(f, enter(f, &rdt, &made), "linux.intelRdt: this machine has no resctrl");
	assert_int_equal(f->err.kind, ERR_UNSUPPORTED);
}

static void test_kernel_refuses(void **state)
{
	struct fixture *f = *state;
	static char l3[] = "L3:0=f";
	struct oci_intel_rdt rdt = { .l3_cache_schema = l3 };
	char *made = NULL;

	/* No directory for monitoring groups: what was made before is taken back. */
	put(f, "/sys/fs/resctrl/info/last_cmd_status", "Mask is too wide\n");
	rdt.enable_monitoring = true;
	check_failure(f, enter(f, &rdt, &made), "make group");
	check_failure(f, -1, "(Mask is too wide)");
	assert_null(made);
}

static void test_rewrite(void **state)
{
	struct fixture *f = *state;
	static char l3[] = "L3:0=3";
	static char bandwidth[] = "MB:0=30";
	static char name[] = "gold";
	struct oci_intel_rdt rdt = { .clos_id = name,
				     .l3_cache_schema = l3,
				     .mem_bw_schema = bandwidth };
	auto_resctrl_plan struct resctrl_plan plan = RESCTRL_PLAN_INIT;
	auto_free char *old = NULL;

	assert_int_equal(resctrl_plan_make(&plan, &rdt, "box", f->prefix, &f->err), 0);
	/* There must be a group. */
	check_failure(f, resctrl_rewrite(&plan, &old, &f->err), "schemata");
	assert_null(old);
	put(f, "/sys/fs/resctrl/gold/schemata", "    L3:0=f\n    MB:0=100\n");
	assert_int_equal(resctrl_rewrite(&plan, &old, &f->err), 0);
	check_file(f, "/sys/fs/resctrl/gold/schemata",
		   "    L3:0=f\n    MB:0=100\nL3:0=3\nMB:0=30\n");
	assert_string_equal(old, "    L3:0=f\n    MB:0=100\n");
	/* Back, line by line. */
	put(f, "/sys/fs/resctrl/gold/schemata", "");
	assert_int_equal(resctrl_restore(&plan, old, &f->err), 0);
	check_file(f, "/sys/fs/resctrl/gold/schemata", "L3:0=f\nMB:0=100\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_own_group, setup, teardown),
		cmocka_unit_test_setup_teardown(test_without_schemata, setup, teardown),
		cmocka_unit_test_setup_teardown(test_named_group, setup, teardown),
		cmocka_unit_test_setup_teardown(test_monitoring, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(test_kernel_refuses, setup, teardown),
		cmocka_unit_test_setup_teardown(test_rewrite, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
