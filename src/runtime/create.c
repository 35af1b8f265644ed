/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/launch.h"

#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "core/alloc.h"
#include "core/clock.h"
#include "core/fd.h"
#include "core/fs.h"
#include "core/io.h"
#include "core/lock.h"
#include "core/log.h"
#include "core/parse.h"
#include "core/path.h"
#include "core/proc.h"
#include "core/stage.h"
#include "core/str.h"
#include "kernel/procfs.h"
#include "kernel/syscalls.h"
#include "runtime/container_hooks.h"
#include "runtime/delete.h"
#include "runtime/init/environment.h"
#include "runtime/init/handshake.h"
#include "runtime/init/spawn.h"
#include "runtime/lsm/lsm.h"
#include "runtime/namespace/userns.h"
#include "runtime/netdev.h"
#include "runtime/seccomp/cache.h"
#include "runtime/seccomp/notify.h"
#include "runtime/sysctl.h"
#include "runtime/terminal.h"

static const struct runtime_spec *spec_of(const struct launch *l)
{
	return &l->bundle.spec;
}

/* ---- plans ---- */

static int check_terminal(const struct launch *l, struct err *err)
{
	bool terminal = spec_of(l)->process->terminal;
	bool detach = l->opts->detach || !l->start_now;

	if (terminal && detach && !l->opts->console_socket)
		return err_set(
			err, ERR_INVALID,
			"cannot allocate tty if floe-runtime will detach without setting console "
			"socket; give --console-socket, or set process.terminal to false");
	if (l->opts->console_socket && (!detach || !terminal))
		return err_set(
			err, ERR_INVALID,
			"cannot use console socket if floe-runtime will not detach or allocate "
			"tty; set process.terminal to true, or leave --console-socket out");
	return 0;
}

/* LISTEN_FDS is for us only when LISTEN_PID is ours (sd_listen_fds(3)). */
static uint32_t count_listen_fds(void)
{
	const char *pid_text = getenv("LISTEN_PID");
	const char *fds_text = getenv("LISTEN_FDS");
	uint32_t pid;
	uint32_t fds;

	if (!pid_text || !fds_text || parse_u32(pid_text, &pid) < 0 ||
	    parse_u32(fds_text, &fds) < 0)
		return 0;
	return pid == (uint32_t)getpid() ? fds : 0;
}

static int check_preserved(const struct launch *l, struct err *err)
{
	uint32_t n = l->listen_fds + l->opts->preserve_fds;

	for (uint32_t i = 0; i < n; i++)
		if (!fd_is_valid((int)(3 + i)))
			return err_set(
				err, ERR_INVALID,
				"unable to stat preserved-fd %u of %u: descriptor %u is not open",
				i, n, 3 + i);
	return 0;
}

static int plan_environment(struct launch *l, struct err *err)
{
	const struct oci_process *process = spec_of(l)->process;
	auto_strvec struct strvec extra = STRVEC_INIT;

	l->listen_fds = count_listen_fds();
	if (l->listen_fds) {
		strvec_addf(&extra, "LISTEN_FDS=%u", l->listen_fds);
		strvec_add(&extra, "LISTEN_PID=1");
	}
	return environment_build(&l->env, process->env, process->n_env, &extra, err);
}

static int plan_process(struct launch *l, struct err *err)
{
	const struct runtime_spec *spec = spec_of(l);
	const struct oci_process *process = spec->process;
	auto_strvec struct strvec warnings = STRVEC_INIT;
	int r = process_plan_make(&l->process, process, spec->linux_, &warnings, err);

	for (size_t i = 0; i < warnings.n; i++)
		log_debug("%s", warnings.v[i]);
	if (r == 0)
		r = lsm_check(process->apparmor_profile, process->selinux_label,
			      spec->linux_->mount_label, err);
	if (r == 0)
		r = plan_environment(l, err);
	return r < 0 ? r : check_preserved(l, err);
}

static int plan_sysctl(const struct launch *l, struct err *err)
{
	const struct oci_linux *linux_ = spec_of(l)->linux_;
	struct sysctl_facts facts;
	int r;

	if (linux_->sysctl.n == 0)
		return 0;
	r = sysctl_facts_from_namespaces(&facts, linux_->namespaces, linux_->n_namespaces, err);
	return r < 0 ? r : sysctl_validate(&linux_->sysctl, &facts, err);
}

