/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Discovery of hierarchies, and the driver on trees of plain files: what is read and written where,
 * for layouts that the machine of the test does not have. (Files of a real cgroup appear by
 * themselves; here the test makes them beforehand.)
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/alloc.h"
#include "core/fs.h"
#include "core/io.h"
#include "core/path.h"
#include "core/str.h"
#include "kernel/cgroupfs.h"
#include "runtime/cgroup/backend.h"

struct tree {
	char dir[32];
	struct err err;
};

#define assert_ok(t, call)                                                                         \
	do {                                                                                       \
		if ((call) < 0)                                                                    \
			fail_msg("%s: %s", #call, (t)->err.msg);                                   \
	} while (0)

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

	free(t);
	return r;
}

static void put(struct tree *t, const char *path, const char *content)
{
	auto_free char *full = xasprintf("%s%s", t->dir, path);
	auto_free char *parent = path_dirname(full);

	assert_int_equal(fs_mkdir_all(AT_FDCWD, parent, 0755, 0755), 0);
	assert_int_equal(
		fs_write_atomic(AT_FDCWD, full, content, strlen(content), 0644, FS_VOLATILE), 0);
}

static void expect(struct tree *t, const char *path, const char *content)
{
	auto_free char *full = xasprintf("%s%s", t->dir, path);
	auto_strbuf struct strbuf text = STRBUF_INIT;

	if (io_read_file_at(AT_FDCWD, full, 65536, &text) < 0)
		fail_msg("cannot read %s", full);
	assert_string_equal(text.buf, content);
}

static bool exists(struct tree *t, const char *path)
{
	auto_free char *full = xasprintf("%s%s", t->dir, path);

	return fs_exists(AT_FDCWD, full);
}

static void open_tree_cgroup(struct tree *t, const char *cgroups_path, bool rootless,
			     struct cgroup *ret)
{
	struct cgroup_opts opts = {
		.driver = CGROUP_DRIVER_CGROUPFS,
		.cgroups_path = cgroups_path,
		.id = "web",
		.rootless = rootless,
		.prefix = t->dir,
	};

	assert_ok(t, cgroup_open(ret, &opts, &t->err));
}

static void put_v1(struct tree *t)
{
	put(t, "/proc/self/mountinfo",
	    "30 24 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755\n"
	    "31 30 0:29 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpuacct,cpu\n"
	    "32 30 0:30 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
	    "33 30 0:31 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset,clone_children\n"
	    "34 30 0:32 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,name=systemd\n"
	    "35 30 0:33 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids\n");
	put(t, "/proc/self/cgroup",
	    "5:pids:/\n4:name=systemd:/user.slice/s.scope\n3:cpuset:/\n2:memory:/user.slice\n"
	    "1:cpu,cpuacct:/user.slice\n");
	put(t, "/sys/fs/cgroup/cpu,cpuacct/tasks", "");
	put(t, "/sys/fs/cgroup/memory/tasks", "");
	put(t, "/sys/fs/cgroup/cpuset/cpuset.cpus", "0-3\n");
	put(t, "/sys/fs/cgroup/cpuset/cpuset.mems", "0\n");
	put(t, "/sys/fs/cgroup/systemd/tasks", "");
}

static void put_v2(struct tree *t)
{
	put(t, "/proc/self/mountinfo", "31 30 0:29 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n");
	put(t, "/proc/self/cgroup", "0::/user.slice/shell.scope\n");
	put(t, "/sys/fs/cgroup/cgroup.controllers", "cpuset cpu io memory pids\n");
	put(t, "/sys/fs/cgroup/cgroup.subtree_control", "cpu\n");
}

