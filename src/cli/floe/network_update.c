/* SPDX-License-Identifier: Apache-2.0 */
/* network update: the name servers that a network asks for other names. */
#include <string.h>

#include "cli/floe/network.h"
#include "core/alloc.h"
#include "core/str.h"
#include "engine/containers_conf.h"
#include "network/address.h"
#include "network/netavark.h"

struct options {
	struct strvec add;
	struct strvec drop;
};

/* Each may hold several, with commas between. */
static int read_servers(const struct strvec *given, struct strvec *ret, struct err *err)
{
	for (size_t i = 0; i < given->n; i++)
		strvec_split(ret, given->v[i], ',', false);
	for (size_t i = 0; i < ret->n; i++) {
		struct ip_address address;

		if (ip_address_parse(ret->v[i], &address) < 0)
			return err_set(err, ERR_INVALID, "DNS server '%s' is not an address",
				       ret->v[i]);
	}
	return 0;
}

/* The network's list without `drop` and with `add`, each once. */
static void change(struct network *n, const struct strvec *add, const struct strvec *drop)
{
	char **old = n->network_dns_servers;
	size_t n_old = n->n_network_dns_servers;
	auto_strvec struct strvec all = STRVEC_INIT;

	for (size_t i = 0; i < n_old; i++)
		if (!strvec_contains(drop, old[i]))
			strvec_add(&all, old[i]);
	for (size_t i = 0; i < add->n; i++)
		if (!strvec_contains(&all, add->v[i]))
			strvec_add(&all, add->v[i]);
	for (size_t i = 0; i < n_old; i++)
		free(old[i]);
	free(old);
	n->network_dns_servers = NULL;
	n->n_network_dns_servers = 0;
	json_strings_add_all(&n->network_dns_servers, &n->n_network_dns_servers, all.v, all.n);
}

static int run(const struct cli_invocation *inv, struct err *err)
{
	const struct options *o = inv->options;
	const struct engine *e = floe_engine(inv);
	auto_network struct network n = NETWORK_INIT;
	auto_strvec struct strvec add = STRVEC_INIT;
	auto_strvec struct strvec drop = STRVEC_INIT;
	auto_netavark struct netavark netavark = NETAVARK_INIT;
	int r = network_find(&n, &e->network_dir, inv->args[0], err);

	if (r == 0 && e->network_dir.cni)
		r = err_set(err, ERR_UNSUPPORTED,
			    "update network '%s': the CNI backend has no servers of networks; give "
			    "them to containers by --dns",
			    n.name);
	if (r == 0)
		r = read_servers(&o->add, &add, err);
	if (r == 0)
		r = read_servers(&o->drop, &drop, err);
	if (r == 0 && add.n == 0 && drop.n == 0)
		r = err_set(err, ERR_USAGE, "network update needs --dns-add or --dns-drop");
	if (r == 0 && !n.dns_enabled)
		r = err_set(err, ERR_STATE,
			    "network '%s' has no DNS; a network made without --disable-dns has",
			    n.name);
	if (r < 0)
		return r;
	change(&n, &add, &drop);
	/* The server first: where that fails, the file stays as it is. */
	r = netavark_find(&netavark, e->netavark, err);
	if (r == 0)
		r = netavark_update(&netavark, &n, err);
	if (r == 0)
		r = network_save(&n, &e->network_dir, true, err);
	if (r < 0)
		return r;
	return cli_print_line(n.name, err);
}

#define T struct options
static const struct cli_option rows[] = {
	OPT_STRVEC(T, add, "dns-add", 0, "ADDRESS", "ask this server, too"),
	OPT_STRVEC(T, drop, "dns-drop", 0, "ADDRESS", "ask this server no longer"),
};
#undef T

const struct cli_command floe_network_update_command = {
	.name = "update",
	.arguments = "NETWORK",
	.summary = "change which name servers a network asks",
	CLI_OPTIONS(struct options, rows),
	.min_args = 1,
	.max_args = 1,
	.argument_source = NETWORK_NAMES,
	.run = run,
	.error_code = FLOE_EXIT_ERROR,
};
