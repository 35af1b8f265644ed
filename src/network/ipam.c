/* SPDX-License-Identifier: Apache-2.0 */
#include "network/ipam.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/fd.h"
#include "core/fs.h"
#include "core/lock.h"
#include "core/path.h"
#include "core/str.h"
#include "network/address.h"
#include "network/config.h"
#include "network/neighbour.h"

#define LOCK_NAME "ipam.lock"
/* Of a large IPv6 subnet not every address is tried. */
#define TRIES_MAX (1U << 20)

/* Where many processes want the processor, an answer takes some tens of milliseconds. */
#define PROBE_MS 150
/* Of an IPv6 subnet the addresses up to ...:ffff:ffff. */
#define HOST_BYTES 4

struct ipam_state {
	struct json_string_map last; /* subnet -> the address that was given out last */
	struct json_string_map leases; /* address -> container id */
};

JSON_DESC_STATIC(ipam_state_desc, struct ipam_state,
		 F_STRING_MAP(struct ipam_state, last, "last", 0),
		 F_STRING_MAP(struct ipam_state, leases, "leases", 0));

struct ipam {
	struct ipam_state state;
	char *name; /* of the file */
	int dir_fd;
	int lock_fd;
};

static void ipam_close(struct ipam *ipam)
{
	json_done(&ipam_state_desc, &ipam->state);
	free(ipam->name);
	close_fd(&ipam->dir_fd);
	close_fd(&ipam->lock_fd);
}
DEFINE_AUTO_VAL(ipam, struct ipam, ipam_close)
#define auto_ipam auto_cleanup(ipam_cleanup_val)

static int ipam_open(struct ipam *ret, const char *dir, const char *network_name, struct err *err)
{
	int r = fs_mkdir_all(AT_FDCWD, dir, 0755, 0700);

	*ret = (struct ipam){ .dir_fd = -EBADF, .lock_fd = -EBADF };
	if (r == 0)
		r = ret->dir_fd = fd_open_at(AT_FDCWD, dir, O_RDONLY | O_DIRECTORY, 0);
	if (r >= 0)
		r = ret->lock_fd = lock_open(ret->dir_fd, LOCK_NAME, LOCK_MODE_EXCLUSIVE, -1);
	if (r < 0)
		return err_sys(err, r, "open address records '%s'", dir);
	ret->name = xasprintf("%s.json", network_name);
	if (!fs_exists(ret->dir_fd, ret->name))
		return 0;
	r = json_decode_file(&ipam_state_desc, &ret->state, ret->dir_fd, ret->name, err);
	return r < 0 ? err_wrap(err, r, "address records of network '%s'", network_name) : 0;
}

static int ipam_store(const struct ipam *ipam, struct err *err)
{
	auto_free char *text = json_encode(&ipam_state_desc, &ipam->state, JSON_COMPACT);
	int r = fs_write_atomic(ipam->dir_fd, ipam->name, text, strlen(text), 0600, FS_VOLATILE);

	return r < 0 ? err_sys(err, r, "write address records '%s'", ipam->name) : 0;
}

/* ---- one subnet ---- */

struct pool {
	struct ip_subnet subnet;
	struct ip_address first; /* may be given out */
	struct ip_address last;
	struct ip_address gateway;
	bool has_gateway;
	bool downwards;
	const char *bridge; /* to ask others' containers at; NULL: there are none */
};

/* An optional address in the network's own record; fallback stays when it is not given. */
static int read_address(const char *text, const struct network *network, struct ip_address *ret,
			struct err *err)
{
	if (str_is_empty(text) || ip_address_parse(text, ret) == 0)
		return 0;
	return err_set(err, ERR_CORRUPT, "network '%s': '%s' is not an address", network->name,
		       text);
}

/* The last of 2^64 addresses is one that nobody can read. */
static void shorten(struct pool *pool)
{
	size_t n = ip_family_bits(pool->subnet.address.family) / 8;

	if (n * 8 - pool->subnet.prefix_len <= HOST_BYTES * (size_t)8)
		return;
	pool->last = ip_subnet_first(&pool->subnet);
	(void)memset(pool->last.bytes + n - HOST_BYTES, 0xff, HOST_BYTES);
}

static size_t count_containers(const struct ipam *ipam)
{
	auto_strvec struct strvec ids = STRVEC_INIT;

	for (size_t i = 0; i < ipam->state.leases.n; i++)
		if (!strvec_contains(&ids, ipam->state.leases.v[i].value))
			strvec_add(&ids, ipam->state.leases.v[i].value);
	return ids.n;
}

/*
 * Whether there is more on the bridge than what has its addresses from here: containers of podman's, or of another
 * storage of ours. One that has its address and no port yet hides one of these; to be given just that one's address
 * as well takes more.
 */
static bool has_others(const struct ipam *ipam, const struct network *network)
{
	int ports;

	if (!str_eq(network->driver, "bridge") || str_is_empty(network->network_interface))
		return false;
	ports = neighbour_count_ports(network->network_interface);
	return ports < 0 || (size_t)ports > count_containers(ipam);
}