static void test_paths_v1(void **state)
{
	struct tree *t = *state;
	auto_cgroup struct cgroup cg = CGROUP_INIT;
	auto_cgroup struct cgroup absolute = CGROUP_INIT;
	struct json_string_map paths = { 0 };

	put_v1(t);
	open_tree_cgroup(t, NULL, false, &cg);
	assert_false(cg.is_v2);
	assert_int_equal(cg.n_nodes, 5);
	/* The lists of the two files differ in order. */
	assert_string_equal(cgroup_node_of(&cg, "cpu")->path + strlen(t->dir),
			    "/sys/fs/cgroup/cpu,cpuacct/user.slice/web");
	assert_string_equal(cgroup_node_of(&cg, "name=systemd")->path + strlen(t->dir),
			    "/sys/fs/cgroup/systemd/user.slice/s.scope/web");
	assert_string_equal(cgroup_node_of(&cg, "pids")->path + strlen(t->dir),
			    "/sys/fs/cgroup/pids/web");
	assert_null(cgroup_node_of(&cg, "freezer"));
	assert_null(cgroup_node_of(&cg, ""));
	assert_null(cgroup_freezer_path(&cg));

	cgroup_save_paths(&cg, &paths);
	assert_int_equal(paths.n, 6);
	assert_string_equal(json_string_map_get(&paths, "cpuacct"),
			    cgroup_node_of(&cg, "cpu")->path);
	cgroup_close(&cg);
	assert_ok(t, cgroup_open_saved(&cg, CGROUP_DRIVER_CGROUPFS, &paths, &t->err));
	assert_int_equal(cg.n_nodes, 5);
	assert_ptr_equal(cgroup_node_of(&cg, "cpuacct"), cgroup_node_of(&cg, "cpu"));
	json_string_map_done(&paths);

	open_tree_cgroup(t, "/pod/web", false, &absolute);
	assert_string_equal(cgroup_node_of(&absolute, "memory")->path + strlen(t->dir),
			    "/sys/fs/cgroup/memory/pod/web");
}

static void test_paths_v2(void **state)
{
	struct tree *t = *state;
	auto_cgroup struct cgroup cg = CGROUP_INIT;

	put_v2(t);
	open_tree_cgroup(t, "", false, &cg);
	assert_true(cg.is_v2);
	assert_int_equal(cg.n_nodes, 1);
	assert_string_equal(cgroup_node_of(&cg, "memory")->path + strlen(t->dir),
			    "/sys/fs/cgroup/user.slice/web");
	assert_string_equal(cgroup_freezer_path(&cg), cgroup_node_of(&cg, "")->path);
}

/* Inside a container without a cgroup namespace the mounts show a part of the hierarchy. */
static void test_paths_bind(void **state)
{
	struct tree *t = *state;
	auto_cgroup struct cgroup cg = CGROUP_INIT;

	put(t, "/proc/self/mountinfo",
	    "31 30 0:29 /docker/abc /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
	    "32 30 0:30 /../other /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids\n");
	put(t, "/proc/self/cgroup", "2:pids:/x\n1:memory:/docker/abc/d\n");
	open_tree_cgroup(t, NULL, false, &cg);
	assert_string_equal(cgroup_node_of(&cg, "memory")->path + strlen(t->dir),
			    "/sys/fs/cgroup/memory/d/web");
	assert_string_equal(cgroup_node_of(&cg, "pids")->path + strlen(t->dir),
			    "/sys/fs/cgroup/pids/web");
}

static void check_mode(const char *text, enum cgroupfs_mode mode, const char *memory_mount)
{
	auto_mountinfo struct mountinfo m = MOUNTINFO_INIT;
	auto_cgroupfs struct cgroupfs fs = CGROUPFS_INIT;
	const struct cgroupfs_hierarchy *h;

	assert_int_equal(mountinfo_parse(&m, text, strlen(text)), 0);
	cgroupfs_from_mountinfo(&fs, &m, NULL);
	assert_string_equal(cgroupfs_mode_to_string(fs.mode), cgroupfs_mode_to_string(mode));
	h = cgroupfs_find(&fs, "memory");
	if (!memory_mount)
		assert_null(h);
	else
		assert_string_equal(h->mount_point, memory_mount);
}

