/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Theory of operation
 *
 * An exec meets a container that may be hostile already: its processes see ours as soon as it is in
 * their pid namespace. So the process is not dumpable from its first moment on (the parent was not
 * when it made it), has nothing open but what is close-on-exec, and executes the runtime from a place
 * that nobody can write to (kernel/self_exe.h). It changes the mount namespace last; from then on all
 * paths are the container's, and procfs is only used through a checked descriptor.
 */
#include "runtime/init/exec_join.h"

#include <unistd.h>

#include "core/fd.h"
#include "core/log.h"
#include "core/stage.h"
#include "kernel/proc_root.h"
#include "runtime/init/child_common.h"

/* Where the process says what it wants, the caller sets that. */
static int reset_affinity(void *context, struct err *err)
{
	const struct child *c = context;

	return c->process->exec_cpu_affinity ? 0 : child_reset_affinity(context, err);
}

/* setns(2) has changed the root where there is a mount namespace to join. */
static int change_root(void *context, struct err *err)
{
	struct child *c = context;

	if (c->l->root_fd < 0)
		return 0;
	child_keep_host_ptmx(c);
	if (fchdir(c->l->root_fd) < 0 || chroot(".") < 0 || chdir("/") < 0)
		return err_sys(err, -errno, "change root to '%s'", c->l->bundle.rootfs);
	return 0;
}

static int open_procfs(void *context, struct err *err UNUSED)
{
	struct child *c = context;

	/* What needs it says so if it is not there. */
	c->proc_fd = proc_root_open("/proc");
	return 0;
}

static const struct stage exec_stages[] = {
	{ "settle", child_settle, NULL },
	{ "enter cgroup", child_enter_cgroup, NULL },
	{ "reset CPU affinity", reset_affinity, NULL },
	{ "join namespaces", child_join_namespaces, NULL },
	{ "join keyring", child_join_keyring, NULL },
	{ "change root", change_root, NULL },
	{ "open procfs", open_procfs, NULL },
	{ "reopen null stdio", child_reopen_null_stdio, NULL },
	{ "open terminal", child_open_terminal, NULL },
	{ "set process attributes", child_set_attributes, NULL },
	{ "report ready", child_report_ready, NULL },
	{ "close host descriptors", child_close_host_descriptors, NULL },
	{ "set security labels", child_set_labels, NULL },
	{ "load seccomp filter", child_load_filter_early, NULL },
	{ "become the container's user", child_become_user, NULL },
	{ "find the program", child_find_program, NULL },
	{ "load seccomp filter late", child_load_filter_late, NULL },
};

/* --exec-wait-fifo. The parent takes the end of the socket for "it runs". */
static int wait_for_reader(struct child *c, struct err *err)
{
	auto_close int fd = -EBADF;

	if (c->gate_fd < 0)
		return 0;
	if (c->proc_fd < 0)
		return err_set(err, ERR_UNSUPPORTED,
			       "exec wait fifo: there is no procfs in the container, by which its "
			       "process could open it");
	close_fd(&c->l->child_sync_fd);
	child_close_log();
	fd = child_open_gate(c);
	close_fd(&c->gate_fd);
	return fd < 0 ? err_sys(err, fd, "open exec wait fifo") : 0;
}

void exec_child_main(struct launch *l)
{
	struct err err = ERR_INIT;
	struct child c;
	int r;

	child_init(&c, l);
	log_debug("child process in init() for container '%s'", l->container.id);
	r = stages_run("exec child", exec_stages, ARRAY_SIZE(exec_stages), &c, &err);
	if (r == 0)
		log_debug("setns_init: about to exec");
	if (r == 0)
		r = wait_for_reader(&c, &err);
	if (r == 0)
		r = child_execute(&c, &err);
	child_fail(&c, &err);
}
