/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/delete.h"

#include <poll.h>
#include <signal.h>
#include <sys/mount.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/fd.h"
#include "core/fs.h"
#include "core/io.h"
#include "core/log.h"
#include "core/parse.h"
#include "core/path.h"
#include "core/str.h"
#include "kernel/procfs.h"
#include "kernel/syscalls.h"
#include "runtime/cgroup/backend.h"
#include "runtime/container_hooks.h"
#include "runtime/operations.h"
#include "runtime/resctrl.h"

/* How long init may take to die of SIGKILL, as in runc. */
#define KILL_TIMEOUT_MS 10000

/*
 * A CRIU whose runtime was killed: the first process of a pid namespace, in its end, waits for processes that are their tracer's
 * to collect first, and CRIU waits for it. We have the container's lock, so it is nobody's any more.
 */
static void end_tracer(const struct container *c)
{
	auto_procfs struct procfs proc = PROCFS_INIT;
	auto_free char *text = NULL;
	auto_close int pidfd = -EBADF;
	struct procfs_stat stat;
	uint32_t tracer = 0;

	if (procfs_open(&proc, NULL) == 0)
		text = procfs_status_field(&proc, c->record.pid, "TracerPid");
	if (!text || parse_u32(text, &tracer) < 0 || tracer == 0)
		return;
	pidfd = sys_pidfd_open((pid_t)tracer);
	if (procfs_read_stat(&proc, (pid_t)tracer, &stat) < 0 || !str_has_prefix(stat.comm, "criu"))
		return;
	log_debug("container '%s': end criu (process %u), which holds its processes", c->id,
		  tracer);
	/* compat: pidfd_open needs Linux 5.3. */
	if (pidfd >= 0)
		(void)sys_pidfd_send_signal(pidfd, SIGKILL);
	else
		(void)kill((pid_t)tracer, SIGKILL);
}

static int kill_and_wait(const struct container *c, struct err *err)
{
	uint64_t deadline = clock_now_monotonic_ns() + KILL_TIMEOUT_MS * NSEC_PER_MSEC;
	auto_cgroup struct cgroup cg = CGROUP_INIT;
	auto_close int pidfd = c->record.pid > 0 ? sys_pidfd_open(c->record.pid) : -EBADF;
	int r = container_open_cgroup(c, &cg, err);

	if (r < 0)
		return r;
	(void)container_signal_init(c, SIGKILL);
	/* Also those that do not share init's pid namespace, and frozen ones. */
	r = cgroup_kill(&cg, err);
	if (r < 0)
		return r;
	while (container_init_is_alive(c)) {
		struct pollfd pfd = { .fd = pidfd, .events = POLLIN };

		if (clock_ms_until(deadline) == 0)
			return err_set(
				err, ERR_TIMEOUT,
				"container init still running: container '%s', pid %d, did not die "
				"of SIGKILL within %d s",
				c->id, c->record.pid, KILL_TIMEOUT_MS / 1000);
		if (poll(&pfd, 1, pidfd >= 0 ? 100 : 5) == 0)
			end_tracer(c);
	}
	return 0;
}

int container_remove_directory(const struct runtime *rt, const char *id, int dir_fd,
			       struct err *err)
{
	int tries = 100;
	int r;

	/* A restore that died may have left its mount; without it this is EINVAL or ENOENT. */
	if (fs_exists(dir_fd, "criu-root")) {
		auto_close int mount_fd = fd_open_at(dir_fd, "criu-root", O_PATH | O_NOFOLLOW, 0);

		if (mount_fd >= 0)
			(void)umount2(fd_path(mount_fd).text, MNT_DETACH);
	}
	/* First, so that whoever waits for the lock sees that there is nothing any more. He makes the lock's file anew, when that is
	 * gone already, for a moment. */
	(void)unlinkat(dir_fd, "state.json", 0);
	do
		r = fs_remove_tree(rt->root_fd, id);
	while (r == -ENOTEMPTY && tries-- > 0);
	if (r == -ENOENT)
		r = 0;
	return r < 0 ? err_sys(err, r, "remove state of container '%s' in '%s'", id, rt->root) : 0;
}

static int remove_cgroup(const struct container *c, struct err *err)
{
	auto_cgroup struct cgroup cg = CGROUP_INIT;
	int r = container_open_cgroup(c, &cg, err);

	if (r < 0)
		return r;
	if (cgroup_destroy_unused(&cg))
		return 0;
	/* Processes outside of a private pid namespace may have outlived init. */
	r = cgroup_kill(&cg, err);
	return r < 0 ? r : cgroup_destroy(&cg, err);
}

int container_destroy(struct container *c, struct err *err)
{
	int r = remove_cgroup(c, err);

	if (r == 0)
		r = resctrl_remove(c->record.intel_rdt_path, err);
	if (r < 0)
		return err_wrap(err, r, "delete container '%s'", c->id);
	if (!c->spec && container_load_spec(c, NULL) < 0)
		log_debug("delete container '%s': no stored configuration, no poststop hooks",
			  c->id);
	r = container_remove_directory(c->rt, c->id, c->dir_fd, err);
	if (r < 0)
		return r;
	container_run_poststop(c);
	return 0;
}

