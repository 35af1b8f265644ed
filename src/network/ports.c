/* SPDX-License-Identifier: Apache-2.0 */
#include "network/ports.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/clock.h"
#include "core/fd.h"
#include "core/parse.h"
#include "core/str.h"
#include "core/strvec.h"
#include "network/address.h"

#define HOLD_MAX 256U
#define HOLD_WAIT_MS 1000U
#define HOLD_STEP_MS 20U

JSON_DESC(network_port_desc, struct network_port,
	  F_STRING(struct network_port, host_ip, "host_ip", JSON_ALWAYS),
	  F_U32(struct network_port, container_port, "container_port", JSON_ALWAYS),
	  F_U32(struct network_port, host_port, "host_port", JSON_ALWAYS),
	  F_U32(struct network_port, range, "range", JSON_ALWAYS),
	  F_STRING(struct network_port, protocol, "protocol", JSON_ALWAYS));

void network_ports_done(struct network_ports *ports)
{
	for (size_t i = 0; i < ports->n; i++)
		json_done(&network_port_desc, &ports->v[i]);
	free(ports->v);
	*ports = (struct network_ports)NETWORK_PORTS_INIT;
}

void network_ports_copy(struct network_ports *ret, const struct network_ports *from)
{
	struct network_ports copy = NETWORK_PORTS_INIT;

	for (size_t i = 0; i < from->n; i++) {
		struct network_port *port = array_push(copy.v, copy.n);

		*port = from->v[i];
		port->host_ip = xstrdup(from->v[i].host_ip);
		port->protocol = xstrdup(from->v[i].protocol);
	}
	*ret = copy;
}

/* ---- parsing ---- */

struct port_range {
	uint32_t first;
	uint32_t n;
};

static int parse_port(const char *text, uint32_t *ret)
{
	uint32_t port;

	if (parse_u32(text, &port) < 0 || port == 0 || port > 65535)
		return -EINVAL;
	*ret = port;
	return 0;
}

/* "80", "80-90" */
static int parse_range(const char *text, struct port_range *ret)
{
	auto_free char *copy = xstrdup(text);
	char *dash = strchr(copy, '-');
	struct port_range range = { 0, 1 };
	uint32_t last;

	if (dash)
		*dash = '\0';
	if (parse_port(copy, &range.first) < 0)
		return -EINVAL;
	if (dash) {
		if (parse_port(dash + 1, &last) < 0 || last < range.first)
			return -EINVAL;
		range.n = last - range.first + 1;
	}
	*ret = range;
	return 0;
}

static const char *const known_protocols[] = { "tcp", "udp", "sctp", NULL };

/* Cut "/PROTOCOL" off; several may be named with commas. */
static int split_protocols(char *text, struct strvec *ret)
{
	char *slash = strchr(text, '/');

	if (!slash) {
		strvec_add(ret, "tcp");
		return 0;
	}
	*slash = '\0';
	strvec_split(ret, slash + 1, ',', false);
	for (size_t i = 0; i < ret->n; i++) {
		for (char *c = ret->v[i]; *c; c++)
			*c = (char)tolower((unsigned char)*c);
		if (!str_is_one_of(ret->v[i], known_protocols))
			return -EINVAL;
	}
	return ret->n ? 0 : -EINVAL;
}

struct publication {
	char *address; /* points into the text */
	char *host; /* "" or NULL: to be chosen */
	char *container;
};

/* Addresses of IPv6 stand in brackets. */
static int split_parts(char *text, struct publication *ret)
{
	char *rest = text;
	char *colon;

	*ret = (struct publication){ 0 };
	if (*text == '[') {
		char *end = strchr(text, ']');

		if (!end || end[1] != ':')
			return -EINVAL;
		*end = '\0';
		ret->address = text + 1;
		rest = end + 2;
	} else if (strchr(text, ':') != strrchr(text, ':')) {
		colon = strchr(text, ':');
		*colon = '\0';
		ret->address = text;
		rest = colon + 1;
	}
	colon = strchr(rest, ':');
	if (colon) {
		*colon = '\0';
		ret->host = rest;
		rest = colon + 1;
	} else if (ret->address) {
		return -EINVAL;
	}
	ret->container = rest;
	return strchr(rest, ':') ? -EINVAL : 0;
}

