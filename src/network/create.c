/* SPDX-License-Identifier: Apache-2.0 */
#include "network/create.h"

#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "core/alloc.h"
#include "core/auto.h"
#include "core/clock.h"
#include "core/parse.h"
#include "core/random.h"
#include "core/str.h"
#include "core/strbuf.h"
#include "kernel/netlink.h"
#include "network/address.h"
#include "network/driver_options.h"

/* Where podman takes /24 subnets from, in this order. */
static const struct network_pool usual_pools[] = { { "10.89.0.0/16", 24 },
						   { "10.90.0.0/15", 24 },
						   { "10.92.0.0/14", 24 },
						   { "10.96.0.0/11", 24 },
						   { "10.128.0.0/9", 24 } };

static bool is_bridge(const struct network *n)
{
	return str_eq(n->driver, "bridge");
}

/* Of an interface that the host has already. */
static bool is_host_part(const struct network *n)
{
	return str_eq(n->driver, "macvlan") || str_eq(n->driver, "ipvlan");
}

static bool is_ipam(const struct network *n, const char *driver)
{
	return str_eq(network_ipam_driver(n), driver);
}

/* ---- names ---- */

static bool name_is_taken(const struct network_surroundings *around, const char *name)
{
	for (size_t i = 0; i < around->networks->n; i++)
		if (str_eq(around->networks->v[i].name, name))
			return true;
	return false;
}

static bool link_is_taken(const struct network_surroundings *around, const char *name)
{
	for (size_t i = 0; i < around->networks->n; i++)
		if (str_eq(around->networks->v[i].network_interface, name))
			return true;
	return strvec_contains(around->host_links, name);
}

/* A network without a name is called like its bridge, so it must be free as both. */
static char *free_name(const struct network_surroundings *around)
{
	for (unsigned int i = 1;; i++) {
		auto_free char *name = xasprintf("podman%u", i);

		if (!name_is_taken(around, name) && !link_is_taken(around, name))
			return take_ptr(name);
	}
}

/* What --network takes for something else: nobody could ever ask for such a network. */
static int check_is_no_mode(const char *name, struct err *err)
{
	static const char *const modes[] = { "bridge",	    "container", "default", "host",
					     "none",	    "ns",	 "pasta",   "private",
					     "slirp4netns", NULL };

	if (!str_is_one_of(name, modes))
		return 0;
	return err_set(err, ERR_INVALID,
		       "cannot create network with name \"%s\" because it conflicts with a valid "
		       "network mode; choose another name",
		       name);
}

static int choose_name(struct network *n, const struct network_create_options *o,
		       const struct network_surroundings *around, struct err *err)
{
	int r = o->name ? network_name_check(o->name, err) : 0;

	if (r == 0 && o->name)
		r = check_is_no_mode(o->name, err);
	if (r < 0)
		return r;
	if (o->name && name_is_taken(around, o->name))
		return err_set(err, ERR_EXISTS,
			       "network name %s already used: network already exists", o->name);
	n->name = o->name ? xstrdup(o->name) : free_name(around);
	return 0;
}

/* The bridge, or what macvlan and ipvlan are part of: --interface-name, an option, or a free one. */
static int choose_interface(struct network *n, const struct network_surroundings *around,
			    struct err *err)
{
	const char *name = n->network_interface;

	if (!name) {
		if (is_bridge(n))
			n->network_interface = free_name(around);
		return 0;
	}
	if (!network_interface_name_is_valid(name))
		return err_set(err, ERR_INVALID,
			       "'%s' is not a name of an interface (1 to %d characters)", name,
			       IFNAMSIZ - 1);
	if (is_bridge(n) && !network_driver_options_share_bridge(n) && link_is_taken(around, name))
		return err_set(err, ERR_EXISTS, "interface '%s' already exists", name);
	if (is_host_part(n) && !strvec_contains(around->host_links, name))
		return err_set(
			err, ERR_NOT_FOUND,
			"parent interface %s does not exist; 'ip link' shows those there are",
			name);
	return 0;
}

/* ---- subnets ---- */

