/* SPDX-License-Identifier: Apache-2.0 */
/* What the commands of `floe network` share: network.c changes something, network_show.c only looks. */
#pragma once

#include "cli/floe/commands.h"
#include "network/config.h"

/* podman's: there is no such network, or it is in use. */
#define NETWORK_EXIT_MISSING 1
#define NETWORK_EXIT_IN_USE 2

#define NETWORK_NAMES "floe network ls --format '{{.Name}}'"

extern const struct cli_command floe_network_ls_command;
extern const struct cli_command floe_network_inspect_command;
extern const struct cli_command floe_network_exists_command;
extern const struct cli_command floe_network_update_command;

/* Whether all filters are true of the network: 1 or 0; ERR_INVALID for a filter that there is none of. */
int network_filters_match(const struct strvec *filters, const struct network_dir *dir,
			  const struct network *network, bool is_used, struct err *err);

/* What `network inspect` prints of one, with its containers; the caller owns it. ERR_NOT_FOUND. */
int network_inspect_json(struct engine *e, const char *name, struct json_object **ret,
			 struct err *err);
