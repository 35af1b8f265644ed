/* SPDX-License-Identifier: Apache-2.0 */
/* Texts of the files that a container gets generated: hosts, resolv.conf, .containerenv. Pure; the rules
 * are those of podman 5.8. Results are owned by the caller. */
#pragma once

#include "core/err.h"
#include "core/strvec.h"
#include "engine/config.h"

struct etc_hosts_params {
	const char *base; /* text of the file to begin with; NULL: none */
	char *const *add; /* "name:ip", "name1;name2:ip", "name:host-gateway" */
	size_t n_add;
	const char *host_gateway; /* address of the host as the container sees it; NULL: none */
	const char *const *addresses; /* of the container */
	size_t n_addresses;
	const char *hostname;
	const char *name; /* of the container */
};

/* ERR_INVALID for an entry of add that is none. */
int etc_hosts_text(const struct etc_hosts_params *params, char **ret, struct err *err);

struct etc_resolv_params {
	const char *host; /* text of the host's file; NULL: none */
	bool new_netns; /* the host's loopback is not the container's */
	bool has_ipv6;
	char *const *network_servers; /* DNS of the networks */
	size_t n_network_servers;
	char *const *network_search;
	size_t n_network_search;
	char *const *servers; /* --dns */
	size_t n_servers;
	char *const *search; /* --dns-search; "." alone: none */
	size_t n_search;
	char *const *options; /* --dns-option */
	size_t n_options;
};

char *etc_resolv_text(const struct etc_resolv_params *params);
/* A text that is there, after networks have come or gone: servers of `before` that are not in `now` go, new ones stand before
 * the others, all else stays. */
char *etc_resolv_change(const char *text, const struct strvec *before, const struct strvec *now);

char *etc_containerenv_text(const struct container_config *config, const char *version);
