/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Networks as podman keeps them: one JSON file per network in a directory (/etc/containers/networks), the same for
 * both programs, so that the networks of one are those of the other. The network "podman" exists without a file.
 */
#pragma once

#include "core/auto.h"
#include "core/err.h"
#include "core/json_table.h"

#define NETWORK_DIR "/etc/containers/networks"
#define NETWORK_DEFAULT "podman"
/* Of its own: netavark's may be there as well. */
#define NETWORK_CNI_DEFAULT_BRIDGE "cni-podman0"

/* Where networks are described, and the one that is there without a file. Borrowed. */
struct network_dir {
	const char *path;
	const char *default_name; /* NULL: NETWORK_DEFAULT */
	const char *default_subnet; /* NULL: podman's, 10.88.0.0/16 */
	bool cni; /* the files are CNI's (network/cni_list.h) */
	const char *cni_plugins; /* directories with colons between; NULL: the usual ones */
};

const char *network_default_name(const struct network_dir *dir);

struct network_lease_range {
	char *start_ip;
	char *end_ip;
};

struct network_subnet {
	char *subnet;
	char *gateway; /* NULL: internal network */
	struct network_lease_range *lease_range; /* NULL: the whole subnet */
};

struct network_route {
	char *destination;
	char *gateway;
	struct opt_u32 metric;
};

/* Strings are owned. */
struct network {
	char *name;
	char *id; /* 64 hexadecimal digits */
	char *driver; /* "bridge", "macvlan", "ipvlan", or a plugin of netavark's */
	char *network_interface; /* of the host: the bridge, or the parent of macvlan and ipvlan */
	char *created; /* RFC 3339 */
	struct network_subnet *subnets;
	size_t n_subnets;
	struct network_route *routes;
	size_t n_routes;
	bool ipv6_enabled;
	bool internal;
	bool dns_enabled;
	char **network_dns_servers;
	size_t n_network_dns_servers;
	struct json_string_map labels;
	struct json_string_map options;
	struct json_string_map ipam_options; /* "driver": "host-local", "dhcp", "none" */
	struct json_extra extra;
};

extern const struct json_desc network_desc;

#define NETWORK_INIT                                                                               \
	{                                                                                          \
		0                                                                                  \
	}

struct network_list {
	struct network *v; /* by name */
	size_t n;
};

#define NETWORK_LIST_INIT                                                                          \
	{                                                                                          \
		0                                                                                  \
	}

/* A copy that the caller owns. */
void network_copy(struct network *ret, const struct network *from);
void network_done(struct network *network);
void network_list_done(struct network_list *list);

/* Whether a name is one: [a-zA-Z0-9][a-zA-Z0-9_.-]*, which also keeps it inside the directory. */
int network_name_check(const char *name, struct err *err);
/* As the kernel wants it (dev_valid_name()), and not "lo", which every namespace has. */
bool network_interface_name_is_valid(const char *name);
/* The default one as it is without a file: the first address is the gateway's. */
int network_make_default(struct network *ret, const struct network_dir *dir, struct err *err);
/* All of the directory, and the default one. A file that cannot be read is left out with a warning. */
int network_list_load(struct network_list *ret, const struct network_dir *dir, struct err *err);
/* By name, id, or an unambiguous beginning of an id. ERR_NOT_FOUND. */
int network_find(struct network *ret, const struct network_dir *dir, const char *name_or_id,
		 struct err *err);
/* Write its file; it must not exist (ERR_EXISTS), or must when replace. */
int network_save(const struct network *network, const struct network_dir *dir, bool replace,
		 struct err *err);
/* Remove its file. ERR_DENIED for the default network. */
int network_remove(const struct network *network, const struct network_dir *dir, struct err *err);
/* "host-local" unless the network says otherwise. */
const char *network_ipam_driver(const struct network *network);

DEFINE_AUTO_VAL(network, struct network, network_done)
#define auto_network auto_cleanup(network_cleanup_val)
DEFINE_AUTO_VAL(network_list, struct network_list, network_list_done)
#define auto_network_list auto_cleanup(network_list_cleanup_val)
