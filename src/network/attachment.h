/* SPDX-License-Identifier: Apache-2.0 */
/* How one container is to be attached to its networks; what both backends are told. */
#pragma once

#include "core/auto.h"
#include "core/err.h"
#include "core/json_table.h"
#include "core/strvec.h"
#include "network/config.h"
#include "network/ports.h"

struct network_attachment {
	char *network; /* name; first, since it is the key in records */
	char **static_ips;
	size_t n_static_ips;
	char **aliases;
	size_t n_aliases;
	char *static_mac; /* NULL: the backend's choice */
	char *interface_name; /* NULL: the first free ethN */
	struct json_string_map options;
};

extern const struct json_desc network_attachment_desc;

struct network_request {
	const char *container_id; /* borrowed, like the next two */
	const char *container_name;
	const char *hostname;
	struct network_attachment *attachments; /* owned */
	size_t n_attachments;
	/* What the networks are, place by place; filled in when addresses are taken, so that what was made can be
	 * taken away although a network's file has been removed or changed meanwhile. Owned. */
	struct network *networks;
	size_t n_networks;
	struct network_ports ports; /* owned */
	struct strvec dns_servers; /* of the container's own choice; owned */
};

#define NETWORK_REQUEST_INIT                                                                       \
	{                                                                                          \
		0                                                                                  \
	}

void network_request_done(struct network_request *request);
/*
 * "NAME" or "NAME:ip=...,ip6=...,mac=...,alias=...,interface_name=..." and other keys as options, as
 * --network takes them. ERR_INVALID names the part that is wrong.
 */
int network_attachment_parse(struct network_attachment *ret, const char *text, struct err *err);
/* Copies. */
void network_attachment_copy(struct network_attachment *ret, const struct network_attachment *from);
void network_attachment_done(struct network_attachment *attachment);
/* Give every attachment without an interface name the first "ethN" that none has. */
void network_request_name_interfaces(struct network_request *request);

DEFINE_AUTO_VAL(network_request, struct network_request, network_request_done)
#define auto_network_request auto_cleanup(network_request_cleanup_val)
