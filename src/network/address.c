/* SPDX-License-Identifier: Apache-2.0 */
#include "network/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/parse.h"

unsigned int ip_family_bits(int family)
{
	return family == AF_INET ? 32 : 128;
}

static size_t n_bytes(const struct ip_address *address)
{
	return ip_family_bits(address->family) / 8;
}

int ip_address_parse(const char *text, struct ip_address *ret)
{
	struct ip_address address = { .family = strchr(text, ':') ? AF_INET6 : AF_INET };

	if (inet_pton(address.family, text, address.bytes) != 1)
		return -EINVAL;
	*ret = address;
	return 0;
}

struct ip_text ip_address_format(const struct ip_address *address)
{
	struct ip_text text;

	if (!inet_ntop(address->family, address->bytes, text.text, sizeof(text.text)))
		text.text[0] = '\0';
	return text;
}

int ip_address_compare(const struct ip_address *a, const struct ip_address *b)
{
	int order = memcmp(a->bytes, b->bytes, n_bytes(a));

	return (order > 0) - (order < 0);
}

void ip_address_increment(struct ip_address *address)
{
	for (size_t i = n_bytes(address); i-- > 0;)
		if (++address->bytes[i] != 0)
			return;
}

void ip_address_decrement(struct ip_address *address)
{
	for (size_t i = n_bytes(address); i-- > 0;)
		if (address->bytes[i]-- != 0)
			return;
}

int ip_subnet_parse(const char *text, struct ip_subnet *ret)
{
	const char *slash = strchr(text, '/');
	char address[INET6_ADDRSTRLEN];
	struct ip_subnet subnet;
	size_t len = slash ? (size_t)(slash - text) : 0;

	if (!slash || len >= sizeof(address) || parse_u32(slash + 1, &subnet.prefix_len) < 0)
		return -EINVAL;
	(void)memcpy(address, text, len);
	address[len] = '\0';
	if (ip_address_parse(address, &subnet.address) < 0 ||
	    subnet.prefix_len > ip_family_bits(subnet.address.family))
		return -EINVAL;
	*ret = subnet;
	return 0;
}

struct ip_text ip_subnet_format(const struct ip_subnet *subnet)
{
	struct ip_text text = ip_address_format(&subnet->address);
	size_t len = strlen(text.text);

	(void)snprintf(text.text + len, sizeof(text.text) - len, "/%u", subnet->prefix_len);
	return text;
}

/* The address with its host bits set or cleared. */
static struct ip_address with_host_bits(const struct ip_subnet *subnet, bool set)
{
	struct ip_address address = subnet->address;

	for (size_t i = 0; i < n_bytes(&address); i++) {
		unsigned int bits_before = (unsigned int)i * 8;
		unsigned int kept =
			subnet->prefix_len <= bits_before     ? 0 :
			subnet->prefix_len >= bits_before + 8 ? 8 :
								subnet->prefix_len - bits_before;
		uint8_t host = (uint8_t)(0xff >> kept);

		if (kept == 8)
			continue;
		if (set)
			address.bytes[i] |= host;
		else
			address.bytes[i] = (uint8_t)(address.bytes[i] & ~host);
	}
	return address;
}

struct ip_address ip_subnet_first(const struct ip_subnet *subnet)
{
	return with_host_bits(subnet, false);
}

struct ip_address ip_subnet_last(const struct ip_subnet *subnet)
{
	return with_host_bits(subnet, true);
}

bool ip_subnet_contains(const struct ip_subnet *subnet, const struct ip_address *address)
{
	struct ip_subnet other = { *address, subnet->prefix_len };
	struct ip_address a = ip_subnet_first(subnet);
	struct ip_address b;

	if (subnet->address.family != address->family)
		return false;
	b = ip_subnet_first(&other);
	return ip_address_compare(&a, &b) == 0;
}

bool ip_subnet_overlaps(const struct ip_subnet *a, const struct ip_subnet *b)
{
	return a->prefix_len <= b->prefix_len ? ip_subnet_contains(a, &b->address) :
						ip_subnet_contains(b, &a->address);
}
