/* SPDX-License-Identifier: Apache-2.0 */
#include "network/config.h"

#include <fcntl.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/fd.h"
#include "core/fs.h"
#include "core/log.h"
#include "core/parse.h"
#include "core/str.h"
#include "core/strvec.h"
#include "network/address.h"
#include "network/cni_list.h"

/* SHA-256 of "podman": the id that podman gives this network. */
#define DEFAULT_ID "2f259bab93aaaaa2542ba43ef33eb990d0999ee1b9924b557b7be53c0b7a1bb9"
#define ID_LENGTH 64
#define DEFAULT_BRIDGE "podman0"
#define DEFAULT_SUBNET "10.88.0.0/16"

JSON_DESC_STATIC(lease_range_desc, struct network_lease_range,
		 F_STRING(struct network_lease_range, start_ip, "start_ip", 0),
		 F_STRING(struct network_lease_range, end_ip, "end_ip", 0));

JSON_DESC_STATIC(subnet_desc, struct network_subnet,
		 F_STRING(struct network_subnet, subnet, "subnet", JSON_REQUIRED),
		 F_STRING(struct network_subnet, gateway, "gateway", 0),
		 F_OBJECT_PTR(struct network_subnet, lease_range, struct network_lease_range,
			      "lease_range", 0, lease_range_desc));

JSON_DESC_STATIC(route_desc, struct network_route,
		 F_STRING(struct network_route, destination, "destination", JSON_REQUIRED),
		 F_STRING(struct network_route, gateway, "gateway", JSON_REQUIRED),
		 F_OPT_U32(struct network_route, metric, "metric", 0));

JSON_DESC(network_desc, struct network, F_STRING(struct network, name, "name", JSON_REQUIRED),
	  F_STRING(struct network, id, "id", JSON_REQUIRED),
	  F_STRING(struct network, driver, "driver", JSON_REQUIRED),
	  F_STRING(struct network, network_interface, "network_interface", 0),
	  F_STRING(struct network, created, "created", 0),
	  F_OBJECTS(struct network, subnets, struct network_subnet, "subnets", 0, subnet_desc),
	  F_OBJECTS(struct network, routes, struct network_route, "routes", 0, route_desc),
	  F_BOOL(struct network, ipv6_enabled, "ipv6_enabled", JSON_ALWAYS),
	  F_BOOL(struct network, internal, "internal", JSON_ALWAYS),
	  F_BOOL(struct network, dns_enabled, "dns_enabled", JSON_ALWAYS),
	  F_STRINGS(struct network, network_dns_servers, "network_dns_servers", 0),
	  F_STRING_MAP(struct network, labels, "labels", 0),
	  F_STRING_MAP(struct network, options, "options", 0),
	  F_STRING_MAP(struct network, ipam_options, "ipam_options", 0),
	  F_EXTRA(struct network, extra));

void network_copy(struct network *ret, const struct network *from)
{
	auto_free char *text = json_encode(&network_desc, from, JSON_COMPACT);

	/* What was encoded can be decoded. */
	if (json_decode(&network_desc, ret, text, strlen(text), from->name, NULL) < 0)
		abort();
}

void network_done(struct network *network)
{
	json_done(&network_desc, network);
}

void network_list_done(struct network_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		network_done(&list->v[i]);
	free(list->v);
	*list = (struct network_list)NETWORK_LIST_INIT;
}

const char *network_ipam_driver(const struct network *network)
{
	const char *driver = json_string_map_get(&network->ipam_options, "driver");

	return str_is_empty(driver) ? "host-local" : driver;
}

int network_name_check(const char *name, struct err *err)
{
	if (parse_is_name(name) && strlen(name) <= 200)
		return 0;
	return err_set(err, ERR_INVALID,
		       "network name '%s': use letters, digits, '_', '.' and '-', a letter or "
		       "digit first",
		       name);
}

bool network_interface_name_is_valid(const char *name)
{
	static const char *const taken[] = { "", ".", "..", "lo", NULL };

	return !str_is_one_of(name, taken) && strlen(name) < IFNAMSIZ &&
	       !strpbrk(name, "/: \t\n\v\f\r");
}

