/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/network_later.h"

#include <fcntl.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/auto.h"
#include "core/fault.h"
#include "core/fd.h"
#include "core/lock.h"
#include "core/log.h"
#include "core/strvec.h"
#include "engine/container_network.h"
#include "engine/records.h"
#include "kernel/procfs.h"

/* A tear-down takes a tenth of a second, where many wait for each other some seconds. */
#define WAIT_MS 60000

bool network_later_is_possible(const struct container *c)
{
	auto_procfs struct procfs proc = PROCFS_INIT;

	/* conmon has become its exit command by then, or is about to. */
	return c->config.auto_remove && c->status.netns &&
	       c->engine->network_backend == NETWORK_NETAVARK && c->status.conmon_pid > 0 &&
	       procfs_open(&proc, NULL) == 0 &&
	       procfs_process_is_alive(&proc, c->status.conmon_pid, c->status.conmon_start_time);
}

/* The container's lock is held. */
static int take_down(struct engine *e, const char *id, struct err *err)
{
	auto_container struct container c = CONTAINER_INIT;
	struct container_config config;
	struct container_status status;
	struct err next = ERR_INIT;
	int r = record_load_network(e, id, &config, &status, err);

	if (r < 0)
		return r;
	container_from(&c, e, &config, &status);
	r = fault_point("network later", "before", err);
	if (r == 0 && container_network_take_down(&c, &next) < 0)
		log_warning("%s", next.msg);
	if (r == 0)
		r = fault_point("network later", "taken down", err);
	if (r < 0)
		return r;
	/* All else has been given back, as far as it could be. */
	if (c.status.netns)
		return err_set(err, ERR_STATE, "%s", next.msg);
	return record_forget_network(e, id, err);
}

int network_later_finish(struct engine *e, const char *id, struct err *err)
{
	auto_free char *path = xasprintf("%s/locks/%s", e->tmpdir, id);
	auto_close int fd = lock_open(AT_FDCWD, path, LOCK_MODE_EXCLUSIVE, WAIT_MS);
	int r;

	if (fd == -ETIMEDOUT)
		return err_set(
			err, ERR_TIMEOUT,
			"take down the network of container %s, which has ended: another "
			"process is still at it after %d s; see what 'floe container cleanup' "
			"of it waits for, or kill that",
			id, WAIT_MS / 1000);
	if (fd < 0)
		return err_sys(err, fd, "lock container '%s': open '%s'", id, path);
	r = take_down(e, id, err);
	if (r == -ENOENT) {
		err_clear(err);
		r = 0;
	}
	if (r == 0)
		(void)unlink(path);
	return r;
}

int network_later_finish_all(struct engine *e, struct err *err)
{
	auto_strvec struct strvec ids = STRVEC_INIT;
	int r = record_networks_later(e, &ids, err);

	for (size_t i = 0; r == 0 && i < ids.n; i++)
		r = network_later_finish(e, ids.v[i], err);
	return r;
}

bool network_later_is_under_way(const struct engine *e, const char *id)
{
	auto_free char *path = xasprintf("%s/locks/%s", e->tmpdir, id);
	auto_close int fd = fd_open_at(AT_FDCWD, path, O_RDONLY, 0);

	return fd >= 0 && lock_fd(fd, LOCK_MODE_SHARED, 0) == -ETIMEDOUT;
}
