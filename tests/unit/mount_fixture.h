/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Containers of one process, for tests of mounts and devices: a child in namespaces of its own goes
 * through the steps of mount/exec.h on a small root file system below /tmp, and then runs a check
 * inside. Nothing that it mounts reaches the host. Needs root.
 */
#pragma once

#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/alloc.h"
#include "core/fd.h"
#include "core/fs.h"
#include "core/io.h"
#include "core/log.h"
#include "core/msg.h"
#include "core/path.h"
#include "core/str.h"
#include "kernel/mountinfo.h"
#include "kernel/syscalls.h"
#include "runtime/device/create.h"
#include "runtime/mount/exec.h"

#define FIXTURE_TIMEOUT_MS 30000
#define USERNS_FIRST_ID 100000

/* "/tmp/floe-test-XXXXXX": rootfs is "rootfs" in it. */
static char top[] = "/tmp/floe-test-XXXXXX";
static int top_fd = -EBADF;

/*
 * Files of the fixture
 */

UNUSED static void make_dir(const char *path)
{
	assert_int_equal(fs_mkdir_all(top_fd, path, 0755, 0755), 0);
}

UNUSED static void make_file(const char *path, const char *text)
{
	auto_close int fd = openat(top_fd, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(io_write_all(fd, text, strlen(text)), 0);
}

UNUSED static void make_link(const char *target, const char *path)
{
	assert_int_equal(symlinkat(target, top_fd, path), 0);
}

UNUSED static bool exists(const char *path)
{
	return fs_exists(top_fd, path);
}

/* A fresh, empty image; what a test left is gone. */
UNUSED static int fixture_reset(void **state UNUSED)
{
	static const char *const dirs[] = { "rootfs/proc", "rootfs/sys", "rootfs/dev",
					    "rootfs/tmp",  "rootfs/etc", "host" };

	assert_int_equal(fs_remove_tree(top_fd, "rootfs"), 0);
	assert_int_equal(fs_remove_tree(top_fd, "host"), 0);
	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++)
		make_dir(dirs[i]);
	return 0;
}

UNUSED static int fixture_set_up(void **state UNUSED)
{
	(void)umask(022);
	log_configure(&(struct log_config){ .level = LOG_LEVEL_ERROR, .fd = STDERR_FILENO });
	assert_non_null(mkdtemp(top));
	assert_int_equal(chmod(top, 0755), 0);
	top_fd = fd_open_at(AT_FDCWD, top, O_RDONLY | O_DIRECTORY, 0);
	return top_fd < 0 ? top_fd : 0;
}

UNUSED static int fixture_tear_down(void **state UNUSED)
{
	close_fd(&top_fd);
	return fs_remove_tree(AT_FDCWD, top);
}

/*
 * The child
 */

static int report_fd = -EBADF; /* where the child tells what went wrong */

/* Ends the child; the text comes out of container_run(). */
PRINTF_LIKE(1, 2) NORETURN UNUSED static void give_up(const char *fmt, ...)
{
	char text[ERR_MSG_MAX];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	(void)io_write_all(report_fd, text, strlen(text));
	_exit(1);
}

#define CHECK(condition)                                                                           \
	do {                                                                                       \
		if (!(condition))                                                                  \
			give_up("%s:%d: %s (errno %s)", __FILE__, __LINE__, #condition,            \
				strerrorname_np(errno));                                           \
	} while (0)

/* What is to be run. */
struct container {
	/* "TYPE DESTINATION [SOURCE [OPTION,OPTION]]" each, "-" for no source, or a JSON object; relative
	 * sources are below DIR */
	const char *mounts[24];
	const char
		*linux_; /* further members of `linux` as JSON with a comma in front; NULL: none */
	const char *top_level; /* further members of the document, likewise */
	unsigned long namespaces; /* CLONE_* beside CLONE_NEWNS and CLONE_NEWPID */
	unsigned int disable; /* kernel features */
	bool readonly; /* root.readonly */
	bool no_pivot;
	bool without_devices;
	bool rootless; /* nobody opens sources on the host's side */
	bool cgroup_v2; /* take the host's v2 tree, wherever it is, for its only one */
	bool make_targets; /* mount_make_targets() instead of mounting, nothing after it */
	void (*host)(void); /* in the new mount namespace, before anything */
	void (*mounted)(struct mount_context *ctx); /* before the pivot */
	void (*failed)(struct mount_context *ctx); /* when a step before the pivot fails */
	void (*inside)(struct mount_context *ctx); /* in the container; NULL: nothing */
};

