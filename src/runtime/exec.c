/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `exec`: one more process in a running container. A launch (launch.h) that joins every namespace of
 * init that is not ours, enters the cgroup, and becomes the program, without building anything.
 */
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include "core/alloc.h"
#include "core/fd.h"
#include "core/fs.h"
#include "core/io.h"
#include "core/parse.h"
#include "core/path.h"
#include "core/proc.h"
#include "core/stage.h"
#include "core/str.h"
#include "kernel/syscalls.h"
#include "runtime/annotations.h"
#include "runtime/cgroup/subgroup.h"
#include "runtime/exec_process.h"
#include "runtime/foreground.h"
#include "runtime/init/exec_join.h"
#include "runtime/init/handshake.h"
#include "runtime/init/parent.h"
#include "runtime/init/spawn.h"
#include "runtime/launch.h"
#include "runtime/terminal.h"

struct exec {
	struct launch l;
	struct create_options common; /* what the launch reads */
	const struct exec_options *opts;
};

static struct runtime_spec *spec_of(struct exec *e)
{
	return &e->l.bundle.spec;
}

static int open_container(void *context, struct err *err)
{
	struct exec *e = context;
	struct container *c = &e->l.container;
	enum container_status status;
	int r = container_open(c, e->l.rt, e->opts->id, false, err);

	if (r < 0)
		return r;
	status = container_status(c);
	if (status == CONTAINER_STOPPED)
		return err_set(err, ERR_STATE, "cannot exec in a stopped container ('%s')", c->id);
	if (status == CONTAINER_PAUSED && !e->opts->ignore_paused)
		return err_set(
			err, ERR_STATE,
			"cannot exec in a paused container (use --ignore-paused to override): '%s'",
			c->id);
	r = runtime_spec_load(spec_of(e), c->dir_fd, "config.json", err);
	if (r == 0)
		r = annotations_apply(spec_of(e), err);
	if (r < 0)
		return err_wrap(err, r, "stored configuration of container '%s'", c->id);
	c->spec = spec_of(e);
	e->l.bundle.path = xstrdup(c->record.bundle);
	e->l.bundle.rootfs = xstrdup(c->record.rootfs);
	return 0;
}

static int open_wait_fifo(struct exec *e, struct err *err)
{
	const char *path = e->opts->wait_fifo;
	struct stat st;

	if (!path)
		return 0;
	e->l.wait_fifo_fd = fd_open_at(AT_FDCWD, path, O_PATH, 0);
	if (e->l.wait_fifo_fd < 0)
		return err_sys(err, e->l.wait_fifo_fd, "failed to open exec wait fifo '%s'", path);
	if (fstat(e->l.wait_fifo_fd, &st) < 0 || !S_ISFIFO(st.st_mode))
		return err_set(err, ERR_INVALID, "exec wait fifo '%s' is not a fifo", path);
	return 0;
}

static int plan_process(void *context, struct err *err)
{
	struct exec *e = context;
	bool detach = e->opts->detach;
	const struct oci_process *process;
	int r = exec_process_make(spec_of(e), e->opts, err);

	if (r < 0)
		return r;
	e->l.is_rootless = runtime_is_rootless(e->l.rt);
	process = spec_of(e)->process;
	if (process->terminal && detach && !e->opts->console_socket)
		return err_set(
			err, ERR_INVALID,
			"cannot allocate tty if floe-runtime will detach without setting console "
			"socket; give --console-socket, or no --tty");
	if (e->opts->console_socket && (!detach || !process->terminal))
		return err_set(err, ERR_INVALID,
			       "cannot use console socket if floe-runtime will not detach or "
			       "allocate tty; "
			       "give --detach and --tty, or leave --console-socket out");
	if (e->opts->pid_file) {
		e->l.pid_file = path_absolute(e->opts->pid_file, NULL);
		if (!e->l.pid_file)
			return err_sys(err, -errno, "find the current directory");
	}
	r = open_wait_fifo(e, err);
	if (r == 0)
		r = launch_plan_process(&e->l, err);
	if (r == 0)
		r = resctrl_plan_make(&e->l.resctrl, spec_of(e)->linux_->intel_rdt, e->opts->id,
				      NULL, err);
	return r < 0 ? r : launch_plan_seccomp(&e->l, err);
}

static bool is_own_namespace(int fd, const char *name)
{
	auto_free char *path = xasprintf("/proc/self/ns/%s", name);
	struct stat own;
	struct stat theirs;

	return stat(path, &own) == 0 && fstat(fd, &theirs) == 0 && fs_is_same_file(&own, &theirs);
}

/* Every namespace of init that is not ours; whatever the configuration says, it is what it is now. */
static int open_namespaces(void *context, struct err *err)
{
	struct exec *e = context;
	struct namespace_plan *plan = &e->l.namespaces;
	pid_t pid = e->l.container.record.pid;

	for (int kind = 0; kind < NAMESPACE_KIND_COUNT_; kind++) {
		const struct namespace_kind_info *info = &namespace_kinds[kind];
		auto_free char *path = xasprintf("/proc/%d/ns/%s", pid, info->proc_name);
		int fd = fd_open_at(AT_FDCWD, path, O_RDONLY, 0);

		/* A kernel without this kind. */
		if (fd == -ENOENT && fs_exists(AT_FDCWD, "/proc/self/ns"))
			continue;
		if (fd < 0)
			return err_sys(err, fd, "open %s namespace of container '%s'", info->type,
				       e->opts->id);
		if (is_own_namespace(fd, info->proc_name)) {
			(void)close(fd);
			continue;
		}
		plan->fds[kind] = fd;
		plan->paths[kind] = info->proc_name;
		plan->join |= 1U << kind;
	}
	/* Nothing but its root keeps the processes of such a container from the host's files. */
	if (!namespace_plan_joins(plan, NAMESPACE_MOUNT)) {
		e->l.root_fd = fd_open_at(AT_FDCWD, e->l.bundle.rootfs, O_PATH | O_DIRECTORY, 0);
		if (e->l.root_fd < 0)
			return err_sys(err, e->l.root_fd, "open root file system '%s'",
				       e->l.bundle.rootfs);
	}
	/* The pid may have been another process's between. */
	if (!container_init_is_alive(&e->l.container))
		return err_set(err, ERR_STATE, "cannot exec in a stopped container ('%s')",
			       e->opts->id);
	return 0;
}

