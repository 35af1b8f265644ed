/* SPDX-License-Identifier: Apache-2.0 */
/* What the init of a container and the process of an exec have in common; see child_common.h. */
#include "runtime/init/child_common.h"

#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include "core/fd.h"
#include "core/fs.h"
#include "core/log.h"
#include "core/rooted.h"
#include "core/proc.h"
#include "core/str.h"
#include "kernel/proc_root.h"
#include "runtime/annotations.h"
#include "runtime/container_hooks.h"
#include "runtime/device/create.h"
#include "runtime/hooks.h"
#include "runtime/init/environment.h"
#include "runtime/init/exec_path.h"
#include "runtime/init/handshake.h"
#include "runtime/init/spawn.h"
#include "runtime/keyring.h"
#include "runtime/lsm/lsm.h"
#include "runtime/seccomp/load.h"

void child_init(struct child *ret, struct launch *l)
{
	*ret = (struct child){
		.l = l,
		.spec = &l->bundle.spec,
		.process = l->bundle.spec.process,
		.terminal = TERMINAL_INIT,
		.ptmx_fd = -EBADF,
		.proc_fd = -EBADF,
		.gate_fd = -EBADF,
		.fifo_fd = -EBADF,
		.courier = COURIER_INIT,
	};
	mount_context_init(&ret->mounts, &l->mounts, l->bundle.rootfs);
	ret->mounts.rootfs_id = l->bundle.rootfs_id;
	ret->mounts.cgroup = &l->cgroup_facts;
}

int child_settle(void *context, struct err *err)
{
	struct child *c = context;
	struct launch *l = c->l;
	sigset_t none;

	/* These words, as others in debug messages here, are runc's: some look for them in the log. */
	log_debug("nsexec container setup of container '%s'", l->container.id);
	close_fd(&l->sync_fd);
	close_fd(&l->console_pair_fd);
	cgroup_release_in_child(&l->cgroup);
	/* The lock is the parent's; an open copy here would hold it after the parent's end. */
	close_fd(&l->container.lock_fd);
	proc_default_signals();
	(void)sigemptyset(&none);
	if (sigprocmask(SIG_SETMASK, &none, NULL) < 0)
		return err_sys(err, -errno, "reset the signal mask");
	(void)prctl(PR_SET_NAME, "floe:[init]");
	if (setsid() < 0)
		return err_sys(err, -errno, "start a session");
	if (namespace_plan_creates(&l->namespaces, NAMESPACE_USER))
		return 0; /* the parent does it */
	return process_set_oom_score_adj(&l->process, 0, err);
}

int child_join_namespaces(void *context, struct err *err)
{
	struct child *c = context;

	return init_join_namespaces(&c->l->namespaces, err);
}

int child_enter_cgroup(void *context, struct err *err)
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

int child_reset_affinity(void *context UNUSED, struct err *err UNUSED)
{
	scheduling_reset_affinity();
	return 0;
}

int child_join_keyring(void *context, struct err *err)
{
	struct child *c = context;
	auto_close int proc_fd = -EBADF;
	int r = 0;

	if (c->l->opts->no_new_keyring)
		return 0;
	if (!str_is_empty(c->process->selinux_label)) {
		proc_fd = proc_root_open("/proc");
		r = lsm_set_selinux_key(proc_fd, c->process->selinux_label, err);
	}
	if (r == 0)
		r = keyring_join_session(c->l->container.id, child_has(c, NAMESPACE_USER), err);
	if (r == 0 && proc_fd >= 0)
		r = lsm_set_selinux_key(proc_fd, NULL, err);
	return r;
}

int child_run_hooks(const struct child *c, const char *name, const struct oci_hook *hooks, size_t n,
		    enum container_status status, const char *cwd, char *const *env,
		    struct err *err)
{
	auto_free char *state = NULL;
	struct hooks_options opts = {
		.name = name,
		.hooks = hooks,
		.n_hooks = n,
		.cwd = cwd,
		.default_env = env,
		.output = &c->l->hooks_output,
	};

	if (n == 0)
		return 0;
	/* The pid in there is that of the hook's own pid namespace. */
	state = container_hook_state(&c->l->container, status, getpid());
	opts.state = state;
	return hooks_run(&opts, err);
}

