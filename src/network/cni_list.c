/* SPDX-License-Identifier: Apache-2.0 */
#include "network/cni_list.h"

#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/clock.h"
#include "core/fd.h"
#include "core/fs.h"
#include "core/io.h"
#include "core/json_auto.h"
#include "core/log.h"
#include "core/parse.h"
#include "core/str.h"
#include "kernel/netlink.h"
#include "storage/digest.h"

#define CONFIG_MAX (1U << 20)
#define LABELS "podman_labels"
#define OPTIONS "podman_options"

/* ---- from a list ---- */

static struct json_object *member(struct json_object *object, const char *key)
{
	struct json_object *value = NULL;

	(void)json_object_object_get_ex(object, key, &value);
	return value;
}

static const char *string_of(struct json_object *object, const char *key)
{
	struct json_object *value = member(object, key);

	return json_object_is_type(value, json_type_string) ? json_object_get_string(value) : NULL;
}

static void add_map(struct json_string_map *ret, struct json_object *object)
{
	struct json_object_iterator at;
	struct json_object_iterator end;

	if (!json_object_is_type(object, json_type_object))
		return;
	at = json_object_iter_begin(object);
	end = json_object_iter_end(object);
	for (; !json_object_iter_equal(&at, &end); json_object_iter_next(&at))
		json_string_map_set(ret, json_object_iter_peek_name(&at),
				    json_object_get_string(json_object_iter_peek_value(&at)));
}

static void add_subnet(struct network *n, struct json_object *range)
{
	const char *text = string_of(range, "subnet");
	const char *first = string_of(range, "rangeStart");
	const char *last = string_of(range, "rangeEnd");
	struct network_subnet *s;

	if (!text)
		return;
	s = array_push(n->subnets, n->n_subnets);
	s->subnet = xstrdup(text);
	s->gateway = xstrdup(string_of(range, "gateway"));
	n->ipv6_enabled |= strchr(text, ':') != NULL;
	if (first || last) {
		s->lease_range = xcalloc(1, sizeof(*s->lease_range));
		s->lease_range->start_ip = xstrdup(first);
		s->lease_range->end_ip = xstrdup(last);
	}
}

/* {"ranges": [[{"subnet": ...}], ...]}, or the old form with one subnet. */
static void add_ipam(struct network *n, struct json_object *ipam)
{
	const char *type = string_of(ipam, "type");
	struct json_object *ranges = member(ipam, "ranges");

	json_string_map_set(&n->ipam_options, "driver", str_is_empty(type) ? "none" : type);
	add_subnet(n, ipam);
	for (size_t i = 0;
	     json_object_is_type(ranges, json_type_array) && i < json_object_array_length(ranges);
	     i++) {
		struct json_object *set = json_object_array_get_idx(ranges, i);

		if (json_object_is_type(set, json_type_array))
			add_subnet(n, json_object_array_get_idx(set, 0));
	}
}

static void add_number(struct network *n, struct json_object *plugin, const char *key)
{
	int64_t value = json_object_get_int64(member(plugin, key));
	auto_free char *text = xasprintf("%lld", (long long)value);

	if (value > 0)
		json_string_map_set(&n->options, key, text);
}

void cni_list_to_network(const struct cni_network *cni, int64_t created, struct network *ret)
{
	struct json_object *first = json_object_array_get_idx(cni->plugins, 0);
	const char *mode = string_of(first, "mode");
	const char *interface = string_of(first, "bridge");
	char id[STORE_DIGEST_MAX];
	char time[CLOCK_TEXT_MAX];

	clock_format_utc((uint64_t)created * NSEC_PER_SEC, 9, time);
	digest_of(cni->name, strlen(cni->name), id);
	*ret = (struct network){
		.name = xstrdup(cni->name),
		.id = xstrdup(digest_hex(id)),
		.driver = xstrdup(string_of(first, "type")),
		.network_interface = xstrdup(interface ? interface : string_of(first, "master")),
		.created = xstrdup(time),
	};
	ret->internal = str_eq(ret->driver, "bridge") &&
			!json_object_get_boolean(member(first, "isGateway"));
	add_number(ret, first, "mtu");
	add_number(ret, first, "vlan");
	if (mode)
		json_string_map_set(&ret->options, "mode", mode);
	add_map(&ret->labels, member(cni->args, LABELS));
	add_map(&ret->options, member(cni->args, OPTIONS));
	add_ipam(ret, member(first, "ipam"));
	for (size_t i = 0; i < json_object_array_length(cni->plugins); i++)
		ret->dns_enabled |= str_eq(
			string_of(json_object_array_get_idx(cni->plugins, i), "type"), "dnsname");
}

