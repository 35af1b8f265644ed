/* SPDX-License-Identifier: Apache-2.0 */
/* A new network from what the user asked for; what is left open is chosen so that it is in nobody's way. */
#pragma once

#include "core/err.h"
#include "core/strvec.h"
#include "network/config.h"

/* Subnets of this prefix length out of base. */
struct network_pool {
	const char *base;
	unsigned int prefix_len;
};

/* Subnets, gateways and ranges belong together by their place in the lists. */
struct network_create_options {
	const char *name; /* NULL: a free "podmanN" */
	const char *driver; /* NULL: bridge */
	struct strvec subnets;
	struct strvec gateways;
	struct strvec ip_ranges; /* "10.1.2.0/28" or "10.1.2.5-10.1.2.9" */
	struct strvec routes; /* "DESTINATION,GATEWAY[,METRIC]" */
	struct strvec dns_servers;
	struct strvec options; /* "KEY=VALUE" */
	struct strvec labels; /* "KEY=VALUE" or "KEY" */
	const char *interface_name; /* of the bridge; NULL: a free "podmanN" */
	const char *ipam_driver; /* NULL: host-local */
	bool internal;
	bool ipv6;
	bool disable_dns;
	const struct network_pool *pools; /* where subnets are chosen from; none: podman's */
	size_t n_pools;
};

/* What is there already, and must not be used twice. */
struct network_surroundings {
	const struct network_list *networks;
	const struct strvec *host_subnets; /* of the interfaces of the host: "192.168.1.0/24" */
	const struct strvec *host_links; /* their names */
};

/*
 * Pure, but for the random part of an IPv6 prefix and the time. ERR_INVALID for what cannot be, ERR_EXISTS for a
 * name, bridge or subnet that is taken, ERR_STATE when no subnet is left.
 */
int network_create_plan(struct network *ret, const struct network_create_options *options,
			const struct network_surroundings *around, struct err *err);
/* The same with the real surroundings, and saved in dir. */
int network_create(struct network *ret, const struct network_dir *dir,
		   const struct network_create_options *options, struct err *err);