void child_keep_host_ptmx(struct child *c)
{
	if (c->process->terminal)
		c->ptmx_fd = fd_open_at(AT_FDCWD, "/dev/ptmx", O_RDWR | O_NOCTTY, 0);
}

int child_open_terminal(void *context, struct err *err)
{
	struct child *c = context;
	const struct oci_console_size *size = c->process->console_size;
	int r;

	if (!c->process->terminal)
		return 0;
	r = terminal_open(&c->terminal, c->ptmx_fd, size ? (uint16_t)size->height : 0,
			  size ? (uint16_t)size->width : 0, c->l->process.uid, err);
	/* exec has no root of its own to bind a console in */
	if (r == 0 && c->mounts.root.fd >= 0 && child_has(c, NAMESPACE_MOUNT))
		r = device_bind_console(&c->mounts.root, &c->mounts.env, c->terminal.slave_fd, err);
	if (r == 0)
		r = terminal_send_fd(c->l->console_socket_fd, c->terminal.master_fd, "/dev/ptmx",
				     err);
	if (r < 0)
		return r;
	close_fd(&c->ptmx_fd);
	close_fd(&c->terminal.master_fd);
	close_fd(&c->l->console_socket_fd);
	return terminal_attach(&c->terminal, err);
}

/* The null device of the container, if it is one; -errno. Looked at first: to open what an image may
 * have in its place could have effects. */
static int open_null(void)
{
	auto_rooted struct rooted root = ROOTED_INIT;
	auto_close int fd = -EBADF;
	int r = rooted_open(&root, AT_FDCWD, "/");

	if (r < 0)
		return r;
	fd = rooted_openat(&root, "/dev/null", O_PATH | O_NOFOLLOW);
	if (fd < 0 || device_check_null(fd) < 0)
		return -ENODEV;
	close_fd(&fd);
	fd = rooted_openat(&root, "/dev/null", O_RDWR | O_NOFOLLOW);
	if (fd < 0 || device_check_null(fd) < 0)
		return -ENODEV;
	return take_fd(fd);
}

int child_reopen_null_stdio(void *context, struct err *err)
{
	struct child *c = context;
	auto_close int null_fd = -EBADF;

	if (!child_has(c, NAMESPACE_MOUNT))
		return 0;
	for (int fd = 0; fd <= 2; fd++) {
		if (device_check_null(fd) < 0)
			continue;
		if (null_fd < 0)
			null_fd = open_null();
		if (null_fd < 0)
			return 0;
		if (dup2(null_fd, fd) < 0)
			return err_sys(err, -errno, "reopen descriptor %d on /dev/null", fd);
	}
	return 0;
}

int child_set_attributes(void *context, struct err *err)
{
	struct child *c = context;
	int r;

	(void)umask((mode_t)c->l->process.umask);
	r = process_set_no_new_privs(&c->l->process, err);
	return r < 0 ? r : scheduling_apply(&c->l->process.scheduling, err);
}

/* What the parent does behind READY otherwise. */
static int start_ahead(struct child *c, struct err *err)
{
	int r = process_set_rlimits(&c->l->process, 0, err);

	return r < 0 ? r : container_publish_record(&c->l->container, err);
}

int child_report_ready(void *context, struct err *err)
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
	return c->l->starts_ahead ? start_ahead(c, err) : 0;
}

/* The first number that is not handed to the container. */
static int first_own_descriptor(const struct child *c)
{
	return 3 + (int)c->l->n_preserved_fds;
}

static bool is_among(int fd, const int *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (list[i] == fd)
			return true;
	return false;
}

int child_close_host_descriptors(void *context, struct err *err)
{
	struct child *c = context;
	bool has_gate = !c->l->start_now;
	int r;

	if (c->l->wait_fifo_fd >= 0) {
		c->gate_fd = c->l->wait_fifo_fd;
	} else if (has_gate && c->proc_fd >= 0) {
		c->gate_fd =
			fd_open_at(c->l->container.dir_fd, "exec.fifo", O_PATH | O_NOFOLLOW, 0);
		if (c->gate_fd < 0)
			return err_sys(err, c->gate_fd, "open exec.fifo");
	}
	const int keep[] = {
		c->l->child_sync_fd,
		c->proc_fd,
		c->gate_fd,
		log_fd(),
		c->l->hooks_output.out_fd,
		c->l->hooks_output.err_fd,
		has_gate && c->gate_fd < 0 ? c->l->container.dir_fd : -EBADF,
	};
	/* Among the caller's may be ours, where numbers were free. */
	for (int fd = 3; fd < first_own_descriptor(c); fd++)
		if (!fd_is_inherited(fd) && !is_among(fd, keep, ARRAY_SIZE(keep)))
			(void)close(fd);
	r = fd_close_from(first_own_descriptor(c), keep, ARRAY_SIZE(keep));
	return r < 0 ? err_sys(err, r, "close the descriptors of the host") : 0;
}

