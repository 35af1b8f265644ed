/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/etc_files.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "core/str.h"
#include "core/strbuf.h"
#include "core/strvec.h"

static bool is_address(const char *text)
{
	unsigned char buf[sizeof(struct in6_addr)];

	return inet_pton(AF_INET, text, buf) == 1 || inet_pton(AF_INET6, text, buf) == 1;
}

/* --- hosts ------------------------------------------------------------------------------------------ */

/* Whether one of the lines so far gives an address (NULL: any) to this name. */
static bool hosts_has(const struct strbuf *sb, const char *address, const char *name)
{
	auto_free char *text = xstrdup(sb->buf);
	char *rest = text;
	char *line;

	while ((line = strsep(&rest, "\n"))) {
		const char *first = NULL;
		char *word;

		line[strcspn(line, "#")] = '\0';
		while ((word = strsep(&line, " \t\r"))) {
			if (!*word)
				continue;
			if (first && (!address || str_eq(first, address)) && str_eq(word, name))
				return true;
			if (!first)
				first = word;
		}
	}
	return false;
}

/* The names that nobody has yet, on one line for each of the addresses. */
static void hosts_add_all(struct strbuf *sb, const char *const *addresses, size_t n_addresses,
			  const char *const *names, size_t n)
{
	bool any = false;
	auto_strbuf struct strbuf line = STRBUF_INIT;

	for (size_t i = 0; i < n; i++) {
		if (str_is_empty(names[i]) || hosts_has(sb, NULL, names[i]))
			continue;
		strbuf_addf(&line, "%s%s", any ? " " : "", names[i]);
		any = true;
	}
	for (size_t i = 0; any && i < n_addresses; i++)
		strbuf_addf(sb, "%s\t%s\n", addresses[i], line.buf);
}

static void hosts_add(struct strbuf *sb, const char *address, const char *const *names, size_t n)
{
	hosts_add_all(sb, &address, 1, names, n);
}

static int hosts_add_option(struct strbuf *sb, const struct etc_hosts_params *p, const char *text,
			    struct err *err)
{
	const char *colon = strchr(text, ':');
	const char *address = colon ? colon + 1 : "";
	auto_free char *names = colon ? xstrndup(text, (size_t)(colon - text)) : xstrdup("");

	if (str_eq(address, "host-gateway")) {
		if (!p->host_gateway)
			return err_set(err, ERR_UNSUPPORTED,
				       "--add-host '%s': this container has no way to the host",
				       text);
		address = p->host_gateway;
	}
	/* Anything else would be a line of its own, or further names. */
	if (!*names || names[strcspn(names, " \t\r\n#")] || !is_address(address))
		return err_set(err, ERR_INVALID, "--add-host '%s': expected NAME:ADDRESS", text);
	for (char *c = names; *c; c++)
		if (*c == ';')
			*c = ' ';
	strbuf_addf(sb, "%s\t%s\n", address, names);
	return 0;
}

int etc_hosts_text(const struct etc_hosts_params *p, char **ret, struct err *err)
{
	static const char *const localhost[] = { "localhost" };
	static const char *const host_names[] = { "host.containers.internal",
						  "host.docker.internal" };
	const char *const own[] = { p->hostname, p->name };
	auto_strbuf struct strbuf sb = STRBUF_INIT;

	for (size_t i = 0; i < p->n_add; i++) {
		int r = hosts_add_option(&sb, p, p->add[i], err);

		if (r < 0)
			return r;
	}
	if (p->base) {
		strbuf_adds(&sb, p->base);
		if (sb.len > 0 && sb.buf[sb.len - 1] != '\n')
			strbuf_addc(&sb, '\n');
	}
	hosts_add(&sb, "127.0.0.1", localhost, 1);
	if (!hosts_has(&sb, "::1", "localhost"))
		strbuf_adds(&sb, "::1\tlocalhost\n");
	if (p->host_gateway)
		hosts_add(&sb, p->host_gateway, host_names, ARRAY_SIZE(host_names));
	hosts_add_all(&sb, p->addresses, p->n_addresses, own, ARRAY_SIZE(own));
	*ret = strbuf_take(&sb);
	return 0;
}

/* --- resolv.conf ------------------------------------------------------------------------------------ */

struct resolv {
	struct strvec servers;
	struct strvec search;
	struct strvec options;
};

static void resolv_done(struct resolv *r)
{
	strvec_done(&r->servers);
	strvec_done(&r->search);
	strvec_done(&r->options);
}
DEFINE_AUTO_VAL(resolv, struct resolv, resolv_done)

static void add_words(struct strvec *to, char *rest)
{
	char *word;

	while ((word = strsep(&rest, " \t\r")))
		if (*word)
			strvec_add(to, word);
}

static void resolv_parse(const char *text, struct resolv *ret)
{
	auto_free char *copy = xstrdup(text ? text : "");
	char *rest = copy;
	char *line;

	while ((line = strsep(&rest, "\n"))) {
		char *key;

		line[strcspn(line, "#;")] = '\0';
		line += strspn(line, " \t");
		key = strsep(&line, " \t");
		if (!line)
			continue;
		if (str_eq(key, "nameserver")) {
			add_words(&ret->servers, line);
		} else if (str_eq(key, "search") || str_eq(key, "domain")) {
			strvec_done(&ret->search);
			add_words(&ret->search, line);
		} else if (str_eq(key, "options")) {
			add_words(&ret->options, line);
		}
	}
}

