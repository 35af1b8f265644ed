/* SPDX-License-Identifier: Apache-2.0 */
/* floe network: create, rm, prune, connect, disconnect, reload. */
#include "cli/floe/network.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/floe/confirm.h"
#include "cli/floe/report.h"
#include "cli/floe/targets.h"
#include "core/alloc.h"
#include "core/path.h"
#include "core/str.h"
#include "engine/containers_conf.h"
#include "engine/cleanup.h"
#include "engine/container_network.h"
#include "engine/event.h"
#include "engine/network_later.h"
#include "engine/network_users.h"
#include "network/create.h"
#include "network/ipam.h"

static void tell(struct engine *e, const char *status, const struct network *n)
{
	event_network(
		e, status,
		&(struct event_network){ .id = n->id, .network = n->name, .driver = n->driver });
}

static void tell_of_container(const struct container *c, const char *status, const char *network)
{
	event_network(c->engine, status,
		      &(struct event_network){ .id = c->config.id,
					       .network = network,
					       .container = c->config.name });
}

/* ---- create ---- */

struct create_network_options {
	struct network_create_options create;
	bool ignore;
};

/* A driver is one of netavark's own or a program in the directories that containers.conf names. */
static int check_driver(const struct conf_network *conf, const char *driver, struct err *err)
{
	static const char *const own[] = { "bridge", "macvlan", "ipvlan", NULL };

	if (!driver || str_is_one_of(driver, own))
		return 0;
	for (size_t i = 0; i < conf->n_netavark_plugin_dirs && !strchr(driver, '/'); i++) {
		auto_free char *path = path_join(conf->netavark_plugin_dirs[i], driver);

		if (access(path, X_OK) == 0)
			return 0;
	}
	return err_set(
		err, ERR_NOT_FOUND,
		"failed to find driver or plugin \"%s\": expected bridge, macvlan, ipvlan or a "
		"program in netavark_plugin_dirs of containers.conf",
		driver);
}

static int run_create(const struct cli_invocation *inv, struct err *err)
{
	const struct create_network_options *o = inv->options;
	struct network_create_options create = o->create;
	const struct conf_network *conf = &floe_engine(inv)->conf->network;
	auto_free struct network_pool *pools =
		xcalloc(conf->n_default_subnet_pools + 1, sizeof(*pools));
	auto_network struct network n = NETWORK_INIT;
	struct err why = ERR_INIT;
	int r = check_driver(conf, create.driver, err);

	if (r < 0)
		return r;
	create.name = inv->n_args ? inv->args[0] : NULL;
	for (size_t i = 0; i < conf->n_default_subnet_pools; i++)
		pools[i] = (struct network_pool){ conf->default_subnet_pools[i].base,
						  conf->default_subnet_pools[i].size };
	create.pools = pools;
	create.n_pools = conf->n_default_subnet_pools;
	r = network_create(&n, &floe_engine(inv)->network_dir, &create, &why);
	if (r < 0 && !(o->ignore && why.kind == ERR_EXISTS &&
		       network_find(&n, &floe_engine(inv)->network_dir,
				    create.name ? create.name : "", NULL) == 0)) {
		if (err)
			*err = why;
		return r;
	}
	tell(floe_engine(inv), "create", &n);
	return cli_print_line(n.name, err);
}

#define T struct create_network_options
static const struct cli_option create_rows[] = {
	OPT_STRING(T, create.driver, "driver", 'd', "DRIVER",
		   "bridge (the default), macvlan, ipvlan, or a plugin of netavark's"),
	OPT_STRVEC(T, create.subnets, "subnet", 0, "SUBNET", "subnet"),
	OPT_STRVEC_F(T, create.gateways, "gateway", 0, "ADDRESS", "gateway of the subnet before it",
		     CLI_LIST),
	OPT_STRVEC(T, create.ip_ranges, "ip-range", 0, "SUBNET|FIRST-LAST",
		   "give addresses out of this part only"),
	OPT_STRVEC(T, create.routes, "route", 0, "DESTINATION,GATEWAY[,METRIC]",
		   "route inside the containers"),
	OPT_STRVEC_F(T, create.dns_servers, "dns", 0, "ADDRESS",
		     "server that names outside the network are asked of", CLI_LIST),
	OPT_STRVEC(T, create.options, "opt", 'o', "KEY=VALUE", "option of the driver"),
	OPT_STRVEC(T, create.labels, "label", 0, "KEY[=VALUE]", "label"),
	OPT_STRING(T, create.interface_name, "interface-name", 0, "NAME",
		   "name of the bridge, or the parent of macvlan and ipvlan"),
	OPT_STRING(T, create.ipam_driver, "ipam-driver", 0, "host-local|dhcp|none",
		   "who gives the addresses"),
	OPT_FLAG(T, create.internal, "internal", 0, "without a way to the outside"),
	OPT_FLAG(T, create.ipv6, "ipv6", 0, "with an IPv6 subnet too"),
	OPT_FLAG(T, create.disable_dns, "disable-dns", 0, "containers have no names there"),
	OPT_FLAG(T, ignore, "ignore", 0, "no error when it exists"),
};
#undef T