/* Whose subnet it overlaps with; NULL: nobody's. */
static const char *overlaps(const struct network_surroundings *around,
			    const struct ip_subnet *subnet)
{
	struct ip_subnet other;

	for (size_t i = 0; i < around->networks->n; i++)
		for (size_t k = 0; k < around->networks->v[i].n_subnets; k++)
			if (ip_subnet_parse(around->networks->v[i].subnets[k].subnet, &other) ==
				    0 &&
			    ip_subnet_overlaps(&other, subnet))
				return around->networks->v[i].name;
	for (size_t i = 0; i < around->host_subnets->n; i++)
		if (ip_subnet_parse(around->host_subnets->v[i], &other) == 0 &&
		    ip_subnet_overlaps(&other, subnet))
			return "the host";
	return NULL;
}

static int free_subnet(const struct network_create_options *o,
		       const struct network_surroundings *around, struct ip_subnet *ret,
		       struct err *err)
{
	const struct network_pool *pools = o->n_pools > 0 ? o->pools : usual_pools;
	size_t n = o->n_pools > 0 ? o->n_pools : ARRAY_SIZE(usual_pools);

	for (size_t i = 0; i < n; i++) {
		struct ip_subnet pool;
		struct ip_subnet subnet;

		if (ip_subnet_parse(pools[i].base, &pool) < 0 || pool.address.family != AF_INET ||
		    pools[i].prefix_len > 30 || pools[i].prefix_len < pool.prefix_len)
			return err_set(err, ERR_INVALID,
				       "subnet pool '%s' of subnets /%u: it is no IPv4 subnet, or "
				       "they do not fit",
				       pools[i].base, pools[i].prefix_len);
		subnet = (struct ip_subnet){ pool.address, pools[i].prefix_len };
		while (ip_subnet_contains(&pool, &subnet.address)) {
			if (!overlaps(around, &subnet)) {
				*ret = subnet;
				return 0;
			}
			subnet.address = ip_subnet_last(&subnet);
			ip_address_increment(&subnet.address);
		}
	}
	return err_set(err, ERR_STATE,
		       "no free subnet is left; give one with --subnet, or remove networks");
}

/* A random unique local prefix (RFC 4193). */
static int free_subnet_v6(const struct network_surroundings *around, struct ip_subnet *ret,
			  struct err *err)
{
	struct ip_subnet subnet = { { .family = AF_INET6 }, 64 };

	do {
		if (getrandom(subnet.address.bytes, 8, 0) != 8)
			return err_sys(err, -errno, "read random bytes");
		subnet.address.bytes[0] = 0xfd;
	} while (overlaps(around, &subnet));
	*ret = subnet;
	return 0;
}

static int set_range(struct network_subnet *s, const struct ip_subnet *subnet, const char *text,
		     struct err *err)
{
	const char *dash = strchr(text, '-');
	auto_free char *start = dash ? xstrndup(text, (size_t)(dash - text)) : NULL;
	struct ip_address network = ip_subnet_first(subnet);
	struct ip_address broadcast = ip_subnet_last(subnet);
	struct ip_address first;
	struct ip_address last;
	struct ip_subnet range;

	if (dash ? ip_address_parse(start, &first) < 0 || ip_address_parse(dash + 1, &last) < 0 :
		   ip_subnet_parse(text, &range) < 0)
		return err_set(err, ERR_INVALID, "IP range '%s': expected a subnet or FIRST-LAST",
			       text);
	if (!dash) {
		first = ip_subnet_first(&range);
		last = ip_subnet_last(&range);
	}
	if (!ip_subnet_contains(subnet, &first) || !ip_subnet_contains(subnet, &last) ||
	    ip_address_compare(&first, &last) > 0)
		return err_set(err, ERR_INVALID, "IP range '%s' does not lie in subnet %s", text,
			       s->subnet);
	/* Network and broadcast address are nobody's. */
	if (ip_address_compare(&first, &network) == 0)
		ip_address_increment(&first);
	if (ip_address_compare(&last, &broadcast) == 0)
		ip_address_decrement(&last);
	if (ip_address_compare(&first, &last) > 0)
		return err_set(err, ERR_INVALID,
			       "IP range '%s' has no address for a container; choose a larger one",
			       text);
	s->lease_range = xcalloc(1, sizeof(*s->lease_range));
	s->lease_range->start_ip = xstrdup(ip_address_format(&first).text);
	s->lease_range->end_ip = xstrdup(ip_address_format(&last).text);
	return 0;
}