static void test_modes(void **state UNUSED)
{
	check_mode("1 0 0:1 / / rw - ext4 /dev/sda rw\n", CGROUPFS_NONE, NULL);
	check_mode("2 1 0:2 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n", CGROUPFS_V1,
		   "/sys/fs/cgroup/memory");
	check_mode("2 1 0:2 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
		   "3 1 0:3 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n",
		   CGROUPFS_HYBRID, "/sys/fs/cgroup/memory");
	/* Something mounted over the v2 tree takes it away. */
	check_mode("2 1 0:2 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
		   "3 1 0:3 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n"
		   "4 3 0:4 / /sys/fs/cgroup/unified rw - tmpfs tmpfs rw\n",
		   CGROUPFS_V1, "/sys/fs/cgroup/memory");
	check_mode("3 1 0:3 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n"
		   "2 1 0:2 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,name=systemd\n",
		   CGROUPFS_V2, NULL);
	/* The same hierarchy in a container's root file system must not be taken for the host's. */
	check_mode("2 1 0:2 / /var/c/rootfs/sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
		   "3 1 0:2 /a /sys/fs/cgroup/mem rw - cgroup cgroup rw,memory\n"
		   "4 1 0:2 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
		   "5 1 0:2 / /var/d/rootfs/sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n",
		   CGROUPFS_V1, "/sys/fs/cgroup/memory");
}

static void test_open_refused(void **state)
{
	struct tree *t = *state;
	struct cgroup_opts opts = {
		.driver = CGROUP_DRIVER_CGROUPFS,
		.id = "web",
		.prefix = t->dir,
	};
	struct json_string_map paths = { 0 };
	struct cgroup cg;

	put(t, "/proc/self/mountinfo", "");
	assert_true(cgroup_open(&cg, &opts, &t->err) < 0);
	assert_int_equal(t->err.kind, ERR_UNSUPPORTED);
	cgroup_close(&cg);
	opts.driver = CGROUP_DRIVER_SYSTEMD;
	opts.cgroups_path = "/no/unit";
	assert_true(cgroup_open(&cg, &opts, &t->err) < 0);
	assert_int_equal(t->err.kind, ERR_INVALID);
	cgroup_close(&cg);
	json_string_map_set(&paths, "memory", "/sys/fs/cgroup/../../etc");
	assert_true(cgroup_open_saved(&cg, CGROUP_DRIVER_CGROUPFS, &paths, &t->err) < 0);
	assert_int_equal(t->err.kind, ERR_CORRUPT);
	cgroup_close(&cg);
	json_string_map_done(&paths);
}

static void test_create_v1(void **state)
{
	struct tree *t = *state;
	auto_cgroup struct cgroup cg = CGROUP_INIT;

	put_v1(t);
	/* A level that somebody left without values, and an empty leaf. */
	put(t, "/sys/fs/cgroup/cpuset/pod/cpuset.cpus", "\n");
	put(t, "/sys/fs/cgroup/cpuset/pod/cpuset.mems", "1\n");
	put(t, "/sys/fs/cgroup/cpuset/pod/web/cpuset.cpus", "");
	put(t, "/sys/fs/cgroup/cpuset/pod/web/cpuset.mems", "");
	put(t, "/sys/fs/cgroup/pids/tasks", "");
	open_tree_cgroup(t, "/pod/web", false, &cg);
	assert_ok(t, cgroup_create(&cg, 0, &t->err));
	expect(t, "/sys/fs/cgroup/cpuset/pod/cpuset.cpus", "0-3");
	expect(t, "/sys/fs/cgroup/cpuset/pod/web/cpuset.cpus", "0-3");
	expect(t, "/sys/fs/cgroup/cpuset/pod/web/cpuset.mems", "1");
	assert_true(exists(t, "/sys/fs/cgroup/memory/pod/web"));
	cgroup_undo_create(&cg);
	assert_false(exists(t, "/sys/fs/cgroup/memory/pod"));
	assert_true(exists(t, "/sys/fs/cgroup/cpuset/pod/web"));
}

/* When a later hierarchy fails, the earlier directories go again. */
static void test_create_fails(void **state)
{
	struct tree *t = *state;
	auto_cgroup struct cgroup cg = CGROUP_INIT;

	put_v1(t);
	put(t, "/sys/fs/cgroup/pids", "not a directory");
	put(t, "/sys/fs/cgroup/cpuset/web/cpuset.cpus", "");
	put(t, "/sys/fs/cgroup/cpuset/web/cpuset.mems", "");
	open_tree_cgroup(t, "/web", false, &cg);
	assert_true(cgroup_create(&cg, 0, &t->err) < 0);
	assert_non_null(strstr(t->err.msg, "create cgroup '"));
	assert_non_null(strstr(t->err.msg, "/sys/fs/cgroup/pids/web': not a directory"));
	assert_false(exists(t, "/sys/fs/cgroup/memory/web"));
	assert_false(exists(t, "/sys/fs/cgroup/systemd/web"));
}

