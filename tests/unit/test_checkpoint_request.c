/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/checkpoint/request.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/str.h"

/* Plans as the planners would make them, with borrowed strings: nothing here is freed. */
#define S(text) ((char *)(uintptr_t)(text))

static struct mount_op ops[] = {
	{ .kind = MOUNT_OP_PROC, .destination = S("/proc") },
	{ .kind = MOUNT_OP_TMPFS, .destination = S("/dev") },
	{ .kind = MOUNT_OP_BIND, .destination = S("/data/"), .source = S("/srv/data") },
	{ .kind = MOUNT_OP_CGROUP, .destination = S("/sys/fs/cgroup") },
	{ .kind = MOUNT_OP_BIND, .destination = S("/etc/hosts"), .source = S("/run/c/hosts") },
};
static char *masked[] = { S("/proc/kcore"), S("/proc/acpi"), S("/proc/keys") };
static struct device_node nodes[] = {
	{ .path = S("/dev/null") },
	{ .path = S("/dev/fuse") },
};
static const struct device_plan devices = { .nodes = nodes, .n_nodes = 2 };
static const struct mount_cgroup_hierarchy hierarchies[] = {
	{ .mount_point = "/sys/fs/cgroup/memory", .own_dir = "/sys/fs/cgroup/memory/web" },
	{ .mount_point = "/sys/fs/cgroup/cpu,cpuacct", .own_dir = "/sys/fs/cgroup/cpu,cpuacct/w" },
};
static const struct mount_cgroup_facts cgroup = { .v1 = hierarchies, .n_v1 = 2 };

static struct mount_plan make_plan(enum mount_cgroup_mode mode, bool has_cgroup_ns)
{
	return (struct mount_plan){
		.ops = ops,
		.n_ops = ARRAY_SIZE(ops),
		.masked_paths = masked,
		.n_masked_paths = ARRAY_SIZE(masked),
		.facts = { .cgroup_mode = mode, .has_cgroup_ns = has_cgroup_ns },
	};
}

/* What the caller does after the list is made: here /proc/acpi is a directory, and /data a symlink. */
static void resolve(struct externals *e)
{
	for (size_t i = 0; i < e->n; i++) {
		if (str_eq(e->v[i].destination, "/proc/acpi"))
			externals_set_destination(e, i--, NULL);
		else if (str_eq(e->v[i].destination, "/data"))
			externals_set_destination(e, i, strdup("/mnt/disk"));
	}
}

static void assert_text(const CriuReq *message, const char *want)
{
	char *text = criu_message_to_text(&message->base);
	size_t len = criu_req__get_packed_size(message);
	uint8_t *packed = malloc(len);
	CriuReq *again;

	assert_string_equal(text, want);
	free(text);
	/* The same must come out at CRIU's end. */
	assert_int_equal(criu_req__pack(message, packed), len);
	again = criu_req__unpack(NULL, len, packed);
	assert_non_null(again);
	text = criu_message_to_text(&again->base);
	assert_string_equal(text, want);
	free(text);
	free(packed);
	criu_req__free_unpacked(again, NULL);
}

static const struct runtime_spec empty_spec;

static struct checkpoint_facts dump_facts(const struct externals *externals)
{
	return (struct checkpoint_facts){
		.criu_version = 40201,
		.init_pid = 4711,
		.images_dir_fd = 5,
		.work_dir_fd = -1,
		.rootfs = "/bundle/rootfs",
		.externals = externals,
	};
}

static struct restore_facts default_restore_facts(const struct externals *externals,
						  const struct descriptors *descriptors)
{
	return (struct restore_facts){
		.criu_version = 40201,
		.images_dir_fd = 5,
		.work_dir_fd = -1,
		.root = "/run/floe-runtime/web/criu-root",
		.externals = externals,
		.descriptors = descriptors,
	};
}

#define DUMP_HEAD                                                                                  \
	"type: DUMP\n"                                                                             \
	"opts.images_dir_fd: 5\n"                                                                  \
	"opts.pid: 4711\n"                                                                         \
	"opts.leave_running: false\n"                                                              \
	"opts.ext_unix_sk: false\n"                                                                \
	"opts.tcp_established: false\n"                                                            \
	"opts.shell_job: false\n"                                                                  \
	"opts.file_locks: false\n"                                                                 \
	"opts.log_level: 4\n"                                                                      \
	"opts.log_file: dump.log\n"                                                                \
	"opts.notify_scripts: true\n"                                                              \
	"opts.root: /bundle/rootfs\n"                                                              \
	"opts.auto_dedup: false\n"                                                                 \
	"opts.link_remap: false\n"