/* gateway: NULL: the first address, unless the network is internal. */
static int add_subnet(struct network *n, const struct ip_subnet *given, const char *gateway,
		      const char *range, struct err *err)
{
	struct ip_subnet subnet = { ip_subnet_first(given), given->prefix_len };
	struct network_subnet *s = array_push(n->subnets, n->n_subnets);
	struct ip_address address = subnet.address;

	s->subnet = xstrdup(ip_subnet_format(&subnet).text);
	if (gateway &&
	    (ip_address_parse(gateway, &address) < 0 || !ip_subnet_contains(&subnet, &address)))
		return err_set(err, ERR_INVALID, "gateway '%s' does not lie in subnet %s", gateway,
			       s->subnet);
	if (!gateway)
		ip_address_increment(&address);
	/* Inside of an internal network only the server for names is behind it. */
	if (gateway || !n->internal || n->dns_enabled) {
		if (!ip_subnet_contains(&subnet, &address))
			return err_set(
				err, ERR_INVALID,
				"subnet %s has no address for a gateway; choose a larger one",
				s->subnet);
		s->gateway = xstrdup(ip_address_format(&address).text);
	}
	if (subnet.address.family == AF_INET6)
		n->ipv6_enabled = true;
	return str_is_empty(range) ? 0 : set_range(s, &subnet, range, err);
}

/* Where the containers are machines of a network that is there already: it is the host's as well, or another network's. */
static bool may_share_subnets(const struct network *n)
{
	return is_host_part(n) || network_driver_options_share_bridge(n);
}

