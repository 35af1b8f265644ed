/* SPDX-License-Identifier: Apache-2.0 */
/* Published ports: "[[HOST-ADDRESS:][HOST-PORT]:]CONTAINER-PORT[/PROTOCOL]", each port a number or a range. */
#pragma once

#include "core/auto.h"
#include "core/err.h"
#include "core/json_table.h"

/* As netavark and podman's records have it. */
struct network_port {
	char *host_ip; /* "": every address; owned */
	uint32_t container_port; /* the first */
	uint32_t host_port; /* the first; 0 until one is chosen */
	uint32_t range; /* number of ports, at least 1 */
	char *protocol; /* "tcp", "udp", "sctp"; owned */
};

extern const struct json_desc network_port_desc;

struct network_ports {
	struct network_port *v;
	size_t n;
};

#define NETWORK_PORTS_INIT                                                                         \
	{                                                                                          \
		0                                                                                  \
	}

void network_ports_done(struct network_ports *ports);
/* Append what one --publish says. ERR_INVALID. A text without a host port leaves host_port 0. */
int network_ports_parse(struct network_ports *ports, const char *text, struct err *err);
/* "80", "80-90", "80/udp": what an image or --expose names; host_port stays 0. */
int network_ports_parse_exposed(struct network_ports *ports, const char *text, struct err *err);
/* What is published twice in the same way becomes one, and so do neighbours. */
void network_ports_merge(struct network_ports *ports);
/* Take those out that one of `published` has at a port of the host, of one protocol. */
void network_ports_drop_published(struct network_ports *ports, const struct network_port *published,
				  size_t n);
/* Whether one that another has written is what could have been parsed: numbers, address and protocol. Pure. */
bool network_port_is_valid(const struct network_port *port);
/*
 * Choose a free port of this machine for each that has none, by binding to it for a moment; ERR_EXISTS
 * when the same host port is published twice in the list.
 */
int network_ports_choose(struct network_ports *ports, struct err *err);
/*
 * Sockets that keep everybody else from the port (of a long range, from its first 256): descriptors appended to *fds,
 * the caller's also on failure. What has it already may take a moment to go. ERR_COMMAND.
 */
int network_port_hold(const struct network_port *port, int **fds, size_t *n, struct err *err);
/* Whether one of the two takes a host port that the other has; host ports and addresses are known. Pure. */
bool network_ports_collide(const struct network_port *a, const struct network_port *b);
/* Whether a socket could be bound to this port of the machine. */
bool network_port_is_free(const struct network_port *port, uint32_t number);
/* "0.0.0.0:8080->80/tcp", "0.0.0.0:8080-8082->80-82/tcp"; the caller owns it. */
char *network_port_to_string(const struct network_port *port);
/* Copies. */
void network_ports_copy(struct network_ports *ret, const struct network_ports *from);

DEFINE_AUTO_VAL(network_ports, struct network_ports, network_ports_done)
#define auto_network_ports auto_cleanup(network_ports_cleanup_val)