#define DUMP_TAIL                                                                                  \
	"opts.manage_cgroups: true\n"                                                              \
	"opts.manage_cgroups_mode: DEFAULT\n"                                                      \
	"opts.empty_ns: 1073741824\n"                                                              \
	"opts.tcp_skip_in_flight: false\n"                                                         \
	"opts.lazy_pages: false\n"                                                                 \
	"opts.orphan_pts_master: true\n"

static void test_dump_default(void **state UNUSED)
{
	struct externals none = EXTERNALS_INIT;
	struct checkpoint_facts facts = dump_facts(&none);
	auto_checkpoint_request struct checkpoint_request r = CHECKPOINT_REQUEST_INIT;
	struct err err = ERR_INIT;

	assert_int_equal(checkpoint_request_make(&r, &(struct checkpoint_options){ 0 }, &empty_spec,
						 &facts, &err),
			 0);
	assert_text(r.message, DUMP_HEAD DUMP_TAIL);
	assert_false(r.need.mem_track);
	assert_false(r.need.lazy_pages);
	assert_false(r.status_fd_is_passed);
}

static void test_dump_externals_v1(void **state UNUSED)
{
	struct mount_plan plan = make_plan(MOUNT_CGROUP_V1, false);
	auto_externals struct externals e = EXTERNALS_INIT;
	auto_checkpoint_request struct checkpoint_request r = CHECKPOINT_REQUEST_INIT;
	struct checkpoint_facts facts = dump_facts(&e);
	struct err err = ERR_INIT;

	externals_make(&e, &plan, &devices, &cgroup);
	resolve(&e);
	assert_int_equal(checkpoint_request_make(&r, &(struct checkpoint_options){ 0 }, &empty_spec,
						 &facts, &err),
			 0);
	assert_text(r.message, DUMP_HEAD "opts.ext_mnt.key: /mnt/disk\n"
					 "opts.ext_mnt.val: /mnt/disk\n"
					 "opts.ext_mnt.key: /sys/fs/cgroup/memory\n"
					 "opts.ext_mnt.val: /sys/fs/cgroup/memory\n"
					 "opts.ext_mnt.key: /sys/fs/cgroup/cpu,cpuacct\n"
					 "opts.ext_mnt.val: /sys/fs/cgroup/cpu,cpuacct\n"
					 "opts.ext_mnt.key: /etc/hosts\n"
					 "opts.ext_mnt.val: /etc/hosts\n"
					 "opts.ext_mnt.key: /dev/null\n"
					 "opts.ext_mnt.val: /dev/null\n"
					 "opts.ext_mnt.key: /dev/fuse\n"
					 "opts.ext_mnt.val: /dev/fuse\n"
					 "opts.ext_mnt.key: /proc/kcore\n"
					 "opts.ext_mnt.val: /dev/null\n"
					 "opts.ext_mnt.key: /proc/keys\n"
					 "opts.ext_mnt.val: /dev/null\n" DUMP_TAIL);
}

