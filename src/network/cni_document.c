/* SPDX-License-Identifier: Apache-2.0 */
#include "network/cni_document.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "core/str.h"
#include "core/strbuf.h"

static struct json_object *copy_of(struct json_object *value)
{
	struct json_object *copy = NULL;

	if (json_object_deep_copy(value, &copy, NULL) < 0)
		abort(); /* out of memory */
	return copy;
}

static void set_string(struct json_object *object, const char *key, const char *value)
{
	(void)json_object_object_add(object, key, json_object_new_string(value));
}

static struct json_object *port_mappings(const struct network_ports *ports)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < ports->n; i++) {
		const struct network_port *p = &ports->v[i];

		for (uint32_t k = 0; k < p->range; k++) {
			struct json_object *one = json_object_new_object();

			(void)json_object_object_add(one, "hostPort",
						     json_object_new_int64(p->host_port + k));
			(void)json_object_object_add(one, "containerPort",
						     json_object_new_int64(p->container_port + k));
			set_string(one, "protocol", p->protocol);
			if (*p->host_ip)
				set_string(one, "hostIP", p->host_ip);
			(void)json_object_array_add(list, one);
		}
	}
	return list;
}

static struct json_object *string_list(char *const *v, size_t n)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < n; i++)
		(void)json_object_array_add(list, json_object_new_string(v[i]));
	return list;
}

static struct json_object *dns(const struct strvec *servers)
{
	struct json_object *object = json_object_new_object();

	(void)json_object_object_add(object, "servers", string_list(servers->v, servers->n));
	return object;
}

static struct json_object *aliases(const struct cni_network *network,
				   const struct network_attachment *a)
{
	struct json_object *object = json_object_new_object();

	(void)json_object_object_add(object, network->name, string_list(a->aliases, a->n_aliases));
	return object;
}

bool cni_declares(struct json_object *plugin, const char *capability)
{
	struct json_object *declared;
	struct json_object *value;

	return json_object_object_get_ex(plugin, "capabilities", &declared) &&
	       json_object_is_type(declared, json_type_object) &&
	       json_object_object_get_ex(declared, capability, &value) &&
	       json_object_get_boolean(value);
}

static void add_wishes(struct json_object *input, struct json_object *plugin,
		       const struct cni_network *network, const struct network_request *request,
		       const struct network_attachment *a)
{
	struct json_object *wishes = json_object_new_object();

	if (request->ports.n && cni_declares(plugin, "portMappings"))
		(void)json_object_object_add(wishes, "portMappings",
					     port_mappings(&request->ports));
	if (a->n_static_ips && cni_declares(plugin, "ips"))
		(void)json_object_object_add(wishes, "ips",
					     string_list(a->static_ips, a->n_static_ips));
	if (a->static_mac && cni_declares(plugin, "mac"))
		set_string(wishes, "mac", a->static_mac);
	if (a->n_aliases && cni_declares(plugin, "aliases"))
		(void)json_object_object_add(wishes, "aliases", aliases(network, a));
	if (request->dns_servers.n && cni_declares(plugin, "dns"))
		(void)json_object_object_add(wishes, "dns", dns(&request->dns_servers));
	if (json_object_object_length(wishes) > 0)
		(void)json_object_object_add(input, "runtimeConfig", wishes);
	else
		(void)json_object_put(wishes);
}

struct json_object *cni_plugin_input(const struct cni_network *network, size_t i,
				     const struct network_request *request,
				     const struct network_attachment *attachment,
				     struct json_object *previous)
{
	struct json_object *plugin = json_object_array_get_idx(network->plugins, i);
	struct json_object *input = copy_of(plugin);

	json_object_object_del(input, "capabilities");
	set_string(input, "cniVersion", network->version);
	set_string(input, "name", network->name);
	add_wishes(input, plugin, network, request, attachment);
	if (previous)
		(void)json_object_object_add(input, "prevResult", json_object_get(previous));
	return input;
}

char *cni_args(const struct network_request *request, const struct network_attachment *attachment)
{
	auto_strbuf struct strbuf text = STRBUF_INIT;

	strbuf_addf(&text,
		    "IgnoreUnknown=1;K8S_POD_NAMESPACE=%s;K8S_POD_NAME=%s;"
		    "K8S_POD_INFRA_CONTAINER_ID=%s",
		    request->container_name, request->container_name, request->container_id);
	if (attachment->n_static_ips)
		strbuf_addf(&text, ";IP=%s", attachment->static_ips[0]);
	if (attachment->static_mac)
		strbuf_addf(&text, ";MAC=%s", attachment->static_mac);
	return strbuf_take(&text);
}

