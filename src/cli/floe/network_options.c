/* SPDX-License-Identifier: Apache-2.0 */
/* --network and what belongs to it: addresses, aliases, ports. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/floe/create_options.h"
#include "core/alloc.h"
#include "core/io.h"
#include "core/str.h"
#include "network/address.h"
#include "network/config.h"

static bool is_mode(const char *text)
{
	return str_eq(text, "none") || str_eq(text, "host") || str_eq(text, "private") ||
	       str_has_prefix(text, "container:") || str_has_prefix(text, "ns:");
}

static const char *default_network(const struct create_options *o)
{
	return o->default_network ? o->default_network : NETWORK_DEFAULT;
}

/* "bridge" and "default" stand for the default network, also with options behind them. */
static char *network_text(const struct create_options *o, const char *text)
{
	static const char *const words[] = { "bridge", "default" };

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		const char *rest = str_skip_prefix(text, words[i]);

		if (rest && (!*rest || *rest == ':'))
			return xasprintf("%s%s", default_network(o), rest);
	}
	return xstrdup(text);
}

/* "A,B" are two networks; behind a colon commas stand between options. An empty word is none at all. */
static void split_networks(const struct strvec *given, struct strvec *ret)
{
	for (size_t i = 0; i < given->n; i++) {
		if (strchr(given->v[i], ':'))
			strvec_add(ret, given->v[i]);
		else
			strvec_split(ret, given->v[i], ',', false);
	}
}

static int attach(const struct create_options *o, struct container_config *c, const char *text,
		  struct err *err)
{
	auto_free char *full = network_text(o, text);
	struct network_attachment attachment;
	int r;

	if (str_has_prefix(text, "slirp4netns") || str_has_prefix(text, "pasta"))
		return err_set(
			err, ERR_UNSUPPORTED,
			"--network '%s': networks of ordinary users are not supported yet; "
			"use bridge, none, host, ns:PATH, container:NAME or a network's name",
			text);
	r = network_attachment_parse(&attachment, full, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < c->n_networks; i++)
		if (str_eq(c->networks[i].network, attachment.network)) {
			r = err_set(err, ERR_INVALID, "--network '%s': it is named twice",
				    attachment.network);
			network_attachment_done(&attachment);
			return r;
		}
	*array_push(c->networks, c->n_networks) = attachment;
	return 0;
}

static int set_mode(const struct create_options *o, struct container_config *c, struct err *err)
{
	auto_strvec struct strvec networks = STRVEC_INIT;
	int r = 0;

	split_networks(&o->networks, &networks);
	if (networks.n == 1 && is_mode(networks.v[0]) && !str_eq(networks.v[0], "private")) {
		c->network = xstrdup(networks.v[0]);
		return 0;
	}
	for (size_t i = 0; r == 0 && i < networks.n; i++) {
		if (str_eq(networks.v[i], "private"))
			r = attach(o, c, default_network(o), err);
		else if (is_mode(networks.v[i]))
			r = err_set(err, ERR_INVALID,
				    "--network '%s' cannot be combined with other networks",
				    networks.v[i]);
		else
			r = attach(o, c, networks.v[i], err);
	}
	if (r == 0 && networks.n == 0)
		r = attach(o, c, default_network(o), err);
	c->network = xstrdup("bridge");
	return r;
}

/* What only one network can mean. */
static int set_single(struct container_config *c, const char *option, const char *key,
		      const char *value, struct err *err)
{
	auto_free char *text = NULL;
	struct network_attachment parsed;
	struct network_attachment *a = c->networks;
	int r;

	if (!value)
		return 0;
	if (c->n_networks == 0)
		return err_set(err, ERR_INVALID,
			       "%s can only be set when the network mode is bridge: invalid "
			       "argument",
			       option);
	if (c->n_networks != 1)
		return err_set(err, ERR_INVALID,
			       "%s '%s': there are %zu networks; use --network NAME:%s=%s", option,
			       value, c->n_networks, key, value);
	text = xasprintf("%s:%s=%s", a->network, key, value);
	r = network_attachment_parse(&parsed, text, err);
	if (r < 0)
		return err_wrap(err, r, "%s", option);
	json_strings_add_all(&a->static_ips, &a->n_static_ips, parsed.static_ips,
			     parsed.n_static_ips);
	if (parsed.static_mac)
		replace_ptr(a->static_mac, xstrdup(parsed.static_mac));
	network_attachment_done(&parsed);
	return 0;
}

