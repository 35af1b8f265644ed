/* SPDX-License-Identifier: Apache-2.0 */
/* The documents between a caller of CNI and its plugins; pure. */
#pragma once

#include "network/cni.h"

struct json_object;

/*
 * What plugin i of the network gets: its part of the list, the list's name and version, of the runtime's wishes those
 * that it declares to understand ("capabilities"), and the result so far (NULL: none; borrowed). The caller owns it.
 */
struct json_object *cni_plugin_input(const struct cni_network *network, size_t i,
				     const struct network_request *request,
				     const struct network_attachment *attachment,
				     struct json_object *previous);
/* Whether a plugin of a list has the capability ("portMappings"). */
bool cni_declares(struct json_object *plugin, const char *capability);
/* "IgnoreUnknown=1;K8S_POD_NAMESPACE=...;IP=...": for plugins that know nothing of capabilities. Caller owns. */
char *cni_args(const struct network_request *request, const struct network_attachment *attachment);
/* A result in any version as a status entry; the caller owns what is in it. */
int cni_result_to_status(struct json_object *result, const char *network,
			 struct network_status_entry *ret, struct err *err);
