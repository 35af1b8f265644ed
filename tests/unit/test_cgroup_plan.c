/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Resource documents and the writes that they lead to: tests/golden/cgroup/NAME.json with NAME.v1 and
 * NAME.v2. FLOE_GOLDEN_UPDATE=1 writes the expected files anew, for the eye to compare.
 */
#include "runtime/cgroup/plan.h"

#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/alloc.h"
#include "core/fs.h"
#include "core/io.h"
#include "core/log.h"
#include "core/str.h"
#include "runtime/cgroup/device_rules.h"
#include "runtime/cgroup/plan_v1.h"
#include "runtime/cgroup/plan_v2.h"

static char *golden_path(const char *name, const char *suffix)
{
	const char *root = getenv("FLOE_SOURCE_ROOT");

	return xasprintf("%s/tests/golden/cgroup/%s%s", root ? root : ".", name, suffix);
}

static int plan_v1(struct cgroup_plan *plan, const struct oci_resources *res, struct err *err)
{
	struct device_rules rules;
	int r = cgroup_plan_v1(plan, res, err);

	if (r < 0)
		return r;
	/* The default rules alone would only repeat themselves in every file. */
	if (res->n_devices == 0)
		return 0;
	r = device_rules_from_resources(&rules, res, err);
	if (r < 0)
		return r;
	r = cgroup_plan_v1_devices(plan, &rules, err);
	device_rules_done(&rules);
	return r;
}

static void check(const char *name, const char *suffix, const struct oci_resources *res,
		  int (*make)(struct cgroup_plan *, const struct oci_resources *, struct err *))
{
	auto_free char *path = golden_path(name, suffix);
	auto_cgroup_plan struct cgroup_plan plan = CGROUP_PLAN_INIT;
	auto_strbuf struct strbuf text = STRBUF_INIT;
	auto_strbuf struct strbuf expected = STRBUF_INIT;
	struct err err = ERR_INIT;

	if (make(&plan, res, &err) < 0)
		strbuf_addf(&text, "%s: %s\n", err_kind_to_string(err.kind), err.msg);
	else
		cgroup_plan_format(&plan, &text);
	if (getenv("FLOE_GOLDEN_UPDATE")) {
		assert_int_equal(
			fs_write_atomic(AT_FDCWD, path, text.buf, text.len, 0644, FS_VOLATILE), 0);
		return;
	}
	if (io_read_file_at(AT_FDCWD, path, 65536, &expected) < 0)
		fail_msg("cannot read %s", path);
	if (!str_eq(text.buf, expected.buf))
		fail_msg("%s%s:\n--- expected\n%s--- got\n%s", name, suffix, expected.buf,
			 text.buf);
}

static void test_golden(void **state UNUSED)
{
	auto_free char *dir_path = golden_path("", "");
	auto_closedir DIR *dir = opendir(dir_path);
	struct dirent *entry;
	size_t n = 0;

	assert_non_null(dir);
	while ((entry = readdir(dir))) {
		auto_free char *name = NULL;
		auto_free char *path = NULL;
		struct oci_resources res;
		struct err err = ERR_INIT;

		if (!str_has_suffix(entry->d_name, ".json"))
			continue;
		name = xstrndup(entry->d_name, strlen(entry->d_name) - strlen(".json"));
		path = golden_path(name, ".json");
		if (json_decode_file(&oci_resources_desc, &res, AT_FDCWD, path, &err) < 0)
			fail_msg("%s", err.msg);
		check(name, ".v1", &res, plan_v1);
		check(name, ".v2", &res, cgroup_plan_v2);
		json_done(&oci_resources_desc, &res);
		n++;
	}
	assert_true(n > 30);
}

static void test_conversions(void **state UNUSED)
{
	assert_int_equal(cgroup_cpu_shares_to_weight(0), 0);
	assert_int_equal(cgroup_cpu_shares_to_weight(1), 1);
	assert_int_equal(cgroup_cpu_shares_to_weight(2), 1);
	assert_int_equal(cgroup_cpu_shares_to_weight(3), 2);
	assert_int_equal(cgroup_cpu_shares_to_weight(102), 17);
	assert_int_equal(cgroup_cpu_shares_to_weight(512), 59);
	assert_int_equal(cgroup_cpu_shares_to_weight(1024), 100);
	assert_int_equal(cgroup_cpu_shares_to_weight(2048), 174);
	assert_int_equal(cgroup_cpu_shares_to_weight(262143), 10000);
	assert_int_equal(cgroup_cpu_shares_to_weight(262144), 10000);
	assert_int_equal(cgroup_cpu_shares_to_weight(UINT64_MAX), 10000);
	assert_int_equal(cgroup_blkio_weight_to_io_weight(10), 1);
	assert_int_equal(cgroup_blkio_weight_to_io_weight(500), 4950);
	assert_int_equal(cgroup_blkio_weight_to_io_weight(1000), 10000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_golden),
		cmocka_unit_test(test_conversions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