static void test_create_v2(void **state)
{
	struct tree *t = *state;
	auto_cgroup struct cgroup cg = CGROUP_INIT;

	put_v2(t);
	put(t, "/sys/fs/cgroup/pod/cgroup.controllers", "cpu memory\n");
	put(t, "/sys/fs/cgroup/pod/cgroup.subtree_control", "cpu memory\n");
	open_tree_cgroup(t, "/pod/web", false, &cg);
	assert_ok(t, cgroup_create_unified(&cg, &t->err));
	assert_true(cgroup_clone_fd(&cg) >= 0);
	expect(t, "/sys/fs/cgroup/cgroup.subtree_control", "+cpuset +io +memory +pids");
	expect(t, "/sys/fs/cgroup/pod/cgroup.subtree_control", "cpu memory\n");
	assert_true(exists(t, "/sys/fs/cgroup/pod/web"));
	assert_ok(t, cgroup_create(&cg, 0, &t->err));
}

static void test_create_threaded(void **state)
{
	struct tree *t = *state;
	struct oci_memory memory = { .limit = { true, 1 } };
	struct oci_resources res = { .memory = &memory };
	struct cgroup_opts opts = {
		.driver = CGROUP_DRIVER_CGROUPFS,
		.cgroups_path = "/pod/web",
		.id = "web",
		.resources = &res,
		.prefix = t->dir,
	};
	auto_cgroup struct cgroup cg = CGROUP_INIT;

	put_v2(t);
	put(t, "/sys/fs/cgroup/pod/web/cgroup.type", "domain invalid\n");
	assert_ok(t, cgroup_open(&cg, &opts, &t->err));
	assert_true(cgroup_create(&cg, 0, &t->err) < 0);
	assert_non_null(strstr(t->err.msg, "it is in an invalid state"));
	cgroup_close(&cg);
	put(t, "/sys/fs/cgroup/pod/web/cgroup.type", "threaded\n");
	assert_ok(t, cgroup_open(&cg, &opts, &t->err));
	assert_true(cgroup_create(&cg, 0, &t->err) < 0);
	assert_non_null(strstr(t->err.msg, "it is in threaded mode"));
	cgroup_close(&cg);
	put(t, "/sys/fs/cgroup/pod/web/cgroup.type", "domain invalid\n");
	opts.resources = NULL;
	assert_ok(t, cgroup_open(&cg, &opts, &t->err));
	assert_ok(t, cgroup_create(&cg, 0, &t->err));
	expect(t, "/sys/fs/cgroup/pod/web/cgroup.type", "threadednvalid\n");
}