/* ---- to a list ---- */

static void set_string(struct json_object *object, const char *key, const char *value)
{
	if (!str_is_empty(value))
		(void)json_object_object_add(object, key, json_object_new_string(value));
}

static void set_flag(struct json_object *object, const char *key, bool value)
{
	(void)json_object_object_add(object, key, json_object_new_boolean(value));
}

static struct json_object *map_object(const struct json_string_map *map)
{
	struct json_object *object = json_object_new_object();

	for (size_t i = 0; i < map->n; i++)
		(void)json_object_object_add(object, map->v[i].key,
					     json_object_new_string(map->v[i].value));
	return object;
}

static struct json_object *add_plugin(struct json_object *plugins, const char *type,
				      const char *capability)
{
	struct json_object *plugin = json_object_new_object();
	struct json_object *capabilities;

	set_string(plugin, "type", type);
	if (capability) {
		capabilities = json_object_new_object();
		set_flag(capabilities, capability, true);
		(void)json_object_object_add(plugin, "capabilities", capabilities);
	}
	(void)json_object_array_add(plugins, plugin);
	return plugin;
}

static struct json_object *make_ranges(const struct network *n)
{
	struct json_object *ranges = json_object_new_array();

	for (size_t i = 0; i < n->n_subnets; i++) {
		const struct network_subnet *s = &n->subnets[i];
		struct json_object *range = json_object_new_object();
		struct json_object *set = json_object_new_array();

		set_string(range, "subnet", s->subnet);
		set_string(range, "rangeStart", s->lease_range ? s->lease_range->start_ip : NULL);
		set_string(range, "rangeEnd", s->lease_range ? s->lease_range->end_ip : NULL);
		/* The bridge has no address there. */
		set_string(range, "gateway", n->internal ? NULL : s->gateway);
		(void)json_object_array_add(set, range);
		(void)json_object_array_add(ranges, set);
	}
	return ranges;
}

static void add_route(struct json_object *routes, const char *destination, const char *gateway)
{
	struct json_object *route = json_object_new_object();

	set_string(route, "dst", destination);
	set_string(route, "gw", gateway);
	(void)json_object_array_add(routes, route);
}

static struct json_object *make_routes(const struct network *n)
{
	struct json_object *routes = json_object_new_array();
	bool v4 = false;
	bool v6 = false;

	for (size_t i = 0; !n->internal && i < n->n_subnets; i++)
		*(strchr(n->subnets[i].subnet, ':') ? &v6 : &v4) = true;
	if (v4)
		add_route(routes, "0.0.0.0/0", NULL);
	if (v6)
		add_route(routes, "::/0", NULL);
	for (size_t i = 0; i < n->n_routes; i++)
		add_route(routes, n->routes[i].destination, n->routes[i].gateway);
	return routes;
}

static struct json_object *make_ipam(const struct network *n)
{
	struct json_object *ipam = json_object_new_object();
	const char *driver = network_ipam_driver(n);

	if (str_eq(driver, "none"))
		return ipam;
	set_string(ipam, "type", driver);
	if (str_eq(driver, "host-local")) {
		(void)json_object_object_add(ipam, "routes", make_routes(n));
		(void)json_object_object_add(ipam, "ranges", make_ranges(n));
	}
	return ipam;
}