/* ---- results ---- */

static struct json_object *get_list(struct json_object *object, const char *key)
{
	struct json_object *list;

	return json_object_object_get_ex(object, key, &list) &&
			       json_object_is_type(list, json_type_array) ?
		       list :
		       NULL;
}

static const char *get_string(struct json_object *object, const char *key)
{
	struct json_object *value;

	return json_object_object_get_ex(object, key, &value) &&
			       json_object_is_type(value, json_type_string) ?
		       json_object_get_string(value) :
		       NULL;
}

/* Of the interfaces those in the container; place[i] is where interface i went, or -1. */
static void add_interfaces(struct json_object *result, struct network_status_entry *entry,
			   ssize_t *place)
{
	struct json_object *list = get_list(result, "interfaces");
	size_t n = list ? json_object_array_length(list) : 0;

	for (size_t i = 0; i < n; i++) {
		struct json_object *one = json_object_array_get_idx(list, i);
		const char *name = get_string(one, "name");
		struct network_status_interface *interface;

		place[i] = -1;
		if (!name || str_is_empty(get_string(one, "sandbox")))
			continue;
		place[i] = (ssize_t)entry->n_interfaces;
		interface = array_push(entry->interfaces, entry->n_interfaces);
		interface->name = xstrdup(name);
		interface->mac_address = xstrdup(get_string(one, "mac"));
	}
}

static void add_address(struct json_object *ip, struct network_status_entry *entry,
			const ssize_t *place, size_t n_places)
{
	const char *address = get_string(ip, "address");
	struct json_object *index;
	struct network_status_subnet *subnet;
	ssize_t where = 0;

	if (json_object_object_get_ex(ip, "interface", &index)) {
		int64_t i = json_object_get_int64(index);

		where = i >= 0 && (uint64_t)i < n_places ? place[i] : -1;
	}
	if (!address || where < 0 || (size_t)where >= entry->n_interfaces)
		return;
	subnet = array_push(entry->interfaces[where].subnets, entry->interfaces[where].n_subnets);
	subnet->ipnet = xstrdup(address);
	subnet->gateway = xstrdup(get_string(ip, "gateway"));
}

static void add_dns(struct json_object *result, struct network_status_entry *entry)
{
	static const struct {
		const char *key;
		bool is_server;
	} lists[] = { { "nameservers", true }, { "search", false } };
	struct json_object *object;

	if (!json_object_object_get_ex(result, "dns", &object))
		return;
	for (size_t k = 0; k < ARRAY_SIZE(lists); k++) {
		struct json_object *list = get_list(object, lists[k].key);
		size_t n = list ? json_object_array_length(list) : 0;

		for (size_t i = 0; i < n; i++) {
			const char *text =
				json_object_get_string(json_object_array_get_idx(list, i));

			if (lists[k].is_server)
				json_strings_add(&entry->dns_server_ips, &entry->n_dns_server_ips,
						 text);
			else
				json_strings_add(&entry->dns_search_domains,
						 &entry->n_dns_search_domains, text);
		}
	}
}

int cni_result_to_status(struct json_object *result, const char *network,
			 struct network_status_entry *ret, struct err *err)
{
	struct network_status_entry entry = { .network = xstrdup(network) };
	struct json_object *list = get_list(result, "ips");
	struct json_object *interfaces = get_list(result, "interfaces");
	size_t n_interfaces = interfaces ? json_object_array_length(interfaces) : 0;
	size_t n = list ? json_object_array_length(list) : 0;
	auto_free ssize_t *place = xcalloc(n_interfaces + 1, sizeof(*place));

	if (!json_object_is_type(result, json_type_object)) {
		free(entry.network);
		return err_set(err, ERR_REMOTE, "the result of network '%s' is not an object",
			       network);
	}
	add_interfaces(result, &entry, place);
	for (size_t i = 0; i < n; i++)
		add_address(json_object_array_get_idx(list, i), &entry, place, n_interfaces);
	add_dns(result, &entry);
	*ret = entry;
	return 0;
}
