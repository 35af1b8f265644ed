/* SPDX-License-Identifier: Apache-2.0 */
/*
 * netavark, podman's network program, with aardvark-dns for names: it makes bridges, interfaces, routes and
 * firewall rules from one document, and says what it made. Addresses are given out by us (network/ipam.h).
 */
#pragma once

#include "core/err.h"
#include "network/attachment.h"
#include "network/config.h"
#include "network/status.h"

struct netavark {
	char *path;
	char *aardvark; /* NULL: not installed; networks with DNS then have none */
	const char *
		config_dir; /* of aardvark-dns; podman's, since one server answers on a bridge; borrowed */
	char *const *plugin_dirs; /* with programs of further drivers; borrowed */
	size_t n_plugin_dirs;
};

#define NETAVARK_INIT                                                                              \
	{                                                                                          \
		0                                                                                  \
	}

/* Find the programs: `path` when given, else where distributions put them. ERR_NOT_FOUND says what to install. */
int netavark_find(struct netavark *ret, const char *path, struct err *err);
void netavark_done(struct netavark *nv);

/* The document; networks[i] belongs to request->attachments[i]. The caller owns it. */
char *netavark_input(const struct network_request *request, const struct network *networks);
int netavark_setup(const struct netavark *nv, const struct network_request *request,
		   const struct network *networks, const char *netns_path,
		   struct network_status *ret, struct err *err);
/* The same request as for setup, addresses included. */
int netavark_teardown(const struct netavark *nv, const struct network_request *request,
		      const struct network *networks, const char *netns_path, struct err *err);

/* Tell the name server of a network which servers it asks now; nothing where it has none running. */
int netavark_update(const struct netavark *nv, const struct network *network, struct err *err);

DEFINE_AUTO_VAL(netavark, struct netavark, netavark_done)
#define auto_netavark auto_cleanup(netavark_cleanup_val)
