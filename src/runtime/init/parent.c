/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/init/parent.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "core/alloc.h"
#include "core/fd.h"
#include "core/proc.h"
#include "kernel/syscalls.h"
#include "runtime/container_hooks.h"
#include "runtime/init/handshake.h"
#include "runtime/netdev.h"
#include "runtime/seccomp/notify.h"
#include "runtime/terminal.h"

static const struct runtime_spec *spec_of(const struct launch *l)
{
	return &l->bundle.spec;
}

int parent_open_sockets(void *context, struct err *err)
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

void parent_kill_init(void *context)
{
	struct launch *l = context;

	if (l->init_pid <= 0)
		return;
	(void)kill(l->init_pid, SIGKILL);
	(void)RETRY_EINTR(waitpid(l->init_pid, NULL, 0));
	l->init_pid = 0;
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

static int receive(struct launch *l, struct msg *ret, struct err *err)
{
	int r = handshake_receive(l->sync_fd, -1, ret, err);

	if (r == -EPIPE)
		return explain_end(l, err);
	l->init_has_failed = r < 0;
	return r < 0 ? err_wrap(err, r, "error during container init") : 0;
}

int parent_explain(struct launch *l, int code, struct err *err)
{
	struct err failure = ERR_INIT;
	int r = l->init_has_failed ? 1 : 0;

	/* What it has sent before it failed was on its way already. */
	while (r == 0) {
		auto_msg struct msg m = { 0 };

		failure = (struct err)ERR_INIT;
		r = l->init_pid > 0 && fd_is_readable(l->sync_fd) ? receive(l, &m, &failure) : 1;
	}
	if (r > 0)
		return code;
	if (err)
		*err = failure;
	return r;
}

int parent_send(struct launch *l, enum handshake_kind kind, const int *fds, size_t n_fds,
		struct err *err)
{
	int r = handshake_send(l->sync_fd, kind, NULL, 0, fds, n_fds, err);
	int code = r;

	while (r == -EPIPE) {
		auto_msg struct msg m = { 0 };

		err_clear(err);
		code = receive(l, &m, err);
		if (code < 0)
			break;
	}
	return code;
}

static int open_source(struct launch *l, const struct msg *m, struct err *err)
{
	auto_free char *path = xasprintf("/proc/%d/ns/user", l->init_pid);
	auto_close int userns_fd = -EBADF;
	auto_close int fd = -EBADF;
	size_t n;

	if (m->len != sizeof(n))
		return err_set(err, ERR_INTERNAL, "malformed SOURCE message");
	memcpy(&n, m->payload, sizeof(n));
	if (n >= l->mounts.n_ops || !l->mounts.ops[n].source_inside)
		return err_set(err, ERR_INTERNAL, "SOURCE message for mount %zu", n);
	if (l->mounts.facts.has_user_ns) {
		userns_fd = fd_open_at(AT_FDCWD, path, O_RDONLY, 0);
		if (userns_fd < 0)
			return err_sys(err, userns_fd, "open '%s'", path);
	}
	fd = mount_open_source_inside(&l->mounts, n, l->init_pid, userns_fd, err);
	return fd < 0 ? fd : parent_send(l, HANDSHAKE_SOURCE_OPENED, &fd, 1, err);
}

static int run_hooks(struct launch *l, struct err *err)
{
	int r = netdev_move_all(spec_of(l), l->init_pid, err);

	if (r == 0)
		r = container_run_create_hooks(&l->container, err);
	return r < 0 ? r : parent_send(l, HANDSHAKE_HOOKS_DONE, NULL, 0, err);
}

int parent_expect(struct launch *l, enum handshake_kind kind, struct err *err)
{
	auto_msg struct msg m = { 0 };
	int r = receive(l, &m, err);

	if (r == 0 && m.kind != kind)
		return err_set(err, ERR_INTERNAL, "handshake: expected %s, got %s",
			       handshake_kind_to_string(kind), handshake_kind_to_string(m.kind));
	return r;
}

int parent_converse(void *context, struct err *err)
{
	struct launch *l = context;

	l->had_hooks = l->directory_is_ours;
	for (;;) {
		auto_msg struct msg m = { 0 };
		int r = receive(l, &m, err);

		if (r < 0)
			return r;
		if (m.kind == HANDSHAKE_READY)
			return 0;
		if (m.kind == HANDSHAKE_SOURCE)
			r = open_source(l, &m, err);
		else if (m.kind == HANDSHAKE_HOOKS)
			r = run_hooks(l, err);
		else
			r = err_set(err, ERR_INTERNAL,
				    "handshake: expected SOURCE, HOOKS or READY, got %s",
				    handshake_kind_to_string(m.kind));
		if (r < 0)
			return r;
	}
}

int parent_set_rlimits(void *context, struct err *err)
{
	struct launch *l = context;

	return l->starts_ahead ? 0 : process_set_rlimits(&l->process, l->init_pid, err);
}

/* ---- record ---- */

static int take_console(struct launch *l, struct err *err)
{
	int r;

	if (l->console_pair_fd < 0)
		return 0;
	r = terminal_receive_fd(l->console_pair_fd, &l->console_fd);
	if (r < 0)
		return err_sys(err, r, "receive the container's terminal");
	terminal_keep_newlines(l->console_fd);
	return 0;
}

static int serve_seccomp_listener(struct launch *l, struct msg *m, struct err *err)
{
	const struct oci_seccomp *seccomp = spec_of(l)->linux_->seccomp;
	auto_close int pidfd = sys_pidfd_open(l->init_pid);
	auto_close int listener_fd = -EBADF;
	auto_free char *payload = NULL;
	int number;

	if (m->n_fds == 1) {
		listener_fd = msg_take_fd(m);
	} else {
		if (m->len != sizeof(number))
			return err_set(err, ERR_INTERNAL, "malformed SECCOMP_FD message");
		memcpy(&number, m->payload, sizeof(number));
		listener_fd = seccomp_notify_fetch(pidfd, number, err);
	}
	if (listener_fd < 0)
		return listener_fd;
	payload = container_listener_state(
		&l->container, l->directory_is_ours ? CONTAINER_CREATING : CONTAINER_RUNNING,
		spec_of(l), l->init_pid);
	return seccomp_notify_send(seccomp->listener_path, listener_fd, payload, err);
}

/* Say START, then wait for the end of the socket: init waits at the gate, or is the program. */
int parent_release_init(void *context, struct err *err)
{
	struct launch *l = context;
	enum handshake_kind kind = l->start_now ? HANDSHAKE_START_NOW : HANDSHAKE_START_FIFO;
	int r = take_console(l, err);

	if (r == 0 && !l->starts_ahead)
		r = parent_send(l, kind, NULL, 0, err);
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
		if (r == 0)
			r = parent_send(l, HANDSHAKE_SECCOMP_DONE, NULL, 0, err);
	}
	if (r != -EPIPE)
		return r;
	err_clear(err);
	return 0;
}
