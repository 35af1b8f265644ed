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

#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>

#include "core/alloc.h"
#include "core/fd.h"
#include "core/log.h"
#include "core/stage.h"
#include "core/str.h"
#include "kernel/proc_root.h"
#include "kernel/syscalls.h"
#include "runtime/container_hooks.h"
#include "runtime/device/create.h"
#include "runtime/hooks.h"
#include "runtime/init/environment.h"
#include "runtime/init/exec_path.h"
#include "runtime/init/handshake.h"
#include "runtime/init/spawn.h"
#include "runtime/keyring.h"
#include "runtime/lsm/lsm.h"
#include "runtime/netdev.h"
#include "runtime/seccomp/load.h"
#include "runtime/sysctl.h"
#include "runtime/terminal.h"

struct child {
	struct launch *l;
	const struct runtime_spec *spec;
	const struct oci_process *process;
	struct mount_context mounts;
	struct terminal terminal;
	int proc_fd; /* the container's procfs, verified; -EBADF when it has none */
	int fifo_fd;
	char *exec_path;
};

static bool has(const struct child *c, enum namespace_kind kind)
{
	return namespace_plan_has(&c->l->namespaces, kind);
}

static bool in_user_namespace(const struct child *c)
{
	return has(c, NAMESPACE_USER);
}

/* ---- build ---- */

static int settle(void *context, struct err *err)
{
	struct child *c = context;
	struct launch *l = c->l;
	sigset_t none;

	close_fd(&l->sync_fd);
	close_fd(&l->console_pair_fd);
	/* The lock is the parent's; an open copy here would hold it after the parent's end. */
	close_fd(&l->container.lock_fd);
	for (int sig = 1; sig < NSIG; sig++)
		if (sig != SIGKILL && sig != SIGSTOP)
			(void)signal(sig, SIG_DFL);
	(void)sigemptyset(&none);
	if (sigprocmask(SIG_SETMASK, &none, NULL) < 0)
		return err_sys(err, -errno, "reset the signal mask");
	(void)prctl(PR_SET_NAME, "floe:[init]");
	if (setsid() < 0)
		return err_sys(err, -errno, "start a session");
	return process_set_oom_score_adj(&l->process, err);
}

static int enter_user_namespace(void *context, struct err *err)
{
	struct child *c = context;
	auto_msg struct msg m = { 0 };
	int r;

	if (!namespace_plan_creates(&c->l->namespaces, NAMESPACE_USER))
		return 0;
	r = handshake_expect(c->l->child_sync_fd, HANDSHAKE_MAPPED, -1, &m, err);
	if (r < 0)
		return r;
	if (m.n_fds != c->l->mounts.n_sources)
		return err_set(err, ERR_INTERNAL, "handshake: %zu mount sources instead of %zu",
			       m.n_fds, c->l->mounts.n_sources);
	if (m.n_fds) {
		c->mounts.source_fds = xmemdup(m.fds, m.n_fds * sizeof(m.fds[0]));
		c->mounts.n_source_fds = m.n_fds;
		m.n_fds = 0; /* the descriptors are the context's now */
	}
	/* What is made from here on belongs to the container's root. */
	if (setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0)
		return err_sys(
			err, -errno,
			"become root of the new user namespace (linux.uidMappings and gidMappings "
			"must map container id 0)");
	return 0;
}

static int join_namespaces(void *context, struct err *err)
{
	struct child *c = context;

	return init_join_namespaces(&c->l->namespaces, err);
}

static int enter_cgroup(void *context, struct err *err)
{
	struct child *c = context;
	struct cgroup_entry entry = CGROUP_ENTRY_INIT;
	auto_msg struct msg m = { 0 };
	int r = handshake_expect(c->l->child_sync_fd, HANDSHAKE_CGROUP, -1, &m, err);

	if (r < 0)
		return r;
	cgroup_entry_from_fds(&entry, &c->l->cgroup, m.fds, m.n_fds);
	m.n_fds = 0;
	r = cgroup_enter_self(&entry, err);
	cgroup_entry_close(&entry);
	if (r < 0)
		return r;
	/* Only now: the namespace's root is where its creator is. */
	if (namespace_plan_creates(&c->l->namespaces, NAMESPACE_CGROUP) &&
	    unshare(CLONE_NEWCGROUP) < 0)
		return err_sys(err, -errno, "create cgroup namespace");
	return 0;
}