/* In a network namespace of its own, the host's loopback and link-local servers cannot be reached. */
static bool is_reachable(const char *server, const struct etc_resolv_params *p)
{
	bool v6 = strchr(server, ':') != NULL;

	if (!p->new_netns)
		return true;
	if (str_has_prefix(server, "127.") || str_eq(server, "::1") || strchr(server, '%') ||
	    strncasecmp(server, "fe80:", 5) == 0)
		return false;
	return !v6 || p->has_ipv6;
}

static void choose_servers(const struct etc_resolv_params *p, const struct resolv *host,
			   struct strvec *ret)
{
	if (p->n_network_servers > 0) {
		strvec_add_all(ret, p->network_servers, p->n_network_servers);
		return;
	}
	if (p->n_servers > 0) {
		strvec_add_all(ret, p->servers, p->n_servers);
		return;
	}
	for (size_t i = 0; i < host->servers.n; i++)
		if (is_reachable(host->servers.v[i], p))
			strvec_add(ret, host->servers.v[i]);
	if (ret->n > 0)
		return;
	strvec_add(ret, "8.8.8.8");
	strvec_add(ret, "8.8.4.4");
	if (p->has_ipv6) {
		strvec_add(ret, "2001:4860:4860::8888");
		strvec_add(ret, "2001:4860:4860::8844");
	}
}

static void add_line(struct strbuf *sb, const char *key, char *const *words, size_t n)
{
	if (n == 0)
		return;
	strbuf_adds(sb, key);
	for (size_t i = 0; i < n; i++)
		strbuf_addf(sb, " %s", words[i]);
	strbuf_addc(sb, '\n');
}

char *etc_resolv_text(const struct etc_resolv_params *p)
{
	auto_cleanup(resolv_cleanup_val) struct resolv host = { 0 };
	auto_strvec struct strvec servers = STRVEC_INIT;
	auto_strbuf struct strbuf sb = STRBUF_INIT;
	bool no_search = p->n_search == 1 && str_eq(p->search[0], ".");

	resolv_parse(p->host, &host);
	choose_servers(p, &host, &servers);
	if (p->n_search > 0 && !no_search) {
		add_line(&sb, "search", p->search, p->n_search);
	} else if (!no_search) {
		auto_strvec struct strvec search = STRVEC_INIT;

		strvec_add_all(&search, p->network_search, p->n_network_search);
		strvec_add_all(&search, host.search.v, host.search.n);
		if (!(search.n == 1 && str_eq(search.v[0], ".")))
			add_line(&sb, "search", search.v, search.n);
	}
	for (size_t i = 0; i < servers.n; i++)
		strbuf_addf(&sb, "nameserver %s\n", servers.v[i]);
	if (p->n_options > 0)
		add_line(&sb, "options", p->options, p->n_options);
	else
		add_line(&sb, "options", host.options.v, host.options.n);
	return strbuf_take(&sb);
}

/* The address of a line "nameserver ADDRESS"; NULL: it is another one. Caller owns. */
static char *resolv_server(const char *line)
{
	const char *at = str_skip_prefix(line + strspn(line, " \t"), "nameserver");

	if (!at || (*at != ' ' && *at != '\t'))
		return NULL;
	at += strspn(at, " \t");
	return xstrndup(at, strcspn(at, " \t"));
}

static void add_new_servers(struct strbuf *sb, const struct strvec *have,
			    const struct strvec *before, const struct strvec *now)
{
	for (size_t i = 0; i < now->n; i++)
		if (!strvec_contains(before, now->v[i]) && !strvec_contains(have, now->v[i]))
			strbuf_addf(sb, "nameserver %s\n", now->v[i]);
}

char *etc_resolv_change(const char *text, const struct strvec *before, const struct strvec *now)
{
	auto_strbuf struct strbuf sb = STRBUF_INIT;
	auto_strvec struct strvec lines = STRVEC_INIT;
	auto_strvec struct strvec have = STRVEC_INIT;
	bool added = false;

	strvec_split(&lines, text, '\n', true);
	for (size_t i = 0; i < lines.n; i++) {
		char *server = resolv_server(lines.v[i]);

		if (server)
			strvec_add_take(&have, server);
	}
	for (size_t i = 0; i < lines.n; i++) {
		auto_free char *server = resolv_server(lines.v[i]);

		if (server && !added) {
			add_new_servers(&sb, &have, before, now);
			added = true;
		}
		if (server && strvec_contains(before, server) && !strvec_contains(now, server))
			continue;
		if (i + 1 < lines.n || *lines.v[i])
			strbuf_addf(&sb, "%s\n", lines.v[i]);
	}
	if (!added)
		add_new_servers(&sb, &have, before, now);
	return sb.buf ? strbuf_take(&sb) : xstrdup("");
}

/* --- .containerenv ---------------------------------------------------------------------------------- */

char *etc_containerenv_text(const struct container_config *c, const char *version)
{
	/* Only those who may do anything are told where they are. */
	if (!c->privileged)
		return xstrdup("");
	return xasprintf(
		"engine=\"floe-%s\"\nname=\"%s\"\nid=\"%s\"\nimage=\"%s\"\nimageid=\"%s\"\n"
		"rootless=0\n",
		version, c->name, c->id, c->image_name ? c->image_name : "",
		c->image_id ? c->image_id : "");
}