static void test_cgroup_mounts_of_its_own(void **state UNUSED)
{
	static const struct device_plan no_devices;
	struct mount_plan plan = make_plan(MOUNT_CGROUP_V1, true);
	struct externals e;

	plan.n_masked_paths = 0;
	externals_make(&e, &plan, &no_devices, &cgroup);
	assert_int_equal(e.n, 2);
	externals_done(&e);
	plan = make_plan(MOUNT_CGROUP_V2, false);
	plan.n_masked_paths = 0;
	externals_make(&e, &plan, &no_devices, &cgroup);
	assert_int_equal(e.n, 2);
	externals_done(&e);
	plan = make_plan(MOUNT_CGROUP_V1, false);
	plan.n_masked_paths = 0;
	externals_make(&e, &plan, &no_devices, NULL);
	assert_int_equal(e.n, 2);
	externals_done(&e);
	/* The tree of version 2 is the machine's, unless there is a cgroup namespace. */
	plan = make_plan(MOUNT_CGROUP_V2, false);
	plan.n_masked_paths = 0;
	externals_make(&e, &plan, &no_devices,
		       &(struct mount_cgroup_facts){ .v2_mount_point = "/sys/fs/cgroup" });
	assert_int_equal(e.n, 3);
	assert_int_equal(e.v[1].kind, EXTERNAL_CGROUP);
	assert_string_equal(e.v[1].destination, "/sys/fs/cgroup");
	assert_string_equal(e.v[1].source, "/sys/fs/cgroup");
	externals_done(&e);
	plan = make_plan(MOUNT_CGROUP_V2, true);
	plan.n_masked_paths = 0;
	externals_make(&e, &plan, &no_devices,
		       &(struct mount_cgroup_facts){ .v2_mount_point = "/sys/fs/cgroup" });
	assert_int_equal(e.n, 2);
	externals_done(&e);
}

static struct oci_namespace joined[] = {
	{ .type = S("pid"), .path = S("/proc/9/ns/pid") },
	{ .type = S("mount") },
	{ .type = S("ipc"), .path = S("/proc/9/ns/ipc") },
	{ .type = S("network"), .path = S("/run/netns/web") },
	{ .type = S("uts"), .path = S("/proc/9/ns/uts") },
};
static struct oci_linux joined_linux = { .namespaces = joined, .n_namespaces = 5 };

static void test_dump_with_everything(void **state UNUSED)
{
	struct runtime_spec spec = { .linux_ = &joined_linux };
	struct externals none = EXTERNALS_INIT;
	struct checkpoint_facts facts = dump_facts(&none);
	struct checkpoint_options opts = {
		.parent_path = "../p1",
		.leave_running = true,
		.tcp_established = true,
		.tcp_skip_in_flight = true,
		.link_remap = true,
		.ext_unix_sk = true,
		.shell_job = true,
		.file_locks = true,
		.auto_dedup = true,
		.lazy_pages = true,
		.status_fd = { true, 7 },
		.page_server = "[::1]:27",
		.cgroups_mode = CHECKPOINT_CGROUPS_IGNORE,
		.network_lock = CHECKPOINT_NETWORK_LOCK_NFTABLES,
	};
	auto_checkpoint_request struct checkpoint_request r = CHECKPOINT_REQUEST_INIT;
	struct err err = ERR_INIT;

	facts.work_dir_fd = 6;
	facts.freezer_path = "/sys/fs/cgroup/web";
	facts.freezer_is_v2 = true;
	facts.network_ns_inode = 4026531840;
	facts.pid_ns_inode = 4026531836;
	facts.config_file = "/etc/criu/runc.conf";
	facts.cgroup_yard = "/sys/fs/cgroup";
	facts.log_level = 2;
	assert_int_equal(checkpoint_request_make(&r, &opts, &spec, &facts, &err), 0);
	assert_text(r.message, "type: DUMP\n"
			       "opts.images_dir_fd: 5\n"
			       "opts.pid: 4711\n"
			       "opts.leave_running: true\n"
			       "opts.ext_unix_sk: true\n"
			       "opts.tcp_established: true\n"
			       "opts.shell_job: true\n"
			       "opts.file_locks: true\n"
			       "opts.log_level: 2\n"
			       "opts.log_file: dump.log\n"
			       "opts.ps.address: ::1\n"
			       "opts.ps.port: 27\n"
			       "opts.notify_scripts: true\n"
			       "opts.root: /bundle/rootfs\n"
			       "opts.parent_img: ../p1\n"
			       "opts.track_mem: true\n"
			       "opts.auto_dedup: true\n"
			       "opts.work_dir_fd: 6\n"
			       "opts.link_remap: true\n"
			       "opts.manage_cgroups: true\n"
			       "opts.manage_cgroups_mode: IGNORE\n"
			       "opts.external: net[4026531840]:extRootNetNS\n"
			       "opts.external: pid[4026531836]:extRootPidNS\n"
			       "opts.empty_ns: 1073741824\n"
			       "opts.freeze_cgroup: /sys/fs/cgroup/web\n"
			       "opts.tcp_skip_in_flight: true\n"
			       "opts.lazy_pages: true\n"
			       "opts.orphan_pts_master: true\n"
			       "opts.config_file: /etc/criu/runc.conf\n"
			       "opts.cgroup_yard: /sys/fs/cgroup\n"
			       "opts.network_lock: NFTABLES\n");
	assert_true(r.need.lazy_pages);
	assert_false(r.status_fd_is_passed);
}