/* container_destroy() of one that may still run, as by `delete --force`. */
static int kill_and_destroy(struct container *c, struct err *err)
{
	int r = kill_and_wait(c, err);

	return r < 0 ? r : container_destroy(c, err);
}

int container_run_poststart_or_destroy(struct container *c, struct err *err)
{
	struct err failure = ERR_INIT;
	int r = container_run_poststart(c, err);

	if (r < 0 && kill_and_destroy(c, &failure) < 0)
		log_warning("%s", failure.msg);
	return r;
}

int container_destroy_after_exit(struct container *c, struct err *err)
{
	struct err lock_err = ERR_INIT;
	int r = container_lock(c, &lock_err);

	if (r < 0 && lock_err.kind == ERR_NOT_FOUND)
		return 0;
	if (r < 0) {
		if (err)
			*err = lock_err;
		return r;
	}
	return container_destroy(c, err);
}

/*
 * The cgroup that a configuration names, when nobody is in it. It need not be ours: the create may
 * have died before it found that another container uses the same path. What was ours has no processes,
 * since init ends with its parent.
 */
static int remove_unused_cgroup(const struct cgroup_opts *opts, struct err *err)
{
	auto_cgroup struct cgroup cg = CGROUP_INIT;
	auto_cgroup_pids struct cgroup_pids pids = { 0 };

	if (cgroup_open(&cg, opts, NULL) < 0)
		return 0;
	for (int tries = 0; tries < 100; tries++) {
		cgroup_pids_done(&pids);
		if (cgroup_pids(&cg, &pids, NULL) < 0 || pids.n == 0)
			break;
		clock_sleep_ms(10);
	}
	if (pids.n > 0) {
		log_warning("container '%s': its cgroup is in use and is left as it is", opts->id);
		return 0;
	}
	return cgroup_destroy(&cg, err);
}

/* Likewise its group in resctrl. The processes of one that is removed would fall back into the default
 * group, so a container with the same id in another state root must not be hit. */
static int remove_resctrl_group(const struct container *c, struct err *err)
{
	auto_resctrl_plan struct resctrl_plan plan = RESCTRL_PLAN_INIT;
	auto_free char *tasks = NULL;
	auto_free char *line = NULL;

	if (resctrl_plan_make(&plan, c->spec->linux_->intel_rdt, c->id, NULL, NULL) < 0 ||
	    !resctrl_plan_made(&plan))
		return 0;
	tasks = path_join(resctrl_plan_made(&plan), "tasks");
	line = io_read_line_at(AT_FDCWD, tasks);
	return str_is_empty(line) ? resctrl_remove(resctrl_plan_made(&plan), err) : 0;
}

/* What a create that was interrupted left: a directory without a record, and maybe a cgroup whose
 * name follows from the stored configuration. */
static int delete_incomplete(struct container *c, struct err *err)
{
	struct cgroup_opts opts = {
		.driver = c->rt->cgroup_driver,
		.id = c->id,
		.rootless = runtime_is_rootless(c->rt),
	};
	int r = container_lock(c, err);

	if (r < 0)
		return r;
	/* A create that is merely slow holds the lock until its record is there. */
	if (fs_exists(c->dir_fd, "state.json"))
		return err_set(err, ERR_STATE,
			       "container '%s' has just been created; delete it again", c->id);
	if (container_load_spec(c, NULL) == 0 && c->spec->linux_) {
		opts.cgroups_path = c->spec->linux_->cgroups_path;
		r = remove_unused_cgroup(&opts, err);
		if (r == 0)
			r = remove_resctrl_group(c, err);
	}
	return r < 0 ? r : container_remove_directory(c->rt, c->id, c->dir_fd, err);
}

static int delete_complete(struct container *c, bool force, struct err *err)
{
	enum container_status status;
	int r = container_lock(c, err);

	if (r < 0)
		return r;
	status = container_status(c);
	if (status != CONTAINER_STOPPED && status != CONTAINER_CREATED && !force)
		return err_set(
			err, ERR_STATE,
			"cannot delete container '%s' that is not stopped: %s; kill it first, or "
			"use --force",
			c->id, container_status_to_string(status));
	return status == CONTAINER_STOPPED ? container_destroy(c, err) : kill_and_destroy(c, err);
}

int container_delete(struct runtime *rt, const char *id, bool force, struct err *err)
{
	auto_container struct container c = CONTAINER_INIT;
	int r = container_open(&c, rt, id, force, err);

	if (r < 0 && force && err && err->kind == ERR_NOT_FOUND) {
		err_clear(err);
		return 0;
	}
	if (r < 0)
		return r;
	return c.record.id ? delete_complete(&c, force, err) : delete_incomplete(&c, err);
}