static const struct container *current; /* in the child */

/* Hierarchies of this host; their own root cgroup serves as the container's. */
#define FIXTURE_HIERARCHIES_MAX 32

struct fixture_cgroups {
	struct mountinfo mounts;
	struct mount_cgroup_hierarchy v1[FIXTURE_HIERARCHIES_MAX];
	char *options[FIXTURE_HIERARCHIES_MAX];
	struct mount_cgroup_facts facts;
	bool is_v2;
};

static void find_cgroups(struct fixture_cgroups *ret)
{
	static const char *const not_controllers[] = { "rw", "xattr", "clone_children",
						       "noprefix" };

	*ret = (struct fixture_cgroups){ .mounts = MOUNTINFO_INIT };
	assert_int_equal(mountinfo_read(&ret->mounts, AT_FDCWD, "/proc/self/mountinfo"), 0);
	for (size_t i = 0; i < ret->mounts.n; i++)
		if (strcmp(ret->mounts.v[i].fs_type, "cgroup2") == 0)
			ret->facts.v2_mount_point = ret->facts.v2_own_dir =
				ret->mounts.v[i].mount_point;
	for (size_t i = 0; i < ret->mounts.n && ret->facts.n_v1 < ARRAY_SIZE(ret->v1); i++) {
		const struct mountinfo_entry *e = &ret->mounts.v[i];
		auto_strvec struct strvec words = STRVEC_INIT;
		struct mount_cgroup_hierarchy *h = &ret->v1[ret->facts.n_v1];

		if (strcmp(e->mount_point, "/sys/fs/cgroup") == 0 &&
		    strcmp(e->fs_type, "cgroup2") == 0)
			ret->is_v2 = true;
		if (strcmp(e->fs_type, "cgroup") != 0)
			continue;
		strvec_split(&words, e->super_options, ',', false);
		for (size_t j = words.n; j-- > 0;)
			for (size_t k = 0; k < ARRAY_SIZE(not_controllers); k++)
				if (j < words.n && strcmp(words.v[j], not_controllers[k]) == 0)
					strvec_remove(&words, j);
		h->mount_point = h->own_dir = e->mount_point;
		ret->options[ret->facts.n_v1] = strvec_join(&words, ",");
		h->options = ret->options[ret->facts.n_v1];
		ret->facts.n_v1++;
	}
	ret->facts.v1 = ret->v1;
}

static void cgroups_done(struct fixture_cgroups *cgroups)
{
	for (size_t i = 0; i < cgroups->facts.n_v1; i++)
		free(cgroups->options[i]);
	mountinfo_done(&cgroups->mounts);
}

/* The JSON of one mount. */
static void add_mount(struct strbuf *sb, const char *text)
{
	auto_strvec struct strvec fields = STRVEC_INIT;
	auto_strvec struct strvec options = STRVEC_INIT;

	if (sb->len)
		strbuf_addc(sb, ',');
	if (text[0] == '{') {
		strbuf_adds(sb, text);
		return;
	}
	strvec_split(&fields, text, ' ', false);
	assert_true(fields.n >= 2 && fields.n <= 4);
	strbuf_addf(sb, "{\"type\":\"%s\",\"destination\":\"%s\"", fields.v[0], fields.v[1]);
	if (fields.n > 2 && strcmp(fields.v[2], "-") != 0)
		strbuf_addf(sb, ",\"source\":\"%s\"", fields.v[2]);
	if (fields.n > 3)
		strvec_split(&options, fields.v[3], ',', false);
	for (size_t i = 0; i < options.n; i++)
		strbuf_addf(sb, "%s\"%s\"", i ? "," : ",\"options\":[", options.v[i]);
	strbuf_adds(sb, options.n ? "]}" : "}");
}

