/* SPDX-License-Identifier: Apache-2.0 */
/* Networks that come and go while the container is there: connect, disconnect, reload. */
#include "engine/container_network.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "core/str.h"
#include "engine/generated_files.h"
#include "engine/network_later.h"
#include "engine/records.h"
#include "network/config.h"

static ssize_t find(const struct network_attachment *list, size_t n, const char *network)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(list[i].network, network))
			return (ssize_t)i;
	return -1;
}

static void remove_network_at(struct container_status *s, size_t i)
{
	if (i >= s->n_networks)
		return;
	network_done(&s->networks[i]);
	s->n_networks--;
	for (; i < s->n_networks; i++)
		s->networks[i] = s->networks[i + 1];
}

static void remove_at(struct network_attachment *list, size_t *n, size_t i)
{
	network_attachment_done(&list[i]);
	(*n)--;
	for (; i < *n; i++)
		list[i] = list[i + 1];
}

/* One attachment of a container, with its ports. */
static void make_request(const struct container *c, const struct network_attachment *attachment,
			 struct network_request *ret)
{
	const struct network_ports ports = { c->status.ports, c->status.n_ports };

	*ret = (struct network_request){ .container_id = c->config.id,
					 .container_name = c->config.name,
					 .hostname = c->config.hostname };
	network_attachment_copy(array_push(ret->attachments, ret->n_attachments), attachment);
	network_ports_copy(&ret->ports, &ports);
	container_network_servers(c, &ret->dns_servers);
}

static void set_status(struct container *c, const struct network_status *status)
{
	auto_free char *text = network_status_format(status);

	(void)json_object_put(c->status.network);
	c->status.network = json_tokener_parse(text);
}

/* The first "ethN" that no network of the container has. */
static void name_interface(const struct container *c, struct network_attachment *a)
{
	for (unsigned int i = 0; !a->interface_name; i++) {
		auto_free char *name = xasprintf("eth%u", i);
		bool is_taken = false;

		for (size_t k = 0; k < c->status.n_attachments; k++)
			is_taken |= str_eq(c->status.attachments[k].interface_name, name);
		if (!is_taken)
			a->interface_name = take_ptr(name);
	}
}

static int attach_now(struct container *c, const struct network_attachment *attachment,
		      struct err *err)
{
	auto_network_request struct network_request request = NETWORK_REQUEST_INIT;
	auto_network_status struct network_status status = NETWORK_STATUS_INIT;
	auto_network_status struct network_status more = NETWORK_STATUS_INIT;
	auto_network_status struct network_status before = NETWORK_STATUS_INIT;
	auto_free char *run_dir = container_network_run_dir(c);
	struct network_env env = container_network_env(c, run_dir);
	struct network_attachment *a;
	int r;

	make_request(c, attachment, &request);
	name_interface(c, request.attachments);
	r = network_later_allocate(c->engine, &env, &request, err);
	if (r < 0)
		return r;
	a = array_push(c->status.attachments, c->status.n_attachments);
	network_attachment_copy(a, request.attachments);
	for (size_t i = 0; i < request.n_networks; i++)
		network_copy(array_push(c->status.networks, c->status.n_networks),
			     &request.networks[i]);
	r = container_save(c, err);
	if (r == 0)
		r = network_setup(&env, &request, c->status.netns, &more, err);
	if (r < 0) {
		(void)network_teardown(&env, &request, c->status.netns, NULL);
		remove_network_at(&c->status, c->status.n_networks - 1);
		remove_at(c->status.attachments, &c->status.n_attachments,
			  c->status.n_attachments - 1);
		(void)container_save(c, NULL);
		return r;
	}
	container_network_status(c, &before);
	container_network_status(c, &status);
	network_status_append(&status, &more);
	set_status(c, &status);
	r = container_save(c, err);
	return r < 0 ? r : generated_files_change_network(c, &before, err);
}

static int check_has_networks(const struct container *c, struct err *err)
{
	return str_eq(c->config.network, "bridge") ?
		       0 :
		       err_set(err, ERR_STATE,
			       "container '%s' has the network mode '%s', and no networks of its "
			       "own",
			       c->config.name, c->config.network ? c->config.network : "none");
}

int container_connect(struct container *c, const struct network_attachment *attachment,
		      struct err *err)
{
	auto_network struct network network = NETWORK_INIT;
	int r = check_has_networks(c, err);