static int pool_init(struct pool *ret, const struct ipam *ipam, const struct network *network,
		     const struct network_subnet *subnet, struct err *err)
{
	const struct network_lease_range *range = subnet->lease_range;
	int r;

	*ret = (struct pool){
		.has_gateway = !str_is_empty(subnet->gateway),
		/*
		 * podman goes upwards, in records of its own where it does not see ours. In the network that its
		 * containers get without being asked, keep out of its way; in another, what users are used to counts.
		 */
		.downwards = str_eq(network->name, NETWORK_DEFAULT),
		.bridge = has_others(ipam, network) ? network->network_interface : NULL,
	};
	if (ip_subnet_parse(subnet->subnet, &ret->subnet) < 0)
		return err_set(err, ERR_CORRUPT, "network '%s': '%s' is not a subnet",
			       network->name, subnet->subnet);
	ret->first = ip_subnet_first(&ret->subnet);
	ret->last = ip_subnet_last(&ret->subnet);
	/* The network's own and the broadcast address; /31, /32 and the like have none to spare. */
	if (ret->subnet.prefix_len + 1 < ip_family_bits(ret->subnet.address.family)) {
		ip_address_increment(&ret->first);
		if (ret->subnet.address.family == AF_INET)
			ip_address_decrement(&ret->last);
	}
	shorten(ret);
	r = read_address(subnet->gateway, network, &ret->gateway, err);
	if (r == 0 && range)
		r = read_address(range->start_ip, network, &ret->first, err);
	if (r == 0 && range)
		r = read_address(range->end_ip, network, &ret->last, err);
	return r;
}

/* Whether somebody else's container answers for it. */
static bool is_of_others(const struct pool *pool, const struct ip_address *address)
{
	return !str_is_empty(pool->bridge) &&
	       neighbour_answers(pool->bridge, address, PROBE_MS) > 0;
}

static bool is_free(const struct ipam *ipam, const struct pool *pool,
		    const struct ip_address *address)
{
	return !(pool->has_gateway && ip_address_compare(address, &pool->gateway) == 0) &&
	       !json_string_map_get(&ipam->state.leases, ip_address_format(address).text) &&
	       !is_of_others(pool, address);
}

/* The next one, around at the last, or where that goes downwards, the one before it. */
static void advance(const struct pool *pool, struct ip_address *address)
{
	if (!pool->downwards) {
		if (ip_address_compare(address, &pool->first) < 0 ||
		    ip_address_compare(address, &pool->last) >= 0)
			*address = pool->first;
		else
			ip_address_increment(address);
	} else if (ip_address_compare(address, &pool->first) <= 0 ||
		   ip_address_compare(address, &pool->last) > 0)
		*address = pool->last;
	else
		ip_address_decrement(address);
}

static bool find_free(const struct ipam *ipam, const struct pool *pool, struct ip_address *ret)
{
	const char *last =
		json_string_map_get(&ipam->state.last, ip_subnet_format(&pool->subnet).text);
	/* Before the first that is given out. */
	struct ip_address address = pool->downwards ? pool->first : pool->last;
	struct ip_address start;

	if (last)
		(void)ip_address_parse(last, &address);
	if (!ip_subnet_contains(&pool->subnet, &address))
		address = pool->downwards ? pool->first : pool->last;
	advance(pool, &address);
	start = address;
	for (unsigned int i = 0; i < TRIES_MAX; i++) {
		if (is_free(ipam, pool, &address)) {
			*ret = address;
			return true;
		}
		advance(pool, &address);
		if (ip_address_compare(&address, &start) == 0)
			break;
	}
	return false;
}

static void take(struct ipam *ipam, const struct pool *pool, const struct ip_address *address,
		 const char *container_id, bool is_last)
{
	struct ip_text text = ip_address_format(address);

	json_string_map_set(&ipam->state.leases, text.text, container_id);
	if (is_last)
		json_string_map_set(&ipam->state.last, ip_subnet_format(&pool->subnet).text,
				    text.text);
}

/* The wanted address that lies in the subnet; its index is marked as used. */
static int take_wanted(struct ipam *ipam, const struct pool *pool, const char *container_id,
		       const struct strvec *wanted, bool *used, struct strvec *ret, struct err *err)
{
	for (size_t i = 0; i < wanted->n; i++) {
		struct ip_address address;
		const char *owner;

		if (used[i] || ip_address_parse(wanted->v[i], &address) < 0 ||
		    !ip_subnet_contains(&pool->subnet, &address))
			continue;
		used[i] = true;
		owner = json_string_map_get(&ipam->state.leases, ip_address_format(&address).text);
		if (owner && !str_eq(owner, container_id))
			return err_set(
				err, ERR_COMMAND,
				"requested ip address %s is already allocated to container ID %s",
				wanted->v[i], owner);
		if (pool->has_gateway && ip_address_compare(&address, &pool->gateway) == 0)
			return err_set(err, ERR_COMMAND, "address %s is the gateway's",
				       wanted->v[i]);
		if (is_of_others(pool, &address))
			return err_set(err, ERR_COMMAND,
				       "address %s is in use by somebody else on '%s', maybe a "
				       "container of podman's",
				       wanted->v[i], pool->bridge);
		take(ipam, pool, &address, container_id, false);
		strvec_add(ret, ip_address_format(&address).text);
		return 1;
	}
	return 0;
}