static const struct cli_command create_command = {
	.name = "create",
	.arguments = "[NAME]",
	.summary = "make a network",
	CLI_OPTIONS(struct create_network_options, create_rows),
	.max_args = 1,
	.run = run_create,
	.error_code = FLOE_EXIT_ERROR,
};

/* ---- rm ---- */

#define RM_TIMEOUT_S 10

struct rm_options {
	bool force;
	struct opt_i64 time; /* -1: the containers' own, as in rm */
};

static int remove_users(struct engine *e, const struct network_users *users, const char *network,
			const struct rm_options *o, struct err *err)
{
	const struct remove_options options = {
		.force = true,
		.timeout_s = o->time.set ? (int)o->time.v : RM_TIMEOUT_S,
	};

	for (size_t i = 0; i < users->n; i++) {
		auto_container struct container c = CONTAINER_INIT;
		int r;

		if (!str_eq(users->v[i].network, network))
			continue;
		r = container_open_locked(&c, e, users->v[i].id, err);
		if (r == 0)
			r = container_remove(&c, &options, err);
		if (r < 0 && r != -ENOENT)
			return r;
	}
	return 0;
}

static int remove_one(const struct cli_invocation *inv, const char *name,
		      const struct rm_options *o, struct err *err)
{
	auto_network struct network n = NETWORK_INIT;
	auto_network_users struct network_users users = NETWORK_USERS_INIT;
	auto_free char *run_dir = NULL;
	struct engine *e = floe_engine(inv);
	int r = network_find(&n, &floe_engine(inv)->network_dir, name, err);

	if (r == 0)
		r = network_later_finish_all(e, err);
	if (r == 0)
		r = network_users_load(&users, e, err);
	if (r == 0 && network_is_used(&users, n.name)) {
		if (!o->force)
			return err_set(err, ERR_STATE,
				       "\"%s\" has associated containers with it. Use -f to "
				       "forcibly delete containers: network is being used",
				       n.name);
		r = remove_users(e, &users, n.name, o, err);
	}
	if (r == 0)
		r = network_remove(&n, &floe_engine(inv)->network_dir, err);
	if (r < 0)
		return r;
	run_dir = xasprintf("%s/networks", e->runroot);
	ipam_forget(run_dir, n.name);
	tell(e, "remove", &n);
	return cli_print_line(name, err);
}

static int run_rm(const struct cli_invocation *inv, struct err *err UNUSED)
{
	const struct rm_options *o = inv->options;
	int code = 0;

	for (size_t i = 0; i < inv->n_args; i++) {
		struct err why = ERR_INIT;

		if (remove_one(inv, inv->args[i], o, &why) == 0)
			continue;
		if (why.kind == ERR_NOT_FOUND && o->force)
			continue;
		report_error(&why);
		code = why.kind == ERR_NOT_FOUND ? NETWORK_EXIT_MISSING :
		       why.kind == ERR_STATE	 ? NETWORK_EXIT_IN_USE :
						   FLOE_EXIT_ERROR;
	}
	return code;
}

#define T struct rm_options
static const struct cli_option rm_rows[] = {
	OPT_FLAG(T, force, "force", 'f', "remove the containers that are attached too"),
	OPT_I64(T, time, "time", 't', "SECONDS", "how long they may take to stop (default: 10)"),
};
#undef T

static const struct cli_command rm_command = {
	.name = "rm",
	.alias = "remove",
	.arguments = "NETWORK...",
	.summary = "remove networks",
	CLI_OPTIONS(struct rm_options, rm_rows),
	.min_args = 1,
	.max_args = CLI_ARGS_ANY,
	.argument_source = NETWORK_NAMES,
	.run = run_rm,
	.error_code = FLOE_EXIT_ERROR,
};