static int set_aliases(struct container_config *c, const struct strvec *aliases, struct err *err)
{
	if (aliases->n && c->n_networks == 0)
		return err_set(err, ERR_INVALID,
			       "--network-alias can only be set when the network mode is bridge: "
			       "invalid argument");
	for (size_t i = 0; i < aliases->n; i++) {
		int r = network_name_check(aliases->v[i], NULL);

		if (r < 0)
			return err_set(err, ERR_INVALID, "--network-alias '%s' is not a host name",
				       aliases->v[i]);
		for (size_t k = 0; k < c->n_networks; k++)
			json_strings_add(&c->networks[k].aliases, &c->networks[k].n_aliases,
					 aliases->v[i]);
	}
	return 0;
}

/* As podman does: a note, and on without them. */
static void discard_ports(const char *network)
{
	auto_free char *line = xasprintf("Port mappings have been discarded because \"%.*s\" "
					 "network namespace mode does not support them\n",
					 (int)strcspn(network, ":"), network);

	(void)io_write_all(STDERR_FILENO, line, strlen(line));
}

static int set_ports(struct container_config *c, const struct create_options *o, struct err *err)
{
	auto_network_ports struct network_ports ports = NETWORK_PORTS_INIT;
	auto_network_ports struct network_ports exposed = NETWORK_PORTS_INIT;
	int r = 0;

	for (size_t i = 0; r == 0 && i < o->publish.n; i++)
		r = network_ports_parse(&ports, o->publish.v[i], err);
	for (size_t i = 0; r == 0 && i < o->expose.n; i++) {
		r = network_ports_parse_exposed(&exposed, o->expose.v[i], err);
		json_strings_add(&c->expose, &c->n_expose, o->expose.v[i]);
	}
	if (r < 0)
		return r;
	network_ports_merge(&ports);
	if ((ports.n || o->publish_all) && c->n_networks == 0) {
		discard_ports(c->network);
		return 0;
	}
	c->ports = ports.v;
	c->n_ports = ports.n;
	ports = (struct network_ports)NETWORK_PORTS_INIT;
	c->publish_all = o->publish_all;
	return 0;
}

/* Labels of letters, digits and hyphens inside, a letter in one of them at least; "." stands for none (resolv.conf(5)). */
static bool is_search_domain(const char *text)
{
	bool has_letter = false;
	char before = '.';

	if (str_is_empty(text) || str_eq(text, "."))
		return true;
	for (; *text; before = *text++) {
		char next = text[1] ? text[1] : '.';

		has_letter = has_letter || isalpha((unsigned char)*text);
		if (*text == '.' ? before == '.' :
				   !isalnum((unsigned char)*text) &&
					   (*text != '-' || before == '.' || next == '.'))
			return false;
	}
	return has_letter;
}

/* Names that nobody would look up, or that are another container's. */
static int check_names(const struct create_options *o, const struct container_config *c,
		       struct err *err)
{
	bool shared = str_has_prefix(c->network, "container:");
	bool none = o->dns.n > 0 && strvec_contains(&o->dns, "none");
	struct ip_address address;

	if ((shared || str_eq(c->network, "none")) && o->dns_given)
		return err_set(err, ERR_USAGE, "conflicting options: dns and the network mode: %s",
			       shared ? "container" : "none");
	if (shared && o->add_hosts.n > 0)
		return err_set(err, ERR_USAGE,
			       "invalid config provided: cannot set extra host entries when the "
			       "container is joined to another containers network namespace: "
			       "invalid configuration");
	if (none && o->dns.n > 1)
		return err_set(err, ERR_USAGE,
			       "none is not allowed to be specified with other DNS ip addresses");
	if (none && (o->dns_search.n > 0 || o->dns_options.n > 0))
		return err_set(err, ERR_USAGE,
			       "invalid config provided: UseImageResolvConf and %s are mutually "
			       "exclusive options",
			       o->dns_search.n > 0 ? "DNSSearch" : "DNSOption");
	for (size_t i = 0; i < o->dns_search.n; i++)
		if (!is_search_domain(o->dns_search.v[i]))
			return err_set(err, ERR_INVALID, "%s is not a valid domain",
				       o->dns_search.v[i]);
	for (size_t i = 0; !none && i < o->dns.n; i++)
		if (ip_address_parse(o->dns.v[i], &address) < 0)
			return err_set(err, ERR_INVALID, "%s is not an ip address", o->dns.v[i]);
	return 0;
}

int network_options_apply(const struct create_options *o, struct container_config *c,
			  struct err *err)
{
	int r = set_mode(o, c, err);

	if (r == 0)
		r = check_names(o, c, err);
	if (r == 0)
		r = set_single(c, "--ip", "ip", o->ip, err);
	if (r == 0)
		r = set_single(c, "--ip6", "ip6", o->ip6, err);
	if (r == 0)
		r = set_single(c, "--mac-address", "mac", o->mac_address, err);
	if (r == 0)
		r = set_aliases(c, &o->network_aliases, err);
	return r < 0 ? r : set_ports(c, o, err);
}
