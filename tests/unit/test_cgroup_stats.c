/* SPDX-License-Identifier: Apache-2.0 */
/* Statistics from trees of plain files: both versions, whatever the machine of the test has. */
#include "runtime/cgroup/stats.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "core/alloc.h"
#include "core/fs.h"

struct tree {
	char dir[32];
	struct json_string_map paths;
	struct err err;
};

static int set_up(void **state)
{
	struct tree *t = xcalloc(1, sizeof(*t));

	(void)snprintf(t->dir, sizeof(t->dir), "/tmp/floe-test-XXXXXX");
	*state = t;
	return mkdtemp(t->dir) ? 0 : -1;
}

static int tear_down(void **state)
{
	struct tree *t = *state;
	int r = fs_remove_tree(AT_FDCWD, t->dir);

	json_string_map_done(&t->paths);
	free(t);
	return r;
}

/* The container's directory of a controller; "" is the v2 tree. */
static void add_controller(struct tree *t, const char *controller)
{
	auto_free char *path = xasprintf("%s/%s", t->dir, *controller ? controller : "v2");

	(void)mkdir(path, 0755);
	json_string_map_set(&t->paths, controller, path);
}

static void put(struct tree *t, const char *path, const char *content)
{
	auto_free char *full = xasprintf("%s/%s", t->dir, path);

	assert_int_equal(
		fs_write_atomic(AT_FDCWD, full, content, strlen(content), 0644, FS_VOLATILE), 0);
}

static char *read_stats(struct tree *t)
{
	auto_cgroup struct cgroup cg = CGROUP_INIT;
	struct cgroup_stats stats;
	char *text;

	if (cgroup_open_saved(&cg, CGROUP_DRIVER_CGROUPFS, &t->paths, &t->err) < 0 ||
	    cgroup_stats_read(&cg, &stats, &t->err) < 0)
		fail_msg("%s", t->err.msg);
	text = json_encode(&cgroup_stats_desc, &stats, JSON_COMPACT);
	json_done(&cgroup_stats_desc, &stats);
	return text;
}

#define NO_CPUSET                                                                                  \
	"\"cpuset\":{\"cpu_exclusive\":0,\"mem_hardwall\":0,\"mem_exclusive\":0,"                  \
	"\"memory_migrate\":0,\"memory_spread_page\":0,\"memory_spread_slab\":0,"                  \
	"\"memory_pressure\":0,\"sched_load_balance\":0,\"sched_relax_domain_level\":0}"
#define NO_ENTRY "{\"limit\":0,\"failcnt\":0}"

