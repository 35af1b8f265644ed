/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `start`: let the waiting init go on. Init has opened (or will open) exec.fifo for writing; it
 * writes one byte when we open the other end, runs the startContainer hooks and executes the
 * program, which closes the fifo. A failure on that way comes through the fifo as struct err, so
 * that it is our error and not a riddle in the container's log.
 */
#include <poll.h>
#include <string.h>

#include "core/fd.h"
#include "core/io.h"
#include "core/path.h"
#include "kernel/syscalls.h"
#include "runtime/container.h"
#include "runtime/delete.h"
#include "runtime/init/handshake.h"
#include "runtime/notify.h"
#include "runtime/operations.h"

/* Wait until the fifo has something to read (or its writer ended), or init is gone. */
static int wait_for_init(const struct container *c, int fifo_fd, int pidfd, struct err *err)
{
	struct pollfd pfds[2] = { { .fd = fifo_fd, .events = POLLIN },
				  { .fd = pidfd, .events = POLLIN } };

	for (;;) {
		int r = poll(pfds, 2, pidfd >= 0 ? -1 : 100);

		if (r < 0 && errno != EINTR)
			return err_sys(err, -errno, "wait for the init of container '%s'", c->id);
		if (r > 0 && pfds[0].revents)
			return 0;
		if ((r > 0 && pfds[1].revents) || !container_init_is_alive(c))
			return err_set(
				err, ERR_STATE,
				"cannot start container '%s': its init process is already dead",
				c->id);
	}
}

static int read_outcome(const struct container *c, int fifo_fd, int pidfd, struct err *err)
{
	auto_strbuf struct strbuf data = STRBUF_INIT;
	struct err failure = ERR_INIT;
	int r = wait_for_init(c, fifo_fd, pidfd, err);

	if (r < 0)
		return r;
	/* It has begun: from here on the container counts as started, whatever comes. */
	if (unlinkat(c->dir_fd, "exec.fifo", 0) < 0 && errno != ENOENT)
		return err_sys(err, -errno, "remove exec.fifo of container '%s'", c->id);
	r = fd_set_nonblock(fifo_fd, false);
	if (r == 0)
		r = io_read_all(fifo_fd, 2 * sizeof(struct err), &data);
	if (r < 0)
		return err_sys(err, r, "read exec.fifo of container '%s'", c->id);
	if (data.len <= 1)
		return 0;
	r = handshake_unpack_err(data.buf + 1, data.len - 1, &failure);
	if (r < 0)
		return err_set(err, ERR_INTERNAL,
			       "malformed message in exec.fifo of container '%s'", c->id);
	if (err)
		*err = failure;
	return err_wrap(err, failure.code, "start container '%s'", c->id);
}

static int require_created(const struct container *c, struct err *err)
{
	switch (container_status(c)) {
	case CONTAINER_CREATED:
		return 0;
	case CONTAINER_STOPPED:
		return err_set(err, ERR_STATE, "cannot start a container that has stopped ('%s')",
			       c->id);
	case CONTAINER_PAUSED:
		return err_set(err, ERR_STATE,
			       "cannot start a container in the paused state ('%s')", c->id);
	case CONTAINER_RUNNING:
	case CONTAINER_CREATING:
	default:
		return err_set(err, ERR_STATE, "cannot start an already running container ('%s')",
			       c->id);
	}
}

static int open_gate(const struct container *c, struct notify_socket *notify, struct err *err)
{
	auto_close int pidfd = sys_pidfd_open(c->record.pid);
	/* Without blocking: a writer that has died must not hold us. */
	auto_close int fifo_fd = fd_open_at(c->dir_fd, "exec.fifo", O_RDONLY | O_NONBLOCK, 0);
	int r;

	if (fifo_fd < 0)
		return err_sys(err, fifo_fd, "open exec.fifo of container '%s'", c->id);
	r = read_outcome(c, fifo_fd, pidfd, err);
	if (r < 0)
		return r;
	return notify_forward(notify, c->record.pid, c->record.pid, err);
}

int container_start(struct runtime *rt, const char *id, struct err *err)
{
	auto_container struct container c = CONTAINER_INIT;
	struct notify_socket notify = NOTIFY_SOCKET_INIT;
	auto_free char *state_dir = NULL;
	int r = container_open(&c, rt, id, false, err);

	if (r == 0)
		r = container_lock(&c, err);
	if (r == 0)
		r = require_created(&c, err);
	if (r == 0)
		r = container_load_spec(&c, err);
	if (r < 0)
		return r;
	state_dir = path_join(rt->root, id);
	r = notify_reopen(&notify, state_dir, err);
	if (r == 0)
		r = open_gate(&c, &notify, err);
	notify_close(&notify);
	return r < 0 ? r : container_run_poststart_or_destroy(&c, err);
}