static void add(struct network_ports *ports, const struct network_port *port,
		const struct strvec *protocols)
{
	for (size_t i = 0; i < protocols->n; i++) {
		struct network_port *p = array_push(ports->v, ports->n);

		*p = *port;
		p->host_ip = xstrdup(port->host_ip ? port->host_ip : "");
		p->protocol = xstrdup(protocols->v[i]);
	}
}

int network_ports_parse(struct network_ports *ports, const char *text, struct err *err)
{
	static const char form[] = "[[ADDRESS:][HOST-PORT]:]CONTAINER-PORT[/PROTOCOL]";
	auto_free char *copy = xstrdup(text);
	auto_strvec struct strvec protocols = STRVEC_INIT;
	struct network_port port = { .range = 1 };
	struct publication parts;
	struct port_range host = { 0, 0 };
	struct port_range container;
	struct ip_address address;

	if (split_protocols(copy, &protocols) < 0)
		return err_set(err, ERR_INVALID,
			       "publish port '%s': unknown protocol; use tcp, udp or sctp", text);
	if (split_parts(copy, &parts) < 0)
		return err_set(err, ERR_INVALID, "publish port '%s': expected %s", text, form);
	if (!str_is_empty(parts.address) && ip_address_parse(parts.address, &address) < 0)
		return err_set(err, ERR_INVALID, "publish port '%s': '%s' is not an address", text,
			       parts.address);
	if (parse_range(parts.container, &container) < 0)
		return err_set(err, ERR_INVALID,
			       "publish port '%s': container port '%s' is not a number or range "
			       "from 1 to 65535",
			       text, parts.container);
	if (!str_is_empty(parts.host) && parse_range(parts.host, &host) < 0)
		return err_set(err, ERR_INVALID,
			       "publish port '%s': host port '%s' is not a number or range from 1 "
			       "to 65535",
			       text, parts.host);
	if (host.n && host.n != container.n)
		return err_set(err, ERR_INVALID,
			       "publish port '%s': the ranges have different sizes (%u and %u)",
			       text, host.n, container.n);
	port.host_ip = parts.address;
	port.host_port = host.first;
	port.container_port = container.first;
	port.range = container.n;
	add(ports, &port, &protocols);
	return 0;
}

int network_ports_parse_exposed(struct network_ports *ports, const char *text, struct err *err)
{
	auto_free char *copy = xstrdup(text);
	auto_strvec struct strvec protocols = STRVEC_INIT;
	struct network_port port = { 0 };
	struct port_range range;

	if (split_protocols(copy, &protocols) < 0 || parse_range(copy, &range) < 0)
		return err_set(err, ERR_INVALID,
			       "expose port '%s': expected PORT or FIRST-LAST, and /tcp, /udp or "
			       "/sctp",
			       text);
	port.container_port = range.first;
	port.range = range.n;
	add(ports, &port, &protocols);
	return 0;
}

/* ---- lists ---- */

static void remove_port(struct network_ports *ports, size_t i)
{
	json_done(&network_port_desc, &ports->v[i]);
	ports->n--;
	(void)memmove(&ports->v[i], &ports->v[i + 1], (ports->n - i) * sizeof(*ports->v));
}

/* Ports of the host that lead to the same ports of the container, with nothing in between. */
static bool joins(const struct network_port *a, const struct network_port *b)
{
	return a->host_port && b->host_port && str_eq(a->protocol, b->protocol) &&
	       str_eq(a->host_ip, b->host_ip) &&
	       a->host_port - a->container_port == b->host_port - b->container_port &&
	       a->host_port <= b->host_port + b->range && b->host_port <= a->host_port + a->range;
}

static void join(struct network_port *a, const struct network_port *b)
{
	uint32_t end = MAX(a->host_port + a->range, b->host_port + b->range);

	a->container_port = MIN(a->container_port, b->container_port);
	a->host_port = MIN(a->host_port, b->host_port);
	a->range = end - a->host_port;
}