static int set_options(const struct network *n, struct json_object *plugin, struct err *err)
{
	for (size_t i = 0; i < n->options.n; i++) {
		const char *key = n->options.v[i].key;
		uint32_t number;

		if (str_eq(key, "mode"))
			set_string(plugin, key, n->options.v[i].value);
		else if ((str_eq(key, "mtu") || str_eq(key, "vlan")) &&
			 parse_u32(n->options.v[i].value, &number) == 0)
			(void)json_object_object_add(plugin, key, json_object_new_int64(number));
		else
			return err_set(err, ERR_UNSUPPORTED,
				       "network '%s': option '%s': the CNI backend has mtu, vlan "
				       "and mode",
				       n->name, key);
	}
	return 0;
}

static int check_words(const struct network *n, struct err *err)
{
	static const char *const drivers[] = { "bridge", "macvlan", "ipvlan", NULL };

	if (!str_is_one_of(n->driver, drivers))
		return err_set(err, ERR_UNSUPPORTED,
			       "network '%s': driver '%s': the CNI backend has bridge, macvlan and "
			       "ipvlan",
			       n->name, n->driver);
	if (n->n_network_dns_servers)
		return err_set(err, ERR_UNSUPPORTED,
			       "network '%s': --dns: the CNI backend has no servers of networks; "
			       "give them to containers by --dns",
			       n->name);
	return 0;
}

static int make_plugins(const struct network *n, const struct network_dir *dir,
			struct json_object *plugins, struct err *err)
{
	bool is_bridge = str_eq(n->driver, "bridge");
	struct json_object *first = add_plugin(plugins, n->driver, "ips");
	struct json_object *last;

	set_string(first, is_bridge ? "bridge" : "master", n->network_interface);
	if (is_bridge) {
		set_flag(first, "isGateway", !n->internal);
		set_flag(first, "ipMasq", !n->internal);
		set_flag(first, "hairpinMode", true);
	}
	(void)json_object_object_add(first, "ipam", make_ipam(n));
	if (is_bridge) {
		(void)add_plugin(plugins, "portmap", "portMappings");
		(void)add_plugin(plugins, "firewall", NULL);
		(void)add_plugin(plugins, "tuning", NULL);
		if (n->dns_enabled && cni_has_plugin(dir->cni_plugins, "dnsname")) {
			last = add_plugin(plugins, "dnsname", "aliases");
			set_string(last, "domainName", "dns.podman");
		}
	}
	return set_options(n, first, err);
}

int cni_list_from_network(const struct network *network, const struct network_dir *dir, char **ret,
			  struct err *err)
{
	auto_json struct json_object *document = json_object_new_object();
	struct json_object *plugins = json_object_new_array();
	struct json_object *args = json_object_new_object();
	int r = check_words(network, err);

	if (network->labels.n)
		(void)json_object_object_add(args, LABELS, map_object(&network->labels));
	set_string(document, "cniVersion", "0.4.0");
	set_string(document, "name", network->name);
	(void)json_object_object_add(document, "args", args);
	(void)json_object_object_add(document, "plugins", plugins);
	if (r == 0)
		r = make_plugins(network, dir, plugins, err);
	if (r < 0)
		return r;
	*ret = xasprintf("%s\n", json_object_to_json_string_ext(
					 document,
					 JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE));
	return 0;
}

/* ---- files ---- */

/* In the order of their names, as libcni has it. */
static int list_files(const char *dir, struct strvec *ret)
{
	int r = fs_list(AT_FDCWD, dir, ret);

	return r == -ENOENT ? 0 : r;
}

static int load_file(struct cni_network *ret, const char *dir, const char *name, int64_t *ret_time,
		     struct err *err)
{
	auto_free char *path = xasprintf("%s/%s", dir, name);
	auto_strbuf struct strbuf text = STRBUF_INIT;
	struct stat st;
	int r = io_read_file_at(AT_FDCWD, path, CONFIG_MAX, &text);

	if (r == 0 && stat(path, &st) < 0)
		r = -errno;
	if (r < 0)
		return err_sys(err, r, "read");
	*ret_time = st.st_mtim.tv_sec;
	return cni_network_parse(ret, text.buf, err);
}

