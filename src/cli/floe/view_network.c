/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/floe/view_network.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "cli/floe/view.h"
#include "cli/gotemplate.h"
#include "core/alloc.h"
#include "core/parse.h"
#include "core/str.h"
#include "engine/container_network.h"

static void add(struct json_object *o, const char *key, struct json_object *value)
{
	(void)json_object_object_add(o, key, value);
}

/* ---- ports ---- */

/* As they are now, or where nothing is set up as they were asked for. */
static struct network_ports ports_of(const struct container *c)
{
	return c->status.n_ports ? (struct network_ports){ c->status.ports, c->status.n_ports } :
				   (struct network_ports){ c->config.ports, c->config.n_ports };
}

static struct json_object *bindings(const struct network_port *ports, size_t n)
{
	struct json_object *o = json_object_new_object();

	for (size_t i = 0; i < n; i++)
		for (uint32_t k = 0; k < ports[i].range; k++) {
			auto_free char *key =
				xasprintf("%u/%s", ports[i].container_port + k, ports[i].protocol);
			auto_free char *number = xasprintf("%u", ports[i].host_port + k);
			struct json_object *one = json_object_new_object();
			struct json_object *list;

			view_add(one, "HostIp", *ports[i].host_ip ? ports[i].host_ip : "0.0.0.0");
			view_add(one, "HostPort", number);
			if (!json_object_object_get_ex(o, key, &list)) {
				list = json_object_new_array();
				add(o, key, list);
			}
			(void)json_object_array_add(list, one);
		}
	return o;
}

/* Those that are not there yet. */
static void add_ports(struct json_object *ret, const struct network_port *ports, size_t n,
		      bool as_objects)
{
	for (size_t i = 0; i < n; i++)
		for (uint32_t k = 0; k < ports[i].range; k++) {
			auto_free char *key =
				xasprintf("%u/%s", ports[i].container_port + k, ports[i].protocol);

			if (!json_object_object_get_ex(ret, key, NULL))
				add(ret, key, as_objects ? json_object_new_object() : NULL);
		}
}

static void add_exposed(struct json_object *ret, const struct container_config *config,
			bool as_objects)
{
	auto_network_ports struct network_ports exposed = NETWORK_PORTS_INIT;

	for (size_t i = 0; i < config->n_expose; i++)
		(void)network_ports_parse_exposed(&exposed, config->expose[i], NULL);
	add_ports(ret, exposed.v, exposed.n, as_objects);
}

struct json_object *view_exposed_ports(const struct container_config *config)
{
	struct json_object *o = json_object_new_object();

	add_ports(o, config->ports, config->n_ports, true);
	add_exposed(o, config, true);
	return o;
}

struct json_object *view_exposed_numbers(const struct container_config *config)
{
	auto_network_ports struct network_ports exposed = NETWORK_PORTS_INIT;
	struct json_object *o = json_object_new_object();

	for (size_t i = 0; i < config->n_expose; i++)
		(void)network_ports_parse_exposed(&exposed, config->expose[i], NULL);
	for (size_t i = 0; i < exposed.n; i++)
		for (uint32_t k = 0; k < exposed.v[i].range; k++) {
			auto_free char *key = xasprintf("%u", exposed.v[i].container_port + k);
			struct json_object *protocols;

			if (!json_object_object_get_ex(o, key, &protocols))
				add(o, key, protocols = json_object_new_array());
			(void)json_object_array_add(protocols,
						    json_object_new_string(exposed.v[i].protocol));
		}
	return o;
}

struct json_object *view_port_bindings(const struct container_config *config)
{
	return bindings(config->ports, config->n_ports);
}

struct json_object *view_ports_json(const struct container *c)
{
	struct network_ports ports = ports_of(c);
	struct json_object *list = ports.n ? json_object_new_array() : NULL;

	for (size_t i = 0; i < ports.n; i++)
		(void)json_object_array_add(list,
					    json_encode_value(&network_port_desc, &ports.v[i]));
	return list;
}

static bool is_published(const struct network_ports *ports, const char *exposed)
{
	for (size_t i = 0; i < ports->n; i++) {
		auto_free char *text =
			xasprintf("%u/%s", ports->v[i].container_port, ports->v[i].protocol);

		if (str_eq(text, exposed))
			return true;
	}
	return false;
}

void view_ports(const struct container *c, struct strbuf *sb)
{
	struct network_ports ports = ports_of(c);

	for (size_t i = 0; i < ports.n; i++) {
		auto_free char *text = network_port_to_string(&ports.v[i]);

		strbuf_addf(sb, "%s%s", sb->len ? ", " : "", text);
	}
	for (size_t i = 0; i < c->config.n_expose; i++) {
		const char *port = c->config.expose[i];
		auto_free char *full = strchr(port, '/') ? xstrdup(port) :
							   xasprintf("%s/tcp", port);

		if (!is_published(&ports, full))
			strbuf_addf(sb, "%s%s", sb->len ? ", " : "", full);
	}
}

/* ---- networks ---- */

struct json_object *view_network_names(const struct container_config *config)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < config->n_networks; i++)
		(void)json_object_array_add(list,
					    json_object_new_string(config->networks[i].network));
	return list;
}