static int add_given(struct network *n, const struct network_create_options *o,
		     const struct network_surroundings *around, struct err *err)
{
	if (o->gateways.n > o->subnets.n || o->ip_ranges.n > o->subnets.n)
		return err_set(err, ERR_INVALID,
			       "each --gateway and --ip-range needs its --subnet, in the same "
			       "order");
	for (size_t i = 0; i < o->subnets.n; i++) {
		struct ip_subnet subnet;
		const char *owner;
		int r;

		if (ip_subnet_parse(o->subnets.v[i], &subnet) < 0)
			return err_set(err, ERR_INVALID,
				       "subnet '%s': expected ADDRESS/LENGTH, as in 10.1.2.0/24",
				       o->subnets.v[i]);
		owner = may_share_subnets(n) ? NULL : overlaps(around, &subnet);
		if (owner)
			return err_set(err, ERR_EXISTS, "subnet %s is in use by %s%s%s",
				       o->subnets.v[i],
				       str_eq(owner, "the host") ? "" : "network '", owner,
				       str_eq(owner, "the host") ? "" : "'");
		r = add_subnet(n, &subnet, i < o->gateways.n ? o->gateways.v[i] : NULL,
			       i < o->ip_ranges.n ? o->ip_ranges.v[i] : NULL, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static bool has_family(const struct network *n, bool v6)
{
	for (size_t i = 0; i < n->n_subnets; i++)
		if ((strchr(n->subnets[i].subnet, ':') != NULL) == v6)
			return true;
	return false;
}

static int choose_subnets(struct network *n, const struct network_create_options *o,
			  const struct network_surroundings *around, struct err *err)
{
	struct ip_subnet subnet;
	int r = add_given(n, o, around, err);

	if (r < 0 || !is_ipam(n, "host-local"))
		return r;
	if (!has_family(n, false) && (n->n_subnets == 0 || o->ipv6)) {
		r = free_subnet(o, around, &subnet, err);
		if (r == 0)
			r = add_subnet(n, &subnet, NULL, NULL, err);
	}
	if (r == 0 && o->ipv6 && !has_family(n, true)) {
		r = free_subnet_v6(around, &subnet, err);
		if (r == 0)
			r = add_subnet(n, &subnet, NULL, NULL, err);
	}
	return r;
}

/* ---- the rest ---- */

static int add_pairs(struct json_string_map *map, const struct strvec *list, const char *option,
		     bool needs_value, struct err *err)
{
	for (size_t i = 0; i < list->n; i++) {
		const char *equals = strchr(list->v[i], '=');

		if (equals == list->v[i] || !*list->v[i] || (needs_value && !equals))
			return err_set(err, ERR_INVALID, "%s '%s': expected KEY=VALUE", option,
				       list->v[i]);
		json_string_map_set_pair(map, list->v[i]);
	}
	return 0;
}

/* The kernel takes no destination with bits of a host. */
static bool is_subnet_itself(const char *text)
{
	struct ip_subnet subnet;
	struct ip_address first;

	if (ip_subnet_parse(text, &subnet) < 0)
		return false;
	first = ip_subnet_first(&subnet);
	return ip_address_compare(&first, &subnet.address) == 0;
}

static int add_routes(struct network *n, const struct strvec *routes, struct err *err)
{
	for (size_t i = 0; i < routes->n; i++) {
		auto_strvec struct strvec parts = STRVEC_INIT;
		struct ip_address gateway;
		struct opt_u32 metric = { 0 };
		struct network_route *route;

		strvec_split(&parts, routes->v[i], ',', true);
		metric.set = parts.n == 3;
		if (parts.n < 2 || parts.n > 3 || !is_subnet_itself(parts.v[0]) ||
		    ip_address_parse(parts.v[1], &gateway) < 0 ||
		    (metric.set && parse_u32(parts.v[2], &metric.v) < 0))
			return err_set(err, ERR_INVALID,
				       "route '%s': expected DESTINATION/LENGTH,GATEWAY[,METRIC]",
				       routes->v[i]);
		route = array_push(n->routes, n->n_routes);
		route->destination = xstrdup(parts.v[0]);
		route->gateway = xstrdup(parts.v[1]);
		route->metric = metric;
	}
	return 0;
}

static int add_dns(struct network *n, const struct network_create_options *o, struct err *err)
{
	struct ip_address address;

	if (o->dns_servers.n && !n->dns_enabled)
		return err_set(err, ERR_INVALID,
			       "--dns needs a bridge network whose DNS is not disabled");
	for (size_t i = 0; i < o->dns_servers.n; i++) {
		if (ip_address_parse(o->dns_servers.v[i], &address) < 0)
			return err_set(err, ERR_INVALID, "DNS server '%s' is not an address",
				       o->dns_servers.v[i]);
		json_strings_add(&n->network_dns_servers, &n->n_network_dns_servers,
				 o->dns_servers.v[i]);
	}
	return 0;
}

static int choose_ipam(struct network *n, const struct network_create_options *o, struct err *err)
{
	/* Without a subnet the addresses of these come from the network that they are part of. */
	const char *chosen = o->ipam_driver    ? o->ipam_driver :
			     is_bridge(n)      ? "host-local" :
			     o->subnets.n == 0 ? "dhcp" :
						 "host-local";

	if (!str_eq(chosen, "host-local") && !str_eq(chosen, "dhcp") && !str_eq(chosen, "none"))
		return err_set(err, ERR_INVALID,
			       "IPAM driver '%s': expected host-local, dhcp or none", chosen);
	if (!str_eq(chosen, "host-local") && o->subnets.n)
		return err_set(err, ERR_INVALID,
			       "%s ipam driver is set but subnets are given; leave out one of them",
			       chosen);
	if (is_host_part(n) && str_eq(chosen, "host-local") && !o->subnets.n)
		return err_set(err, ERR_INVALID,
			       "%s driver needs at least one subnet specified when the host-local "
			       "ipam driver is set; give the parent's with --subnet",
			       n->driver);
	if (str_eq(n->driver, "ipvlan") && str_eq(chosen, "dhcp"))
		return err_set(err, ERR_INVALID,
			       "ipam driver dhcp is not supported with ipvlan; give a --subnet");
	json_string_map_set(&n->ipam_options, "driver", chosen);
	n->dns_enabled = is_bridge(n) && !o->disable_dns && !str_eq(chosen, "none");
	return 0;
}

static char *now(void)
{
	char text[CLOCK_TEXT_MAX];

	clock_format_utc(clock_now_realtime_ns(), 9, text);
	return xstrdup(text);
}

int network_create_plan(struct network *ret, const struct network_create_options *o,
			const struct network_surroundings *around, struct err *err)
{
	auto_network struct network n = NETWORK_INIT;
	const char *driver = o->driver ? o->driver : "bridge";
	int r;

	n.driver = xstrdup(driver);
	n.internal = o->internal;
	n.ipv6_enabled = o->ipv6;
	n.created = now();
	n.id = random_hex(64);
	n.network_interface = o->interface_name ? xstrdup(o->interface_name) : NULL;
	r = network_name_check(driver, err);
	if (r == 0)
		r = choose_name(&n, o, around, err);
	if (r == 0)
		r = add_pairs(&n.options, &o->options, "--opt", true, err);
	if (r == 0)
		r = network_driver_options_settle(&n, err);
	if (r == 0)
		r = choose_interface(&n, around, err);
	if (r == 0)
		r = choose_ipam(&n, o, err);
	if (r == 0)
		r = choose_subnets(&n, o, around, err);
	if (r == 0)
		r = add_pairs(&n.labels, &o->labels, "--label", false, err);
	if (r == 0)
		r = add_routes(&n, &o->routes, err);
	if (r == 0)
		r = add_dns(&n, o, err);
	if (r < 0)
		return err_wrap(err, r, "create network '%s'",
				o->name ? o->name :
				n.name	? n.name :
					  "");
	*ret = n;
	n = (struct network)NETWORK_INIT;
	return 0;
}

static int list_host(struct strvec *subnets, struct strvec *links, struct err *err)
{
	auto_netlink struct netlink nl = NETLINK_INIT;
	auto_free struct netlink_link *list = NULL;
	size_t n = 0;
	int r = netlink_open(&nl);

	if (r == 0)
		r = netlink_list_links(&nl, &list, &n);
	for (size_t i = 0; r == 0 && i < n; i++) {
		auto_free struct netlink_address *addresses = NULL;
		size_t n_addresses = 0;

		strvec_add(links, list[i].name);
		r = netlink_list_addresses(&nl, list[i].index, &addresses, &n_addresses);
		for (size_t k = 0; r == 0 && k < n_addresses; k++) {
			struct ip_subnet s = { { .family = addresses[k].family },
					       addresses[k].prefix_len };

			(void)memcpy(s.address.bytes, addresses[k].local, addresses[k].len);
			strvec_add(subnets, ip_subnet_format(&s).text);
		}
	}
	return r < 0 ? err_sys(err, r, "list the interfaces of the host") : 0;
}

int network_create(struct network *ret, const struct network_dir *dir,
		   const struct network_create_options *options, struct err *err)
{
	auto_network_list struct network_list networks = NETWORK_LIST_INIT;
	auto_strvec struct strvec subnets = STRVEC_INIT;
	auto_strvec struct strvec links = STRVEC_INIT;
	auto_network struct network n = NETWORK_INIT;
	struct network_surroundings around = { &networks, &subnets, &links };
	int r = network_list_load(&networks, dir, err);

	if (r == 0)
		r = list_host(&subnets, &links, err);
	if (r == 0)
		r = network_create_plan(&n, options, &around, err);
	if (r == 0)
		r = network_save(&n, dir, false, err);
	/* CNI's file has no id; it comes of the name. */
	if (r == 0 && dir->cni)
		return network_find(ret, dir, n.name, err);
	if (r < 0)
		return r;
	*ret = n;
	n = (struct network)NETWORK_INIT;
	return 0;
}