static int plan(void *context, struct err *err)
{
	struct launch *l = context;
	const struct oci_hooks *hooks = spec_of(l)->hooks;
	int r = namespace_plan_make(&l->namespaces, spec_of(l), err);

	if (r == 0)
		r = check_terminal(l, err);
	if (r == 0)
		r = plan_sysctl(l, err);
	if (r == 0)
		r = plan_process(l, err);
	if (r == 0 && spec_of(l)->linux_->seccomp)
		r = seccomp_filter_get(&l->seccomp, spec_of(l)->linux_->seccomp, l->rt->root_fd,
				       err);
	if (r == 0)
		r = namespace_plan_open(&l->namespaces, err);
	l->has_pre_pivot_hooks = (hooks && (hooks->n_prestart || hooks->n_create_runtime)) ||
				 spec_of(l)->linux_->n_net_devices;
	return r;
}

static int open_sockets(void *context, struct err *err)
{
	struct launch *l = context;
	int ends[2];
	int r = msg_pair(ends);

	if (r < 0)
		return err_sys(err, r, "make the handshake socket");
	l->sync_fd = ends[0];
	l->child_sync_fd = ends[1];
	if (l->opts->console_socket) {
		l->console_socket_fd = terminal_connect_socket(l->opts->console_socket, err);
		return l->console_socket_fd < 0 ? l->console_socket_fd : 0;
	}
	if (spec_of(l)->process->terminal) {
		if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
			return err_sys(err, -errno, "make a socket for the console");
		l->console_pair_fd = ends[0];
		l->console_socket_fd = ends[1];
	}
	return 0;
}

/* ---- init ---- */

/* Bind sources that the child may not reach or id-map itself: they are opened by us, as seen from the
 * host, when its user namespace has its maps. */
static int map_and_send_sources(struct launch *l, struct err *err)
{
	auto_free char *path = xasprintf("/proc/%d/ns/user", l->init_pid);
	auto_close int userns_fd = -EBADF;
	int r = userns_write_maps(l->init_pid, spec_of(l)->linux_, err);

	if (r < 0)
		return r;
	userns_fd = fd_open_at(AT_FDCWD, path, O_RDONLY, 0);
	if (userns_fd < 0)
		return err_sys(err, userns_fd, "open '%s'", path);
	r = mount_open_sources(&l->mounts, userns_fd, &l->source_fds, err);
	if (r < 0)
		return r;
	return handshake_send(l->sync_fd, HANDSHAKE_MAPPED, NULL, 0, l->source_fds,
			      l->source_fds ? l->mounts.n_sources : 0, err);
}

static int spawn(void *context, struct err *err)
{
	struct launch *l = context;
	bool maps_later = namespace_plan_creates(&l->namespaces, NAMESPACE_USER);
	int r = 0;

	if (!maps_later)
		r = mount_open_sources(&l->mounts, l->namespaces.fds[NAMESPACE_USER],
				       &l->source_fds, err);
	if (r == 0)
		r = init_spawn(l, err);
	close_fd(&l->console_socket_fd);
	if (r < 0)
		return r;
	l->container.record.pid = l->init_pid;
	return maps_later ? map_and_send_sources(l, err) : 0;
}

static void kill_init(void *context)
{
	struct launch *l = context;

	if (l->init_pid <= 0)
		return;
	(void)kill(l->init_pid, SIGKILL);
	(void)RETRY_EINTR(waitpid(l->init_pid, NULL, 0));
	l->init_pid = 0;
}

static int create_cgroup(void *context, struct err *err)
{
	struct launch *l = context;
	auto_cgroup_entry struct cgroup_entry entry = CGROUP_ENTRY_INIT;
	int r = cgroup_create(&l->cgroup, err);

	if (r == 0)
		r = cgroup_entry_open(&l->cgroup, l->init_in_unified, &entry, err);
	if (r == 0)
		r = handshake_send(l->sync_fd, HANDSHAKE_CGROUP, NULL, 0, entry.fd, entry.n, err);
	if (r == 0)
		r = cgroup_apply(&l->cgroup, spec_of(l)->linux_->resources, err);
	if (r == 0)
		cgroup_save_paths(&l->cgroup, &l->container.record.cgroup_paths);
	return r;
}

/* The child has gone without a word: say how. */
static int explain_end(struct launch *l, struct err *err)
{
	int status;

	if (RETRY_EINTR(waitpid(l->init_pid, &status, 0)) != l->init_pid)
		return err_set(err, ERR_REMOTE, "the container's init ended unexpectedly");
	l->init_pid = 0;
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
		return err_set(
			err, ERR_REMOTE,
			"the container's init was killed while it was set up; its memory limit may "
			"be too small (linux.resources.memory.limit), see the kernel's log");
	return err_set(err, ERR_REMOTE, "the container's init ended unexpectedly: %s",
		       proc_status_to_string(status));
}