/* ---- prune ---- */

struct prune_options {
	bool force;
	struct strvec filters;
};

/* As in podman; by name, network rm removes. */
static int prune_filters_check(const struct strvec *filters, struct err *err)
{
	static const char *const keys[] = { "label=", "label!=", "until=" };

	for (size_t i = 0; i < filters->n; i++) {
		bool known = false;

		for (size_t k = 0; k < ARRAY_SIZE(keys); k++)
			known |= str_has_prefix(filters->v[i], keys[k]);
		if (!known)
			return err_set(
				err, ERR_USAGE,
				"invalid filter '%s': prune takes label=, label!= and until= "
				"only; 'floe network rm NAME' removes one by its name",
				filters->v[i]);
	}
	return 0;
}

static int run_prune(const struct cli_invocation *inv, struct err *err)
{
	const struct prune_options *o = inv->options;
	const struct rm_options none = { 0 };
	auto_network_list struct network_list list = NETWORK_LIST_INIT;
	auto_network_users struct network_users users = NETWORK_USERS_INIT;
	int r = prune_filters_check(&o->filters, err);

	if (r == 0)
		r = network_later_finish_all(floe_engine(inv), err);
	if (r == 0)
		r = network_list_load(&list, &floe_engine(inv)->network_dir, err);
	if (r == 0)
		r = network_users_load(&users, floe_engine(inv), err);
	if (r == 0)
		r = o->force ?
			    1 :
			    confirm("WARNING! This will remove all networks not used by at least "
				    "one container.",
				    err);
	if (r <= 0)
		return r;
	for (size_t i = 0; i < list.n; i++) {
		bool is_used = network_is_used(&users, list.v[i].name);

		r = network_filters_match(&o->filters, &floe_engine(inv)->network_dir, &list.v[i],
					  is_used, err);
		if (r < 0)
			return r;
		if (r == 0 || is_used ||
		    str_eq(list.v[i].name, network_default_name(&floe_engine(inv)->network_dir)))
			continue;
		r = remove_one(inv, list.v[i].name, &none, err);
		if (r < 0)
			return r;
	}
	return 0;
}

#define T struct prune_options
static const struct cli_option prune_rows[] = {
	OPT_FLAG(T, force, "force", 'f', "do not ask"),
	OPT_STRVEC(T, filters, "filter", 0, "KEY=VALUE", "those that this is true of"),
};
#undef T

static const struct cli_command prune_command = {
	.name = "prune",
	.summary = "remove the networks that no container uses",
	CLI_OPTIONS(struct prune_options, prune_rows),
	.run = run_prune,
	.error_code = FLOE_EXIT_ERROR,
};

/* ---- connect, disconnect, reload ---- */

struct connect_options {
	struct strvec aliases;
	const char *ip;
	const char *ip6;
	const char *mac_address;
};

/* As text, which is what the parser of --network checks. */
static char *attachment_text(const struct connect_options *o, const char *network)
{
	auto_strbuf struct strbuf text = STRBUF_INIT;
	char separator = ':';
	const struct {
		const char *key;
		const char *value;
	} parts[] = { { "ip", o->ip }, { "ip6", o->ip6 }, { "mac", o->mac_address } };

	strbuf_adds(&text, network);
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		if (!parts[i].value)
			continue;
		strbuf_addf(&text, "%c%s=%s", separator, parts[i].key, parts[i].value);
		separator = ',';
	}
	for (size_t i = 0; i < o->aliases.n; i++) {
		strbuf_addf(&text, "%calias=%s", separator, o->aliases.v[i]);
		separator = ',';
	}
	return strbuf_take(&text);
}

static int run_connect(const struct cli_invocation *inv, struct err *err)
{
	auto_container struct container c = CONTAINER_INIT;
	auto_network struct network n = NETWORK_INIT;
	struct network_attachment attachment = { 0 };
	auto_free char *text = NULL;
	int r = network_find(&n, &floe_engine(inv)->network_dir, inv->args[0], err);

	if (r < 0)
		return r;
	text = attachment_text(inv->options, n.name);
	r = network_attachment_parse(&attachment, text, err);
	if (r == 0)
		r = container_open_locked(&c, floe_engine(inv), inv->args[1], err);
	if (r == 0)
		r = container_connect(&c, &attachment, err);
	if (r == 0)
		tell_of_container(&c, "connect", n.name);
	network_attachment_done(&attachment);
	return r;
}

