/* SPDX-License-Identifier: Apache-2.0 */
#include "network/attachment.h"

#include <ctype.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "core/str.h"
#include "network/address.h"
#include "network/config.h"

JSON_DESC(network_attachment_desc, struct network_attachment,
	  F_STRINGS(struct network_attachment, static_ips, "static_ips", 0),
	  F_STRINGS(struct network_attachment, aliases, "aliases", 0),
	  F_STRING(struct network_attachment, static_mac, "static_mac", 0),
	  F_STRING(struct network_attachment, interface_name, "interface_name", 0),
	  F_STRING_MAP(struct network_attachment, options, "options", 0));

void network_attachment_done(struct network_attachment *attachment)
{
	free(attachment->network);
	json_done(&network_attachment_desc, attachment);
	*attachment = (struct network_attachment){ 0 };
}

void network_attachment_copy(struct network_attachment *ret, const struct network_attachment *from)
{
	struct network_attachment copy = {
		.network = xstrdup(from->network),
		.static_mac = xstrdup(from->static_mac),
		.interface_name = xstrdup(from->interface_name),
	};

	json_strings_add_all(&copy.static_ips, &copy.n_static_ips, from->static_ips,
			     from->n_static_ips);
	json_strings_add_all(&copy.aliases, &copy.n_aliases, from->aliases, from->n_aliases);
	json_string_map_set_all(&copy.options, &from->options);
	*ret = copy;
}

void network_request_done(struct network_request *request)
{
	for (size_t i = 0; i < request->n_attachments; i++)
		network_attachment_done(&request->attachments[i]);
	free(request->attachments);
	for (size_t i = 0; i < request->n_networks; i++)
		network_done(&request->networks[i]);
	free(request->networks);
	network_ports_done(&request->ports);
	strvec_done(&request->dns_servers);
	*request = (struct network_request)NETWORK_REQUEST_INIT;
}

static bool is_mac_address(const char *text)
{
	for (int i = 0; i < 17; i++) {
		bool good = i % 3 == 2 ? text[i] == ':' : isxdigit((unsigned char)text[i]);

		if (!good)
			return false;
	}
	/* The first byte's lowest bit makes it a group's, which no interface can have; nor has any one all zeroes. */
	return !text[17] && !strchr("13579bdfBDF", text[1]) && strspn(text, "0:") < 17;
}

static int set_address(struct network_attachment *a, const char *text, int family, struct err *err)
{
	struct ip_address address;

	if (ip_address_parse(text, &address) < 0 || address.family != family)
		return err_set(err, ERR_INVALID, "'%s' is not an IPv%d address", text,
			       family == AF_INET ? 4 : 6);
	json_strings_add(&a->static_ips, &a->n_static_ips, text);
	return 0;
}

static int set_option(struct network_attachment *a, const char *key, const char *value,
		      struct err *err)
{
	if (str_eq(key, "ip"))
		return set_address(a, value, strchr(value, ':') ? AF_INET6 : AF_INET, err);
	if (str_eq(key, "ip6"))
		return set_address(a, value, AF_INET6, err);
	if (str_eq(key, "alias")) {
		if (network_name_check(value, NULL) < 0)
			return err_set(err, ERR_INVALID, "alias '%s' is not a host name", value);
		json_strings_add(&a->aliases, &a->n_aliases, value);
		return 0;
	}
	if (str_eq(key, "mac")) {
		if (!is_mac_address(value))
			return err_set(err, ERR_INVALID,
				       "'%s' is not a MAC address of an interface, such as "
				       "92:d0:c6:0a:29:33",
				       value);
		replace_ptr(a->static_mac, xstrdup(value));
		return 0;
	}
	if (str_eq(key, "interface_name")) {
		if (!network_interface_name_is_valid(value))
			return err_set(err, ERR_INVALID,
				       "'%s' is not a name of an interface (1 to %d characters)",
				       value, IFNAMSIZ - 1);
		replace_ptr(a->interface_name, xstrdup(value));
		return 0;
	}
	json_string_map_set(&a->options, key, value);
	return 0;
}

static int parse_options(struct network_attachment *a, const char *text, struct err *err)
{
	auto_strvec struct strvec parts = STRVEC_INIT;

	strvec_split(&parts, text, ',', true);
	for (size_t i = 0; i < parts.n; i++) {
		char *equals = strchr(parts.v[i], '=');
		int r;

		if (!equals || equals == parts.v[i])
			return err_set(err, ERR_INVALID, "'%s' is not KEY=VALUE", parts.v[i]);
		*equals = '\0';
		r = set_option(a, parts.v[i], equals + 1, err);
		if (r < 0)
			return r;
	}
	return 0;
}

int network_attachment_parse(struct network_attachment *ret, const char *text, struct err *err)
{
	struct network_attachment a = { 0 };
	const char *colon = strchr(text, ':');
	int r;

	a.network = colon ? xstrndup(text, (size_t)(colon - text)) : xstrdup(text);
	r = network_name_check(a.network, err);
	if (r == 0 && colon)
		r = parse_options(&a, colon + 1, err);
	if (r < 0) {
		network_attachment_done(&a);
		return err_wrap(err, r, "--network '%s'", text);
	}
	*ret = a;
	return 0;
}

static bool has_interface(const struct network_request *request, const char *name)
{
	for (size_t i = 0; i < request->n_attachments; i++)
		if (str_eq(request->attachments[i].interface_name, name))
			return true;
	return false;
}

void network_request_name_interfaces(struct network_request *request)
{
	unsigned int next = 0;

	for (size_t i = 0; i < request->n_attachments; i++) {
		struct network_attachment *a = &request->attachments[i];

		while (!a->interface_name) {
			auto_free char *name = xasprintf("eth%u", next++);

			if (!has_interface(request, name))
				a->interface_name = take_ptr(name);
		}
	}
}