static int no_address(const struct network_subnet *subnet, struct err *err)
{
	const struct network_lease_range *range = subnet->lease_range;

	if (range)
		return err_set(err, ERR_COMMAND,
			       "no free address in %s to %s of subnet %s; remove containers, ask "
			       "for another address with --ip, or make a network with a larger "
			       "--ip-range",
			       range->start_ip ? range->start_ip : "its first address",
			       range->end_ip ? range->end_ip : "its last one", subnet->subnet);
	return err_set(err, ERR_COMMAND,
		       "no free address in subnet %s; remove containers, or make a network "
		       "with a larger one",
		       subnet->subnet);
}

static int allocate_in(struct ipam *ipam, const struct network *network, size_t i,
		       const char *container_id, const struct strvec *wanted, bool *used,
		       struct strvec *ret, struct err *err)
{
	struct ip_address address;
	struct pool pool;
	int r = pool_init(&pool, ipam, network, &network->subnets[i], err);

	if (r == 0)
		r = take_wanted(ipam, &pool, container_id, wanted, used, ret, err);
	if (r != 0)
		return r < 0 ? r : 0;
	if (!find_free(ipam, &pool, &address))
		return no_address(&network->subnets[i], err);
	take(ipam, &pool, &address, container_id, true);
	strvec_add(ret, ip_address_format(&address).text);
	return 0;
}

int ipam_allocate(const char *dir, const struct network *network, const char *container_id,
		  const struct strvec *wanted, struct strvec *ret, struct err *err)
{
	auto_strvec struct strvec addresses = STRVEC_INIT;
	auto_ipam struct ipam ipam = { .dir_fd = -EBADF, .lock_fd = -EBADF };
	auto_free bool *used = xcalloc(wanted->n + 1, sizeof(*used));
	int r = 0;

	if (!str_eq(network_ipam_driver(network), "host-local"))
		return 0;
	r = ipam_open(&ipam, dir, network->name, err);
	for (size_t i = 0; r == 0 && i < network->n_subnets; i++)
		r = allocate_in(&ipam, network, i, container_id, wanted, used, &addresses, err);
	for (size_t i = 0; r == 0 && i < wanted->n; i++)
		if (!used[i])
			r = err_set(err, ERR_COMMAND,
				    "requested static ip %s not in any subnet on network %s",
				    wanted->v[i], network->name);
	if (r == 0)
		r = ipam_store(&ipam, err);
	if (r < 0)
		return err_wrap(err, r, "network '%s'", network->name);
	strvec_add_all(ret, addresses.v, addresses.n);
	return 0;
}

int ipam_release(const char *dir, const char *network_name, const char *container_id,
		 struct err *err)
{
	auto_ipam struct ipam ipam = { .dir_fd = -EBADF, .lock_fd = -EBADF };
	struct json_string_map *leases = &ipam.state.leases;
	size_t n_kept = 0;
	size_t n_before;
	int r = ipam_open(&ipam, dir, network_name, err);

	if (r < 0)
		return r;
	n_before = leases->n;
	for (size_t i = 0; i < n_before; i++) {
		if (!str_eq(leases->v[i].value, container_id)) {
			leases->v[n_kept++] = leases->v[i];
			continue;
		}
		free(leases->v[i].key);
		free(leases->v[i].value);
	}
	leases->n = n_kept;
	return n_kept == n_before ? 0 : ipam_store(&ipam, err);
}

int ipam_list(const char *dir, struct strvec *ret, struct err *err)
{
	auto_strvec struct strvec files = STRVEC_INIT;
	int r = fs_list_paths(dir, ".json", &files);

	if (r < 0)
		return r == -ENOENT ? 0 : err_sys(err, r, "read '%s'", dir);
	for (size_t i = 0; r == 0 && i < files.n; i++) {
		const char *name = path_basename(files.v[i]);
		auto_free char *network = xstrndup(name, strlen(name) - strlen(".json"));
		auto_ipam struct ipam ipam = { .dir_fd = -EBADF, .lock_fd = -EBADF };

		r = ipam_open(&ipam, dir, network, err);
		for (size_t k = 0; r == 0 && k < ipam.state.leases.n; k++) {
			auto_free char *pair =
				xasprintf("%s %s", network, ipam.state.leases.v[k].value);

			if (!strvec_contains(ret, pair))
				strvec_add(ret, pair);
		}
	}
	return r;
}

void ipam_forget(const char *dir, const char *network_name)
{
	auto_free char *path = xasprintf("%s/%s.json", dir, network_name);

	(void)unlink(path);
}