static int converse(void *context, struct err *err)
{
	struct launch *l = context;

	for (;;) {
		auto_msg struct msg m = { 0 };
		int r = handshake_receive(l->sync_fd, -1, &m, err);

		if (r == -EPIPE)
			return explain_end(l, err);
		if (r < 0)
			return err_wrap(err, r, "error during container init");
		if (m.kind == HANDSHAKE_READY)
			return 0;
		if (m.kind != HANDSHAKE_HOOKS)
			return err_set(err, ERR_INTERNAL,
				       "handshake: expected HOOKS or READY, got %s",
				       handshake_kind_to_string(m.kind));
		r = netdev_move_all(spec_of(l), l->init_pid, err);
		if (r == 0)
			r = container_run_create_hooks(&l->container, err);
		if (r == 0)
			r = handshake_send(l->sync_fd, HANDSHAKE_HOOKS_DONE, NULL, 0, NULL, 0, err);
		if (r < 0)
			return r;
	}
}

static int set_rlimits(void *context, struct err *err)
{
	struct launch *l = context;

	return process_set_rlimits(&l->process, l->init_pid, err);
}

/* ---- record ---- */

static int take_console(struct launch *l, struct err *err)
{
	int r;

	if (l->console_pair_fd < 0)
		return 0;
	r = terminal_receive_fd(l->console_pair_fd, &l->console_fd);
	return r < 0 ? err_sys(err, r, "receive the container's terminal") : 0;
}

static int serve_seccomp_listener(struct launch *l, const struct msg *m, struct err *err)
{
	const struct oci_seccomp *seccomp = spec_of(l)->linux_->seccomp;
	auto_close int pidfd = sys_pidfd_open(l->init_pid);
	auto_close int listener_fd = -EBADF;
	auto_free char *state = container_hook_state(&l->container, CONTAINER_CREATING, 0);
	auto_free char *payload = NULL;
	int number;

	if (m->len != sizeof(number))
		return err_set(err, ERR_INTERNAL, "malformed SECCOMP_FD message");
	memcpy(&number, m->payload, sizeof(number));
	listener_fd = seccomp_notify_fetch(pidfd, number, err);
	if (listener_fd < 0)
		return listener_fd;
	payload = seccomp_notify_payload(spec_of(l)->oci_version, l->init_pid,
					 seccomp->listener_metadata, state);
	return seccomp_notify_send(seccomp->listener_path, listener_fd, payload, err);
}

/* Say START, then wait for the end of the socket: init waits at the gate, or is the program. */
static int release_init(void *context, struct err *err)
{
	struct launch *l = context;
	enum handshake_kind kind = l->start_now ? HANDSHAKE_START_NOW : HANDSHAKE_START_FIFO;
	int r = take_console(l, err);

	if (r == 0)
		r = handshake_send(l->sync_fd, kind, NULL, 0, NULL, 0, err);
	while (r == 0) {
		auto_msg struct msg m = { 0 };

		r = handshake_receive(l->sync_fd, -1, &m, err);
		if (r == -EPIPE)
			break;
		if (r < 0)
			return err_wrap(err, r, "error during container init");
		if (m.kind != HANDSHAKE_SECCOMP_FD)
			return err_set(err, ERR_INTERNAL, "handshake: expected the end, got %s",
				       handshake_kind_to_string(m.kind));
		r = serve_seccomp_listener(l, &m, err);
	}
	if (r != -EPIPE)
		return r;
	err_clear(err);
	return 0;
}

static const struct stage create_stages[] = {
	{ "load bundle", launch_load, NULL },
	{ "plan", plan, NULL },
	{ "reserve state directory", launch_reserve_directory, launch_release_directory },
	{ "open cgroup", launch_open_cgroup, launch_remove_cgroup },
	{ "plan mounts", launch_plan_mounts, NULL },
	{ "open sockets", open_sockets, NULL },
	{ "spawn init", spawn, kill_init },
	{ "create cgroup", create_cgroup, NULL },
	{ "converse with init", converse, NULL },
	{ "set rlimits", set_rlimits, NULL },
	{ "save state", launch_save, launch_forget_pid_file },
	{ "release init", release_init, NULL },
};

int launch_run(struct launch *l, struct err *err)
{
	int r = stages_run("create", create_stages, ARRAY_SIZE(create_stages), l, err);

	return r;
}

int container_create(struct runtime *rt, const struct create_options *opts, struct err *err)
{
	auto_launch struct launch l = LAUNCH_INIT;
	int r;

	l.rt = rt;
	l.opts = opts;
	r = launch_run(&l, err);
	return r < 0 ? err_wrap(err, r, "create container '%s'", opts->id) : 0;
}