void network_ports_merge(struct network_ports *ports)
{
	size_t i = 0;

	while (i < ports->n) {
		size_t k = 0;

		while (k < ports->n && (k == i || !joins(&ports->v[i], &ports->v[k])))
			k++;
		if (k == ports->n) {
			i++;
			continue;
		}
		/* The one before grows, and may now join one that it did not. */
		join(&ports->v[MIN(i, k)], &ports->v[MAX(i, k)]);
		remove_port(ports, MAX(i, k));
		i = 0;
	}
}

void network_ports_drop_published(struct network_ports *ports, const struct network_port *published,
				  size_t n)
{
	for (size_t i = 0; i < ports->n; i++) {
		const struct network_port *port = &ports->v[i];
		bool found = false;

		for (size_t k = 0; k < n; k++)
			found = found || (str_eq(port->protocol, published[k].protocol) &&
					  port->container_port >= published[k].container_port &&
					  port->container_port + port->range <=
						  published[k].container_port + published[k].range);
		if (found)
			remove_port(ports, i--);
	}
}

bool network_port_is_valid(const struct network_port *port)
{
	struct ip_address address;

	/* In this order nothing can overflow. */
	return port->container_port >= 1 && port->container_port <= UINT16_MAX &&
	       port->host_port <= UINT16_MAX && port->range >= 1 && port->range <= UINT16_MAX &&
	       port->container_port + port->range - 1 <= UINT16_MAX &&
	       (port->host_port == 0 || port->host_port + port->range - 1 <= UINT16_MAX) &&
	       (str_is_empty(port->host_ip) || ip_address_parse(port->host_ip, &address) == 0) &&
	       str_is_one_of(port->protocol, known_protocols);
}

/* ---- choosing and holding ---- */

/*
 * A socket bound to a port of this machine. hold: so that nobody else can use it, which for TCP means listening; then
 * connections of before that are about to end do not matter.
 */
static int bind_to(const struct network_port *port, uint32_t number, bool hold, uint32_t *ret)
{
	bool is_udp = str_eq(port->protocol, "udp");
	struct ip_address address = { .family = AF_INET };
	union {
		struct sockaddr any;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	} name = { 0 };
	auto_close int fd = -EBADF;
	socklen_t len;
	int r;

	if (*port->host_ip)
		(void)ip_address_parse(port->host_ip, &address);
	name.any.sa_family = (sa_family_t)address.family;
	if (address.family == AF_INET) {
		(void)memcpy(&name.in.sin_addr, address.bytes, sizeof(name.in.sin_addr));
		name.in.sin_port = htons((uint16_t)number);
		len = sizeof(name.in);
	} else {
		(void)memcpy(&name.in6.sin6_addr, address.bytes, sizeof(name.in6.sin6_addr));
		name.in6.sin6_port = htons((uint16_t)number);
		len = sizeof(name.in6);
	}
	fd = socket(address.family, (is_udp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	/* "::" is no address of IPv4: rules are of one family, and 0.0.0.0 may have the same port. */
	if (address.family == AF_INET6 &&
	    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &(int){ 1 }, sizeof(int)) < 0)
		return -errno;
	if (hold && !is_udp)
		(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 }, sizeof(int));
	r = bind(fd, &name.any, len) < 0 || getsockname(fd, &name.any, &len) < 0 ? -errno : 0;
	if (r == 0 && hold && !is_udp)
		r = listen(fd, 1) < 0 ? -errno : 0;
	if (r < 0)
		return r;
	*ret = ntohs(address.family == AF_INET ? name.in.sin_port : name.in6.sin6_port);
	return take_fd(fd);
}

static int probe(const struct network_port *port, uint32_t number, uint32_t *ret)
{
	int fd = bind_to(port, number, false, ret);

	if (fd < 0)
		return fd;
	(void)close(fd);
	return 0;
}

