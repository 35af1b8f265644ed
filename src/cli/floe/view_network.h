/* SPDX-License-Identifier: Apache-2.0 */
/* How a container's networks look to users, with podman's keys. New objects that the caller owns. */
#pragma once

#include "core/strbuf.h"
#include "engine/container.h"

struct json_object;

/* What inspect calls NetworkSettings: of the networks as they are now. */
struct json_object *view_network_settings(const struct container *c);
/* {"80/tcp": {}}: what is published, and what is only exposed. */
struct json_object *view_exposed_ports(const struct container_config *config);
/* {"80": ["tcp"]} of what is exposed. */
struct json_object *view_exposed_numbers(const struct container_config *config);
/* {"80/tcp": [{"HostIp": "", "HostPort": "8080"}]} of what was asked for. */
struct json_object *view_port_bindings(const struct container_config *config);
/* Names of the networks. */
struct json_object *view_network_names(const struct container_config *config);
/* Published ports as `ps --format json` has them; null when there are none. */
struct json_object *view_ports_json(const struct container *c);
/* "0.0.0.0:8080->80/tcp, 90/tcp": published where they are now, then those that are only exposed. */
void view_ports(const struct container *c, struct strbuf *sb);