static void load_spec(const struct container *c, struct runtime_spec *spec)
{
	static const struct {
		unsigned long flag;
		const char *type;
	} kinds[] = {
		{ CLONE_NEWUSER, "user" },
		{ CLONE_NEWNET, "network" },
		{ CLONE_NEWIPC, "ipc" },
		{ CLONE_NEWCGROUP, "cgroup" },
	};
	auto_strbuf struct strbuf namespaces = STRBUF_INIT;
	auto_strbuf struct strbuf mounts = STRBUF_INIT;
	auto_free char *json = NULL;
	struct err err = ERR_INIT;

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (c->namespaces & kinds[i].flag)
			strbuf_addf(&namespaces, ",{\"type\":\"%s\"}", kinds[i].type);
	for (size_t i = 0; i < ARRAY_SIZE(c->mounts) && c->mounts[i]; i++)
		add_mount(&mounts, c->mounts[i]);
	json = xasprintf("{\"root\":{\"path\":\"rootfs\",\"readonly\":%s},\"mounts\":[%s],"
			 "\"linux\":{\"namespaces\":[{\"type\":\"mount\"},{\"type\":\"pid\"}%s]%s}"
			 "%s}",
			 c->readonly ? "true" : "false", mounts.buf, namespaces.buf,
			 c->linux_ ? c->linux_ : "", c->top_level ? c->top_level : "");
	if (json_decode(&runtime_spec_desc, spec, json, strlen(json), "config.json", &err) < 0)
		fail_msg("%s\n%s", err.msg, json);
}

#define STEP(call)                                                                                 \
	do {                                                                                       \
		if ((call) < 0)                                                                    \
			give_up("%s", err.msg);                                                    \
	} while (0)

static void mount_all(struct mount_context *ctx, const struct device_plan *devices)
{
	struct err err = ERR_INIT;
	int r = mount_exec_all(ctx, &err);

	if (r == 0 && !current->without_devices)
		r = device_create_all(&ctx->root, &ctx->env, devices, NULL, &err);
	if (r < 0 && current->failed)
		current->failed(ctx);
	STEP(r);
	if (current->mounted)
		current->mounted(ctx);
}

static void go_inside(struct mount_context *ctx)
{
	struct err err = ERR_INIT;

	STEP(current->no_pivot ? mount_no_pivot(ctx, &err) : mount_pivot(ctx, &err));
	STEP(mount_finalize(ctx, &err));
	STEP(mount_readonly_paths(ctx, &err));
	STEP(mount_mask_paths(ctx, &err));
	STEP(mount_set_root_propagation(ctx, &err));
	if (current->inside)
		current->inside(ctx);
}

/* All steps of a container's init; ends the process. */
NORETURN static void container_init(const struct mount_plan *plan,
				    const struct device_plan *devices, int sync_fd)
{
	auto_free char *rootfs = xasprintf("%s/rootfs", top);
	auto_msg struct msg sources = { 0 };
	struct fixture_cgroups cgroups;
	struct mount_context ctx;
	struct err err = ERR_INIT;

	/* The parent writes the maps first, and opens the sources. */
	CHECK(msg_receive(sync_fd, FIXTURE_TIMEOUT_MS, &sources) == 1);
	if (current->disable)
		kernel_features_disable(current->disable);
	if (current->namespaces & CLONE_NEWUSER) {
		CHECK(setresgid(0, 0, 0) == 0);
		CHECK(setresuid(0, 0, 0) == 0);
	}
	CHECK(mount(NULL, "/", NULL, MS_PRIVATE | MS_REC, NULL) == 0);
	if (current->host)
		current->host();
	find_cgroups(&cgroups);
	mount_context_init(&ctx, plan, rootfs);
	ctx.cgroup = &cgroups.facts;
	if (sources.n_fds) {
		ctx.n_source_fds = sources.n_fds;
		ctx.source_fds = xmemdup(sources.fds, sources.n_fds * sizeof(int));
		sources.n_fds = 0;
	}
	STEP(mount_prepare_root(&ctx, &err));
	if (current->make_targets) {
		STEP(mount_make_targets(&ctx, &err));
		_exit(0);
	}
	mount_all(&ctx, devices);
	go_inside(&ctx);
	_exit(0);
}

