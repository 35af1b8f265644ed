/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a backend made for a container, network by network: podman's "network.status", as it also stands in
 * checkpoint archives.
 */
#pragma once

#include "core/auto.h"
#include "core/err.h"
#include "core/json_table.h"

struct network_status_subnet {
	char *gateway; /* NULL: none */
	char *ipnet; /* "10.88.0.2/16" */
};

struct network_status_interface {
	char *name; /* inside: "eth0"; first, since it is the key */
	char *mac_address;
	struct network_status_subnet *subnets;
	size_t n_subnets;
};

struct network_status_entry {
	char *network; /* the key */
	struct network_status_interface *interfaces;
	size_t n_interfaces;
	char **dns_server_ips;
	size_t n_dns_server_ips;
	char **dns_search_domains;
	size_t n_dns_search_domains;
};

struct network_status {
	struct network_status_entry *v;
	size_t n;
};

#define NETWORK_STATUS_INIT                                                                        \
	{                                                                                          \
		0                                                                                  \
	}

/* {"podman": {"interfaces": {...}, ...}}; `name` is for errors. */
int network_status_parse(struct network_status *ret, const char *text, size_t len, const char *name,
			 struct err *err);
/* The caller owns the text. */
char *network_status_format(const struct network_status *status);
void network_status_done(struct network_status *status);
const struct network_status_entry *network_status_find(const struct network_status *status,
						       const char *network);
/* Forget one network; nothing when it is not there. */
void network_status_remove(struct network_status *status, const char *network);
/* Move all entries of `more` to the end of status; `more` is empty afterwards. */
void network_status_append(struct network_status *status, struct network_status *more);

DEFINE_AUTO_VAL(network_status, struct network_status, network_status_done)
#define auto_network_status auto_cleanup(network_status_cleanup_val)
