/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Theory of operation
 *
 * This is the container's pid 1 before it becomes the container's program: a fork of the runtime,
 * single-threaded, in the new namespaces. It goes through three phases:
 *
 *   build    namespaces, cgroup, mounts, devices, pivot_root, terminal: with all privileges
 *   READY    the parent sets rlimits, saves the state, and says START
 *   become   labels, seccomp, user, capabilities, then the gate (exec.fifo) and execve
 *
 * Until the identity is given up, the image's files are only touched through descriptors
 * (core/rooted.h); nothing of the image is executed or interpreted. Everything that was opened is
 * close-on-exec. The order is runc's; see contracts in the headers that are called.
 *
 * A failure at any point goes to the parent as FAILED; after START in `create`, when the parent has
 * gone, to `start` through exec.fifo.
 */
#include "runtime/init/child.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/fd.h"
#include "core/log.h"
#include "core/rooted.h"
#include "core/stage.h"
#include "core/str.h"
#include "kernel/proc_root.h"
#include "runtime/device/create.h"
#include "runtime/init/child_common.h"
#include "runtime/init/handshake.h"
#include "runtime/init/spawn.h"
#include "runtime/namespace/userns.h"
#include "runtime/netdev.h"
#include "runtime/sysctl.h"

static int make_time_namespace(void *context, struct err *err)
{
	struct child *c = context;

	return init_make_time_namespace(&c->l->namespaces, c->spec->linux_, err);
}

static int enter_user_namespace(void *context, struct err *err)
{
	struct child *c = context;
	int r;

	if (!namespace_plan_creates(&c->l->namespaces, NAMESPACE_USER))
		return 0;
	r = handshake_expect(c->l->child_sync_fd, HANDSHAKE_MAPPED, -1, NULL, err);
	if (r < 0)
		return r;
	/* What is made from here on belongs to the container's root, if it has one. */
	r = userns_become_root_or(c->l->process.uid, c->l->process.gid);
	return r < 0 ? err_sys(err, r,
			       "enter the new user namespace as root or as process.user "
			       "(linux.uidMappings and gidMappings must map one of them)") :
		       0;
}

/*
 * From here on nobody whom the container may let into its pid namespace can look into this process
 * (ptrace(2), /proc/PID/fd), which has the host at hand. Not earlier, because the id maps are written
 * by then. Not for an unprivileged user, who could not look into it himself any more and needs to
 * (`exec`). execve(2) ends it.
 */
static int hide_from_others(void *context, struct err *err)
{
	struct child *c = context;

	if (!c->l->is_privileged)
		return 0;
	return prctl(PR_SET_DUMPABLE, 0) < 0 ? err_sys(err, -errno, "become undumpable") : 0;
}

static int make_network(struct err *err)
{
	int r = init_make_network(err);

	return r < 0 ? r : netdev_bring_up_loopback(err);
}

static int receive_network(struct child *c, struct err *err)
{
	auto_msg struct msg m = { 0 };
	int r = handshake_expect(c->l->child_sync_fd, HANDSHAKE_NETWORK, -1, &m, err);

	if (r < 0)
		return r;
	/* Without one it is for us to try, and to say what is wrong. */
	return m.n_fds == 0 ? make_network(err) : init_enter_network(m.fds[0], err);
}

static int make_namespaces(void *context, struct err *err)
{
	struct child *c = context;
	const struct namespace_plan *plan = &c->l->namespaces;

	if (!namespace_plan_creates(plan, NAMESPACE_NETWORK))
		return 0;
	return plan->network_follows ? receive_network(c, err) : make_network(err);
}

static int prepare_root(void *context, struct err *err)
{
	struct child *c = context;

	return mount_prepare_root(&c->mounts, err);
}

static int ask_for_source(void *arg, size_t n, struct err *err)
{
	const struct child *c = arg;
	auto_msg struct msg m = { 0 };
	int fd;
	int r = handshake_send(c->l->child_sync_fd, HANDSHAKE_SOURCE, &n, sizeof(n), NULL, 0, err);

	if (r == 0)
		r = handshake_expect(c->l->child_sync_fd, HANDSHAKE_SOURCE_OPENED, -1, &m, err);
	if (r < 0)
		return r;
	fd = msg_take_fd(&m);
	return fd < 0 ? err_set(err, ERR_INTERNAL, "malformed SOURCE_OPENED message") : fd;
}