/*
 * The parent
 */

static int write_proc(pid_t pid, const char *name, const char *text)
{
	auto_free char *path = xasprintf("/proc/%d/%s", pid, name);

	return io_write_file_at(AT_FDCWD, path, text);
}

static int serve_child(const struct mount_plan *plan, pid_t pid, int sync_fd, struct err *err)
{
	auto_free char *ns_path = xasprintf("/proc/%d/ns/user", pid);
	auto_close int userns_fd = -EBADF;
	int *fds = NULL;
	int r = 0;

	if (current->namespaces & CLONE_NEWUSER) {
		auto_free char *map = xasprintf("0 %d 65536", USERNS_FIRST_ID);

		assert_int_equal(write_proc(pid, "uid_map", map), 0);
		assert_int_equal(write_proc(pid, "gid_map", map), 0);
		userns_fd = fd_open_at(AT_FDCWD, ns_path, O_RDONLY, 0);
		assert_true(userns_fd >= 0);
	}
	if (!(current->disable & KERNEL_MOUNT_API))
		r = mount_open_sources(plan, userns_fd, &fds, err);
	if (r == 0)
		assert_int_equal(msg_send(sync_fd, 1, NULL, 0, fds, fds ? plan->n_sources : 0), 0);
	for (size_t i = 0; fds && i < plan->n_sources; i++)
		close_fd(&fds[i]);
	free(fds);
	return r;
}