/* What CRIU up to 4.2 would freeze and not bring back is refused before. */
static void test_dump_userns(void **state UNUSED)
{
	struct oci_namespace namespaces[] = { { .type = (char[]){ "user" } },
					      { .type = (char[]){ "cgroup" } } };
	struct oci_id_mapping few = { 0, 100000, 65534 };
	struct oci_id_mapping many = { 0, 100000, 65535 };
	struct oci_id_mapping root = { 0, 0, 1 };
	struct oci_linux l = { .namespaces = namespaces, .n_namespaces = 2 };
	const struct runtime_spec spec = { .linux_ = &l };
	const struct {
		struct oci_id_mapping *uids, *gids;
		size_t n_namespaces;
		int version;
		bool is_v2, leave_running;
		int want;
	} cases[] = {
		{ &few, &many, 2, 40200, true, false, -EOPNOTSUPP },
		{ &many, &few, 2, 40201, true, false, -EOPNOTSUPP },
		{ &many, &many, 2, 40200, true, false, 0 },
		{ &root, &root, 2, 40200, true, false, 0 },
		{ &few, &few, 1, 40200, true, false, 0 },
		{ &few, &few, 2, 40300, true, false, 0 },
		{ &few, &few, 2, 40200, false, false, 0 },
		{ &few, &few, 2, 40200, true, true, 0 },
	};
	struct externals none = EXTERNALS_INIT;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		auto_checkpoint_request struct checkpoint_request r = CHECKPOINT_REQUEST_INIT;
		struct checkpoint_options opts = { .leave_running = cases[i].leave_running };
		struct checkpoint_facts facts = dump_facts(&none);
		struct err err = ERR_INIT;

		facts.criu_version = cases[i].version;
		facts.freezer_is_v2 = cases[i].is_v2;
		l.uid_mappings = cases[i].uids;
		l.gid_mappings = cases[i].gids;
		l.n_uid_mappings = l.n_gid_mappings = 1;
		l.n_namespaces = cases[i].n_namespaces;
		assert_int_equal(checkpoint_request_make(&r, &opts, &spec, &facts, &err),
				 cases[i].want);
		if (cases[i].want < 0)
			assert_non_null(strstr(err.msg, "map 65536 ids"));
	}
}

static void test_pre_dump(void **state UNUSED)
{
	struct mount_plan plan = make_plan(MOUNT_CGROUP_V1, false);
	auto_externals struct externals e = EXTERNALS_INIT;
	auto_checkpoint_request struct checkpoint_request r = CHECKPOINT_REQUEST_INIT;
	struct checkpoint_facts facts = dump_facts(&e);
	struct checkpoint_options opts = { .pre_dump = true };
	struct err err = ERR_INIT;

	externals_make(&e, &plan, &devices, &cgroup);
	assert_int_equal(checkpoint_request_make(&r, &opts, &empty_spec, &facts, &err), 0);
	assert_int_equal(r.message->type, CRIU_REQ_TYPE__PRE_DUMP);
	assert_int_equal(r.message->opts->n_ext_mnt, 0);
	assert_true(r.need.mem_track);
}