/* One that held it may just be ending. */
static int hold_one(const struct network_port *port, uint32_t number, uint64_t deadline)
{
	uint32_t bound;
	int fd;

	while ((fd = bind_to(port, number, true, &bound)) == -EADDRINUSE &&
	       clock_now_monotonic_ns() < deadline)
		clock_sleep_ms(HOLD_STEP_MS);
	return fd;
}

int network_port_hold(const struct network_port *port, int **fds, size_t *n, struct err *err)
{
	uint64_t deadline = clock_now_monotonic_ns() + HOLD_WAIT_MS * NSEC_PER_MSEC;

	/* Of SCTP the kernel may have nothing. */
	if (str_eq(port->protocol, "sctp"))
		return 0;
	for (uint32_t i = 0; i < MIN(port->range, HOLD_MAX); i++) {
		int fd = hold_one(port, port->host_port + i, deadline);

		if (fd < 0)
			return err_set(err, ERR_COMMAND, "publish port %s:%u/%s: %s",
				       *port->host_ip ? port->host_ip : "0.0.0.0",
				       port->host_port + i, port->protocol, errno_text(fd));
		*array_push(*fds, *n) = fd;
	}
	return 0;
}

bool network_port_is_free(const struct network_port *port, uint32_t number)
{
	return probe(port, number, &(uint32_t){ 0 }) == 0;
}

/* A run of n free ports. */
static int choose_one(struct network_port *port)
{
	for (int tries = 0; tries < 100; tries++) {
		uint32_t first;
		uint32_t n = 1;
		int r = probe(port, 0, &first);

		if (r < 0)
			return r;
		while (n < port->range && first + n <= 65535 &&
		       network_port_is_free(port, first + n))
			n++;
		if (n == port->range) {
			port->host_port = first;
			return 0;
		}
	}
	return -EADDRINUSE;
}

/* Whether who has a port of address a has that of b, too: without one, of all; 0.0.0.0 and :: are all of their family. */
static bool covers(const char *a, const char *b)
{
	struct ip_address all = { 0 };
	struct ip_address one;
	struct ip_address other;

	if (!*a || str_eq(a, b))
		return true;
	if (!*b || ip_address_parse(a, &one) < 0 || ip_address_parse(b, &other) < 0 ||
	    one.family != other.family)
		return false;
	all.family = one.family;
	return ip_address_compare(&one, &all) == 0 || ip_address_compare(&one, &other) == 0;
}

bool network_ports_collide(const struct network_port *a, const struct network_port *b)
{
	return str_eq(a->protocol, b->protocol) &&
	       (covers(a->host_ip, b->host_ip) || covers(b->host_ip, a->host_ip)) &&
	       a->host_port < b->host_port + b->range && b->host_port < a->host_port + a->range;
}

int network_ports_choose(struct network_ports *ports, struct err *err)
{
	for (size_t i = 0; i < ports->n; i++) {
		struct network_port *port = &ports->v[i];
		int r = port->host_port ? 0 : choose_one(port);

		if (r < 0)
			return err_sys(err, r, "choose a host port for container port %u/%s",
				       port->container_port, port->protocol);
		for (size_t k = 0; k < i; k++)
			if (network_ports_collide(port, &ports->v[k]))
				return err_set(err, ERR_EXISTS,
					       "publish port: host port %u/%s is named twice",
					       port->host_port, port->protocol);
	}
	return 0;
}

char *network_port_to_string(const struct network_port *port)
{
	const char *address = *port->host_ip ? port->host_ip : "0.0.0.0";
	bool is_v6 = strchr(address, ':');
	const char *open = is_v6 ? "[" : "";
	const char *close_bracket = is_v6 ? "]" : "";

	if (port->range <= 1)
		return xasprintf("%s%s%s:%u->%u/%s", open, address, close_bracket, port->host_port,
				 port->container_port, port->protocol);
	return xasprintf("%s%s%s:%u-%u->%u-%u/%s", open, address, close_bracket, port->host_port,
			 port->host_port + port->range - 1, port->container_port,
			 port->container_port + port->range - 1, port->protocol);
}
