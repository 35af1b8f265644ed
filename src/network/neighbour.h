/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Does somebody on a bridge have this address? podman keeps the addresses of its containers in a data base of
 * its own, and its networks are ours as well; so its containers are asked, by ARP probes as RFC 5227 has
 * them.
 */
#pragma once

#include "network/address.h"

/* How many ports a bridge has; 0 when there is no such bridge. Negative errno when it cannot be told. */
int neighbour_count_ports(const char *bridge);

/*
 * 1 when somebody answers for an IPv4 address on the interface, 0 when nobody does within `timeout_ms`, or
 * nobody could: there is no such interface, it is down, or the address is of IPv6. Negative errno when it
 * cannot be asked.
 */
int neighbour_answers(const char *link, const struct ip_address *address, int timeout_ms);