/* Whether the parent may not take the listener from us. The filter does not bind the courier's thread: one
 * that notifies has no TSYNC (compile.c). */
static bool needs_courier(const struct launch *l)
{
	return l->seccomp.notifies && !l->is_privileged && prctl(PR_GET_DUMPABLE) != 1;
}

static int load_filter(struct child *c, struct err *err)
{
	int listener_fd = -EBADF;
	int r;

	c->courier.sync_fd = c->l->child_sync_fd;
	if (needs_courier(c->l))
		courier_start(&c->courier, c->l->child_sync_fd);
	r = seccomp_filter_load(&c->l->seccomp, &listener_fd, err);
	if (r < 0 || listener_fd < 0)
		return r;
	r = courier_deliver(&c->courier, listener_fd, err);
	(void)close(listener_fd);
	return r;
}

int child_set_labels(void *context, struct err *err)
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

int child_load_filter_early(void *context, struct err *err)
{
	struct child *c = context;

	return c->l->process.no_new_privs ? 0 : load_filter(c, err);
}

int child_become_user(void *context, struct err *err)
{
	struct child *c = context;
	struct process_facts facts = {
		.in_user_namespace = child_has(c, NAMESPACE_USER) || c->l->is_rootless,
		.keep_groups = annotation_is_on(c->spec, ANNOTATION_KEEP_GROUPS),
	};

	return process_take_identity(&c->l->process, &facts, err);
}

int child_find_program(void *context, struct err *err)
{
	struct child *c = context;

	environment_add_home(&c->l->env, c->l->process.uid);
	return exec_path_find(c->process->args[0], &c->l->env, &c->exec_path, err);
}

int child_load_filter_late(void *context, struct err *err)
{
	struct child *c = context;

	return c->l->process.no_new_privs ? load_filter(c, err) : 0;
}

void child_close_log(void)
{
	const struct log_config none = { .level = LOG_LEVEL_ERROR, .fd = -EBADF };

	if (log_fd() <= STDERR_FILENO)
		return;
	(void)close(log_fd());
	log_configure(&none);
}

/* While we wait, others may be in the container (`exec`), so no directory of the host is left open: the
 * fifo is reached through the container's procfs, and must be the one that it was. */
int child_open_gate(const struct child *c)
{
	auto_close int self_fd = -EBADF;
	auto_close int fd = -EBADF;
	char name[32];
	struct stat want;
	struct stat got;

	if (c->gate_fd < 0)
		return fd_open_at(c->l->container.dir_fd, "exec.fifo", O_WRONLY, 0);
	self_fd = proc_root_openat(c->proc_fd, "thread-self/fd", O_PATH | O_DIRECTORY);
	if (self_fd < 0)
		return self_fd;
	(void)snprintf(name, sizeof(name), "%d", c->gate_fd);
	fd = fd_open_at(self_fd, name, O_WRONLY, 0);
	if (fd < 0)
		return fd;
	if (fstat(c->gate_fd, &want) < 0 || fstat(fd, &got) < 0)
		return -errno;
	return fs_is_same_file(&want, &got) ? take_fd(fd) : -EXDEV;
}

int child_execute(struct child *c, struct err *err)
{
	/* What child_close_host_descriptors() left, but for a socket or a pipe by which a failure of
	 * execve(2) is told. */
	close_fd(&c->proc_fd);
	hooks_output_close(&c->l->hooks_output);
	child_close_log();
	(void)execve(c->exec_path, c->process->args, c->l->env.v);
	return exec_path_explain(c->exec_path, -errno, err);
}

void child_fail(const struct child *c, const struct err *err)
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
