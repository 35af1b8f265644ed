/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/network_later.h"

#include <fcntl.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/auto.h"
#include "core/clock.h"
#include "core/fault.h"
#include "core/fd.h"
#include "core/lock.h"
#include "core/log.h"
#include "core/str.h"
#include "core/strvec.h"
#include "engine/container_network.h"
#include "engine/records.h"
#include "kernel/procfs.h"

/* A tear-down takes a tenth of a second, where many wait for each other some seconds. */
#define WAIT_MS 60000
/* Commands in a row follow each other much sooner, and a person does not notice. */
#define LINGER_MS 200

/* conmon has become its exit command when its container has ended, or is about to. */
static bool has_exit_command(const struct container_status *s)
{
	auto_procfs struct procfs proc = PROCFS_INIT;

	return s->conmon_pid > 0 && procfs_open(&proc, NULL) == 0 &&
	       procfs_process_is_alive(&proc, s->conmon_pid, s->conmon_start_time);
}

bool network_later_is_possible(const struct container *c)
{
	return c->config.auto_remove && c->status.netns &&
	       c->engine->network_backend == NETWORK_NETAVARK && has_exit_command(&c->status);
}

/* What others on the machine or on the network could still mean. */
static bool is_seen(const struct container_status *s)
{
	bool seen = s->n_ports > 0;

	for (size_t i = 0; i < s->n_networks; i++)
		seen |= s->networks[i].dns_enabled || !str_eq(s->networks[i].driver, "bridge");
	return seen;
}

void network_later_linger(struct engine *e, const char *id)
{
	auto_container struct container c = CONTAINER_INIT;
	struct container_config config;
	struct container_status status;

	if (record_load_network(e, id, &config, &status, NULL) < 0)
		return;
	container_from(&c, e, &config, &status);
	if (!is_seen(&c.status))
		clock_sleep_ms(LINGER_MS);
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

static bool is_locked(const struct engine *e, const char *id)
{
	auto_free char *path = xasprintf("%s/locks/%s", e->tmpdir, id);
	auto_close int fd = fd_open_at(AT_FDCWD, path, O_RDONLY, 0);

	return fd >= 0 && lock_fd(fd, LOCK_MODE_SHARED, 0) == -ETIMEDOUT;
}

/* What is to be known of one whose container is gone; 0, or -ENOENT when there is nothing to be done any more. */
static int look(struct engine *e, const char *id, bool *ret_is_seen, bool *ret_is_under_way,
		struct err *err)
{
	auto_container struct container c = CONTAINER_INIT;
	struct container_config config;
	struct container_status status;
	int r = record_load_network(e, id, &config, &status, err);

	if (r < 0)
		return r;
	container_from(&c, e, &config, &status);
	*ret_is_seen = is_seen(&c.status);
	*ret_is_under_way = is_locked(e, id) || has_exit_command(&c.status);
	return 0;
}

bool network_later_is_under_way(struct engine *e, const char *id)
{
	bool seen = false;
	bool under_way = false;
	int r = look(e, id, &seen, &under_way, NULL);

	return r < 0 ? r == -ENOENT : under_way;
}

static bool asks_for_what_can_be_taken(const struct network_request *request)
{
	bool asks = request->ports.n > 0;

	for (size_t i = 0; i < request->n_attachments; i++)
		asks |= request->attachments[i].n_static_ips > 0 ||
			request->attachments[i].static_mac;
	return asks;
}

static int make_way(struct engine *e, const struct network_request *request, struct err *err)
{
	auto_strvec struct strvec ids = STRVEC_INIT;
	bool all = asks_for_what_can_be_taken(request);
	int r = record_networks_later(e, &ids, err);

	for (size_t i = 0; r == 0 && i < ids.n; i++) {
		bool seen = true;
		bool under_way = false;

		if (!all)
			(void)look(e, ids.v[i], &seen, &under_way, NULL);
		if (all || seen || !under_way)
			r = network_later_finish(e, ids.v[i], err);
	}
	return r;
}

int network_later_allocate(struct engine *e, const struct network_env *env,
			   struct network_request *request, struct err *err)
{
	struct err next = ERR_INIT;
	int r = make_way(e, request, err);

	if (r == 0)
		r = network_allocate(env, request, err);
	if (r == 0 || asks_for_what_can_be_taken(request))
		return r;
	/* The last address may be one of theirs. */
	if (network_later_finish_all(e, &next) < 0 || network_allocate(env, request, &next) < 0)
		return r;
	err_clear(err);
	return 0;
}