/* Run it; the error of a step or check in err_msg, "" when all went well. */
UNUSED static void container_run(const struct container *c, char err_msg[static ERR_MSG_MAX])
{
	auto_mount_plan struct mount_plan plan = MOUNT_PLAN_INIT;
	auto_device_plan struct device_plan devices = DEVICE_PLAN_INIT;
	auto_strbuf struct strbuf report = STRBUF_INIT;
	struct fixture_cgroups cgroups;
	struct runtime_spec spec;
	struct mount_facts facts;
	struct err err = ERR_INIT;
	int pipe_fds[2];
	int sync_fds[2];
	int status = 0;
	pid_t pid;

	load_spec(c, &spec);
	find_cgroups(&cgroups);
	mount_facts_init(&facts, &spec, top);
	facts.is_rootless = c->rootless;
	facts.cgroup_mode = cgroups.is_v2 || c->cgroup_v2 ? MOUNT_CGROUP_V2 :
			    cgroups.facts.n_v1		  ? MOUNT_CGROUP_V1 :
							    MOUNT_CGROUP_NONE;
	cgroups_done(&cgroups);
	if (mount_plan_make(&plan, &spec, &facts, &err) < 0 ||
	    device_plan_make(&devices, &spec, &plan, &err) < 0)
		fail_msg("%s", err.msg);
	assert_int_equal(pipe2(pipe_fds, O_CLOEXEC), 0);
	assert_int_equal(msg_pair(sync_fds), 0);
	current = c;
	pid = sys_clone(CLONE_NEWNS | CLONE_NEWPID | c->namespaces | SIGCHLD);
	assert_true(pid >= 0);
	if (pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		/* Or it would not notice that the parent gave up. */
		close_fd(&sync_fds[0]);
		close_fd(&pipe_fds[0]);
		report_fd = pipe_fds[1];
		container_init(&plan, &devices, sync_fds[1]);
	}
	close_fd(&pipe_fds[1]);
	close_fd(&sync_fds[1]);
	if (serve_child(&plan, pid, sync_fds[0], &err) < 0)
		strbuf_adds(&report, err.msg);
	close_fd(&sync_fds[0]);
	if (report.len == 0)
		assert_int_equal(io_read_all(pipe_fds[0], ERR_MSG_MAX, &report), 0);
	close_fd(&pipe_fds[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (report.len == 0 && status != 0)
		strbuf_addf(&report, "the child ended with status 0x%x", status);
	(void)snprintf(err_msg, ERR_MSG_MAX, "%s", report.buf);
	runtime_spec_done(&spec);
}

/* It must go well ... */
UNUSED static void assert_runs(const struct container *c)
{
	char msg[ERR_MSG_MAX];

	container_run(c, msg);
	if (*msg)
		fail_msg("%s", msg);
}

/* ... or fail with an error that begins so. */
UNUSED static void assert_fails(const struct container *c, const char *want)
{
	char msg[ERR_MSG_MAX];

	container_run(c, msg);
	if (!str_has_prefix(msg, want))
		fail_msg("got  '%s'\nwant '%s'", *msg ? msg : "success", want);
}

/*
 * Checks inside
 */

/* The mount at path, which must exist; "/proc" must be mounted. Its texts live until the next call. */
UNUSED static struct mountinfo_entry mount_at(const char *path)
{
	static struct mountinfo mounts = MOUNTINFO_INIT;
	const struct mountinfo_entry *entry;

	mountinfo_done(&mounts);
	CHECK(mountinfo_read(&mounts, AT_FDCWD, "/proc/self/mountinfo") == 0);
	entry = mountinfo_find(&mounts, path);
	if (!entry)
		give_up("nothing is mounted at '%s'", path);
	return *entry;
}

UNUSED static bool is_mounted(const char *path)
{
	auto_mountinfo struct mountinfo mounts = MOUNTINFO_INIT;

	CHECK(mountinfo_read(&mounts, AT_FDCWD, "/proc/self/mountinfo") == 0);
	return mountinfo_find(&mounts, path) != NULL;
}

UNUSED static void check_mount(const char *path, const char *type, const char *options)
{
	struct mountinfo_entry e = mount_at(path);

	if (strcmp(e.fs_type, type) != 0 || strcmp(e.options, options) != 0)
		give_up("'%s' is %s %s, should be %s %s", path, e.fs_type, e.options, type,
			options);
}

UNUSED static void check_content(const char *path, const char *want)
{
	auto_strbuf struct strbuf sb = STRBUF_INIT;
	int r = io_read_file_at(AT_FDCWD, path, 4096, &sb);

	if (r < 0)
		give_up("read '%s': %s", path, strerrorname_np(-r));
	if (strcmp(sb.buf, want) != 0)
		give_up("'%s' has '%s', should have '%s'", path, sb.buf, want);
}

/* errno of creating a file in the directory, 0 when it goes (and the file is gone again). */
UNUSED static int write_error(const char *directory)
{
	auto_free char *path = xasprintf("%s/floe-test-file", directory);
	auto_close int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0)
		return errno;
	(void)unlink(path);
	return 0;
}

/* One test by each way into the kernel. */
#define MODE_ALL 0U
#define MODE_NO_SETATTR ((unsigned int)KERNEL_MOUNT_SETATTR)
#define MODE_NO_API ((unsigned int)(KERNEL_MOUNT_API | KERNEL_MOUNT_SETATTR))
#define MODE_OLD ((unsigned int)(KERNEL_MOUNT_API | KERNEL_MOUNT_SETATTR | KERNEL_OPENAT2))

#define DEFINE_MODES(name)                                                                         \
	static void name##_by_all(void **state UNUSED)                                             \
	{                                                                                          \
		name(MODE_ALL);                                                                    \
	}                                                                                          \
	static void name##_without_setattr(void **state UNUSED)                                    \
	{                                                                                          \
		name(MODE_NO_SETATTR);                                                             \
	}                                                                                          \
	static void name##_without_mount_api(void **state UNUSED)                                  \
	{                                                                                          \
		name(MODE_NO_API);                                                                 \
	}                                                                                          \
	static void name##_on_old_kernel(void **state UNUSED)                                      \
	{                                                                                          \
		name(MODE_OLD);                                                                    \
	}

#define RUN_MODES(name)                                                                            \
	cmocka_unit_test_setup(name##_by_all, fixture_reset),                                      \
		cmocka_unit_test_setup(name##_without_setattr, fixture_reset),                     \
		cmocka_unit_test_setup(name##_without_mount_api, fixture_reset),                   \
		cmocka_unit_test_setup(name##_on_old_kernel, fixture_reset)

#define PROC "proc /proc proc"
