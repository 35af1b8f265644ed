/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cgroups on the running kernel, in a sub-group of our own: /floe-test-PID. Needs root and mounted
 * hierarchies; every test leaves the trees as they were.
 */
#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/alloc.h"
#include "core/clock.h"
#include "core/io.h"
#include "core/str.h"
#include "core/strvec.h"
#include "kernel/procfs.h"
#include "kernel/syscalls.h"
#include "runtime/cgroup/backend.h"

struct fixture {
	char *top; /* "/floe-test-PID" */
	char *path; /* "/floe-test-PID/web" */
	struct cgroup cg;
	struct err err;
};

#define assert_ok(f, call)                                                                         \
	do {                                                                                       \
		if ((call) < 0)                                                                    \
			fail_msg("%s: %s", #call, (f)->err.msg);                                   \
	} while (0)

static void open_cgroup(struct fixture *f, struct cgroup *ret)
{
	struct cgroup_opts opts = {
		.driver = CGROUP_DRIVER_CGROUPFS,
		.cgroups_path = f->path,
		.id = "web",
	};

	assert_ok(f, cgroup_open(ret, &opts, &f->err));
}

static int set_up(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));

	f->top = xasprintf("/floe-test-%d", (int)getpid());
	f->path = xasprintf("%s/web", f->top);
	*state = f;
	if (geteuid() != 0)
		return 0;
	open_cgroup(f, &f->cg);
	return 0;
}

/* Directories of ours that are still there. */
static size_t count_left(const struct fixture *f)
{
	size_t n = 0;

	for (size_t i = 0; i < f->cg.n_nodes; i++) {
		const struct cgroup_node *node = &f->cg.node[i];
		auto_free char *top = xasprintf("%.*s%s", (int)node->mount_len, node->path, f->top);

		n += access(top, F_OK) == 0;
	}
	return n;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	size_t left;

	if (f->cg.backend) {
		(void)cgroup_kill(&f->cg, NULL);
		(void)cgroup_destroy(&f->cg, NULL);
		cgroup_undo_create(&f->cg);
	}
	for (size_t i = 0; i < f->cg.n_nodes; i++) {
		auto_free char *top = xasprintf("%.*s%s", (int)f->cg.node[i].mount_len,
						f->cg.node[i].path, f->top);

		(void)rmdir(top);
	}
	left = count_left(f);
	cgroup_close(&f->cg);
	free(f->top);
	free(f->path);
	free(f);
	return left == 0 ? 0 : -1;
}

#define need_root()                                                                                \
	do {                                                                                       \
		if (geteuid() != 0) {                                                              \
			print_message("not root\n");                                               \
			skip();                                                                    \
		}                                                                                  \
	} while (0)

/* A process in the cgroup that runs `body` after it has entered; -1 in the place of a status. */
static pid_t spawn(struct fixture *f, struct cgroup *cg, void (*body)(void))
{
	auto_cgroup_entry struct cgroup_entry entry = CGROUP_ENTRY_INIT;
	int unified_fd = cgroup_clone_fd(cg);
	struct clone_args args = { .exit_signal = SIGCHLD };
	int ready[2];
	char c;
	pid_t pid;

	if (unified_fd >= 0) {
		args.flags = CLONE_INTO_CGROUP;
		args.cgroup = (unsigned int)unified_fd;
	}
	assert_ok(f, cgroup_entry_open(cg, unified_fd >= 0, &entry, &f->err));
	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	pid = sys_clone3(&args);
	if (pid == 0) {
		if (cgroup_enter_self(&entry, NULL) < 0)
			_exit(100);
		(void)!write(ready[1], "x", 1);
		body();
		_exit(101);
	}
	assert_true(pid > 0);
	(void)close(ready[1]);
	assert_int_equal(read(ready[0], &c, 1), 1);
	(void)close(ready[0]);
	return pid;
}

static void body_sleep(void)
{
	for (;;)
		pause();
}