static void test_old_criu(void **state UNUSED)
{
	struct externals none = EXTERNALS_INIT;
	struct checkpoint_facts facts = dump_facts(&none);
	struct checkpoint_options opts = { 0 };
	auto_checkpoint_request struct checkpoint_request r = CHECKPOINT_REQUEST_INIT;
	struct err err = ERR_INIT;

	facts.criu_version = 29999;
	assert_true(checkpoint_request_make(&r, &opts, &empty_spec, &facts, &err) < 0);
	assert_non_null(strstr(err.msg, "CRIU version 29999 must be 30000 or higher"));
	assert_int_equal(err.kind, ERR_UNSUPPORTED);
	facts.criu_version = 31000;
	assert_true(checkpoint_request_make(&r, &opts, &empty_spec, &facts, &err) < 0);
	assert_non_null(strstr(err.msg, "criu lacks support for external net namespace during the "
					"checkpointing process"));
	facts.criu_version = 31400;
	assert_true(checkpoint_request_make(&r, &opts, &empty_spec, &facts, &err) < 0);
	assert_non_null(strstr(err.msg, "external pid namespace"));
	facts.criu_version = 31500;
	opts.network_lock = CHECKPOINT_NETWORK_LOCK_NFTABLES;
	assert_true(checkpoint_request_make(&r, &opts, &empty_spec, &facts, &err) < 0);
	assert_non_null(strstr(err.msg, "at least CRIU 3.16"));
	facts.criu_version = 31800;
	opts.network_lock = CHECKPOINT_NETWORK_LOCK_SKIP;
	assert_true(checkpoint_request_make(&r, &opts, &empty_spec, &facts, &err) < 0);
	assert_non_null(strstr(err.msg, "at least CRIU 3.19"));
	facts.criu_version = 31900;
	assert_int_equal(checkpoint_request_make(&r, &opts, &empty_spec, &facts, &err), 0);
	assert_int_equal(r.message->opts->network_lock, CRIU_NETWORK_LOCK__SKIP);
}

static struct json_string_pair annotation = { S("org.criu.config"), S("/etc/criu/mine.conf") };

static void test_config_file(void **state UNUSED)
{
	struct runtime_spec spec = { .annotations = { .v = &annotation, .n = 1 } };
	struct externals none = EXTERNALS_INIT;
	struct checkpoint_facts facts = dump_facts(&none);
	struct checkpoint_options opts = { 0 };
	struct checkpoint_request r;
	struct err err = ERR_INIT;

	facts.config_file = "/etc/criu/runc.conf";
	assert_int_equal(checkpoint_request_make(&r, &opts, &spec, &facts, &err), 0);
	assert_string_equal(r.message->opts->config_file, "/etc/criu/mine.conf");
	checkpoint_request_done(&r);
	/* There but empty: none at all. */
	annotation.value = S("");
	assert_int_equal(checkpoint_request_make(&r, &opts, &spec, &facts, &err), 0);
	assert_null(r.message->opts->config_file);
	checkpoint_request_done(&r);
}

static void assert_usage(const struct checkpoint_options *opts, const char *text)
{
	struct err err = ERR_INIT;

	assert_true(checkpoint_options_check(opts, &err) < 0);
	assert_int_equal(err.kind, ERR_USAGE);
	assert_string_equal(err.msg, text);
}

static void test_checkpoint_options(void **state UNUSED)
{
	static char *nets[] = { S("network"), S("ipc"), NULL };
	struct err err = ERR_INIT;

	assert_usage(&(struct checkpoint_options){ .parent_path = "/p" },
		     "--parent-path must be relative (to the image path), not '/p'");
	assert_usage(&(struct checkpoint_options){ .page_server = "host" },
		     "--page-server 'host': use --page-server ADDRESS:PORT");
	assert_usage(&(struct checkpoint_options){ .page_server = ":27" },
		     "--page-server ':27': use --page-server ADDRESS:PORT");
	assert_usage(&(struct checkpoint_options){ .page_server = "host:" },
		     "--page-server 'host:': use --page-server ADDRESS:PORT");
	assert_usage(&(struct checkpoint_options){ .page_server = "host:70000" },
		     "--page-server 'host:70000': invalid port number");
	assert_usage(&(struct checkpoint_options){ .page_server = "host:x" },
		     "--page-server 'host:x': invalid port number");
	assert_usage(&(struct checkpoint_options){ .pre_dump = true, .lazy_pages = true },
		     "--pre-dump and --lazy-pages exclude each other");
	assert_usage(&(struct checkpoint_options){ .lazy_pages = true, .status_fd = { true, -2 } },
		     "invalid --status-fd argument -2");
	assert_usage(&(struct checkpoint_options){ .empty_ns = { .v = nets, .n = 2 } },
		     "--empty-ns: namespace 'ipc' is not supported; only 'network' is");
	assert_int_equal(
		checkpoint_options_check(&(struct checkpoint_options){ .empty_ns = { nets, 1 },
								       .status_fd = { true, -1 } },
					 &err),
		0);
	assert_int_equal(checkpoint_options_check(
				 &(struct checkpoint_options){ .status_fd = { true, 3 } }, &err),
			 0);
}