static int prepare_kernel_objects(void *context, struct err *err)
{
	struct child *c = context;
	int r = 0;

	if (!c->l->opts->no_new_keyring) {
		auto_close int proc_fd = proc_root_open("/proc");

		if (!str_is_empty(c->process->selinux_label))
			r = lsm_set_selinux_key(proc_fd, c->process->selinux_label, err);
		if (r == 0)
			r = keyring_join_session(c->l->container.id, in_user_namespace(c), err);
		if (r == 0 && !str_is_empty(c->process->selinux_label))
			r = lsm_set_selinux_key(proc_fd, NULL, err);
	}
	if (r == 0 && namespace_plan_creates(&c->l->namespaces, NAMESPACE_NETWORK))
		r = netdev_bring_up_loopback(err);
	return r;
}

static int prepare_root(void *context, struct err *err)
{
	struct child *c = context;

	return mount_prepare_root(&c->mounts, err);
}

static int make_mounts(void *context, struct err *err)
{
	struct child *c = context;
	int r;

	if (!has(c, NAMESPACE_MOUNT))
		return 0;
	r = mount_exec_all(&c->mounts, err);
	if (r < 0)
		return r;
	return device_create_all(&c->mounts.root, &c->mounts.env, &c->l->devices, err);
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

static int run_container_hooks(const struct child *c, const char *name,
			       const struct oci_hook *hooks, size_t n, enum container_status status,
			       const char *cwd, char *const *env, struct err *err)
{
	auto_free char *state = NULL;
	struct hooks_options opts = {
		.name = name, .hooks = hooks, .n_hooks = n, .cwd = cwd, .default_env = env
	};

	if (n == 0)
		return 0;
	/* The pid in there is that of the hook's own pid namespace. */
	state = container_hook_state(&c->l->container, status, getpid());
	opts.state = state;
	return hooks_run(&opts, err);
}

static int run_create_container_hooks(void *context, struct err *err)
{
	struct child *c = context;
	const struct oci_hooks *hooks = c->spec->hooks;

	if (!hooks)
		return 0;
	return run_container_hooks(c, "createContainer", hooks->create_container,
				   hooks->n_create_container, CONTAINER_CREATING,
				   c->l->bundle.rootfs, NULL, err);
}

static int change_root(void *context, struct err *err)
{
	struct child *c = context;

	if (!has(c, NAMESPACE_MOUNT))
		return mount_chroot(&c->mounts, err);
	return c->l->opts->no_pivot ? mount_no_pivot(&c->mounts, err) :
				      mount_pivot(&c->mounts, err);
}

static int open_terminal(void *context, struct err *err)
{
	struct child *c = context;
	const struct oci_console_size *size = c->process->console_size;
	int r;

	if (!c->process->terminal)
		return 0;
	r = terminal_open(&c->terminal, size ? (uint16_t)size->height : 0,
			  size ? (uint16_t)size->width : 0, c->l->process.uid, err);
	if (r == 0 && has(c, NAMESPACE_MOUNT))
		r = device_bind_console(&c->mounts.root, &c->mounts.env, c->terminal.slave_fd, err);
	if (r == 0)
		r = terminal_send_fd(c->l->console_socket_fd, c->terminal.master_fd, "/dev/ptmx",
				     err);
	if (r < 0)
		return r;
	close_fd(&c->terminal.master_fd);
	close_fd(&c->l->console_socket_fd);
	return terminal_attach(&c->terminal, err);
}

static int finish_mounts(void *context, struct err *err)
{
	struct child *c = context;

	return has(c, NAMESPACE_MOUNT) ? mount_finalize(&c->mounts, err) : 0;
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
	int r;

	if (!has(c, NAMESPACE_MOUNT))
		return 0;
	r = mount_readonly_paths(&c->mounts, err);
	return r < 0 ? r : mount_mask_paths(&c->mounts, err);
}

static int set_process_attributes(void *context, struct err *err)
{
	struct child *c = context;
	int r;

	(void)umask((mode_t)c->l->process.umask);
	r = process_set_no_new_privs(&c->l->process, err);
	return r < 0 ? r : scheduling_apply(&c->l->process.scheduling, err);
}

static int report_ready(void *context, struct err *err)
{
	struct child *c = context;
	auto_msg struct msg m = { 0 };
	int r = handshake_send(c->l->child_sync_fd, HANDSHAKE_READY, NULL, 0, NULL, 0, err);

	if (r == 0)
		r = handshake_receive(c->l->child_sync_fd, -1, &m, err);
	if (r < 0)
		return r;
	if (m.kind != HANDSHAKE_START_NOW && m.kind != HANDSHAKE_START_FIFO)
		return err_set(err, ERR_INTERNAL, "handshake: expected START, got %s",
			       handshake_kind_to_string(m.kind));
	return 0;
}

/* ---- become ---- */

static int load_filter(const struct child *c, struct err *err)
{
	int listener_fd = -EBADF;
	int r = seccomp_filter_load(&c->l->seccomp, &listener_fd, err);

	if (r < 0 || listener_fd < 0)
		return r;
	/* Only write(2) is sure not to be held up by the listener that nobody serves yet. */
	return handshake_write_seccomp_fd(c->l->child_sync_fd, listener_fd, err);
}

static int set_labels(void *context, struct err *err)
{
	struct child *c = context;
	int r;

	if (str_is_empty(c->process->selinux_label) && str_is_empty(c->process->apparmor_profile))
		return 0;
	if (c->proc_fd < 0)
		return err_sys(
			err, c->proc_fd,
			"a security label needs a procfs at /proc of the container: open it");
	r = lsm_set_apparmor_exec(c->proc_fd, c->process->apparmor_profile, err);
	return r < 0 ? r : lsm_set_selinux_exec(c->proc_fd, c->process->selinux_label, err);
}

static int load_filter_early(void *context, struct err *err)
{
	struct child *c = context;

	return c->l->process.no_new_privs ? 0 : load_filter(c, err);
}

static int become_user(void *context, struct err *err)
{
	struct child *c = context;
	struct process_facts facts = {
		.in_user_namespace = in_user_namespace(c) || c->l->rt->rootless == ROOTLESS_TRUE,
		.keep_groups = str_eq(
			runtime_spec_annotation(c->spec, "run.oci.keep_original_groups"), "1"),
	};
	int r;

	/* A working directory that is missing is made, still as root, as runc does. */
	if (has(c, NAMESPACE_MOUNT)) {
		auto_close int fd = rooted_mkdir_all(&c->mounts.root, c->process->cwd, 0755);

		if (fd < 0 && fd != -EROFS && fd != -EEXIST && fd != -ENOTDIR)
			log_debug("make working directory '%s': %s", c->process->cwd,
				  errno_text(fd));
	}
	mount_context_done(&c->mounts);
	r = process_take_identity(&c->l->process, &facts, err);
	return r;
}

static int find_program(void *context, struct err *err)
{
	struct child *c = context;

	environment_add_home(&c->l->env, c->l->process.uid);
	return exec_path_find(c->process->args[0], &c->l->env, &c->exec_path, err);
}

static int load_filter_late(void *context, struct err *err)
{
	struct child *c = context;

	return c->l->process.no_new_privs ? load_filter(c, err) : 0;
}

static const struct stage build_stages[] = {
	{ "settle", settle, NULL },
	{ "enter user namespace", enter_user_namespace, NULL },
	{ "join namespaces", join_namespaces, NULL },
	{ "prepare keyring and loopback", prepare_kernel_objects, NULL },
	{ "prepare root", prepare_root, NULL },
	{ "enter cgroup", enter_cgroup, NULL },
	{ "make mounts and devices", make_mounts, NULL },
	{ "wait for create hooks", wait_for_create_hooks, NULL },
	{ "run createContainer hooks", run_create_container_hooks, NULL },
	{ "change root", change_root, NULL },
	{ "open terminal", open_terminal, NULL },
	{ "finish mounts", finish_mounts, NULL },
	{ "set host names", set_names, NULL },
	{ "set kernel parameters", set_kernel_parameters, NULL },
	{ "protect paths", protect_paths, NULL },
	{ "set process attributes", set_process_attributes, NULL },
	{ "report ready", report_ready, NULL },
	{ "set security labels", set_labels, NULL },
	{ "load seccomp filter", load_filter_early, NULL },
	{ "become the container's user", become_user, NULL },
	{ "find the program", find_program, NULL },
	{ "load seccomp filter late", load_filter_late, NULL },
};

/* ---- the gate ---- */

/* Blocks until `start` opens the other end. The directory's descriptor is ours from before the
 * pivot: no path of the container is involved. */
static int wait_at_gate(struct child *c, struct err *err)
{
	ssize_t n;

	c->fifo_fd = fd_open_at(c->l->container.dir_fd, "exec.fifo", O_WRONLY, 0);
	if (c->fifo_fd < 0)
		return err_sys(err, c->fifo_fd, "open exec.fifo");
	n = write(c->fifo_fd, "0", 1);
	return n == 1 ? 0 : err_sys(err, n < 0 ? -errno : -EIO, "write exec.fifo");
}

static int pass_descriptors(const struct child *c, struct err *err)
{
	int first = 3 + (int)(c->l->listen_fds + c->l->opts->preserve_fds);
	int r = fd_cloexec_from(first);

	for (int fd = 3; r == 0 && fd < first; fd++)
		r = fd_set_cloexec(fd, false);
	return r < 0 ? err_sys(err, r, "prepare the container's descriptors") : 0;
}

static int execute(struct child *c, struct err *err)
{
	const struct oci_hooks *hooks = c->spec->hooks;
	int r = 0;

	if (hooks)
		r = run_container_hooks(c, "startContainer", hooks->start_container,
					hooks->n_start_container, CONTAINER_CREATED, NULL,
					c->l->env.v, err);
	if (r == 0)
		r = pass_descriptors(c, err);
	if (r < 0)
		return r;
	(void)execve(c->exec_path, c->process->args, c->l->env.v);
	return exec_path_explain(c->exec_path, -errno, err);
}

NORETURN static void fail(const struct child *c, const struct err *err)
{
	char packed[sizeof(struct err)];
	size_t len;

	if (c->l->child_sync_fd >= 0) {
		handshake_send_failure(c->l->child_sync_fd, err);
	} else if (c->fifo_fd >= 0) {
		len = handshake_pack_err(err, packed, sizeof(packed));
		(void)!write(c->fifo_fd, packed, len);
	}
	_exit(1);
}

void init_child_main(struct launch *l)
{
	struct child c = {
		.l = l,
		.spec = &l->bundle.spec,
		.process = l->bundle.spec.process,
		.terminal = TERMINAL_INIT,
		.proc_fd = -EBADF,
		.fifo_fd = -EBADF,
	};
	struct err err = ERR_INIT;
	int r;

	mount_context_init(&c.mounts, &l->mounts, l->bundle.rootfs);
	c.mounts.cgroup = &l->cgroup_facts;
	if (l->source_fds) {
		c.mounts.source_fds = take_ptr(l->source_fds);
		c.mounts.n_source_fds = l->mounts.n_sources;
	}
	r = stages_run("init", build_stages, ARRAY_SIZE(build_stages), &c, &err);
	if (r == 0 && !l->start_now) {
		/* The parent takes the end of the socket for "init waits at the gate". */
		close_fd(&l->child_sync_fd);
		r = wait_at_gate(&c, &err);
	}
	if (r == 0)
		r = execute(&c, &err);
	fail(&c, &err);
}
