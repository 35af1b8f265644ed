/* SPDX-License-Identifier: Apache-2.0 */
/* `network create --opt` of the drivers that are netavark's own: what there is, and what values it may have. */
#pragma once

#include "core/err.h"
#include "network/config.h"

/*
 * The options of a new network: docker's names become netavark's, truths become "true" and "false", and what is the
 * network's interface moves there. ERR_INVALID for an option that the driver has not, or a value that it cannot have.
 * Those of plugins are the plugins'.
 */
int network_driver_options_settle(struct network *n, struct err *err);
/* Whether the bridge and its subnets may be somebody else's as well: VLANs share a bridge, and a bridge that netavark does
 * not manage has its addresses from outside. */
bool network_driver_options_share_bridge(const struct network *n);