#define RESTORE_HEAD                                                                               \
	"type: RESTORE\n"                                                                          \
	"opts.images_dir_fd: 5\n"                                                                  \
	"opts.ext_unix_sk: false\n"                                                                \
	"opts.tcp_established: false\n"                                                            \
	"opts.evasive_devices: true\n"                                                             \
	"opts.shell_job: false\n"                                                                  \
	"opts.file_locks: false\n"                                                                 \
	"opts.log_level: 4\n"                                                                      \
	"opts.log_file: restore.log\n"                                                             \
	"opts.notify_scripts: true\n"                                                              \
	"opts.root: /run/floe-runtime/web/criu-root\n"                                             \
	"opts.auto_dedup: false\n"

static const struct descriptors two_pipes = { { S("/dev/null"), S("pipe:[77]"), S("pipe:[78]") } };

static void test_restore_in_own_namespaces(void **state UNUSED)
{
	struct mount_plan plan = make_plan(MOUNT_CGROUP_V1, false);
	auto_externals struct externals e = EXTERNALS_INIT;
	auto_checkpoint_request struct checkpoint_request r = CHECKPOINT_REQUEST_INIT;
	struct restore_facts facts = default_restore_facts(&e, &two_pipes);
	struct err err = ERR_INIT;

	externals_make(&e, &plan, &devices, &cgroup);
	resolve(&e);
	assert_int_equal(
		restore_request_make(&r, &(struct restore_options){ 0 }, &empty_spec, &facts, &err),
		0);
	assert_text(r.message, RESTORE_HEAD "opts.ext_mnt.key: /mnt/disk\n"
					    "opts.ext_mnt.val: /srv/data\n"
					    "opts.ext_mnt.key: /sys/fs/cgroup/memory\n"
					    "opts.ext_mnt.val: /sys/fs/cgroup/memory/web\n"
					    "opts.ext_mnt.key: /sys/fs/cgroup/cpu,cpuacct\n"
					    "opts.ext_mnt.val: /sys/fs/cgroup/cpu,cpuacct/w\n"
					    "opts.ext_mnt.key: /etc/hosts\n"
					    "opts.ext_mnt.val: /run/c/hosts\n"
					    /* Also what the masked files are restored from. */
					    "opts.ext_mnt.key: /dev/null\n"
					    "opts.ext_mnt.val: /dev/null\n"
					    "opts.ext_mnt.key: /dev/fuse\n"
					    "opts.ext_mnt.val: /dev/fuse\n"
					    "opts.manage_cgroups: true\n"
					    "opts.rst_sibling: true\n"
					    "opts.inherit_fd.key: pipe:[77]\n"
					    "opts.inherit_fd.fd: 1\n"
					    "opts.inherit_fd.key: pipe:[78]\n"
					    "opts.inherit_fd.fd: 2\n"
					    "opts.manage_cgroups_mode: DEFAULT\n"
					    "opts.empty_ns: 1073741824\n"
					    "opts.lazy_pages: false\n"
					    "opts.orphan_pts_master: true\n");
}