	if (r == 0)
		r = network_find(&network, &c->engine->network_dir, attachment->network, err);
	if (r < 0)
		return r;
	if (find(c->config.networks, c->config.n_networks, network.name) >= 0)
		return err_set(err, ERR_EXISTS,
			       "container '%s' is attached to network '%s' already", c->config.name,
			       network.name);
	if (c->status.netns)
		r = attach_now(c, attachment, err);
	if (r < 0)
		return r;
	network_attachment_copy(array_push(c->config.networks, c->config.n_networks), attachment);
	return record_save_config(c->engine, &c->config, err);
}

static int detach_now(struct container *c, size_t i, struct err *err)
{
	auto_network_request struct network_request request = NETWORK_REQUEST_INIT;
	auto_network_status struct network_status status = NETWORK_STATUS_INIT;
	auto_network_status struct network_status before = NETWORK_STATUS_INIT;
	auto_free char *run_dir = container_network_run_dir(c);
	struct network_env env = container_network_env(c, run_dir);
	int r;

	make_request(c, &c->status.attachments[i], &request);
	if (i < c->status.n_networks)
		network_copy(array_push(request.networks, request.n_networks),
			     &c->status.networks[i]);
	r = network_teardown(&env, &request, c->status.netns, err);
	if (r < 0)
		return r;
	container_network_status(c, &before);
	container_network_status(c, &status);
	network_status_remove(&status, request.attachments[0].network);
	set_status(c, &status);
	remove_network_at(&c->status, i);
	remove_at(c->status.attachments, &c->status.n_attachments, i);
	r = container_save(c, err);
	return r < 0 ? r : generated_files_change_network(c, &before, err);
}

int container_disconnect(struct container *c, const char *network, struct err *err)
{
	int r = check_has_networks(c, err);
	ssize_t i = find(c->config.networks, c->config.n_networks, network);
	ssize_t now = find(c->status.attachments, c->status.n_attachments, network);

	if (r < 0)
		return r;
	if (i < 0)
		return err_set(err, ERR_NOT_FOUND, "container '%s' is not attached to network '%s'",
			       c->config.name, network);
	if (now >= 0 && c->status.netns)
		r = detach_now(c, (size_t)now, err);
	if (r < 0)
		return r;
	remove_at(c->config.networks, &c->config.n_networks, (size_t)i);
	return record_save_config(c->engine, &c->config, err);
}

/* A plugin of CNI's would give another one. */
static void ask_for_same_address(const struct container *c, struct network_attachment *a)
{
	auto_network_status struct network_status status = NETWORK_STATUS_INIT;
	const struct network_status_entry *entry;

	if (c->engine->network_backend != NETWORK_CNI || a->n_static_ips)
		return;
	container_network_status(c, &status);
	entry = network_status_find(&status, a->network);
	for (size_t i = 0; entry && i < entry->n_interfaces; i++)
		for (size_t k = 0; k < entry->interfaces[i].n_subnets; k++) {
			const char *ipnet = entry->interfaces[i].subnets[k].ipnet;
			auto_free char *ip = xstrndup(ipnet, strcspn(ipnet, "/"));

			json_strings_add(&a->static_ips, &a->n_static_ips, ip);
		}
}

/* Interfaces and addresses stay what they are; the same request makes rules and names anew. */
int container_network_reload(struct container *c, struct err *err)
{
	auto_network_request struct network_request request = NETWORK_REQUEST_INIT;
	auto_network_status struct network_status status = NETWORK_STATUS_INIT;
	auto_free char *run_dir = container_network_run_dir(c);
	struct network_env env = container_network_env(c, run_dir);
	const struct container_status *s = &c->status;
	int r;

	if (!s->netns || s->n_attachments == 0)
		return 0;
	make_request(c, &s->attachments[0], &request);
	for (size_t i = 1; i < s->n_attachments; i++)
		network_attachment_copy(array_push(request.attachments, request.n_attachments),
					&s->attachments[i]);
	for (size_t i = 0; i < request.n_attachments; i++)
		ask_for_same_address(c, &request.attachments[i]);
	for (size_t i = 0; i < s->n_networks; i++)
		network_copy(array_push(request.networks, request.n_networks), &s->networks[i]);
	/* Half of it may be gone, which is why this is asked for. */
	(void)network_teardown(&env, &request, s->netns, NULL);
	r = network_allocate(&env, &request, err);
	if (r == 0)
		r = network_setup(&env, &request, s->netns, &status, err);
	if (r < 0)
		return r;
	set_status(c, &status);
	return container_save(c, err);
}