static int get_mount_sources(void *context, struct err *err)
{
	struct child *c = context;
	auto_msg struct msg m = { 0 };
	int r;

	if (c->l->mounts.n_sources == 0)
		return 0;
	r = handshake_send(c->l->child_sync_fd, HANDSHAKE_ROOT_MOUNTED, NULL, 0, NULL, 0, err);
	if (r == 0)
		r = handshake_expect(c->l->child_sync_fd, HANDSHAKE_SOURCES, -1, &m, err);
	if (r < 0)
		return r;
	/* None at all: this kernel has no mounts as descriptors, and we open the sources. */
	if (m.n_fds == 0)
		return 0;
	if (m.n_fds != c->l->mounts.n_sources)
		return err_set(err, ERR_INTERNAL, "handshake: %zu mount sources instead of %zu",
			       m.n_fds, c->l->mounts.n_sources);
	c->mounts.source_fds = xmemdup(m.fds, m.n_fds * sizeof(m.fds[0]));
	c->mounts.n_source_fds = m.n_fds;
	m.n_fds = 0; /* the descriptors are the context's now */
	return 0;
}

static int enter_cgroup(void *context, struct err *err)
{
	int r = child_enter_cgroup(context, err);

	return r < 0 ? r : child_reset_affinity(context, err);
}

/*
 * As late as possible, because the parent takes longer to make the cgroups than we for what comes before.
 * Not behind mounts that are filled, whose memory is the container's, nor those that the parent is asked
 * about, when it has something else to say.
 */
static bool can_enter_cgroup_late(const struct child *c)
{
	const struct mount_plan *plan = &c->l->mounts;

	for (size_t i = 0; i < plan->n_ops; i++)
		if (plan->ops[i].tmpcopyup || plan->ops[i].source_inside)
			return false;
	return child_has(c, NAMESPACE_MOUNT);
}

static int make_mounts(void *context, struct err *err)
{
	struct child *c = context;
	int r = 0;

	if (can_enter_cgroup_late(c)) {
		c->mounts.enter_cgroup = enter_cgroup;
		c->mounts.enter_cgroup_arg = c;
	} else {
		r = enter_cgroup(c, err);
	}
	if (r < 0 || !child_has(c, NAMESPACE_MOUNT))
		return r;
	c->mounts.open_inside = ask_for_source;
	c->mounts.open_inside_arg = c;
	r = mount_exec_all(&c->mounts, err);
	if (r < 0)
		return r;
	return device_create_all(&c->mounts.root, &c->mounts.env, &c->l->devices, c->l->device_fds,
				 err);
}

static int wait_for_create_hooks(void *context, struct err *err)
{
	struct child *c = context;
	int r;

	if (!c->l->has_pre_pivot_hooks)
		return 0;
	r = handshake_send(c->l->child_sync_fd, HANDSHAKE_HOOKS, NULL, 0, NULL, 0, err);
	if (r < 0)
		return r;
	return handshake_expect(c->l->child_sync_fd, HANDSHAKE_HOOKS_DONE, -1, NULL, err);
}

static int run_create_container_hooks(void *context, struct err *err)
{
	struct child *c = context;
	const struct oci_hooks *hooks = c->spec->hooks;

	if (!hooks)
		return 0;
	return child_run_hooks(c, "createContainer", hooks->create_container,
			       hooks->n_create_container, CONTAINER_CREATING, c->l->bundle.rootfs,
			       NULL, err);
}

static int change_root(void *context, struct err *err)
{
	struct child *c = context;

	if (!child_has(c, NAMESPACE_MOUNT)) {
		child_keep_host_ptmx(c);
		return mount_chroot(&c->mounts, err);
	}
	return c->l->opts->no_pivot ? mount_no_pivot(&c->mounts, err) :
				      mount_pivot(&c->mounts, err);
}

static int finish_mounts(void *context, struct err *err)
{
	struct child *c = context;

	return child_has(c, NAMESPACE_MOUNT) ? mount_finalize(&c->mounts, err) : 0;
}

static int set_names(void *context, struct err *err)
{
	struct child *c = context;
	const char *host = c->spec->hostname;
	const char *domain = c->spec->domainname;

	if (!str_is_empty(host) && sethostname(host, strlen(host)) < 0)
		return err_sys(err, -errno, "set hostname '%s'", host);
	if (!str_is_empty(domain) && setdomainname(domain, strlen(domain)) < 0)
		return err_sys(err, -errno, "set domainname '%s'", domain);
	return 0;
}

static int set_kernel_parameters(void *context, struct err *err)
{
	struct child *c = context;

	/* Opened now, while nothing of the container runs that could cover it. */
	c->proc_fd = proc_root_open("/proc");
	if (c->spec->linux_->sysctl.n == 0)
		return 0;
	if (c->proc_fd < 0)
		return err_sys(err, c->proc_fd,
			       "linux.sysctl needs a procfs at /proc of the container: open it");
	return sysctl_apply(&c->spec->linux_->sysctl, c->proc_fd, err);
}