const char *network_default_name(const struct network_dir *dir)
{
	return dir->default_name ? dir->default_name : NETWORK_DEFAULT;
}

int network_make_default(struct network *ret, const struct network_dir *dir, struct err *err)
{
	const char *range = dir->default_subnet ? dir->default_subnet : DEFAULT_SUBNET;
	struct network_subnet *subnet;
	struct ip_subnet parsed;
	struct ip_address gateway;

	if (ip_subnet_parse(range, &parsed) < 0)
		return err_set(err, ERR_INVALID, "default subnet '%s': it is no subnet", range);
	gateway = ip_subnet_first(&parsed);
	ip_address_increment(&gateway);

	*ret = (struct network){
		.name = xstrdup(network_default_name(dir)),
		.id = xstrdup(DEFAULT_ID),
		.driver = xstrdup("bridge"),
		.network_interface =
			xstrdup(dir->cni ? NETWORK_CNI_DEFAULT_BRIDGE : DEFAULT_BRIDGE),
	};
	subnet = array_push(ret->subnets, ret->n_subnets);
	subnet->subnet = xstrdup(ip_subnet_format(&parsed).text);
	subnet->gateway = xstrdup(ip_address_format(&gateway).text);
	json_string_map_set(&ret->ipam_options, "driver", "host-local");
	return 0;
}

static bool is_file_of(const struct network *network, const char *file)
{
	const char *rest = str_skip_prefix(file, network->name);

	return rest && str_eq(rest, ".json");
}

/* What podman looks at as well; wrong, it would only be found out in the middle of a container's start. */
static int check_values(const struct network *network, struct err *err)
{
	if (strlen(network->id) != ID_LENGTH ||
	    strspn(network->id, "0123456789abcdef") != ID_LENGTH)
		return err_set(err, ERR_CORRUPT,
			       "id '%s' is not of %d hexadecimal digits; create the network anew",
			       network->id, ID_LENGTH);
	for (size_t i = 0; i < network->n_subnets; i++) {
		const struct network_subnet *s = &network->subnets[i];
		struct ip_subnet subnet;
		struct ip_address gateway;

		if (ip_subnet_parse(s->subnet, &subnet) < 0)
			return err_set(err, ERR_CORRUPT, "subnets[%zu]: '%s' is not a subnet", i,
				       s->subnet);
		if (!str_is_empty(s->gateway) && (ip_address_parse(s->gateway, &gateway) < 0 ||
						  !ip_subnet_contains(&subnet, &gateway)))
			return err_set(err, ERR_CORRUPT,
				       "subnets[%zu]: gateway '%s' does not lie in subnet %s", i,
				       s->gateway, s->subnet);
	}
	return 0;
}

/* name: "NETWORK.json". */
static int load_file(struct network *ret, int dir_fd, const char *name, struct err *err)
{
	int r = json_decode_file(&network_desc, ret, dir_fd, name, err);

	if (r < 0)
		return r;
	r = network_name_check(ret->name, err);
	if (r == 0 && !is_file_of(ret, name))
		r = err_set(err, ERR_CORRUPT, "network file '%s' is for network '%s'; rename it",
			    name, ret->name);
	if (r == 0)
		r = check_values(ret, err);
	if (r < 0)
		network_done(ret);
	return r;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(((const struct network *)a)->name, ((const struct network *)b)->name);
}

static bool has_name(const struct network_list *list, const char *name)
{
	for (size_t i = 0; i < list->n; i++)
		if (str_eq(list->v[i].name, name))
			return true;
	return false;
}

static int load_all(struct network_list *list, const char *dir)
{
	auto_close int fd = fd_open_at(AT_FDCWD, dir, O_RDONLY | O_DIRECTORY, 0);
	auto_strvec struct strvec names = STRVEC_INIT;
	int r = fd < 0 ? fd : fs_list(fd, ".", &names);

	for (size_t i = 0; r == 0 && i < names.n; i++) {
		struct network network = NETWORK_INIT;
		struct err err = ERR_INIT;

		if (names.v[i][0] == '.' || !str_has_suffix(names.v[i], ".json"))
			continue;
		if (load_file(&network, fd, names.v[i], &err) < 0) {
			log_warning("network file '%s' is left out: %s", names.v[i], err.msg);
			continue;
		}
		*array_push(list->v, list->n) = network;
	}
	return r == -ENOENT ? 0 : r;
}