static void test_v2(void **state)
{
	struct tree *t = *state;
	auto_free char *text = NULL;

	add_controller(t, "");
	put(t, "v2/cpu.stat",
	    "usage_usec 1500\nuser_usec 1000\nsystem_usec 500\nnr_periods 7\nnr_throttled 2\n"
	    "throttled_usec 30\n");
	put(t, "v2/memory.stat", "anon 4096\nfile 8192\nkernel 100\n");
	put(t, "v2/memory.current", "12288\n");
	put(t, "v2/memory.max", "65536\n");
	put(t, "v2/memory.peak", "20480\n");
	put(t, "v2/memory.swap.current", "1000\n");
	put(t, "v2/memory.swap.max", "2000\n");
	put(t, "v2/pids.current", "3\n");
	put(t, "v2/pids.max", "max\n");
	put(t, "v2/io.stat", "8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=5 dios=6\n");
	put(t, "v2/hugetlb.2MB.current", "2097152\n");
	put(t, "v2/hugetlb.2MB.rsvd.current", "4194304\n");
	put(t, "v2/hugetlb.2MB.events", "max 9\n");
	put(t, "v2/cpu.pressure",
	    "some avg10=0.50 avg60=1.25 avg300=0.00 total=77\n"
	    "full avg10=0.00 avg60=0.00 avg300=0.00 total=0\n");
	text = read_stats(t);
	assert_string_equal(
		text,
		"{\"cpu\":{\"usage\":{\"total\":1500000,\"kernel\":500000,\"user\":1000000},"
		"\"throttling\":{\"periods\":7,\"throttledPeriods\":2,\"throttledTime\":30000},"
		"\"psi\":{\"some\":{\"avg10\":0.5,\"avg60\":1.25,\"avg300\":0,\"total\":77},"
		"\"full\":{\"avg10\":0,\"avg60\":0,\"avg300\":0,\"total\":0}}}," NO_CPUSET
		",\"memory\":{\"cache\":8192,"
		"\"usage\":{\"limit\":65536,\"usage\":12288,\"max\":20480,\"failcnt\":0},"
		"\"swap\":{\"limit\":67536,\"usage\":13288,\"failcnt\":0},"
		"\"kernel\":" NO_ENTRY ",\"kernelTCP\":" NO_ENTRY
		",\"raw\":{\"anon\":4096,\"file\":8192,\"kernel\":100}},"
		"\"pids\":{\"current\":3},"
		"\"blkio\":{\"ioServiceBytesRecursive\":["
		"{\"major\":8,\"op\":\"Read\",\"value\":1},{\"major\":8,\"op\":\"Write\",\"value\":"
		"2}],"
		"\"ioServicedRecursive\":["
		"{\"major\":8,\"op\":\"Read\",\"value\":3},{\"major\":8,\"op\":\"Write\",\"value\":"
		"4}]},"
		"\"hugetlb\":{\"2MB\":{\"usage\":2097152,\"failcnt\":9}}}");
}

static void test_v2_without_limits(void **state)
{
	struct tree *t = *state;
	auto_free char *text = NULL;

	add_controller(t, "");
	put(t, "v2/memory.stat", "file 1\n");
	put(t, "v2/memory.current", "10\n");
	put(t, "v2/memory.max", "max\n");
	put(t, "v2/memory.swap.current", "1\n");
	put(t, "v2/memory.swap.max", "max\n");
	text = read_stats(t);
	assert_non_null(strstr(
		text, "\"usage\":{\"limit\":18446744073709551615,\"usage\":10,\"failcnt\":0}"));
	assert_non_null(strstr(
		text, "\"swap\":{\"limit\":18446744073709551615,\"usage\":11,\"failcnt\":0}"));
}

