/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which container has which address of a network. One JSON file per network in a directory that does not
 * outlive a boot, changed under its lock. The next free address below the last one given out is taken, so
 * that an address is not at once used again. Downwards, because podman has the same networks, a record
 * of its own that we do not read, and goes upwards; where it has given out addresses, ours are probed for
 * first (network/neighbour.h).
 */
#pragma once

#include "core/err.h"
#include "core/strvec.h"
#include "network/config.h"

/*
 * One address of each subnet of the network, in their order: that of `wanted` which lies in the subnet,
 * otherwise a free one. Network, broadcast and gateway addresses are not given out. ERR_EXISTS when a wanted
 * one is taken, ERR_INVALID when it is in none of the subnets, ERR_STATE when a subnet is full. Nothing is
 * taken on failure. Nothing at all for networks whose addresses are not ours to give ("dhcp", "none").
 */
int ipam_allocate(const char *dir, const struct network *network, const char *container_id,
		  const struct strvec *wanted, struct strvec *ret, struct err *err);
/* Give back all that the container has in this network; 0 when it has none. */
int ipam_release(const char *dir, const char *network_name, const char *container_id,
		 struct err *err);
/* Every address that somebody has: "NETWORK CONTAINER-ID", once for each pair. */
int ipam_list(const char *dir, struct strvec *ret, struct err *err);
/* The network is gone. */
void ipam_forget(const char *dir, const char *network_name);
