/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/network_later.h"

#include <fcntl.h>
#include <string.h>
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
#include "network/ipam.h"

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

/* Whether somebody who is alive, or is to be, has an address in a network of this container. */
static bool has_neighbours(struct engine *e, const struct container *c)
{
	auto_free char *run_dir = container_network_run_dir(c);
	auto_strvec struct strvec pairs = STRVEC_INIT;
	auto_strvec struct strvec gone = STRVEC_INIT;
	bool has = ipam_list(run_dir, &pairs, NULL) < 0 ||
		   record_networks_later(e, &gone, NULL) < 0;

	for (size_t i = 0; i < pairs.n && !has; i++) {
		size_t len = strcspn(pairs.v[i], " ");

		if (strvec_contains(&gone, pairs.v[i] + len + 1))
			continue;
		for (size_t k = 0; k < c->status.n_networks; k++)
			has |= strlen(c->status.networks[k].name) == len &&
			       strncmp(c->status.networks[k].name, pairs.v[i], len) == 0;
	}
	return has;
}

/* Nobody else meets it: no port leads to it, and there is nobody who could ask for its name or use its bridge. */
static bool may_linger(struct engine *e, const struct container *c)
{
	bool may = c->status.n_ports == 0;

	for (size_t i = 0; i < c->status.n_networks && may; i++)
		may = str_eq(c->status.networks[i].driver, "bridge") &&
		      str_eq(network_ipam_driver(&c->status.networks[i]), "host-local");
	return may && !has_neighbours(e, c);
}

/* What is left of a container; -ENOENT: nothing. */
static int load(struct container *ret, struct engine *e, const char *id, struct err *err)
{
	struct container_config config;
	struct container_status status;
	int r = record_load_network(e, id, &config, &status, err);

	if (r == 0)
		container_from(ret, e, &config, &status);
	return r;
}

void network_later_linger(struct engine *e, const char *id)
{
	auto_container struct container c = CONTAINER_INIT;

	if (load(&c, e, id, NULL) == 0 && may_linger(e, &c))
		clock_sleep_ms(LINGER_MS);
}

/* The container's lock is held. */
static int take_down(struct engine *e, const char *id, struct err *err)
{
	auto_container struct container c = CONTAINER_INIT;
	struct err next = ERR_INIT;
	int r = load(&c, e, id, err);

	if (r < 0)
		return r;
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
	auto_close int fd = lock_open_living(AT_FDCWD, path, LOCK_MODE_EXCLUSIVE, WAIT_MS);
	auto_free char *found = NULL;
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
	/* Of a container that is there still it is the lock. */
	if (r == 0 && record_find(e, id, &found, NULL) == -ENOENT)
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

bool network_later_is_under_way(struct engine *e, const char *id)
{
	auto_container struct container c = CONTAINER_INIT;
	int r = load(&c, e, id, NULL);

	return r < 0 ? r == -ENOENT : container_is_locked(e, id) || has_exit_command(&c.status);
}

static bool asks_for_what_can_be_taken(const struct network_request *request)
{
	bool asks = request->ports.n > 0;

	for (size_t i = 0; i < request->n_attachments; i++)
		asks |= request->attachments[i].n_static_ips > 0 ||
			request->attachments[i].static_mac;
	return asks;
}

static bool has_alias(const struct network_attachment *a, const char *name)
{
	for (size_t i = 0; i < a->n_aliases; i++)
		if (str_eq(a->aliases[i], name))
			return true;
	return false;
}

/* Names of the one would lead to the other, too. */
static bool shares_names(const struct network_request *request, const struct container *c)
{
	for (size_t i = 0; i < request->n_attachments; i++) {
		const struct network_attachment *mine = &request->attachments[i];

		for (size_t k = 0; k < c->status.n_attachments; k++) {
			const struct network_attachment *other = &c->status.attachments[k];

			if (!str_eq(mine->network, other->network))
				continue;
			if (str_eq(request->container_name, c->config.name) ||
			    has_alias(mine, c->config.name) ||
			    has_alias(other, request->container_name))
				return true;
			for (size_t n = 0; n < mine->n_aliases; n++)
				if (has_alias(other, mine->aliases[n]))
					return true;
		}
	}
	return false;
}

static bool is_in_the_way(struct engine *e, const char *id, const struct network_request *request)
{
	auto_container struct container c = CONTAINER_INIT;

	return load(&c, e, id, NULL) == 0 &&
	       (shares_names(request, &c) || !network_later_is_under_way(e, id));
}

static int make_way(struct engine *e, const struct network_request *request, struct err *err)
{
	auto_strvec struct strvec ids = STRVEC_INIT;
	bool all = asks_for_what_can_be_taken(request);
	int r = record_networks_later(e, &ids, err);

	for (size_t i = 0; r == 0 && i < ids.n; i++)
		if (all || is_in_the_way(e, ids.v[i], request))
			r = network_later_finish(e, ids.v[i], err);
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