#define T struct connect_options
static const struct cli_option connect_rows[] = {
	OPT_STRVEC(T, aliases, "alias", 0, "NAME", "further name of the container there"),
	OPT_STRING(T, ip, "ip", 0, "ADDRESS", "IPv4 address"),
	OPT_STRING(T, ip6, "ip6", 0, "ADDRESS", "IPv6 address"),
	OPT_STRING(T, mac_address, "mac-address", 0, "ADDRESS", "MAC address"),
};
#undef T

static const struct cli_command connect_command = {
	.name = "connect",
	.arguments = "NETWORK CONTAINER",
	.summary = "attach a container to one more network",
	CLI_OPTIONS(struct connect_options, connect_rows),
	.min_args = 2,
	.max_args = 2,
	.argument_source = NETWORK_NAMES,
	.run = run_connect,
	.error_code = FLOE_EXIT_ERROR,
};

struct disconnect_options {
	bool force;
};

static int run_disconnect(const struct cli_invocation *inv, struct err *err)
{
	const struct disconnect_options *o = inv->options;
	auto_container struct container c = CONTAINER_INIT;
	auto_network struct network n = NETWORK_INIT;
	const char *name = inv->args[0];
	int r;

	if (network_find(&n, &floe_engine(inv)->network_dir, name, NULL) == 0)
		name = n.name;
	r = container_open_locked(&c, floe_engine(inv), inv->args[1], err);
	if (r == 0)
		r = container_disconnect(&c, name, err);
	if (r == 0)
		tell_of_container(&c, "disconnect", name);
	if (r == -ENOENT && o->force) {
		err_clear(err);
		r = 0;
	}
	return r;
}

#define T struct disconnect_options
static const struct cli_option disconnect_rows[] = {
	OPT_FLAG(T, force, "force", 'f', "no error when it is not attached"),
};
#undef T

static const struct cli_command disconnect_command = {
	.name = "disconnect",
	.arguments = "NETWORK CONTAINER",
	.summary = "detach a container from a network",
	CLI_OPTIONS(struct disconnect_options, disconnect_rows),
	.min_args = 2,
	.max_args = 2,
	.argument_source = NETWORK_NAMES,
	.run = run_disconnect,
	.error_code = FLOE_EXIT_ERROR,
};

struct reload_options {
	struct targets targets;
};

static bool has_network(const struct container *c)
{
	return container_is_alive(c) && !str_eq(c->config.network, "host") &&
	       !str_eq(c->config.network, "none");
}

static int reload_one(struct container *c, void *context UNUSED, struct err *err)
{
	if (!has_network(c))
		return err_set(
			err, ERR_STATE,
			"cannot reload network unless container network has been configured: "
			"container '%s' does not run, or has none: container state improper",
			c->config.name);
	return container_network_reload(c, err);
}

static int run_reload(const struct cli_invocation *inv, struct err *err)
{
	const struct reload_options *o = inv->options;
	struct targets t = o->targets;
	int r = network_later_finish_all(floe_engine(inv), err);

	t.lock = true;
	t.wanted = has_network;
	t.print_id = true;
	return r < 0 ? r : targets_each(inv, &t, reload_one, NULL, err);
}

#define T struct reload_options
static const struct cli_option reload_rows[] = {
	OPT_FLAG(T, targets.all, "all", 'a', "every container that runs"),
	OPT_FLAG(T, targets.latest, "latest", 'l', "the newest container"),
};
#undef T

static const struct cli_command reload_command = {
	.name = "reload",
	.arguments = "[CONTAINER...]",
	.summary = "make rules and names of containers anew, after the firewall was flushed",
	CLI_OPTIONS(struct reload_options, reload_rows),
	.max_args = CLI_ARGS_ANY,
	.argument_source = FLOE_CONTAINERS,
	.run = run_reload,
	.error_code = FLOE_EXIT_ERROR,
};

static const struct cli_command *const subcommands[] = {
	&create_command,
	&floe_network_ls_command,
	&floe_network_inspect_command,
	&floe_network_exists_command,
	&rm_command,
	&prune_command,
	&connect_command,
	&disconnect_command,
	&reload_command,
	&floe_network_update_command,
};

const struct cli_command floe_network_command = {
	.name = "network",
	.summary = "manage networks",
	.subcommands = subcommands,
	.n_subcommands = ARRAY_SIZE(subcommands),
};