static void test_limits_v2(void **state)
{
	struct tree *t = *state;
	struct oci_memory memory = { .limit = { true, 100 }, .swap = { true, 100 } };
	struct oci_block_io io = { .weight = { true, 10 } };
	struct oci_pids pids = { .limit = { true, 5 } };
	struct oci_resources res = { .memory = &memory, .block_io = &io };
	auto_cgroup struct cgroup cg = CGROUP_INIT;

	put_v2(t);
	put(t, "/sys/fs/cgroup/web/cgroup.controllers", "cpu memory io\n");
	put(t, "/sys/fs/cgroup/web/memory.max", "");
	put(t, "/sys/fs/cgroup/web/memory.current", "50\n");
	put(t, "/sys/fs/cgroup/web/memory.swap.current", "50\n");
	put(t, "/sys/fs/cgroup/web/io.weight", "");
	open_tree_cgroup(t, "/web", false, &cg);
	/* memory.swap.max is missing, but no swap is what it would say; io.bfq.weight has a stand-in. */
	assert_ok(t, cgroup_update(&cg, &res, NULL, &t->err));
	expect(t, "/sys/fs/cgroup/web/memory.max", "100");
	expect(t, "/sys/fs/cgroup/web/io.weight", "1");

	memory.check_before_update = (struct opt_bool){ true, true };
	assert_true(cgroup_update(&cg, &res, NULL, &t->err) < 0);
	assert_string_equal(t->err.msg, "rejecting memory+swap limit 100 <= usage 100");
	memory.swap.v = 101;
	memory.limit.v = 50;
	assert_true(cgroup_update(&cg, &res, NULL, &t->err) < 0);
	assert_string_equal(t->err.msg, "rejecting memory limit 50 <= usage 50");

	res = (struct oci_resources){ .pids = &pids };
	assert_true(cgroup_update(&cg, &res, NULL, &t->err) < 0);
	assert_int_equal(t->err.kind, ERR_UNSUPPORTED);
	assert_string_equal(t->err.msg,
			    "cannot set pids.limit: the cgroup controller 'pids' is not available");
	res = (struct oci_resources){ 0 };
	json_string_map_set(&res.unified, "misc.max", "x 1");
	assert_true(cgroup_update(&cg, &res, NULL, &t->err) < 0);
	assert_string_equal(t->err.msg,
			    "cannot set unified: the cgroup controller 'misc' is not available");
	json_string_map_done(&res.unified);
	json_string_map_set(&res.unified, "cgroup.nothing", "1");
	assert_true(cgroup_update(&cg, &res, NULL, &t->err) < 0);
	assert_non_null(strstr(t->err.msg, "set unified: write '1' to '"));
	json_string_map_done(&res.unified);
}

/* On a hybrid host the v2 tree may hold a controller that v1 does not. */
static void test_limits_hybrid(void **state)
{
	struct tree *t = *state;
	char size[] = "2MB";
	struct oci_hugepage_limit limit = { .page_size = size, .limit = 4096 };
	struct oci_resources res = { .hugepage_limits = &limit, .n_hugepage_limits = 1 };
	auto_cgroup struct cgroup cg = CGROUP_INIT;

	put(t, "/proc/self/mountinfo",
	    "31 30 0:29 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
	    "32 30 0:30 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n");
	put(t, "/sys/fs/cgroup/memory/tasks", "");
	put(t, "/sys/fs/cgroup/unified/cgroup.controllers", "hugetlb rdma\n");
	put(t, "/sys/fs/cgroup/unified/cgroup.subtree_control", "");
	put(t, "/sys/fs/cgroup/unified/web/cgroup.controllers", "hugetlb\n");
	put(t, "/sys/fs/cgroup/unified/web/hugetlb.2MB.max", "");
	open_tree_cgroup(t, "/web", false, &cg);
	assert_false(cg.is_v2);
	assert_ok(t, cgroup_create(&cg, 0, &t->err));
	expect(t, "/sys/fs/cgroup/unified/cgroup.subtree_control", "");
	assert_ok(t, cgroup_update(&cg, &res, NULL, &t->err));
	expect(t, "/sys/fs/cgroup/unified/cgroup.subtree_control", "+hugetlb");
	expect(t, "/sys/fs/cgroup/unified/web/hugetlb.2MB.max", "4096");
}

static void test_pids(void **state)
{
	struct tree *t = *state;
	auto_cgroup struct cgroup cg = CGROUP_INIT;
	auto_cgroup_pids struct cgroup_pids pids = { 0 };

	put_v2(t);
	put(t, "/sys/fs/cgroup/web/cgroup.procs", "300\n0\n100\n");
	put(t, "/sys/fs/cgroup/web/a/cgroup.procs", "");
	put(t, "/sys/fs/cgroup/web/a/b/cgroup.procs", "200\n300\n");
	open_tree_cgroup(t, "/web", false, &cg);
	assert_ok(t, cgroup_pids(&cg, &pids, &t->err));
	assert_int_equal(pids.n, 3);
	assert_int_equal(pids.v[0], 100);
	assert_int_equal(pids.v[1], 200);
	assert_int_equal(pids.v[2], 300);
	assert_true(cgroup_create(&cg, 0, &t->err) < 0);
	assert_non_null(strstr(t->err.msg, "not empty: 4 process(es) found"));
}

