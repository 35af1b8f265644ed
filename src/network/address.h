/* SPDX-License-Identifier: Apache-2.0 */
/* Internet addresses and subnets of both families as values, and the little arithmetic that giving them out takes. */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

struct ip_address {
	int family; /* AF_INET, AF_INET6 */
	uint8_t bytes[16]; /* network byte order; AF_INET: the first four */
};

struct ip_subnet {
	struct ip_address address; /* may have host bits */
	unsigned int prefix_len;
};

/* Large enough for every address with a prefix length. */
struct ip_text {
	char text[INET6_ADDRSTRLEN + 4];
};

/* "10.88.0.2", "fd00::2"; -EINVAL for anything else, zones included. */
int ip_address_parse(const char *text, struct ip_address *ret);
struct ip_text ip_address_format(const struct ip_address *address);
/* -1, 0, 1; addresses of the same family. */
int ip_address_compare(const struct ip_address *a, const struct ip_address *b);
/* The next or the previous one; past the end it wraps around. */
void ip_address_increment(struct ip_address *address);
void ip_address_decrement(struct ip_address *address);

/* "10.88.0.0/16"; -EINVAL when the prefix is missing or too long. */
int ip_subnet_parse(const char *text, struct ip_subnet *ret);
struct ip_text ip_subnet_format(const struct ip_subnet *subnet);
/* All host bits 0, and all 1 (the broadcast address of IPv4). */
struct ip_address ip_subnet_first(const struct ip_subnet *subnet);
struct ip_address ip_subnet_last(const struct ip_subnet *subnet);
bool ip_subnet_contains(const struct ip_subnet *subnet, const struct ip_address *address);
bool ip_subnet_overlaps(const struct ip_subnet *a, const struct ip_subnet *b);
/* Length of an address of this family in bits. */
unsigned int ip_family_bits(int family);