/* Address, length and gateway of the first subnet of each family. */
static void add_addresses(struct json_object *o, const struct network_status_interface *interface)
{
	struct {
		const char *address;
		const char *length;
		const char *gateway;
		bool is_set;
	} keys[] = {
		{ "IPAddress", "IPPrefixLen", "Gateway", false },
		{ "GlobalIPv6Address", "GlobalIPv6PrefixLen", "IPv6Gateway", false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		view_add(o, keys[i].address, "");
		view_add_i64(o, keys[i].length, 0);
		view_add(o, keys[i].gateway, "");
	}
	for (size_t i = 0; interface && i < interface->n_subnets; i++) {
		const struct network_status_subnet *subnet = &interface->subnets[i];
		const char *slash = strchr(subnet->ipnet, '/');
		size_t k = strchr(subnet->ipnet, ':') ? 1 : 0;
		auto_free char *address = NULL;
		uint32_t length = 0;

		if (keys[k].is_set || !slash)
			continue;
		keys[k].is_set = true;
		address = xstrndup(subnet->ipnet, (size_t)(slash - subnet->ipnet));
		(void)parse_u32(slash + 1, &length);
		view_add(o, keys[k].address, address);
		view_add_i64(o, keys[k].length, length);
		view_add(o, keys[k].gateway, subnet->gateway);
	}
	view_add(o, "MacAddress", interface ? interface->mac_address : "");
}

static const struct network *find_network(const struct container *c, const char *name)
{
	for (size_t i = 0; i < c->status.n_networks; i++)
		if (str_eq(c->status.networks[i].name, name))
			return &c->status.networks[i];
	return NULL;
}

static struct json_object *one_network(const struct container *c,
				       const struct network_status *status,
				       const struct network_attachment *a)
{
	const struct network_status_entry *entry = network_status_find(status, a->network);
	const struct network *network = find_network(c, a->network);
	struct json_object *o = json_object_new_object();
	struct json_object *aliases = view_strings(a->aliases, a->n_aliases);
	char id[13];

	view_add(o, "EndpointID", "");
	add_addresses(o, entry && entry->n_interfaces ? &entry->interfaces[0] : NULL);
	view_add(o, "NetworkID", network ? network->id : a->network);
	add(o, "DriverOpts", NULL);
	add(o, "IPAMConfig", NULL);
	add(o, "Links", NULL);
	(void)json_object_array_add(aliases,
				    json_object_new_string(container_short_id(c->config.id, id)));
	if (!str_is_empty(c->config.hostname))
		(void)json_object_array_add(aliases, json_object_new_string(c->config.hostname));
	add(o, "Aliases", aliases);
	return o;
}

/* "host" and "none" stand for a network without addresses. */
static void add_mode(struct json_object *to, const char *mode)
{
	struct json_object *o = json_object_new_object();

	view_add(o, "EndpointID", "");
	add_addresses(o, NULL);
	view_add(o, "NetworkID", mode);
	add(o, "DriverOpts", NULL);
	add(o, "IPAMConfig", NULL);
	add(o, "Links", NULL);
	add(to, mode, o);
}

static void add_own_networks(struct json_object *to, const struct container *c,
			     const struct network_status *status)
{
	if (str_eq(c->config.network, "host") || str_eq(c->config.network, "none"))
		add_mode(to, c->config.network);
	for (size_t i = 0; i < c->config.n_networks; i++)
		add(to, c->config.networks[i].network,
		    one_network(c, status, &c->config.networks[i]));
}

/* Of one that shares another's, the other's. */
static void add_networks(struct json_object *to, const struct container *c,
			 const struct network_status *status)
{
	const char *name = str_skip_prefix(c->config.network, "container:");
	auto_container struct container other = CONTAINER_INIT;
	auto_network_status struct network_status of = NETWORK_STATUS_INIT;

	if (!name) {
		add_own_networks(to, c, status);
	} else if (container_open(&other, c->engine, name, NULL) == 0) {
		container_network_status(&other, &of);
		add_own_networks(to, &other, &of);
	}
}

/* Of a namespace that nobody holds open: by a process inside. */
static char *sandbox_key(const struct container *c)
{
	if (c->status.netns)
		return xstrdup(c->status.netns);
	if (str_eq(c->config.network, "none") && c->status.pid > 0)
		return xasprintf("/proc/%d/ns/net", (int)c->status.pid);
	return xstrdup("");
}

struct json_object *view_network_settings(const struct container *c)
{
	struct json_object *o = json_object_new_object();
	struct json_object *networks = json_object_new_object();
	struct network_ports ports = ports_of(c);
	auto_network_status struct network_status status = NETWORK_STATUS_INIT;
	auto_free char *key = sandbox_key(c);
	const struct network_status_entry *only;

	container_network_status(c, &status);
	only = status.n == 1 ? &status.v[0] : NULL;
	view_add(o, "EndpointID", "");
	add_addresses(o, only && only->n_interfaces ? &only->interfaces[0] : NULL);
	view_add(o, "Bridge", "");
	view_add(o, "SandboxID", "");
	view_add_bool(o, "HairpinMode", false);
	view_add(o, "LinkLocalIPv6Address", "");
	view_add_i64(o, "LinkLocalIPv6PrefixLen", 0);
	add(o, "Ports", bindings(ports.v, ports.n));
	if (c->config.n_networks > 0 || str_eq(c->config.network, "none"))
		add_exposed(json_object_object_get(o, "Ports"), &c->config, false);
	view_add(o, "SandboxKey", key);
	add_networks(networks, c, &status);
	add(o, "Networks", networks);
	gotemplate_add_empty(o, json_tokener_parse("{\"SecondaryIPAddresses\": [], "
						   "\"SecondaryIPv6Addresses\": [], "
						   "\"AdditionalMacAddresses\": []}"));
	return o;
}