static int reap(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void read_node(struct fixture *f, const char *controller, const char *file,
		      struct strbuf *sb)
{
	const struct cgroup_node *node = cgroup_node_of(&f->cg, controller);
	auto_free char *path = NULL;

	assert_non_null(node);
	path = xasprintf("%s/%s", node->path, file);
	strbuf_clear(sb);
	assert_int_equal(io_read_file_at(AT_FDCWD, path, 65536, sb), 0);
	while (sb->len && sb->buf[sb->len - 1] == '\n')
		strbuf_truncate(sb, sb->len - 1);
}

/* A child is in our cgroup in every hierarchy, and the same paths come back from a saved state. */
static void test_enter(void **state)
{
	struct fixture *f = *state;
	auto_procfs struct procfs proc = PROCFS_INIT;
	auto_procfs_cgroups struct procfs_cgroups membership = PROCFS_CGROUPS_INIT;
	auto_cgroup struct cgroup saved = CGROUP_INIT;
	struct cgroup_pids pids;
	struct json_string_map paths = { 0 };
	pid_t pid;

	need_root();
	assert_ok(f, cgroup_create_unified(&f->cg, &f->err));
	assert_ok(f, cgroup_create(&f->cg, 0, &f->err));
	pid = spawn(f, &f->cg, body_sleep);

	assert_int_equal(procfs_open(&proc, NULL), 0);
	assert_int_equal(procfs_read_cgroups(&proc, pid, &membership), 0);
	for (size_t i = 0; i < membership.n; i++)
		if (cgroup_node_of(&f->cg, membership.v[i].controllers))
			assert_string_equal(membership.v[i].path, f->path);

	cgroup_save_paths(&f->cg, &paths);
	assert_ok(f, cgroup_open_saved(&saved, CGROUP_DRIVER_CGROUPFS, &paths, &f->err));
	json_string_map_done(&paths);
	assert_int_equal(saved.n_nodes, f->cg.n_nodes);
	assert_int_equal(saved.is_v2, f->cg.is_v2);
	assert_ok(f, cgroup_pids(&saved, &pids, &f->err));
	assert_int_equal(pids.n, 1);
	assert_int_equal(pids.v[0], pid);
	cgroup_pids_done(&pids);

	assert_ok(f, cgroup_kill(&saved, &f->err));
	assert_int_equal(WTERMSIG(reap(pid)), SIGKILL);
	assert_true(cgroup_exists(&saved));
	assert_ok(f, cgroup_destroy(&saved, &f->err));
	assert_false(cgroup_exists(&saved));
	assert_ok(f, cgroup_destroy(&saved, &f->err));
}

/* By pid as well, which is what a process of another program (criu) needs. */
static void test_attach_pid(void **state)
{
	struct fixture *f = *state;
	struct cgroup_pids pids;
	pid_t pid;

	need_root();
	assert_ok(f, cgroup_create(&f->cg, 0, &f->err));
	pid = fork();
	if (pid == 0)
		body_sleep();
	assert_ok(f, cgroup_attach_pid(&f->cg, pid, &f->err));
	assert_ok(f, cgroup_pids(&f->cg, &pids, &f->err));
	assert_int_equal(pids.n, 1);
	cgroup_pids_done(&pids);
	assert_ok(f, cgroup_signal(&f->cg, SIGTERM, &f->err));
	assert_int_equal(WTERMSIG(reap(pid)), SIGTERM);
}

static void test_create_refuses(void **state)
{
	struct fixture *f = *state;
	auto_cgroup struct cgroup again = CGROUP_INIT;
	pid_t pid;

	need_root();
	assert_ok(f, cgroup_create(&f->cg, 0, &f->err));
	/* Empty and there: taken as it is, and not removed by the undo of who did not make it. */
	open_cgroup(f, &again);
	assert_ok(f, cgroup_create(&again, 0, &f->err));
	cgroup_undo_create(&again);
	assert_true(cgroup_exists(&f->cg));
	cgroup_close(&again);

	pid = spawn(f, &f->cg, body_sleep);
	open_cgroup(f, &again);
	assert_true(cgroup_create(&again, 0, &f->err) < 0);
	assert_int_equal(f->err.kind, ERR_STATE);
	assert_non_null(strstr(f->err.msg, "container's cgroup is not empty: 1 process(es) found"));
	assert_true(cgroup_exists(&f->cg));
	cgroup_close(&again);
	assert_ok(f, cgroup_kill(&f->cg, &f->err));
	(void)reap(pid);

	assert_ok(f, cgroup_freeze(&f->cg, &f->err));
	open_cgroup(f, &again);
	assert_true(cgroup_create(&again, 0, &f->err) < 0);
	assert_non_null(strstr(f->err.msg, "container's cgroup unexpectedly frozen"));
	assert_ok(f, cgroup_thaw(&f->cg, &f->err));
}

static void test_undo(void **state)
{
	struct fixture *f = *state;

	need_root();
	assert_ok(f, cgroup_create_unified(&f->cg, &f->err));
	cgroup_undo_create(&f->cg);
	assert_int_equal(count_left(f), 0);
	assert_ok(f, cgroup_create(&f->cg, 0, &f->err));
	assert_int_equal(count_left(f), f->cg.n_nodes);
	cgroup_undo_create(&f->cg);
	assert_int_equal(count_left(f), 0);
}

/* A create that fails while the init lives in the v2 node: that one goes when the init is gone. */
static void test_undo_late(void **state)
{
	struct fixture *f = *state;
	const struct cgroup_node *node;
	auto_cgroup struct cgroup other = CGROUP_INIT;
	struct json_string_map paths = { 0 };
	struct clone_args args = { .flags = CLONE_INTO_CGROUP, .exit_signal = SIGCHLD };
	pid_t blocker;
	pid_t init;

	need_root();
	node = cgroup_node_of(&f->cg, "pids");
	if (f->cg.is_v2 || !cgroup_node_of(&f->cg, "") || !node)
		skip();
	json_string_map_set(&paths, "pids", node->path);
	assert_ok(f, cgroup_open_saved(&other, CGROUP_DRIVER_CGROUPFS, &paths, &f->err));
	json_string_map_done(&paths);
	other.node[0].mount_len = node->mount_len;
	assert_ok(f, cgroup_create(&other, 0, &f->err));
	blocker = spawn(f, &other, body_sleep);

	assert_ok(f, cgroup_create_unified(&f->cg, &f->err));
	args.cgroup = (unsigned int)cgroup_clone_fd(&f->cg);
	init = sys_clone3(&args);
	if (init == 0)
		body_sleep();
	assert_true(init > 0);
	assert_true(cgroup_create(&f->cg, 0, &f->err) < 0);
	assert_non_null(strstr(f->err.msg, "not empty"));
	assert_int_equal(count_left(f), 2);
	assert_int_equal(kill(init, SIGKILL), 0);
	(void)reap(init);
	cgroup_undo_create(&f->cg);
	assert_int_equal(count_left(f), 1);
	assert_ok(f, cgroup_kill(&other, &f->err));
	(void)reap(blocker);
	cgroup_undo_create(&other);
	assert_int_equal(count_left(f), 0);
}

static bool has_v1(const struct fixture *f, const char *controller)
{
	return !f->cg.is_v2 && cgroup_node_of(&f->cg, controller);
}

static void test_limits_v1(void **state)
{
	struct fixture *f = *state;
	auto_strbuf struct strbuf text = STRBUF_INIT;
	struct oci_memory memory = { .limit = { true, 64 << 20 }, .swap = { true, 128 << 20 } };
	struct oci_cpu cpu = {
		.shares = { true, 512 },
		.quota = { true, 20000 },
		.period = { true, 50000 },
	};
	struct oci_pids max = { .limit = { true, 33 } };
	struct oci_resources res = { .memory = &memory, .cpu = &cpu, .pids = &max };

	need_root();
	if (!has_v1(f, "memory") || !has_v1(f, "cpu") || !has_v1(f, "pids"))
		skip();
	assert_ok(f, cgroup_create(&f->cg, 0, &f->err));
	assert_ok(f, cgroup_apply(&f->cg, &res, &f->err));
	read_node(f, "memory", "memory.limit_in_bytes", &text);
	assert_string_equal(text.buf, "67108864");
	read_node(f, "memory", "memory.memsw.limit_in_bytes", &text);
	assert_string_equal(text.buf, "134217728");
	read_node(f, "cpu", "cpu.shares", &text);
	assert_string_equal(text.buf, "512");
	read_node(f, "cpu", "cpu.cfs_quota_us", &text);
	assert_string_equal(text.buf, "20000");
	read_node(f, "pids", "pids.max", &text);
	assert_string_equal(text.buf, "33");

	/* Up, above the old memory+swap: needs the other order; then down again. */
	memory.limit.v = 256 << 20;
	memory.swap.v = 256 << 20;
	assert_ok(f, cgroup_update(&f->cg, &res, NULL, &f->err));
	read_node(f, "memory", "memory.limit_in_bytes", &text);
	assert_string_equal(text.buf, "268435456");
	memory.limit.v = 32 << 20;
	memory.swap.v = 32 << 20;
	assert_ok(f, cgroup_update(&f->cg, &res, NULL, &f->err));
	read_node(f, "memory", "memory.memsw.limit_in_bytes", &text);
	assert_string_equal(text.buf, "33554432");
	memory.limit.v = -1;
	memory.swap.set = false;
	assert_ok(f, cgroup_update(&f->cg, &res, NULL, &f->err));
	read_node(f, "memory", "memory.memsw.limit_in_bytes", &text);
	assert_string_equal(text.buf, "9223372036854771712");
}

static void test_update_rolls_back(void **state)
{
	struct fixture *f = *state;
	auto_strbuf struct strbuf text = STRBUF_INIT;
	struct oci_pids old_max = { .limit = { true, 33 } };
	struct oci_pids new_max = { .limit = { true, 44 } };
	char node_999[] = "999";
	struct oci_cpu bad = { .cpus = node_999 };
	struct oci_memory memory = { .limit = { true, 64 << 20 } };
	struct oci_memory new_memory = { .limit = { true, 65 << 20 } };
	struct oci_resources old = { .memory = &memory, .pids = &old_max };
	struct oci_resources new = { .memory = &new_memory, .pids = &new_max, .cpu = &bad };

	need_root();
	if (!has_v1(f, "memory") || !has_v1(f, "cpuset") || !has_v1(f, "pids"))
		skip();
	assert_ok(f, cgroup_create(&f->cg, 0, &f->err));
	assert_ok(f, cgroup_apply(&f->cg, &old, &f->err));
	assert_true(cgroup_update(&f->cg, &new, &old, &f->err) < 0);
	assert_non_null(strstr(f->err.msg, "set cpu.cpus: write '999' to '"));
	read_node(f, "memory", "memory.limit_in_bytes", &text);
	assert_string_equal(text.buf, "67108864");
	read_node(f, "pids", "pids.max", &text);
	assert_string_equal(text.buf, "33");
}

static void test_missing_controller(void **state)
{
	struct fixture *f = *state;
	struct oci_network network = { .class_id = { true, 1 } };
	struct oci_resources res = { .network = &network };

	need_root();
	if (f->cg.is_v2 || cgroup_node_of(&f->cg, "net_cls"))
		skip();
	assert_ok(f, cgroup_create(&f->cg, 0, &f->err));
	assert_true(cgroup_apply(&f->cg, &res, &f->err) < 0);
	assert_int_equal(f->err.kind, ERR_UNSUPPORTED);
	assert_string_equal(f->err.msg, "cannot set network.classID: the cgroup controller "
					"'net_cls' is not available");
}

/* Exit status: 1 null is denied, 2 the new device could be read, 4 mknod is denied. */
static void body_devices(void)
{
	char dir[] = "/tmp/floe-test-XXXXXX";
	char path[64];
	int result = 0;
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		result |= 1;
	if (!mkdtemp(dir))
		_exit(50);
	(void)snprintf(path, sizeof(path), "%s/kmsg", dir);
	if (mknod(path, S_IFCHR | 0600, makedev(1, 11)) < 0)
		result |= 4;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
		result |= 2;
	(void)unlink(path);
	(void)rmdir(dir);
	_exit(result);
}

static void check_devices(struct fixture *f, struct cgroup *cg)
{
	char c[] = "c";
	struct oci_device_rule rules[] = {
		{ .allow = false },
		{ .allow = true, .type = c, .major = { true, 1 }, .minor = { true, 11 } },
	};
	struct oci_resources res = { .devices = rules, .n_devices = 1 };

	assert_ok(f, cgroup_apply(cg, &res, &f->err));
	assert_int_equal(WEXITSTATUS(reap(spawn(f, cg, body_devices))), 0);
	res.n_devices = 2;
	assert_ok(f, cgroup_apply(cg, &res, &f->err));
	assert_int_equal(WEXITSTATUS(reap(spawn(f, cg, body_devices))), 2);
	/* The program of before must be gone, and with it its denial. */
	rules[0].allow = true;
	res.n_devices = 1;
	assert_ok(f, cgroup_apply(cg, &res, &f->err));
	assert_int_equal(WEXITSTATUS(reap(spawn(f, cg, body_devices))), 2);
	assert_ok(f, cgroup_apply(cg, NULL, &f->err));
	assert_int_equal(WEXITSTATUS(reap(spawn(f, cg, body_devices))), 0);
}

static void test_devices(void **state)
{
	struct fixture *f = *state;

	need_root();
	assert_ok(f, cgroup_create(&f->cg, 0, &f->err));
	check_devices(f, &f->cg);
}

/* Rules that are in force before anybody enters are not written again by what follows the entry. */
static void test_devices_before_entry(void **state)
{
	struct fixture *f = *state;
	char c[] = "c";
	struct oci_device_rule rule = {
		.allow = true, .type = c, .major = { true, 1 }, .minor = { true, 11 }
	};
	struct oci_resources res = { .devices = &rule, .n_devices = 1 };

	need_root();
	assert_ok(f, cgroup_create(&f->cg, 0, &f->err));
	assert_ok(f, cgroup_apply_before_entry(&f->cg, &res, &f->err));
	if (!cgroup_node_of(&f->cg, "devices") || f->cg.is_v2)
		skip();
	assert_int_equal(WEXITSTATUS(reap(spawn(f, &f->cg, body_devices))), 2);
	assert_ok(f, cgroup_apply(&f->cg, NULL, &f->err));
	assert_int_equal(WEXITSTATUS(reap(spawn(f, &f->cg, body_devices))), 2);
	assert_ok(f, cgroup_apply(&f->cg, NULL, &f->err));
	assert_int_equal(WEXITSTATUS(reap(spawn(f, &f->cg, body_devices))), 0);
}

/* Only the v2 tree, as on a v2 host; *ret borrows nothing. False: there is none. */
static bool open_only_unified(struct fixture *f, struct cgroup *ret)
{
	const struct cgroup_node *node = cgroup_node_of(&f->cg, "");
	struct json_string_map paths = { 0 };

	if (!node)
		return false;
	assert_ok(f, cgroup_create_unified(&f->cg, &f->err));
	json_string_map_set(&paths, "", node->path);
	assert_ok(f, cgroup_open_saved(ret, CGROUP_DRIVER_CGROUPFS, &paths, &f->err));
	json_string_map_done(&paths);
	assert_true(ret->is_v2);
	return true;
}

static void test_devices_v2(void **state)
{
	struct fixture *f = *state;
	auto_cgroup struct cgroup cg = CGROUP_INIT;

	need_root();
	if (!open_only_unified(f, &cg))
		skip();
	check_devices(f, &cg);
}

static bool process_is_frozen_or_idle(pid_t pid)
{
	auto_procfs struct procfs proc = PROCFS_INIT;
	struct procfs_stat stat;

	assert_int_equal(procfs_open(&proc, NULL), 0);
	assert_int_equal(procfs_read_stat(&proc, pid, &stat), 0);
	return stat.state != 'R';
}

static void body_spin(void)
{
	for (;;)
		;
}

static void check_freezer(struct fixture *f, struct cgroup *cg)
{
	pid_t pid = spawn(f, cg, body_spin);
	bool frozen = true;

	assert_ok(f, cgroup_is_frozen(cg, &frozen, &f->err));
	assert_false(frozen);
	assert_ok(f, cgroup_freeze(cg, &f->err));
	assert_ok(f, cgroup_is_frozen(cg, &frozen, &f->err));
	assert_true(frozen);
	assert_true(process_is_frozen_or_idle(pid));
	assert_ok(f, cgroup_thaw(cg, &f->err));
	assert_ok(f, cgroup_is_frozen(cg, &frozen, &f->err));
	assert_false(frozen);
	/* Killing a frozen one ends it. */
	assert_ok(f, cgroup_freeze(cg, &f->err));
	assert_ok(f, cgroup_kill(cg, &f->err));
	assert_int_equal(WTERMSIG(reap(pid)), SIGKILL);
	assert_ok(f, cgroup_destroy(cg, &f->err));
	assert_ok(f, cgroup_is_frozen(cg, &frozen, &f->err));
	assert_false(frozen);
}

static void test_freezer(void **state)
{
	struct fixture *f = *state;

	need_root();
	assert_ok(f, cgroup_create(&f->cg, 0, &f->err));
	check_freezer(f, &f->cg);
}

static void test_freezer_v2(void **state)
{
	struct fixture *f = *state;
	auto_cgroup struct cgroup cg = CGROUP_INIT;

	need_root();
	if (!open_only_unified(f, &cg))
		skip();
	check_freezer(f, &cg);
}

/* Forks for ever and leaves each parent at once; at most some hundred live at a time. */
static void body_fork(void)
{
	for (;;) {
		if (fork() == 0) {
			clock_sleep_ms(5);
			continue;
		}
		clock_sleep_ms(2);
		_exit(0);
	}
}

/* Processes of the cgroup, with those of a child group, after at most a second of waiting for none. */
static size_t count_after_kill(struct fixture *f, struct cgroup *cg)
{
	struct cgroup_pids pids;
	size_t n = 1;

	for (int i = 0; i < 1000 && n > 0; i++) {
		assert_ok(f, cgroup_pids(cg, &pids, &f->err));
		n = pids.n;
		cgroup_pids_done(&pids);
		clock_sleep_ms(1);
	}
	return n;
}

static void check_kill_forking(struct fixture *f, struct cgroup *cg)
{
	pid_t pid = spawn(f, cg, body_fork);

	(void)reap(pid);
	assert_ok(f, cgroup_kill(cg, &f->err));
	assert_int_equal(count_after_kill(f, cg), 0);
}

static void test_kill_forking(void **state)
{
	struct fixture *f = *state;
	auto_cgroup struct cgroup v1 = CGROUP_INIT;
	struct json_string_map paths = { 0 };

	need_root();
	assert_ok(f, cgroup_create(&f->cg, 0, &f->err));
	check_kill_forking(f, &f->cg);
	if (f->cg.is_v2)
		return;
	/* The same without cgroup.kill: v1 alone. */
	for (size_t i = 0; i < f->cg.n_nodes; i++)
		if (!f->cg.node[i].unified)
			json_string_map_set(&paths, f->cg.node[i].controllers, f->cg.node[i].path);
	assert_ok(f, cgroup_open_saved(&v1, CGROUP_DRIVER_CGROUPFS, &paths, &f->err));
	json_string_map_done(&paths);
	check_kill_forking(f, &v1);
}

/* Groups that the container made for itself go too; a living process keeps its own. */
static void test_destroy_nested(void **state)
{
	struct fixture *f = *state;
	pid_t pid;

	need_root();
	assert_ok(f, cgroup_create(&f->cg, 0, &f->err));
	for (size_t i = 0; i < f->cg.n_nodes; i++) {
		auto_free char *a = xasprintf("%s/a", f->cg.node[i].path);
		auto_free char *b = xasprintf("%s/a/b", f->cg.node[i].path);

		assert_int_equal(mkdir(a, 0755), 0);
		assert_int_equal(mkdir(b, 0755), 0);
	}
	pid = spawn(f, &f->cg, body_sleep);
	assert_true(cgroup_destroy(&f->cg, &f->err) < 0);
	assert_int_equal(f->err.kind, ERR_STATE);
	assert_non_null(strstr(f->err.msg, "1 process(es) are still in it"));
	assert_ok(f, cgroup_kill(&f->cg, &f->err));
	(void)reap(pid);
	assert_ok(f, cgroup_destroy(&f->cg, &f->err));
	assert_false(cgroup_exists(&f->cg));
}

static void test_limits_v2(void **state)
{
	struct fixture *f = *state;
	auto_strbuf struct strbuf text = STRBUF_INIT;
	struct oci_memory memory = { .limit = { true, 64 << 20 },
				     .reservation = { true, 1 << 20 } };
	struct oci_cpu cpu = {
		.shares = { true, 512 },
		.quota = { true, 20000 },
		.period = { true, 50000 },
		.burst = { true, 5000 },
	};
	struct oci_pids max = { .limit = { true, 33 } };
	struct oci_resources res = { .memory = &memory, .cpu = &cpu, .pids = &max };

	need_root();
	if (!f->cg.is_v2)
		skip();
	assert_ok(f, cgroup_create(&f->cg, 0, &f->err));
	assert_ok(f, cgroup_apply(&f->cg, &res, &f->err));
	read_node(f, "", "memory.max", &text);
	assert_string_equal(text.buf, "67108864");
	read_node(f, "", "memory.low", &text);
	assert_string_equal(text.buf, "1048576");
	read_node(f, "", "cpu.weight", &text);
	assert_string_equal(text.buf, "59");
	read_node(f, "", "cpu.max", &text);
	assert_string_equal(text.buf, "20000 50000");
	/* Above the quota that was there before: only possible after the new one is written. */
	cpu.quota.v = 40000;
	cpu.burst.v = 30000;
	assert_ok(f, cgroup_update(&f->cg, &res, NULL, &f->err));
	read_node(f, "", "cpu.max.burst", &text);
	assert_string_equal(text.buf, "30000");
	read_node(f, "", "pids.max", &text);
	assert_string_equal(text.buf, "33");

	memory.check_before_update = (struct opt_bool){ true, true };
	memory.limit.v = 1;
	reap(spawn(f, &f->cg, body_devices));
	assert_true(cgroup_update(&f->cg, &res, NULL, &f->err) < 0);
	assert_non_null(strstr(f->err.msg, "rejecting memory limit 1 <= usage "));
}

/* The files that a container with a cgroup namespace may write, and no others. */
static void test_chown(void **state)
{
	struct fixture *f = *state;
	auto_free char *procs = NULL;
	auto_free char *limit = NULL;
	struct stat st;

	need_root();
	if (!f->cg.is_v2)
		skip();
	assert_ok(f, cgroup_create(&f->cg, 0, &f->err));
	assert_ok(f, cgroup_chown(&f->cg, 4711, &f->err));
	procs = xasprintf("%s/cgroup.procs", f->cg.node[0].path);
	limit = xasprintf("%s/memory.max", f->cg.node[0].path);
	assert_int_equal(stat(f->cg.node[0].path, &st), 0);
	assert_int_equal(st.st_uid, 4711);
	assert_int_equal(stat(procs, &st), 0);
	assert_int_equal(st.st_uid, 4711);
	assert_int_equal(st.st_gid, 0);
	assert_int_equal(stat(limit, &st), 0);
	assert_int_equal(st.st_uid, 0);
}

/* Below a threaded cgroup only a threaded one is possible. */
static void test_threaded(void **state)
{
	struct fixture *f = *state;
	auto_free char *top = NULL;
	auto_free char *type = NULL;
	struct cgroup_pids pids;
	pid_t pid;

	need_root();
	if (!f->cg.is_v2)
		skip();
	top = xasprintf("/sys/fs/cgroup%s", f->top);
	type = xasprintf("%s/cgroup.type", top);
	assert_int_equal(mkdir(top, 0755), 0);
	assert_int_equal(io_write_file_at(AT_FDCWD, type, "threaded"), 0);
	f->cg.wants_domain = true;
	assert_true(cgroup_create(&f->cg, 0, &f->err) < 0);
	assert_non_null(strstr(f->err.msg, "it is in an invalid state"));
	f->cg.wants_domain = false;
	assert_ok(f, cgroup_create(&f->cg, 0, &f->err));
	pid = fork();
	if (pid == 0)
		body_sleep();
	assert_ok(f, cgroup_attach_pid(&f->cg, pid, &f->err));
	assert_ok(f, cgroup_pids(&f->cg, &pids, &f->err));
	assert_int_equal(pids.n, 1);
	assert_int_equal(pids.v[0], pid);
	cgroup_pids_done(&pids);
	assert_ok(f, cgroup_kill(&f->cg, &f->err));
	(void)reap(pid);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_enter),
		TEST(test_attach_pid),
		TEST(test_create_refuses),
		TEST(test_undo),
		TEST(test_undo_late),
		TEST(test_limits_v1),
		TEST(test_limits_v2),
		TEST(test_chown),
		TEST(test_threaded),
		TEST(test_update_rolls_back),
		TEST(test_missing_controller),
		TEST(test_devices),
		TEST(test_devices_before_entry),
		TEST(test_devices_v2),
		TEST(test_freezer),
		TEST(test_freezer_v2),
		TEST(test_kill_forking),
		TEST(test_destroy_nested),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