int network_list_load(struct network_list *ret, const struct network_dir *dir, struct err *err)
{
	auto_network_list struct network_list list = NETWORK_LIST_INIT;
	int r = dir->cni ? cni_list_load(&list, dir->path) : load_all(&list, dir->path);

	if (r < 0)
		return err_sys(err, r, "read network directory '%s'", dir->path);
	if (!has_name(&list, network_default_name(dir))) {
		struct network network = NETWORK_INIT;

		r = network_make_default(&network, dir, err);
		if (r < 0)
			return r;
		*array_push(list.v, list.n) = network;
	}
	qsort(list.v, list.n, sizeof(*list.v), compare_names);
	*ret = list;
	list = (struct network_list)NETWORK_LIST_INIT;
	return 0;
}

/* The one meant, or -1: none, -2: several. */
static ssize_t search(const struct network_list *list, const char *name_or_id)
{
	ssize_t found = -1;

	for (size_t i = 0; i < list->n; i++)
		if (str_eq(list->v[i].name, name_or_id))
			return (ssize_t)i;
	for (size_t i = 0; !str_is_empty(name_or_id) && i < list->n; i++)
		if (str_has_prefix(list->v[i].id, name_or_id))
			found = found == -1 ? (ssize_t)i : -2;
	return found;
}

int network_find(struct network *ret, const struct network_dir *dir, const char *name_or_id,
		 struct err *err)
{
	auto_network_list struct network_list list = NETWORK_LIST_INIT;
	int r = network_list_load(&list, dir, err);
	ssize_t i;

	if (r < 0)
		return r;
	i = search(&list, name_or_id);
	if (i == -2)
		return err_set(err, ERR_INVALID,
			       "network '%s': more than one network's id begins like this",
			       name_or_id);
	if (i < 0)
		return err_set(err, ERR_NOT_FOUND,
			       "unable to find network with name or ID %s: network not found",
			       name_or_id);
	*ret = list.v[i];
	list.v[i] = list.v[--list.n];
	return 0;
}

int network_save(const struct network *network, const struct network_dir *dir, bool replace,
		 struct err *err)
{
	auto_free char *name = xasprintf("%s.json", network->name);
	auto_free char *text = json_encode(&network_desc, network, JSON_INDENT4);
	auto_free char *lines = xasprintf("%s\n", text);
	auto_close int dir_fd = -EBADF;
	int r;

	if (dir->cni)
		return cni_list_save(network, dir, err);
	r = fs_mkdir_all(AT_FDCWD, dir->path, 0755, 0755);
	if (r == 0)
		r = dir_fd = fd_open_at(AT_FDCWD, dir->path, O_RDONLY | O_DIRECTORY, 0);
	if (r < 0)
		return err_sys(err, r, "open network directory '%s'", dir->path);
	if (!replace && fs_exists(dir_fd, name))
		return err_set(err, ERR_EXISTS,
			       "network name %s already used: network already exists",
			       network->name);
	r = fs_write_atomic(dir_fd, name, lines, strlen(lines), 0644, FS_DURABLE);
	return r < 0 ? err_sys(err, r, "write network '%s' in '%s'", network->name, dir->path) : 0;
}

int network_remove(const struct network *network, const struct network_dir *dir, struct err *err)
{
	auto_free char *path = xasprintf("%s/%s.json", dir->path, network->name);

	if (str_eq(network->name, network_default_name(dir)))
		return err_set(err, ERR_DENIED, "default network %s cannot be removed",
			       network->name);
	if (dir->cni)
		return cni_list_remove(network->name, dir->path, err);
	if (unlink(path) < 0 && errno != ENOENT)
		return err_sys(err, -errno, "remove network '%s'", network->name);
	return 0;
}