/* For tests that are not run by root; root's own permission is dropped by seteuid() below. */
static void set_parents_mode(const struct cgroup *cg, mode_t mode)
{
	for (size_t i = 0; i < cg->n_nodes; i++) {
		auto_free char *parent = path_dirname(cg->node[i].path);

		(void)chmod(parent, mode);
	}
}

static void test_rootless(void **state)
{
	struct tree *t = *state;
	struct oci_pids max = { .limit = { true, 5 } };
	struct oci_resources res = { .pids = &max };
	auto_cgroup struct cgroup cg = CGROUP_INIT;
	struct json_string_map paths = { 0 };
	uid_t uid = geteuid();
	int r;

	put_v1(t);
	put(t, "/sys/fs/cgroup/cpu,cpuacct/user.slice/tasks", "");
	put(t, "/sys/fs/cgroup/memory/user.slice/tasks", "");
	put(t, "/sys/fs/cgroup/systemd/user.slice/s.scope/tasks", "");
	put(t, "/sys/fs/cgroup/pids/tasks", "");
	open_tree_cgroup(t, NULL, true, &cg);
	assert_int_equal(chmod(t->dir, 0755), 0);
	if (uid == 0)
		assert_int_equal(seteuid(65534), 0);
	set_parents_mode(&cg, 0555);
	r = cgroup_create(&cg, 0, &t->err);
	if (uid == 0)
		assert_int_equal(seteuid(uid), 0);
	set_parents_mode(&cg, 0755);
	assert_ok(t, r);
	for (size_t i = 0; i < cg.n_nodes; i++)
		assert_true(cg.node[i].absent);
	cgroup_save_paths(&cg, &paths);
	assert_int_equal(paths.n, 0);
	assert_ok(t, cgroup_apply(&cg, NULL, &t->err));
	assert_true(cgroup_apply(&cg, &res, &t->err) < 0);
	assert_non_null(strstr(t->err.msg,
			       "cannot set pids limit: container could not join or create cgroup"));
	assert_true(cgroup_freeze(&cg, &t->err) < 0);
	assert_int_equal(t->err.kind, ERR_UNSUPPORTED);
	assert_ok(t, cgroup_kill(&cg, &t->err));
	assert_ok(t, cgroup_destroy(&cg, &t->err));
}

static void test_disabled(void **state)
{
	struct tree *t = *state;
	struct cgroup_opts opts = { .driver = CGROUP_DRIVER_DISABLED, .id = "web" };
	auto_cgroup struct cgroup cg = CGROUP_INIT;
	struct cgroup_entry entry = CGROUP_ENTRY_INIT;
	struct cgroup_pids pids;
	bool frozen = true;

	assert_ok(t, cgroup_open(&cg, &opts, &t->err));
	assert_ok(t, cgroup_create(&cg, 0, &t->err));
	assert_true(cgroup_clone_fd(&cg) < 0);
	assert_ok(t, cgroup_entry_open(&cg, false, &entry, &t->err));
	assert_int_equal(entry.n, 0);
	assert_ok(t, cgroup_enter_self(&entry, &t->err));
	assert_ok(t, cgroup_apply(&cg, NULL, &t->err));
	assert_ok(t, cgroup_is_frozen(&cg, &frozen, &t->err));
	assert_false(frozen);
	assert_true(cgroup_freeze(&cg, &t->err) < 0);
	assert_int_equal(t->err.kind, ERR_UNSUPPORTED);
	assert_ok(t, cgroup_pids(&cg, &pids, &t->err));
	assert_int_equal(pids.n, 0);
	assert_ok(t, cgroup_kill(&cg, &t->err));
	assert_ok(t, cgroup_destroy(&cg, &t->err));
	cgroup_undo_create(&cg);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_modes),	 TEST(test_paths_v1),	   TEST(test_paths_v2),
		TEST(test_paths_bind),	 TEST(test_open_refused),  TEST(test_create_v1),
		TEST(test_create_fails), TEST(test_create_v2),	   TEST(test_create_threaded),
		TEST(test_limits_v2),	 TEST(test_limits_hybrid), TEST(test_pids),
		TEST(test_rootless),	 TEST(test_disabled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