static int open_cgroup(void *context, struct err *err)
{
	struct exec *e = context;
	int r = container_open_cgroup(&e->l.container, &e->l.cgroup, err);

	if (r == 0 && e->opts->cgroups.n == 0)
		r = cgroup_follow_process(&e->l.cgroup, e->l.container.record.pid, err);
	for (size_t i = 0; r == 0 && i < e->opts->cgroups.n; i++)
		r = cgroup_select_subgroup(&e->l.cgroup, e->opts->cgroups.v[i], err);
	return r;
}

static int spawn(void *context, struct err *err)
{
	struct exec *e = context;

	return init_spawn(&e->l, err);
}

static int send_cgroup(void *context, struct err *err)
{
	struct exec *e = context;
	struct launch *l = &e->l;
	const struct oci_exec_cpu_affinity *affinity = spec_of(e)->process->exec_cpu_affinity;
	auto_cgroup_entry struct cgroup_entry entry = CGROUP_ENTRY_INIT;
	bool in_unified = l->init_in_unified || cgroup_place(&l->cgroup, l->init_pid);
	int r = cgroup_entry_open(&l->cgroup, in_unified, &entry, err);

	if (r < 0)
		return err_wrap(err, r, "adding pid %d to cgroups", (int)l->init_pid);
	if (affinity)
		r = scheduling_set_affinity(l->init_pid, affinity->initial, err);
	if (r == 0)
		scheduling_log_affinity(l->init_pid);
	if (r == 0)
		r = resctrl_join(&l->resctrl, l->init_pid, err);
	return r < 0 ? r : parent_send(l, HANDSHAKE_CGROUP, entry.fd, entry.n, err);
}

static int open_sockets(void *context, struct err *err)
{
	struct exec *e = context;

	return parent_open_sockets(&e->l, err);
}

static int converse(void *context, struct err *err)
{
	struct exec *e = context;

	return parent_converse(&e->l, err);
}

static int set_limits(void *context, struct err *err)
{
	struct exec *e = context;
	const struct oci_exec_cpu_affinity *affinity = spec_of(e)->process->exec_cpu_affinity;
	int r = parent_set_rlimits(&e->l, err);

	if (r == 0 && affinity)
		r = scheduling_set_affinity(e->l.init_pid, affinity->final_, err);
	return r;
}

static int write_files(void *context, struct err *err)
{
	struct exec *e = context;

	return launch_write_pid_file(&e->l, "setns", err);
}

static void forget_files(void *context)
{
	struct exec *e = context;

	launch_forget_pid_file(&e->l);
}

static void kill_process(void *context)
{
	struct exec *e = context;

	parent_kill_init(&e->l);
}

static int release(void *context, struct err *err)
{
	struct exec *e = context;

	return parent_release_init(&e->l, err);
}

static const struct stage exec_stages[] = {
	{ "open container", open_container, NULL },
	{ "plan process", plan_process, NULL },
	{ "open namespaces", open_namespaces, NULL },
	{ "open cgroup", open_cgroup, NULL },
	{ "open sockets", open_sockets, NULL },
	{ "spawn process", spawn, kill_process },
	{ "send cgroup", send_cgroup, NULL },
	{ "converse with process", converse, NULL },
	{ "set limits", set_limits, NULL },
	{ "write pid file", write_files, forget_files },
	{ "release process", release, NULL },
};

static int exec_and_wait(struct exec *e, int *ret_exit_code, struct err *err)
{
	auto_foreground struct foreground fg = FOREGROUND_INIT;
	int status = 0;
	int r = 0;

	if (!e->opts->detach)
		r = foreground_prepare(&fg, /* become_subreaper= */ false, err);
	if (r == 0)
		r = stages_run("exec", exec_stages, ARRAY_SIZE(exec_stages), e, err);
	if (r < 0 || e->opts->detach)
		return r;
	fg.console_fd = take_fd(e->l.console_fd);
	r = foreground_wait(&fg, e->l.init_pid, &status, err);
	if (r == 0)
		*ret_exit_code = proc_status_to_exit_code(status);
	return r;
}

int container_exec(struct runtime *rt, const struct exec_options *opts, int *ret_exit_code,
		   struct err *err)
{
	struct exec e = { .l = LAUNCH_INIT, .opts = opts };
	int r;

	e.common.id = opts->id;
	e.common.console_socket = opts->console_socket;
	e.common.pidfd_socket = opts->pidfd_socket;
	e.common.preserve_fds = opts->preserve_fds;
	e.common.detach = opts->detach;
	e.l.rt = rt;
	e.l.opts = &e.common;
	e.l.start_now = true;
	e.l.child_main = exec_child_main;
	*ret_exit_code = 0;
	/* Processes of the container must not look into ours (ptrace(2), PR_SET_DUMPABLE). */
	(void)prctl(PR_SET_DUMPABLE, 0);
	r = exec_and_wait(&e, ret_exit_code, err);
	launch_done(&e.l);
	return r < 0 ? err_wrap(err, r, "exec in container '%s'", opts->id) : 0;
}