static bool has_name(const struct network_list *list, const char *name)
{
	for (size_t i = 0; i < list->n; i++)
		if (str_eq(list->v[i].name, name))
			return true;
	return false;
}

int cni_list_load(struct network_list *list, const char *dir)
{
	auto_strvec struct strvec files = STRVEC_INIT;
	int r = list_files(dir, &files);

	for (size_t i = 0; r == 0 && i < files.n; i++) {
		auto_cni_network struct cni_network cni = CNI_NETWORK_INIT;
		struct err why = ERR_INIT;
		int64_t created;

		if (!cni_is_config(files.v[i]))
			continue;
		if (load_file(&cni, dir, files.v[i], &created, &why) < 0)
			log_warning("network file '%s/%s' is left out: %s", dir, files.v[i],
				    why.msg);
		else if (!has_name(list, cni.name))
			cni_list_to_network(&cni, created, array_push(list->v, list->n));
	}
	return r;
}

int cni_list_save(const struct network *network, const struct network_dir *dir, struct err *err)
{
	auto_free char *name = xasprintf("%s.conflist", network->name);
	auto_free char *text = NULL;
	auto_close int dir_fd = -EBADF;
	int r = cni_list_from_network(network, dir, &text, err);

	if (r < 0)
		return r;
	r = fs_mkdir_all(AT_FDCWD, dir->path, 0755, 0755);
	if (r == 0)
		r = dir_fd = fd_open_at(AT_FDCWD, dir->path, O_RDONLY | O_DIRECTORY, 0);
	if (r < 0)
		return err_sys(err, r, "open network directory '%s'", dir->path);
	if (fs_exists(dir_fd, name))
		return err_set(err, ERR_EXISTS, "network '%s': there is a file '%s/%s' already",
			       network->name, dir->path, name);
	r = fs_write_atomic(dir_fd, name, text, strlen(text), 0644, FS_DURABLE);
	return r < 0 ? err_sys(err, r, "write network '%s' in '%s'", network->name, dir->path) : 0;
}

/* The plugin makes it for the first container and leaves it. One that has ports is somebody's. */
static void remove_bridge(const struct cni_network *cni)
{
	struct json_object *first = json_object_array_get_idx(cni->plugins, 0);
	const char *name = string_of(first, "bridge");
	auto_netlink struct netlink nl = NETLINK_INIT;
	auto_free struct netlink_link *links = NULL;
	struct netlink_link bridge;
	size_t n = 0;
	int r;

	if (!str_eq(string_of(first, "type"), "bridge") || !name)
		return;
	r = netlink_open(&nl);
	if (r == 0)
		r = netlink_get_link(&nl, name, &bridge);
	if (r == 0)
		r = netlink_list_links(&nl, &links, &n);
	for (size_t i = 0; r == 0 && i < n; i++)
		if (links[i].master == bridge.index)
			return;
	if (r == 0)
		r = netlink_delete_link(&nl, bridge.index);
	if (r < 0 && r != -ENODEV)
		log_warning("bridge '%s' of network '%s' stays: %s", name, cni->name, strerror(-r));
}

int cni_list_remove(const char *name, const char *dir, struct err *err)
{
	auto_strvec struct strvec files = STRVEC_INIT;
	int r = list_files(dir, &files);

	for (size_t i = 0; r == 0 && i < files.n; i++) {
		auto_cni_network struct cni_network cni = CNI_NETWORK_INIT;
		auto_free char *path = xasprintf("%s/%s", dir, files.v[i]);
		int64_t created;

		if (!cni_is_config(files.v[i]) ||
		    load_file(&cni, dir, files.v[i], &created, NULL) < 0 || !str_eq(cni.name, name))
			continue;
		if (unlink(path) < 0 && errno != ENOENT)
			r = -errno;
		else
			remove_bridge(&cni);
	}
	return r < 0 ? err_sys(err, r, "remove network '%s'", name) : 0;
}