static void test_restore_into_namespaces(void **state UNUSED)
{
	struct runtime_spec spec = { .linux_ = &joined_linux };
	struct externals none = EXTERNALS_INIT;
	struct restore_facts facts = default_restore_facts(&none, &two_pipes);
	struct restore_options opts = {
		.tcp_close = true,
		.lsm_profile = "apparmor:floe",
		.lsm_mount_context = "system_u:object_r:container_file_t:s0",
		.network_lock = CHECKPOINT_NETWORK_LOCK_SKIP,
		.cgroups_mode = CHECKPOINT_CGROUPS_STRICT,
	};
	struct restore_namespace ns[RESTORE_NAMESPACES_MAX];
	struct procfs_cgroup entries[] = {
		{ 4, "cpu,cpuacct", "/web" },
		{ 1, "name=systemd", "/web" },
		{ 0, "", "/" },
	};
	struct procfs_cgroups cgroups = { .v = entries, .n = 3 };
	auto_checkpoint_request struct checkpoint_request r = CHECKPOINT_REQUEST_INIT;
	struct err err = ERR_INIT;

	assert_int_equal(restore_namespaces(&spec, ns), 2);
	assert_string_equal(ns[0].path, "/proc/9/ns/pid");
	assert_string_equal(ns[0].key, "extRootPidNS");
	assert_string_equal(ns[1].path, "/run/netns/web");
	assert_string_equal(ns[1].key, "extRootNetNS");
	assert_int_equal(restore_request_make(&r, &opts, &spec, &facts, &err), 0);
	restore_request_add_cgroups(&r, &cgroups);
	assert_text(r.message, RESTORE_HEAD "opts.manage_cgroups: true\n"
					    "opts.cg_root.ctrl: cpu\n"
					    "opts.cg_root.path: /web\n"
					    "opts.cg_root.ctrl: cpuacct\n"
					    "opts.cg_root.path: /web\n"
					    "opts.cg_root.ctrl: name=systemd\n"
					    "opts.cg_root.path: /web\n"
					    "opts.cg_root.ctrl: \n"
					    "opts.cg_root.path: /\n"
					    "opts.rst_sibling: true\n"
					    "opts.inherit_fd.key: extRootPidNS\n"
					    "opts.inherit_fd.fd: 4\n"
					    "opts.inherit_fd.key: extRootNetNS\n"
					    "opts.inherit_fd.fd: 5\n"
					    "opts.inherit_fd.key: pipe:[77]\n"
					    "opts.inherit_fd.fd: 1\n"
					    "opts.inherit_fd.key: pipe:[78]\n"
					    "opts.inherit_fd.fd: 2\n"
					    "opts.manage_cgroups_mode: STRICT\n"
					    "opts.empty_ns: 1073741824\n"
					    "opts.join_ns.ns: ipc\n"
					    "opts.join_ns.ns_file: /proc/9/ns/ipc\n"
					    "opts.join_ns.ns: uts\n"
					    "opts.join_ns.ns_file: /proc/9/ns/uts\n"
					    "opts.lazy_pages: false\n"
					    "opts.orphan_pts_master: true\n"
					    "opts.tcp_close: true\n"
					    "opts.lsm_profile: apparmor:floe\n"
					    "opts.lsm_mount_context: "
					    "system_u:object_r:container_file_t:s0\n"
					    "opts.network_lock: SKIP\n");
}

static void test_restore_refusals(void **state UNUSED)
{
	struct oci_namespace ns = { .type = S("cgroup"), .path = S("/proc/9/ns/cgroup") };
	struct oci_linux l = { .namespaces = &ns, .n_namespaces = 1 };
	struct runtime_spec spec = { .linux_ = &l };
	struct externals none = EXTERNALS_INIT;
	struct restore_facts facts = default_restore_facts(&none, &two_pipes);
	struct checkpoint_request r;
	struct err err = ERR_INIT;

	assert_true(restore_request_make(&r, &(struct restore_options){ 0 }, &spec, &facts, &err) <
		    0);
	assert_non_null(strstr(err.msg, "CRIU cannot join cgroup namespaces"));
	facts.criu_version = 31500;
	assert_true(restore_request_make(&r, &(struct restore_options){ .lsm_profile = "a:b" },
					 &empty_spec, &facts, &err) < 0);
	assert_non_null(strstr(err.msg, "--lsm-profile requires at least CRIU 3.16"));
	assert_true(restore_options_check(&(struct restore_options){ .lsm_profile = "floe" },
					  &err) < 0);
	assert_int_equal(err.kind, ERR_USAGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dump_default),
		cmocka_unit_test(test_dump_externals_v1),
		cmocka_unit_test(test_cgroup_mounts_of_its_own),
		cmocka_unit_test(test_dump_with_everything),
		cmocka_unit_test(test_dump_userns),
		cmocka_unit_test(test_pre_dump),
		cmocka_unit_test(test_old_criu),
		cmocka_unit_test(test_config_file),
		cmocka_unit_test(test_checkpoint_options),
		cmocka_unit_test(test_restore_in_own_namespaces),
		cmocka_unit_test(test_restore_into_namespaces),
		cmocka_unit_test(test_restore_refusals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