static void test_v1(void **state)
{
	static const char *const controllers[] = { "cpu",  "cpuacct", "cpuset", "memory",
						   "pids", "blkio",   "hugetlb" };
	struct tree *t = *state;
	auto_free char *text = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(controllers); i++)
		add_controller(t, controllers[i]);
	put(t, "cpuacct/cpuacct.usage", "5000000000\n");
	put(t, "cpuacct/cpuacct.stat", "user 200\nsystem 100\n");
	put(t, "cpuacct/cpuacct.usage_percpu", "3000000000 2000000000 \n");
	put(t, "cpuacct/cpuacct.usage_all", "cpu user system\n0 10 20\n1 30 40\n");
	put(t, "cpu/cpu.stat", "nr_periods 1\nnr_throttled 2\nthrottled_time 3\n");
	put(t, "cpuset/cpuset.cpus", "0-2,5\n");
	put(t, "cpuset/cpuset.mems", "0\n");
	put(t, "cpuset/cpuset.sched_load_balance", "1\n");
	put(t, "cpuset/cpuset.sched_relax_domain_level", "-1\n");
	put(t, "memory/memory.stat", "cache 4096\nrss 100\n");
	put(t, "memory/memory.usage_in_bytes", "1\n");
	put(t, "memory/memory.limit_in_bytes", "2\n");
	put(t, "memory/memory.max_usage_in_bytes", "3\n");
	put(t, "memory/memory.failcnt", "4\n");
	put(t, "memory/memory.kmem.usage_in_bytes", "5\n");
	put(t, "pids/pids.current", "6\n");
	put(t, "pids/pids.max", "7\n");
	put(t, "blkio/blkio.bfq.io_serviced_recursive", "Total 0\n");
	put(t, "blkio/blkio.throttle.io_service_bytes_recursive", "8:16 Read 512\nTotal 512\n");
	put(t, "blkio/blkio.throttle.io_serviced_recursive",
	    "8:16 Read 1\n8:16 Total 1\nTotal 1\n");
	put(t, "hugetlb/hugetlb.1GB.usage_in_bytes", "0\n");
	put(t, "hugetlb/hugetlb.1GB.max_usage_in_bytes", "1073741824\n");
	put(t, "hugetlb/hugetlb.1GB.failcnt", "8\n");
	text = read_stats(t);
	assert_string_equal(
		text,
		"{\"cpu\":{\"usage\":{\"total\":5000000000,\"percpu\":[3000000000,2000000000],"
		"\"percpu_kernel\":[20,40],\"percpu_user\":[10,30],\"kernel\":1000000000,"
		"\"user\":2000000000},"
		"\"throttling\":{\"periods\":1,\"throttledPeriods\":2,\"throttledTime\":3}},"
		"\"cpuset\":{\"cpus\":[0,1,2,5],\"cpu_exclusive\":0,\"mems\":[0],"
		"\"mem_hardwall\":0,\"mem_exclusive\":0,\"memory_migrate\":0,"
		"\"memory_spread_page\":0,\"memory_spread_slab\":0,\"memory_pressure\":0,"
		"\"sched_load_balance\":1,\"sched_relax_domain_level\":-1},"
		"\"memory\":{\"cache\":4096,"
		"\"usage\":{\"limit\":2,\"usage\":1,\"max\":3,\"failcnt\":4},"
		"\"swap\":" NO_ENTRY ",\"kernel\":{\"limit\":0,\"usage\":5,\"failcnt\":0},"
		"\"kernelTCP\":" NO_ENTRY ",\"raw\":{\"cache\":4096,\"rss\":100}},"
		"\"pids\":{\"current\":6,\"limit\":7},"
		"\"blkio\":{\"ioServiceBytesRecursive\":["
		"{\"major\":8,\"minor\":16,\"op\":\"Read\",\"value\":512}],"
		"\"ioServicedRecursive\":[{\"major\":8,\"minor\":16,\"op\":\"Read\",\"value\":1},"
		"{\"major\":8,\"minor\":16,\"op\":\"Total\",\"value\":1}]},"
		"\"hugetlb\":{\"1GB\":{\"max\":1073741824,\"failcnt\":8}}}");
}

/* Controllers that the host lacks, files that a kernel lacks: zeroes. */
static void test_nothing_there(void **state)
{
	struct tree *t = *state;
	auto_free char *text = NULL;

	add_controller(t, "pids");
	text = read_stats(t);
	assert_string_equal(
		text, "{\"cpu\":{\"usage\":{\"kernel\":0,\"user\":0},\"throttling\":{}}," NO_CPUSET
		      ",\"memory\":{\"usage\":" NO_ENTRY ",\"swap\":" NO_ENTRY
		      ",\"kernel\":" NO_ENTRY ",\"kernelTCP\":" NO_ENTRY "},"
		      "\"pids\":{},\"blkio\":{},\"hugetlb\":{}}");
}

static void test_no_cgroup(void **state)
{
	struct tree *t = *state;
	auto_cgroup struct cgroup cg = CGROUP_INIT;
	struct cgroup_stats stats;

	assert_int_equal(cgroup_open_saved(&cg, CGROUP_DRIVER_CGROUPFS, &t->paths, &t->err), 0);
	assert_true(cgroup_stats_read(&cg, &stats, &t->err) < 0);
	assert_int_equal(t->err.kind, ERR_UNSUPPORTED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_v2, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_v2_without_limits, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_v1, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_nothing_there, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_no_cgroup, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
