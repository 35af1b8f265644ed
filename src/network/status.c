/* SPDX-License-Identifier: Apache-2.0 */
#include "network/status.h"

#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "core/str.h"

/* The decoder wants an object with named members; the document is a map as a whole. */
struct document {
	struct network_status_entry *networks;
	size_t n_networks;
};

JSON_DESC_STATIC(subnet_desc, struct network_status_subnet,
		 F_STRING(struct network_status_subnet, gateway, "gateway", 0),
		 F_STRING(struct network_status_subnet, ipnet, "ipnet", JSON_REQUIRED));

JSON_DESC_STATIC(interface_desc, struct network_status_interface,
		 F_STRING(struct network_status_interface, mac_address, "mac_address", 0),
		 F_OBJECTS(struct network_status_interface, subnets, struct network_status_subnet,
			   "subnets", 0, subnet_desc));

JSON_DESC_STATIC(entry_desc, struct network_status_entry,
		 F_OBJECT_MAP(struct network_status_entry, interfaces,
			      struct network_status_interface, "interfaces", 0, interface_desc),
		 F_STRINGS(struct network_status_entry, dns_server_ips, "dns_server_ips", 0),
		 F_STRINGS(struct network_status_entry, dns_search_domains, "dns_search_domains",
			   0));

JSON_DESC_STATIC(document_desc, struct document,
		 F_OBJECT_MAP(struct document, networks, struct network_status_entry, "networks",
			      JSON_ALWAYS, entry_desc));

static const char prefix[] = "{\"networks\":";

int network_status_parse(struct network_status *ret, const char *text, size_t len, const char *name,
			 struct err *err)
{
	auto_free char *wrapped = xasprintf("%s%.*s}", prefix, (int)len, text);
	struct document document;
	int r = json_decode(&document_desc, &document, wrapped, strlen(wrapped), name, err);

	if (r < 0)
		return r;
	*ret = (struct network_status){ document.networks, document.n_networks };
	return 0;
}

char *network_status_format(const struct network_status *status)
{
	struct document document = { status->v, status->n };
	auto_free char *text = json_encode(&document_desc, &document, JSON_COMPACT);

	return xstrndup(text + strlen(prefix), strlen(text) - strlen(prefix) - 1);
}

void network_status_done(struct network_status *status)
{
	struct document document = { status->v, status->n };

	json_done(&document_desc, &document);
	*status = (struct network_status)NETWORK_STATUS_INIT;
}

const struct network_status_entry *network_status_find(const struct network_status *status,
						       const char *network)
{
	for (size_t i = 0; i < status->n; i++)
		if (str_eq(status->v[i].network, network))
			return &status->v[i];
	return NULL;
}

void network_status_remove(struct network_status *status, const char *network)
{
	size_t n_kept = 0;

	for (size_t i = 0; i < status->n; i++) {
		struct network_status_entry *entry = &status->v[i];

		if (!str_eq(entry->network, network)) {
			status->v[n_kept++] = *entry;
			continue;
		}
		free(entry->network);
		json_done(&entry_desc, entry);
	}
	status->n = n_kept;
}

void network_status_append(struct network_status *status, struct network_status *more)
{
	for (size_t i = 0; i < more->n; i++)
		*array_push(status->v, status->n) = more->v[i];
	free(more->v);
	*more = (struct network_status)NETWORK_STATUS_INIT;
}