static int protect_paths(void *context, struct err *err)
{
	struct child *c = context;
	int r = 0;

	if (child_has(c, NAMESPACE_MOUNT))
		r = mount_readonly_paths(&c->mounts, err);
	if (r == 0 && child_has(c, NAMESPACE_MOUNT))
		r = mount_mask_paths(&c->mounts, err);
	if (r == 0 && child_has(c, NAMESPACE_MOUNT))
		r = mount_set_root_propagation(&c->mounts, err);
	/* The last of the work on mounts. */
	mount_context_done(&c->mounts);
	return r;
}

static int make_working_directory(void *context, struct err *err UNUSED)
{
	struct child *c = context;
	auto_close int fd = -EBADF;

	/* Still as root, as runc does; that it cannot be entered is told when it is. */
	if (child_has(c, NAMESPACE_MOUNT))
		fd = rooted_mkdir_all(&c->mounts.root, c->process->cwd, 0755);
	return 0;
}

static const struct stage init_stages[] = {
	{ "settle", child_settle, NULL },
	{ "make time namespace", make_time_namespace, NULL },
	{ "enter user namespace", enter_user_namespace, NULL },
	{ "hide from others", hide_from_others, NULL },
	{ "join namespaces", child_join_namespaces, NULL },
	{ "make namespaces", make_namespaces, NULL },
	{ "join keyring", child_join_keyring, NULL },
	{ "prepare root", prepare_root, NULL },
	{ "get mount sources", get_mount_sources, NULL },
	{ "make mounts and devices", make_mounts, NULL },
	{ "wait for create hooks", wait_for_create_hooks, NULL },
	{ "run createContainer hooks", run_create_container_hooks, NULL },
	{ "change root", change_root, NULL },
	{ "reopen null stdio", child_reopen_null_stdio, NULL },
	{ "make working directory", make_working_directory, NULL },
	{ "open terminal", child_open_terminal, NULL },
	{ "finish mounts", finish_mounts, NULL },
	{ "set host names", set_names, NULL },
	{ "set kernel parameters", set_kernel_parameters, NULL },
	{ "protect paths", protect_paths, NULL },
	{ "set process attributes", child_set_attributes, NULL },
	{ "report ready", child_report_ready, NULL },
	{ "close host descriptors", child_close_host_descriptors, NULL },
	{ "set security labels", child_set_labels, NULL },
	{ "load seccomp filter", child_load_filter_early, NULL },
	{ "become the container's user", child_become_user, NULL },
	{ "find the program", child_find_program, NULL },
	{ "load seccomp filter late", child_load_filter_late, NULL },
};

static void end_by_signal(int sig)
{
	_exit(128 + sig);
}

/*
 * The kernel keeps from process 1 of a pid namespace every signal that it has no handler for
 * (pid_namespaces(7)): without these, nothing but SIGKILL could end a container that was created and
 * not started. execve(2) takes them away.
 */
static void be_terminable(void)
{
	static const int signals[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM };
	const struct sigaction action = { .sa_handler = end_by_signal };

	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		(void)sigaction(signals[i], &action, NULL);
}

static int wait_at_gate(struct child *c, struct err *err)
{
	ssize_t n;

	child_close_log();
	c->fifo_fd = child_open_gate(c);
	if (c->fifo_fd < 0)
		return err_sys(err, c->fifo_fd, "open exec.fifo");
	/* What comes now looks up paths of the image. */
	close_fd(&c->l->container.dir_fd);
	close_fd(&c->gate_fd);
	n = write(c->fifo_fd, "0", 1);
	return n == 1 ? 0 : err_sys(err, n < 0 ? -errno : -EIO, "write exec.fifo");
}

static int run_start_hooks(const struct child *c, struct err *err)
{
	const struct oci_hooks *hooks = c->spec->hooks;

	if (!hooks)
		return 0;
	return child_run_hooks(c, "startContainer", hooks->start_container,
			       hooks->n_start_container, CONTAINER_CREATED, NULL, c->l->env.v, err);
}

void init_child_main(struct launch *l)
{
	struct err err = ERR_INIT;
	struct child c;
	int r;

	child_init(&c, l);
	log_debug("child process in init() of container '%s'", l->container.id);
	r = stages_run("init", init_stages, ARRAY_SIZE(init_stages), &c, &err);
	if (r == 0)
		log_debug("init: closing the pipe to signal completion");
	if (r == 0 && !l->start_now) {
		/* The parent takes the end of the socket for "init waits at the gate", where it can be killed. */
		be_terminable();
		close_fd(&l->child_sync_fd);
		r = wait_at_gate(&c, &err);
	}
	if (r == 0)
		r = run_start_hooks(&c, &err);
	if (r == 0)
		r = child_execute(&c, &err);
	child_fail(&c, &err);
}
